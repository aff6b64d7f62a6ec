//! The evidence services, which OpenSSL checks, and their faults.

use std::fs;
use std::time::{Duration, Instant};

use itsme_sandbox::{Config, EvidenceFault, EvidenceService, Sandbox, User};
use reqwest::Client;
use tempfile::TempDir;

use crate::openssl::openssl;

/// A sandbox, the signer's certificate and those of the CAs in files, and a client.
struct Bench {
    sandbox: Sandbox,
    dir: TempDir,
    client: Client,
}

impl Bench {
    async fn new() -> Self {
        Self::with(Config::default()).await
    }

    async fn with(config: Config) -> Self {
        let sandbox = Sandbox::start(config).await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let pki = sandbox.pki();
        let files = [
            ("leaf.pem", pki.certificate_pem(User::Ready).unwrap()),
            ("issuing.pem", pki.issuing_pem().to_owned()),
            ("root.pem", pki.root_pem().to_owned()),
            ("chain.pem", pki.chain_pem()),
            ("tsa.pem", pki.time_stamping_chain_pem()),
        ];
        for (name, text) in files {
            fs::write(dir.path().join(name), text).unwrap();
        }
        fs::write(dir.path().join("data"), "the data").unwrap();
        let redirect = reqwest::redirect::Policy::none();
        let client = Client::builder().no_proxy().redirect(redirect).build().unwrap();
        Self { sandbox, dir, client }
    }

    fn openssl(&self, arguments: &str) -> Result<String, String> {
        openssl(&arguments.split(' ').collect::<Vec<_>>(), self.dir.path())
    }

    fn url(&self, service: EvidenceService) -> String {
        let urls = self.sandbox.evidence_urls();
        urls.into_iter().find(|(other, _)| *other == service).unwrap().1
    }

    fn fault(&self, service: EvidenceService, fault: EvidenceFault) {
        assert!(self.sandbox.control().inject_evidence(service, fault, 1));
    }

    async fn post(&self, url: &str, request: Vec<u8>, file: &str) {
        let answer = self.client.post(url).body(request).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        fs::write(self.dir.path().join(file), answer.bytes().await.unwrap()).unwrap();
    }

    async fn get(&self, url: &str, file: &str) {
        let answer = self.client.get(url).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{url}");
        fs::write(self.dir.path().join(file), answer.bytes().await.unwrap()).unwrap();
    }

    /// Asks for a time-stamp, and what OpenSSL says about it.
    async fn time_stamp(&self) -> Result<String, String> {
        self.openssl("ts -query -data data -sha256 -cert -out query").unwrap();
        let query = fs::read(self.dir.path().join("query")).unwrap();
        self.post(&self.sandbox.time_stamping_url(), query, "reply").await;
        self.openssl("ts -verify -queryfile query -in reply -CAfile root.pem")
    }

    /// Lets OpenSSL ask about the signer, with a nonce.
    async fn ocsp(&self) -> Result<String, String> {
        let asked = "ocsp -issuer issuing.pem -cert leaf.pem -CAfile root.pem";
        let chain = "-verify_other issuing.pem -timeout 20";
        let url = self.url(EvidenceService::Ocsp);
        let arguments = format!("{asked} {chain} -url {url}");
        let dir = self.dir.path().to_owned();
        let run = move || openssl(&arguments.split(' ').collect::<Vec<_>>(), &dir);
        tokio::task::spawn_blocking(run).await.unwrap()
    }

    /// What OpenSSL says about the signer with the CRLs of its issuer and of the root.
    async fn crl(&self) -> Result<String, String> {
        let mut pem = String::new();
        for service in [EvidenceService::Crl, EvidenceService::RootCrl] {
            self.get(&self.url(service), "list.crl").await;
            pem += &self.openssl("crl -inform DER -in list.crl").unwrap();
        }
        fs::write(self.dir.path().join("lists.pem"), pem).unwrap();
        self.openssl("verify -x509_strict -crl_check_all -CAfile root.pem -untrusted issuing.pem -CRLfile lists.pem leaf.pem")
    }
}

