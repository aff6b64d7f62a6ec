//! CMS containers, as rasn-cms reads them.

use std::collections::BTreeSet;

use ades_core::{DigestAlgorithm, Document, Oid};
use cades::report::SignatureReport;
use cades::{Container, VerifyOptions};
use chrono::{DateTime, Utc};
use rasn::types::{Any, GeneralizedTime, ObjectIdentifier, UtcTime};
use rasn_cms::{
    Attribute, COUNTER_SIGNATURE, CertificateChoices, ContentInfo, DigestAlgorithmIdentifier,
    SIGNING_TIME, SignedData, SignerInfo,
};

/// What both readers say of one signer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Signer {
    digest_algorithm: String,
    /// All that can be read. A signer that states several may state them in any order:
    /// rasn-cms reads a SET without one.
    signing_times: BTreeSet<DateTime<Utc>>,
    unsigned_attributes: Vec<String>,
    countersignatures: Vec<Signer>,
}

/// What both readers say of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Read {
    version: Option<u8>,
    content: Option<Vec<u8>>,
    certificates: usize,
    revocation_values: usize,
    signers: Vec<Signer>,
}

/// How far two readers agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// In everything.
    Whole,
    /// In everything but the number of certificates: ours counts those only that it
    /// can read, and reads more strictly than rasn-cms.
    FewerCertificates,
}

/// Whether both readers say the same of a container.
/// `None` if one of them does not read it: see [`reads`].
///
/// # Errors
/// The difference.
pub fn compare(octets: &[u8]) -> Result<Option<Agreement>, String> {
    let (Ok(ours), Ok(mut theirs)) = (ours(octets), theirs(octets)) else { return Ok(None) };
    let agreement = if ours.certificates < theirs.certificates {
        theirs.certificates = ours.certificates;
        Agreement::FewerCertificates
    } else {
        Agreement::Whole
    };
    if ours == theirs {
        return Ok(Some(agreement));
    }
    Err(format!("ours: {ours:?}\nrasn-cms: {theirs:?}"))
}

/// Which reader reads it: ours, and rasn-cms. They differ on purpose: ours takes no
/// octets after the container; rasn-cms decodes every certificate and every
/// attribute, where ours takes their octets as they are.
pub fn reads(octets: &[u8]) -> (Result<(), String>, Result<(), String>) {
    (ours(octets).map(drop), theirs(octets).map(drop))
}

fn ours(octets: &[u8]) -> Result<Read, String> {
    let mut source = Document::from_bytes(octets);
    let container = Container::read(&mut source).map_err(|error| error.to_string())?;
    let mut content = container.content_len().map(|_| Vec::new());
    if let Some(content) = &mut content {
        let read = container.read_content(&mut source, &mut |piece| {
            content.extend_from_slice(piece);
            Ok(())
        });
        read.map_err(|error| error.to_string())?;
    }
    let report = container.verify(&mut source, VerifyOptions::new());
    let report = report.map_err(|error| error.to_string())?;
    let mut signers: Vec<Signer> = report.signatures.iter().map(our_signer).collect();
    signers.sort();
    Ok(Read {
        version: report.version,
        content,
        certificates: report.certificates,
        revocation_values: report.revocation_values,
        signers,
    })
}

fn our_signer(signature: &SignatureReport) -> Signer {
    let mut countersignatures: Vec<Signer> =
        signature.countersignatures.iter().map(our_signer).collect();
    countersignatures.sort();
    let mut unsigned_attributes: Vec<String> =
        signature.unsigned_attributes.iter().map(Oid::to_string).collect();
    unsigned_attributes.sort();
    Signer {
        digest_algorithm: signature.digest_algorithm.clone(),
        signing_times: signature
            .claimed_time
            .into_iter()
            .chain(signature.further.signing_times.iter().copied())
            .collect(),
        unsigned_attributes,
        countersignatures,
    }
}

