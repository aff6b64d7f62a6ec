//! Edge cases of the caller's input, which is checked before anything is sent.

use ades_core::signer::{IdentificationRequest, Language, SignerErrorKind};
use ades_core::{Digest, DigestAlgorithm, RemoteSigner, SignatureAlgorithm, ToBeSigned};
use base64ct::{Base64, Encoding};
use itsme_signer::text::TextField;
use itsme_signer::{Config, Error, ItsmeSigner};
use serde_json::json;

use crate::script::{
    Reply, Script, TOML, config, item, now, opened, own, request, run, sign_error, sign_opened,
    signer, signer_with,
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
fn case_03_only_digests_of_32_octets_are_accepted() {
    for length in [20, 33, 64] {
        assert!(Digest::new(DigestAlgorithm::Sha256, vec![0; length]).is_err());
    }
}

#[test]
fn case_04_other_algorithms_are_refused_and_not_converted() {
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
fn case_05_two_documents_with_one_id_are_refused() {
    let error = sign_error(|r| r.items.push(item("s-001", "other")));
    assert_eq!(error.kind(), &SignerErrorKind::DuplicateId { id: "s-001".to_owned() });
}

fn described(text: &str) -> Vec<(Language, String)> {
    Language::ALL.into_iter().map(|language| (language, text.to_owned())).collect()
}

/// The configuration decides where the documents of the service disagree.
#[test]
fn the_configuration_chooses_the_form_of_requests() {
    let form = "[request]\nx_partner_code = \"DEMO\"\nurl_safe_digests = true";
    for (toml, header, url_safe) in [("", None, false), (form, Some("DEMO"), true)] {
        let (signer, script) = signer_with(toml, [Reply::Json(200, json!({})), sign_opened()]);
        run(Box::pin(signer.discovery())).unwrap();
        // Data whose digest has both characters in which the alphabets differ.
        let data = (0..).map(|n: u32| n.to_string()).find(|data| {
            let digest = Digest::of(DigestAlgorithm::Sha256, data.as_bytes());
            let text = Base64::encode_string(digest.value());
            text.contains('+') && text.contains('/')
        });
        run(signer.sign(request(&[&data.unwrap()]))).unwrap();
        let value = script.asked()[1].1["inDocs"]["docHash"][0]["di"][0]["value"].clone();
        let value = value.as_str().unwrap();
        assert_eq!(value.contains('-') && value.contains('_'), url_safe, "{value}");
        assert!(value.len() == 44 && value.ends_with('='));
        // The header is on every POST.
        let headers = script.headers("x-partner-code");
        assert_eq!(headers, [None, header.map(ToOwned::to_owned)]);
    }
}

#[test]
fn case_06_typographic_characters_are_reported_by_position_or_replaced() {
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
        assert!(matches!(own(&error), Error::UnsupportedCharacter { field: TextField::Role, .. }));
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
fn case_10_a_description_has_each_language_once() {
    let error = sign_error(|r| {
        r.display.description = described("Lease");
        r.display.description.push((Language::Nl, "Huur".to_owned()));
    });
    assert!(matches!(own(&error), Error::RepeatedTranslation { language: Language::Nl, .. }));
    // An empty text counts as absent.
    let (signer, script) = signer([sign_opened()]);
    let mut request = request(&["s-001"]);
    request.display.description = described("Lease");
    request.display.description.push((Language::Nl, String::new()));
    run(signer.sign(request)).unwrap();
    let sent = script.asked()[0].1["optInp"]["itsme"]["description"].clone();
    assert_eq!(sent.as_array().unwrap().len(), 4);
}

#[test]
fn case_11_a_request_without_a_language_has_the_configured_one() {
    let toml = TOML.replace("[front]", "language = \"nl-BE\"\n[front]");
    for (own, expected) in [(None, "NL"), (Some(Language::De), "DE")] {
        let script = Script::default();
        let config = Config::from_toml(&toml, std::path::Path::new(".")).unwrap();
        let signer = ItsmeSigner::with_transport(config, script.clone(), now);
        let mut identification = IdentificationRequest::default();
        identification.language = own;
        script.add(opened());
        run(signer.identify(identification)).unwrap();
        let mut request = request(&["s-001"]);
        request.display.language = own;
        script.add(sign_opened());
        run(signer.sign(request)).unwrap();
        let asked = script.asked();
        assert_eq!(asked[0].1["lang"], expected);
        assert_eq!(asked[1].1["optInp"]["lang"], expected);
    }
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
fn case_12_redirect_urls_that_cannot_be_registered_are_refused() {
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
fn case_14_codes_that_are_too_long_are_refused() {
    for (from, to, key) in [
        ("DEMOPARTNR", "ELEVENCHARS".to_owned(), "line 3: partner_code"),
        ("DEMO_SIGN", "x".repeat(46), "line 4: service_code"),
    ] {
        let text = TOML.replace(from, &to);
        let error = Config::from_toml(&text, std::path::Path::new(".")).unwrap_err();
        assert!(error.to_string().contains(key), "{error}");
    }
}
