//! Time-stamp tokens: those of OpenSSL, and those of our own PKI that are wrong in one
//! way. Needs and requests are here, too: OpenSSL answers them.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use ades_core::{Digest, DigestAlgorithm, Oid};
use ades_evidence::needs::{Need, Urls};
use ades_evidence::ocsp::{OcspRequest, OcspResponse};
use ades_evidence::revocation::{CertificateStatus, Reason};
use ades_evidence::token::{
    ResponseError, TimeStampRequest, Token, TokenMismatch, TokenProblem, read_response, verify,
};
use ades_tests::corpora::everything;
use ades_tests::evidence::{
    OCSP_SIGNING, Stamp, TIME_STAMPING, attribute, extension, names, profile,
    with_extended_key_usage,
};
use ades_tests::oracle::openssl;
use ades_tests::pki::{Key, Pki, Profile, TestSigner};
use proptest::prelude::*;
use rcgen::{CustomExtension, KeyUsagePurpose};
use tempfile::TempDir;

fn service() -> &'static TestSigner {
    static SERVICE: OnceLock<TestSigner> = OnceLock::new();
    let make = || with_extended_key_usage(Pki::shared(), "Service", &[TIME_STAMPING], true);
    SERVICE.get_or_init(make)
}

/// OpenSSL as a time-stamping service.
struct Service {
    dir: TempDir,
}

impl Service {
    /// `more` is added to its configuration.
    fn new(signer: &TestSigner, more: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let files = signer.write_pem_files(dir.path());
        let path = |path: &Path| path.to_str().unwrap().to_owned();
        let serial = path(&dir.path().join("serial"));
        std::fs::write(&serial, "01\n").unwrap();
        let config = format!(
            "[tsa]\ndefault_tsa = own\n[own]\nserial = {serial}\nsigner_cert = {}\nsigner_key = \
             {}\ncerts = {}\nsigner_digest = sha256\ndefault_policy = 1.2.3.4.1\nother_policies = \
             1.2.3.4.2\ndigests = sha1, sha256, sha512\naccuracy = secs:1, millisecs:500\n\
             ordering = yes\ntsa_name = yes\n{more}\n",
            path(&files.leaf),
            path(&files.key),
            path(&files.issuers),
        );
        std::fs::write(dir.path().join("config"), config).unwrap();
        Self { dir }
    }

    fn answer(&self, request: &TimeStampRequest) -> Vec<u8> {
        let file = |name: &str| self.dir.path().join(name);
        std::fs::write(file("query"), request.der()).unwrap();
        let path = |path: PathBuf| path.to_str().unwrap().to_owned();
        let (query, config) = (path(file("query")), path(file("config")));
        openssl::run(&["ts", "-reply", "-queryfile", &query, "-config", &config]).unwrap()
    }
}

fn request(data: &[u8], policy: Option<&str>) -> TimeStampRequest {
    let imprint = Digest::of(DigestAlgorithm::Sha256, data);
    let policy = policy.map(|policy| Oid::from_dotted(policy).unwrap());
    TimeStampRequest::new(&imprint, policy, Some(&[0xF7, 1, 2, 3, 4, 5, 6, 7])).unwrap()
}

#[test]
fn openssl_answers_our_requests_and_we_verify_its_tokens() {
    for more in ["ess_cert_id_alg = sha1", "ess_cert_id_alg = sha256", "ess_cert_id_alg = sha512"] {
        let service_of_openssl = Service::new(service(), more);
        let asked = request(b"value", Some("1.2.3.4.2"));
        let response = service_of_openssl.answer(&asked);
        let token = read_response(&response).unwrap();
        let facts = verify(token, &[]).unwrap();
        assert_eq!(facts.is_sound(), Some(true), "{more}: {:?}", facts.problems);
        assert_eq!(facts.signer.as_ref(), Some(service().leaf()));
        assert_eq!(facts.token.is_over(b"value"), Some(true));
        assert_eq!(facts.token.accuracy, Some(chrono::TimeDelta::milliseconds(1500)));
        assert!(facts.token.ordering && facts.token.nonce.is_some());
        assert_eq!(asked.check(&facts.token), Ok(()));
        let mismatch = |other: TimeStampRequest| other.check(&facts.token).unwrap_err();
        assert_eq!(mismatch(request(b"other", None)), TokenMismatch::Imprint);
        assert_eq!(mismatch(request(b"value", Some("1.2.3.4.1"))), TokenMismatch::Policy);
        let other = TimeStampRequest::new(asked.imprint(), None, Some(&[1])).unwrap();
        assert_eq!(mismatch(other), TokenMismatch::Nonce);
    }
    let refused = Service::new(service(), "").answer(&request(b"value", Some("1.2.3.4.3")));
    let Err(ResponseError::Refused { status, failures, text }) = read_response(&refused) else {
        panic!("not refused")
    };
    assert_eq!((status, failures), (2, vec![15]));
    assert!(text.contains("policy"), "{text}");
}

