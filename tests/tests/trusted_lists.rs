//! Trusted lists (ETSI TS 119 612): who signed them, which anchors they give at which time, and
//! the qualification of signatures. EU DSS judges the lists that we generate.

use std::fs;
use std::sync::{Arc, OnceLock};

use ades::formats::trusted_lists::{Authenticity, Error, NotGenuine, ServiceKind};
use ades::{
    Certificate, Document, Indication, Report, SubIndication, TrustedList, ValidationTime,
    VerifyOptions,
};
use ades_core::asn1::der::{self, SEQUENCE};
use ades_tests::evidence::oid;
use ades_tests::oracle::dss::Dss;
use ades_tests::pki::{Key, Pki, Profile, TestSigner, pem};
use ades_tests::signing::{parameters, sign_pades};
use ades_tests::trusted_list::{Entry, List, ListedService, SIGNERS, additional, qualifications};
use chrono::{DateTime, Utc};
use rcgen::CustomExtension;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The signatures of the tests are of 2026-09-21.
const NOW: &str = "2026-10-01T00:00:00Z";
const GRANTED_SINCE: &str = "2017-01-01T00:00:00Z";
const COMPLIANCE: &str = "0.4.0.1862.1.1";
const DEVICE: &str = "0.4.0.1862.1.4";

fn at(time: &str) -> DateTime<Utc> {
    time.parse().unwrap()
}

/// The operator of the scheme, whose certificate is not of the PKI of the signers.
fn operator() -> &'static TestSigner {
    static PKI: OnceLock<Pki> = OnceLock::new();
    PKI.get_or_init(Pki::new).signer(Key::P256)
}

fn qualified_ca() -> ListedService {
    let entry = Entry::new("CA/QC", "granted", GRANTED_SINCE);
    ListedService::new(Pki::shared().issuing(), entry)
}

fn read(list: &List) -> Result<TrustedList, Error> {
    TrustedList::read(&list.signed(operator()), &[operator().leaf().clone()])
}

fn why(octets: &[u8], signers: &[Certificate]) -> Error {
    TrustedList::read(octets, signers).unwrap_err()
}

#[test]
fn the_generated_list_is_valid_for_its_schema_and_for_eu_dss() {
    let rule = qualifications(&["QCWithQSCD", "QCForESig"], SIGNERS);
    let entry = Entry::new("CA/QC", "withdrawn", "2026-01-01T00:00:00Z").with(&rule);
    let older = Entry::new("CA/QC", "granted", GRANTED_SINCE).with(&rule);
    let service = ListedService::new(Pki::shared().issuing(), entry).before(older);
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("list.xml");
    fs::write(&path, List::new(vec![service]).signed(operator())).unwrap();
    Dss::shared().etsi_schema(&path, "trusted-list").unwrap();
    let anchor = folder.path().join("operator.pem");
    fs::write(&anchor, pem(operator().leaf())).unwrap();
    let request = json!({ "file": path, "trust": [anchor], "time": NOW });
    let verdict = Dss::shared().try_validate(&request).unwrap();
    assert_eq!(verdict[0]["indication"], "TOTAL_PASSED", "{verdict:?}");
}

#[test]
fn a_list_is_read_with_its_signer_its_services_and_their_history() {
    let granted = Entry::new("CA/QC", "granted", GRANTED_SINCE).with(&additional("ForeSeals"));
    let older = Entry::new("CA/QC", "undersupervision", "2014-05-05T00:00:00Z");
    let list = List::new(vec![qualified_ca_with(granted).before(older)]);
    let list = read(&list).unwrap();
    assert_eq!(list.authenticity(), Authenticity::Authenticated);
    assert_eq!((list.territory.as_str(), list.sequence_number, list.unreadable), ("BE", 7, 0));
    let [service] = list.services.as_slice() else { panic!("one service") };
    assert_eq!(service.provider, "Test Provider");
    assert_eq!(service.certificates, [Pki::shared().issuing().clone()]);
    let [old, new] = service.periods.as_slice() else { panic!("two periods") };
    assert_eq!((old.to, new.to), (Some(at(GRANTED_SINCE)), None));
    assert!(old.is_good() && new.is_good() && new.kind == ServiceKind::QualifiedCa);
    assert_eq!(new.additional, ["ForeSignatures", "ForeSeals"]);
    // A reissued certificate of the same name and key belongs to the service, a stranger's not.
    assert_eq!(list.services_of(&Pki::shared().reissued()).count(), 1);
    assert_eq!(list.services_of(Pki::shared().root()).count(), 0);
}

