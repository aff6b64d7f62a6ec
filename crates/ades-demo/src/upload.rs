//! Uploads: streamed to disk, with limits.

use std::io;

use ades::Document;
use axum::Extension;
use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Redirect;
use tokio::io::AsyncWriteExt;

use crate::cases::Case;
use crate::error::Problem;
use crate::options::{About, Kind};
use crate::server::{Demo, blocking};
use crate::visitor::{Visit, Visitor};

/// Maximum length of a document, in octets.
pub(crate) const MAX_DOCUMENT: u64 = 32 * 1024 * 1024;
/// Maximum length of all documents of one upload, in octets.
pub(crate) const MAX_UPLOAD: usize = 256 * 1024 * 1024;
/// Maximum length of a document's name, in characters.
const MAX_NAME: usize = 120;

/// Makes a case of the documents in a form.
pub(crate) async fn create(
    State(demo): State<Demo>,
    Extension(visitor): Visit,
    mut form: Multipart,
) -> Result<Redirect, Problem> {
    check_token(&visitor, &mut form).await?;
    let root = demo.config().documents();
    let case = blocking(move || Case::create(&root, &visitor)).await?;
    match receive(&case, &mut form).await {
        Ok(0) | Err(Problem::NoDocument) => {
            case.remove()?;
            Err(Problem::NoDocument)
        }
        Ok(_) => Ok(Redirect::to(&format!("/cases/{}", case.name))),
        Err(problem) => {
            case.remove()?;
            Err(problem)
        }
    }
}

/// Adds the documents in a form to a case.
pub(crate) async fn add(
    State(demo): State<Demo>,
    Extension(visitor): Visit,
    Path(name): Path<String>,
    mut form: Multipart,
) -> Result<Redirect, Problem> {
    check_token(&visitor, &mut form).await?;
    let case = demo.case(&visitor, &name)?;
    case.check_open()?;
    receive(&case, &mut form).await?;
    Ok(Redirect::to(&format!("/cases/{name}")))
}

/// The token is the first field, so that nothing of a foreign form is stored.
async fn check_token(visitor: &Visitor, form: &mut Multipart) -> Result<(), Problem> {
    let first = form.next_field().await.map_err(broken)?.ok_or(Problem::Form)?;
    if first.name() != Some("token") {
        return Err(Problem::Form);
    }
    visitor.check(&first.text().await.map_err(broken)?)
}

/// Returns the number of documents.
async fn receive(case: &Case, form: &mut Multipart) -> Result<usize, Problem> {
    let mut received = 0;
    while let Some(field) = form.next_field().await.map_err(broken)? {
        // A browser sends a field without a name if no file was chosen.
        let name = clean(field.file_name().unwrap_or_default());
        if field.name() != Some("document") || name.is_empty() {
            continue;
        }
        receive_one(case, field, name).await?;
        received += 1;
    }
    Ok(received)
}

async fn receive_one(case: &Case, mut field: Field<'_>, name: String) -> Result<(), Problem> {
    let (place, case) = (case.place()?, case.clone());
    let path = place.path().join("document");
    let mut file = tokio::fs::File::create(&path).await?;
    let mut length = 0;
    while let Some(chunk) = field.chunk().await.map_err(broken)? {
        length += chunk.len() as u64;
        if length > MAX_DOCUMENT {
            return Err(Problem::TooLarge);
        }
        file.write_all(&chunk).await?;
    }
    file.flush().await?;
    blocking(move || {
        let mut document = Document::seekable(std::fs::File::open(&path)?);
        let kind = Kind::of(&mut document).map_err(io::Error::other)?;
        let choice = kind.choices().first().copied().ok_or(Problem::Internal)?;
        let mut about = About { name, length, kind, choice, stamp: None, problem: None };
        about.examine(&mut document);
        case.add(place, &about)
    })
    .await
}

fn broken(error: MultipartError) -> Problem {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::TooLarge,
        _ => Problem::Form,
    }
}

/// A file name as it may be shown and sent again: no folders, no control characters.
fn clean(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = name.chars().filter(|c| !c.is_control()).collect();
    let name = name.trim().trim_start_matches('.');
    let length = name.chars().count();
    // The end has the extension.
    name.chars().skip(length.saturating_sub(MAX_NAME)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_cleaned() {
        for (name, cleaned) in [
            ("contract.pdf", "contract.pdf"),
            ("C:\\Users\\me\\contract.pdf", "contract.pdf"),
            ("../../etc/passwd", "passwd"),
            ("..", ""),
            ("a\r\nb\0.txt", "ab.txt"),
            ("été €.xml", "été €.xml"),
        ] {
            assert_eq!(clean(name), cleaned, "{name:?}");
        }
        assert!(clean(&format!("{}.pdf", "x".repeat(500))).ends_with("x.pdf"));
        assert_eq!(clean(&"x".repeat(500)).len(), MAX_NAME);
    }
}