#[test]
fn openssl_answers_our_ocsp_requests() {
    let pki = Pki::shared();
    let responder = with_extended_key_usage(pki, "Responder", &[OCSP_SIGNING], false);
    let dir = TempDir::new().unwrap();
    let files = responder.write_pem_files(dir.path());
    let subject = pki.signer(Key::P256).leaf();
    let serial = subject.serial_number()[2..].iter().map(|b| format!("{b:02X}"));
    let serial = serial.collect::<String>().trim_start_matches("00").to_owned();
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let (index, query) = (path(&dir.path().join("index")), path(&dir.path().join("query")));
    let request = OcspRequest::new(subject, pki.issuing(), DigestAlgorithm::Sha1, Some(&[7; 32]));
    std::fs::write(&query, request.unwrap().der()).unwrap();
    let (ca, leaf, key) = (path(&files.issuers), path(&files.leaf), path(&files.key));
    let out = path(&dir.path().join("out"));
    for (line, is_revoked) in [
        (format!("V\t491231235959Z\t\t{serial}\tunknown\t/CN=x\n"), false),
        (
            format!("R\t491231235959Z\t260101000000Z,keyCompromise\t{serial}\tunknown\t/CN=x\n"),
            true,
        ),
    ] {
        std::fs::write(&index, line).unwrap();
        #[rustfmt::skip]
        openssl::run(&[
            "ocsp", "-index", &index, "-CA", &ca, "-rsigner", &leaf, "-rkey", &key,
            "-reqin", &query, "-respout", &out, "-ndays", "7",
        ]).unwrap();
        let response = OcspResponse::read(std::fs::read(&out).unwrap()).unwrap();
        assert_eq!(response.nonce(), Some(&[7; 32][..]));
        let facts = response.about(subject, pki.issuing(), &[]).unwrap();
        assert_eq!(facts.signer, *responder.leaf());
        match facts.status {
            CertificateStatus::Good => assert!(!is_revoked),
            CertificateStatus::Revoked(revocation) => {
                assert!(is_revoked);
                assert_eq!(revocation.reason, Some(Reason::KeyCompromise));
                assert_eq!(revocation.time.to_rfc3339(), "2026-01-01T00:00:00+00:00");
            }
            other => panic!("{other:?}"),
        }
    }
}

/// The problems of a token, and whether it is sound.
fn problems(token: &[u8]) -> (Vec<TokenProblem>, Option<bool>) {
    let facts = verify(token, &[]).unwrap();
    (facts.problems.clone(), facts.is_sound())
}

#[test]
fn a_right_token_is_sound_and_reports_what_it_says() {
    let token = Stamp::new(b"value", service()).signed(service());
    assert_eq!(problems(&token), (vec![], Some(true)));
    let read = Token::read(&token).unwrap();
    assert_eq!(read.time.to_rfc3339(), "2026-01-01T00:00:00.500+00:00");
    assert_eq!(read.accuracy, Some(chrono::TimeDelta::milliseconds(1250)));
    assert!(!read.says_qualified);
    // Its certificate is elsewhere, or nowhere.
    let without = Stamp { certificates: Vec::new(), ..Stamp::new(b"value", service()) };
    let without = without.signed(service());
    assert_eq!(verify(&without, &[service().leaf().clone()]).unwrap().is_sound(), Some(true));
    assert_eq!(problems(&without), (vec![TokenProblem::SignerCertificateMissing], None));
}

