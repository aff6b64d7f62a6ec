//! The stream filter of cross-reference streams and object streams: Flate with
//! predictors (ISO 32000-2, 7.4.4). Writers use no other filter there.

use std::io::Read;

use flate2::read::ZlibDecoder;

use crate::error::{Error, Limit, exceeds};

/// Maximum length in octets of a decoded stream.
pub(crate) const MAX_DECODED: u64 = 32 * 1024 * 1024;

/// `/DecodeParms`
#[derive(Clone, Copy, Debug)]
pub(crate) struct Predictor {
    pub(crate) predictor: u64,
    pub(crate) colors: u64,
    pub(crate) bits: u64,
    pub(crate) columns: u64,
}

/// Decodes data; returns `None` if the predictor's parameters are invalid. For data
/// that ends early or has a wrong checksum, returns the octets before that, as all
/// readers do.
pub(crate) fn decode(
    data: &[u8],
    compressed: bool,
    predictor: Option<Predictor>,
) -> Result<Option<Vec<u8>>, Error> {
    let mut decoder;
    let mut plain = data;
    let from: &mut dyn Read = if compressed {
        decoder = ZlibDecoder::new(data);
        &mut decoder
    } else {
        &mut plain
    };
    let mut out = Vec::new();
    match predictor.filter(|predictor| predictor.predictor > 1) {
        // After an error, no more octets can be decoded.
        None => drop(from.take(MAX_DECODED + 1).read_to_end(&mut out)),
        Some(predictor) => {
            let Some(rows) = Rows::of(predictor) else {
                return Ok(None);
            };
            if rows.undo(from, &mut out).is_none() {
                return Ok(None);
            }
        }
    }
    if out.len() as u64 > MAX_DECODED {
        return Err(exceeds(Limit::DecodedStream));
    }
    out.shrink_to_fit();
    Ok(Some(out))
}

/// Rows of pixels, in octets, and their predictor.
#[derive(Clone, Copy)]
struct Rows {
    row: usize,
    pixel: usize,
    /// PNG predictors: an octet before each row has the row's own predictor.
    png: bool,
}

impl Rows {
    /// `None` if the parameters are invalid, or for a TIFF predictor with samples that
    /// are not octets.
    fn of(predictor: Predictor) -> Option<Self> {
        let Predictor { predictor, colors, bits, columns } = predictor;
        let bits_of_pixel = colors.checked_mul(bits)?;
        let row = bits_of_pixel.checked_mul(columns)?.div_ceil(8);
        let pixel = bits_of_pixel.div_ceil(8);
        if pixel == 0 || pixel > row || row > MAX_DECODED {
            return None;
        }
        let png = match predictor {
            2 if bits == 8 => false,
            10..=15 => true,
            _ => return None,
        };
        Some(Self { row: usize::try_from(row).ok()?, pixel: usize::try_from(pixel).ok()?, png })
    }

    /// Undoes the predictor row by row, up to the end or past the maximum length.
    fn undo(self, from: &mut dyn Read, out: &mut Vec<u8>) -> Option<()> {
        let Self { row, pixel, png } = self;
        let mut above = Vec::new();
        let mut line = Vec::new();
        while out.len() as u64 <= MAX_DECODED {
            line.clear();
            // As above: the octets before an error count.
            let _ = from.take(row as u64 + u64::from(png)).read_to_end(&mut line);
            if !png {
                if line.is_empty() {
                    break;
                }
                accumulate(&mut line, pixel);
                out.extend_from_slice(&line);
                continue;
            }
            let Some((kind, current)) = line.split_first_mut() else {
                break;
            };
            undo_png(*kind, current, &above, pixel)?;
            out.extend_from_slice(current);
            above.clear();
            above.extend_from_slice(current);
        }
        Some(())
    }
}

/// Adds the octet of the previous pixel to each octet.
fn accumulate(row: &mut [u8], pixel: usize) {
    let mut before = vec![0u8; pixel];
    for chunk in row.chunks_mut(pixel) {
        for (octet, before) in chunk.iter_mut().zip(&mut before) {
            *octet = octet.wrapping_add(*before);
            *before = *octet;
        }
    }
}

/// Undoes a PNG predictor in one row; `above` is empty for the first row.
fn undo_png(kind: u8, current: &mut [u8], above: &[u8], pixel: usize) -> Option<()> {
    match kind {
        0 => {}
        1 => accumulate(current, pixel),
        2 => {
            for (octet, up) in current.iter_mut().zip(above) {
                *octet = octet.wrapping_add(*up);
            }
        }
        3 | 4 => {
            for at in 0..current.len() {
                let previous = at.checked_sub(pixel);
                let left = previous.and_then(|at| current.get(at)).copied().unwrap_or(0);
                let up = above.get(at).copied().unwrap_or(0);
                let up_left = previous.and_then(|at| above.get(at)).copied().unwrap_or(0);
                let add = if kind == 3 { u8::midpoint(left, up) } else { paeth(left, up, up_left) };
                if let Some(octet) = current.get_mut(at) {
                    *octet = octet.wrapping_add(add);
                }
            }
        }
        _ => return None,
    }
    Some(())
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
        let predictor = Predictor { predictor, colors: 1, bits: 8, columns };
        decode(data, false, Some(predictor)).unwrap()
    }

    #[test]
    fn each_row_has_its_own_png_predictor() {
        let data = [0, 1, 2, 3, 1, 1, 1, 1, 2, 1, 1, 1, 3, 1, 1, 1, 4, 1, 1, 1];
        let rows = [1, 2, 3, 1, 2, 3, 2, 3, 4, 2, 3, 4, 3, 4, 5];
        assert_eq!(undo(12, 3, &data).unwrap(), rows);
        assert_eq!(undo(12, 3, &[9, 0, 0, 0]), None);
        assert_eq!(undo(2, 3, &[1, 1, 1, 5, 0, 0]).unwrap(), [1, 2, 3, 5, 5, 5]);
        assert_eq!(undo(12, 0, &[]), None);
        assert_eq!(undo(12, u64::MAX, &[1]), None);
    }

    #[test]
    fn a_decompression_bomb_exceeds_the_limit() {
        use std::io::Write;
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        for _ in 0..33 {
            encoder.write_all(&[0; 1024 * 1024]).unwrap();
        }
        let bomb = encoder.finish().unwrap();
        assert!(matches!(decode(&bomb, true, None), Err(Error::Limit { .. })));
        let up = Predictor { predictor: 12, colors: 1, bits: 8, columns: 1 << 20 };
        assert!(matches!(decode(&bomb, true, Some(up)), Err(Error::Limit { .. })));
    }
}
