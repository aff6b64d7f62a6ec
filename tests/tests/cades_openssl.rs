//! Our containers judged by OpenSSL, and containers of OpenSSL judged by us.

use std::path::PathBuf;

use ades_core::{
    CommitmentType, Digest, DigestAlgorithm, Document, DocumentDigest, Error, SignatureAlgorithm,
    SignaturePolicy, SignerLocation,
};
use ades_tests::oracle::openssl;
use ades_tests::pki::{Key, Pki, TestSigner};
use ades_tests::signing::{algorithms, finish, leads_to, parameters, sign};
use cades::report::{Level, Problem, Report};
use cades::{Packaging, SignatureOptions, VerifyOptions};
use tempfile::TempDir;

const CONTENT: &[u8] = b"line one\nline two\r\n\x00\xFF";

struct Files {
    dir: TempDir,
}

impl Files {
    fn new() -> Self {
        let files = Self { dir: TempDir::new().unwrap() };
        files.write("root.pem", Pki::shared().root_pem().as_bytes());
        files.write("content", CONTENT);
        files
    }

    fn write(&self, name: &str, octets: &[u8]) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, octets).unwrap();
        path
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn accepts(&self, container: &[u8], packaging: Packaging) -> Result<(), String> {
        let container = self.write("container", container);
        let content = (packaging == Packaging::Detached).then(|| self.path("content"));
        let content =
            openssl::cms_verify_cades(&container, content.as_deref(), &self.path("root.pem"))?;
        assert_eq!(content, CONTENT, "OpenSSL returns the content that was signed");
        Ok(())
    }

    fn foreign(&self, more: &[&str], signer: &TestSigner) -> Vec<u8> {
        let leaf = self.write("leaf.pem", ades_tests::pki::pem(signer.leaf()).as_bytes());
        let issuers: String =
            signer.chain.certificates()[1..].iter().map(ades_tests::pki::pem).collect();
        let chain = self.write("chain.pem", issuers.as_bytes());
        let key = self.write("key.pem", signer.key_pem.as_bytes());
        openssl::cms_sign(more, &self.path("content"), &leaf, &key, &chain).unwrap()
    }
}

fn report(container: &[u8], original: Option<&[u8]>) -> Report {
    let mut source = Document::from_bytes(container);
    let mut original = original.map(Document::from_bytes);
    let mut options = VerifyOptions::new();
    if let Some(original) = &mut original {
        options = options.original(original);
    }
    cades::verify(&mut source, options).unwrap()
}

#[test]
fn openssl_accepts_every_packaging_key_and_algorithm() {
    let files = Files::new();
    for packaging in [Packaging::Detached, Packaging::Enveloping] {
        for key in Key::ALL {
            let signer = Pki::shared().signer(key);
            // OpenSSL 3.0 does not verify Ed25519 in CMS ("invalid digest").
            for algorithm in algorithms(signer) {
                let judged = algorithm != SignatureAlgorithm::Ed25519;
                let parameters = parameters().algorithm(algorithm);
                let container = sign(CONTENT, packaging, signer, &parameters).unwrap();
                let accepted = if judged { files.accepts(&container, packaging) } else { Ok(()) };
                accepted.unwrap_or_else(|e| panic!("{packaging:?} {algorithm} {key:?}: {e}"));
                let report = report(&container, Some(CONTENT));
                assert!(report.is_valid(), "{report:?}");
                assert_eq!(report.signatures[0].level, Level::B);
                let facts = &report.signatures[0].facts;
                assert!(leads_to(facts, &[Pki::shared().root().clone()]));
            }
        }
    }
}

/// Demand 3: signing needs only the document's digest, and the container is the
/// same.
#[test]
fn a_container_made_from_a_digest_is_the_same_and_verifies_with_the_content() {
    let files = Files::new();
    for key in [Key::Rsa2048, Key::P384] {
        let signer = Pki::shared().signer(key);
        let algorithm = signer.leaf().key_type().default_algorithm().unwrap();
        let of = |algorithm| DocumentDigest(Digest::of(algorithm, CONTENT));
        let digest = of(algorithm.digest_algorithm());
        let pending = cades::prepare_digest(digest, &signer.chain, &parameters()).unwrap();
        let mut document = Document::from_bytes(CONTENT);
        let options = SignatureOptions::new();
        let whole = cades::prepare(&mut document, &signer.chain, &parameters(), &options);
        assert_eq!(pending, whole.unwrap());
        let container = finish(&pending, signer, None).unwrap();
        files.accepts(&container, Packaging::Detached).unwrap();
        assert!(report(&container, Some(CONTENT)).is_valid());

        // Completing compares the document, if one is passed.
        let other = finish(&pending, signer, Some(b"other"));
        assert!(matches!(other, Err(cades::Error::DocumentChanged)));
        let sha512 =
            cades::prepare_digest(of(DigestAlgorithm::Sha512), &signer.chain, &parameters());
        assert!(matches!(sha512, Err(cades::Error::Core(Error::Parameter { .. }))));
    }
}

