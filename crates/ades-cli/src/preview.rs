//! A page with its visible signature, drawn before anybody signs.

use std::fs::File;
use std::io::{Seek, Write as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use ades::{PendingSignature, SigningOptions};

use crate::documents::Documents;
use crate::exit::Failure;
use crate::output::{self, Existing, Readers};
use crate::path_name;

/// Dots per inch
const RESOLUTION: &str = "96";

/// Draws the page with poppler's pdftoppm.
pub(crate) fn draw(
    pending: &PendingSignature,
    options: &SigningOptions,
    documents: &mut Documents<'_>,
    to: &Path,
    existing: Existing,
) -> Result<(), Failure> {
    // The file is unnamed, so that the document does not stay in a temporary folder.
    let missing = |e| Failure::file(&std::env::temp_dir(), &e);
    let mut pdf = match documents.password() {
        None => {
            let mut pdf = tempfile::tempfile().map_err(missing)?;
            pending.preview(documents.document(), &mut pdf)?;
            pdf
        }
        Some(password) => {
            let mut encrypted = tempfile::NamedTempFile::new().map_err(missing)?;
            pending.preview(documents.document(), &mut encrypted)?;
            decrypt(encrypted.path(), password)?
        }
    };
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
    output::write_file(to, &run.stdout, Readers::Usual, existing)
        .map_err(|e| e.about(path_name::of_output(to)))
}

/// Decrypts with qpdf. pdftoppm takes passwords only as arguments, which other users can read.
fn decrypt(from: &Path, password: &str) -> Result<File, Failure> {
    let missing = |e| fail(&format!("qpdf, which decrypts the document, does not start: {e}"));
    let plain = tempfile::tempfile().map_err(|e| Failure::file(&std::env::temp_dir(), &e))?;
    let out = plain.try_clone().map_err(|e| Failure::file(&std::env::temp_dir(), &e))?;
    let mut qpdf = Command::new("qpdf")
        .args(["--password-file=-", "--decrypt"])
        .arg(from)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(out)
        .stderr(Stdio::piped())
        .spawn()
        .map_err(missing)?;
    if let Some(mut stdin) = qpdf.stdin.take() {
        // If qpdf has ended already, its message has the reason.
        let _ = stdin.write_all(password.as_bytes());
    }
    let run = qpdf.wait_with_output().map_err(missing)?;
    let length = plain.metadata().map_err(missing)?.len();
    // qpdf exits with a warning status if it repairs the document.
    if length > 0 { Ok(plain) } else { Err(said("qpdf", &run)) }
}

fn fail(message: &str) -> Failure {
    Failure::usage(format!("--preview: {message}"))
}

fn said(program: &str, run: &Output) -> Failure {
    Failure::input(format!("{program}: {}", String::from_utf8_lossy(&run.stderr).trim()))
}
