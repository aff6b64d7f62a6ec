//! Colour spaces of images (ISO 32000-2, 8.6).

use crate::error::{AppearanceFault, Error};
use crate::extend::Update;
use crate::file::Pdf;
use crate::syntax::Reference;

/// The colour components of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colours {
    Grey,
    Rgb,
    Cmyk {
        /// Whether 0 is full ink, as Adobe's programs write it.
        inverted: bool,
    },
}

/// sRGB as a calibrated space, which PDF/A allows with any output intent.
const CALIBRATED: &str = "[/CalRGB<</WhitePoint[0.9505 1 1.089]/Gamma[2.2 2.2 2.2]\
     /Matrix[0.4124 0.2126 0.0193 0.3576 0.7152 0.1192 0.1805 0.0722 0.9505]>>]";

/// The colour space of backgrounds, borders and coloured images.
pub(super) const fn rgb(archival: bool) -> &'static str {
    if archival { CALIBRATED } else { "/DeviceRGB" }
}

/// The entries of an image for its colours. The space is independent of the device in documents
/// that claim to be PDF/A. Viewers tint `/CalGray`, so grey has an ICC profile.
pub(super) fn entries(
    pdf: &Pdf<'_>,
    update: &mut Update,
    colours: Colours,
    archival: bool,
) -> Result<String, Error> {
    Ok(match (colours, archival) {
        (Colours::Grey, false) => "/ColorSpace/DeviceGray".to_owned(),
        (Colours::Grey, true) => format!("/ColorSpace[/ICCBased {}]", profile(pdf, update)),
        (Colours::Rgb, archival) => format!("/ColorSpace{}", rgb(archival)),
        (Colours::Cmyk { inverted: false }, false) => "/ColorSpace/DeviceCMYK".to_owned(),
        (Colours::Cmyk { inverted: true }, false) => {
            "/ColorSpace/DeviceCMYK/Decode[1 0 1 0 1 0 1 0]".to_owned()
        }
        // There is no calibrated space for inks, and a profile would depend on the printer.
        (Colours::Cmyk { .. }, true) => {
            return Err(Error::Appearance { problem: AppearanceFault::CmykInPdfA });
        }
    })
}

fn profile(pdf: &Pdf<'_>, update: &mut Update) -> Reference {
    let reference = update.allocate();
    update.add_stream(pdf, reference, "/N 1", &grey());
    reference
}

/// An ICC profile for grey with the gamma of sRGB (ICC.1:2001-04, version 2 as
/// PDF/A-1 requires).
fn grey() -> Vec<u8> {
    /// The white point of the profile connection space, in 16.16 fixed point.
    const D50: [u32; 3] = [0xF6D6, 0x1_0000, 0xD32D];
    const GAMMA: [u8; 2] = [2, 51];

    let white = D50.map(u32::to_be_bytes).concat();
    let text = |kind: &[u8; 4], text: &[u8]| [kind, [0; 4].as_slice(), text].concat();
    // The Unicode and Macintosh forms of the name are empty.
    let name = [[0, 0, 0, 5].as_slice(), b"Grey\0", &[0; 4 + 4 + 2 + 1 + 67]].concat();
    let tags = [
        (b"cprt", text(b"text", b"None\0")),
        (b"desc", text(b"desc", &name)),
        (b"kTRC", text(b"curv", &[[0, 0, 0, 1].as_slice(), &GAMMA].concat())),
        (b"wtpt", text(b"XYZ ", &white)),
    ];
    let mut head = Vec::new();
    // The size, which is set at the end, and no preferred colour management module.
    head.extend_from_slice(&[0; 8]);
    head.extend_from_slice(&[2, 0x10, 0, 0]);
    head.extend_from_slice(b"mntrGRAYXYZ ");
    for field in [2026u16, 1, 1, 0, 0, 0] {
        head.extend_from_slice(&field.to_be_bytes());
    }
    head.extend_from_slice(b"acsp");
    head.extend_from_slice(&[0; 28]);
    head.extend_from_slice(&white);
    head.resize(128, 0);
    let number = |number: usize| u32::try_from(number).unwrap_or(0).to_be_bytes();
    head.extend_from_slice(&number(tags.len()));
    let mut data = Vec::new();
    let start = head.len() + 12 * tags.len();
    for (signature, tag) in &tags {
        head.extend_from_slice(*signature);
        head.extend_from_slice(&number(start + data.len()));
        head.extend_from_slice(&number(tag.len()));
        data.extend_from_slice(tag);
        data.resize(data.len().next_multiple_of(4), 0);
    }
    head.extend_from_slice(&data);
    let size = number(head.len());
    size.into_iter().chain(head.into_iter().skip(4)).collect()
}
