//! Levels, and the imprints of time-stamps, in files of others: beside what EU DSS says of
//! them (`fixtures/evidence/expected.json`), and beside the known answers.

use std::collections::BTreeMap;

use ades_core::facts::{Evidence, ImprintUndecided, TimeStampKind, code};
use ades_core::{Document, Level};
use ades_tests::corpora;
use ades_tests::evidence::{By, List};
use ades_tests::pdf::by_hand::{ONE_PAGE, of_objects, stream, updated};
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::{parameters, sign_pades};

/// What we find in one file.
#[derive(Debug, Default)]
struct Found {
    levels: Vec<Level>,
    /// Kind, imprint, and why it is not decided.
    stamps: Vec<(TimeStampKind, Option<bool>, Option<ImprintUndecided>)>,
}

impl Found {
    fn new(levels: Vec<Level>, evidence: Option<&Evidence>) -> Self {
        let stamps = evidence.map(Evidence::time_stamps).unwrap_or_default().iter();
        let stamps = stamps.map(|stamp| (stamp.kind, stamp.imprint, stamp.imprint_undecided));
        Self { levels, stamps: stamps.collect() }
    }
}

/// Reads a file as its name says. An original belongs to a detached signature.
fn read(name: &str, octets: &[u8], original: Option<&[u8]>) -> Option<Found> {
    let mut document = Document::from_bytes(octets);
    let mut original = original.map(Document::from_bytes);
    if name.ends_with(".pdf") {
        let report = pades::verify(&mut document, pades::VerifyOptions::new()).ok()?;
        let levels = report.signatures.iter().map(|one| one.level).collect();
        let facts = report.signatures.first().map(|one| &one.facts);
        return Some(Found::new(levels, facts.map(|facts| &*facts.evidence)));
    }
    if name.ends_with(".xml") {
        let mut options = xades::VerifyOptions::new();
        if let Some(original) = original {
            options = options.original(original);
        }
        let report = xades::verify(&mut document, options).ok()?;
        let mut levels = Vec::new();
        for one in &report.signatures {
            levels.push(one.level);
            levels.extend(one.countersignatures.iter().map(|inner| inner.level));
        }
        let facts = report.signatures.first().map(|one| &one.facts);
        return Some(Found::new(levels, facts.map(|facts| &*facts.evidence)));
    }
    let mut options = cades::VerifyOptions::new();
    if let Some(original) = &mut original {
        options = options.original(original);
    }
    let report = cades::verify(&mut document, options).ok()?;
    let mut levels = Vec::new();
    for one in &report.signatures {
        levels.push(one.level);
        levels.extend(one.countersignatures.iter().map(|inner| inner.level));
    }
    let facts = report.signatures.first().map(|one| &one.facts);
    Some(Found::new(levels, facts.map(|facts| &*facts.evidence)))
}

/// The level of a baseline signature; `None` if DSS says that it is not one.
fn baseline(level: &str) -> Option<Level> {
    Some(match level.split_once("-BASELINE-")?.1 {
        "B" => Level::B,
        "T" => Level::T,
        "LT" => Level::Lt,
        "LTA" => Level::Lta,
        _ => return None,
    })
}

/// The rows of a table without its head, split into cells.
fn rows(table: &str) -> impl Iterator<Item = Vec<&str>> {
    table.lines().skip(1).map(|line| line.split('\t').collect())
}

/// Our level of a case, where it is another than that of EU DSS.
fn own_level(case: &str) -> Option<Level> {
    Some(match case.split_once('_')?.0 {
        // An imprint is wrong: the time-stamp makes no level.
        "T19" => Level::B,
        "A05" | "A06" | "A07" => Level::Lt,
        // EU DSS asks for revocation values of every certificate up to an anchor. Whether they
        // are complete is not a part of our level.
        "T23" | "A22" => Level::Lt,
        "A19" => Level::Lta,
        // The signing certificate or the byte range is wrong.
        "I02" | "D03" | "D04" | "F09" => Level::Below,
        _ => return None,
    })
}

#[test]
fn levels_are_those_of_the_known_answers() {
    let Some(cases) = corpora::everything(&["validation/cases"], &[""]) else { return };
    let cases: BTreeMap<String, Vec<u8>> = cases.into_iter().collect();
    let answers = corpora::folder().join("validation/known-answers.tsv");
    let answers = std::fs::read_to_string(answers).unwrap();
    let mut differ = Vec::new();
    for cells in rows(&answers) {
        let (case, file, original, level) = (cells[0], cells[1], cells[3], cells[6]);
        let octets = &cases[&format!("validation/{file}")];
        let original = cases.get(&format!("validation/cases/{original}")).map(Vec::as_slice);
        let found = read(file, octets, original).map(|found| found.levels);
        let expected = own_level(case).or_else(|| baseline(level));
        if found.as_deref() != expected.as_ref().map(std::slice::from_ref) {
            differ.push(format!("{case}: {level}, ours {found:?}"));
        }
    }
    assert_eq!(differ, [""; 0]);
}