#[test]
fn openssl_refuses_a_changed_content() {
    let files = Files::new();
    let signer = Pki::shared().signer(Key::Rsa2048);
    let container = sign(CONTENT, Packaging::Detached, signer, &parameters()).unwrap();
    files.write("content", b"something else");
    let found = openssl::cms_verify_cades(
        &files.write("container", &container),
        Some(&files.path("content")),
        &files.path("root.pem"),
    );
    assert!(found.is_err());
}

#[test]
fn every_attribute_is_read_back() {
    let location =
        SignerLocation::default().country("BE").locality("Liège").postal_address(["Rue 1", "4000"]);
    let mut policy = SignaturePolicy::of_document(
        "1.3.6.1.4.1.49274.1.1.7.2.0".parse().unwrap(),
        DigestAlgorithm::Sha512,
        b"policy document",
    );
    policy.uri = Some("https://policy.example/p.pdf".into());
    policy.user_notice = Some("Gekwalificeerde handtekening €".into());
    let parameters = parameters()
        .commitment(CommitmentType::APPROVAL)
        .signer_role("Gérant")
        .signer_role("Director")
        .location(location.clone())
        .mime_type("text/plain; charset=utf-8")
        .description("Huur 12")
        .policy(policy.clone());
    let signer = Pki::shared().signer(Key::Rsa2048);
    let container = sign(CONTENT, Packaging::Enveloping, signer, &parameters).unwrap();
    Files::new().accepts(&container, Packaging::Enveloping).unwrap();

    let report = report(&container, None);
    let signature = &report.signatures[0];
    assert!(report.is_valid(), "{report:?}");
    assert_eq!(signature.commitment, Some(CommitmentType::APPROVAL));
    assert_eq!(signature.signer_roles, ["Gérant", "Director"]);
    assert_eq!(signature.location.as_ref(), Some(&location));
    assert_eq!(signature.mime_type.as_deref(), Some("text/plain; charset=utf-8"));
    assert_eq!(signature.description.as_deref(), Some("Huur 12"));
    let found = signature.policy.as_ref().unwrap();
    assert_eq!(found.digest, policy.digest);
    assert_eq!(found.uri, policy.uri);
    assert_eq!(found.user_notice, policy.user_notice);
    assert_eq!(signature.claimed_time, Some(parameters.signing_time().time()));
}

#[test]
fn a_second_signer_keeps_the_octets_of_the_first() {
    let files = Files::new();
    let (first, second) = (Pki::shared().signer(Key::Rsa2048), Pki::shared().signer(Key::P384));
    for packaging in [Packaging::Detached, Packaging::Enveloping] {
        let one = sign(CONTENT, packaging, first, &parameters()).unwrap();
        let two = add_parallel(&one, second);
        files.accepts(&two, packaging).unwrap();
        let report = report(&two, Some(CONTENT));
        assert!(report.is_valid() && report.signatures.len() == 2, "{report:?}");
        let signer_info = signer_infos(&one).remove(0);
        assert!(signer_infos(&two).contains(&signer_info));
        for certificate in first.chain.certificates() {
            assert!(contains(&two, certificate.der()));
        }
    }
}

fn add_parallel(container: &[u8], signer: &TestSigner) -> Vec<u8> {
    let pending = cades::prepare_parallel(
        &mut Document::from_bytes(container),
        Some(&mut Document::from_bytes(CONTENT)),
        &signer.chain,
        &parameters(),
        &SignatureOptions::new(),
    )
    .unwrap();
    finish(&pending, signer, Some(container)).unwrap()
}

