//! What is added is found again, and everything else stays.

use super::*;

#[test]
fn each_packaging_is_raised_and_renewed() {
    for (document, packaging) in [
        (DOCUMENT.as_bytes(), Packaging::Enveloped),
        (DOCUMENT.as_bytes(), Packaging::EnvelopingXml),
        (b"\0 not XML", Packaging::EnvelopingBase64),
        (DOCUMENT.as_bytes(), Packaging::InternallyDetached(vec!["a".into(), "b".into()])),
    ] {
        let signed = sign(document, packaging);
        let stamped = stamp(&signed, &[0], Signature).unwrap();
        let with_data = add(&stamped, &[0], &data(0..2)).unwrap();
        let archived = stamp(&with_data, &[0], Archive).unwrap();
        let with_more = add(&archived, &[0], &data(1..3)).unwrap();
        let renewed = stamp(&with_more, &[0], Archive).unwrap();
        use TimeStampKind as Kind;
        assert_eq!(kinds(&renewed), [Kind::Signature, Kind::Archive, Kind::Archive]);
        assert_eq!(
            properties(&renewed),
            [
                "SignatureTimeStamp",
                "CertificateValues",
                "RevocationValues",
                "ArchiveTimeStamp",
                "TimeStampValidationData",
                "ArchiveTimeStamp",
            ]
        );
        let report = verify(&renewed);
        let facts = &report.signatures[0].facts;
        let values = facts.evidence.revocation_values();
        let places: Vec<_> = values.iter().map(|value| value.place).collect();
        use EvidencePlace::{TimeStampValidationData, Values};
        assert_eq!(places, [Values, Values, TimeStampValidationData]);
        let covered = facts.time_stamps().last().unwrap().covers.objects.revocation_values.len();
        assert_eq!(covered, 3);
        assert_eq!(report.signatures[0].problems, verify(&signed).signatures[0].problems);
    }
}

#[test]
fn what_is_embedded_is_not_embedded_again() {
    let signed = sign(DOCUMENT.as_bytes(), Packaging::Enveloped);
    assert_eq!(add(&signed, &[0], &ValidationData::new()).unwrap(), signed);
    let first = add(&signed, &[0], &data(0..2)).unwrap();
    assert_eq!(add(&first, &[0], &data(0..2)).unwrap(), first);
    let mut signer = ValidationData::new();
    signer.certificates = vec![certificate("Signer of orders")];
    assert_eq!(add(&first, &[0], &signer).unwrap(), first);
    // The first two properties may occur once, and no time-stamp precedes.
    let second = add(&first, &[0], &data(1..3)).unwrap();
    let names = ["CertificateValues", "RevocationValues", "AnyValidationData"];
    assert_eq!(properties(&second), names);
}