fn qualified_ca_with(entry: Entry) -> ListedService {
    ListedService::new(Pki::shared().issuing(), entry)
}

#[test]
fn only_a_genuine_list_is_used() {
    let list = List::new(vec![qualified_ca()]);
    let (signed, own) = (list.signed(operator()), [operator().leaf().clone()]);
    let nobody = TrustedList::read(&signed, &[]).unwrap();
    assert_eq!(nobody.authenticity(), Authenticity::SignerNotGiven);
    let other = why(&signed, &[Pki::shared().root().clone()]);
    assert_eq!(other, NotGenuine::OtherSigner.into());
    let unsigned = why(list.unsigned().as_bytes(), &own);
    assert_eq!(unsigned, NotGenuine::NotOneSignature { found: 0 }.into());
    let text = String::from_utf8(signed.clone()).unwrap();
    let (before, after) = text.split_once("<ds:Signature ").unwrap();
    let (inside, end) = after.split_once("</ds:Signature>").unwrap();
    let signature = format!("<ds:Signature {inside}</ds:Signature>");
    let twice = why(format!("{before}{signature}{signature}{end}").as_bytes(), &own);
    assert_eq!(twice, NotGenuine::NotOneSignature { found: 2 }.into());
    let changed = text.replace("Svcstatus/granted", "Svcstatus/accredited");
    assert!(matches!(why(changed.as_bytes(), &own), Error::NotGenuine(NotGenuine::NotIntact(_))));
    // Only the scheme's information is signed.
    let part = part_signed(&list.unsigned());
    let error = why(&part, &own);
    let covered =
        matches!(error, Error::NotGenuine(NotGenuine::NotCovered | NotGenuine::Problem(_)));
    assert!(covered, "{error}");
    // A comment or white space after the root element is not signed, and is not read.
    let longer = [signed.as_slice(), b"\n<!-- later -->\n"].concat();
    assert!(TrustedList::read(&longer, &own).is_ok());
}

/// The list with an Id for its first element, which alone is signed.
fn part_signed(list: &str) -> Vec<u8> {
    let list = list.replace("<SchemeInformation>", "<SchemeInformation Id=\"part\">");
    let mut source = Document::from_bytes(list.as_bytes());
    let packaging = xades::Packaging::InternallyDetached(vec!["part".to_owned()]);
    let options = xades::SignatureOptions::new().packaging(packaging);
    let chain = &operator().chain;
    let pending = xades::prepare(&mut source, chain, &parameters(), &options).unwrap();
    let signed = ades_tests::signing::complete_xades(&pending, Some(list.as_bytes()), operator());
    signed.unwrap()
}

