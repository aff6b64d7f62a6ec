//! OCSP responses: OpenSSL's cases, and those of our own PKI that are wrong in one way.

use std::collections::HashMap;

use ades_core::{Certificate, DigestAlgorithm, base64, chain};
use ades_evidence::ocsp::{CertificateId, OcspError, OcspRequest, OcspResponse, ResponseStatus};
use ades_evidence::path::{IssuerPool, Outcome, PathBuilder, Purpose, Request};
use ades_evidence::revocation::{
    CertificateStatus, Reason, RevocationFacts, SignerRole, TimeFault, Unusable,
};
use ades_tests::corpora::everything;
use ades_tests::evidence::{
    Answer, By, OCSP_SIGNING, Response, TIME_STAMPING, certificate_id, extension, profile, time,
    with_extended_key_usage,
};
use ades_tests::pki::{Key, Pki};
use chrono::{DateTime, Utc};
use rcgen::CustomExtension;
use serde_json::Value;

/// What a case of OpenSSL says about the response with the fault.
fn expected(message: &str) -> Verdict {
    for (part, outcome) in [
        ("verify OCSP response signature", Verdict::Unusable(Unusable::Signature)),
        ("certificate could not be located", Verdict::Unusable(Unusable::NoSigner)),
        ("certificate could not be validated", Verdict::Unusable(Unusable::NotAuthorized)),
        ("hash does not match", Verdict::Unusable(Unusable::OtherCertificate)),
        ("not recent enough", Verdict::Stale),
    ] {
        if message.contains(part) {
            return outcome;
        }
    }
    panic!("unknown outcome: {message}");
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Good,
    Stale,
    Unusable(Unusable),
}

#[test]
fn openssl_and_we_agree() {
    let Some(files) = everything(&["ocsp"], &[".ors", ".pem"]) else { return };
    let files: HashMap<&str, &[u8]> = files
        .iter()
        .map(|(path, octets)| (path.rsplit('/').next().unwrap(), &octets[..]))
        .collect();
    let text = |name: &str| String::from_utf8(files[name].to_vec()).unwrap();
    let certificate = |name: &str| chain::certificates_from_pem(&text(name)).unwrap().remove(0);
    let cases = everything(&["ocsp"], &["openssl-ocsp.json"]).unwrap();
    let cases: Value = serde_json::from_slice(&cases[0].1).unwrap();
    let cases = cases.as_array().unwrap();
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let names = |key: &str| -> Vec<String> {
            let all = case[key].as_array().cloned().unwrap_or_default();
            all.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
        };
        let mut path = vec![certificate(case["cert"].as_str().unwrap())];
        path.extend(names("other_certs").iter().map(|name| certificate(name)));
        path.push(certificate(case["root"].as_str().unwrap()));
        let moment: DateTime<Utc> = case["moment"].as_str().unwrap().parse().unwrap();
        let mut outcomes = Vec::new();
        for (at, file) in names("ocsps").iter().enumerate() {
            let octets: String = text(file).split_whitespace().collect();
            let response = OcspResponse::read(base64::decode(&octets).unwrap()).unwrap();
            let facts = response.about(&path[at], &path[at + 1], &[]);
            outcomes.push(match facts {
                Ok(facts) => {
                    assert_eq!(facts.status, CertificateStatus::Good, "{name}");
                    match facts.check_current(moment) {
                        Ok(()) => Verdict::Good,
                        Err(TimeFault::Stale { .. }) => Verdict::Stale,
                        Err(other) => panic!("{name}: {other}"),
                    }
                }
                Err(why) => Verdict::Unusable(why),
            });
        }
        let fault = outcomes.into_iter().find(|outcome| *outcome != Verdict::Good);
        let mut wanted = case.get("error").map(|e| expected(e["msg_regex"].as_str().unwrap()));
        // This responder is named by its key, and its certificate has another key.
        if name == "delegated_with_intermediate_invalid_wrong_key_in_signing_cert" {
            wanted = Some(Verdict::Unusable(Unusable::NoSigner));
        }
        assert_eq!(fault, wanted, "{name}");
    }
    assert_eq!(cases.len(), 29);
}

struct Parties {
    pki: &'static Pki,
    subject: Certificate,
}

fn parties() -> Parties {
    let pki = Pki::shared();
    Parties { pki, subject: pki.signer(Key::P256).leaf().clone() }
}

impl Parties {
    fn good(&self) -> Answer {
        Answer::good(&self.subject, self.pki.issuing())
    }

    fn read(&self, octets: Vec<u8>) -> Result<RevocationFacts, Unusable> {
        OcspResponse::read(octets).unwrap().about(&self.subject, self.pki.issuing(), &[])
    }

