//! Answers to needs: what was asked for is taken, and everything else is named.

use ades_core::{Certificate, Digest, DigestAlgorithm};
use ades_evidence::answers::{Answer as Fetched, AnswerError};
use ades_evidence::needs::{Need, Octets};
use ades_evidence::ocsp::{OcspError, OcspRequest, ResponseStatus};
use ades_evidence::token::{ResponseError, TimeStampRequest, TokenMismatch};
use ades_tests::evidence::{
    Answer, By, List, Response, Stamp, TIME_STAMPING, extension, profile, with_extended_key_usage,
};
use ades_tests::pki::{Pki, TestSigner, pem};
use chrono::{DateTime, Utc};
use proptest::prelude::*;

/// A time at which the data of [`ades_tests::evidence`] have not run out.
const NOW: &str = "2026-01-02T00:00:00Z";
const LATER: &str = "2027-01-01T00:00:00Z";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A P-256 signer and its issuer.
fn signer() -> (TestSigner, Certificate) {
    let signer = Pki::shared().issue(&profile("Asked about", &[], false));
    let issuer = signer.chain.certificates()[1].clone();
    (signer, issuer)
}

fn ocsp_need(certificate: &Certificate, issuer: &Certificate, nonce: Option<&[u8]>) -> Need {
    let request = OcspRequest::new(certificate, issuer, DigestAlgorithm::Sha1, nonce).unwrap();
    Need::Ocsp { request, urls: Vec::new() }
}

/// Trap 24: CertID, nonce and time of an OCSP response.
#[test]
fn an_ocsp_response_is_about_the_certificate_and_has_not_run_out() {
    let (one, issuer) = signer();
    let (other, _) = signer();
    let need = ocsp_need(one.leaf(), &issuer, Some(b"a nonce"));
    let response = Response::new(Answer::good(one.leaf(), &issuer));
    let octets = response.whole(By::Issuing(Pki::shared()));
    let read = need.read_answer(octets.clone(), at(NOW)).unwrap();
    assert!(matches!(read, Fetched::OcspResponse(kept) if kept == octets));
    let error = need.read_answer(octets, at(LATER)).unwrap_err();
    assert!(matches!(error, AnswerError::OutOfDate { .. }), "{error:?}");

    let about_another = Response::new(Answer::good(other.leaf(), &issuer));
    let octets = about_another.whole(By::Issuing(Pki::shared()));
    let error = need.read_answer(octets, at(NOW)).unwrap_err();
    assert!(matches!(error, AnswerError::OtherCertificate), "{error:?}");

    let nonce = |octets: &[u8]| extension("1.3.6.1.5.5.7.48.1.2", false, octets);
    for (octets, is_same) in [(&b"\x04\x07a nonce"[..], true), (b"\x04\x07b nonce", false)] {
        let mut response = response.clone();
        response.extensions = vec![nonce(octets)];
        let read = need.read_answer(response.whole(By::Issuing(Pki::shared())), at(NOW));
        assert_eq!(read.is_ok(), is_same);
        assert!(is_same || matches!(read, Err(AnswerError::Nonce)), "{read:?}");
    }
    let later = need.read_answer(vec![0x30, 3, 0x0A, 1, 3], at(NOW)).unwrap_err();
    let refused = AnswerError::Ocsp(OcspError::NotSuccessful(ResponseStatus::TryLater));
    assert_eq!(later.to_string(), refused.to_string());
    let page = need.read_answer(b"<!DOCTYPE html>".to_vec(), at(NOW)).unwrap_err();
    assert!(matches!(page, AnswerError::Ocsp(OcspError::Malformed { .. })), "{page:?}");
}

#[test]
fn a_crl_reads_and_has_not_run_out() {
    let need = Need::Crl { urls: Vec::new() };
    let octets = List::new(1, Vec::new()).signed(By::Issuing(Pki::shared()));
    assert!(matches!(need.read_answer(octets.clone(), at(NOW)), Ok(Fetched::Crl(_))));
    let error = need.read_answer(octets, at(LATER)).unwrap_err();
    assert!(matches!(error, AnswerError::OutOfDate { .. }), "{error:?}");
    let error = need.read_answer(b"<!DOCTYPE html>".to_vec(), at(NOW)).unwrap_err();
    assert!(matches!(error, AnswerError::Crl(_)), "{error:?}");
}

