//! A page with its visible signature, drawn before anybody signs.

use std::fs::File;
use std::io::{Seek, Write as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use ades_core::Document;

use crate::exit::Failure;
use crate::format::{Pending, check_pdf};
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
    let Pending::Pades(pending) = pending else {
        return Err(fail("only a PDF has pages"));
    };
    let page = match wishes.pdf.stamp.as_ref().map(|stamp| stamp.spot) {
        Some(Spot::Page(page, _)) => page,
        _ => {
            let checked = check_pdf(&wishes.pdf, document, &wishes.draft())?;
            checked.page().ok_or(fail("the field is on no page"))?
        }
    };
    // Without a name: nobody finds the document in a temporary folder later.
    let missing = |e| Failure::file(&std::env::temp_dir(), &e);
    let mut pdf = match wishes.pdf.password()? {
        None => {
            let mut pdf = tempfile::tempfile().map_err(missing)?;
            pending.preview(document, &mut pdf)?;
            pdf
        }
        Some(password) => {
            let mut encrypted = tempfile::NamedTempFile::new().map_err(missing)?;
            pending.preview(document, &mut encrypted)?;
            decrypt(encrypted.path(), &password)?
        }
    };
    pdf.rewind().map_err(missing)?;
    let page = page.to_string();
    let run = Command::new("pdftoppm")
        .args(["-png", "-singlefile", "-cropbox", "-r", RESOLUTION, "-f", &page, "-l", &page, "-"])
        .stdin(pdf)
        .output();
    let run = run.map_err(|e| fail(&format!("pdftoppm (of poppler) does not start: {e}")))?;
    if !run.status.success() || run.stdout.is_empty() {
        return Err(said("pdftoppm", &run));
    }
    output::write_file(to, &run.stdout, Readers::Usual, existing)
        .map_err(|e| e.about(input::name(to)))
}

/// pdftoppm takes passwords in its arguments only, where others can read them:
/// qpdf does not.
fn decrypt(from: &Path, password: &str) -> Result<File, Failure> {
    let missing = |e| fail(&format!("qpdf does not start, which opens the document: {e}"));
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
        // If it has ended already, what it says is what matters.
        let _ = stdin.write_all(password.as_bytes());
    }
    let run = qpdf.wait_with_output().map_err(missing)?;
    let length = plain.metadata().map_err(missing)?.len();
    // It warns of what it repairs.
    if length > 0 { Ok(plain) } else { Err(said("qpdf", &run)) }
}

fn fail(message: &str) -> Failure {
    Failure::usage(format!("--preview: {message}"))
}

fn said(program: &str, run: &Output) -> Failure {
    Failure::input(format!("{program}: {}", String::from_utf8_lossy(&run.stderr).trim()))
}