#[test]
fn what_is_not_a_list_is_refused_with_its_place() {
    let list = List::new(vec![qualified_ca()]);
    let own = [operator().leaf().clone()];
    let old = List { version: "4", ..list.clone() };
    assert_eq!(read(&old).unwrap_err(), Error::Version { found: "4".into() });
    let doctype = list.unsigned().replacen('\n', "\n<!DOCTYPE TrustServiceStatusList>\n", 1);
    assert!(matches!(why(doctype.as_bytes(), &own), Error::Xml { offset: 39, .. }));
    let entity = list.unsigned().replace("Test Operator", "&operator;");
    assert!(matches!(why(entity.as_bytes(), &own), Error::Xml { .. }));
    let latin = list.unsigned().replace("UTF-8", "ISO-8859-1");
    assert!(matches!(why(latin.as_bytes(), &own), Error::Xml { .. }));
    assert!(matches!(why(b"<r/>", &own), Error::NotATrustedList { .. }));
    assert!(matches!(why(b"", &own), Error::Xml { offset: 0, .. }));
    let cut = list.unsigned();
    let cut = cut.split_at(cut.len() / 2).0;
    assert!(matches!(why(cut.as_bytes(), &own), Error::Xml { .. }));
}

#[test]
fn anchors_are_those_of_good_periods_until_their_end() {
    let until = |list: &List, now: &str| -> Vec<Option<DateTime<Utc>>> {
        let anchors = read(list).unwrap().signer_anchors(at(now));
        anchors.into_iter().map(|anchor| anchor.until).collect()
    };
    let withdrawn = || Entry::new("CA/QC", "withdrawn", "2026-01-01T00:00:00Z");
    let granted = || Entry::new("CA/QC", "granted", GRANTED_SINCE);
    let list = |service| List::new(vec![service]);
    assert_eq!(until(&list(qualified_ca()), NOW), [None]);
    let ended = qualified_ca_with(withdrawn()).before(granted());
    assert_eq!(until(&list(ended), NOW), [Some(at("2026-01-01T00:00:00Z"))]);
    assert!(until(&list(qualified_ca_with(withdrawn())), NOW).is_empty());
    // A status of the directive says nothing today, and the other way round.
    let accredited = Entry::new("CA/QC", "accredited", GRANTED_SINCE);
    assert!(until(&list(qualified_ca_with(accredited)), NOW).is_empty());
    let early = Entry::new("CA/QC", "granted", "2016-06-30T21:59:59Z");
    assert!(until(&list(qualified_ca_with(early)), NOW).is_empty());
    let first = Entry::new("CA/QC", "granted", "2016-06-30T22:00:00Z");
    assert_eq!(until(&list(qualified_ca_with(first)), NOW), [None]);
    // The successor is due, and the list is closed.
    let due = Some(at("2027-01-01T00:00:00Z"));
    assert_eq!(until(&list(qualified_ca()), "2027-01-01T00:00:01Z"), [due]);
    let closed = List { next_update: None, ..list(qualified_ca()) };
    assert_eq!(until(&closed, NOW), [Some(at("2026-07-01T00:00:00Z"))]);
    // An unknown critical extension.
    let critical = "<Extension Critical=\"true\"><x:Unknown/></Extension>";
    assert!(until(&list(qualified_ca_with(granted().with(critical))), NOW).is_empty());
    // Services for time-stamps are not anchors of signers.
    let stamps = ListedService::new(
        Pki::shared().issuing(),
        Entry::new("TSA/QTST", "granted", GRANTED_SINCE),
    );
    let stamps = read(&list(stamps)).unwrap();
    assert!(stamps.signer_anchors(at(NOW)).is_empty());
    assert_eq!(stamps.time_stamping_anchors(at(NOW)).len(), 1);
}

/// A signer whose certificate has these qcStatements, and QcType 1 with `signature`.
fn qualified(statements: &[&str], types: &[&str]) -> TestSigner {
    let mut all: Vec<Vec<u8>> =
        statements.iter().map(|one| der::element(SEQUENCE, &[&oid(one)])).collect();
    if !types.is_empty() {
        let types: Vec<u8> = types.iter().flat_map(|one| oid(one)).collect();
        let types = der::element(SEQUENCE, &[&types]);
        all.push(der::element(SEQUENCE, &[&oid("0.4.0.1862.1.6"), &types]));
    }
    let value = der::element(SEQUENCE, &[&all.concat()]);
    let mut profile = Profile::new(Key::P256);
    let extension = CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 3], value);
    profile.extensions.push(extension);
    Pki::shared().issue(&profile)
}