fn theirs(octets: &[u8]) -> Result<Read, String> {
    let info: ContentInfo = rasn::ber::decode(octets).map_err(|error| error.to_string())?;
    let data: SignedData =
        rasn::ber::decode(info.content.as_bytes()).map_err(|error| error.to_string())?;
    let is_certificate =
        |choice: &&CertificateChoices| matches!(choice, CertificateChoices::Certificate(_));
    let certificates = data.certificates.as_ref().map_or_else(Vec::new, |set| set.to_vec());
    let infos = data.signer_infos.to_vec().into_iter();
    let mut signers: Vec<Signer> = infos.map(|info| their_signer(info, octets)).collect();
    signers.sort();
    Ok(Read {
        version: u8::try_from(&data.version).ok().filter(|version| *version < 128),
        content: data.encap_content_info.content.map(|content| content.to_vec()),
        certificates: certificates.iter().filter(|choice| is_certificate(choice)).count(),
        revocation_values: data.crls.map_or(0, |set| set.len()),
        signers,
    })
}

/// `octets`: the container.
fn their_signer(signer: &SignerInfo, octets: &[u8]) -> Signer {
    let signed = attributes(signer.signed_attrs.as_ref().map(|set| set.to_vec()));
    let unsigned = attributes(signer.unsigned_attrs.as_ref().map(|set| set.to_vec()));
    let values = |attributes: &[&Attribute], oid: &rasn::types::Oid| -> Vec<Any> {
        let of_kind = attributes.iter().filter(|attribute| *attribute.r#type == *oid);
        of_kind.flat_map(|attribute| attribute.values.to_vec().into_iter().cloned()).collect()
    };
    let mut countersignatures: Vec<Signer> = values(&unsigned, COUNTER_SIGNATURE)
        .iter()
        .filter_map(|value| rasn::ber::decode::<SignerInfo>(value.as_bytes()).ok())
        .map(|signer| their_signer(&signer, octets))
        .collect();
    countersignatures.sort();
    let mut unsigned_attributes: Vec<String> =
        unsigned.iter().filter_map(|attribute| dotted(&attribute.r#type, octets)).collect();
    unsigned_attributes.sort();
    Signer {
        digest_algorithm: digest_algorithm(&signer.digest_algorithm, octets),
        signing_times: values(&signed, SIGNING_TIME).iter().filter_map(signing_time).collect(),
        unsigned_attributes,
        countersignatures,
    }
}

fn attributes(set: Option<Vec<&Attribute>>) -> Vec<&Attribute> {
    set.unwrap_or_default()
}

fn signing_time(value: &Any) -> Option<DateTime<Utc>> {
    let octets = value.as_bytes();
    let utc = || rasn::der::decode::<UtcTime>(octets).ok();
    let generalized = || Some(rasn::der::decode::<GeneralizedTime>(octets).ok()?.to_utc());
    utc().or_else(generalized)
}

/// The name that our report has for it: empty for an OID that we refuse, the OID for an
/// algorithm whose parameters are neither absent nor NULL (RFC 5754, clause 2).
fn digest_algorithm(algorithm: &DigestAlgorithmIdentifier, octets: &[u8]) -> String {
    let Some(dotted) = dotted(&algorithm.algorithm, octets) else { return String::new() };
    let parameters = algorithm.parameters.as_ref().map(Any::as_bytes);
    if parameters.is_some_and(|parameters| parameters != [5, 0]) {
        return dotted;
    }
    let known = Oid::from_dotted(&dotted).and_then(|oid| DigestAlgorithm::from_oid(oid).ok());
    known.map_or(dotted, |algorithm| algorithm.to_string())
}

/// An OID as text. `None` if the container does not have it in its shortest form, the only
/// one that we read (X.690, 8.19.2).
fn dotted(oid: &ObjectIdentifier, octets: &[u8]) -> Option<String> {
    let dotted = oid.iter().map(ToString::to_string).collect::<Vec<_>>().join(".");
    let Some(shortest) = Oid::from_dotted(&dotted) else { return Some(dotted) };
    let content = shortest.as_bytes();
    let element = [&[6, u8::try_from(content.len()).ok()?], content].concat();
    octets.windows(element.len()).any(|window| window == element).then_some(dotted)
}
