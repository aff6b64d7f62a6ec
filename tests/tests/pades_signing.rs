//! Signing PDFs: what stays unchanged, what is refused, and both halves of a signature.

use std::io::Cursor;

use ades_core::{
    CommitmentType, DigestAlgorithm, Document as Source, PendingState, SignaturePolicy,
    SignerLocation,
};
use ades_tests::corpora;
use ades_tests::full::Full;
use ades_tests::oracle::pdf::pdfsig;
use ades_tests::pdf::by_hand::{last_between, updated};
use ades_tests::pdf::{
    Document, Encryption, Form, Xref, encrypted, linearized, prev_loop, wrong_startxref,
};
use ades_tests::pki::{Key, Pki, Profile, TestSigner};
use ades_tests::signing::{algorithms, leads_to, parameters, sign_pkcs7};
use cades::report::Level;
use pades::report::{Change, Coverage, Problem};
use pades::{
    Certification, Check, Error, PendingSignature, PreparedDocument, SignatureField,
    SignatureOptions, SubFilter, VerifyOptions,
};

/// With a cross-reference table and an empty signature field.
fn table() -> Vec<u8> {
    Document { signature_fields: &["Empty"], ..Document::default() }.write()
}

/// Everything in object streams, with two empty signature fields.
fn streams() -> Vec<u8> {
    let signature_fields = &["Sig1", "Sig2"];
    Document { xref: Xref::Stream, signature_fields, ..Document::default() }.write()
}

fn signer() -> &'static TestSigner {
    Pki::shared().signer(Key::P256)
}

fn prepare(document: &[u8], options: &SignatureOptions) -> Result<PendingSignature, Error> {
    let mut document = Source::from_bytes(document);
    let pending = pades::prepare(&mut document, &signer().chain, &parameters(), options)?;
    Ok(PendingSignature::from_json(&pending.to_json(None)?, None)?)
}

fn sign(document: &[u8], options: &SignatureOptions) -> Result<Vec<u8>, Error> {
    let pending = prepare(document, options)?;
    let value = signer().sign(&pending.to_be_signed());
    let mut out = Vec::new();
    pending.complete(Some(&mut Source::from_bytes(document)), &value, &mut out)?;
    Ok(out)
}

fn report(document: &[u8]) -> pades::report::Report {
    pades::verify(&mut Source::from_bytes(document), VerifyOptions::new()).unwrap()
}

#[test]
fn documents_of_others_are_signed_twice_without_changing_an_octet() {
    for file in corpora::files("pdf").unwrap_or_default() {
        let (name, document) = (file.name, file.read());
        let first = match sign(&document, &SignatureOptions::new()) {
            Ok(first) => first,
            Err(
                Error::Forbidden { .. }
                | Error::BrokenCrossReference { .. }
                | Error::NotPdf
                | Error::PasswordNeeded
                | Error::RecipientNeeded
                | Error::Unsupported { .. },
            ) => continue,
            Err(error) => panic!("{name}: {error}"),
        };
        assert!(first.starts_with(&document), "{name}");
        let second = sign(&first, &SignatureOptions::new()).unwrap();
        assert!(second.starts_with(&first), "{name}");
        let report = report(&second);
        let ours: Vec<_> = report.signatures.iter().rev().take(2).collect();
        assert_eq!(ours[0].covers, Coverage::Whole, "{name}");
        assert_eq!(ours[1].covers, Coverage::Part, "{name}");
        assert_eq!(ours[1].changes, [Change::Signature], "{name}");
        for signature in ours {
            assert!(signature.intact == Some(true), "{name}: {signature:?}");
            assert_eq!(signature.problems, [], "{name}");
            assert_eq!(signature.level, Level::B);
            assert!(leads_to(&signature.facts, &[Pki::shared().root().clone()]));
        }
    }
}

#[test]
fn refusals_say_what_is_wrong_and_where() {
    let refused =
        |document: &[u8]| sign(document, &SignatureOptions::new()).unwrap_err().to_string();
    let closed = SignatureOptions::new().certify(Certification::NoChanges);
    let certified = refused(&sign(&table(), &closed).unwrap());
    assert!(certified.contains("DocMDP 1"), "{certified}");
    let document = prev_loop(&table());
    let (endless, place) = (refused(&document), last_between(&document, "startxref\n", "\n"));
    assert!(endless.contains("refers back to itself") && endless.contains(place), "{endless}");
    let missing = refused(&table()[..200]);
    assert!(missing.contains("no startxref"), "{missing}");
    let wrong = refused(&wrong_startxref(&table()));
    assert!(wrong.contains("startxref does not point to"), "{wrong}");
    assert!(matches!(sign(b"no pdf", &SignatureOptions::new()), Err(Error::NotPdf)));
}