#[test]
fn tokens_that_are_wrong_in_one_way_say_which() {
    let stamp = || Stamp::new(b"value", service());
    let other = Pki::shared().signer(Key::P256);
    let wrong = |problem| (vec![problem], Some(false));
    let two = Stamp { signers: 2, ..stamp() }.signed(service());
    assert_eq!(problems(&two), wrong(TokenProblem::NotOneSigner { found: 2 }));
    let none = Stamp { signers: 0, ..stamp() }.signed(service());
    assert_eq!(problems(&none), wrong(TokenProblem::NotOneSigner { found: 0 }));
    let kind = Stamp { content_type: "1.2.840.113549.1.7.1", ..stamp() }.signed(service());
    assert_eq!(problems(&kind), wrong(TokenProblem::ContentTypeMismatch));

    let with = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut stamp = stamp();
        change(&mut stamp.attributes);
        problems(&stamp.signed(service()))
    };
    let missing = with(&|all| drop(all.remove(0)));
    assert_eq!(missing, wrong(TokenProblem::MessageDigestMissing));
    let missing = with(&|all| drop(all.pop()));
    assert_eq!(missing, wrong(TokenProblem::SigningCertificateMissing));
    let twice = with(&|all| all.push(all[0].clone()));
    assert_eq!(twice.0, [TokenProblem::AttributeRepeated, TokenProblem::MessageDigestMissing]);
    let named = with(&|all| all[1] = names(other.leaf()));
    assert_eq!(named, wrong(TokenProblem::SigningCertificateMismatch));
    let malformed = with(&|all| all[1] = attribute("1.2.840.113549.1.9.16.2.47", &[vec![5, 0]]));
    assert_eq!(malformed.0[0], TokenProblem::AttributeMalformed);

    let changed = Stamp::new(b"other", service()).info;
    let facts = verify(&Stamp { info: changed, ..stamp() }.signed(service()), &[]).unwrap();
    assert_eq!((facts.digest_matches, facts.value_verifies), (Some(false), Some(true)));
    assert_eq!(facts.is_sound(), Some(false));
    let mut token = stamp().signed(service());
    *token.last_mut().unwrap() ^= 1;
    let facts = verify(&token, &[]).unwrap();
    assert_eq!((facts.digest_matches, facts.value_verifies), (Some(true), Some(false)));

    let critical = [extension("1.2.3.4", true, &[5, 0])];
    let critical = Stamp::with_extensions(b"value", service(), &critical).signed(service());
    let (found, sound) = problems(&critical);
    assert!(matches!(found[..], [TokenProblem::CriticalExtension(_)]) && sound.is_none());
    let qualified = [0x30, 11, 0x30, 9, 6, 7, 4, 0, 0x81, 0x97, 0x5E, 1, 1];
    let qualified = [extension("1.3.6.1.5.5.7.1.3", false, &qualified)];
    let qualified = Stamp::with_extensions(b"value", service(), &qualified).signed(service());
    assert!(Token::read(&qualified).unwrap().says_qualified);
}

/// Trap 24: the extended key usage of a time-stamping authority.
#[test]
fn certificates_are_for_time_stamps_alone() {
    let pki = Pki::shared();
    for (purposes, critical) in [
        (&[TIME_STAMPING][..], false),
        (&[TIME_STAMPING, OCSP_SIGNING], true),
        (&[OCSP_SIGNING], true),
        (&[], true),
    ] {
        let signer = with_extended_key_usage(pki, "Wrong service", purposes, critical);
        let token = Stamp::new(b"value", &signer).signed(&signer);
        assert_eq!(problems(&token).0, [TokenProblem::ExtendedKeyUsage], "{purposes:?}");
    }
    let usages = vec![KeyUsagePurpose::KeyEncipherment];
    let unfit = Profile { key_usages: usages, ..profile("Unfit", &[TIME_STAMPING], true) };
    let signer = pki.issue(&unfit);
    let token = Stamp::new(b"value", &signer).signed(&signer);
    assert_eq!(problems(&token).0, [TokenProblem::KeyUsage]);
}

