//! Small documents and incremental updates from given objects, and functions that
//! find text in them.

/// A page tree of one page, which is object 3.
pub const ONE_PAGE: &str = "<</Type/Pages/Count 1/Kids[3 0 R]>>";

/// A document of these objects, numbered from 1. The first is the catalog.
/// `trailer` has further entries of the trailer.
#[must_use]
pub fn of_objects(objects: &[&str], trailer: &str) -> Vec<u8> {
    of_version("1.7", objects, trailer)
}

/// As [`of_objects`], with another version in the header.
#[must_use]
pub fn of_version(version: &str, objects: &[&str], trailer: &str) -> Vec<u8> {
    // The second line marks the file as binary, which PDF/A requires.
    let mut out = format!("%PDF-{version}\n%éééé\n").into_bytes();
    let mut offsets = Vec::new();
    for (at, object) in objects.iter().enumerate() {
        offsets.push(out.len());
        out.extend_from_slice(format!("{} 0 obj\n{object}\nendobj\n", at + 1).as_bytes());
    }
    let section = out.len();
    let size = objects.len() + 1;
    out.extend_from_slice(format!("xref\n0 {size}\n0000000000 65535 f \n").as_bytes());
    for offset in &offsets {
        out.extend_from_slice(format!("{offset:010} 00000 n \n").as_bytes());
    }
    let trailer =
        format!("trailer\n<</Size {size}/Root 1 0 R{trailer}>>\nstartxref\n{section}\n%%EOF\n");
    out.extend_from_slice(trailer.as_bytes());
    out
}

/// Adds an incremental update with these objects.
#[must_use]
pub fn updated(document: &[u8], objects: &[(u32, &str)]) -> Vec<u8> {
    updated_with(document, objects, "")
}

/// As [`updated`]. `trailer` has further entries of the trailer.
#[must_use]
pub fn updated_with(document: &[u8], objects: &[(u32, &str)], trailer: &str) -> Vec<u8> {
    let mut out = document.to_vec();
    let mut entries = Vec::new();
    for (number, object) in objects {
        entries.push((*number, out.len()));
        out.extend_from_slice(format!("{number} 0 obj\n{object}\nendobj\n").as_bytes());
    }
    section(&out, &entries, last_between(document, "startxref\n", "\n"), trailer)
}

/// Adds a cross-reference section with these offsets of objects. `previous` is the
/// offset of the previous section.
#[must_use]
pub fn redirected(document: &[u8], entries: &[(u32, usize)], previous: &str) -> Vec<u8> {
    section(document, entries, previous, "")
}

fn section(document: &[u8], entries: &[(u32, usize)], previous: &str, trailer: &str) -> Vec<u8> {
    let start = document.len();
    let mut section = "xref\n".to_owned();
    for (number, offset) in entries {
        section.push_str(&format!("{number} 1\n{offset:010} 00000 n \n"));
    }
    let root = last_between(document, "/Root ", " R");
    section.push_str(&format!(
        "trailer\n<</Size 999/Root {root} R/Prev {previous}{trailer}>>\n\
         startxref\n{start}\n%%EOF\n"
    ));
    [document, section.as_bytes()].concat()
}

/// The text between the last occurrence of `from` and the next `to`.
///
/// # Panics
/// If one of them does not occur.
#[must_use]
pub fn last_between<'a>(document: &'a [u8], from: &str, to: &str) -> &'a str {
    let at = document.windows(from.len()).rposition(|w| w == from.as_bytes()).unwrap();
    let rest = &document[at + from.len()..];
    let end = rest.windows(to.len()).position(|w| w == to.as_bytes()).unwrap();
    std::str::from_utf8(&rest[..end]).unwrap()
}

/// The number of the last object that begins with `begin`.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn number_of(document: &[u8], begin: &str) -> u32 {
    let mark = format!(" 0 obj\n{begin}");
    let at = document.windows(mark.len()).rposition(|w| w == mark.as_bytes()).unwrap();
    let start = document[..at].iter().rposition(|octet| !octet.is_ascii_digit()).unwrap() + 1;
    std::str::from_utf8(&document[start..at]).unwrap().parse().unwrap()
}

/// A stream object with this data and these entries of its dictionary.
#[must_use]
pub fn stream(entries: &str, data: &str) -> String {
    format!("<<{entries}/Length {}>>\nstream\n{data}\nendstream", data.len())
}

/// The text of the last object with this number.
#[must_use]
pub fn object(document: &[u8], number: u32) -> String {
    last_between(document, &format!("\n{number} 0 obj\n"), "\nendobj").to_owned()
}
