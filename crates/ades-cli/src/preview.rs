//! A page with its visible signature, drawn before anybody signs.

use std::io::Write as _;
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
    let folder = tempfile::tempdir().map_err(|e| Failure::file(&std::env::temp_dir(), &e))?;
    let (pdf, picture) = (folder.path().join("preview.pdf"), folder.path().join("page"));
    let mut file = std::fs::File::create(&pdf).map_err(|e| Failure::file(&pdf, &e))?;
    pending.preview(document, &mut file)?;
    drop(file);
    let pdf = match wishes.pdf.password()? {
        Some(password) => {
            let plain = folder.path().join("plain.pdf");
            decrypt(&pdf, &plain, &password)?;
            plain
        }
        None => pdf,
    };
    let page = page.to_string();
    let run = Command::new("pdftoppm")
        .args(["-png", "-singlefile", "-cropbox", "-r", RESOLUTION, "-f", &page, "-l", &page])
        .args([&pdf, &picture])
        .output();
    let run = run.map_err(|e| fail(&format!("pdftoppm (of poppler) does not start: {e}")))?;
    let picture = picture.with_extension("png");
    if !run.status.success() || !picture.exists() {
        return Err(said("pdftoppm", &run));
    }
    let octets = std::fs::read(&picture).map_err(|e| Failure::file(&picture, &e))?;
    output::write_file(to, &octets, Readers::Usual, existing).map_err(|e| e.about(input::name(to)))
}

/// pdftoppm takes passwords in its arguments only, where others can read them:
/// qpdf does not.
fn decrypt(from: &Path, to: &Path, password: &str) -> Result<(), Failure> {
    let missing = |e| fail(&format!("qpdf does not start, which opens the document: {e}"));
    let mut qpdf = Command::new("qpdf")
        .args(["--password-file=-", "--decrypt"])
        .args([from, to])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(missing)?;
    if let Some(mut stdin) = qpdf.stdin.take() {
        // If it has ended already, what it says is what matters.
        let _ = stdin.write_all(password.as_bytes());
    }
    let run = qpdf.wait_with_output().map_err(missing)?;
    // It warns of what it repairs.
    if to.exists() { Ok(()) } else { Err(said("qpdf", &run)) }
}

fn fail(message: &str) -> Failure {
    Failure::usage(format!("--preview: {message}"))
}

fn said(program: &str, run: &Output) -> Failure {
    Failure::input(format!("{program}: {}", String::from_utf8_lossy(&run.stderr).trim()))
}
