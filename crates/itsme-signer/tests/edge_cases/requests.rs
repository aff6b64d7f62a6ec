//! Before anything is sent.

use ades_core::signer::{IdentificationRequest, Language, SignerErrorKind};
use ades_core::{Digest, DigestAlgorithm, RemoteSigner, SignatureAlgorithm, ToBeSigned};
use itsme_signer::{Config, Error};
use serde_json::json;

use crate::script::{
    TOML, config, item, own, request, run, sign_error, sign_opened, signer, signer_with,
};

#[test]
fn case_01_an_empty_batch_sends_nothing() {
    let error = sign_error(|request| request.items.clear());
    assert_eq!(error.kind(), &SignerErrorKind::EmptyBatch);
}

#[test]
fn case_02_seventy_one_digests_are_too_many() {
    let error = sign_error(|r| r.items = (0..71).map(|n| item(&format!("s-{n}"), "x")).collect());
    assert_eq!(error.kind(), &SignerErrorKind::BatchTooLarge { max: 70 });
}

#[test]
fn case_03_only_digests_of_32_octets_can_be_asked_for() {
    for length in [20, 33, 64] {
        assert!(Digest::new(DigestAlgorithm::Sha256, vec![0; length]).is_err());
    }
}

#[test]
fn case_04_other_algorithms_are_refused_not_converted() {
    let sha512 = SignatureAlgorithm::RsaPkcs1v15(DigestAlgorithm::Sha512);
    let pss = SignatureAlgorithm::RsaPss(DigestAlgorithm::Sha256);
    for algorithm in [sha512, pss] {
        let error = sign_error(|r| {
            r.items[0].to_be_signed = ToBeSigned::new(vec![1], algorithm);
        });
        assert_eq!(error.kind(), &SignerErrorKind::UnsupportedAlgorithm { algorithm });
    }
}

#[test]
fn case_05_two_documents_with_one_id() {
    let error = sign_error(|r| r.items.push(item("s-001", "other")));
    assert_eq!(error.kind(), &SignerErrorKind::DuplicateId { id: "s-001".to_owned() });
}

fn described(text: &str) -> Vec<(Language, String)> {
    Language::ALL.into_iter().map(|language| (language, text.to_owned())).collect()
}

#[test]
fn case_06_typographic_characters_are_named_by_position_or_replaced() {
    let text = "L\u{2019}offre \u{2013} 2026";
    let error = sign_error(|r| r.display.description = described(text));
    assert!(matches!(own(&error), Error::UnsupportedCharacter { index: 1, char: '\u{2019}', .. }));
    let (signer, script) = signer_with("[tolerance]\ntransliterate = true", [sign_opened()]);
    let mut request = request(&["s-001"]);
    request.display.description = described(text);
    run(signer.sign(request)).unwrap();
    let sent = &script.asked()[0].1["optInp"]["itsme"]["description"][0];
    assert_eq!(sent, &json!({ "lang": "EN", "value": "L'offre - 2026" }));
}

#[test]
fn case_07_decomposed_accents_are_composed() {
    let (signer, script) = signer([sign_opened()]);
    let mut request = request(&["s-001"]);
    request.display.description = described("cafe\u{301}");
    run(signer.sign(request)).unwrap();
    assert_eq!(script.asked()[0].1["optInp"]["itsme"]["description"][0]["value"], "café");
}

#[test]
fn case_08_roles_are_latin_1_and_descriptions_latin_9() {
    for text in ["Gérant œuvres", "10 €"] {
        let error = sign_error(|r| r.display.role = described(text));
        assert!(matches!(own(&error), Error::UnsupportedCharacter { field: "role", .. }));
        let (signer, _) = signer([sign_opened()]);
        let mut request = request(&["s-001"]);
        request.display.description = described(text);
        run(signer.sign(request)).unwrap();
    }
}

#[test]
fn case_09_lengths_count_characters() {
    let error = sign_error(|r| r.display.description = described(&"é".repeat(256)));
    assert!(matches!(own(&error), Error::TextTooLong { found: 256, max: 255, .. }));
    let (signer, _) = signer([sign_opened()]);
    let mut fits = request(&["s-001"]);
    fits.display.description = described(&"é".repeat(255));
    run(signer.sign(fits)).unwrap();

    let (signer, _) = signer_with("[limits]\ndescription = 50", []);
    let mut long = request(&["s-001"]);
    long.display.description = described(&"x".repeat(51));
    assert!(run(signer.sign(long)).is_err());

    let (signer, script) = signer_with("", [sign_opened()]);
    let mut empty = request(&["s-001"]);
    empty.display.description = described("");
    run(signer.sign(empty)).unwrap();
    assert_eq!(script.asked()[0].1.pointer("/optInp/itsme/description"), None);
}

#[test]
fn case_10_a_description_needs_every_language() {
    let error = sign_error(|r| {
        r.display.description = vec![(Language::En, "Lease".into()), (Language::Fr, "Bail".into())];
    });
    let Error::MissingTranslation { missing, .. } = own(&error) else { panic!("{error:?}") };
    assert_eq!(missing, &[Language::Nl, Language::De]);
}

#[test]
fn case_11_languages_are_mapped_or_refused() {
    for (tag, language) in [
        ("fr-BE", Some(Language::Fr)),
        ("fr", Some(Language::Fr)),
        ("NL", Some(Language::Nl)),
        ("ES", None),
    ] {
        assert_eq!(Language::from_tag(tag), language);
    }
    assert!(config("").is_ok());
    let spanish = TOML.replace("[front]", "language = \"ES\"\n[front]");
    let error = Config::from_toml(&spanish, std::path::Path::new(".")).unwrap_err();
    assert!(error.to_string().contains("language"), "{error}");
}

#[test]
fn case_12_redirect_urls_that_cannot_be_registered() {
    let long = format!("https://sign.example.org/{}", "x".repeat(231));
    assert_eq!(long.len(), 256);
    for url in [
        "http://sign.example.org/return",
        "https://sign.example.org/return#frag",
        "myapp://return",
        "not a url",
        &long,
    ] {
        let text = TOML.replace("https://sign.example.org/itsme/return", url);
        let error = Config::from_toml(&text, std::path::Path::new(".")).unwrap_err();
        assert!(error.to_string().contains("line 5: redirect_url"), "{error}");
    }
}

#[test]
fn case_13_user_codes_have_36_characters() {
    for code in ["x".repeat(35), format!("{}{}", "x".repeat(35), " ")] {
        let error = sign_error(|r| r.identity.account = Some(code.clone()));
        assert!(matches!(own(&error), Error::InvalidUserCode));
        let (signer, script) = signer([]);
        let mut known = IdentificationRequest::default();
        known.account = Some(code);
        assert!(run(signer.identify(known)).is_err());
        assert!(script.asked().is_empty());
    }
}

#[test]
fn case_14_codes_that_are_too_long() {
    for (from, to, key) in [
        ("DEMOPARTNR", "ELEVENCHARS".to_owned(), "line 3: partner_code"),
        ("DEMO_SIGN", "x".repeat(46), "line 4: service_code"),
    ] {
        let text = TOML.replace(from, &to);
        let error = Config::from_toml(&text, std::path::Path::new(".")).unwrap_err();
        assert!(error.to_string().contains(key), "{error}");
    }
}