/// Demand 20: documents that every viewer opens.
#[test]
fn a_broken_cross_reference_is_rebuilt_on_request() {
    let replaced = |document: Vec<u8>, from: &str, to: &str| {
        let at = document.windows(from.len()).rposition(|w| w == from.as_bytes()).unwrap();
        [&document[..at], to.as_bytes(), &document[at + from.len()..]].concat()
    };
    let shifted = {
        let mut document = table();
        document.splice(9..9, *b"% eleven more octets\n");
        document
    };
    for document in [
        prev_loop(&table()),
        wrong_startxref(&table()),
        replaced(table(), "startxref", "nothing"),
        replaced(streams(), "startxref\n", "startxref\n7"),
        shifted,
    ] {
        let strict = sign(&document, &SignatureOptions::new());
        assert!(matches!(strict, Err(Error::BrokenCrossReference { .. })), "{strict:?}");
        let pending = prepare(&document, &SignatureOptions::new().repair()).unwrap();
        assert!(pending.is_repaired());
        let signed = sign(&document, &SignatureOptions::new().repair()).unwrap();
        assert!(signed.starts_with(&document));
        // The update has a complete cross-reference: the next signature needs no repair.
        let twice = sign(&signed, &SignatureOptions::new()).unwrap();
        let report = report(&twice);
        assert!(report.is_valid(), "{report:?}");
        assert_eq!(report.signatures.len(), 2);
    }
    let whole = prepare(&table(), &SignatureOptions::new().repair()).unwrap();
    assert!(!whole.is_repaired());
}

/// Demand 17.
#[test]
fn every_key_and_algorithm_fits_the_placeholder() {
    let document = table();
    for key in Key::ALL {
        let signer = Pki::shared().signer(key);
        for algorithm in algorithms(signer) {
            let parameters = parameters().algorithm(algorithm);
            let mut source = Source::from_bytes(&document);
            let options = SignatureOptions::new();
            let pending =
                pades::prepare(&mut source, &signer.chain, &parameters, &options).unwrap();
            let value = signer.sign(&pending.to_be_signed());
            let mut out = Vec::new();
            pending.complete(Some(&mut source), &value, &mut out).unwrap();
            let report = report(&out);
            assert!(report.is_valid(), "{algorithm}: {report:?}");
            // The length is exact, except that an ECDSA value may be shorter.
            let contents = last_between(&out, "/Contents<", ">");
            let padding = contents.len() - contents.trim_end_matches('0').len();
            assert!(padding <= 2 * 8, "{algorithm}: {padding} digits of padding");
        }
    }
}

#[test]
fn texts_are_read_as_given_and_inject_nothing() {
    let reason = "ok) /Evil true (x\\";
    let options = SignatureOptions::new()
        .name("Řehoř Žluťoučký 🖋")
        .reason(reason)
        .contact("a\nb")
        .application("our program", "1.0)");
    let document = table();
    let mut source = Source::from_bytes(&document);
    let location = SignerLocation::default().country("BE").locality("Liège");
    let parameters = parameters().location(location);
    let pending = pades::prepare(&mut source, &signer().chain, &parameters, &options).unwrap();
    let value = signer().sign(&pending.to_be_signed());
    let mut out = Vec::new();
    pending.complete(Some(&mut source), &value, &mut out).unwrap();
    let report = report(&out);
    assert!(report.is_valid(), "{report:?}");
    let signature = &report.signatures[0];
    assert_eq!(signature.reason.as_deref(), Some(reason));
    assert_eq!(signature.name.as_deref(), Some("Řehoř Žluťoučký 🖋"));
    assert_eq!(signature.location.as_deref(), Some("Liège, BE"));
    assert_eq!(signature.contact.as_deref(), Some("a\nb"));
    assert_eq!(signature.claimed_time, Some(parameters.signing_time().time()));
    let dictionary = last_between(&out, "/Type/Sig/", "endobj");
    assert!(dictionary.contains("/Name/our#20program"), "{dictionary}");
    assert!(dictionary.contains("(1.0\\))"), "{dictionary}");
}