#[test]
fn countersignatures_of_two_signers() {
    let files = Files::new();
    let (first, second) = (Pki::shared().signer(Key::Rsa2048), Pki::shared().signer(Key::P256));
    let one = sign(CONTENT, Packaging::Detached, first, &parameters()).unwrap();
    let mut container = one.clone();
    for (signer, which) in [(second, &[0][..]), (first, &[0]), (first, &[0, 1]), (second, &[0, 0])]
    {
        let pending = cades::prepare_countersignature(
            &mut Document::from_bytes(&container),
            which,
            &signer.chain,
            &parameters(),
            &SignatureOptions::new(),
        )
        .unwrap();
        container = finish(&pending, signer, Some(&container)).unwrap();
    }
    files.accepts(&container, Packaging::Detached).unwrap();
    let report = report(&container, Some(CONTENT));
    assert!(report.is_valid(), "{report:?}");
    let both = &report.signatures[0].countersignatures;
    assert_eq!(both.iter().map(|one| one.countersignatures.len()).collect::<Vec<_>>(), [1, 1]);
    let nowhere = cades::prepare_countersignature(
        &mut Document::from_bytes(&container),
        &[1],
        &first.chain,
        &parameters(),
        &SignatureOptions::new(),
    );
    assert!(matches!(nowhere, Err(cades::Error::NoSuchSignature { which }) if which == [1]));
}

/// Demand 5: a signature can be added to CMS that others made.
#[test]
fn containers_of_openssl_verify_and_can_be_added_to() {
    let files = Files::new();
    let rsa = Pki::shared().signer(Key::Rsa2048);
    for (name, more, problems) in [
        ("detached", &["-cades"][..], &[][..]),
        ("enveloping", &["-cades", "-nodetach"], &[]),
        ("BER, constructed octet strings", &["-cades", "-nodetach", "-stream"], &[]),
        (
            "PSS",
            &["-cades", "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:digest"],
            &[],
        ),
        ("key identifier", &["-cades", "-keyid"], &[]),
        ("no ESS attribute", &["-nodetach"], &[Problem::SigningCertificateMissing]),
        ("no signed attributes", &["-nodetach", "-noattr"], &[Problem::SignedAttributesMissing]),
    ] {
        let theirs = files.foreign(more, rsa);
        let found = report(&theirs, Some(CONTENT));
        assert!(found.signatures[0].intact == Some(true), "{name}: {found:?}");
        assert_eq!(found.signatures[0].problems, problems, "{name}");

        // One bit of the content flipped: an enveloping container must notice.
        if let Some(at) = find(&theirs, CONTENT) {
            let mut flipped = theirs.clone();
            flipped[at] ^= 1;
            assert!(report(&flipped, None).signatures[0].intact != Some(true), "{name}");
        }
        assert!(
            report(&theirs, Some(b"other")).signatures[0].intact != Some(true)
                || find(&theirs, CONTENT).is_some()
        );

        let second = Pki::shared().signer(Key::P256);
        let both = add_parallel(&theirs, second);
        let found = report(&both, Some(CONTENT));
        assert!(
            found.signatures.len() == 2 && found.signatures.iter().all(|s| s.intact == Some(true)),
            "{name}"
        );
        assert!(signer_infos(&both).contains(&signer_infos(&theirs)[0]), "{name}");
        let detached = !more.contains(&"-nodetach");
        let content = detached.then(|| files.path("content"));
        openssl::cms_verify(
            &[],
            &files.write("both", &both),
            content.as_deref(),
            &files.path("root.pem"),
        )
        .unwrap_or_else(|e| panic!("{name}: {e}"));
    }
}

/// EN 319 122-1, 6.3: the content type of a baseline signature is id-data. A
/// countersignature has none.
#[test]
fn a_content_type_other_than_data_is_below_the_baseline() {
    let files = Files::new();
    let signer = Pki::shared().signer(Key::P256);
    let theirs = files.foreign(&["-cades", "-nodetach", "-econtent_type", "1.2.3.4.5"], signer);
    let found = report(&theirs, Some(CONTENT));
    let signature = &found.signatures[0];
    assert_eq!(signature.problems, [Problem::ContentTypeNotData]);
    assert_eq!((signature.intact, signature.level), (Some(true), Level::Below));
    assert!(!found.is_valid());

    let ours = sign(CONTENT, Packaging::Enveloping, signer, &parameters()).unwrap();
    let mut source = Document::from_bytes(&ours);
    let options = SignatureOptions::new();
    let pending =
        cades::prepare_countersignature(&mut source, &[0], &signer.chain, &parameters(), &options)
            .unwrap();
    let mut both = finish(&pending, signer, Some(&ours)).unwrap();
    // eContentType: id-signedData in place of id-data.
    let data = b"\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x01";
    let at = find(&both, data).unwrap();
    both[at + data.len() - 1] = 2;
    let found = report(&both, None);
    let signature = &found.signatures[0];
    let problems = [Problem::ContentTypeNotData, Problem::ContentTypeMismatch];
    assert_eq!(signature.problems, problems);
    assert_eq!(signature.countersignatures[0].problems, []);
    assert_eq!(signature.countersignatures[0].level, Level::B);
}

