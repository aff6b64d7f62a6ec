//! The headers of a JPEG file, which is embedded into a PDF as it is (ITU-T T.81;
//! Exif 2.3).

use super::colour::Colours;
use crate::error::{AppearanceFault, Error};

/// The properties in the headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Jpeg {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) colours: Colours,
    /// The Exif orientation, 1 to 8: how the image is rotated and mirrored.
    pub(super) orientation: u8,
}

const fn fail(problem: AppearanceFault) -> Error {
    Error::Appearance { problem }
}

const DAMAGED: Error = fail(AppearanceFault::UnreadableJpeg);

impl Jpeg {
    /// Reads the headers, and checks that the image has an end. Only viewers decode
    /// the image.
    pub(super) fn read(file: &[u8]) -> Result<Self, Error> {
        const END_OF_IMAGE: &[u8] = &[0xFF, 0xD9];

        let mut rest = file.get(2..).unwrap_or_default();
        let mut frame = None;
        let mut orientation = 1;
        let mut is_adobe = false;
        loop {
            let (marker, high, low, segment) = match rest {
                [0xFF, 0xFF, ..] => {
                    rest = rest.get(1..).unwrap_or_default();
                    continue;
                }
                [0xFF, marker, high, low, segment @ ..] => (marker, high, low, segment),
                _ => return Err(DAMAGED),
            };
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            let length = length.checked_sub(2).ok_or(DAMAGED)?;
            let content = segment.get(..length).ok_or(DAMAGED)?;
            match marker {
                0xC0..=0xC2 => frame = Some(Self::frame(content)?),
                // Coding processes that PDF does not support.
                0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF | 0xD0..=0xD9 => {
                    return Err(fail(AppearanceFault::JpegProcess));
                }
                // The image data.
                0xDA => break,
                0xE1 => orientation = exif_orientation(content).unwrap_or(orientation),
                0xEE => is_adobe |= content.starts_with(b"Adobe"),
                _ => {}
            }
            rest = segment.get(length..).unwrap_or_default();
        }
        let mut frame = frame.ok_or(DAMAGED)?;
        if !rest.windows(2).any(|window| window == END_OF_IMAGE) {
            return Err(fail(AppearanceFault::JpegTruncated));
        }
        // Adobe's programs store inks inverted and mark the file with their name; img2pdf decides
        // in the same way.
        if let Colours::Cmyk { inverted } = &mut frame.colours {
            *inverted = is_adobe;
        }
        Ok(Self { orientation, ..frame })
    }

    fn frame(header: &[u8]) -> Result<Self, Error> {
        let [bits, h1, h0, w1, w0, components, ..] = header else {
            return Err(DAMAGED);
        };
        let colours = match (bits, components) {
            (8, 1) => Colours::Grey,
            (8, 3) => Colours::Rgb,
            (8, 4) => Colours::Cmyk { inverted: false },
            _ => return Err(fail(AppearanceFault::JpegColours)),
        };
        let [width, height] = [[*w1, *w0], [*h1, *h0]].map(u16::from_be_bytes).map(u32::from);
        Ok(Self { width, height, colours, orientation: 1 })
    }
}

/// The orientation in Exif data, if present.
fn exif_orientation(segment: &[u8]) -> Option<u8> {
    const ORIENTATION: u16 = 0x0112;
    const SHORT: u16 = 3;

    let tiff = segment.strip_prefix(b"Exif\0\0")?;
    let little = match tiff.get(..2)? {
        b"II" => true,
        b"MM" => false,
        _ => return None,
    };
    let short = |at: usize| {
        let octets = *tiff.get(at..)?.first_chunk()?;
        Some(if little { u16::from_le_bytes(octets) } else { u16::from_be_bytes(octets) })
    };
    let long = |at: usize| {
        let octets = *tiff.get(at..)?.first_chunk()?;
        Some(if little { u32::from_le_bytes(octets) } else { u32::from_be_bytes(octets) })
    };
    let directory = usize::try_from(long(4)?).ok()?;
    let count = usize::from(short(directory)?);
    let mut entries = (0..count).map(|entry| directory.saturating_add(2 + 12 * entry));
    let entry = entries.find(|at| short(*at) == Some(ORIENTATION))?;
    let value = short(entry + 8).filter(|_| short(entry + 2) == Some(SHORT))?;
    u8::try_from(value).ok().filter(|value| (1..=8).contains(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exif(order: &[u8; 2], short: fn(u16) -> [u8; 2], long: fn(u32) -> [u8; 4]) -> Vec<u8> {
        let entry = |tag| [short(tag).as_slice(), &short(3), &long(1), &short(6), &[0; 2]].concat();
        let directory = [&short(2)[..], &entry(0x010F), &entry(0x0112)].concat();
        [b"Exif\0\0", &order[..], &short(42), &long(8), &directory].concat()
    }

    #[test]
    fn the_orientation_is_found_in_both_byte_orders() {
        let little = exif(b"II", u16::to_le_bytes, u32::to_le_bytes);
        assert_eq!(exif_orientation(&little), Some(6));
        let big = exif(b"MM", u16::to_be_bytes, u32::to_be_bytes);
        assert_eq!(exif_orientation(&big), Some(6));
        for len in 0..big.len() - 2 {
            assert_eq!(exif_orientation(&big[..len]), None, "{len}");
        }
    }
}
