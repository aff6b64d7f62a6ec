//! Only the new signature of a document is raised: what others have signed before stays as it is, and
//! does not count for what was reached.

use ades::{
    Document, Error, ExtendOptions, Extension, Format, Inputs, Level, Operation, PendingSignature,
    Report, Selection, SigningOptions, TargetLevel, Verdict, XmlOptions,
};
use ades_core::Digest;
use ades_tests::levels::{Raising, now, signer};
use ades_tests::pki::{Key, Pki, Profile, TestSigner};
use ades_tests::signing::{parameters, sign_pkcs7};
use chrono::TimeDelta;

const CONTENT: &[u8] = b"content that several people sign\n";
const XML: &[u8] = b"<?xml version=\"1.0\"?>\n<contract><clause>to be kept</clause></contract>\n";

/// A signer whose certificate names no services, and ends two days after signing.
fn other_signer() -> TestSigner {
    let validity = ((2020, 1, 1), (2026, 9, 23));
    Pki::shared().issue(&Profile { validity, ..Profile::new(Key::P256) })
}

/// The document with a signature, and the digest of the value of that signature.
fn signed(document: &[u8], signer: &TestSigner, options: &SigningOptions) -> (Vec<u8>, Digest) {
    let mut source = Document::from_bytes(document);
    let pending = ades::prepare(Inputs::new(&mut source), &signer.chain, options).unwrap();
    let pending = PendingSignature::from_json(&pending.to_json(None).unwrap(), None).unwrap();
    let value = signer.sign(&pending.to_be_signed());
    let mut out = Vec::new();
    pending.complete(Some(&mut source), &value, &mut out).unwrap();
    (out, pending.value_digest(&value).unwrap())
}

/// A document with somebody's older signature and a new one, and the digest of the new value.
fn signed_twice(format: Format, new: &TestSigner) -> (Vec<u8>, Digest) {
    let options = SigningOptions::new(parameters());
    let other = other_signer();
    match format {
        Format::Cades => {
            let options = options.packaging(ades::Packaging::Enveloping);
            let (once, _) = signed(CONTENT, &other, &options);
            signed(&once, new, &options.operation(Operation::AddParallel))
        }
        Format::Xades => {
            let options = options.xml(XmlOptions::new().allow_parallel());
            let (once, _) = signed(XML, &other, &options);
            signed(&once, new, &options)
        }
        Format::Pades => {
            let pdf = ades_tests::pdf::Document::default().write();
            signed(&signed(&pdf, &other, &options).0, new, &options)
        }
        other => panic!("{other:?}"),
    }
}

fn of_value<'r>(report: &'r Report, digest: &Digest) -> &'r Verdict {
    let is_meant = |verdict: &&Verdict| verdict.facts.value_digest.as_ref() == Some(digest);
    report.signatures.iter().find(is_meant).unwrap()
}

#[test]
fn only_the_selected_signature_is_raised_in_every_format() {
    for format in [Format::Cades, Format::Xades, Format::Pades] {
        let new = signer(Pki::shared(), Key::P256);
        let (document, digest) = signed_twice(format, &new);
        let mut raising = Raising::new(&new);
        raising.services.now = now() + TimeDelta::days(10);

        // Both: the certificate of the other signer has expired.
        let (_, reached) = raising.raise(&document, ExtendOptions::new(TargetLevel::Lta));
        // A document time-stamp covers it nevertheless.
        let level = if format == Format::Pades { Level::Lta } else { Level::B };
        assert_eq!(reached.level, level, "{format:?}");
        assert_eq!(reached.missing[0].code, "expired", "{format:?} {reached:?}");

        let before = raising.services.counts;
        let options = || {
            ExtendOptions::new(TargetLevel::Lta).selection(Selection::Only(vec![digest.clone()]))
        };
        let (raised, reached) = raising.raise(&document, options());
        assert_eq!((reached.level, &reached.missing), (Level::Lta, &vec![]), "{format:?}");
        assert_eq!(raising.services.counts[0] - before[0], 2, "{format:?}");

        let report = raising.verify(&raised);
        let own = of_value(&report, &digest);
        assert_eq!(own.level, Level::Lta, "{format:?}");
        assert!(own.judgement.problems.is_empty(), "{format:?}\n{report}");
        let other =
            report.signatures.iter().find(|one| one.facts.value_digest != own.facts.value_digest);
        let other = other.unwrap();
        assert_eq!(other.intact, Some(true), "{format:?}");
        // A document time-stamp is over the whole document.
        let of_document = usize::from(format == Format::Pades) * 2;
        assert_eq!(other.time_stamps().count(), of_document, "{format:?}");

        // Renewed: nothing but the same signature again.
        let (renewed, reached) = raising.raise(&raised, options());
        assert_eq!((reached.level, reached.missing), (Level::Lta, vec![]), "{format:?}");
        assert_eq!(of_value(&raising.verify(&renewed), &digest).time_stamps().count(), 3);
    }
}

