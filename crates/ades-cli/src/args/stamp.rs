//! The arguments about visible signatures, and their conversion to typed options.

use std::path::PathBuf;

use ades::signer::Language;
use ades::{Alignment, Border, Colour, Stamp, StampPosition, TimeFormat, parse};

use crate::exit::Failure;
use crate::request::stamp_file;
use crate::time_zone::TimeZone;

/// The heading of the help.
const VISIBLE: &str = "Visible signature, PDF only";

/// The arguments about the appearance of a signature in a PDF.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = VISIBLE)]
pub(crate) struct StampArgs {
    /// Make the signature visible, at PAGE:X,Y,WIDTH,HEIGHT in points
    ///
    /// X and Y count from the lower left corner of the displayed page, and pages from 1. The word
    /// field is the rectangle of the field that --field names.
    #[arg(long, value_name = "PAGE:X,Y,W,H|field", value_parser = parse::stamp_position)]
    visible: Option<StampPosition>,
    /// The text, with {name}, {time}, {reason} and {location}; \n begins a line
    ///
    /// A line with a missing value is left out. The default has all four; with an image, it is
    /// the image alone, as with an empty text.
    #[arg(long, value_name = "TEXT", requires = "visible")]
    stamp_text: Option<String>,
    /// The time zone of {time}: Europe/Brussels, or +02:00; default: UTC
    ///
    /// --lang chooses the language of {time}. Without it, {time} has the form of ISO 8601.
    #[arg(long, value_name = "ZONE", requires = "visible", allow_hyphen_values = true)]
    stamp_time_zone: Option<TimeZone>,
    /// The image: PNG, or JPEG in grey, RGB or CMYK; at most 2 MiB in the document
    #[arg(long, value_name = "FILE", requires = "visible")]
    stamp_image: Option<PathBuf>,
    /// A QR code with this text, which may have the same placeholders as --stamp-text
    ///
    /// It is on the right of the text. An empty --stamp-text leaves the QR code alone.
    #[arg(long, value_name = "TEXT", requires = "visible")]
    stamp_qr: Option<String>,
    /// The font of the text: .ttf, .otf or .ttc; default: DejaVu Sans
    ///
    /// It needs TrueType or CFF outlines.
    #[arg(long, value_name = "FILE", requires = "visible")]
    stamp_font: Option<PathBuf>,
    /// The alignment: left, centre or right, and top, middle or bottom
    #[arg(
        long,
        value_name = "ALIGNMENT[,ALIGNMENT]",
        requires = "visible",
        value_parser = parse::alignment
    )]
    stamp_align: Option<Alignment>,
    /// A border: its width in points, and its colour RRGGBB; default: black
    #[arg(long, value_name = "WIDTH[,COLOUR]", requires = "visible", value_parser = parse::border)]
    stamp_border: Option<Border>,
    /// The colour of the background: RRGGBB; the text is white on a dark one
    #[arg(long, value_name = "COLOUR", requires = "visible", value_parser = parse::colour)]
    stamp_background: Option<Colour>,
    /// Write a PNG of the page as it will look, before anything is signed
    ///
    /// Needs poppler's pdftoppm.
    #[arg(long, value_name = "FILE", requires = "visible")]
    pub(crate) preview: Option<PathBuf>,
}

/// The files of a stamp, and its time zone, which has an offset only at the signing time.
pub(super) struct StampSources {
    pub(super) image: Option<PathBuf>,
    pub(super) font: Option<PathBuf>,
    pub(super) time_zone: Option<TimeZone>,
}

impl StampArgs {
    pub(super) fn sources(&self) -> Result<StampSources, Failure> {
        Ok(StampSources {
            image: stamp_file("--stamp-image", self.stamp_image.clone())?,
            font: stamp_file("--stamp-font", self.stamp_font.clone())?,
            time_zone: self.stamp_time_zone,
        })
    }

    pub(super) fn into_stamp(self, language: Option<Language>) -> Option<Stamp> {
        let mut stamp = Stamp::new(self.visible?);
        // `\n` is the easiest way to write several lines in a shell's argument.
        stamp.text = self.stamp_text.map(|text| text.replace("\\n", "\n"));
        let mut time = TimeFormat::new();
        time.language = language;
        stamp.time = time;
        stamp.qr_code = self.stamp_qr;
        stamp.alignment = self.stamp_align.unwrap_or_default();
        stamp.border = self.stamp_border;
        stamp.background = self.stamp_background;
        Some(stamp)
    }
}
