//! The services that raising a signature needs: time-stamps, OCSP responses and CRLs of the
//! test PKI, made for the request and at a time that the test chooses.

mod raising;

use std::sync::OnceLock;

use ades_core::asn1::der::{self, INTEGER, OCTET_STRING, SEQUENCE, context};
use ades_core::{Certificate, Digest, DigestAlgorithm};
use ades_evidence::needs::Need;
use ades_evidence::token::TimeStampRequest;
use chrono::{DateTime, TimeDelta, Utc};
use rcgen::CustomExtension;

use crate::cms::contains;
use crate::evidence::{
    Answer, By, List, OCSP_SIGNING, Response, Stamp, TIME_STAMPING, attribute, extension, oid,
    profile, time,
};
use crate::pki::{Key, Pki, Profile, TestSigner};

pub use raising::{Raising, assert_kept, now};

/// The address of OCSP responses in the certificates.
pub const OCSP_URL: &str = "http://ocsp.test/";
/// The address of CRLs in the certificates.
pub const CRL_URL: &str = "http://crl.test/issuing.crl";
/// The address of the root's CRL in the certificate of the issuing CA, if there is one.
pub const ROOT_CRL_URL: &str = "http://crl.test/root.crl";
/// message-digest
const MESSAGE_DIGEST: &str = "1.2.840.113549.1.9.4";

/// The extensions that name the services.
#[must_use]
pub fn addresses() -> Vec<CustomExtension> {
    let access = der::element(SEQUENCE, &[&oid("1.3.6.1.5.5.7.48.1"), &uri(OCSP_URL)]);
    let access = der::element(SEQUENCE, &[&access]);
    vec![
        CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], access),
        distribution_point(CRL_URL),
    ]
}

fn uri(text: &str) -> Vec<u8> {
    der::element(0x86, &[text.as_bytes()])
}

/// The extension that names the address of a CRL.
fn distribution_point(url: &str) -> CustomExtension {
    let names = der::element(context(0), &[&uri(url)]);
    let point = der::element(SEQUENCE, &[&der::element(context(0), &[&names])]);
    CustomExtension::from_oid_content(&[2, 5, 29, 31], der::element(SEQUENCE, &[&point]))
}

/// A PKI whose root publishes a CRL about the issuing CA, so that the root can be the anchor.
#[must_use]
pub fn with_root_list() -> &'static Pki {
    static PKI: OnceLock<Pki> = OnceLock::new();
    PKI.get_or_init(|| Pki::with_issuing_extensions(vec![distribution_point(ROOT_CRL_URL)]))
}

/// A signer whose certificate names the services.
#[must_use]
pub fn signer(pki: &Pki, key: Key) -> TestSigner {
    pki.issue(&Profile { extensions: addresses(), ..Profile::new(key) })
}

/// The first and the last day, each as year, month and day.
pub type Validity = ((i32, u8, u8), (i32, u8, u8));

/// A responder whose own revocation nobody checks.
fn no_check_responder(pki: &Pki, validity: Validity) -> TestSigner {
    let no_check = CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 48, 1, 5], vec![5, 0]);
    let mut of = Profile { validity, ..profile("Responder without check", &[OCSP_SIGNING], false) };
    of.extensions.push(no_check);
    pki.issue(&of)
}

/// How a responder signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Responder {
    /// The issuing CA itself.
    Issuing,
    /// A responder whose certificate has `nocheck`.
    NoCheck,
    /// A responder about whose own certificate there is a CRL.
    Checked,
}

/// The services.
#[derive(Debug)]
pub struct Services {
    pki: &'static Pki,
    /// The time-stamping service.
    pub authority: TestSigner,
    responder: TestSigner,
    no_check: TestSigner,
    /// How OCSP responses are signed.
    pub by: Responder,
    /// The present time.
    pub now: DateTime<Utc>,
    /// The certificates that are revoked.
    pub revoked: Vec<Certificate>,
    /// Further certificates about which the responder knows.
    pub known: Vec<Certificate>,
    /// The CRL at [`CRL_URL`], instead of one of the present time.
    pub stored_crl: Option<Vec<u8>>,
    /// Number of answers of each kind: time-stamps, OCSP responses, CRLs.
    pub counts: [usize; 3],
}

impl Services {
    /// The services of a PKI at a time.
    #[must_use]
    pub fn new(pki: &'static Pki, now: DateTime<Utc>) -> Self {
        let with = |mut of: Profile, more: Vec<CustomExtension>| {
            of.extensions.extend(more);
            pki.issue(&of)
        };
        Self {
            authority: with(profile("Authority", &[TIME_STAMPING], true), addresses()),
            responder: with(profile("Responder", &[OCSP_SIGNING], false), addresses()),
            no_check: no_check_responder(pki, ((2020, 1, 1), (2050, 1, 1))),
            by: Responder::Issuing,
            pki,
            now,
            revoked: Vec::new(),
            known: Vec::new(),
            stored_crl: None,
            counts: [0; 3],
        }
    }

    /// Replaces the time-stamping service and the responder with `nocheck` by others, whose
    /// certificates are valid between two days. The responder knows the service before it, too.
    pub fn replace(&mut self, validity: Validity) {
        let next = self.new_authority(validity);
        self.known.push(std::mem::replace(&mut self.authority, next).leaf().clone());
        self.no_check = no_check_responder(self.pki, validity);
    }

