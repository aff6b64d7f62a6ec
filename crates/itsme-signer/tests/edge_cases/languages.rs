//! Edge case 70: the languages that the discovery document offers.

use ades_core::signer::{Display, IdentificationRequest, Language, SignerErrorKind, Step};
use ades_core::{Fault, RemoteSigner};
use itsme_signer::{Error, ItsmeSigner};
use serde_json::{Value, json};

use crate::script::{Reply, opened, own, request, run, sign_opened, signer, signer_with};

fn offering(languages: Value) -> Reply {
    Reply::Json(200, json!({ "sign_languages_supported": languages }))
}

fn languages(signer: &ItsmeSigner) -> Vec<Language> {
    run(Box::pin(signer.languages()))
}

#[test]
fn case_70_the_capabilities_are_the_offered_languages() {
    let all = Language::ALL.to_vec();
    for (offered, expected) in [
        (json!(["EN", "FR", "NL", "DE"]), all.clone()),
        (json!(["nl", "en"]), vec![Language::En, Language::Nl]),
        (json!(["FR", "ES", null, 7]), vec![Language::Fr]),
        // A list that is of no use.
        (json!([]), all.clone()),
        (json!(["ES"]), all.clone()),
        (Value::Null, all.clone()),
    ] {
        let (signer, script) = signer([offering(offered.clone())]);
        assert_eq!(signer.capabilities().languages, Language::ALL);
        assert_eq!(languages(&signer), expected, "{offered}");
        assert_eq!(signer.capabilities().languages, expected);
        assert_eq!(languages(&signer), expected);
        assert_eq!(script.asked().len(), 1);
    }
    // Without the document, the service itself refuses a language.
    for failure in [Reply::Lost, Reply::Text(404, ""), Reply::Text(503, ""), Reply::Text(403, "")] {
        let (signer, script) = signer([failure, opened()]);
        assert_eq!(languages(&signer), Language::ALL);
        assert!(run(signer.identify(IdentificationRequest::default())).is_ok());
        assert_eq!((script.asked().len(), script.pauses().len()), (2, 0));
    }
}

#[test]
fn case_70_a_language_that_is_not_offered_is_not_sent() {
    let (signer, script) = signer([offering(json!(["FR", "NL"]))]);
    languages(&signer);
    // The language of the configuration is EN.
    for (requested, fault) in [(None, Fault::Configuration), (Some(Language::De), Fault::Caller)] {
        let mut identification = IdentificationRequest::default();
        identification.language = requested;
        let mut signing = request(&["s-001"]);
        signing.display.language = requested;
        let errors = [
            run(signer.identify(identification)).unwrap_err(),
            run(signer.sign(signing)).unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.fault(), fault, "{error:?}");
            let Error::LanguageNotOffered { offered, .. } = own(&error) else {
                panic!("{error:?}")
            };
            assert_eq!(offered, &[Language::Fr, Language::Nl]);
            assert!(own(&error).to_string().contains("FR, NL"));
        }
    }
    assert_eq!(script.asked().len(), 1);
    script.add(opened());
    let mut identification = IdentificationRequest::default();
    identification.language = Some(Language::Nl);
    assert!(matches!(run(signer.identify(identification)), Ok(Step::Redirect { .. })));
}

#[test]
fn case_70_texts_need_the_offered_languages() {
    let described = |languages: &[Language]| {
        let mut display = Display::default();
        display.language = Some(Language::Fr);
        display.description = languages.iter().map(|l| (*l, "Bail 12".to_owned())).collect();
        display
    };
    for (given, sent) in [
        (&[Language::Fr, Language::Nl][..], Ok(2)),
        (&Language::ALL, Ok(2)),
        (&[Language::Fr, Language::En], Err(vec![Language::Nl])),
        (&[Language::De], Err(vec![Language::Fr, Language::Nl])),
    ] {
        let (signer, script) = signer_with("", [offering(json!(["FR", "NL"]))]);
        languages(&signer);
        let mut request = request(&["s-001"]);
        request.display = described(given);
        let checked = signer.check_display(&request.display);
        match sent {
            Ok(count) => {
                checked.unwrap();
                script.add(sign_opened());
                run(signer.sign(request)).unwrap();
                let body = script.asked().pop().unwrap().1;
                let texts = body["optInp"]["itsme"]["description"].as_array().unwrap().clone();
                assert_eq!(texts.len(), count);
            }
            Err(expected) => {
                let error = checked.unwrap_err();
                assert!(matches!(error.kind(), SignerErrorKind::InvalidRequest { .. }));
                let Error::MissingTranslation { missing, .. } = own(&error) else {
                    panic!("{error:?}")
                };
                assert_eq!(*missing, expected);
            }
        }
    }
}
