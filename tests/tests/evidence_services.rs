//! The sandbox's time-stamping service, asked over HTTP: each of its faults has its own error.

use std::time::Duration;

use ades_core::{Certificate, Digest, DigestAlgorithm, Oid, chain};
use ades_evidence::answers::{Answer, AnswerError};
use ades_evidence::needs::Need;
use ades_evidence::token::{
    ResponseError, TimeStampRequest, TokenFacts, TokenMismatch, TokenProblem, verify,
};
use ades_fetch::{Allowed, Exchange, FetchError, Fetcher, Hosts, Limits, Policy};
use chrono::{DateTime, TimeDelta, Utc};
use itsme_sandbox::{Config, EvidenceFault, EvidenceService, Sandbox};

const DATA: &[u8] = b"the data";

fn now() -> DateTime<Utc> {
    std::time::SystemTime::now().into()
}

struct Bench {
    sandbox: Sandbox,
    fetcher: Fetcher,
    request: TimeStampRequest,
}

/// Where a time-stamp fails.
#[derive(Debug)]
enum Failure {
    Fetch(FetchError),
    Answer(AnswerError),
}

impl Bench {
    async fn new() -> Self {
        let sandbox = Sandbox::start(Config::default()).await.unwrap();
        let mut besides = Allowed::new();
        besides.add("127.0.0.1").unwrap();
        let mut limits = Limits::default();
        limits.answer = Duration::from_secs(1);
        let policy = Policy::new().hosts(Hosts::Public { besides }).limits(limits);
        let imprint = Digest::of(DigestAlgorithm::Sha256, DATA);
        let request = TimeStampRequest::new(&imprint, None, Some(b"a nonce")).unwrap();
        Self { sandbox, fetcher: Fetcher::new(&policy).unwrap(), request }
    }

    async fn ask(&self, request: &TimeStampRequest) -> Result<Vec<u8>, Failure> {
        let url = self.sandbox.time_stamping_url();
        let exchange = Exchange::TimeStamp { request: request.der() };
        let octets = self.fetcher.fetch(&url, exchange).await.map_err(Failure::Fetch)?;
        let need = Need::TimeStamp { request: request.clone() };
        match need.read_answer(octets, now()).map_err(Failure::Answer)? {
            Answer::TimeStamp(token) => Ok(token),
            other => panic!("{other:?}"),
        }
    }

    /// Asks with a fault.
    async fn with(&self, fault: EvidenceFault) -> Result<Vec<u8>, Failure> {
        assert!(self.sandbox.control().inject_evidence(EvidenceService::TimeStamp, fault, 1));
        self.ask(&self.request).await
    }

    async fn facts_with(&self, fault: EvidenceFault) -> TokenFacts {
        verify(&self.with(fault).await.unwrap(), &[]).unwrap()
    }

    /// The unit's certificate and that of its CA.
    fn unit(&self) -> Vec<Certificate> {
        chain::certificates_from_pem(&self.sandbox.pki().time_stamping_chain_pem()).unwrap()
    }
}

#[tokio::test]
async fn a_token_is_sound_and_of_this_minute() {
    let bench = Bench::new().await;
    let octets = bench.ask(&bench.request).await.unwrap();
    let facts = verify(&octets, &[]).unwrap();
    assert_eq!((facts.is_sound(), facts.problems.as_slice()), (Some(true), &[][..]));
    let unit = bench.unit();
    assert_eq!(facts.signer.as_ref(), unit.first());
    assert!(facts.certificates.contains(&unit[1]), "the certificate of its CA is there");
    assert_eq!(facts.token.is_over(DATA), Some(true));
    assert_eq!(facts.token.accuracy, Some(TimeDelta::seconds(1)));
    let age = now() - facts.token.time;
    assert!(age < TimeDelta::minutes(1) && age > TimeDelta::seconds(-2), "{age}");
    // Each digest of the SHA-2 family, without a nonce, and under the service's own policy.
    for algorithm in [DigestAlgorithm::Sha384, DigestAlgorithm::Sha512] {
        let imprint = Digest::of(algorithm, DATA);
        let request = TimeStampRequest::new(&imprint, facts.token.policy, None).unwrap();
        bench.ask(&request).await.unwrap();
    }
    let other = Oid::from_dotted("1.2.3");
    let request = TimeStampRequest::new(bench.request.imprint(), other, None).unwrap();
    let refused = bench.ask(&request).await.unwrap_err();
    let Failure::Answer(AnswerError::TimeStamp(ResponseError::Refused { failures, .. })) = refused
    else {
        panic!("{refused:?}")
    };
    assert_eq!(failures, [15], "unacceptedPolicy");
}