    /// Another time-stamping service, whose certificate is valid between two days.
    #[must_use]
    pub fn new_authority(&self, validity: Validity) -> TestSigner {
        let mut of = Profile { validity, ..profile("Next authority", &[TIME_STAMPING], true) };
        of.extensions.extend(addresses());
        self.pki.issue(&of)
    }

    /// The answer to a need. `None` for an unknown one.
    pub fn answer(&mut self, need: &Need, known: &[&Certificate]) -> Option<Vec<u8>> {
        match need {
            Need::TimeStamp { request } => {
                self.counts[0] += 1;
                Some(response(&self.token(request)))
            }
            Need::Ocsp { request, urls } => {
                assert_eq!(*urls, [OCSP_URL]);
                self.counts[1] += 1;
                let certificates = known.iter().copied().chain([self.authority.leaf()]);
                let certificates = certificates.chain(&self.known);
                let is_asked = |one: &&Certificate| contains(request.der(), one.serial_number());
                let asked = certificates.into_iter().find(is_asked)?;
                Some(self.ocsp(&asked.clone()))
            }
            Need::Crl { urls } => {
                self.counts[2] += 1;
                let [url] = urls.as_slice() else { panic!("{urls:?}") };
                match url.as_str() {
                    CRL_URL => {
                        let stored = self.stored_crl.clone();
                        Some(stored.unwrap_or_else(|| self.crl(By::Issuing(self.pki))))
                    }
                    ROOT_CRL_URL => Some(self.crl(By::Root(self.pki))),
                    other => panic!("{other}"),
                }
            }
            _ => None,
        }
    }

    /// A token that answers a request, at the present time.
    #[must_use]
    pub fn token(&self, request: &TimeStampRequest) -> Vec<u8> {
        self.token_over(request.imprint(), nonce(request))
    }

    /// A token over a digest.
    #[must_use]
    pub fn token_over(&self, imprint: &Digest, nonce: Option<Vec<u8>>) -> Vec<u8> {
        let digest = der::element(OCTET_STRING, &[imprint.value()]);
        let imprint = [imprint.algorithm().algorithm_identifier(), digest].concat();
        let info = [
            der::unsigned_integer(&[1]),
            oid("1.2.3.4.1"),
            der::element(SEQUENCE, &[&imprint]),
            der::unsigned_integer(&self.now.timestamp_micros().to_be_bytes()),
            time(&text(self.now)),
            der::element(SEQUENCE, &[&[INTEGER, 1, 1]]),
            nonce.map(|nonce| der::element(INTEGER, &[&nonce])).unwrap_or_default(),
        ];
        let info = der::element(SEQUENCE, &[&info.concat()]);
        let digest = Digest::of(DigestAlgorithm::Sha256, &info);
        let digest = der::element(OCTET_STRING, &[digest.value()]);
        let mut stamp = Stamp::new(b"", &self.authority);
        stamp.attributes[0] = attribute(MESSAGE_DIGEST, &[digest]);
        stamp.info = info;
        stamp.signed(&self.authority)
    }

    fn ocsp(&self, about: &Certificate) -> Vec<u8> {
        let mut answer = Answer::good(about, self.pki.issuing());
        answer.this_update = leaked(self.now);
        answer.next_update = Some(leaked(self.now + TimeDelta::days(7)));
        if self.revoked.contains(about) {
            answer = answer.revoked(&text(self.now - TimeDelta::days(1)), Some(1));
        }
        let mut response = Response::new(answer);
        response.produced_at = leaked(self.now);
        match self.by {
            Responder::Issuing => response.whole(By::Issuing(self.pki)),
            Responder::NoCheck => {
                response.certificates.push(self.no_check.leaf().clone());
                response.whole(By::Signer(&self.no_check))
            }
            Responder::Checked => {
                response.certificates.push(self.responder.leaf().clone());
                response.whole(By::Signer(&self.responder))
            }
        }
    }

    fn crl(&self, by: By<'_>) -> Vec<u8> {
        self.crl_until(by, self.now + TimeDelta::days(7))
    }

    /// A CRL of the present time, with its nextUpdate.
    #[must_use]
    pub fn crl_until(&self, by: By<'_>, next_update: DateTime<Utc>) -> Vec<u8> {
        let mut list = List::new(1, Vec::new());
        list.this_update = leaked(self.now);
        list.next_update = Some(leaked(next_update));
        list.extensions = vec![extension("2.5.29.20", false, &[INTEGER, 1, 1])];
        list.signed(by)
    }
}

/// A granted response of a time-stamping service.
#[must_use]
pub fn response(token: &[u8]) -> Vec<u8> {
    let granted = der::element(SEQUENCE, &[&[INTEGER, 1, 0]]);
    der::element(SEQUENCE, &[&granted, token])
}

/// The content octets of the nonce in a request.
fn nonce(request: &TimeStampRequest) -> Option<Vec<u8>> {
    let whole = ades_core::asn1::ber::Reader::new(request.der(), 0).next("request").unwrap();
    let fields = whole.children().all(8).unwrap();
    let numbers: Vec<_> = fields.iter().filter(|field| field.tag == INTEGER).collect();
    numbers.get(1).map(|nonce| nonce.content.to_vec())
}

fn text(time: DateTime<Utc>) -> String {
    time.format("%Y%m%d%H%M%SZ").to_string()
}

/// The makers of responses take texts that live for ever.
fn leaked(time: DateTime<Utc>) -> &'static str {
    Box::leak(text(time).into_boxed_str())
}
