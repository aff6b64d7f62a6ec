//! Verifying the signatures of a document (XML Signature, clause 3.2; EN 319
//! 132-1), and saying what they are about.
//!
//! A document is read twice: once to find its signatures, of which so much is
//! held as is needed, and once to digest all that they refer to. What is read
//! of `ds:SignedInfo` is compared with what was verified.

mod coverage;
mod date_time;
pub(crate) mod decode;
mod evaluate;
mod issuer_serial;
mod judge;
mod properties;
mod signature;
pub(crate) mod survey;
pub(crate) mod tree;

use std::fmt;

use ades_core::trust::PathBuilder;
use ades_core::{Certificate, Document};

use crate::c14n::{IdAttributes, Target};
use crate::error::Error;
use crate::options::Reading;
use crate::report::{Part, Place, Report, SignatureReport};

use evaluate::evaluate;
use judge::{Context, judge};
use signature::Signature;
use survey::Survey;

/// What signatures are verified with.
#[derive(Debug, Default)]
pub struct Given<'a, 'd> {
    /// What references to other documents are about. Nothing is ever fetched.
    pub originals: &'a mut [Original<'d>],
    /// Trust anchors. Without any, trust is not judged.
    pub trust: &'a [Certificate],
    /// What the caller expects to be signed, if it is not the root element: the
    /// element, or each element of that name. All of it must be there.
    pub expected: Vec<Target>,
    /// Which attributes are Ids, if not `Id`, `ID`, `id` and `xml:id`.
    pub ids: Option<IdAttributes>,
    /// Reads documents that name an external DTD subset as if they did not; see
    /// [`Reader::ignoring_external_subset`](crate::xml::Reader::ignoring_external_subset).
    pub ignore_external_subset: bool,
}

/// A document beside the one with the signatures.
pub struct Original<'d> {
    /// What references call it: their URI as it stands or percent-decoded, or
    /// the end of that behind a slash. `None`: whatever they call it, if all of
    /// them name the same.
    pub uri: Option<String>,
    /// Its octets; as many references as name it read them.
    pub document: Document<'d>,
}

impl Original<'_> {
    fn is_named(&self, reference: Option<&str>) -> bool {
        let (Some(own), Some(reference)) = (self.uri.as_deref(), reference) else {
            return false;
        };
        let ends = |uri: &str| {
            let rest = uri.strip_suffix(own);
            rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
        };
        !own.is_empty() && (ends(reference) || percent_decoded(reference).is_some_and(|u| ends(&u)))
    }
}

impl fmt::Debug for Original<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Original").field("document", &self.document).finish_non_exhaustive()
    }
}

/// RFC 3986, 2.1; `None` if what comes out is no UTF-8.
fn percent_decoded(uri: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(uri.len());
    let mut rest = uri.as_bytes();
    while let Some((&octet, after)) = rest.split_first() {
        let digit = |at: usize| after.get(at).and_then(|d| char::from(*d).to_digit(16));
        match (octet, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                octets.push(u8::try_from(high << 4 | low).ok()?);
                rest = after.get(2..)?;
            }
            _ => {
                octets.push(octet);
                rest = after;
            }
        }
    }
    String::from_utf8(octets).ok()
}

/// Verifies every signature of an XML document, countersignatures included.
/// Without trust anchors, trust is not judged. A document without signatures
/// has a report without signatures.
///
/// A signature covers the whole document if it covers the root element with all
/// that is in it but signatures. If it covers less, and not what the caller
/// expects either, that is a [`Problem`](crate::report::Problem): anything could
/// stand beside what is signed.
///
/// # Errors
/// What is wrong with the document as XML; [`Error::Core`] if a source fails or
/// is a stream; [`Error::Limit`]; [`Error::NoSuchElement`] or
/// [`Error::DuplicateId`] for what the caller expects. A signature that is wrong
/// is no error: the report says what is.
pub fn verify(document: &mut Document<'_>, given: Given<'_, '_>) -> Result<Report, Error> {
    let Given { ignore_external_subset, .. } = given;
    let reading = Reading { ids: given.ids.unwrap_or_default(), ignore_external_subset };
    let survey = Survey::read(document, &reading, &given.expected)?;
    let signatures: Vec<Option<Signature<'_>>> = survey
        .signatures
        .iter()
        .map(|found| if found.in_entity { None } else { Signature::read(&found.element) })
        .collect();
    let outcomes = evaluate(document, survey.length, &signatures, given.originals, &reading)?;
    let places = survey.signatures.iter().filter(|found| !found.in_entity);
    let context = Context {
        survey: &survey,
        signatures: &signatures,
        outcomes: &outcomes,
        places: places.map(|found| found.element.place.clone()).collect(),
    };
    let mut trust = PathBuilder::new(given.trust);
    let mut reports: Vec<Option<SignatureReport>> =
        (0..signatures.len()).map(|index| Some(judge(&context, index, &mut trust))).collect();
    // Innermost first: those in a signature come behind it.
    for (index, found) in survey.signatures.iter().enumerate().rev() {
        let Some(around) = found.countersigned() else { continue };
        let taken = reports.get_mut(index).and_then(Option::take);
        if let Some(Some(around)) = reports.get_mut(around) {
            around.countersignatures.splice(0..0, taken);
        }
    }
    let place = Place { from: survey.root_place.start, to: survey.root_place.end };
    Ok(Report {
        length: survey.length,
        root: Part::new(&survey.root, place),
        signatures: reports.into_iter().flatten().collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn originals_go_by_the_end_of_a_uri() {
        let named = |own: &str, reference: Option<&str>| {
            let document = Document::from_bytes(b"");
            Original { uri: Some(own.into()), document }.is_named(reference)
        };
        assert!(named("a b.txt", Some("a%20b.txt")));
        assert!(named("a%20b.txt", Some("a%20b.txt")));
        assert!(named("b.txt", Some("../x/b.txt")));
        assert!(named("é", Some("%C3%A9")));
        for (own, other) in [("b.txt", "ab.txt"), ("", "x"), ("b", "b/"), ("%41", "A"), ("a", "%")]
        {
            assert!(!named(own, Some(other)), "{own} {other}");
        }
        assert!(!named("x", None));
    }
}
