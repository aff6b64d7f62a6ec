//! What the findings of each format mean for a signature (EN 319 102-1, 5.2).

use ades_core::certificate::KeyType;
use ades_core::{Certificate, Digest, DigestAlgorithm};
use ades_validation::{Finding, Meaning};
use cades::report::Problem as Cades;
use pades::report::Problem as Pades;
use xades::report::{Problem as Xades, ReferenceReport};

pub(crate) fn of_cades(problem: Cades) -> Finding {
    finding(problem.code(), problem.to_string(), cades_meaning(problem))
}

/// Problems that only lower the level are remarks. A problem that this version of the
/// facade does not know keeps the signature from passing.
const fn cades_meaning(problem: Cades) -> Meaning {
    match problem {
        Cades::AlgorithmProtectionMismatch | Cades::MessageDigestMissing => Meaning::Format,
        Cades::ContentMissing => Meaning::DataMissing,
        Cades::DigestMismatch => Meaning::Hash,
        Cades::SignatureInvalid => Meaning::Value,
        Cades::UnsupportedAlgorithm => Meaning::Unsupported,
        Cades::SignerCertificateMissing | Cades::SigningCertificateMismatch => {
            Meaning::SigningCertificate
        }
        Cades::ContentTypeNotData
        | Cades::DigestAlgorithmMismatch
        | Cades::IssuerSerialMismatch
        | Cades::LegacySigningCertificate
        | Cades::SigningCertificateTwice
        | Cades::SignedAttributesNotDer
        | Cades::SigningTimePresent => Meaning::Remark,
        _ => Meaning::Attribute,
    }
}

/// `all` are those of the signature with the problem.
pub(crate) fn of_pades(problem: Pades, all: &[Pades]) -> Finding {
    let meaning = match problem {
        Pades::Cms(problem) => cades_meaning(problem),
        // The byte range is not that of the signature: nobody signed a revision that ends
        // there (5.2.2).
        Pades::NotARevision if all.contains(&Pades::Cms(Cades::DigestMismatch)) => Meaning::Format,
        Pades::ByteRangeMalformed
        | Pades::ByteRangeGap
        | Pades::ContentsMalformed
        | Pades::NotOneSigner
        | Pades::RepeatedKey
        | Pades::NotASignature
        | Pades::ForbiddenChange => Meaning::Format,
        Pades::UnsupportedFormat => Meaning::Unsupported,
        Pades::ChangedLater
        | Pades::AnnotatedLater
        | Pades::NotARevision
        | Pades::NotCompared
        | Pades::TrailingData => Meaning::Coverage,
        Pades::NotPades
        | Pades::CertKey
        | Pades::FilterMissing
        | Pades::ReasonNotAllowed
        | Pades::NotADocTimeStamp => Meaning::Remark,
        _ => Meaning::Attribute,
    };
    finding(problem.code(), problem.to_string(), meaning)
}

/// `references` are those of the signature with the problem.
pub(crate) fn of_xades(problem: Xades, references: &[ReferenceReport]) -> Finding {
    let meaning = match problem {
        Xades::SignatureMalformed
        | Xades::DuplicateId
        | Xades::QualifyingPropertiesRepeated
        | Xades::CountersignatureMismatch => Meaning::Format,
        Xades::SignerCertificateMissing
        | Xades::SigningCertificateMismatch
        | Xades::KeyValueMismatch => Meaning::SigningCertificate,
        Xades::DigestMismatch => Meaning::Hash,
        Xades::ContentMissing | Xades::ReferenceMissing | Xades::TransformFailed => {
            Meaning::DataMissing
        }
        Xades::ManifestMismatch => {
            let mut listed = references.iter().flat_map(|reference| &reference.manifest);
            let changed = listed.any(|reference| reference.intact == Some(false));
            if changed { Meaning::Hash } else { Meaning::DataMissing }
        }
        Xades::SignatureInvalid => Meaning::Value,
        Xades::UnsupportedAlgorithm | Xades::TransformUnsupported => Meaning::Unsupported,
        Xades::NotCovered | Xades::UnsignedContent => Meaning::Coverage,
        Xades::PartlyCovered => Meaning::PartLeftOut,
        Xades::DataObjectFormatMissing
        | Xades::DataObjectFormatTarget
        | Xades::IssuerSerialMismatch
        | Xades::KeyInfoSigned
        | Xades::LegacyProperty
        | Xades::UnknownProperty => Meaning::Remark,
        _ => Meaning::Attribute,
    };
    finding(problem.code(), problem.to_string(), meaning)
}

/// A reference that is not decided or does not match, by the detail that the format
/// states.
pub(crate) fn of_reference(
    reference: &ReferenceReport,
    references: &[ReferenceReport],
) -> Option<Finding> {
    let found = of_xades(reference.problem?, references);
    let what = reference.uri.as_deref().unwrap_or_default();
    let text = match (&reference.detail, what) {
        (Some(detail), _) => detail.clone(),
        (None, "") => found.text,
        (None, what) => format!("{}: {what}", found.text),
    };
    Some(Finding { text, ..found })
}

/// A policy document that is named by its SHA-1 digest: which document it is, is not certain.
pub(crate) fn of_policy_digests<'d>(
    mut digests: impl Iterator<Item = &'d Digest>,
) -> Option<Finding> {
    let weak = digests.any(|digest| digest.algorithm() == DigestAlgorithm::Sha1);
    let text = "the signature policy is named by a SHA-1 digest";
    weak.then(|| finding("policy-digest-sha1".to_owned(), text.to_owned(), Meaning::Remark))
}

/// Names the algorithm that is not supported: `algorithm`, unless it is the type of the key.
pub(crate) fn name_unsupported(
    findings: &mut [Finding],
    certificate: Option<&Certificate>,
    algorithm: Option<&str>,
) {
    let is_unnamed = |found: &&mut Finding| found.code == "unsupported-algorithm";
    let Some(found) = findings.iter_mut().find(is_unnamed) else { return };
    let key = certificate.filter(|signer| signer.key_type() == KeyType::Unsupported);
    let what = match (key, algorithm) {
        (Some(signer), _) => format!("the signer's key is {}", signer.key_name()),
        (None, Some(algorithm)) => algorithm.to_owned(),
        (None, None) => return,
    };
    found.text = format!("{}: {what}", found.text);
}

const fn finding(code: String, text: String, meaning: Meaning) -> Finding {
    Finding { code, text, meaning }
}
