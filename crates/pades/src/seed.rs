//! What an empty signature field demands of its signature: seed values and
//! the lock (ISO 32000-2, 12.7.5.5).

use ades_core::{Certificate, CertificateChain, DigestAlgorithm};

use crate::error::Error;
use crate::file::Pdf;
use crate::lock::FieldLock;
use crate::options::SignatureOptions;
use crate::prepared::SubFilter;
use crate::syntax::{Kind, Value, decode_text};

/// What is known of whoever signs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signer<'a> {
    /// `None` if that depends on the certificate.
    pub(crate) digest: Option<DigestAlgorithm>,
    pub(crate) sub_filter: SubFilter,
    pub(crate) certificates: Certificates<'a>,
}

/// With which certificate.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Certificates<'a> {
    Known(&'a CertificateChain),
    /// It will be known when the signature is prepared.
    Later,
    /// Somebody else makes the CMS.
    Never,
}

/// A list of values may have this many octets, and one more for each of them.
const MAX_LIST: usize = 1024 * 1024;

/// Bits of `/Ff`, which make a constraint binding.
const FILTER: u64 = 1;
const SUB_FILTER: u64 = 1 << 1;
const VERSION: u64 = 1 << 2;
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
    signer: &Signer<'_>,
    options: &SignatureOptions,
) -> Result<(), Error> {
    let refuse = |why| Err(Error::FieldNotFit { name: name.to_owned(), why });
    let Some(seed) = pdf.get(field, b"SV")? else {
        return Ok(());
    };
    let flags = flags_of(pdf, &seed)?;
    let binding = |bit| flags & bit != 0;

    let filter = pdf.get(&seed, b"Filter")?;
    if binding(FILTER) && filter.is_some_and(|f| f.name() != Some(b"Adobe.PPKLite")) {
        return refuse("it demands another signature handler (/SV /Filter)");
    }
    let allowed = |list: &Option<Vec<Vec<u8>>>, ours: &dyn Fn(&[u8]) -> bool| {
        list.as_ref().is_none_or(|list| list.iter().any(|item| ours(item)))
    };
    let sub_filter = signer.sub_filter.name().as_bytes();
    let sub_filters = list(pdf, &seed, b"SubFilter")?;
    if binding(SUB_FILTER) && !allowed(&sub_filters, &|item| item == sub_filter) {
        return refuse("it demands another signature format (/SV /SubFilter)");
    }
    let version = pdf.get(&seed, b"V")?;
    if binding(VERSION) && version.is_some_and(|version| !is_known(&version)) {
        return refuse("its demands are of a newer kind (/SV /V)");
    }
    let digests = list(pdf, &seed, b"DigestMethod")?;
    let digest = signer.digest.map(|digest| digest.to_string());
    let ours = |item: &[u8]| {
        digest.as_ref().is_none_or(|digest| item.eq_ignore_ascii_case(digest.as_bytes()))
    };
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
    if let Some(stamp) = pdf.get(&seed, b"TimeStamp")?
        && flags_of(pdf, &stamp)? != 0
    {
        return refuse("it demands a time-stamp (/SV /TimeStamp)");
    }
    if let Some(demanded) = pdf.get(&seed, b"Cert")?
        && let Err(why) = check_certificate(pdf, &demanded, signer.certificates)?
    {
        return refuse(why);
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

fn flags_of(pdf: &mut Pdf<'_>, dictionary: &Value) -> Result<u64, Error> {
    Ok(pdf.get(dictionary, b"Ff")?.and_then(|flags| flags.unsigned()).unwrap_or(0))
}

/// Whether this version of the demands is one that we know: 3 is that of PDF 2.0.
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

/// Whether the certificate is one that is demanded (table 238); why not.
fn check_certificate(
    pdf: &mut Pdf<'_>,
    demanded: &Value,
    certificates: Certificates<'_>,
) -> Result<Result<(), &'static str>, Error> {
    const SUBJECT: u64 = 1;
    const ISSUER: u64 = 1 << 1;
    const POLICY: u64 = 1 << 2;
    const KNOWN: u64 = SUBJECT | ISSUER | POLICY;

    let flags = flags_of(pdf, demanded)?;
    let chain = match certificates {
        _ if flags == 0 => return Ok(Ok(())),
        _ if flags & !KNOWN != 0 => {
            return Ok(Err(
                "it demands a name, key usage or source of the certificate (/SV /Cert)",
            ));
        }
        Certificates::Later => return Ok(Ok(())),
        Certificates::Never => {
            return Ok(Err("it demands certain certificates, and yours is not known (/SV /Cert)"));
        }
        Certificates::Known(chain) => chain,
    };
    let wanted = |list: Option<Vec<Vec<u8>>>| list.unwrap_or_default();
    let subjects = wanted(list(pdf, demanded, b"Subject")?);
    if flags & SUBJECT != 0 && !subjects.iter().any(|der| der == chain.leaf().der()) {
        return Ok(Err("it demands another certificate (/SV /Cert /Subject)"));
    }
    let mut issuers = wanted(list(pdf, demanded, b"Issuer")?).into_iter();
    let issues = |issuer: &Certificate| {
        chain.certificates().iter().any(|below| below == issuer || below.names_as_issuer(issuer))
    };
    let fits = |der| Certificate::from_der(der).is_ok_and(|issuer| issues(&issuer));
    if flags & ISSUER != 0 && !issuers.any(fits) {
        return Ok(Err("it demands another issuer of the certificate (/SV /Cert /Issuer)"));
    }
    let policies = wanted(list(pdf, demanded, b"OID")?);
    let own: Vec<String> = chain.leaf().policies().iter().map(ToString::to_string).collect();
    let missing = |policy: &Vec<u8>| !own.iter().any(|own| own.as_bytes() == policy.as_slice());
    if flags & POLICY != 0 && policies.iter().any(missing) {
        return Ok(Err("it demands a certificate by another policy (/SV /Cert /OID)"));
    }
    Ok(Ok(()))
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

impl Signer<'_> {
    pub(crate) fn is_pades(&self) -> bool {
        self.sub_filter == SubFilter::Cades
    }
}

/// An array of names or strings, not many and none long.
fn list(pdf: &mut Pdf<'_>, seed: &Value, key: &[u8]) -> Result<Option<Vec<Vec<u8>>>, Error> {
    let Some(array) = pdf.get(seed, key)? else {
        return Ok(None);
    };
    let mut items = Vec::new();
    let mut left = MAX_LIST;
    for item in array.elements().unwrap_or_default() {
        let item = pdf.resolve(item)?;
        let Some(item) = item.name().or_else(|| item.string()) else {
            continue;
        };
        left = left
            .checked_sub(item.len() + 1)
            .ok_or(Error::Limit { limit: "1 MiB in a list of a field's seed values" })?;
        items.push(item.to_vec());
    }
    Ok(Some(items))
}
