//! Verifies the signatures of a document (XML Signature, clause 3.2; EN 319 132-1),
//! and reports the covered parts.
//!
//! A document is read twice: once to find its signatures, and once to digest
//! everything that they refer to. One reading is enough if the signature is
//! [known before](crate::VerifyOptions::for_completed). Only the parts of signatures that verifying needs
//! are kept. The `ds:SignedInfo` of the first reading is compared with the octets
//! over which the value verifies.

pub(crate) mod collect;
mod coverage;
mod date_time;
mod decode;
pub(crate) mod evaluate;
pub(crate) mod evidence;
mod key_value;
pub(crate) mod original;
pub(crate) mod properties;
pub(crate) mod signature;
mod signature_report;
pub(crate) mod time_stamp;
mod transform;
pub(crate) mod tree;

use std::sync::Arc;

use ades_core::Document;
use ades_evidence::VerifiedValues;

use crate::error::Error;
use crate::options::VerifyOptions;
use crate::report::{Part, Place, Problem, Report, SignatureReport};

use collect::CollectedDocument;
use evaluate::{Outcomes, evaluate};
use signature::Signature;
use signature_report::{Context, signature_report};

/// Verifies every signature of an XML document, countersignatures included. The
/// report of a document without signatures has no signatures.
///
/// A signature must cover the elements that the caller
/// [expects](VerifyOptions::expect) to be signed, or, without such elements, the whole
/// document: the root element with all its content except signatures. A signature that
/// covers less has the problem [`NotCovered`](crate::report::Problem::NotCovered),
/// because anybody could add content beside the covered part. Several signatures may cover
/// the expected elements together.
///
/// # Errors
/// An error about the document as XML; [`Error::Core`] if a source fails or is a
/// stream; [`Error::Limit`]; [`Error::NoSuchElement`] or [`Error::DuplicateId`] for
/// an expected element. An invalid signature is not an error: the report has its
/// problems.
pub fn verify(document: &mut Document<'_>, options: VerifyOptions<'_>) -> Result<Report, Error> {
    let VerifyOptions { mut originals, expected, reading, foreseen, verified, known } = options;
    if let Some(known) = known {
        return known.verify(document, &mut originals, &expected, &reading, &verified);
    }
    let early = foreseen.and_then(|foreseen| foreseen.read(document, &reading, &expected));
    let (collected, foreseen) = match early {
        Some((collected, outcomes)) => (collected, Some(outcomes)),
        None => (CollectedDocument::read(document, &reading, &expected)?, None),
    };
    let signatures = collected.read_signatures();
    let length = collected.length;
    let (outcomes, _) =
        evaluate(document, length, &signatures, &mut originals, &reading, foreseen, &[])?;
    Ok(report(&collected, &signatures, &outcomes, &verified))
}

/// The report of a document after its second reading.
pub(crate) fn report(
    collected: &CollectedDocument,
    signatures: &[Option<Signature<'_>>],
    outcomes: &[Outcomes],
    verified: &VerifiedValues,
) -> Report {
    let places = collected.signatures.iter().filter(|found| !found.in_entity);
    let (evidence, found) = evidence::collect(signatures, outcomes);
    let context = Context {
        document: collected,
        evidence: &found,
        signatures,
        outcomes,
        verified,
        places: places.map(|found| found.element.place.clone()).collect(),
    };
    let mut reports: Vec<Option<SignatureReport>> =
        (0..signatures.len()).map(|index| Some(signature_report(&context, index))).collect();
    let evidence = Arc::new(evidence);
    for report in reports.iter_mut().flatten() {
        report.facts.evidence = Arc::clone(&evidence);
    }
    accept_together(&mut reports, collected.expected.len());
    // Signatures come after the signature that they are in, so in reverse order the
    // innermost ones are moved first.
    for (index, found) in collected.signatures.iter().enumerate().rev() {
        let Some(around) = found.countersigned() else { continue };
        let taken = reports.get_mut(index).and_then(Option::take);
        if let Some(Some(around)) = reports.get_mut(around) {
            around.countersignatures.splice(0..0, taken);
        }
    }
    let place = Place::new(&collected.root_place());
    Report {
        length: collected.length,
        root: Part::new(&collected.root, place),
        signatures: reports.into_iter().flatten().collect(),
    }
}

/// Several signatures may cover the expected elements together: none of them then has the
/// problem that it does not cover them all.
fn accept_together(reports: &mut [Option<SignatureReport>], expected: usize) {
    let intact = reports.iter().flatten().filter(|report| report.intact == Some(true));
    let covered: Vec<&SignatureReport> = intact.collect();
    let is_covered =
        |at: usize| covered.iter().any(|report| report.expected.get(at) == Some(&true));
    if expected > 0 && (0..expected).all(is_covered) {
        for report in reports.iter_mut().flatten() {
            report.problems.retain(|problem| *problem != Problem::NotCovered);
        }
    }
}
