//! The form XObject that a viewer shows in the widget's place (12.5.5).

use super::font::Font;
use super::image::Image;
use super::{Appearance, text};
use crate::document::place::Place;
use crate::error::Error;
use crate::file::{Pdf, StreamData};
use crate::syntax::{Reference, Value};
use crate::update::Update;

/// Calibrated grey and sRGB: PDF/A allows them whatever the output intent.
pub(super) const GREY: &str = "[/CalGray<</WhitePoint[0.9505 1 1.089]/Gamma 2.2>>]";
pub(super) const RGB: &str = "[/CalRGB<</WhitePoint[0.9505 1 1.089]/Gamma[2.2 2.2 2.2]\
     /Matrix[0.4124 0.2126 0.0193 0.3576 0.7152 0.1192 0.1805 0.0722 0.9505]>>]";

/// Left free at the sides, in points, but no more than a tenth.
const PADDING: f64 = 3.0;
/// Beside text, an image has no more than this part of the width.
const IMAGE_PART: f64 = 0.4;

/// The widget's size as it is seen, in points, and how the page is turned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) rotate: u16,
}

impl Frame {
    /// Turns what is drawn upright as the page will be turned back.
    fn matrix(&self) -> String {
        let (width, height) = (number(self.width), number(self.height));
        match self.rotate {
            90 => format!("[0 1 -1 0 {height} 0]"),
            180 => format!("[-1 0 0 -1 {width} {height}]"),
            270 => format!("[0 -1 1 0 0 {width}]"),
            _ => "[1 0 0 1 0 0]".to_owned(),
        }
    }
}

/// A number with up to three decimals.
pub(crate) fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// Adds all that is to be seen.
pub(crate) fn draw(
    pdf: &mut Pdf<'_>,
    update: &mut Update,
    catalog: &Value,
    appearance: &Appearance,
    frame: Frame,
) -> Result<Reference, Error> {
    let padding = PADDING.min(frame.width / 10.0).min(frame.height / 10.0);
    let [mut left, mut width] = [padding, frame.width - 2.0 * padding];
    let height = frame.height - 2.0 * padding;
    let (mut content, mut resources) = (String::new(), String::new());
    if let Some(file) = &appearance.image {
        let image = Image::read(file)?;
        let both = appearance.text.is_some();
        let room = if both { width * IMAGE_PART } else { width };
        let [own_width, own_height] = [image.width, image.height].map(f64::from);
        let scale = (room / own_width).min(height / own_height);
        let [own_width, own_height] = [own_width * scale, own_height * scale];
        let x = if both { left } else { left + (width - own_width) / 2.0 };
        let y = padding + (height - own_height) / 2.0;
        content.push_str(&format!(
            "q {} 0 0 {} {} {} cm /I0 Do Q\n",
            number(own_width),
            number(own_height),
            number(x),
            number(y)
        ));
        if both {
            left += own_width + 2.0 * padding;
            width -= own_width + 2.0 * padding;
        }
        let opaque = claims_pdf_a(pdf, catalog)?;
        let image = image.embed(pdf, update, opaque);
        resources.push_str(&format!("/XObject<</I0 {image}>>"));
    }
    if let Some((text, font)) = &appearance.text {
        let mut font = Font::read(font)?;
        let lines = text::lay_out(text, &mut font, [left, padding, width, height])?;
        content.push_str(&format!("/C0 cs 0 sc\n{lines}"));
        let font = font.embed(pdf, update)?;
        resources.push_str(&format!("/ColorSpace<</C0{GREY}>>/Font<</F0 {font}>>"));
    }
    let form = update.allocate();
    let entries = format!(
        "/Type/XObject/Subtype/Form/BBox[0 0 {} {}]/Matrix{}/Resources<<{resources}>>",
        number(frame.width),
        number(frame.height),
        frame.matrix()
    );
    update.add_stream(pdf, form, &entries, content.as_bytes());
    Ok(form)
}

/// Whether the metadata say so; metadata that we cannot read may.
fn claims_pdf_a(pdf: &mut Pdf<'_>, catalog: &Value) -> Result<bool, Error> {
    const MARK: &[u8] = b"pdfaid";

    // PDF/A is never encrypted.
    if pdf.security.is_some() {
        return Ok(false);
    }
    let Place::Indirect(metadata) = Place::of(pdf, catalog, b"Metadata")? else {
        return Ok(false);
    };
    let length = pdf.get(&metadata.value, b"Length")?.and_then(|length| length.unsigned());
    let Some(length) = metadata.stated_length(pdf.source(), length)? else {
        return Ok(true);
    };
    Ok(match metadata.decode(pdf.source(), length, None)? {
        StreamData::Decoded(data) => data.windows(MARK.len()).any(|window| window == MARK),
        StreamData::OtherFilter => true,
    })
}