    fn by_issuer(&self, response: &Response) -> Result<RevocationFacts, Unusable> {
        self.read(response.whole(By::Issuing(self.pki)))
    }
}

/// Trap 23: fractions of a second are read, which RFC 5280 does not allow.
#[test]
fn good_by_the_issuer_whatever_the_form() {
    let parties = parties();
    for algorithm in [DigestAlgorithm::Sha1, DigestAlgorithm::Sha256, DigestAlgorithm::Sha512] {
        for by_key in [false, true] {
            let mut answer = parties.good();
            answer.id = certificate_id(&parties.subject, parties.pki.issuing(), algorithm);
            answer.this_update = "20260101000000.25Z";
            let other = Answer::good(parties.pki.issuing(), parties.pki.root());
            let mut response = Response { by_key, ..Response::new(other) };
            response.answers.push(answer);
            let by = By::Issuing(parties.pki);
            for octets in [response.whole(by), response.basic(by)] {
                let read = OcspResponse::read(octets.clone()).unwrap();
                assert_eq!(read.octets(), octets);
                assert_eq!(read.basic(), response.basic_of(&octets));
                let facts = read.about(&parties.subject, parties.pki.issuing(), &[]).unwrap();
                assert_eq!(facts.status, CertificateStatus::Good);
                assert_eq!(facts.role, SignerRole::Issuer);
                assert_eq!(facts.this_update.to_rfc3339(), "2026-01-01T00:00:00.250+00:00");
            }
        }
    }
}

#[test]
fn revoked_and_unknown() {
    let parties = parties();
    let answer = parties.good().revoked("20251231120000Z", Some(1));
    let facts = parties.by_issuer(&Response::new(answer)).unwrap();
    let CertificateStatus::Revoked(revocation) = facts.status else { panic!("{facts:?}") };
    assert_eq!(revocation.reason, Some(Reason::KeyCompromise));
    let at = revocation.time;
    assert_eq!(facts.is_revoked_at(at), Some(true));
    assert_eq!(facts.is_revoked_at(at - chrono::TimeDelta::seconds(1)), Some(false));

    let mut unknown = parties.good();
    unknown.status = vec![0x82, 0];
    let facts = parties.by_issuer(&Response::new(unknown)).unwrap();
    assert_eq!((facts.status, facts.is_revoked_at(at)), (CertificateStatus::Unknown, None));
}

#[test]
fn delegated_responders_need_their_certificate_from_the_issuer_itself() {
    let parties = parties();
    let answer = |responder: &ades_tests::pki::TestSigner, with: bool| {
        let mut response = Response::new(parties.good());
        if with {
            response.certificates.push(responder.leaf().clone());
        }
        response.whole(By::Signer(responder))
    };
    let pki = parties.pki;
    let good = with_extended_key_usage(pki, "Responder", &[OCSP_SIGNING], false);
    let facts = parties.read(answer(&good, true)).unwrap();
    assert_eq!(facts.role, SignerRole::Delegated { no_check: false });
    assert_eq!(facts.signer, *good.leaf());
    let path = |purpose| {
        let request = Request::document_signing(facts.this_update).purpose(purpose);
        let pool = IssuerPool::new(&[pki.issuing().clone()]);
        PathBuilder::new(&[pki.root().clone()]).find(&facts.signer, &pool, &request)
    };
    assert!(matches!(path(Purpose::OcspSigning), Outcome::Valid(_)));
    assert!(matches!(path(Purpose::TimeStamping), Outcome::Invalid(_)));
    // Its certificate is elsewhere, or nowhere.
    let octets = answer(&good, false);
    let read = OcspResponse::read(octets.clone()).unwrap();
    let others = [good.leaf().clone()];
    assert!(read.about(&parties.subject, pki.issuing(), &others).is_ok());
    assert_eq!(parties.read(octets).unwrap_err(), Unusable::NoSigner);

    let mut checked = profile("Responder without check", &[OCSP_SIGNING], true);
    let no_check = [1, 3, 6, 1, 5, 5, 7, 48, 1, 5];
    checked.extensions.push(CustomExtension::from_oid_content(&no_check, vec![5, 0]));
    let facts = parties.read(answer(&pki.issue(&checked), true)).unwrap();
    assert_eq!(facts.role, SignerRole::Delegated { no_check: true });

    let other = Pki::new();
    for wrong in [
        with_extended_key_usage(pki, "Time-stamps", &[TIME_STAMPING], false),
        with_extended_key_usage(pki, "Any use", &["2.5.29.37.0"], false),
        with_extended_key_usage(&other, "Other issuer", &[OCSP_SIGNING], false),
    ] {
        let why = parties.read(answer(&wrong, true)).unwrap_err();
        assert_eq!(why, Unusable::NotAuthorized, "{:?}", wrong.leaf().common_name());
    }
    // The subject does not speak for itself.
    let own = parties.read(answer(pki.signer(Key::P256), true));
    assert_eq!(own.unwrap_err(), Unusable::NotAuthorized);
}

