//! A page with its visible signature, drawn before anybody signs.

use std::io::Seek;
use std::path::Path;
use std::process::Command;

use ades_core::Document;

use crate::exit::Failure;
use crate::format::Pending;
use crate::input;
use crate::options::Wishes;
use crate::output::{self, Existing, Readers};
use crate::stamp::Spot;

/// Dots per inch.
const RESOLUTION: &str = "96";

/// Draws it by pdftoppm, which is not ours.
pub(crate) fn draw(
    pending: &Pending,
    wishes: &Wishes,
    document: &mut Document<'_>,
    to: &Path,
    existing: Existing,
) -> Result<(), Failure> {
    let fail = |message: &str| Failure::usage(format!("--preview: {message}"));
    let Pending::Pades(pending) = pending else {
        return Err(fail("only a PDF has pages"));
    };
    let Some(Spot::Page(page, _)) = wishes.pdf.stamp.as_ref().map(|stamp| stamp.spot) else {
        return Err(fail("needs a page: --visible PAGE:X,Y,WIDTH,HEIGHT"));
    };
    if wishes.pdf.password()?.is_some() {
        return Err(fail("not of documents that need a password"));
    }
    // Without a name: nobody finds the document in a temporary folder later.
    let mut pdf = tempfile::tempfile().map_err(|e| Failure::file(&std::env::temp_dir(), &e))?;
    pending.preview(document, &mut pdf)?;
    pdf.rewind().map_err(|e| Failure::file(&std::env::temp_dir(), &e))?;
    let page = page.to_string();
    let run = Command::new("pdftoppm")
        .args(["-png", "-singlefile", "-cropbox", "-r", RESOLUTION, "-f", &page, "-l", &page, "-"])
        .stdin(pdf)
        .output();
    let run = run.map_err(|e| fail(&format!("pdftoppm (of poppler) does not start: {e}")))?;
    if !run.status.success() || run.stdout.is_empty() {
        let said = String::from_utf8_lossy(&run.stderr);
        return Err(Failure::input(format!("pdftoppm: {}", said.trim())));
    }
    output::write_file(to, &run.stdout, Readers::Usual, existing)
        .map_err(|e| e.about(input::name(to)))
}
