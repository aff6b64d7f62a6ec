//! Visible signatures: their appearance and their position (ISO 32000-2, 12.5.5,
//! 12.7.5.5).

mod colour;
mod font;
mod form;
mod image;
mod jpeg;
mod qr_code;
mod style;
mod template;
mod text;
mod time_format;

use std::fmt;

use serde::{Deserialize, Serialize};

pub(crate) use form::{Frame, draw, number};
pub use style::{Alignment, Border, Colour, HorizontalAlignment, VerticalAlignment};
pub use template::StampValues;
pub use time_format::TimeFormat;

use self::qr_code::MAX_QR_TEXT;
use crate::error::{AppearanceFault, Error};
use crate::options::SignatureField;

/// Maximum length of a text in octets.
const MAX_TEXT: usize = 4096;
/// Maximum length of a font in octets.
const MAX_FONT: usize = 32 * 1024 * 1024;
/// Maximum length of an image file in octets.
const MAX_IMAGE: usize = 8 * 1024 * 1024;

/// A rectangle in points (1/72 inch), rounded to thousandths.
///
/// The origin is the lower left corner of the visible page: of its crop box, after
/// rotation by `/Rotate`.
///
/// Serialised, each number is in thousandths of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rectangle {
    pub(crate) left: i64,
    pub(crate) bottom: i64,
    pub(crate) width: i64,
    pub(crate) height: i64,
}

impl Rectangle {
    /// A rectangle by its lower left corner and its size.
    #[must_use]
    pub fn new(left: f64, bottom: f64, width: f64, height: f64) -> Self {
        let [left, bottom, width, height] =
            [left, bottom, width, height].map(|points| (points * 1000.0).round() as i64);
        Self { left, bottom, width, height }
    }
}

impl fmt::Display for Rectangle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { left, bottom, width, height } = *self;
        let [left, bottom, width, height] =
            [left, bottom, width, height].map(|thousandths| number(thousandths as f64 / 1000.0));
        write!(f, "{left},{bottom},{width},{height}")
    }
}

/// The position of a visible signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum StampPosition {
    /// A new field on a page.
    Page {
        /// counted from 1
        page: usize,
        /// where on the page
        rectangle: Rectangle,
    },
    /// The rectangle of the existing field.
    Field,
}

/// The appearance of a visible signature: text, an image, a QR code, or several of them,
/// with the image on the left and the QR code on the right.
///
/// The text is wrapped and set in the largest size that fits, up to 12 points. It is
/// black, or white on a dark background.
/// Scripts with joined letters or from right to left are shaped. An image keeps its
/// transparency, but is put on the background, or else on white, in documents that claim to
/// be PDF/A.
///
/// In a tagged document, a new field gets a structure element `Form`, unless the
/// document is signed already. To keep a signed document PDF/UA, use an existing
/// field that is tagged. Certified documents accept visible signatures only in
/// fields that are visible already.
///
/// The pending state holds the whole appearance: the image, and a few octets for
/// each letter.
#[derive(Clone, PartialEq, Eq)]
pub struct Appearance {
    pub(crate) position: StampPosition,
    text: Option<(String, Vec<u8>)>,
    image: Option<Vec<u8>>,
    qr_code: Option<String>,
    description: Option<String>,
    alignment: Alignment,
    border: Option<Border>,
    background: Option<Colour>,
}

impl Appearance {
    /// An appearance at this position. It has no content yet: add a text, an image or a QR code.
    #[must_use]
    pub const fn new(position: StampPosition) -> Self {
        Self {
            position,
            text: None,
            image: None,
            qr_code: None,
            description: None,
            alignment: Alignment::new(),
            border: None,
            background: None,
        }
    }

    /// As [`new`](Self::new), in a new field on a page, counted from 1.
    #[must_use]
    pub const fn at(page: usize, rectangle: Rectangle) -> Self {
        Self::new(StampPosition::Page { page, rectangle })
    }

    /// As [`new`](Self::new), in the rectangle of an existing field.
    #[must_use]
    pub const fn in_field() -> Self {
        Self::new(StampPosition::Field)
    }