#[test]
fn extensions_are_processed_or_refused() {
    let parties = parties();
    let hash = |certificate: &Certificate| {
        use ades_core::asn1::der::{OCTET_STRING, SEQUENCE, element};
        let value = element(OCTET_STRING, &[certificate.digest(DigestAlgorithm::Sha256).value()]);
        let algorithm = DigestAlgorithm::Sha256.algorithm_identifier();
        extension("1.3.36.8.3.13", false, &element(SEQUENCE, &[&algorithm, &value]))
    };
    let with = |extensions: Vec<Vec<u8>>| {
        parties.by_issuer(&Response::new(Answer { extensions, ..parties.good() }))
    };
    let facts = with(vec![hash(&parties.subject)]).unwrap();
    assert_eq!(facts.certificate_hash, Some(true));
    assert_eq!(with(Vec::new()).unwrap().certificate_hash, None);
    let other = with(vec![hash(parties.pki.issuing())]);
    assert_eq!(other.unwrap_err(), Unusable::CertificateHash);
    let cutoff = extension("1.3.6.1.5.5.7.48.1.6", false, &time("20200101000000Z"));
    let facts = with(vec![cutoff]).unwrap();
    assert_eq!(facts.keeps_expired_since.unwrap().to_rfc3339(), "2020-01-01T00:00:00+00:00");

    let unknown = |critical| extension("1.2.3.4", critical, &[5, 0]);
    assert!(with(vec![unknown(false)]).is_ok());
    let refused = with(vec![unknown(true)]).unwrap_err();
    assert!(matches!(refused, Unusable::CriticalExtension(_)) && refused.is_undecided());
    let mut response = Response::new(parties.good());
    response.extensions = vec![unknown(true)];
    assert_eq!(parties.by_issuer(&response).unwrap_err(), refused);
    // A nonce in an OCTET STRING, and without one as older servers write it.
    for inner in [&[4, 2, 7, 8][..], &[7, 8]] {
        response.extensions = vec![extension("1.3.6.1.5.5.7.48.1.2", false, inner)];
        let read = OcspResponse::read(response.whole(By::Issuing(parties.pki))).unwrap();
        assert_eq!(read.nonce(), Some(&[7, 8][..]));
    }
}

#[test]
fn a_changed_octet_is_never_good() {
    let parties = parties();
    let good = Response::new(parties.good()).whole(By::Issuing(parties.pki));
    let (mut unusable, mut unreadable) = (0, 0);
    for at in 0..good.len() {
        let mut changed = good.clone();
        changed[at] ^= 0x04;
        match OcspResponse::read(changed) {
            Err(_) => unreadable += 1,
            Ok(read) => match read.about(&parties.subject, parties.pki.issuing(), &[]) {
                Err(_) => unusable += 1,
                Ok(facts) => panic!("octet {at}: {facts:?}"),
            },
        }
        assert!(OcspResponse::read(&good[..at]).is_err(), "the first {at} octets");
    }
    assert!(unusable > 100 && unreadable > 20, "{unusable}, {unreadable}");
}

#[test]
fn refusals_are_named() {
    for (octets, status) in [
        (&[0x30, 3, 0x0A, 1, 3][..], ResponseStatus::TryLater),
        (&[0x30, 3, 0x0A, 1, 6], ResponseStatus::Unauthorized),
        (&[0x30, 3, 0x0A, 1, 9], ResponseStatus::Other(9)),
    ] {
        let found = OcspResponse::read(octets).unwrap_err();
        assert_eq!(found, OcspError::NotSuccessful(status));
    }
}

#[test]
fn requests_name_the_certificate_and_survive_storage() {
    let parties = parties();
    let issuer = parties.pki.issuing();
    let request = |nonce: Option<&[u8]>| {
        OcspRequest::new(&parties.subject, issuer, DigestAlgorithm::Sha1, nonce)
    };
    let with = request(Some(&[7; 32])).unwrap();
    let id = CertificateId::of(&parties.subject, issuer, DigestAlgorithm::Sha1).unwrap();
    assert!(with.der().windows(20).any(|octets| octets == id.issuer_key_hash));
    assert_eq!(id.names(&parties.subject, issuer), Some(true));
    assert_eq!(id.names(&parties.subject, parties.pki.root()), Some(false));
    assert!(request(Some(&[])).is_none() && request(Some(&[7; 33])).is_none());
    let stored = serde_json::to_string(&with).unwrap();
    assert_eq!(serde_json::from_str::<OcspRequest>(&stored).unwrap(), with);
    assert!(serde_json::from_str::<OcspRequest>("\"MAA=\"").is_err());
}
