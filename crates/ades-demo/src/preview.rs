//! Pictures of a PDF's pages, drawn by poppler's programs if the machine has them.
//!
//! They read documents of strangers. In production, run them in a container of their own without a
//! network; here they have limits of time, size and number.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use tokio::process::Command;

use crate::cases::{Item, write_whole};
use crate::error::Problem;
use crate::server::{Demo, blocking};
use crate::visitor::Visit;

/// Maximum number of programs that run at the same time.
pub(crate) const AT_ONCE: usize = 2;
/// Maximum number of pages that are shown.
pub(crate) const MAX_PAGES: usize = 50;
/// Maximum time for one page.
const MAX_TIME: Duration = Duration::from_secs(20);
/// The longer side of a picture, in pixels.
const PIXELS: &str = "1400";

/// The sizes of the pages of a PDF in points, as they are shown. Empty if poppler's `pdfinfo` is
/// missing or cannot read the document.
pub(crate) async fn page_sizes(demo: &Demo, item: &Item) -> Vec<(f64, f64)> {
    let last = MAX_PAGES.to_string();
    let mut command = Command::new("pdfinfo");
    command.args(["-f", "1", "-l", &last]).arg(item.document());
    let output = run(demo, command).await.unwrap_or_default();
    sizes(&String::from_utf8_lossy(&output))
}

/// Reads `Page    1 size:  595 x 842 pts (A4)` and `Page    1 rot:   90`.
fn sizes(text: &str) -> Vec<(f64, f64)> {
    let mut sizes = Vec::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("Page ")) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [_, "size:", width, "x", height, ..] => {
                let size = width.parse().ok().zip(height.parse().ok());
                sizes.extend(size.filter(|(w, h)| *w > 0.0 && *h > 0.0));
            }
            [_, "rot:", "90" | "270"] => {
                if let Some((width, height)) = sizes.last_mut() {
                    std::mem::swap(width, height);
                }
            }
            _ => {}
        }
    }
    sizes.truncate(MAX_PAGES);
    sizes
}

/// The picture of a page.
pub(crate) async fn page(
    State(demo): State<Demo>,
    Extension(visitor): Visit,
    Path((case, no, page)): Path<(String, usize, usize)>,
) -> Result<Response, Problem> {
    let item = demo.case(&visitor, &case)?.item(no)?;
    if !(1..=MAX_PAGES).contains(&page) {
        return Err(Problem::NotFound);
    }
    let name = format!("page-{page}.png");
    let picture: PathBuf = item.folder().join(&name);
    if !picture.is_file() {
        let number = page.to_string();
        let mut command = Command::new("pdftoppm");
        command.args(["-png", "-singlefile", "-cropbox", "-scale-to", PIXELS]);
        command.args(["-f", &number, "-l", &number]).arg(item.document());
        let drawn = run(&demo, command).await.filter(|octets| !octets.is_empty());
        let drawn = drawn.ok_or(Problem::NotFound)?;
        blocking(move || write_whole(item.folder(), &name, &drawn)).await?;
    }
    let octets = tokio::fs::read(&picture).await?;
    let headers = [(CONTENT_TYPE, "image/png"), (CACHE_CONTROL, "private, max-age=3600")];
    Ok((headers, octets).into_response())
}

/// The output of a program, or `None` if it is missing, fails, or takes too long.
async fn run(demo: &Demo, mut command: Command) -> Option<Vec<u8>> {
    let _place = demo.drawing().acquire().await.ok()?;
    command.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(MAX_TIME, command.output()).await.ok()?.ok()?;
    output.status.success().then_some(output.stdout)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_rotated_pages_are_those_that_are_shown() {
        let text = "Pages:           2\nPage    1 size:  595 x 842 pts (A4)\nPage    1 rot:   0\n\
                    Page    2 size:  612.5 x 792 pts (letter)\nPage    2 rot:   270\n";
        assert_eq!(sizes(text), [(595.0, 842.0), (792.0, 612.5)]);
        assert!(sizes("Page 1 size: 0 x nan pts").is_empty());
        assert!(sizes("").is_empty());
    }
}