    /// Sets lines of text, and the font file. The font must have TrueType or CFF
    /// outlines and all characters of the text. Of a font collection, the first font
    /// is used. The glyphs in use become part of the document: the font's licence must
    /// allow that. See [`StampValues`] for templates.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>, font: impl Into<Vec<u8>>) -> Self {
        self.text = Some((text.into(), font.into()));
        self
    }

    /// Sets a PNG or JPEG file. A JPEG is grey, RGB or CMYK with 8 bits, and is shown
    /// rotated as its Exif data says. A document that claims to be PDF/A does not take
    /// CMYK. Maximum length in the document: 2 MiB. A JPEG is embedded unchanged; a PNG
    /// takes about as much as its file.
    #[must_use]
    pub fn image(mut self, file: impl Into<Vec<u8>>) -> Self {
        self.image = Some(file.into());
        self
    }

    /// Sets the text of a QR code, usually a URL: at most 1,024 octets of UTF-8. The code is black
    /// on white. A rectangle that is too small for telephones to read the code is an error.
    #[must_use]
    pub fn qr_code(mut self, text: impl Into<String>) -> Self {
        self.qr_code = Some(text.into());
        self
    }

    /// Sets the alignment.
    #[must_use]
    pub const fn alignment(mut self, alignment: Alignment) -> Self {
        self.alignment = alignment;
        self
    }

    /// Sets the border.
    #[must_use]
    pub const fn border(mut self, border: Border) -> Self {
        self.border = Some(border);
        self
    }

    /// Sets the colour of the background. By default, the page shows through.
    #[must_use]
    pub const fn background(mut self, colour: Colour) -> Self {
        self.background = Some(colour);
        self
    }

    /// Sets the text for people who cannot see the signature, for example in a screen
    /// reader. The default is the visible text, or else that of the QR code.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    pub(crate) fn alternative(&self) -> String {
        let text = self.text.as_ref().map(|(text, _)| text);
        let text = self.description.as_ref().or(text).or(self.qr_code.as_ref());
        text.map_or_else(|| "Signature".to_owned(), |text| text.replace('\n', ", "))
    }

    /// Whether it has more than black letters.
    const fn has_colours(&self) -> bool {
        self.image.is_some()
            || self.qr_code.is_some()
            || self.border.is_some()
            || self.background.is_some()
    }

    pub(crate) fn check(&self, field: &SignatureField) -> Result<(), Error> {
        let fail = |problem| Err(Error::Appearance { problem });
        let existing = matches!(field, SignatureField::Existing(_));
        match self.position {
            StampPosition::Page { .. } if existing => return fail(AppearanceFault::ExistingField),
            StampPosition::Field if !existing => return fail(AppearanceFault::NewField),
            StampPosition::Page { page: 0, .. } => return fail(AppearanceFault::PageZero),
            StampPosition::Page { .. } | StampPosition::Field => {}
        }
        if self.text.is_none() && self.image.is_none() && self.qr_code.is_none() {
            return fail(AppearanceFault::Empty);
        }
        let texts = self.text.iter().map(|(text, _)| text).chain(&self.description);
        for text in texts {
            if text.trim().is_empty() || text.len() > MAX_TEXT {
                return fail(AppearanceFault::TextLen);
            }
        }
        if self.qr_code.as_ref().is_some_and(|text| text.is_empty() || text.len() > MAX_QR_TEXT) {
            return fail(AppearanceFault::QrTextLen);
        }
        if self.text.as_ref().is_some_and(|(_, font)| font.len() > MAX_FONT) {
            return fail(AppearanceFault::FontLen);
        }
        if self.image.as_ref().is_some_and(|image| image.len() > MAX_IMAGE) {
            return fail(AppearanceFault::ImageLen);
        }
        Ok(())
    }
}

impl fmt::Debug for Appearance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Appearance")
            .field("position", &self.position)
            .field("text", &self.text.is_some())
            .field("image", &self.image.is_some())
            .field("qr_code", &self.qr_code.is_some())
            .field("alignment", &self.alignment)
            .field("border", &self.border)
            .field("background", &self.background)
            .finish_non_exhaustive()
    }
}