/// Both the content in the container and the given document are compared.
#[test]
fn an_enveloping_container_of_another_document_is_not_intact() {
    let files = Files::new();
    let rsa = Pki::shared().signer(Key::Rsa2048);
    for (more, problem) in [
        (&["-cades", "-nodetach"][..], Problem::DigestMismatch),
        (&["-nodetach", "-noattr"], Problem::SignatureInvalid),
    ] {
        let theirs = files.foreign(more, rsa);
        let mut altered = theirs.clone();
        altered[find(&theirs, CONTENT).unwrap()] ^= 1;
        for (container, given, intact) in [
            (&theirs, None, true),
            (&theirs, Some(CONTENT), true),
            (&theirs, Some(&b"other"[..]), false),
            (&altered, Some(CONTENT), false),
        ] {
            let found = report(container, given);
            assert_eq!(found.signatures[0].intact == Some(true), intact, "{more:?}, {given:?}");
            assert_eq!(found.signatures[0].problems.contains(&problem), !intact);
        }
    }
}

#[test]
fn ecdsa_containers_of_openssl_verify() {
    let files = Files::new();
    for key in [Key::P256, Key::P384, Key::P521] {
        let theirs = files.foreign(&["-cades"], Pki::shared().signer(key));
        assert!(report(&theirs, Some(CONTENT)).is_valid(), "{key:?}");
    }
}

/// A flipped bit in any octet, and every truncation, must not panic. If the
/// signature protects the octet, the container must not be valid.
#[test]
fn a_flipped_bit_in_a_signed_octet_is_noticed() {
    let signer = Pki::shared().signer(Key::P256);
    let container = sign(CONTENT, Packaging::Enveloping, signer, &parameters()).unwrap();
    let signer_info = signer_infos(&container).remove(0);
    let start = find(&container, &signer_info).unwrap();
    let content = find(&container, CONTENT).unwrap();
    for at in 0..container.len() {
        let mut flipped = container.clone();
        flipped[at] ^= 0x01;
        // SignerInfo's header and version are not signed (RFC 5652, 5.4).
        let protected = at >= start + 7 || (content..content + CONTENT.len()).contains(&at);
        let mut source = Document::from_bytes(&flipped);
        if let Ok(report) = cades::verify(&mut source, VerifyOptions::new()) {
            assert!(!(protected && report.is_valid()), "octet {at}");
        }
        let cut = &container[..at];
        assert!(cades::Container::read(&mut Document::from_bytes(cut)).is_err(), "cut at {at}");
    }
}

/// The octets of each SignerInfo, as OpenSSL's own parser finds them.
fn signer_infos(container: &[u8]) -> Vec<Vec<u8>> {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("c");
    std::fs::write(&path, container).unwrap();
    let listing = openssl::run(&["asn1parse", "-inform", "DER", "-in", path.to_str().unwrap()]);
    let listing = String::from_utf8(listing.unwrap()).unwrap();
    let mut found = Vec::new();
    let mut in_set = false;
    for line in listing.lines() {
        let number = |key: &str| -> usize {
            let rest = &line[line.find(key).unwrap() + key.len()..];
            rest.trim_start()
                .split(|c: char| !c.is_ascii_digit())
                .next()
                .unwrap()
                .parse()
                .unwrap_or(0)
        };
        let offset: usize = line.split(':').next().unwrap().trim().parse().unwrap();
        match number("d=") {
            3 => in_set = line.contains("SET") && found.is_empty() && !line.contains("cont ["),
            4 if in_set && line.contains("SEQUENCE") => {
                found.push(container[offset..offset + number("hl=") + number(" l=")].to_vec());
            }
            _ => {}
        }
        if number("d=") == 3 && line.contains("SET") {
            in_set = true;
            found.clear();
        }
    }
    found
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    find(haystack, needle).is_some()
}