#[tokio::test]
async fn a_token_for_another_request_is_refused() {
    let bench = Bench::new().await;
    for (fault, expected) in [
        (EvidenceFault::WrongNonce, TokenMismatch::Nonce),
        (EvidenceFault::WrongImprint, TokenMismatch::Imprint),
    ] {
        let refused = bench.with(fault).await.unwrap_err();
        assert!(
            matches!(refused, Failure::Answer(AnswerError::OtherTimeStamp(why)) if why == expected),
            "{refused:?}"
        );
    }
    let policy = verify(&bench.ask(&bench.request).await.unwrap(), &[]).unwrap().token.policy;
    let request = TimeStampRequest::new(bench.request.imprint(), policy, None).unwrap();
    let control = bench.sandbox.control();
    assert!(control.inject_evidence(EvidenceService::TimeStamp, EvidenceFault::WrongPolicy, 1));
    let refused = bench.ask(&request).await.unwrap_err();
    let Failure::Answer(AnswerError::OtherTimeStamp(TokenMismatch::Policy)) = refused else {
        panic!("{refused:?}")
    };
}

#[tokio::test]
async fn a_token_that_proves_nothing_says_why() {
    let bench = Bench::new().await;
    let two = bench.facts_with(EvidenceFault::TwoSigners).await;
    assert_eq!(two.problems, [TokenProblem::NotOneSigner { found: 2 }]);
    let spoiled = bench.facts_with(EvidenceFault::WrongSignature).await;
    assert_eq!((spoiled.is_intact(), spoiled.is_sound()), (Some(false), Some(false)));
    let alone = bench.facts_with(EvidenceFault::NoCertificates).await;
    assert_eq!(alone.problems, [TokenProblem::SignerCertificateMissing]);
    assert_eq!(alone.is_sound(), None);
    // Its certificate is a fact, and its age is for a judge.
    let expired = bench.facts_with(EvidenceFault::ExpiredCertificate).await;
    assert_eq!(expired.is_sound(), Some(true));
    let (_, end) = expired.signer.unwrap().validity();
    assert!(end < expired.token.time);
    let old = bench.facts_with(EvidenceFault::Stale).await;
    assert!(now() - old.token.time > TimeDelta::days(1));
}

#[tokio::test]
async fn a_service_that_fails_says_how() {
    let bench = Bench::new().await;
    let rejection = EvidenceFault::Rejection { failure: 14, text: "no clock".to_owned() };
    let refused = bench.with(rejection).await.unwrap_err();
    let Failure::Answer(AnswerError::TimeStamp(ResponseError::Refused { status, failures, text })) =
        refused
    else {
        panic!("{refused:?}")
    };
    assert_eq!((status, failures.as_slice(), text.as_str()), (2, &[14][..], "no clock"));
    let page = bench.with(EvidenceFault::Garbage).await.unwrap_err();
    assert!(
        matches!(page, Failure::Answer(AnswerError::TimeStamp(ResponseError::Malformed))),
        "{page:?}"
    );
    let looped = bench.with(EvidenceFault::RedirectLoop).await;
    // The fault is for one answer, so the second one is a time-stamp.
    assert!(looped.is_ok());
    let control = bench.sandbox.control();
    assert!(control.inject_evidence(EvidenceService::TimeStamp, EvidenceFault::RedirectLoop, 9));
    let looped = bench.ask(&bench.request).await.unwrap_err();
    assert!(matches!(looped, Failure::Fetch(FetchError::Redirects { max: 3, .. })), "{looped:?}");
    control.reset();
    let slow = bench.with(EvidenceFault::Delay { millis: 3000 }).await.unwrap_err();
    assert!(matches!(slow, Failure::Fetch(FetchError::Timeout { .. })), "{slow:?}");
    let status = EvidenceFault::Status { status: 500, retry_after: None };
    let broken = bench.with(status).await.unwrap_err();
    assert!(matches!(broken, Failure::Fetch(FetchError::Status { status: 500, .. })), "{broken:?}");
    let busy = EvidenceFault::Status { status: 503, retry_after: Some(90) };
    let busy = bench.with(busy).await.unwrap_err();
    let Failure::Fetch(FetchError::Busy { after, .. }) = busy else { panic!("{busy:?}") };
    assert_eq!(after, Duration::from_secs(90));
}
