//! Stream filters that cross-references and object streams use: Flate with
//! predictors (ISO 32000-2, 7.4.4). No other is met there.

use std::io::Read;

use flate2::read::ZlibDecoder;

use crate::error::Error;

/// A decoded stream may have this many octets.
pub(crate) const MAX_DECODED: u64 = 64 * 1024 * 1024;

/// `/DecodeParms`
#[derive(Clone, Copy, Debug)]
pub(crate) struct Predictor {
    pub(crate) predictor: u64,
    pub(crate) colors: u64,
    pub(crate) bits: u64,
    pub(crate) columns: u64,
}

/// What the data decodes to. Data that ends early or has a wrong checksum
/// yields what came before, as all readers do.
pub(crate) fn flate(data: &[u8]) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    // An error is the end of what can be had.
    let _ = ZlibDecoder::new(data).take(MAX_DECODED + 1).read_to_end(&mut out);
    if out.len() as u64 > MAX_DECODED {
        return Err(Error::Limit { limit: "64 MiB in a decoded stream" });
    }
    Ok(out)
}

impl Predictor {
    /// Undoes it; `None` if the parameters make no sense or are TIFF's for
    /// samples that are not octets.
    pub(crate) fn undo(self, mut data: Vec<u8>) -> Option<Vec<u8>> {
        let bits = self.colors.checked_mul(self.bits)?;
        let row = usize::try_from(bits.checked_mul(self.columns)?.div_ceil(8)).ok()?;
        let pixel = usize::try_from(bits.div_ceil(8)).ok()?;
        if row == 0 || pixel == 0 || pixel > row {
            return None;
        }
        match self.predictor {
            0 | 1 => Some(data),
            2 if self.bits == 8 => {
                for row in data.chunks_mut(row) {
                    accumulate(row, pixel);
                }
                Some(data)
            }
            10..=15 => png(&data, row, pixel),
            _ => None,
        }
    }
}

/// Adds to each octet the one a pixel before.
fn accumulate(row: &mut [u8], pixel: usize) {
    let mut before = vec![0u8; pixel];
    for chunk in row.chunks_mut(pixel) {
        for (octet, before) in chunk.iter_mut().zip(&mut before) {
            *octet = octet.wrapping_add(*before);
            *before = *octet;
        }
    }
}

/// PNG's filters: each row has its own, in its first octet.
fn png(data: &[u8], row: usize, pixel: usize) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(data.len());
    let mut above = vec![0u8; row];
    for line in data.chunks(row.checked_add(1)?) {
        let (kind, line) = line.split_first()?;
        let mut current = line.to_vec();
        match kind {
            0 => {}
            1 => accumulate(&mut current, pixel),
            2 => {
                for (octet, up) in current.iter_mut().zip(&above) {
                    *octet = octet.wrapping_add(*up);
                }
            }
            3 | 4 => {
                for at in 0..current.len() {
                    let behind = at.checked_sub(pixel);
                    let left = behind.and_then(|b| current.get(b)).copied().unwrap_or(0);
                    let up = above.get(at).copied().unwrap_or(0);
                    let up_left = behind.and_then(|b| above.get(b)).copied().unwrap_or(0);
                    let add =
                        if *kind == 3 { u8::midpoint(left, up) } else { paeth(left, up, up_left) };
                    if let Some(octet) = current.get_mut(at) {
                        *octet = octet.wrapping_add(add);
                    }
                }
            }
            _ => return None,
        }
        out.extend_from_slice(&current);
        current.resize(row, 0);
        above = current;
    }
    Some(out)
}

fn paeth(left: u8, up: u8, up_left: u8) -> u8 {
    let (a, b, c) = (i16::from(left), i16::from(up), i16::from(up_left));
    let estimate = a + b - c;
    let (pa, pb, pc) = ((estimate - a).abs(), (estimate - b).abs(), (estimate - c).abs());
    if pa <= pb && pa <= pc {
        left
    } else if pb <= pc {
        up
    } else {
        up_left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undo(predictor: u64, columns: u64, data: &[u8]) -> Option<Vec<u8>> {
        Predictor { predictor, colors: 1, bits: 8, columns }.undo(data.to_vec())
    }

    #[test]
    fn each_row_has_its_own_png_filter() {
        let data = [0, 1, 2, 3, 1, 1, 1, 1, 2, 1, 1, 1, 3, 1, 1, 1, 4, 1, 1, 1];
        let rows = [1, 2, 3, 1, 2, 3, 2, 3, 4, 2, 3, 4, 3, 4, 5];
        assert_eq!(undo(12, 3, &data).unwrap(), rows);
        assert_eq!(undo(12, 3, &[9, 0, 0, 0]), None);
        assert_eq!(undo(2, 3, &[1, 1, 1, 5, 0, 0]).unwrap(), [1, 2, 3, 5, 5, 5]);
        assert_eq!(undo(12, 0, &[]), None);
        assert_eq!(undo(12, u64::MAX, &[1]), None);
    }

    #[test]
    fn a_bomb_is_refused() {
        use std::io::Write;
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        for _ in 0..65 {
            encoder.write_all(&[0; 1024 * 1024]).unwrap();
        }
        let bomb = encoder.finish().unwrap();
        assert!(matches!(flate(&bomb), Err(Error::Limit { .. })));
    }
}
