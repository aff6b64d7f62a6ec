//! A page with its visible signature, drawn before anybody signs.

use std::io::{BufWriter, Seek, Write as _};
use std::path::Path;
use std::process::{self, Command};

use ades::formats::pades;
use ades::{Document, PendingSignature, SigningOptions};

use crate::documents::Documents;
use crate::exit::Failure;
use crate::output::{Output, Readers};

/// Dots per inch
const RESOLUTION: &str = "96";

/// Draws the page with poppler's pdftoppm. The caller publishes the picture.
pub(crate) fn draw(
    pending: &PendingSignature,
    options: &SigningOptions,
    documents: &mut Documents<'_>,
    to: &Path,
) -> Result<Output, Failure> {
    // The files are unnamed, so that the document does not stay in a temporary folder.
    let missing = |e| Failure::output(&std::env::temp_dir(), &e);
    let mut pdf = tempfile::tempfile().map_err(missing)?;
    pending.preview(documents.document(), &mut pdf)?;
    if let Some(options) = documents.opened_with() {
        // pdftoppm takes passwords only as arguments, which other users can read, and no keys.
        pdf.rewind().map_err(missing)?;
        let mut plain = BufWriter::new(tempfile::tempfile().map_err(missing)?);
        pades::write_decrypted(&mut Document::seekable(pdf), &options, &mut plain)
            .map_err(ades::Error::from)?;
        pdf = plain.into_inner().map_err(|e| missing(e.into_error()))?;
    }
    pdf.rewind().map_err(missing)?;
    let page = ades::check(documents.inputs(), options)?.page();
    let page = page.ok_or_else(|| fail("the field is on no page"))?.to_string();
    let run = Command::new("pdftoppm")
        .args(["-png", "-singlefile", "-cropbox", "-r", RESOLUTION, "-f", &page, "-l", &page, "-"])
        .stdin(pdf)
        .output();
    let run = run.map_err(|e| fail(&format!("pdftoppm (of poppler) does not start: {e}")))?;
    if !run.status.success() || run.stdout.is_empty() {
        return Err(said("pdftoppm", &run));
    }
    let mut picture = Output::create(to, Readers::Usual)?;
    picture.writer().write_all(&run.stdout).map_err(|e| Failure::output(to, &e))?;
    Ok(picture)
}

fn fail(message: &str) -> Failure {
    Failure::usage(format!("--preview: {message}"))
}

fn said(program: &str, run: &process::Output) -> Failure {
    Failure::input(format!("{program}: {}", String::from_utf8_lossy(&run.stderr).trim()))
}
