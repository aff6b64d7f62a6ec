//! The files of a visible signature in a PDF.

use std::path::Path;

use ades::Stamp;

use crate::exit::Failure;
use crate::input;

/// Maximum size of an image or a font, in octets.
const MAX_FILE: u64 = 32 * 1024 * 1024;

/// The stamp with its image, and with a font.
pub(crate) fn with_files(
    mut stamp: Stamp,
    image: Option<&Path>,
    font: Option<&Path>,
) -> Result<Stamp, Failure> {
    if let Some(image) = image {
        stamp = stamp.image(input::read_at_most(image, MAX_FILE)?);
    }
    Ok(match font {
        Some(font) => stamp.font(input::read_at_most(font, MAX_FILE)?),
        None => stamp.font(dejavu::sans::regular()),
    })
}
