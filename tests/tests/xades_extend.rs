//! Raised XML signatures, judged by EU DSS: levels × packagings × keys, signatures that DSS
//! made, and those of the corpora.

use ades_core::facts::TimeStampKind;
use ades_core::{DigestAlgorithm, Document, Level, PendingState};
use ades_evidence::{TimeStampPurpose, ValidationData};
use ades_tests::corpora::{self, everything};
use ades_tests::oracle::dss::Dss;
use ades_tests::oracle::xades::Court;
use ades_tests::oracle::xmlsec1;
use ades_tests::pki::{Key, Pki, pem};
use ades_tests::signing::{complete_xades, parameters};
use ades_tests::time_stamping::Service;
use serde_json::{Value, json};
use std::path::PathBuf;
use xades::{
    DetachedDocument, Error, ExtendOptions, Packaging, PendingTimeStamp, SignatureOptions,
    VerifyOptions, add_time_stamp, add_validation_data, check_level, prepare_time_stamp,
};

const DOCUMENT: &str = "<?xml version=\"1.0\"?>\n<!-- before -->\n\
    <r xmlns:p=\"urn:p\" xmlns:unused=\"urn:u\" xml:lang=\"nl\" a=\"1\">\n  \
    <e Id=\"object\" p:b=\"é\">un<!-- c --> &amp; <![CDATA[<deux>]]></e>\r\n  \
    <f xmlns=\"urn:f\">trois</f>\n</r>\n";
const FILE: &[u8] = b"the document outside";
/// The days of the steps; the signature is of September 21.
const DAYS: [&str; 4] =
    ["20260922000000Z", "20260923000000Z", "20260924000000Z", "20260925000000Z"];
const NEXT_MONTH: &str = "20261022000000Z";

use TimeStampPurpose::{Archive, Signature};

/// A service, and what the judges need.
struct Bench {
    court: Court,
    service: Service<'static>,
    trust: PathBuf,
    /// The document outside, if there is one.
    file: Option<PathBuf>,
}

impl Bench {
    fn new(has_file: bool) -> Self {
        let court = Court::new();
        // The certificates of CAs need no revocation data then.
        let trust = court.write("trust.pem", pem(Pki::shared().issuing()).as_bytes());
        let file = has_file.then(|| court.write("file.txt", FILE));
        Self { court, service: Service::new(Pki::shared()), trust, file }
    }

    fn options(&self) -> ExtendOptions<'static> {
        let options = ExtendOptions::new();
        if self.file.is_some() { options.original(Document::from_bytes(FILE)) } else { options }
    }

    /// The document with one more time-stamp on its first signature.
    fn stamp(&self, signed: &[u8], purpose: TimeStampPurpose, at: &str) -> Vec<u8> {
        let digest = if at == DAYS[3] { DigestAlgorithm::Sha512 } else { DigestAlgorithm::Sha256 };
        let document = &mut Document::from_bytes(signed);
        let pending = prepare_time_stamp(document, &[0], purpose, digest, self.options()).unwrap();
        let pending = PendingTimeStamp::from_json(&pending.to_json(None).unwrap(), None).unwrap();
        let token = self.service.token(pending.imprint(), at);
        let mut out = Vec::new();
        add_time_stamp(document, &pending, &token, &mut out).unwrap();
        out
    }

    fn data(&self, key: Key, at: &'static str) -> ValidationData {
        self.service.validation_data(Pki::shared().signer(key), at, NEXT_MONTH)
    }

    fn add(&self, signed: &[u8], data: &ValidationData) -> Vec<u8> {
        let mut out = Vec::new();
        let document = &mut Document::from_bytes(signed);
        add_validation_data(document, &[0], data, self.options(), &mut out).unwrap();
        out
    }

    /// The document at B-T, B-LT, B-LTA, and renewed twice.
    fn raise(&self, signed: &[u8], key: Key) -> [(&'static str, Vec<u8>); 5] {
        let document = &mut Document::from_bytes(signed);
        check_level(document, &[0], Level::Lta, self.options()).unwrap();
        let t = self.stamp(signed, Signature, DAYS[0]);
        let lt = self.add(&t, &self.data(key, DAYS[1]));
        let lta = self.stamp(&lt, Archive, DAYS[1]);
        let fresh = self.add(&lta, &self.data(key, DAYS[2]));
        let renewed = self.stamp(&fresh, Archive, DAYS[2]);
        let again = self.add(&renewed, &self.data(key, DAYS[3]));
        let again = self.stamp(&again, Archive, DAYS[3]);
        [("T", t), ("LT", lt), ("LTA", lta), ("LTA", renewed), ("LTA", again)]
    }

    /// The verdict of DSS on the only signature.
    fn dss(&self, signed: &[u8]) -> (Value, Vec<Value>) {
        let path = self.court.write("signed.xml", signed);
        let answer = Dss::shared().try_validate_pdf(&json!({
            "file": path, "trust": [self.trust], "time": "2026-10-01T00:00:00Z",
            "original": self.file,
        }));
        let answer = answer.unwrap();
        let signature = answer["signatures"].as_array().unwrap().first().unwrap().clone();
        (signature, answer["timestamps"].as_array().unwrap().clone())
    }

    /// Checks that DSS says the level, and that everything is good.
    #[track_caller]
    fn confirm(&self, what: &str, level: &str, signed: &[u8]) {
        let (signature, stamps) = self.dss(signed);
        let good = |stamp: &Value| {
            stamp["found"] == true && stamp["intact"] == true && stamp["signature_intact"] == true
        };
        assert!(!stamps.is_empty() && stamps.iter().all(good), "{what}: {stamps:#?}");
        assert_eq!(signature["level"], format!("XAdES-BASELINE-{level}"), "{what}: {signature:#}");
        if level == "T" {
            // Nothing says whether the signer was revoked.
            assert_eq!(signature["indication"], "INDETERMINATE", "{what}: {signature:#}");
        } else if signature["algorithm"] == "ED25519" {
            // The policy of EU DSS does not allow EdDSA.
            let why = &signature["sub_indication"];
            assert_eq!(why, "CRYPTO_CONSTRAINTS_FAILURE_NO_POE", "{what}: {signature:#}");
        } else {
            assert_eq!(signature["indication"], "TOTAL_PASSED", "{what}: {signature:#}");
        }
        let path = self.court.write("signed.xml", signed);
        assert_eq!(Dss::shared().schema_valid(&path), Ok(1), "{what}");
        let options = VerifyOptions::new();
        let options = match self.file {
            Some(_) => options.original(Document::from_bytes(FILE)),
            None => options,
        };
        let report = xades::verify(&mut Document::from_bytes(signed), options).unwrap();
        let own = &report.signatures[0];
        assert_eq!(own.intact, Some(true), "{what}");
        let expected = if level == "T" {
            Level::T
        } else if level == "LT" {
            Level::Lt
        } else {
            Level::Lta
        };
        assert_eq!(own.level, expected, "{what}: {:?}", own.problems);
        assert!(own.facts.time_stamps().all(|stamp| stamp.imprint == Some(true)), "{what}");
        assert_eq!(own.facts.time_stamps().count(), stamps.len(), "{what}");
    }
}

