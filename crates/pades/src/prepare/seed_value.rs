//! The seed value dictionary of an empty signature field: its constraints on the
//! signature (ISO 32000-2, 12.7.5.5).

use ades_core::Certificate;

use crate::error::{Error, FieldFault, Limit, SeedConstraint, exceeds};
use crate::file::Pdf;
use crate::options::SignatureOptions;
use crate::signer::{Certificates, Signer};
use crate::syntax::{Kind, Value, decode_text};

/// Maximum length in octets of a list of values, each counted with one more octet.
pub(crate) const MAX_LIST: usize = 1024 * 1024;

/// Bits of `/Ff`, which make a constraint binding (table 237).
const FILTER: u64 = 1;
const SUB_FILTER: u64 = 1 << 1;
const VERSION: u64 = 1 << 2;
const REASONS: u64 = 1 << 3;
const LEGAL_ATTESTATION: u64 = 1 << 4;
const ADD_REV_INFO: u64 = 1 << 5;
const DIGEST_METHOD: u64 = 1 << 6;
const LOCK_DOCUMENT: u64 = 1 << 7;
const APPEARANCE_FILTER: u64 = 1 << 8;

/// Checks that the signature meets every binding constraint of the field's `/SV`.
pub(super) fn check(
    pdf: &mut Pdf<'_>,
    field: &Value,
    name: &str,
    signer: &Signer<'_>,
    options: &SignatureOptions,
) -> Result<(), Error> {
    let Some(dictionary) = pdf.get(field, b"SV")? else {
        return Ok(());
    };
    let flags = flags_of(pdf, &dictionary)?;
    let seed = SeedValue { dictionary, flags };
    let mut violated = seed.format(pdf, signer)?;
    if violated.is_none() {
        violated = seed.content(pdf, options)?;
    }
    if violated.is_none() {
        violated = seed.certificate(pdf, signer.certificates)?;
    }
    if violated.is_none() {
        violated = seed.unsupported(pdf)?;
    }
    match violated {
        Some(constraint) => {
            let why = FieldFault::SeedValue(constraint);
            Err(Error::FieldNotFit { name: name.to_owned(), why })
        }
        None => Ok(()),
    }
}

/// A seed value dictionary and its flags. Each method returns the first
/// constraint of its kind that the signature does not meet.
struct SeedValue {
    dictionary: Value,
    flags: u64,
}

impl SeedValue {
    const fn binds(&self, bit: u64) -> bool {
        self.flags & bit != 0
    }

    /// Handler, format and digest algorithm.
    fn format(
        &self,
        pdf: &mut Pdf<'_>,
        signer: &Signer<'_>,
    ) -> Result<Option<SeedConstraint>, Error> {
        let filter = pdf.get(&self.dictionary, b"Filter")?;
        if self.binds(FILTER) && filter.is_some_and(|f| f.name() != Some(b"Adobe.PPKLite")) {
            return Ok(Some(SeedConstraint::Filter));
        }
        let sub_filter = signer.sub_filter.name().as_bytes();
        let sub_filters = list(pdf, &self.dictionary, b"SubFilter")?;
        if self.binds(SUB_FILTER) && !allows(sub_filters.as_ref(), |item| item == sub_filter) {
            return Ok(Some(SeedConstraint::SubFilter));
        }
        let version = pdf.get(&self.dictionary, b"V")?;
        if self.binds(VERSION) && version.is_some_and(|version| !is_known(&version)) {
            return Ok(Some(SeedConstraint::Version));
        }
        let digests = list(pdf, &self.dictionary, b"DigestMethod")?;
        let digest = signer.digest.map(|digest| digest.to_string());
        let ours = |item: &[u8]| {
            digest.as_ref().is_none_or(|digest| item.eq_ignore_ascii_case(digest.as_bytes()))
        };
        if self.binds(DIGEST_METHOD) && !allows(digests.as_ref(), ours) {
            return Ok(Some(SeedConstraint::DigestMethod));
        }
        Ok(None)
    }

    /// Reason, certification and time-stamp.
    fn content(
        &self,
        pdf: &mut Pdf<'_>,
        options: &SignatureOptions,
    ) -> Result<Option<SeedConstraint>, Error> {
        let reasons = list(pdf, &self.dictionary, b"Reasons")?;
        if self.binds(REASONS) {
            // Without a list, or with the one reason ".", there must not be a reason.
            let none =
                reasons.as_ref().is_none_or(|r| matches!(r.as_slice(), [only] if only == b"."));
            let fits = match &options.reason {
                None => none,
                Some(reason) => {
                    !none && allows(reasons.as_ref(), |item| decode_text(item) == *reason)
                }
            };
            if !fits {
                return Ok(Some(SeedConstraint::Reasons));
            }
        }
        if let Some(mdp) = pdf.get(&self.dictionary, b"MDP")? {
            let level = pdf.get(&mdp, b"P")?.and_then(|level| level.unsigned());
            let ours = options.certification.map_or(0, |certification| certification as u64);
            if level.is_some_and(|level| level != ours) {
                return Ok(Some(SeedConstraint::Mdp));
            }
        }
        if let Some(stamp) = pdf.get(&self.dictionary, b"TimeStamp")?
            && flags_of(pdf, &stamp)? != 0
        {
            return Ok(Some(SeedConstraint::TimeStamp));
        }
        Ok(None)
    }