fn judged(signer: &TestSigner, list: &List, signers: &[Certificate]) -> Report {
    let pdf = ades_tests::pdf::Document::default().write();
    let signed = sign_pades(&pdf, signer, &parameters(), &pades::SignatureOptions::new()).unwrap();
    let list = TrustedList::read(&list.signed(operator()), signers).unwrap();
    let options = VerifyOptions::new().trusted_list(Arc::new(list)).without_revocation();
    let options = options.time(ValidationTime::At(at(NOW)));
    ades::verify(&mut Document::from_bytes(&signed), options, at(NOW)).unwrap()
}

fn qualification(signer: &TestSigner, services: Vec<ListedService>) -> String {
    let report = judged(signer, &List::new(services), &[operator().leaf().clone()]);
    assert_eq!(report.conclusion(), Indication::TotalPassed);
    let json: Value = serde_json::to_value(&report).unwrap();
    json["signatures"][0]["qualification"].as_str().unwrap().to_owned()
}

#[test]
fn signatures_are_qualified_by_the_list_and_the_certificate() {
    const SIGNATURE: &[&str] = &["0.4.0.1862.1.6.1"];
    const SEAL: &[&str] = &["0.4.0.1862.1.6.2"];
    const WEB: &[&str] = &["0.4.0.1862.1.6.3"];

    let rule = |qualifiers: &[&str]| {
        let entry = Entry::new("CA/QC", "granted", GRANTED_SINCE);
        vec![qualified_ca_with(entry.with(&qualifications(qualifiers, SIGNERS)))]
    };
    let seals = || {
        let entry = Entry::new("CA/QC", "granted", GRANTED_SINCE).with(&additional("ForeSeals"));
        vec![qualified_ca_with(entry)]
    };
    let both = [COMPLIANCE, DEVICE];
    let plain = || vec![qualified_ca()];
    for (statements, types, services, expected) in [
        (&both[..], SIGNATURE, plain(), "QESig"),
        (&both[..1], SIGNATURE, plain(), "AdESig-QC"),
        (&both[..1], &[][..], plain(), "AdESig-QC"),
        (&[], SIGNATURE, plain(), "AdESig"),
        (&[], &[], plain(), "Unknown"),
        (&both, SEAL, seals(), "QESeal"),
        // The service is not for seals.
        (&both, SEAL, plain(), "AdESeal"),
        (&both, WEB, plain(), "Not AdES"),
        (&both, SIGNATURE, rule(&["QCNoQSCD"]), "AdESig-QC"),
        (&both[..1], SIGNATURE, rule(&["QCWithQSCD"]), "QESig"),
        (&both[..1], SIGNATURE, rule(&["QCQSCDManagedOnBehalf"]), "QESig"),
        (&both, SIGNATURE, rule(&["NotQualified"]), "AdESig"),
        (&[], SIGNATURE, rule(&["QCStatement"]), "AdESig-QC"),
        // Contradictions drop the service.
        (&both, SIGNATURE, rule(&["NotQualified", "QCStatement"]), "AdESig"),
        (&both, SIGNATURE, rule(&["QCWithQSCD", "QCNoQSCD"]), "AdESig"),
    ] {
        let signer = qualified(statements, types);
        assert_eq!(qualification(&signer, services), expected, "{statements:?} {types:?}");
    }
    // Two services of one key that say different things.
    let signer = qualified(&both, SIGNATURE);
    let contradicting = [plain(), rule(&["QCNoQSCD"])].concat();
    assert_eq!(qualification(&signer, contradicting), "N/A");
    // Another service than one of qualified certificates.
    let pkc = Entry::new("CA/PKC", "granted", GRANTED_SINCE);
    assert_eq!(qualification(&signer, vec![qualified_ca_with(pkc)]), "AdESig");
    // The service was not yet there when the certificate was issued (2020).
    let late = Entry::new("CA/QC", "granted", "2021-01-01T00:00:00Z");
    assert_eq!(qualification(&signer, vec![qualified_ca_with(late)]), "AdESig");
}