/// An older signature that is not a baseline signature does not count for the level.
#[test]
fn an_older_signature_below_the_baseline_does_not_lower_the_level() {
    let (other, new) = (Pki::shared().signer(Key::P256), signer(Pki::shared(), Key::P256));
    let pdf = ades_tests::pdf::Document::default().write();
    let once = sign_pkcs7(&pdf, other).unwrap();
    let (document, digest) = signed(&once, &new, &SigningOptions::new(parameters()));
    let mut raising = Raising::new(&new);
    let (_, reached) = raising.raise(&document, ExtendOptions::new(TargetLevel::Lt));
    assert_eq!(reached.level, Level::Below);
    let options = ExtendOptions::new(TargetLevel::Lt).selection(Selection::Only(vec![digest]));
    let (_, reached) = raising.raise(&document, options);
    assert_eq!((reached.level, reached.missing), (Level::Lt, vec![]));
}

#[test]
fn a_selection_without_a_signature_in_the_document_is_an_error() {
    let new = signer(Pki::shared(), Key::P256);
    for format in [Format::Cades, Format::Xades, Format::Pades] {
        let (document, _) = signed_twice(format, &new);
        let raising = Raising::new(&new);
        let other = Digest::of(ades_core::DigestAlgorithm::Sha256, b"another value");
        let options = ExtendOptions::new(TargetLevel::T).selection(Selection::Only(vec![other]));
        let mut extension = Extension::new(options);
        let mut source = Document::from_bytes(&document);
        let step = extension.advance(&mut source, &mut raising.options(), now(), &mut Vec::new());
        assert!(matches!(step, Err(Error::NoSignatures)), "{step:?}");
    }
}

/// The digest of a value tells which signature is which, in the form that each format stores it.
#[test]
fn the_value_digest_of_a_completed_signature_is_that_of_the_report() {
    for key in Key::ALL {
        let new = Pki::shared().signer(key);
        for (document, format) in [
            (CONTENT.to_vec(), Format::Cades),
            (XML.to_vec(), Format::Xades),
            (ades_tests::pdf::Document::default().write(), Format::Pades),
        ] {
            let options = SigningOptions::new(parameters());
            let options = match format {
                Format::Cades => options.packaging(ades::Packaging::Enveloping),
                _ => options,
            };
            let (container, digest) = signed(&document, new, &options);
            let report = Raising::new(new).verify(&container);
            let found = report.signatures[0].facts.value_digest.as_ref();
            assert_eq!(found, Some(&digest), "{key:?} {format:?}");
        }
    }
}

/// Options that an older version stored have no selection: all signatures are meant.
#[test]
fn stored_options_without_a_selection_mean_all_signatures() {
    let options = ExtendOptions::new(TargetLevel::T);
    let mut stored = serde_json::to_value(&options).unwrap();
    assert_eq!(stored.as_object_mut().unwrap().remove("selection").unwrap(), "all");
    assert_eq!(serde_json::from_value::<ExtendOptions>(stored).unwrap(), options);
}