#[tokio::test]
#[ignore = "asks OpenSSL"]
async fn openssl_accepts_time_stamps_responses_and_lists() {
    let bench = Bench::new().await;
    bench.time_stamp().await.unwrap();
    let text = bench.openssl("ts -reply -in reply -text").unwrap();
    for part in ["Status: Granted.", "Policy OID: 2.25.", "Accuracy: 0x01 seconds", "Nonce: 0x"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let text = bench.ocsp().await.unwrap();
    assert!(text.contains("leaf.pem: good"), "{text}");
    bench.crl().await.unwrap();
    // The unit's certificate, by the purpose.
    bench.openssl("verify -purpose timestampsign -x509_strict -CAfile root.pem -untrusted tsa.pem tsa.pem").unwrap();
    bench.get(&bench.url(EvidenceService::TimeStampCrl), "tsa.crl").await;
    bench.openssl("crl -inform DER -in tsa.crl -CAfile tsa.pem -noout").unwrap();
}

#[tokio::test]
#[ignore = "asks OpenSSL"]
async fn certificates_state_where_their_evidence_is() {
    let bench = Bench::new().await;
    let front = bench.sandbox.front_url();
    for (file, stated) in [
        ("leaf.pem", ["signers.crt", "signers/ocsp", "signers.crl"].as_slice()),
        ("issuing.pem", &["root.crt", "root.crl"]),
        ("tsa.pem", &["time-stamping.crt", "time-stamping/ocsp", "time-stamping.crl"]),
    ] {
        let text = bench.openssl(&format!("x509 -in {file} -noout -text")).unwrap();
        for path in stated {
            let url = format!("URI:{front}/evidence/{path}");
            assert!(text.contains(&url), "{file} lacks {url}:\n{text}");
        }
    }
    let text = bench.openssl("x509 -in tsa.pem -noout -text").unwrap();
    assert!(
        text.contains("Extended Key Usage: critical\n                Time Stamping\n"),
        "{text}"
    );
    // The issuer's address has the issuer.
    bench.get(&format!("{front}/evidence/signers.crt"), "fetched").await;
    let fetched = bench.openssl("x509 -inform DER -in fetched").unwrap();
    assert_eq!(fetched, bench.openssl("x509 -in issuing.pem").unwrap());
}

/// OpenSSL refuses what each fault spoils, and the next answer is good again.
#[tokio::test]
#[ignore = "asks OpenSSL"]
async fn openssl_refuses_spoiled_time_stamps() {
    let bench = Bench::new().await;
    for (fault, expected) in [
        (EvidenceFault::WrongNonce, "nonce mismatch"),
        (EvidenceFault::WrongImprint, "message imprint mismatch"),
        (EvidenceFault::WrongSignature, "signature failure"),
        (EvidenceFault::TwoSigners, "there must be one signer"),
        (EvidenceFault::ExpiredCertificate, "certificate has expired"),
        (EvidenceFault::NoCertificates, "signer certificate not found"),
        (EvidenceFault::Rejection { failure: 25, text: "no clock".into() }, "no clock"),
        (EvidenceFault::Garbage, "wrong tag"),
    ] {
        bench.fault(EvidenceService::TimeStamp, fault.clone());
        let refused = bench.time_stamp().await.unwrap_err();
        assert!(refused.contains(expected), "{fault:?}: {refused}");
    }
    bench.time_stamp().await.unwrap();
    bench.fault(EvidenceService::TimeStamp, EvidenceFault::WrongPolicy);
    bench.time_stamp().await.unwrap();
    let text = bench.openssl("ts -reply -in reply -text").unwrap();
    assert!(text.contains("Policy OID: 1.2.3.4"), "{text}");
}

#[tokio::test]
#[ignore = "asks OpenSSL"]
async fn openssl_sees_the_status_that_a_fault_sets() {
    let bench = Bench::new().await;
    let revoked = EvidenceFault::Revoked { seconds_ago: 60, reason: Some(1) };
    bench.fault(EvidenceService::Ocsp, revoked.clone());
    let text = bench.ocsp().await.unwrap();
    assert!(text.contains("leaf.pem: revoked") && text.contains("keyCompromise"), "{text}");
    bench.fault(EvidenceService::Ocsp, EvidenceFault::Unknown);
    assert!(bench.ocsp().await.unwrap().contains("leaf.pem: unknown"));
    for (fault, expected) in [
        (EvidenceFault::Stale, "status expired"),
        (EvidenceFault::WrongNonce, "Nonce Verify error"),
        (EvidenceFault::WrongSignature, "signature failure"),
        (EvidenceFault::TryLater, "trylater"),
        (EvidenceFault::ExpiredCertificate, "certificate has expired"),
    ] {
        bench.fault(EvidenceService::Ocsp, fault.clone());
        let answer = bench.ocsp().await;
        let text = match &answer {
            Ok(text) | Err(text) => text,
        };
        assert!(text.contains(expected), "{fault:?}: {answer:?}");
    }
    bench.fault(EvidenceService::Crl, revoked.clone());
    assert!(bench.crl().await.unwrap_err().contains("certificate revoked"));
    bench.fault(EvidenceService::RootCrl, revoked);
    assert!(bench.crl().await.unwrap_err().contains("certificate revoked"));
    bench.fault(EvidenceService::Crl, EvidenceFault::Stale);
    assert!(bench.crl().await.unwrap_err().contains("CRL has expired"));
    bench.fault(EvidenceService::Crl, EvidenceFault::WrongSignature);
    assert!(bench.crl().await.unwrap_err().contains("CRL signature failure"));
    bench.crl().await.unwrap();
}

#[tokio::test]
#[ignore = "asks OpenSSL"]
async fn a_responder_knows_only_the_certificates_of_its_ca() {
    let (bench, other) = (Bench::new().await, Bench::new().await);
    // A certificate of another sandbox: its CA has the same name and another key.
    fs::copy(other.dir.path().join("issuing.pem"), bench.dir.path().join("issuing.pem")).unwrap();
    let refused = bench.ocsp().await.unwrap_err();
    assert!(refused.contains("unauthorized"), "{refused}");
    let (front, no) = (bench.sandbox.front_url(), |status| status != 200);
    for path in ["root/ocsp", "nobody.crl", "signers"] {
        let answer = bench.client.get(format!("{front}/evidence/{path}")).send().await.unwrap();
        assert!(no(answer.status().as_u16()), "{path}");
    }
    // An OCSP request in a GET (RFC 6960, A.1).
    let get = format!("{front}/evidence/signers/ocsp/MAA=");
    let answer = bench.client.get(get).send().await.unwrap();
    assert_eq!(answer.bytes().await.unwrap().as_ref(), [0x30, 3, 10, 1, 1], "malformedRequest");
}

#[tokio::test]
async fn faults_of_http_are_the_same_for_every_service() {
    let bench = Bench::new().await;
    let url = bench.url(EvidenceService::Issuer);
    let get = || async { bench.client.get(&url).send().await.unwrap() };
    bench.fault(EvidenceService::Issuer, EvidenceFault::RedirectLoop);
    let answer = get().await;
    assert_eq!(answer.status(), 307);
    assert!(url.ends_with(answer.headers()["location"].to_str().unwrap()));
    let status = EvidenceFault::Status { status: 503, retry_after: Some(7) };
    bench.fault(EvidenceService::Issuer, status);
    let answer = get().await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["retry-after"]),
        (503, &"7".parse().unwrap())
    );
    bench.fault(EvidenceService::Issuer, EvidenceFault::Delay { millis: 300 });
    let begun = Instant::now();
    assert_eq!(get().await.headers()["content-type"], "application/pkix-cert");
    assert!(begun.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn a_long_crl_has_its_length_and_a_later_answer_has_not() {
    let bench = Bench::new().await;
    let url = bench.url(EvidenceService::Crl);
    bench.fault(EvidenceService::Crl, EvidenceFault::Long { megabytes: 3 });
    let answer = bench.client.get(&url).send().await.unwrap();
    let stated = answer.content_length().unwrap();
    let octets = answer.bytes().await.unwrap();
    assert_eq!(octets.len() as u64, stated);
    assert!((2_990_000..3_010_000).contains(&stated), "{stated}");
    bench.get(&url, "short").await;
    assert!(fs::metadata(bench.dir.path().join("short")).unwrap().len() < 1000);
}

/// Lists that are issued in advance are older than what happens now, and become newer with time.
#[tokio::test]
async fn lists_are_issued_at_their_times_and_requests_are_counted() {
    let fault = EvidenceFault::Periodic { seconds: 1000 };
    let faults = vec![(EvidenceService::Crl, fault)];
    let bench = Bench::with(Config::default().evidence_faults(faults)).await;
    let url = bench.url(EvidenceService::Crl);
    for name in ["one", "two"] {
        bench.get(&url, name).await;
        bench.sandbox.control().advance(1000);
    }
    bench.get(&bench.url(EvidenceService::RootCrl), "root").await;
    let read = |name| fs::read(bench.dir.path().join(name)).unwrap();
    assert_ne!(read("one"), read("two"));
    let requests = bench.sandbox.control().evidence_requests();
    let expected = [(EvidenceService::Crl, 2), (EvidenceService::RootCrl, 1)];
    assert_eq!(requests, expected.into_iter().collect());
    bench.sandbox.control().reset();
    assert!(bench.sandbox.control().evidence_requests().is_empty());
}

#[tokio::test]
async fn a_configuration_has_faults_that_stay() {
    let stale = (EvidenceService::Crl, EvidenceFault::Garbage);
    let bench = Bench::with(Config::default().evidence_faults(vec![stale])).await;
    for _ in 0..2 {
        bench.get(&bench.url(EvidenceService::Crl), "crl").await;
        let text = fs::read_to_string(bench.dir.path().join("crl")).unwrap();
        assert!(text.starts_with("<!DOCTYPE html>"));
        bench.sandbox.control().reset();
    }
    let wrong = vec![(EvidenceService::Issuer, EvidenceFault::Unknown)];
    let error = Sandbox::start(Config::default().evidence_faults(wrong)).await.unwrap_err();
    assert!(error.to_string().contains("evidence_faults"), "{error}");
    let control = bench.sandbox.control();
    assert!(!control.inject_evidence(EvidenceService::Ocsp, EvidenceFault::TwoSigners, 1));
}

/// The keys of a folder stay, and the certificates state the addresses of the run.
#[tokio::test]
#[ignore = "asks OpenSSL"]
async fn another_run_has_other_addresses_and_the_same_keys() {
    let dir = tempfile::tempdir().unwrap();
    let config = || Config::default().dir(dir.path().to_owned());
    let first = Bench::with(config()).await;
    let key = |bench: &Bench, name: &str| {
        bench.openssl(&format!("x509 -in {name} -noout -pubkey")).unwrap()
    };
    let before = ["leaf.pem", "issuing.pem"].map(|name| key(&first, name));
    let leaf = fs::read(first.dir.path().join("leaf.pem")).unwrap();
    let second = Bench::with(config()).await;
    assert_eq!(["leaf.pem", "issuing.pem"].map(|name| key(&second, name)), before);
    // The responder of the second run knows the certificates of the first.
    fs::write(second.dir.path().join("leaf.pem"), leaf).unwrap();
    assert!(second.ocsp().await.unwrap().contains("leaf.pem: good"));
    // At the same address, certificates stay too.
    let address = second.sandbox.front_url().strip_prefix("http://").unwrap().to_owned();
    let issued = second.sandbox.pki().certificate_pem(User::Ready).unwrap();
    second.sandbox.shutdown().await;
    let address: std::net::SocketAddr = address.parse().unwrap();
    let third = Bench::with(config().front_listen(address)).await;
    assert_eq!(third.sandbox.pki().certificate_pem(User::Ready).unwrap(), issued);
}