#[test]
fn criteria_choose_the_certificates() {
    let signer = qualified(&[COMPLIANCE], &["0.4.0.1862.1.6.1"]);
    let policy = "<q:PolicySet><q:PolicyIdentifier><x:Identifier \
                  Qualifier=\"OIDAsURN\">urn:oid:1.2.3</x:Identifier></q:PolicyIdentifier></q:PolicySet>";
    let signs =
        "<q:KeyUsage><q:KeyUsageBit name=\"nonRepudiation\">true</q:KeyUsageBit></q:KeyUsage>";
    let encrypts = signs.replace("nonRepudiation", "dataEncipherment");
    let list = |assert: &str, inner: &str| {
        format!("<q:CriteriaList assert=\"{assert}\">{inner}</q:CriteriaList>")
    };
    for (criteria, holds) in [
        (list("all", signs), true),
        (list("all", &format!("{signs}{policy}")), false),
        (list("atLeastOne", &format!("{policy}{signs}")), true),
        (list("none", policy), true),
        (list("none", signs), false),
        (list("all", &list("none", &encrypts)), true),
        (
            list(
                "all",
                "<q:otherCriteriaList><a:CertSubjectDNAttribute><a:AttributeOID><x:Identifier>\
                 urn:oid:2.5.4.6</x:Identifier></a:AttributeOID></a:CertSubjectDNAttribute>\
                 </q:otherCriteriaList>",
            ),
            true,
        ),
    ] {
        let rule = qualifications(&["QCWithQSCD"], &criteria);
        let entry = Entry::new("CA/QC", "granted", GRANTED_SINCE).with(&rule);
        let found = qualification(&signer, vec![qualified_ca_with(entry)]);
        assert_eq!(found, if holds { "QESig" } else { "AdESig-QC" }, "{criteria}");
    }
    // A criterion that is not known, in an extension that is not critical: nothing is known.
    let unknown = list("all", "<q:otherCriteriaList><x:Unknown/></q:otherCriteriaList>");
    let rule =
        qualifications(&["QCWithQSCD"], &unknown).replace("\"true\"><q:Qual", "\"false\"><q:Qual");
    let entry = Entry::new("CA/QC", "granted", GRANTED_SINCE).with(&rule);
    assert_eq!(qualification(&signer, vec![qualified_ca_with(entry)]), "N/A");
}

#[test]
fn a_list_of_an_unknown_signer_qualifies_nothing_and_says_so() {
    let signer = qualified(&[COMPLIANCE, DEVICE], &[]);
    let report = judged(&signer, &List::new(vec![qualified_ca()]), &[]);
    assert_eq!(report.conclusion(), Indication::TotalPassed);
    let only = &report.signatures[0];
    assert_eq!(only.qualification.unwrap().name(), "N/A");
    let codes: Vec<_> = only.judgement.remarks.iter().map(|one| one.code.as_str()).collect();
    assert!(codes.contains(&"trusted-list-not-authenticated"), "{codes:?}");
}

#[test]
fn after_a_withdrawal_only_an_older_proof_helps() {
    let withdrawn = Entry::new("CA/QC", "withdrawn", "2026-09-25T00:00:00Z");
    let granted = Entry::new("CA/QC", "granted", GRANTED_SINCE);
    let list = List::new(vec![qualified_ca_with(withdrawn).before(granted)]);
    let signer = qualified(&[COMPLIANCE, DEVICE], &[]);
    let report = judged(&signer, &list, &[operator().leaf().clone()]);
    let only = &report.signatures[0];
    let sub = only.judgement.conclusion.sub_indication();
    assert_eq!(sub, Some(SubIndication::NoCertificateChainFoundNoPoe));
}
