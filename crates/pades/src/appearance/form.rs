//! The form XObject that a viewer shows in the widget (ISO 32000-2, 12.5.5).

use super::font::Font;
use super::image::Image;
use super::{Appearance, text};
use crate::document::place::Place;
use crate::error::Error;
use crate::extend::Update;
use crate::file::Pdf;
use crate::syntax::{Reference, Value};

/// The colour space of the black letters: a calibrated one, which PDF/A allows with
/// any output intent.
const BLACK: &str = "[/CalGray<</WhitePoint[0.9505 1 1.089]>>]";

/// Space at each side in points, but at most a tenth of the size.
const PADDING: f64 = 3.0;
/// Maximum share of the width that an image takes beside text.
const IMAGE_PART: f64 = 0.4;

/// The visible size of a widget in points, and the rotation of its page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) rotate: u16,
}

impl Frame {
    /// The matrix that undoes the rotation of the page.
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

/// Adds the form XObject and its resources to the update.
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
        let available = if both { width * IMAGE_PART } else { width };
        let [own_width, own_height] = image.size().map(f64::from);
        let scale = (available / own_width).min(height / own_height);
        let [own_width, own_height] = [own_width * scale, own_height * scale];
        let x = if both { left } else { left + (width - own_width) / 2.0 };
        let y = padding + (height - own_height) / 2.0;
        let matrix = image.matrix([x, y, own_width, own_height]).map(number).join(" ");
        content.push_str(&format!("q {matrix} cm /I0 Do Q\n"));
        if both {
            left += own_width + 2.0 * padding;
            width -= own_width + 2.0 * padding;
        }
        let archival = claims_pdf_a(pdf, catalog)?;
        let image = image.embed(pdf, update, archival)?;
        resources.push_str(&format!("/XObject<</I0 {image}>>"));
    }
    if let Some((text, font)) = &appearance.text {
        let mut font = Font::read(font)?;
        let lines = text::lay_out(text, &mut font, [left, padding, width, height])?;
        content.push_str(&format!("/C0 cs 0 sc\n{lines}"));
        let font = font.embed(pdf, update)?;
        resources.push_str(&format!("/ColorSpace<</C0{BLACK}>>/Font<</F0 {font}>>"));
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

/// Whether the metadata claim PDF/A, or cannot be read and may claim it.
fn claims_pdf_a(pdf: &mut Pdf<'_>, catalog: &Value) -> Result<bool, Error> {
    const MARK: &[u8] = b"pdfaid";

    // PDF/A forbids encryption.
    if pdf.security.is_some() {
        return Ok(false);
    }
    let Place::Indirect(metadata) = Place::of(pdf, catalog, b"Metadata")? else {
        return Ok(false);
    };
    if !metadata.is_stream() {
        return Ok(false);
    }
    let data = pdf.data(&metadata)?;
    Ok(data.is_none_or(|data| data.windows(MARK.len()).any(|window| window == MARK)))
}
