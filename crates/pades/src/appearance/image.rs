//! Images as image XObjects (ISO 32000-2, 8.9.5).

use std::io::Cursor;

use png::{ColorType, Decoder, Encoder, Filter, Limits, Transformations};

use super::colour::{Colours, entries};
use super::jpeg::Jpeg;
use super::style::Colour;
use crate::error::{AppearanceFault, Error};
use crate::extend::Update;
use crate::file::Pdf;
use crate::syntax::Reference;

/// Maximum number of pixels.
const MAX_PIXELS: u64 = 16 * 1024 * 1024;
/// Maximum memory of the decoder in octets, besides the pixels.
const MAX_DECODER: usize = 64 * 1024 * 1024;
/// Maximum length of an image in the document in octets.
const MAX_EMBEDDED: usize = 2 * 1024 * 1024;

/// An image in the form in which it is embedded.
#[derive(Debug)]
pub(crate) struct Image {
    width: u32,
    height: u32,
    colours: Colours,
    /// The Exif orientation, 1 to 8: how the image is rotated and mirrored.
    orientation: u8,
    data: Data,
}

#[derive(Debug)]
enum Data {
    /// The whole file, unchanged.
    Jpeg(Vec<u8>),
    /// One or three octets for each pixel, and one for its opacity.
    Pixels { colour: Vec<u8>, alpha: Option<Vec<u8>> },
}

const fn fail(problem: AppearanceFault) -> Error {
    Error::Appearance { problem }
}

impl Image {
    pub(crate) fn read(file: &[u8]) -> Result<Self, Error> {
        match file {
            [0x89, b'P', b'N', b'G', ..] => Self::read_png(file),
            [0xFF, 0xD8, 0xFF, ..] => {
                let Jpeg { width, height, colours, orientation } = Jpeg::read(file)?;
                check_size(width, height)?;
                Ok(Self { width, height, colours, orientation, data: Data::Jpeg(file.to_vec()) })
            }
            _ => Err(fail(AppearanceFault::ImageFormat)),
        }
    }

