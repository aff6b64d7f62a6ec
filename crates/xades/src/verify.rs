//! Verifies the signatures of a document (XML Signature, clause 3.2; EN 319 132-1),
//! and reports the covered parts.
//!
//! A document is read twice: once to find its signatures, and once to digest
//! everything that they refer to. Only the parts of signatures that verifying needs
//! are kept. The `ds:SignedInfo` of the first reading is compared with the octets
//! over which the value verifies.

pub(crate) mod collect;
mod coverage;
mod date_time;
mod decode;
pub(crate) mod evaluate;
mod issuer_serial;
pub(crate) mod original;
mod properties;
mod signature;
mod signature_report;
mod transform;
mod tree;

use ades_core::Document;
use ades_core::trust::PathBuilder;

use crate::error::Error;
use crate::options::VerifyOptions;
use crate::report::{Part, Place, Report, SignatureReport};

use collect::CollectedDocument;
use evaluate::evaluate;
use signature::Signature;
use signature_report::{Context, signature_report};

/// Verifies every signature of an XML document, countersignatures included. The
/// report of a document without signatures has no signatures.
///
/// A signature must cover the elements that the caller
/// [expects](VerifyOptions::expect) to be signed, or, without such elements, the whole
/// document: the root element with all its content except signatures. A signature that
/// covers less has the problem [`NotCovered`](crate::report::Problem::NotCovered),
/// because anybody could add content beside the covered part.
///
/// # Errors
/// An error about the document as XML; [`Error::Core`] if a source fails or is a
/// stream; [`Error::Limit`]; [`Error::NoSuchElement`] or [`Error::DuplicateId`] for
/// an expected element. An invalid signature is not an error: the report has its
/// problems.
pub fn verify(document: &mut Document<'_>, options: VerifyOptions<'_>) -> Result<Report, Error> {
    let VerifyOptions { mut originals, trust, expected, reading } = options;
    let collected = CollectedDocument::read(document, &reading, &expected)?;
    let signatures: Vec<Option<Signature<'_>>> = collected
        .signatures
        .iter()
        .map(|found| if found.in_entity { None } else { Signature::read(&found.element) })
        .collect();
    let length = collected.length;
    let outcomes = evaluate(document, length, &signatures, &mut originals, &reading)?;
    let places = collected.signatures.iter().filter(|found| !found.in_entity);
    let context = Context {
        document: &collected,
        signatures: &signatures,
        outcomes: &outcomes,
        places: places.map(|found| found.element.place.clone()).collect(),
    };
    let mut paths = PathBuilder::new(trust);
    let mut reports: Vec<Option<SignatureReport>> = (0..signatures.len())
        .map(|index| Some(signature_report(&context, index, &mut paths)))
        .collect();
    // Signatures come after the signature that they are in, so in reverse order the
    // innermost ones are moved first.
    for (index, found) in collected.signatures.iter().enumerate().rev() {
        let Some(around) = found.countersigned() else { continue };
        let taken = reports.get_mut(index).and_then(Option::take);
        if let Some(Some(around)) = reports.get_mut(around) {
            around.countersignatures.splice(0..0, taken);
        }
    }
    let place = Place { from: collected.root_place.start, to: collected.root_place.end };
    Ok(Report {
        length,
        root: Part::new(&collected.root, place),
        signatures: reports.into_iter().flatten().collect(),
    })
}
