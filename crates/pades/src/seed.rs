//! What an empty signature field demands of its signature: seed values and
//! the lock (ISO 32000-2, 12.7.5.5).

use ades_core::DigestAlgorithm;

use crate::error::Error;
use crate::file::Pdf;
use crate::lock::FieldLock;
use crate::options::SignatureOptions;
use crate::syntax::{Value, decode_text};

/// Bits of `/Ff`, which make a constraint binding.
const FILTER: u64 = 1;
const SUB_FILTER: u64 = 1 << 1;
const REASONS: u64 = 1 << 3;
const LEGAL_ATTESTATION: u64 = 1 << 4;
const ADD_REV_INFO: u64 = 1 << 5;
const DIGEST_METHOD: u64 = 1 << 6;
const LOCK_DOCUMENT: u64 = 1 << 7;
const APPEARANCE_FILTER: u64 = 1 << 8;

/// Checks `/SV`: what is binding is honoured, or it is said why not.
pub(crate) fn check(
    pdf: &mut Pdf<'_>,
    field: &Value,
    name: &str,
    sub_filter: &str,
    digest: DigestAlgorithm,
    options: &SignatureOptions,
) -> Result<(), Error> {
    let refuse = |why| Err(Error::FieldNotFit { name: name.to_owned(), why });
    let Some(seed) = pdf.get(field, b"SV")? else {
        return Ok(());
    };
    let flags = pdf.get(&seed, b"Ff")?.and_then(|flags| flags.unsigned()).unwrap_or(0);
    let binding = |bit| flags & bit != 0;

    let filter = pdf.get(&seed, b"Filter")?;
    if binding(FILTER) && filter.is_some_and(|f| f.name() != Some(b"Adobe.PPKLite")) {
        return refuse("it demands another signature handler (/SV /Filter)");
    }
    let allowed = |list: &Option<Vec<Vec<u8>>>, ours: &dyn Fn(&[u8]) -> bool| {
        list.as_ref().is_none_or(|list| list.iter().any(|item| ours(item)))
    };
    let sub_filters = list(pdf, &seed, b"SubFilter")?;
    if binding(SUB_FILTER) && !allowed(&sub_filters, &|item| item == sub_filter.as_bytes()) {
        return refuse("it demands another signature format (/SV /SubFilter)");
    }
    let digests = list(pdf, &seed, b"DigestMethod")?;
    let digest = digest.to_string();
    let ours = |item: &[u8]| item.eq_ignore_ascii_case(digest.as_bytes());
    if binding(DIGEST_METHOD) && !allowed(&digests, &ours) {
        return refuse("it demands another digest algorithm (/SV /DigestMethod)");
    }
    let reasons = list(pdf, &seed, b"Reasons")?;
    if binding(REASONS) {
        let none = reasons.as_ref().is_none_or(|r| matches!(r.as_slice(), [only] if only == b"."));
        let fits = match &options.reason {
            None => none,
            Some(reason) => !none && allowed(&reasons, &|item| decode_text(item) == *reason),
        };
        if !fits {
            return refuse("it demands another reason, or none (/SV /Reasons)");
        }
    }
    if let Some(demanded) = pdf.get(&seed, b"MDP")? {
        let level = pdf.get(&demanded, b"P")?.and_then(|level| level.unsigned());
        let ours = options.certification.map_or(0, |certification| certification as u64);
        if level.is_some_and(|level| level != ours) {
            return refuse("it demands another certification, or none (/SV /MDP)");
        }
    }
    for (key, why) in [
        (b"TimeStamp".as_slice(), "it demands a time-stamp (/SV /TimeStamp)"),
        (b"Cert", "it demands certain certificates (/SV /Cert)"),
    ] {
        if let Some(constraint) = pdf.get(&seed, key)? {
            let flags = pdf.get(&constraint, b"Ff")?.and_then(|flags| flags.unsigned());
            if flags.is_some_and(|flags| flags != 0) {
                return refuse(why);
            }
        }
    }
    let attestation = pdf.get(&seed, b"LegalAttestation")?.is_some();
    if binding(LEGAL_ATTESTATION) && attestation {
        return refuse("it demands a legal attestation (/SV /LegalAttestation)");
    }
    let revocation = pdf.get(&seed, b"AddRevInfo")?.and_then(|add| add.boolean());
    if binding(ADD_REV_INFO) && revocation == Some(true) {
        return refuse("it demands revocation values in the CMS (/SV /AddRevInfo)");
    }
    let lock = pdf.get(&seed, b"LockDocument")?;
    if binding(LOCK_DOCUMENT) && lock.is_some_and(|lock| lock.name() != Some(b"false")) {
        return refuse("it demands that the document be locked (/SV /LockDocument)");
    }
    if binding(APPEARANCE_FILTER) && pdf.get(&seed, b"AppearanceFilter")?.is_some() {
        return refuse("it demands a certain appearance (/SV /AppearanceFilter)");
    }
    Ok(())
}

/// The field's lock, to be written into the signature.
pub(crate) fn lock(
    pdf: &mut Pdf<'_>,
    field: &Value,
    name: &str,
    options: &SignatureOptions,
) -> Result<Option<FieldLock>, Error> {
    let Some(lock) = pdf.get(field, b"Lock")? else {
        return Ok(None);
    };
    let level = pdf.get(&lock, b"P")?.and_then(|level| level.unsigned());
    let ours = options.certification.map(|certification| certification as u64);
    if level.is_some() && level != ours {
        let why = "its lock restricts the whole document (/Lock /P)";
        return Err(Error::FieldNotFit { name: name.to_owned(), why });
    }
    FieldLock::read(pdf, &lock).map(Some)
}

/// An array of names or strings.
fn list(pdf: &mut Pdf<'_>, seed: &Value, key: &[u8]) -> Result<Option<Vec<Vec<u8>>>, Error> {
    let Some(array) = pdf.get(seed, key)? else {
        return Ok(None);
    };
    let mut items = Vec::new();
    for item in array.elements().unwrap_or_default() {
        let item = pdf.resolve(item)?;
        items.extend(item.name().or_else(|| item.string()).map(<[u8]>::to_vec));
    }
    Ok(Some(items))
}
