//! Downloads: one file, or all of a case in a zip archive.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::File;
use std::io;
use std::path::PathBuf;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use tokio_util::io::ReaderStream;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::cases::Item;
use crate::error::Problem;
use crate::server::{Demo, blocking};
use crate::visitor::Visit;

/// The document as it was uploaded.
pub(crate) async fn document(
    State(demo): State<Demo>,
    Extension(visitor): Visit,
    Path((case, no)): Path<(String, usize)>,
) -> Result<Response, Problem> {
    let item = demo.case(&visitor, &case)?.item(no)?;
    send(File::open(item.document())?, &item.about.name)
}

/// The container of a document.
pub(crate) async fn signed(
    State(demo): State<Demo>,
    Extension(visitor): Visit,
    Path((case, no)): Path<(String, usize)>,
) -> Result<Response, Problem> {
    let item = demo.case(&visitor, &case)?.item(no)?;
    send(File::open(item.signed())?, &item.about.signed_name())
}

/// All containers of a case, and the documents of those that do not contain them.
pub(crate) async fn all(
    State(demo): State<Demo>,
    Extension(visitor): Visit,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let case = demo.case(&visitor, &name)?;
    let archive = blocking(move || {
        let items = case.items()?;
        archive(items.iter().filter(|item| item.is_signed()))
    })
    .await?;
    send(archive, "signed.zip")
}

/// An archive in an unnamed file, because it may be larger than the memory for one visitor.
fn archive<'i>(items: impl Iterator<Item = &'i Item>) -> io::Result<File> {
    let mut archive = ZipWriter::new(tempfile::tempfile()?);
    // Signed documents are compressed already, or small.
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut taken = BTreeSet::new();
    for item in items {
        let mut add = |name: String, path: PathBuf| {
            archive.start_file(free_name(&mut taken, name), options)?;
            io::copy(&mut File::open(path)?, &mut archive).map(|_| ())
        };
        add(item.about.signed_name(), item.signed())?;
        if item.about.is_detached() {
            add(item.about.name.clone(), item.document())?;
        }
    }
    if taken.is_empty() {
        return Err(io::ErrorKind::NotFound.into());
    }
    let mut file = archive.finish()?;
    io::Seek::rewind(&mut file)?;
    Ok(file)
}

/// A name that no other file of the archive has: `contract (2).pdf`.
fn free_name(taken: &mut BTreeSet<String>, name: String) -> String {
    let (stem, extension) = name.split_at(name.rfind('.').unwrap_or(name.len()));
    let numbered = (2..).map(|no| format!("{stem} ({no}){extension}"));
    let mut names = std::iter::once(name.clone()).chain(numbered);
    let free = names.find(|name| !taken.contains(name)).unwrap_or_default();
    taken.insert(free.clone());
    free
}

/// Sends a file as a download. Browsers do not show it, so it cannot act as a page of ours.
fn send(file: File, name: &str) -> Result<Response, Problem> {
    let length = file.metadata()?.len().to_string();
    let body = Body::from_stream(ReaderStream::new(tokio::fs::File::from_std(file)));
    let headers = [
        (CONTENT_TYPE, "application/octet-stream".to_owned()),
        (CONTENT_LENGTH, length),
        (CONTENT_DISPOSITION, format!("attachment; filename*=UTF-8''{}", percent(name))),
    ];
    Ok((headers, body).into_response())
}

/// A name as RFC 8187 wants it.
fn percent(name: &str) -> String {
    name.bytes().fold(String::new(), |mut text, octet| {
        match octet {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'.' | b'_' => {
                text.push(char::from(octet));
            }
            octet => {
                let _ = write!(text, "%{octet:02X}");
            }
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_an_archive_differ() {
        let mut taken = BTreeSet::new();
        let mut name = |name: &str| free_name(&mut taken, name.to_owned());
        assert_eq!([name("a.pdf"), name("a.pdf")], ["a.pdf", "a (2).pdf"]);
        assert_eq!([name("a"), name("a"), name("a")], ["a", "a (2)", "a (3)"]);
    }

    #[test]
    fn names_of_downloads_cannot_end_the_header() {
        assert_eq!(percent("é \"\r\n.pdf"), "%C3%A9%20%22%0D%0A.pdf");
    }
}