/// RFC 5280, 4.2.2.1: a certificate, or several in a CMS container. PEM is sent, too.
#[test]
fn an_issuer_is_found_in_each_form() {
    let (one, issuer) = signer();
    let need = Need::issuer(one.leaf());
    let container = Stamp {
        certificates: vec![one.leaf().clone(), issuer.clone()],
        ..Stamp::new(b"", &time_stamping())
    };
    for (octets, count) in [
        (issuer.der().to_vec(), 1),
        (pem(&issuer).into_bytes(), 1),
        (container.signed(&time_stamping()), 2),
    ] {
        let Ok(Fetched::Certificates(all)) = need.read_answer(octets, at(NOW)) else { panic!() };
        assert_eq!(all.len(), count);
        assert!(all.contains(&issuer));
    }
    let error = need.read_answer(one.leaf().der().to_vec(), at(NOW)).unwrap_err();
    assert!(matches!(error, AnswerError::OtherIssuer), "{error:?}");
    for odd in [&b"<!DOCTYPE html>"[..], b"", b"\x30\x00", b"\x30\x80"] {
        let error = need.read_answer(odd.to_vec(), at(NOW)).unwrap_err();
        assert!(matches!(error, AnswerError::NoCertificate), "{error:?}");
    }
    let other =
        Need::Issuer { urls: Vec::new(), name: Octets(one.leaf().subject().to_vec()), aki: None };
    assert!(matches!(
        other.read_answer(issuer.der().to_vec(), at(NOW)),
        Err(AnswerError::OtherIssuer)
    ));
}

fn time_stamping() -> TestSigner {
    with_extended_key_usage(Pki::shared(), "Service", &[TIME_STAMPING], true)
}

/// Trap 24: what a time-stamp is compared with.
#[test]
fn a_time_stamp_is_over_the_imprint() {
    let imprint = |data: &[u8]| Digest::of(DigestAlgorithm::Sha256, data);
    let need = |data: &[u8]| Need::TimeStamp {
        request: TimeStampRequest::new(&imprint(data), None, None).unwrap(),
    };
    let service = time_stamping();
    let token = Stamp::new(b"the data", &service).signed(&service);
    let granted = ades_core::asn1::der::element(0x30, &[&[0x30, 3, 2, 1, 0], &token]);
    let read = need(b"the data").read_answer(granted.clone(), at(NOW)).unwrap();
    assert!(matches!(read, Fetched::TimeStamp(octets) if octets == token));
    let error = need(b"other data").read_answer(granted, at(NOW)).unwrap_err();
    assert!(matches!(error, AnswerError::OtherTimeStamp(TokenMismatch::Imprint)), "{error:?}");
    let refused = vec![0x30, 5, 0x30, 3, 2, 1, 2];
    let error = need(b"the data").read_answer(refused, at(NOW)).unwrap_err();
    let AnswerError::TimeStamp(ResponseError::Refused { status: 2, .. }) = error else {
        panic!("{error:?}")
    };
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever a service sends, it is an answer or an error.
    #[test]
    fn no_octets_cause_a_panic(
        octets in proptest::collection::vec(any::<u8>(), 0..200),
        at_end in any::<bool>(),
    ) {
        let (one, issuer) = signer();
        let imprint = Digest::of(DigestAlgorithm::Sha256, b"the data");
        let token = Stamp::new(b"the data", &time_stamping()).signed(&time_stamping());
        let response = Response::new(Answer::good(one.leaf(), &issuer));
        for (need, good) in [
            (ocsp_need(one.leaf(), &issuer, None), response.whole(By::Issuing(Pki::shared()))),
            (
                Need::Crl { urls: Vec::new() },
                List::new(1, Vec::new()).signed(By::Issuing(Pki::shared())),
            ),
            (Need::issuer(one.leaf()), issuer.der().to_vec()),
            (
                Need::TimeStamp { request: TimeStampRequest::new(&imprint, None, None).unwrap() },
                token,
            ),
        ] {
            let spoiled = match at_end {
                true => [&good[..good.len() / 2], &octets].concat(),
                false => octets.clone(),
            };
            prop_assert!(need.read_answer(spoiled, at(NOW)).is_err());
        }
    }
}
