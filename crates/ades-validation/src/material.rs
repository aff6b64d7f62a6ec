//! The certificates and revocation data with which signatures are judged.

use std::collections::{HashMap, HashSet};
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};
use std::{fmt, iter};

use ades_core::Certificate;
use ades_core::facts::{Evidence, ObjectId, ObjectIdDigester, RevocationForm};
use ades_evidence::VerifiedValues;
use ades_evidence::crl::{self, Crl, CrlError};
use ades_evidence::ocsp::OcspResponse;
use ades_evidence::path::IssuerPool;
use ades_evidence::revocation::{RevocationFacts, RevocationKind, Unusable};

use crate::token_signature::TokenSignature;

/// Maximum number of revocation data that are tried for one certificate.
pub const MAX_DATA_PER_CERTIFICATE: usize = 64;

/// The certificates and revocation data with which the signatures of one container are
/// judged. They are read once. `Debug` shows numbers only.
#[derive(Default)]
pub struct Material {
    pub(crate) certificates: Vec<Certificate>,
    pub(crate) pool: IssuerPool,
    responses: Vec<(ObjectId, OcspResponse)>,
    /// The certificates in each of the responses that has some.
    in_responses: HashMap<ObjectId, Vec<ObjectId>>,
    lists: Vec<Crl>,
    /// Of the lists that are not delta CRLs, in order.
    list_ids: Vec<ObjectId>,
    unreadable: usize,
    /// Of the time-stamps in the evidence, in order.
    pub(crate) time_stamp_ids: Vec<ObjectId>,
    /// The signatures of the time-stamps that were verified.
    tokens: Mutex<HashMap<ObjectId, TokenSignature>>,
    verified: VerifiedValues,
}

/// Certificates and revocation data that the caller gives beside those in a container.
/// `Debug` shows numbers only.
#[derive(Clone, Default)]
pub struct GivenData {
    certificates: Vec<Certificate>,
    revocation: Vec<(RevocationForm, Arc<[u8]>)>,
    stored_lists: Vec<Arc<dyn StoredCrl>>,
}

/// A CRL that is stored elsewhere, for example in a file: it may be too long to be held.
pub trait StoredCrl: Send + Sync {
    /// Reads its DER from the start. Nobody else reads it meanwhile.
    ///
    /// # Errors
    /// Those of the store. The list then counts as one that cannot be read.
    fn open(&self) -> io::Result<Box<dyn Read + '_>>;
}

impl GivenData {
    /// No data.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a certificate, which may be an issuer's.
    pub fn add_certificate(&mut self, certificate: Certificate) {
        self.certificates.push(certificate);
    }

    /// Adds a CRL or an OCSP response.
    pub fn add_revocation(&mut self, form: RevocationForm, octets: impl Into<Arc<[u8]>>) {
        self.revocation.push((form, octets.into()));
    }

    /// Adds a CRL that is read as a stream.
    pub fn add_stored_crl(&mut self, list: Arc<dyn StoredCrl>) {
        self.stored_lists.push(list);
    }

    /// Adds all that another one has.
    pub fn extend(&mut self, other: Self) {
        self.certificates.extend(other.certificates);
        self.revocation.extend(other.revocation);
        self.stored_lists.extend(other.stored_lists);
    }

    /// The certificates.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// The CRLs and OCSP responses that are held.
    pub fn revocation(&self) -> impl Iterator<Item = (RevocationForm, &[u8])> {
        self.revocation.iter().map(|(form, octets)| (*form, &**octets))
    }
}

impl fmt::Debug for GivenData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GivenData")
            .field("certificates", &self.certificates.len())
            .field("revocation", &self.revocation.len())
            .field("stored_lists", &self.stored_lists.len())
            .finish()
    }
}

/// What one datum says about one certificate.
#[derive(Clone, Debug)]
pub(crate) struct Datum {
    pub(crate) id: ObjectId,
    pub(crate) facts: RevocationFacts,
}

/// Why a datum about a certificate does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rejected {
    pub(crate) kind: RevocationKind,
    pub(crate) why: String,
}

impl Material {
    /// Reads the evidence in a container and what the caller gives.
    #[must_use]
    pub fn new(evidence: &Evidence, given: &GivenData) -> Self {
        Self::sharing(evidence, given, &VerifiedValues::new())
    }