    /// The certificate (table 238).
    fn certificate(
        &self,
        pdf: &mut Pdf<'_>,
        certificates: Certificates<'_>,
    ) -> Result<Option<SeedConstraint>, Error> {
        const SUBJECT: u64 = 1;
        const ISSUER: u64 = 1 << 1;
        const POLICY: u64 = 1 << 2;
        const KNOWN: u64 = SUBJECT | ISSUER | POLICY;

        let Some(wanted) = pdf.get(&self.dictionary, b"Cert")? else {
            return Ok(None);
        };
        let flags = flags_of(pdf, &wanted)?;
        let chain = match certificates {
            _ if flags == 0 => return Ok(None),
            _ if flags & !KNOWN != 0 => return Ok(Some(SeedConstraint::CertificateProperties)),
            Certificates::Later => return Ok(None),
            Certificates::Never => return Ok(Some(SeedConstraint::CertificateUnknown)),
            Certificates::Known(chain) => chain,
        };
        let subjects = list(pdf, &wanted, b"Subject")?.unwrap_or_default();
        if flags & SUBJECT != 0 && !subjects.iter().any(|der| der == chain.leaf().der()) {
            return Ok(Some(SeedConstraint::Certificate));
        }
        let mut issuers = list(pdf, &wanted, b"Issuer")?.unwrap_or_default().into_iter();
        let issues = |issuer: &Certificate| {
            let mut chain = chain.certificates().iter();
            chain.any(|below| below == issuer || below.names_as_issuer(issuer))
        };
        let fits = |der| Certificate::from_der(der).is_ok_and(|issuer| issues(&issuer));
        if flags & ISSUER != 0 && !issuers.any(fits) {
            return Ok(Some(SeedConstraint::Issuer));
        }
        let policies = list(pdf, &wanted, b"OID")?.unwrap_or_default();
        let own: Vec<String> = chain.leaf().policies().iter().map(ToString::to_string).collect();
        let missing = |policy: &Vec<u8>| !own.iter().any(|own| own.as_bytes() == policy.as_slice());
        if flags & POLICY != 0 && policies.iter().any(missing) {
            return Ok(Some(SeedConstraint::Policy));
        }
        Ok(None)
    }

    /// Constraints on parts that this version cannot put into a signature.
    fn unsupported(&self, pdf: &mut Pdf<'_>) -> Result<Option<SeedConstraint>, Error> {
        let attestation = pdf.get(&self.dictionary, b"LegalAttestation")?.is_some();
        if self.binds(LEGAL_ATTESTATION) && attestation {
            return Ok(Some(SeedConstraint::LegalAttestation));
        }
        let revocation = pdf.get(&self.dictionary, b"AddRevInfo")?.and_then(|add| add.boolean());
        if self.binds(ADD_REV_INFO) && revocation == Some(true) {
            return Ok(Some(SeedConstraint::AddRevInfo));
        }
        let lock = pdf.get(&self.dictionary, b"LockDocument")?;
        if self.binds(LOCK_DOCUMENT) && lock.is_some_and(|lock| lock.name() != Some(b"false")) {
            return Ok(Some(SeedConstraint::LockDocument));
        }
        if self.binds(APPEARANCE_FILTER)
            && pdf.get(&self.dictionary, b"AppearanceFilter")?.is_some()
        {
            return Ok(Some(SeedConstraint::AppearanceFilter));
        }
        Ok(None)
    }
}

/// Whether a list is absent or has an element that fits.
fn allows(list: Option<&Vec<Vec<u8>>>, fits: impl Fn(&[u8]) -> bool) -> bool {
    list.is_none_or(|list| list.iter().any(|item| fits(item)))
}

fn flags_of(pdf: &mut Pdf<'_>, dictionary: &Value) -> Result<u64, Error> {
    Ok(pdf.get(dictionary, b"Ff")?.and_then(|flags| flags.unsigned()).unwrap_or(0))
}

/// Whether the version of the constraints is known: PDF 2.0 has version 3.
fn is_known(version: &Value) -> bool {
    match &version.kind {
        Kind::Integer(version) => *version <= 3,
        Kind::Real(text) => {
            let version = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
            version.is_some_and(|version: f64| version <= 3.0)
        }
        _ => false,
    }
}

/// An array of names or strings; `None` if the key is absent.
fn list(pdf: &mut Pdf<'_>, dictionary: &Value, key: &[u8]) -> Result<Option<Vec<Vec<u8>>>, Error> {
    let Some(array) = pdf.get(dictionary, key)? else {
        return Ok(None);
    };
    let mut items = Vec::new();
    let mut left = MAX_LIST;
    for item in array.elements().unwrap_or_default() {
        let item = pdf.resolve(item)?;
        let Some(item) = item.name().or_else(|| item.string()) else {
            continue;
        };
        left = left.checked_sub(item.len() + 1).ok_or(exceeds(Limit::SeedValues))?;
        items.push(item.to_vec());
    }
    Ok(Some(items))
}
