//! Countersignatures: `xades:CounterSignature` (EN 319 132-1, 5.2.7.2), an
//! unsigned property of the signature they are over.

use ades_core::{CertificateChain, DigestAlgorithm, Document, SignatureParameters};

use crate::c14n::{Canonicalization, Selection, Target};
use crate::draft::{Draft, Ids, Signer};
use crate::error::Error;
use crate::options::{Position, SignatureOptions};
use crate::pending::PendingSignature;
use crate::prepare::{Read, check_place, put_into};
use crate::properties::{DS, XADES};
use crate::reference::{Reference, Transform};
use crate::verify::survey::Survey;

const COUNTERSIGNED: &str = "http://uri.etsi.org/01903#CountersignedSignature";

/// Prepares a countersignature over the value of a signature in the document:
/// the one that stands at this place in the [report](crate::verify()), where `[1]`
/// is its second signature, and `[1, 0]` that one's first countersignature. Of
/// the options, the seed of Ids and how the document is read mean something.
///
/// # Errors
/// As [`prepare`](crate::prepare()); [`Error::NoSuchSignature`];
/// [`Error::CannotInsert`] for a signature whose value has no Id or that has no
/// qualifying properties.
pub fn prepare_countersignature(
    document: &mut Document<'_>,
    which: &[usize],
    chain: &CertificateChain,
    parameters: &SignatureParameters,
    options: &SignatureOptions,
) -> Result<PendingSignature, Error> {
    let signer = Signer::new(chain, parameters, options)?;
    let Place { read, value, around, position } =
        Place::find(document, which, signer.digest_algorithm(), options)?;
    let ids = Ids::new(&signer, &format!("countersignature {which:?}"), [&read.original.digest.0]);
    let reference = Reference {
        id: None,
        kind: Some(COUNTERSIGNED),
        uri: format!("#{value}"),
        transforms: vec![Transform::Canonical(Canonicalization::EXCLUSIVE)],
        digest: read.digest()?,
    };
    // Rule k of clause 6.3: a countersignature has no DataObjectFormat.
    let draft = Draft {
        signer: &signer,
        ids: &ids,
        references: vec![reference],
        formats: Vec::new(),
        object: None,
        content: None,
    };
    let mut written = draft.write()?;
    let names = || around.iter().chain(&["xades:CounterSignature"]);
    let mut head = String::new();
    for (at, name) in names().enumerate() {
        let declared = if at == 0 { format!(" xmlns:xades=\"{XADES}\"") } else { String::new() };
        head.extend(["<", name, &declared, ">"]);
    }
    written.head.insert_str(0, &head);
    for name in names().rev() {
        written.tail.extend(["</", name, ">"]);
    }
    put_into(document, &signer, written, read, &position)
}

/// Whether the signature at that place of the report can be countersigned, before there is a
/// certificate or anybody is asked.
///
/// # Errors
/// As [`prepare_countersignature`], of the document and the options.
pub fn check_countersignature(
    document: &mut Document<'_>,
    which: &[usize],
    options: &SignatureOptions,
) -> Result<(), Error> {
    let Place { read, position, .. } =
        Place::find(document, which, DigestAlgorithm::Sha256, options)?;
    check_place(document, &read, options, &position)
}

/// Where a countersignature goes.
struct Place {
    read: Read,
    /// The Id of the value that it is over.
    value: String,
    /// The elements around it that are not there yet.
    around: &'static [&'static str],
    position: Position,
}

impl Place {
    fn find(
        document: &mut Document<'_>,
        which: &[usize],
        algorithm: DigestAlgorithm,
        options: &SignatureOptions,
    ) -> Result<Self, Error> {
        let cannot = |why| Err(Error::CannotInsert { why });
        let survey = Survey::read(document, &options.reading, &[])?;
        let found = survey.signature(which).ok_or(Error::NoSuchSignature)?;
        let signature = &found.element;
        let value = signature.only(DS, "SignatureValue").and_then(|value| value.id());
        let Some(value) = value.map(str::to_owned) else {
            return cannot("the signature's value has no Id to name it by");
        };
        let mut objects = signature.all(DS, "Object");
        let Some(qualifying) = objects.find_map(|o| o.child(XADES, "QualifyingProperties")) else {
            return cannot("the signature has no qualifying properties to put it into");
        };
        // What is missing of the elements around it comes with it.
        let missing = match qualifying.child(XADES, "UnsignedProperties") {
            None => (
                qualifying,
                ["xades:UnsignedProperties", "xades:UnsignedSignatureProperties"].as_slice(),
            ),
            Some(unsigned) => match unsigned.child(XADES, "UnsignedSignatureProperties") {
                Some(properties) => (properties, [].as_slice()),
                None if unsigned.children.is_empty() => {
                    (unsigned, ["xades:UnsignedSignatureProperties"].as_slice())
                }
                None => return cannot("properties are in the way that must come behind it"),
            },
        };
        let (within, around) = missing;
        let position = Position::LastIn(Target::At(within.place.start));

        let selection = Selection::element(Target::Id(value.clone())).without_comments();
        let selection = selection.with_ids(options.reading.ids.clone());
        let forms = vec![(selection, Canonicalization::EXCLUSIVE)];
        let read = Read::new(document, algorithm, &options.reading, forms, &position)?;
        Ok(Self { read, value, around, position })
    }
}