fn sign(packaging: Packaging, key: Key) -> Vec<u8> {
    let mut document = Document::from_bytes(DOCUMENT.as_bytes());
    let options = SignatureOptions::new().packaging(packaging);
    let signer = Pki::shared().signer(key);
    let parameters = parameters().mime_type("application/xml");
    let pending = xades::prepare(&mut document, &signer.chain, &parameters, &options).unwrap();
    complete_xades(&pending, Some(DOCUMENT.as_bytes()), signer).unwrap()
}

fn sign_file(key: Key) -> Vec<u8> {
    let signer = Pki::shared().signer(key);
    let file = DetachedDocument::new("file.txt", "text/plain", Document::from_bytes(FILE));
    let options = SignatureOptions::new();
    let pending =
        xades::prepare_detached(&mut [file], &signer.chain, &parameters(), &options).unwrap();
    complete_xades(&pending, None, signer).unwrap()
}

#[test]
fn dss_confirms_each_level_of_each_packaging() {
    let bench = Bench::new(false);
    for (key, packaging) in [
        (Key::P256, Packaging::Enveloped),
        (Key::Rsa2048, Packaging::Enveloped),
        (Key::P384, Packaging::EnvelopingXml),
        (Key::P521, Packaging::EnvelopingBase64),
        (Key::Rsa3072, Packaging::InternallyDetached(vec!["object".to_owned()])),
    ] {
        let signed = sign(packaging.clone(), key);
        for (level, raised) in bench.raise(&signed, key) {
            bench.confirm(&format!("{packaging:?}, {key:?}"), level, &raised);
            let path = bench.court.write("signed.xml", &raised);
            xmlsec1::verify_nth(&path, bench.court.root(), 0).unwrap();
        }
    }
    let bench = Bench::new(true);
    for (level, raised) in bench.raise(&sign_file(Key::P256), Key::P256) {
        bench.confirm("detached", level, &raised);
    }
}