    fn read_png(file: &[u8]) -> Result<Self, Error> {
        let damaged = |_| fail(AppearanceFault::UnreadablePng);
        let mut decoder =
            Decoder::new_with_limits(Cursor::new(file), Limits { bytes: MAX_DECODER });
        decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
        let mut reader = decoder.read_info().map_err(damaged)?;
        let (width, height) = (reader.info().width, reader.info().height);
        check_size(width, height)?;
        let size = reader.output_buffer_size().ok_or(fail(AppearanceFault::ImagePixels))?;
        let mut pixels = vec![0; size];
        let info = reader.next_frame(&mut pixels).map_err(damaged)?;
        pixels.truncate(info.buffer_size());
        let (colours, has_alpha) = match info.color_type {
            ColorType::Grayscale => (1, false),
            ColorType::GrayscaleAlpha => (1, true),
            ColorType::Rgb => (3, false),
            ColorType::Rgba => (3, true),
            ColorType::Indexed => return Err(fail(AppearanceFault::UnreadablePng)),
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
        let colours = if colours == 1 { Colours::Grey } else { Colours::Rgb };
        Ok(Self { width, height, colours, orientation: 1, data })
    }

    /// The visible width and height in pixels.
    pub(crate) const fn size(&self) -> [u32; 2] {
        match self.orientation {
            5..=8 => [self.height, self.width],
            _ => [self.width, self.height],
        }
    }

    /// The matrix that puts the image into a rectangle, rotated and mirrored by its
    /// Exif orientation.
    pub(crate) fn matrix(&self, [x, y, width, height]: [f64; 4]) -> [f64; 6] {
        let (right, top) = (x + width, y + height);
        match self.orientation {
            2 => [-width, 0.0, 0.0, height, right, y],
            3 => [-width, 0.0, 0.0, -height, right, top],
            4 => [width, 0.0, 0.0, -height, x, top],
            5 => [0.0, -height, -width, 0.0, right, top],
            6 => [0.0, -height, width, 0.0, x, top],
            7 => [0.0, height, width, 0.0, x, y],
            8 => [0.0, height, -width, 0.0, right, y],
            _ => [width, 0.0, 0.0, height, x, y],
        }
    }

    /// Puts transparent pixels on a colour. Grey pixels become coloured if the colour is.
    fn put_on(&mut self, ground: Colour) {
        let Data::Pixels { colour, alpha: transparency } = &mut self.data else { return };
        let Some(alpha) = transparency.take() else { return };
        let ground = ground.components();
        let [red, green, blue] = ground;
        if self.colours == Colours::Grey && (red != green || green != blue) {
            *colour = colour.iter().flat_map(|grey| [*grey; 3]).collect();
            self.colours = Colours::Rgb;
        }
        let components = if self.colours == Colours::Grey { 1 } else { 3 };
        for (pixel, alpha) in colour.chunks_exact_mut(components).zip(alpha) {
            let alpha = u32::from(alpha);
            for (value, ground) in pixel.iter_mut().zip(ground) {
                let mixed =
                    (u32::from(*value) * alpha + u32::from(ground) * (255 - alpha) + 127) / 255;
                *value = u8::try_from(mixed).unwrap_or(u8::MAX);
            }
        }
    }

    /// Adds the image to the update. `archival` is set for documents that claim to be PDF/A:
    /// transparent pixels are put on this colour, because PDF/A-1 forbids transparency.
    pub(crate) fn embed(
        mut self,
        pdf: &Pdf<'_>,
        update: &mut Update,
        archival: Option<Colour>,
    ) -> Result<Reference, Error> {
        if let Some(ground) = archival {
            self.put_on(ground);
        }
        let image = update.allocate();
        let [width, height] = [self.width, self.height];
        let size =
            format!("/Type/XObject/Subtype/Image/Width {width}/Height {height}/BitsPerComponent 8");
        let of_colours = entries(pdf, update, self.colours, archival.is_some())?;
        let fits = |data: Vec<u8>| {
            let too_large = fail(AppearanceFault::ImageEmbeddedLen);
            if data.len() > MAX_EMBEDDED { Err(too_large) } else { Ok(data) }
        };
        match self.data {
            Data::Jpeg(file) => {
                let entries = format!("{size}{of_colours}/Filter/DCTDecode");
                update.add_encoded(pdf, image, &entries, fits(file)?);
            }
            Data::Pixels { colour, alpha } => {
                let colours = if self.colours == Colours::Grey { 1 } else { 3 };
                let mut entries = format!("{size}{of_colours}");
                if let Some(alpha) = alpha {
                    let mask = update.allocate();
                    let (filter, alpha) = compressed(&alpha, [width, height], 1)?;
                    let own = format!("{size}/ColorSpace/DeviceGray{filter}");
                    update.add_encoded(pdf, mask, &own, fits(alpha)?);
                    entries.push_str(&format!("/SMask {mask}"));
                }
                let (filter, colour) = compressed(&colour, [width, height], colours)?;
                update.add_encoded(pdf, image, &format!("{entries}{filter}"), fits(colour)?);
            }
        }
        Ok(image)
    }
}

fn check_size(width: u32, height: u32) -> Result<(), Error> {
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || pixels > MAX_PIXELS {
        return Err(fail(AppearanceFault::ImagePixels));
    }
    Ok(())
}

/// Compresses pixels with the PNG encoder: PDF has a filter for PNG data (ISO 32000-2,
/// 7.4.4.4). Returns the filter's entries and the data.
fn compressed(
    pixels: &[u8],
    [width, height]: [u32; 2],
    colours: usize,
) -> Result<(String, Vec<u8>), Error> {
    let failed = |_| fail(AppearanceFault::ImageCompression);
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, width, height);
    encoder.set_color(if colours == 1 { ColorType::Grayscale } else { ColorType::Rgb });
    encoder.set_filter(Filter::Adaptive);
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(pixels).map_err(failed)?;
    writer.finish().map_err(failed)?;
    // The chunks follow eight octets; each has length, type, data and checksum.
    let mut data = Vec::new();
    let mut rest = file.get(8..).unwrap_or_default();
    while let Some((head, after)) = rest.split_first_chunk::<8>() {
        let [a, b, c, d, kind @ ..] = *head;
        let Some((chunk, after)) =
            after.split_at_checked(u32::from_be_bytes([a, b, c, d]) as usize)
        else {
            break;
        };
        if &kind == b"IDAT" {
            data.extend_from_slice(chunk);
        }
        rest = after.get(4..).unwrap_or_default();
    }
    let filter = format!(
        "/Filter/FlateDecode/DecodeParms<</Predictor 15/Colors {colours}/BitsPerComponent 8\
         /Columns {width}>>"
    );
    Ok((filter, data))
}
