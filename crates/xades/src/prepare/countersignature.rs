//! Countersignatures: `xades:CounterSignature` (EN 319 132-1, 5.2.7.2), an unsigned
//! property of the signature whose value they sign.

use ades_core::{CertificateChain, DigestAlgorithm, Document, SignatureParameters};

use crate::c14n::{Canonicalization, Selection, Target};
use crate::error::{Error, NotInsertable};
use crate::extend::{check_insertion, check_pending, destination};
use crate::namespaces::{COUNTERSIGNED_SIGNATURE, DS, XADES};
use crate::options::{Position, SignatureOptions};
use crate::pending::PendingSignature;
use crate::report::Warning;
use crate::signature_element::ids::Ids;
use crate::signature_element::reference::{NewReference, NewTransform};
use crate::signature_element::text::{
    Around, IN_QUALIFYING_PROPERTIES, IN_UNSIGNED_PROPERTIES, IN_UNSIGNED_SIGNATURE_PROPERTIES,
};
use crate::signature_element::{SignatureElement, SigningContext, check_parameters};
use crate::source_document::DocumentReading;
use crate::verify::collect::CollectedDocument;

use super::{CHECK_ALGORITHM, Checked};

/// Prepares a countersignature over the value of a signature in the document.
///
/// `which` is the signature's place in the [report](crate::verify()): `[1]` is the
/// second signature, and `[1, 0]` is its first countersignature. Of the options,
/// only the seed of the Ids, the production place and those about reading have an
/// effect.
///
/// # Errors
/// As [`prepare`](crate::prepare()); [`Error::NoSuchSignature`];
/// [`Error::CannotInsert`] for a signature whose value has no Id or that has no
/// qualifying properties.
pub fn prepare_countersignature(
    container: &mut Document<'_>,
    which: &[usize],
    chain: &CertificateChain,
    parameters: &SignatureParameters,
    options: &SignatureOptions,
) -> Result<PendingSignature, Error> {
    let signing = SigningContext::new(chain, parameters, options)?;
    let CountersignaturePlace { read, value, around, position } =
        CountersignaturePlace::find(container, which, signing.digest_algorithm(), options)?;
    let destination = destination(&read, &position)?;
    let how = format!("countersignature {which:?}");
    let ids = Ids::new(&signing, &how, &destination);
    let reference = NewReference {
        id: None,
        kind: Some(COUNTERSIGNED_SIGNATURE),
        uri: format!("#{value}"),
        transforms: vec![NewTransform::Canonical(Canonicalization::EXCLUSIVE)],
        digest: read.digest()?,
    };
    // Rule k of clause 6.3: a countersignature has no DataObjectFormat.
    let element = SignatureElement {
        signing: &signing,
        ids: &ids,
        around,
        references: vec![reference],
        formats: Vec::new(),
        manifest: None,
        content: None,
    };
    let mut pending = PendingSignature::new(&signing, &ids, element.write()?, destination);
    check_pending(container, &pending, &read.site)?;
    pending.warnings = Warning::about(&read.site);
    Ok(pending)
}

/// Checks whether [`prepare_countersignature`] accepts a document, parameters and
/// options, before there is a certificate.
///
/// # Errors
/// As [`prepare_countersignature`], except those about the certificate.
pub fn check_countersignature(
    container: &mut Document<'_>,
    which: &[usize],
    parameters: &SignatureParameters,
    options: &SignatureOptions,
) -> Result<Checked, Error> {
    check_parameters(parameters, options)?;
    let CountersignaturePlace { read, position, .. } =
        CountersignaturePlace::find(container, which, CHECK_ALGORITHM, options)?;
    check_insertion(container, &read, options, &position)?;
    Ok(Checked { warnings: Warning::about(&read.site) })
}

/// The place of a countersignature.
struct CountersignaturePlace {
    read: DocumentReading,
    /// The Id of the signature value that is countersigned.
    value: String,
    /// The elements around the countersignature that the signature does not have yet.
    around: Around,
    position: Position,
}

impl CountersignaturePlace {
    fn find(
        container: &mut Document<'_>,
        which: &[usize],
        algorithm: DigestAlgorithm,
        options: &SignatureOptions,
    ) -> Result<Self, Error> {
        let cannot = |why| Err(Error::CannotInsert { why });
        let collected = CollectedDocument::read(container, &options.reading, &[])?;
        let signature = collected
            .signature(which)
            .ok_or_else(|| Error::NoSuchSignature { which: which.to_vec() })?;
        let signature = &signature.element;
        let value = signature.only(DS, "SignatureValue").and_then(|value| value.id());
        let Some(value) = value.map(str::to_owned) else {
            return cannot(NotInsertable::ValueWithoutId);
        };
        let mut objects = signature.all(DS, "Object");
        let Some(qualifying) = objects.find_map(|o| o.child(XADES, "QualifyingProperties")) else {
            return cannot(NotInsertable::NoQualifyingProperties);
        };
        let (within, around) = match qualifying.child(XADES, "UnsignedProperties") {
            None => (qualifying, IN_QUALIFYING_PROPERTIES),
            Some(unsigned) => match unsigned.child(XADES, "UnsignedSignatureProperties") {
                Some(properties) => (properties, IN_UNSIGNED_SIGNATURE_PROPERTIES),
                None if unsigned.children.is_empty() => (unsigned, IN_UNSIGNED_PROPERTIES),
                None => return cannot(NotInsertable::NoPlaceForProperty),
            },
        };
        let position = Position::LastIn(Target::At(within.place.start));

        let selection = Selection::element(Target::Id(value.clone())).without_comments();
        let selection = selection.with_ids(options.reading.ids.clone());
        let forms = vec![(selection, Canonicalization::EXCLUSIVE)];
        let read =
            DocumentReading::new(container, algorithm, &options.reading, forms, &position, None)?;
        Ok(Self { read, value, around, position })
    }
}