/// Every key in every packaging: at B-T, at B-LT, and after two renewals.
#[test]
fn dss_confirms_every_key_in_every_packaging_renewed_twice() {
    let (bench, outside) = (Bench::new(false), Bench::new(true));
    for key in Key::ALL {
        for packaging in [
            Packaging::Enveloped,
            Packaging::EnvelopingXml,
            Packaging::EnvelopingBase64,
            Packaging::InternallyDetached(vec!["object".to_owned()]),
        ] {
            let [t, lt, _, _, again] = bench.raise(&sign(packaging.clone(), key), key);
            for (level, raised) in [t, lt, again] {
                bench.confirm(&format!("{packaging:?}, {key:?}"), level, &raised);
            }
        }
        let [t, lt, _, _, again] = outside.raise(&sign_file(key), key);
        for (level, raised) in [t, lt, again] {
            outside.confirm(&format!("detached, {key:?}"), level, &raised);
        }
    }
}

/// Packagings and canonical forms of DSS. The forms that are not exclusive have the
/// namespaces of the elements around.
#[test]
fn what_dss_made_is_raised() {
    let bench = Bench::new(false);
    let key = Key::P256;
    let signer = Pki::shared().signer(key);
    let p12 = bench.court.write("signer.p12", &signer.pkcs12("secret"));
    // DSS needs an Id to refer to the root element.
    let document = DOCUMENT.replace("<r ", "<r Id=\"root\" ");
    let document = bench.court.write("document.xml", document.as_bytes());
    let out = bench.court.dir().join("out.xml");
    let exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#";
    for (packaging, c14n, more) in [
        ("ENVELOPED", exclusive, json!({})),
        ("ENVELOPED", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315", json!({})),
        ("ENVELOPED", "http://www.w3.org/2006/12/xml-c14n11", json!({"without": "xpath"})),
        ("ENVELOPED", exclusive, json!({"without": "filter2"})),
        ("ENVELOPING", exclusive, json!({})),
        ("ENVELOPING", exclusive, json!({"embed_xml": true})),
        ("INTERNALLY_DETACHED", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315", json!({})),
    ] {
        let mut request = json!({
            "file": document, "out": out, "packaging": packaging, "digest": "SHA256",
            "pkcs12": p12, "password": "secret", "time": "2026-09-21T14:13:20Z", "c14n": c14n,
        });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Dss::shared().sign_xml(&request).unwrap();
        let signed = std::fs::read(&out).unwrap();
        for (level, raised) in bench.raise(&signed, key) {
            bench.confirm(&format!("{packaging} {c14n} {more}"), level, &raised);
        }
    }
}

#[test]
fn dss_and_this_crate_raise_in_turns() {
    let bench = Bench::new(false);
    let key = Key::P256;
    let tsa = bench.court.write("tsa.p12", &bench.service.signer().pkcs12("secret"));
    // DSS fetches them today.
    let lists =
        bench.service.validation_data(Pki::shared().signer(key), DAYS[1], "20491231235959Z");
    let list = bench.court.write("list.crl", &lists.crls[0]);
    let dss = |signed: &[u8], level: &str, time: &str| {
        let file = bench.court.write("signed.xml", signed);
        let out = bench.court.dir().join("raised.xml");
        let request = json!({
            "format": "XAdES", "file": file, "out": out, "level": level, "tsa": tsa,
            "password": "secret", "time": time, "crls": [list], "trust": [bench.trust],
        });
        Dss::shared().raise(&request).unwrap_or_else(|error| panic!("{error}: {request}"));
        std::fs::read(out).unwrap()
    };
    let signed = sign(Packaging::Enveloped, key);
    // Every second step is ours.
    let t = dss(&signed, "T", "2026-09-22T00:00:00Z");
    let lt = bench.add(&t, &bench.data(key, DAYS[1]));
    bench.confirm("DSS, then ours", "LT", &lt);
    let lta = dss(&lt, "LTA", "2026-09-24T00:00:00Z");
    bench.confirm("DSS after ours", "LTA", &lta);
    let fresh = bench.add(&lta, &bench.data(key, DAYS[3]));
    bench.confirm("renewed by us", "LTA", &bench.stamp(&fresh, Archive, DAYS[3]));
    // The other way round.
    let t = bench.stamp(&signed, Signature, DAYS[0]);
    let lt = dss(&t, "LT", "2026-09-23T00:00:00Z");
    bench.confirm("DSS after our time-stamp", "LT", &lt);
    let lta = bench.stamp(&lt, Archive, DAYS[2]);
    bench.confirm("ours after DSS", "LTA", &lta);
    let renewed = dss(&lta, "LTA", "2026-09-25T00:00:00Z");
    bench.confirm("renewed by DSS", "LTA", &renewed);
}

/// Trap 5: a token whose own signature is good but that is over other data.
#[test]
fn trap_5_a_token_over_other_data_is_not_embedded() {
    let bench = Bench::new(false);
    let signed = sign(Packaging::Enveloped, Key::P256);
    let document = &mut Document::from_bytes(&signed);
    let digest = DigestAlgorithm::Sha256;
    let pending = prepare_time_stamp(document, &[0], Signature, digest, bench.options()).unwrap();
    let other = ades_core::Digest::of(digest, b"other");
    let token = bench.service.token(&other, DAYS[0]);
    let mut out = Vec::new();
    let refused = add_time_stamp(document, &pending, &token, &mut out);
    assert!(matches!(refused, Err(Error::TimeStampMismatch)) && out.is_empty());
}

/// Trap 25: the certificates of signer and service expired long ago; only the newest
/// time-stamp must be good, and this crate does not judge that either.
#[test]
fn trap_25_renewal_does_not_depend_on_certificates() {
    let bench = Bench::new(false);
    let [.., (_, last)] = bench.raise(&sign(Packaging::Enveloped, Key::P256), Key::P256);
    let renewed = bench.stamp(&last, Archive, "20750101000000Z");
    let report = xades::verify(&mut Document::from_bytes(&renewed), VerifyOptions::new()).unwrap();
    let facts = &report.signatures[0].facts;
    let archives = facts.time_stamps().filter(|stamp| stamp.kind == TimeStampKind::Archive);
    assert_eq!(archives.filter(|stamp| stamp.imprint == Some(true)).count(), 4);
}

/// Every signature of the corpora: raised with all octets of theirs, or refused.
#[test]
fn signatures_of_others_are_raised_or_refused() {
    let Some(mut all) = everything(&["signed", "validation", "more"], &[".xml"]) else { return };
    all.extend(corpora::files("xades").into_iter().flatten().filter_map(|file| {
        let octets = std::fs::read(&file.path).ok()?;
        file.name.ends_with(".xml").then(|| (file.name.to_owned(), octets))
    }));
    let service = Service::new(Pki::shared());
    let (mut raised, mut refused) = (0, std::collections::BTreeMap::new());
    for (name, octets) in &all {
        let Ok(before) = xades::verify(&mut Document::from_bytes(octets), VerifyOptions::new())
        else {
            continue;
        };
        for which in places(&before.signatures, &[]) {
            for purpose in [Signature, Archive] {
                match raise_one(octets, &which, purpose, &service) {
                    Ok(out) => {
                        raised += 1;
                        check_raised(name, octets, &out, &which);
                    }
                    Err(error) => *refused.entry(error.to_string()).or_insert(0) += 1,
                }
            }
        }
    }
    println!("{raised} raised; refused: {refused:#?}");
    assert!(raised > 40, "{raised}");
}

/// The places of signatures and their countersignatures.
fn places(signatures: &[xades::report::SignatureReport], around: &[usize]) -> Vec<Vec<usize>> {
    let mut all = Vec::new();
    for (at, signature) in signatures.iter().enumerate() {
        let own = [around, &[at]].concat();
        all.push(own.clone());
        all.extend(places(&signature.countersignatures, &own));
    }
    all
}

fn raise_one(
    octets: &[u8],
    which: &[usize],
    purpose: TimeStampPurpose,
    service: &Service<'_>,
) -> Result<Vec<u8>, Error> {
    let document = &mut Document::from_bytes(octets);
    let (digest, options) = (DigestAlgorithm::Sha256, ExtendOptions::new());
    let pending = prepare_time_stamp(document, which, purpose, digest, options)?;
    let mut out = Vec::new();
    let token = service.token(pending.imprint(), DAYS[0]);
    add_time_stamp(document, &pending, &token, &mut out)?;
    Ok(out)
}

#[track_caller]
fn check_raised(name: &str, octets: &[u8], out: &[u8], which: &[usize]) {
    let start = octets.iter().zip(out).take_while(|(a, b)| a == b).count();
    let end = octets.iter().rev().zip(out.iter().rev()).take_while(|(a, b)| a == b).count();
    assert!(start + end + 4 >= octets.len(), "{name} {which:?}");
    let facts = |octets: &[u8]| {
        let document = &mut Document::from_bytes(octets);
        let report = xades::verify(document, VerifyOptions::new()).unwrap();
        let mut all = Vec::new();
        for place in places(&report.signatures, &[]) {
            let mut signature = &report.signatures[place[0]];
            for at in &place[1..] {
                signature = &signature.countersignatures[*at];
            }
            let imprints: Vec<_> =
                signature.facts.time_stamps().map(|stamp| (stamp.kind, stamp.imprint)).collect();
            all.push((place, signature.intact, imprints));
        }
        all
    };
    for ((place, intact, stamps), (_, after, now)) in facts(octets).into_iter().zip(facts(out)) {
        assert_eq!(intact, after, "{name} {place:?}");
        let grown = usize::from(place == which);
        assert_eq!(stamps.len() + grown, now.len(), "{name} {place:?}");
        assert_eq!(stamps, now[..stamps.len()], "{name} {place:?}");
        let all_new_fit = now[stamps.len()..].iter().all(|(_, imprint)| *imprint == Some(true));
        assert!(all_new_fit, "{name} {place:?}: {now:?}");
    }
}
