//! `Debug` shows no personal data and no secrets: neither names nor roles, places
//! or addresses that give access.

use std::fmt::Debug;

use ades_core::signer::{
    Display, Event, IdentificationRequest, IdentificationSession, Identity, Language,
    SignatureValue, SigningItem, SigningRequest, Step,
};
use ades_core::{Document, SignatureParameters, SignaturePolicy, SignerLocation, StateKey};
use ades_evidence::path::{IssuerPool, PathBuilder};
use ades_tests::pki::{Key, Pki, Profile, TestSigner};
use ades_tests::signing::{complete_xades, parameters, sign, sign_pades};
use cades::{Container, Packaging, SignatureOptions, VerifyOptions};
use pades::{Appearance, PreparedDocument, StampValues, SubFilter};

/// A text in place of everything that must not be shown.
const MARKER: &str = "Zq85031417654";

fn marker() -> String {
    MARKER.to_owned()
}

/// Asserts that `Debug` does not show the marker as text, as a list of octets or as
/// hexadecimal digits.
#[track_caller]
fn shows_nothing(value: &impl Debug) {
    let shown = format!("{value:?} {value:#?}");
    let spaced: String = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    let octets: Vec<String> = MARKER.bytes().map(|octet| octet.to_string()).collect();
    let hex: String = MARKER.bytes().map(|octet| format!("{octet:02x}")).collect();
    for hidden in [MARKER, &octets.join(", "), &hex] {
        assert!(!spaced.contains(hidden), "{shown}");
    }
}

fn signer() -> TestSigner {
    let mut profile = Profile::new(Key::P256);
    profile.common_name = marker();
    Pki::shared().issue(&profile)
}

fn personal_parameters() -> SignatureParameters {
    let location =
        SignerLocation::default().country("BE").locality(marker()).postal_address([marker()]);
    shows_nothing(&location);
    parameters().signer_role(MARKER).location(location).description(MARKER)
}

#[test]
fn debug_of_core_types_shows_nothing_personal() {
    let signer = signer();
    shows_nothing(&signer.chain);
    shows_nothing(signer.leaf());
    shows_nothing(&personal_parameters());
    shows_nothing(&StateKey::new([b'Z'; 32]));
    let certificates = signer.chain.certificates();
    shows_nothing(&(IssuerPool::new(certificates), PathBuilder::new(certificates)));
    let to_be_signed = ades_core::ToBeSigned::new(
        MARKER.into(),
        signer.leaf().key_type().default_algorithm().unwrap(),
    );
    shows_nothing(&to_be_signed);

    let identity = Identity::new(signer.chain.clone(), Some(marker()));
    shows_nothing(&identity);
    let mut identification = IdentificationRequest::default();
    identification.account = Some(marker());
    identification.browser = Some(marker());
    shows_nothing(&identification);
    let mut request =
        SigningRequest::new(identity.clone(), vec![SigningItem::new("1", to_be_signed)]);
    request.display.description = vec![(Language::En, marker())];
    request.display.role = vec![(Language::En, marker())];
    request.browser = Some(marker());
    shows_nothing(&request);
    let display: &Display = &request.display;
    shows_nothing(display);
    shows_nothing(&SignatureValue::new("1", MARKER));

    let session = IdentificationSession::pack("one", 1, &MARKER).unwrap();
    shows_nothing(&session);
    let error = session.unpack::<u32>("one", 1).unwrap_err();
    shows_nothing(&error);
    let url = format!("https://sign.example/?state={MARKER}");
    let steps: [Step<Identity, IdentificationSession>; 3] = [
        Step::redirect(url, session.clone()),
        Step::wait(std::time::Duration::from_secs(1), session),
        Step::Done(identity),
    ];
    shows_nothing(&steps);
    let event = Event::Returned { query: marker(), browser: Some(marker()) };
    shows_nothing(&event);
}

#[test]
fn debug_of_cades_types_shows_nothing_personal() {
    let signer = signer();
    let mut parameters = personal_parameters();
    let mut policy = SignaturePolicy::of_document(
        "2.999.1".parse().unwrap(),
        ades_core::DigestAlgorithm::Sha256,
        b"",
    );
    policy.user_notice = Some("notice".into());
    parameters = parameters.policy(policy);
    let mut document = Document::from_bytes(MARKER.as_bytes());
    shows_nothing(&document);
    let options = SignatureOptions::new().packaging(Packaging::Enveloping);
    let pending = cades::prepare(&mut document, &signer.chain, &parameters, &options).unwrap();
    shows_nothing(&pending);
    let signed = sign(MARKER.as_bytes(), Packaging::Enveloping, &signer, &parameters).unwrap();
    let mut source = Document::from_bytes(&signed);
    let container = Container::read(&mut source).unwrap();
    shows_nothing(&container);
    let given = VerifyOptions::new().original(&mut document);
    shows_nothing(&given);
    let report = container.verify(&mut source, given).unwrap();
    assert_eq!(report.signatures[0].signer.as_deref(), Some(MARKER));
    assert_eq!(report.signatures[0].signer_roles, [MARKER]);
    shows_nothing(&report);
}

#[test]
fn debug_of_pades_types_shows_nothing_personal() {
    let signer = signer();
    let values = StampValues::new().name(MARKER);
    shows_nothing(&values);
    let options = pades::SignatureOptions::new()
        .name(MARKER)
        .reason(MARKER)
        .location(MARKER)
        .contact(MARKER)
        .password(MARKER);
    shows_nothing(&options);
    let appearance = Appearance::in_field().text(MARKER, MARKER).description(MARKER);
    shows_nothing(&options.clone().visible(appearance));
    let pdf = ades_tests::pdf::Document::default().write();
    let mut document = Document::from_bytes(&pdf);
    let pending =
        pades::prepare(&mut document, &signer.chain, &personal_parameters(), &options).unwrap();
    shows_nothing(&pending);
    let algorithm = ades_core::DigestAlgorithm::Sha256;
    let prepared = PreparedDocument::new(
        &mut document,
        algorithm,
        SubFilter::Cades,
        10_000,
        &personal_parameters(),
        &options,
    );
    shows_nothing(&prepared.unwrap());
    let signed = sign_pades(&pdf, &signer, &personal_parameters(), &options).unwrap();
    let given = pades::VerifyOptions::new().password(MARKER);
    shows_nothing(&given);
    let report = pades::verify(&mut Document::from_bytes(&signed), given).unwrap();
    let found = &report.signatures[0];
    assert_eq!(found.name.as_deref(), Some(MARKER));
    assert_eq!(found.signer.as_deref(), Some(MARKER));
    shows_nothing(&report);
}

#[test]
fn debug_of_xades_types_shows_nothing_personal() {
    let signer = signer();
    let document = format!("<{MARKER} Id='{MARKER}'/>");
    let mut source = Document::from_bytes(document.as_bytes());
    let options = xades::SignatureOptions::new();
    let pending =
        xades::prepare(&mut source, &signer.chain, &personal_parameters(), &options).unwrap();
    shows_nothing(&pending);
    let signed = complete_xades(&pending, Some(document.as_bytes()), &signer).unwrap();
    let options = xades::VerifyOptions::new().original_named(marker(), Document::from_bytes(b""));
    shows_nothing(&options);
    let report = xades::verify(&mut Document::from_bytes(&signed), options).unwrap();
    assert_eq!(report.signatures[0].signer.as_deref(), Some(MARKER));
    assert_eq!(report.signatures[0].signer_roles, [MARKER]);
    shows_nothing(&report);
    let document = Document::from_bytes(b"");
    shows_nothing(&xades::DetachedDocument::new(marker(), "text/plain", document));
}