#[test]
fn reason_excludes_commitment_and_policy() {
    let document = table();
    let options = SignatureOptions::new().reason("Agreed");
    let policy = SignaturePolicy::of_document(
        "1.2.3.4".parse().unwrap(),
        DigestAlgorithm::Sha256,
        b"policy",
    );
    for parameters in
        [parameters().commitment(CommitmentType::APPROVAL), parameters().policy(policy)]
    {
        let mut source = Source::from_bytes(&document);
        let refused = pades::prepare(&mut source, &signer().chain, &parameters, &options);
        assert!(
            matches!(
                refused,
                Err(Error::Core(ades_core::Error::Parameter {
                    parameter: ades_core::error::Parameter::Reason,
                    ..
                }))
            ),
            "{refused:?}"
        );
        let without = SignatureOptions::new();
        assert!(pades::prepare(&mut source, &signer().chain, &parameters, &without).is_ok());
    }
}

/// Demand 18.
#[test]
fn an_empty_field_is_signed_and_a_taken_name_is_refused() {
    let document = streams();
    let existing =
        |name: &str| SignatureOptions::new().field(SignatureField::Existing(name.into()));
    let once = sign(&document, &existing("Sig1")).unwrap();
    let twice = sign(&once, &existing("Sig2")).unwrap();
    let found = report(&twice);
    assert!(found.is_valid(), "{found:?}");
    let fields: Vec<_> = found.signatures.iter().map(|s| s.field.as_str()).collect();
    assert_eq!(fields, ["Sig1", "Sig2"]);
    assert!(matches!(sign(&once, &existing("Sig1")), Err(Error::FieldNotFit { .. })));
    assert!(matches!(sign(&once, &existing("Sig3")), Err(Error::NoSuchField { .. })));
    let named = SignatureOptions::new().field(SignatureField::NewNamed("Sig2".into()));
    assert!(matches!(sign(&document, &named), Err(Error::FieldNameTaken { .. })));
    let form =
        Document { form: Form::Inline, signature_fields: &["group.Sig"], ..Document::default() };
    for other in ["Text", "group"] {
        let refused = sign(&form.write(), &existing(other));
        let refused = refused.map(drop).unwrap_err();
        assert!(matches!(refused, Error::FieldNotFit { .. } | Error::NoSuchField { .. }));
    }
}

/// Demand 16: also documents that have only an owner's password.
#[test]
fn encrypted_documents_are_signed_and_their_texts_encrypted() {
    for (encryption, user) in [
        (Encryption::Rc4, ""),
        (Encryption::Aes256, ""),
        (Encryption::Rc4Short, "view"),
        (Encryption::Rc4CryptFilter, "user"),
        (Encryption::Aes128, "user"),
        (Encryption::Aes128ClearMetadata, "user"),
        (Encryption::Aes256Revision5, "user"),
        (Encryption::Aes256, "user"),
    ] {
        let name = format!("{encryption:?} {user}");
        let document = encrypted(&table(), encryption, user);
        let owner = Some("owner").filter(|_| !user.is_empty());
        for password in [Some(user), owner].into_iter().flatten() {
            let options = SignatureOptions::new().reason("Top secret").password(password);
            assert!(!format!("{options:?}").contains(password) || password.is_empty());
            let signed = sign(&document, &options).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert!(!String::from_utf8_lossy(&signed).contains("Top secret"), "{name}");
            let twice = sign(&signed, &options).unwrap();
            let given = VerifyOptions::new().password(password);
            let report = pades::verify(&mut Source::from_bytes(&twice), given).unwrap();
            assert_eq!(report.signatures.len(), 2, "{name}");
            assert!(report.is_valid(), "{name}: {report:?}");
            for signature in report.signatures {
                assert_eq!(signature.reason.as_deref(), Some("Top secret"));
                assert_eq!(signature.claimed_time, Some(parameters().signing_time().time()));
            }
        }
        let wrong = SignatureOptions::new().password("not this one");
        assert!(matches!(sign(&document, &wrong), Err(Error::WrongPassword)), "{name}");
        let none = sign(&document, &SignatureOptions::new());
        assert_eq!(matches!(none, Err(Error::PasswordNeeded)), !user.is_empty(), "{name}");
    }
}