#[test]
fn needs_have_stable_ids_and_survive_storage() {
    use ades_core::asn1::der::{SEQUENCE, context, element};

    let uri = |text: &str| element(0x86, &[text.as_bytes()]);
    let access = |method: u8, text: &str| {
        let method = [&[6, 8, 0x2B, 6, 1, 5, 5, 7, 0x30][..], &[method]].concat();
        element(SEQUENCE, &[&method, &uri(text)])
    };
    let access = [
        access(1, "http://ocsp.example/"),
        access(2, "HTTPS://ca.example/ca.crt"),
        access(1, "ldap://x/"),
        access(1, "http://ocsp.example/"),
    ];
    let point = element(context(0), &[&element(context(0), &[&uri("http://crl.example/1.crl")])]);
    let points = element(SEQUENCE, &[&element(SEQUENCE, &[&point])]);
    let access = element(SEQUENCE, &[&access.concat()]);
    let extensions = vec![
        CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], access),
        CustomExtension::from_oid_content(&[2, 5, 29, 31], points),
    ];
    let pki = Pki::shared();
    let subject = pki.issue(&Profile { extensions, ..Profile::new(Key::P256) });
    let subject = subject.leaf();
    let urls = Urls::of(subject);
    assert_eq!(urls.ocsp, ["http://ocsp.example/"]);
    assert_eq!(urls.issuers, ["HTTPS://ca.example/ca.crt"]);
    assert_eq!(urls.crls, ["http://crl.example/1.crl"]);
    assert_eq!(Urls::of(pki.root()), Urls::default());

    let ocsp = |nonce: Option<&[u8]>| Need::ocsp(subject, pki.issuing(), nonce).unwrap();
    let imprint = Digest::of(DigestAlgorithm::Sha512, b"value");
    let stamp = |nonce: Option<&[u8]>| Need::TimeStamp {
        request: TimeStampRequest::new(&imprint, None, nonce).unwrap(),
    };
    assert_eq!(ocsp(None).id(), ocsp(Some(&[7; 32])).id());
    assert_eq!(stamp(None).id(), stamp(Some(&[7; 32])).id());
    assert!(TimeStampRequest::new(&imprint, None, Some(&[7; 33])).is_none());
    let needs =
        [ocsp(Some(&[7])), Need::crl(subject).unwrap(), Need::issuer(subject), stamp(Some(&[7]))];
    for need in &needs {
        assert_eq!(needs.iter().filter(|other| other.id() == need.id()).count(), 1);
        let stored = serde_json::to_string(need).unwrap();
        assert_eq!(serde_json::from_str::<Need>(&stored).unwrap(), *need, "{stored}");
    }
    assert!(Need::ocsp(pki.issuing(), pki.root(), None).is_none());
}

/// The octets of a file, and those in its hexadecimal and base64 strings.
fn strings(octets: &[u8]) -> Vec<Vec<u8>> {
    let hexadecimal = octets.split(|octet| !octet.is_ascii_hexdigit());
    let pairs = |run: &[u8]| -> Vec<u8> {
        let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        run.chunks(2).filter_map(pair).collect()
    };
    let long = |run: &&[u8]| run.len() > 1000;
    let mut found: Vec<Vec<u8>> = hexadecimal.filter(long).map(pairs).collect();
    for run in octets.split(|octet| b"<>".contains(octet)).filter(long) {
        let text: String = String::from_utf8_lossy(run).split_whitespace().collect();
        found.extend(ades_core::base64::decode(&text));
    }
    found.push(octets.to_vec());
    found
}

#[test]
fn tokens_of_others_are_sound() {
    /// The content type of TSTInfo in EncapsulatedContentInfo.
    const MARK: &[u8] = &[6, 11, 0x2A, 0x86, 0x48, 0x86, 0xF7, 13, 1, 9, 16, 1, 4, 0xA0];
    /// Maximum number of octets between the start of the token and it.
    const BEFORE: usize = 64;

    let endings = [".p7m", ".p7s", ".pkcs7", ".pdf", ".xml"];
    let Some(files) = everything(&["signed"], &endings) else { return };
    let (mut read, mut unsound) = (0, Vec::new());
    for (path, octets) in &files {
        for string in strings(octets) {
            for (at, _) in string.windows(MARK.len()).enumerate().filter(|(_, w)| *w == MARK) {
                let found = (at.saturating_sub(BEFORE)..at).find_map(|from| {
                    let element = ades_core::asn1::ber::Reader::new(&string[from..], 0).try_next();
                    verify(element.ok().flatten()?.raw, &[])
                });
                let Some(facts) = found else { continue };
                read += 1;
                if facts.is_sound() != Some(true) {
                    unsound.push(format!("{path}: {:?} {:?}", facts.is_intact(), facts.problems));
                }
            }
        }
    }
    assert!(read > 20 && unsound.is_empty(), "{read} tokens:\n{}", unsound.join("\n"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// One octet changed, or the end cut off: never a panic, and never another token.
    #[test]
    fn changed_tokens_are_never_sound(at in any::<prop::sample::Index>(), octet in any::<u8>(), cut in any::<bool>()) {
        static GOOD: OnceLock<Vec<u8>> = OnceLock::new();
        let good = GOOD.get_or_init(|| Stamp::new(b"value", service()).signed(service()));
        let at = at.index(good.len());
        let mut changed = good.clone();
        if cut {
            changed.truncate(at);
        } else {
            changed[at] = octet;
        }
        let facts = verify(&changed, &[]);
        if let Some(facts) = facts.filter(|facts| facts.is_sound() == Some(true)) {
            prop_assert_eq!(Some(facts.token), Token::read(good));
        }
    }
}
