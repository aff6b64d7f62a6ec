//! How a document is signed: what the visitor chose, as options of the facade.

use std::time::SystemTime;

use ades::signer::Language;
use ades::{
    Border, Colour, Document, DocumentKind, Format, Packaging, PdfOptions, Rectangle,
    SignatureParameters, SigningOptions, Stamp, StampPosition, TimeFormat,
};
use serde::{Deserialize, Serialize};

/// The size of a stamp, in points.
pub(crate) const STAMP: (f64, f64) = (200.0, 56.0);
/// The space between a stamp in a corner and the edges of its page, in points.
const MARGIN: f64 = 36.0;
/// The page size of a PDF that nobody could measure: A4, in points.
pub(crate) const A4: (f64, f64) = (595.0, 842.0);

/// What the application stores about a document.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct About {
    /// The file name
    pub(crate) name: String,
    /// The length in octets
    pub(crate) length: u64,
    pub(crate) kind: Kind,
    pub(crate) choice: Choice,
    pub(crate) stamp: Option<Place>,
    /// Why it cannot be signed in this way
    pub(crate) problem: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Pdf,
    Xml,
    Other,
}

/// The format and the packaging of the signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Choice {
    /// In the PDF
    Pades,
    /// In the XML document, or around another one
    Xades,
    /// A container around the document
    Cades,
    /// A file beside the document
    CadesDetached,
}

/// Where the stamp is on a page.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Counted from 1
    pub(crate) page: usize,
    /// In points, from the lower left corner of the page
    pub(crate) left: f64,
    pub(crate) bottom: f64,
}

impl Kind {
    pub(crate) fn of(document: &mut Document<'_>) -> Result<Self, ades::Error> {
        Ok(match DocumentKind::of(document)? {
            DocumentKind::Pdf => Self::Pdf,
            DocumentKind::Xml => Self::Xml,
            _ => Self::Other,
        })
    }

    /// The choices for a document of this kind. The first one is the default.
    pub(crate) const fn choices(self) -> &'static [Choice] {
        match self {
            Self::Pdf => &[Choice::Pades, Choice::Cades, Choice::CadesDetached],
            Self::Xml => &[Choice::Xades, Choice::Cades, Choice::CadesDetached],
            Self::Other => &[Choice::Cades, Choice::CadesDetached, Choice::Xades],
        }
    }
}

impl Choice {
    pub(crate) const ALL: [Self; 4] = [Self::Pades, Self::Xades, Self::Cades, Self::CadesDetached];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Pades => "pades",
            Self::Xades => "xades",
            Self::Cades => "cades",
            Self::CadesDetached => "cades-detached",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|choice| choice.name() == name)
    }
}

impl Place {
    /// A place in a corner of a page of this size.
    pub(crate) fn in_corner(
        corner: &str,
        page: usize,
        (width, height): (f64, f64),
    ) -> Option<Self> {
        let (right, top) = match corner {
            "top-left" => (false, true),
            "top-right" => (true, true),
            "bottom-left" => (false, false),
            "bottom-right" => (true, false),
            _ => return None,
        };
        let left = if right { width - STAMP.0 - MARGIN } else { MARGIN };
        let bottom = if top { height - STAMP.1 - MARGIN } else { MARGIN };
        Some(Self { page, left, bottom }.within((width, height)))
    }

    /// The same place, moved so that the whole stamp is on the page.
    pub(crate) fn within(self, (width, height): (f64, f64)) -> Self {
        let fit = |at: f64, room: f64| at.min(room).max(0.0).round();
        let left = fit(self.left, width - STAMP.0);
        Self { left, bottom: fit(self.bottom, height - STAMP.1), page: self.page }
    }
}

impl About {
    /// The options of the facade.
    pub(crate) fn signing_options(&self, language: Language) -> SigningOptions {
        let options = SigningOptions::new(SignatureParameters::new(SystemTime::now()));
        match self.choice {
            Choice::Pades => options.format(Format::Pades).pdf(self.pdf_options(language)),
            Choice::Xades if self.kind == Kind::Xml => {
                options.format(Format::Xades).packaging(Packaging::Enveloped)
            }
            Choice::Xades => options.format(Format::Xades).packaging(Packaging::EnvelopingBase64),
            Choice::Cades => options.format(Format::Cades).packaging(Packaging::Enveloping),
            Choice::CadesDetached => options.format(Format::Cades).packaging(Packaging::Detached),
        }
    }

    fn pdf_options(&self, language: Language) -> PdfOptions {
        let Some(Place { page, left, bottom }) = self.stamp else { return PdfOptions::new() };
        let rectangle = Rectangle::new(left, bottom, STAMP.0, STAMP.1);
        let stamp = Stamp::new(StampPosition::Page { page, rectangle })
            .time(TimeFormat::new().language(language))
            .border(Border::new(1.0, Colour::rgb(0x0B, 0x4A, 0x8F)))
            .background(Colour::WHITE);
        PdfOptions::new().stamp(stamp)
    }

    /// Checks whether the document can be signed like this, before anybody is asked.
    pub(crate) fn examine(&mut self, document: &mut Document<'_>) {
        let mut options = self.signing_options(Language::En);
        if let Some(stamp) = options.pdf.stamp.take() {
            options.pdf.stamp = Some(stamp.font(dejavu::sans::regular()));
        }
        self.problem = ades::check(document, &options).err().map(|error| error.to_string());
    }

    /// The file name of the container.
    pub(crate) fn signed_name(&self) -> String {
        let suffix = match self.choice {
            Choice::Cades => ".p7m",
            Choice::CadesDetached => ".p7s",
            Choice::Xades if self.kind != Kind::Xml => ".xades",
            Choice::Pades | Choice::Xades => {
                let (stem, extension) = self.name.rsplit_once('.').unwrap_or((&self.name, "pdf"));
                return format!("{stem}-signed.{extension}");
            }
        };
        format!("{}{suffix}", self.name)
    }

    /// Whether the container does not contain the document.
    pub(crate) fn is_detached(&self) -> bool {
        self.choice == Choice::CadesDetached
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_stay_on_their_pages() {
        let small = (100.0, 40.0);
        let place = Place { page: 1, left: -5.0, bottom: 1e9 };
        assert_eq!(place.within(A4), Place { page: 1, left: 0.0, bottom: 786.0 });
        assert_eq!(place.within(small), Place { page: 1, left: 0.0, bottom: 0.0 });
        let corner = Place::in_corner("top-right", 2, A4);
        assert_eq!(corner, Some(Place { page: 2, left: 359.0, bottom: 750.0 }));
        let odd = Place { page: 1, left: f64::NAN, bottom: f64::INFINITY };
        assert_eq!(odd.within(A4).bottom, 786.0);
        assert!(odd.within(A4).left.is_finite());
    }
}