/// Trap 4: the imprint depends on the canonicalisation that the property states, and the
/// namespaces above the signature must not matter.
#[test]
fn trap_4_a_stated_exclusive_form_does_not_depend_on_what_is_above() {
    let signed = sign(DOCUMENT.as_bytes(), Packaging::Enveloped);
    let stamped = stamp(&signed, &[0], Signature).unwrap();
    let stamped = stamp(&stamped, &[0], Archive).unwrap();
    let text = String::from_utf8(stamped).unwrap();
    assert_eq!(text.matches("Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"").count(), 5);
    let moved = text.replace("xmlns:unused='urn:u'", "xmlns:other='urn:o'");
    let report = verify(moved.as_bytes());
    let imprints: Vec<_> =
        report.signatures[0].facts.time_stamps().map(|stamp| stamp.imprint).collect();
    assert_eq!(imprints, [Some(true); 2]);
    // Without the element, the form is Canonical XML 1.0, which has the namespaces above.
    let at = text.find("<ds:CanonicalizationMethod xmlns:ds").unwrap();
    let end = at + text[at..].find("</ds:CanonicalizationMethod>").unwrap() + 28;
    let without = [&text[..at], &text[end..]].concat();
    let report = verify(without.as_bytes());
    assert_eq!(report.signatures[0].facts.time_stamps().next().unwrap().imprint, Some(false));
}

/// Trap 22: what services need is embedded after their time-stamp, and what is in the token
/// is not repeated.
#[test]
fn trap_22_evidence_of_services_has_a_place_after_their_time_stamp() {
    let signed = sign(DOCUMENT.as_bytes(), Packaging::Enveloped);
    let service = certificate("Time-stamps");
    let pending = prepare(&signed, &[0], Signature).unwrap();
    let token = token_with(pending.imprint(), std::slice::from_ref(&service));
    let mut stamped = Vec::new();
    let document = &mut Document::from_bytes(&signed);
    add_time_stamp(document, &pending, &token, &mut stamped).unwrap();

    let signer = certificate("Signer of orders");
    let mut all = ValidationData::new();
    all.certificates = vec![service.clone(), certificate("Issuer 1")];
    all.crls = vec![crl_of(service.subject(), 1), crl_of(signer.subject(), 2), crl(3)];
    let with_data = add(&stamped, &[0], &all).unwrap();
    let names =
        ["SignatureTimeStamp", "TimeStampValidationData", "CertificateValues", "RevocationValues"];
    assert_eq!(properties(&with_data), names);
    let report = verify(&with_data);
    let evidence = &report.signatures[0].facts.evidence;
    let values = evidence.revocation_values().iter();
    let places: Vec<_> = values.map(|value| (&*value.octets, value.place)).collect();
    use EvidencePlace::{TimeStampValidationData, Values};
    let [of_service, of_signer, other] = all.crls.as_slice() else { panic!() };
    let expected = [
        (of_service.as_slice(), TimeStampValidationData),
        (of_signer.as_slice(), Values),
        (other.as_slice(), Values),
    ];
    assert_eq!(places, expected);
    let certificates = evidence.certificates().iter().filter(|one| one.certificate == service);
    assert_eq!(certificates.count(), 1);

    // Renewal: what the newest archive time-stamp needs comes after it.
    let archived = stamp(&with_data, &[0], Archive).unwrap();
    let renewed = add(&archived, &[0], &data(1..2)).unwrap();
    assert_eq!(properties(&renewed)[4..], ["ArchiveTimeStamp", "TimeStampValidationData"]);
    assert_eq!(kinds(&stamp(&renewed, &[0], Archive).unwrap()).len(), 3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Steps in any order: what is added is found again, and everything else stays.
    #[test]
    fn what_is_added_is_read_again(
        steps in proptest::collection::vec((0u8..4, 0u8..6), 1..7),
        text in "[a-zé<&>\r\n\t ]{0,12}",
        first in any::<bool>(),
    ) {
        let text: String = text.chars().map(|c| format!("&#{};", u32::from(c))).collect();
        let document = format!("<r xmlns:p='urn:p'><p:e>{text}</p:e></r>");
        let position = Position::FirstIn(Target::Named {
            namespace: String::new(), local_name: "r".into(), nth: Some(0),
        });
        let position = if first { position } else { Position::LastInRoot };
        let options = SignatureOptions::new().position(position);
        let mut signed = sign_with(document.as_bytes(), &options);
        let (mut stamps, mut crls) = (Vec::new(), std::collections::BTreeSet::new());
        for (step, number) in steps {
            signed = match step {
                0 => { stamps.push(TimeStampKind::Signature); stamp(&signed, &[0], Signature) }
                1 => { stamps.push(TimeStampKind::Archive); stamp(&signed, &[0], Archive) }
                _ => { crls.insert(number); add(&signed, &[0], &data(number..number + 1)) }
            }.unwrap();
            prop_assert_eq!(&kinds(&signed), &stamps);
            let report = verify(&signed);
            prop_assert_eq!(report.signatures[0].facts.evidence.revocation_values().len(), crls.len());
        }
    }

    /// Documents that were changed: an error or a container in which nothing else changed.
    #[test]
    fn changed_documents_are_raised_or_refused(
        wrong in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..3),
        which in proptest::collection::vec(0usize..2, 0..3),
    ) {
        let mut octets = countersign(&sign(DOCUMENT.as_bytes(), Packaging::Enveloped), &[0]);
        for (at, octet) in wrong {
            let at = at.index(octets.len());
            octets[at] = octet;
        }
        for purpose in [Signature, Archive] {
            let _ = stamp(&octets, &which, purpose);
        }
        let _ = add(&octets, &which, &data(0..1));
    }
}

/// A step that knows what verifying has read, and the other way round, does what any other does.
#[test]
fn what_is_known_of_a_document_changes_no_octet() {
    let raise = |known: &KnownDocument, signed: &[u8], purpose| {
        let (document, mut out) = (&mut Document::from_bytes(signed), Vec::new());
        let options = ExtendOptions::new().known(known);
        match purpose {
            Some(purpose) => {
                let digest = DigestAlgorithm::Sha256;
                let pending = prepare_time_stamp(document, &[0], purpose, digest, options).unwrap();
                let token = token(pending.imprint());
                known.add_time_stamp(document, &pending, &token, &mut out).unwrap();
            }
            None => {
                add_validation_data(document, &[0], &data(0..2), options, &mut out).unwrap();
            }
        }
        out
    };
    let enveloped = sign(DOCUMENT.as_bytes(), Packaging::Enveloped);
    let parallel = SignatureOptions::new().parallel();
    let two = sign_with(&sign_with(DOCUMENT.as_bytes(), &parallel), &parallel.id_seed("two"));
    for signed in [
        countersign(&enveloped, &[0]),
        enveloped,
        two,
        sign(DOCUMENT.as_bytes(), Packaging::EnvelopingXml),
        sign(DOCUMENT.as_bytes(), Packaging::InternallyDetached(vec!["a".into()])),
    ] {
        let known = KnownDocument::new().for_level(Level::Lta, DigestAlgorithm::Sha256);
        let mut current = signed;
        for purpose in [Some(Signature), None, Some(Archive), Some(Archive)] {
            let options = VerifyOptions::new().known(&known);
            let report = xades::verify(&mut Document::from_bytes(&current), options).unwrap();
            assert_eq!(format!("{report:?}"), format!("{:?}", verify(&current)));
            let raised = raise(&known, &current, purpose);
            let usual = match purpose {
                Some(purpose) => stamp(&current, &[0], purpose).unwrap(),
                None => add(&current, &[0], &data(0..2)).unwrap(),
            };
            assert_eq!(raised, usual);
            current = raised;
        }
        let options = VerifyOptions::new().known(&known);
        let report = xades::verify(&mut Document::from_bytes(&current), options).unwrap();
        assert_eq!(format!("{report:?}"), format!("{:?}", verify(&current)));
    }
}