/// ISO 32000-2, 7.6.4.3.2 and 7.6.4.3.3. qpdf does not prepare the password of AES-256
/// documents, and writes others in PDFDocEncoding.
#[test]
fn passwords_are_prepared_as_writers_prepare_them() {
    let opens = |document: &[u8], password: &str| {
        let options = SignatureOptions::new().password(password);
        match sign(document, &options) {
            Ok(signed) => {
                let given = VerifyOptions::new().password(password);
                pades::verify(&mut Source::from_bytes(&signed), given).unwrap().is_valid()
            }
            Err(Error::WrongPassword) => false,
            Err(error) => panic!("{password}: {error}"),
        }
    };
    let new = [Encryption::Aes256, Encryption::Aes256Revision5];
    for encryption in new {
        let name = format!("{encryption:?}");
        let document = encrypted(&table(), encryption, "IX a é");
        for same in ["IX a é", "Ⅸ ª é", "I\u{AD}X\u{A0}a e\u{301}"] {
            assert!(opens(&document, same), "{name} {same}");
        }
        assert!(!opens(&document, "ix a é"), "{name}");
        // As it is: SASLprep changes the first two, and rejects the third.
        for raw in ["Ⅸ", "a\u{AD}b", "🔑"] {
            let document = encrypted(&table(), encryption, raw);
            assert!(opens(&document, raw), "{name} {raw}");
            assert!(!opens(&document, "IX") && !opens(&document, "ab"), "{name} {raw}");
        }
    }
    for encryption in [Encryption::Rc4, Encryption::Aes128] {
        let document = encrypted(&table(), encryption, "€ é Ÿ ž");
        for same in ["€ é Ÿ ž", "€ e\u{301} Ÿ z\u{30C}"] {
            assert!(opens(&document, same), "{encryption:?} {same}");
        }
        assert!(!opens(&document, "€ e Ÿ z"), "{encryption:?}");
    }
}

/// Demand 14.
#[test]
fn only_the_first_signature_certifies_and_its_level_is_respected() {
    let document = table();
    let certify = |level| SignatureOptions::new().certify(level);
    let closed = sign(&document, &certify(Certification::NoChanges)).unwrap();
    assert_eq!(report(&closed).signatures[0].certification, Some(1));
    assert!(matches!(sign(&closed, &SignatureOptions::new()), Err(Error::Forbidden { .. })));
    let open = sign(&document, &certify(Certification::FormFilling)).unwrap();
    assert!(matches!(
        sign(&open, &certify(Certification::FormFilling)),
        Err(Error::Forbidden { .. })
    ));
    let both = report(&sign(&open, &SignatureOptions::new()).unwrap());
    assert!(both.is_valid(), "{both:?}");
}

/// Demand 15: tables, streams and hybrid-reference files.
#[test]
fn the_update_has_the_kind_of_the_newest_section_and_keeps_the_trailer() {
    let with_table = sign(&table(), &SignatureOptions::new()).unwrap();
    let section: usize = last_between(&with_table, "startxref\n", "\n").parse().unwrap();
    assert!(with_table[section..].starts_with(b"xref\n"));
    let with_streams = sign(&streams(), &SignatureOptions::new()).unwrap();
    let section: usize = last_between(&with_streams, "startxref\n", "\n").parse().unwrap();
    assert!(String::from_utf8_lossy(&with_streams[section..]).contains("/Type/XRef"));

    let original = linearized(&table());
    let signed = sign(&original, &SignatureOptions::new()).unwrap();
    let trailer = last_between(&signed, "trailer\n", "startxref");
    assert!(trailer.contains("/Info ") && trailer.contains("/Root "), "{trailer}");
    let first_id = |pdf: &[u8]| {
        let ids = last_between(pdf, "/ID", "]").to_lowercase();
        ids.split(['<', '>']).nth(1).unwrap().to_owned()
    };
    assert_eq!(first_id(&signed), first_id(&original));
}

#[test]
fn a_value_over_something_else_writes_nothing() {
    let document = table();
    let pending = prepare(&document, &SignatureOptions::new()).unwrap();
    let other = Pki::shared().issue(&Profile::new(Key::P256));
    let value = other.sign(&pending.to_be_signed());
    let mut out = Vec::new();
    assert!(pending.complete(Some(&mut Source::from_bytes(&document)), &value, &mut out).is_err());
    assert!(out.is_empty());
}