    /// As [`new`](Self::new), and remembers with others which signature values verify.
    #[must_use]
    pub fn sharing(evidence: &Evidence, given: &GivenData, verified: &VerifiedValues) -> Self {
        let embedded = evidence.distinct_certificates();
        let mut certificates: Vec<Certificate> = Vec::new();
        let mut known = HashSet::new();
        for certificate in embedded.chain(&given.certificates) {
            if known.insert(certificate.id()) {
                certificates.push(certificate.clone());
            }
        }
        let stamps = evidence.time_stamps().iter();
        let time_stamp_ids = stamps.map(|stamp| ObjectId::of(&stamp.octets)).collect();
        let verified = verified.clone();
        let mut material = Self { time_stamp_ids, verified, ..Self::default() };
        let embedded = evidence.revocation_values().iter();
        let embedded = embedded.map(|value| (value.form, &*value.octets, value.id));
        let values = given.revocation.iter();
        let values = values.map(|(form, octets)| (*form, &**octets, ObjectId::of(octets)));
        let mut lists = Vec::new();
        let mut known_data = HashSet::new();
        for (form, octets, id) in embedded.chain(values) {
            match form {
                _ if !known_data.insert(id) => {}
                RevocationForm::Crl => lists.push((id, octets)),
                _ => material.add_response(id, octets),
            }
        }
        // A list is read for the certificates of responders, too.
        for (response, responder) in material
            .responses
            .iter()
            .flat_map(|(id, one)| one.certificates().iter().map(|r| (*id, r)))
        {
            let id = responder.id();
            material.in_responses.entry(response).or_default().push(id);
            if known.insert(id) {
                certificates.push(responder.clone());
            }
        }
        material.pool = IssuerPool::new(&certificates);
        material.certificates = certificates;
        for (id, octets) in lists {
            let list = Crl::read(octets, &material.certificates);
            material.add_list(id, list);
        }
        for list in &given.stored_lists {
            match material.read_stored(list.as_ref()) {
                Ok((id, _)) if !known_data.insert(id) => {}
                Ok((id, list)) => material.add_list(id, Ok(list)),
                Err(_) => material.unreadable += 1,
            }
        }
        material
    }

    fn add_response(&mut self, id: ObjectId, octets: &[u8]) {
        match OcspResponse::read(octets) {
            Ok(response) => self.responses.push((id, response.sharing(&self.verified))),
            Err(_) => self.unreadable += 1,
        }
    }

    /// Reads a stored list, and digests it meanwhile.
    fn read_stored(&self, list: &dyn StoredCrl) -> Result<(ObjectId, Crl), CrlError> {
        let mut source = Digesting { digester: ObjectIdDigester::new(), source: list.open()? };
        let list = Crl::read(&mut source, &self.certificates)?;
        Ok((source.digester.finish(), list))
    }

    fn add_list(&mut self, id: ObjectId, list: Result<Crl, CrlError>) {
        match list {
            Ok(list) => {
                if !list.is_delta() {
                    self.list_ids.push(id);
                }
                self.lists.push(list.sharing(&self.verified));
            }
            Err(_) => self.unreadable += 1,
        }
    }

    /// The certificates in a revocation value.
    pub(crate) fn certificates_in(&self, value: ObjectId) -> impl Iterator<Item = ObjectId> {
        self.in_responses.get(&value).into_iter().flatten().copied()
    }

    /// Number of revocation data that cannot be read.
    #[must_use]
    pub const fn unreadable(&self) -> usize {
        self.unreadable
    }

    /// The signature of a time-stamp, which is verified once for all signatures.
    pub(crate) fn token(&self, id: ObjectId, octets: &[u8]) -> TokenSignature {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || TokenSignature::read(octets, &self.certificates, &self.verified);
        tokens.entry(id).or_insert_with(new).clone()
    }

    /// What the data say about `certificate`, which `issuer` has issued, and why others
    /// about it do not count.
    pub(crate) fn about(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
    ) -> (Vec<Datum>, Vec<Rejected>) {
        let others = &self.certificates;
        let responses = self.responses.iter().map(|(id, response)| {
            (RevocationKind::Ocsp, Some(*id), response.about(certificate, issuer, others))
        });
        let lists = crl::about(certificate, issuer, &self.lists, others);
        // Delta CRLs without their complete CRL come last, and say nothing that counts.
        let ids = self.list_ids.iter().copied().map(Some).chain(iter::repeat(None));
        let lists = lists.into_iter().zip(ids).map(|(found, id)| (RevocationKind::Crl, id, found));
        let (mut data, mut rejected) = (Vec::new(), Vec::new());
        for (kind, id, found) in responses.chain(lists) {
            if data.len() + rejected.len() == MAX_DATA_PER_CERTIFICATE {
                break;
            }
            match (found, id) {
                (Ok(facts), Some(id)) => data.push(Datum { id, facts }),
                (Ok(_), None) => {}
                (Err(Unusable::OtherCertificate | Unusable::OtherIssuer), _) => {}
                (Err(why), _) => rejected.push(Rejected { kind, why: why.to_string() }),
            }
        }
        (data, rejected)
    }
}

/// Digests what is read.
struct Digesting<'s> {
    digester: ObjectIdDigester,
    source: Box<dyn Read + 's>,
}

impl Read for Digesting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.source.read(buffer)?;
        self.digester.update(buffer.get(..len).unwrap_or_default());
        Ok(len)
    }
}

impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Material")
            .field("certificates", &self.certificates.len())
            .field("responses", &self.responses.len())
            .field("lists", &self.lists.len())
            .field("unreadable", &self.unreadable)
            .finish()
    }
}
