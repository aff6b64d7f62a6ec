//! Whether a document claims to be PDF/A (ISO 19005-1, 6.7.11).

use super::place::Place;
use crate::error::Error;
use crate::file::Pdf;
use crate::syntax::Value;

const MARK: &[u8] = b"pdfaid";
const PART: &[u8] = b"pdfaid:part";

/// Whether the metadata claim PDF/A, or cannot be read and may claim it.
pub(crate) fn is_claimed(pdf: &mut Pdf<'_>, catalog: &Value) -> Result<bool, Error> {
    Ok(match metadata(pdf, catalog)? {
        Metadata::None => false,
        Metadata::Unreadable => true,
        Metadata::Read(data) => contains(&data, MARK),
    })
}

/// Whether the metadata may claim PDF/A-1, which other than later parts requires an
/// appearance of a widget without area, too (6.5.3).
pub(crate) fn may_be_part_1(pdf: &mut Pdf<'_>, catalog: &Value) -> Result<bool, Error> {
    Ok(match metadata(pdf, catalog)? {
        Metadata::None => false,
        Metadata::Unreadable => true,
        Metadata::Read(data) => contains(&data, MARK) && !names_later_part(&data),
    })
}

enum Metadata {
    None,
    Unreadable,
    Read(Vec<u8>),
}

fn metadata(pdf: &mut Pdf<'_>, catalog: &Value) -> Result<Metadata, Error> {
    // PDF/A forbids encryption.
    if pdf.security.is_some() {
        return Ok(Metadata::None);
    }
    match Place::of(pdf, catalog, b"Metadata")? {
        Place::Indirect(metadata) if metadata.is_stream() => {
            Ok(pdf.data(&metadata)?.map_or(Metadata::Unreadable, Metadata::Read))
        }
        _ => Ok(Metadata::None),
    }
}

/// Whether the part is written as an element or an attribute, and is not 1.
fn names_later_part(data: &[u8]) -> bool {
    let at = data.windows(PART.len()).position(|window| window == PART);
    let value = at.and_then(|at| data.get(at + PART.len()..)).unwrap_or_default();
    let mut value = value.iter().skip_while(|octet| b"=>\"' \t\r\n".contains(octet));
    value.next().is_some_and(|digit| (b'2'..=b'9').contains(digit))
}

fn contains(data: &[u8], mark: &[u8]) -> bool {
    data.windows(mark.len()).any(|window| window == mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_is_an_element_or_an_attribute() {
        for (text, later) in [
            ("<pdfaid:part>2</pdfaid:part>", true),
            ("<x pdfaid:part='3'/>", true),
            ("<x pdfaid:part = \"4\"/>", true),
            ("<pdfaid:part>1</pdfaid:part>", false),
            ("<pdfaid:part>", false),
            ("pdfaid", false),
        ] {
            assert_eq!(names_later_part(text.as_bytes()), later, "{text}");
        }
    }
}