#[test]
fn another_document_gets_no_update() {
    let document = table();
    let pending = prepare(&document, &SignatureOptions::new()).unwrap();
    let value = signer().sign(&pending.to_be_signed());
    let mut changed = document.clone();
    changed[11] ^= 1;
    let mut out = Vec::new();
    let refused = pending.complete(Some(&mut Source::from_bytes(&changed)), &value, &mut out);
    assert!(matches!(refused, Err(Error::DocumentChanged)));
    assert_eq!(out, changed, "at most a copy of the document is written");
    let mut file = Cursor::new(changed.clone());
    let refused = pending.complete_in_place(&mut file, &value, Check::Whole);
    assert!(matches!(refused, Err(Error::DocumentChanged)));
    assert_eq!(file.into_inner(), changed);
}

#[test]
fn completing_in_place_gives_the_same_octets_as_a_copy() {
    let document = table();
    let pending = prepare(&document, &SignatureOptions::new()).unwrap();
    let value = signer().sign(&pending.to_be_signed());
    let mut out = Vec::new();
    pending.complete(Some(&mut Source::from_bytes(&document)), &value, &mut out).unwrap();
    for check in [Check::Whole, Check::LengthAndTail] {
        let mut file = Cursor::new(document.clone());
        pending.complete_in_place(&mut file, &value, check).unwrap();
        assert_eq!(file.into_inner(), out);
    }
    let (mut source, mut copy) = (Source::from_bytes(&document), Vec::new());
    let (options, parameters) = (SignatureOptions::new(), parameters());
    let copied =
        pades::prepare_copying(&mut source, &signer().chain, &parameters, &options, &mut copy);
    assert_eq!(copied.unwrap(), pending);
    assert_eq!(copy, document);
    let mut longer = Cursor::new([document.as_slice(), b"\n"].concat());
    let refused = pending.complete_in_place(&mut longer, &value, Check::LengthAndTail);
    assert!(matches!(refused, Err(Error::DocumentChanged)));
}

#[test]
fn a_full_disk_leaves_the_document_as_it_was() {
    let document = table();
    let pending = prepare(&document, &SignatureOptions::new()).unwrap();
    let value = signer().sign(&pending.to_be_signed());
    let mut file = Full::new(document.clone(), 100);
    let refused = pending.complete_in_place(&mut file, &value, Check::LengthAndTail);
    assert!(matches!(refused, Err(Error::Core(ades_core::Error::Write(_)))));
    assert_eq!(file.into_inner(), document);
}

#[test]
fn a_prepared_document_takes_the_cms_of_another_service() {
    let document = table();
    let mut source = Source::from_bytes(&document);
    let options = SignatureOptions::new();
    let prepared = PreparedDocument::new(
        &mut source,
        DigestAlgorithm::Sha256,
        SubFilter::Cades,
        8192,
        &parameters(),
        &options,
    )
    .unwrap();
    let prepared = PreparedDocument::from_json(&prepared.to_json(None).unwrap(), None).unwrap();
    assert_eq!(prepared.capacity(), 8192);
    // Another service makes the CMS over the digest.
    let cms =
        cades::embedded::prepare_digest(prepared.digest().clone(), &signer().chain, &parameters())
            .unwrap();
    let value = signer().sign(&cms.to_be_signed());
    let container = cades::embedded::complete(&cms, &value).unwrap();
    let mut out = Vec::new();
    prepared.embed(&mut source, &container, &mut out).unwrap();
    assert!(report(&out).is_valid());
    let too_long = prepared.embed(&mut source, &[0x30; 8193], &mut Vec::new());
    assert!(matches!(too_long, Err(Error::DoesNotFit { len: 8193, reserved: 8192 })));
}

#[test]
fn a_prepared_document_takes_cms_in_the_iso_32000_format() {
    let octets = sign_pkcs7(&table(), signer()).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &octets).unwrap();
    let found = &pdfsig(file.path(), None).unwrap()[0];
    assert_eq!(found.subfilter.as_deref(), Some("adbe.pkcs7.detached"));
    assert!(found.valid && found.total_document, "{found:?}");
    let report = report(&octets);
    let signature = &report.signatures[0];
    assert!(!report.is_valid() && signature.intact == Some(true), "{signature:?}");
    assert_eq!((signature.format, signature.level), ("PDF", Level::Below));
    assert_eq!(signature.problems, [Problem::NotPades]);
}