/// The table was written with the answers of EU DSS, without trust anchors: `missing` means
/// that it did not find the data that a time-stamp is over.
#[test]
fn imprints_are_those_of_dss() {
    let folders = ["signed", "pdf", "validation/cases"];
    let Some(files) = corpora::everything(&folders, &[""]) else { return };
    let files: BTreeMap<String, Vec<u8>> = files.into_iter().collect();
    let (mut differ, mut compared) = (Vec::new(), 0);
    for cells in rows(include_str!("../fixtures/evidence/expected.tsv")) {
        let (name, stamps) = (cells[0], cells[2]);
        let octets = &files[name];
        let original = files.get("validation/cases/d.txt").filter(|_| name.ends_with(".p7s"));
        let original = original.filter(|_| name.starts_with("validation"));
        let Some(found) = read(name, octets, original.map(Vec::as_slice)) else {
            // Without time-stamps, there is nothing to compare.
            assert_eq!(stamps, "-", "{name}");
            continue;
        };
        let mut ours: Vec<String> = found
            .stamps
            .iter()
            .map(|(kind, imprint, _)| {
                let fits = match imprint {
                    Some(true) => "yes",
                    Some(false) => "no",
                    None => "missing",
                };
                format!("{}:{fits}", code(kind))
            })
            .collect();
        ours.sort();
        let ours = if ours.is_empty() { "-".to_owned() } else { ours.join(" ") };
        compared += found.stamps.len();
        // The archive time-stamp of XAdES 1.3.2 does not fit, and is not decided.
        let ours = match name.ends_with("Signature-X-RO_TRA-4.xml") {
            true => ours.replace("archive:missing", "archive:no"),
            false => ours,
        };
        if ours != stamps {
            differ.push(format!("{name}: {stamps}, ours {ours} {:?}", found.stamps));
        }
    }
    assert!(compared > 150, "{compared}");
    assert_eq!(differ, [""; 0]);
}

/// Levels of signatures that others made and whose names or tests say what they are.
#[test]
fn levels_follow_from_evidence_that_fits() {
    for (file, level) in [
        ("dss__243f02ed__data2sign-signed-xades-enveloped-baseline-cts-lta.xml", Level::Lta),
        ("dss__3231e96a__Signature-C-HU_POL-3.p7m", Level::Lta),
        ("dss__0c467843__Signature-CBp-LT-2.p7m", Level::Lt),
        // The archive time-stamp lists a certificate or a CRL that is not there.
        ("dss__6d6d3a98__cades-ats-v3-wrong-cert.p7m", Level::Lt),
        // Forms before the baseline.
        ("dss__5765f22a__Signature-C-B-LTA-10.p7m", Level::T),
        ("dss__72a70320__cades-ats-v3-wrong-crl.p7s", Level::T),
        // The token is valid, and over another signature.
        ("dss__2b5020ed__cades-t-copied-sigtst.p7m", Level::B),
    ] {
        let Some(mut found) = corpora::everything(&["signed"], &[file]) else { return };
        let (name, octets) = found.remove(0);
        assert_eq!(read(&name, &octets, None).unwrap().levels, [level], "{name}");
    }
}

/// A store that leaves out what the store of an earlier, signed revision had.
#[test]
fn the_stores_of_signed_revisions_count() {
    let pki = Pki::shared();
    let crl = |number| List::new(number, Vec::new()).signed(By::Issuing(pki));
    // The text of a stream, which `filled` replaces by the octets of a CRL.
    let placeholder = |octets: &[u8]| stream("", &"#".repeat(octets.len()));
    let filled = |mut document: Vec<u8>, octets: &[u8]| {
        let free = "#".repeat(octets.len());
        let at = document.windows(free.len()).position(|window| window == free.as_bytes());
        let at = at.unwrap();
        document[at..at + octets.len()].copy_from_slice(octets);
        document
    };
    let [first, second, third] = [crl(1), crl(2), crl(3)];
    let page = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>";
    let catalog = "<</Type/Catalog/Pages 2 0 R/DSS<</CRLs[4 0 R]>>>>";
    let document = of_objects(&[catalog, ONE_PAGE, page, &placeholder(&first)], "");
    let document = filled(document, &first);
    let signer = pki.signer(Key::P256);
    let options = pades::SignatureOptions::new();
    let signed = sign_pades(&document, signer, &parameters(), &options).unwrap();
    let newest = ades_tests::pdf::by_hand::object(&signed, 1);
    let later = newest.replace("4 0 R", "90 0 R");
    assert_ne!(newest, later);
    let later = filled(updated(&signed, &[(1, &later), (90, &placeholder(&second))]), &second);
    let values = |octets: &[u8]| {
        let mut document = Document::from_bytes(octets);
        let report = pades::verify(&mut document, pades::VerifyOptions::new()).unwrap();
        report.signatures[0].facts.evidence.revocation_values().len()
    };
    assert_eq!((values(&signed), values(&later)), (1, 2));
    // A number that leads to another stream now still led to the CRL then.
    let reused = filled(updated(&signed, &[(4, &placeholder(&third))]), &third);
    assert_eq!(values(&reused), 2);
}
