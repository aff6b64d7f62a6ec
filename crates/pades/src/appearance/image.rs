//! Images as image XObjects (ISO 32000-2, 8.9.5).

use std::io::Cursor;

use png::{ColorType, Decoder, Limits, Transformations};

use super::form::{GREY, RGB};
use crate::error::Error;
use crate::file::Pdf;
use crate::syntax::Reference;
use crate::update::Update;

/// An image may have this many pixels.
const MAX_PIXELS: u64 = 16 * 1024 * 1024;
/// And the decoder this much memory beside them.
const MAX_DECODER: usize = 64 * 1024 * 1024;

/// An image that is ready to be written.
#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) width: u32,
    pub(crate) height: u32,
    grey: bool,
    data: Data,
}

#[derive(Debug)]
enum Data {
    /// As the file has it.
    Jpeg(Vec<u8>),
    /// One or three octets for each pixel, and one for how opaque it is.
    Pixels { colour: Vec<u8>, alpha: Option<Vec<u8>> },
}

const fn fail(problem: &'static str) -> Error {
    Error::Appearance { problem }
}

impl Image {
    pub(crate) fn read(file: &[u8]) -> Result<Self, Error> {
        match file {
            [0x89, b'P', b'N', b'G', ..] => Self::read_png(file),
            [0xFF, 0xD8, 0xFF, ..] => Self::read_jpeg(file),
            _ => Err(fail("the image is neither PNG nor JPEG")),
        }
    }

    fn read_png(file: &[u8]) -> Result<Self, Error> {
        let damaged = |_| fail("the PNG does not read");
        let mut decoder =
            Decoder::new_with_limits(Cursor::new(file), Limits { bytes: MAX_DECODER });
        decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
        let mut reader = decoder.read_info().map_err(damaged)?;
        let (width, height) = (reader.info().width, reader.info().height);
        check_size(width, height)?;
        let size = reader.output_buffer_size().ok_or(fail("the image is too large"))?;
        let mut pixels = vec![0; size];
        let info = reader.next_frame(&mut pixels).map_err(damaged)?;
        pixels.truncate(info.buffer_size());
        let (colours, has_alpha) = match info.color_type {
            ColorType::Grayscale => (1, false),
            ColorType::GrayscaleAlpha => (1, true),
            ColorType::Rgb => (3, false),
            ColorType::Rgba => (3, true),
            ColorType::Indexed => return Err(fail("the PNG does not read")),
        };
        let data = if has_alpha {
            let (mut colour, mut alpha) = (Vec::new(), Vec::new());
            for pixel in pixels.chunks_exact(colours + 1) {
                let (own, opacity) = pixel.split_at(colours);
                colour.extend_from_slice(own);
                alpha.extend_from_slice(opacity);
            }
            let alpha = alpha.iter().any(|opacity| *opacity != 0xFF).then_some(alpha);
            Data::Pixels { colour, alpha }
        } else {
            Data::Pixels { colour: pixels, alpha: None }
        };
        Ok(Self { width, height, grey: colours == 1, data })
    }

    /// Only the header is looked at: viewers decode it.
    fn read_jpeg(file: &[u8]) -> Result<Self, Error> {
        let damaged = fail("the JPEG does not read");
        let mut rest = file.get(2..).unwrap_or_default();
        loop {
            match rest {
                [0xFF, 0xFF, ..] => rest = rest.get(1..).unwrap_or_default(),
                [0xFF, marker, high, low, segment @ ..] => {
                    let length = usize::from(u16::from_be_bytes([*high, *low]));
                    let Some(length) = length.checked_sub(2) else {
                        return Err(damaged);
                    };
                    if matches!(marker, 0xC0..=0xC2) {
                        let [bits, h1, h0, w1, w0, components, ..] = segment else {
                            return Err(damaged);
                        };
                        let (width, height) =
                            (u16::from_be_bytes([*w1, *w0]), u16::from_be_bytes([*h1, *h0]));
                        let (width, height) = (u32::from(width), u32::from(height));
                        check_size(width, height)?;
                        let grey = match (bits, components) {
                            (8, 1) => true,
                            (8, 3) => false,
                            _ => return Err(fail("a JPEG that is not 8 bit grey or colour")),
                        };
                        return Ok(Self { width, height, grey, data: Data::Jpeg(file.to_vec()) });
                    }
                    // Other ways of coding, or image data before its header.
                    if matches!(marker, 0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF | 0xD0..=0xDA)
                    {
                        return Err(fail("the JPEG is of a kind that PDF does not know"));
                    }
                    rest = segment.get(length..).unwrap_or_default();
                }
                _ => return Err(damaged),
            }
        }
    }

    /// Adds the image; `opaque` puts what is transparent on white.
    pub(crate) fn embed(self, pdf: &Pdf<'_>, update: &mut Update, opaque: bool) -> Reference {
        let image = update.allocate();
        let (width, height) = (self.width, self.height);
        let size =
            format!("/Type/XObject/Subtype/Image/Width {width}/Height {height}/BitsPerComponent 8");
        let space = if self.grey { GREY } else { RGB };
        match self.data {
            Data::Jpeg(file) => {
                let entries = format!("{size}/ColorSpace{space}/Filter/DCTDecode");
                update.add_encoded(pdf, image, &entries, file);
            }
            Data::Pixels { mut colour, alpha } => {
                let mut entries = format!("{size}/ColorSpace{space}");
                if let Some(alpha) = alpha {
                    if opaque {
                        on_white(&mut colour, &alpha, if self.grey { 1 } else { 3 });
                    } else {
                        let mask = update.allocate();
                        update.add_stream(
                            pdf,
                            mask,
                            &format!("{size}/ColorSpace/DeviceGray"),
                            &alpha,
                        );
                        entries.push_str(&format!("/SMask {mask}"));
                    }
                }
                update.add_stream(pdf, image, &entries, &colour);
            }
        }
        image
    }
}

fn check_size(width: u32, height: u32) -> Result<(), Error> {
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || pixels > MAX_PIXELS {
        return Err(fail("an image without pixels or with more than 16,777,216"));
    }
    Ok(())
}

fn on_white(colour: &mut [u8], alpha: &[u8], colours: usize) {
    for (pixel, alpha) in colour.chunks_exact_mut(colours).zip(alpha) {
        let alpha = u32::from(*alpha);
        for value in pixel {
            let mixed = (u32::from(*value) * alpha + 255 * (255 - alpha) + 127) / 255;
            *value = u8::try_from(mixed).unwrap_or(u8::MAX);
        }
    }
}