#[test]
fn octets_around_the_file_do_not_shift_the_update() {
    let plain = table();
    for document in [
        [b"HTTP/1.1 200 OK\r\n\r\n", plain.as_slice()].concat(),
        [plain.as_slice(), &[0; 700]].concat(),
        plain.strip_suffix(b"\n").unwrap_or(&plain).to_vec(),
    ] {
        let signed = sign(&document, &SignatureOptions::new()).unwrap();
        assert!(signed.starts_with(&document));
        let report = report(&signed);
        assert!(report.is_valid(), "{report:?}");
    }
}

#[test]
fn changes_after_a_signature_are_found() {
    let signed = sign(&table(), &SignatureOptions::new()).unwrap();

    let mut tampered = signed.clone();
    tampered[11] ^= 1;
    assert!(report(&tampered).signatures[0].intact != Some(true));

    let appended = [signed.as_slice(), b"% more\n"].concat();
    let found = report(&appended);
    let signature = &found.signatures[0];
    assert_eq!(signature.covers, Coverage::Part, "{signature:?}");
    assert_eq!(signature.problems, [Problem::TrailingData]);

    // An update replaces the first page.
    let page = last_between(&signed, "/P ", " 0 R").parse().unwrap();
    let replaced = updated(&signed, &[(page, "<</Type/Page/MediaBox[0 0 9 9]>>")]);
    let found = report(&replaced);
    let signature = &found.signatures[0];
    assert!(signature.intact == Some(true) && signature.covers == Coverage::Part, "{signature:?}");
    assert!(signature.problems.contains(&Problem::ChangedLater), "{signature:?}");
    assert!(!found.is_valid());
}

#[test]
fn a_byte_range_that_does_not_fit_the_contents_is_reported() {
    let signed = sign(&table(), &SignatureOptions::new()).unwrap();
    let range = last_between(&signed, "/ByteRange[", "]").to_owned();
    let numbers: Vec<u64> = range.split_whitespace().map(|n| n.parse().unwrap()).collect();
    let at = signed.windows(range.len()).rposition(|w| w == range.as_bytes()).unwrap();
    for wrong in [
        [0, numbers[1] - 1, numbers[2], numbers[3]],
        [0, numbers[1], numbers[2] + 1, numbers[3] - 1],
        [1, numbers[1], numbers[2], numbers[3]],
        [0, numbers[1], numbers[2], numbers[3] + 1],
    ] {
        let text = format!("{} {} {} {}", wrong[0], wrong[1], wrong[2], wrong[3]);
        let mut forged = signed.clone();
        forged[at..at + range.len()].fill(b' ');
        forged[at..at + text.len()].copy_from_slice(text.as_bytes());
        let signature = &report(&forged).signatures[0];
        assert!(signature.intact != Some(true), "{text}");
        assert_eq!(signature.covers, Coverage::Unknown, "{text}");
    }
}

#[test]
fn no_prefix_of_a_signed_document_causes_a_panic() {
    let signed = sign(&table(), &SignatureOptions::new()).unwrap();
    for len in (0..signed.len()).step_by(7) {
        let _ = pades::verify(&mut Source::from_bytes(&signed[..len]), VerifyOptions::new());
        let _ = sign(&signed[..len], &SignatureOptions::new());
    }
}

/// Both times are signed, and a reader may show either.
#[test]
fn another_time_in_the_cms_is_reported_beside_that_of_the_dictionary() {
    let pdf = table();
    let mut source = Source::from_bytes(&pdf);
    let prepared = PreparedDocument::new(
        &mut source,
        DigestAlgorithm::Sha256,
        SubFilter::Pkcs7,
        8192,
        &parameters(),
        &SignatureOptions::new(),
    )
    .unwrap();
    let other = chrono::DateTime::from_timestamp(1_780_000_000, 0).unwrap();
    for (time, further) in [(other, vec![other]), (parameters().signing_time().time(), vec![])] {
        let parameters = ades_core::SignatureParameters::new(time);
        let digest = prepared.digest().clone();
        let cms = cades::prepare_digest(digest, &signer().chain, &parameters).unwrap();
        let mut container = Vec::new();
        cms.complete(None, &signer().sign(&cms.to_be_signed()), &mut container).unwrap();
        let mut out = Vec::new();
        prepared.embed(&mut source, &container, &mut out).unwrap();
        let report = report(&out);
        let cms = report.signatures[0].cms.as_ref().unwrap();
        assert_eq!(cms.further.signing_times, further);
        assert_eq!(cms.claimed_time, report.signatures[0].claimed_time);
    }
}
