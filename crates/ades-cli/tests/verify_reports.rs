//! `ades verify --report-xml` and `--trusted-list`.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod common;

use ades_tests::pki::{Key, Pki, pem};
use ades_tests::signing::{parameters, sign};
use ades_tests::trusted_list::{Entry, List, ListedService};
use common::{Bench, json};

/// A CAdES container, a trusted list with the issuer of its signer, and the list's signer.
fn bench() -> Bench {
    let (bench, pki, operator) = (Bench::new(), Pki::shared(), Pki::new());
    let signer = pki.signer(Key::P256);
    let signed =
        sign(b"text", ades::formats::cades::Packaging::Enveloping, signer, &parameters()).unwrap();
    bench.write("signed.p7m", signed);
    let entry = Entry::new("CA/QC", "granted", "2017-01-01T00:00:00Z");
    let list = List::new(vec![ListedService::new(pki.issuing(), entry)]);
    let operator = operator.signer(Key::P256);
    bench.write("list.xml", list.signed(operator));
    bench.write("operator.pem", pem(operator.leaf()));
    bench.write("other.pem", pem(pki.root()));
    bench
}

fn verify(bench: &Bench, more: &str) -> common::Run {
    let line = format!("verify signed.p7m --revocation none --at 2026-10-01T00:00:00Z {more}");
    bench.ades(&line.split_whitespace().collect::<Vec<_>>())
}

#[test]
fn a_trusted_list_names_anchors_and_qualifies() {
    let bench = bench();
    let both = "--trusted-list list.xml --trusted-list-signer operator.pem";
    let run = verify(&bench, &format!("{both} --json"));
    run.ends(0, "");
    let report = json(&run.out);
    assert_eq!(report["signatures"][0]["trusted"], true);
    assert_eq!(report["signatures"][0]["qualification"], "Unknown");
    let run = verify(&bench, both);
    let qualification = "qualification: Unknown, by the trusted list";
    assert!(run.ends(0, "").out.contains(qualification), "{run:?}");
    // Nobody named its signer: the answer says so.
    let run = verify(&bench, "--trusted-list list.xml");
    run.ends(0, "");
    for text in ["is not authenticated", "qualification: N/A"] {
        assert!(run.out.contains(text), "{run:?}");
    }
    for (more, status, saying) in [
        ("--trusted-list list.xml --trusted-list-signer other.pem", 3, "another certificate"),
        ("--trusted-list signed.p7m", 3, "cannot be read"),
        ("--trusted-list missing.xml", 3, "missing.xml"),
        ("--trusted-list-signer operator.pem", 2, "--trusted-list"),
    ] {
        verify(&bench, more).ends(status, saying);
    }
    let integrity = ["verify", "signed.p7m", "--integrity", "--trusted-list", "list.xml"];
    bench.ades(&integrity).ends(2, "--integrity");
}

#[test]
fn the_xml_report_is_written_beside_the_other_one() {
    let bench = bench();
    let run = verify(&bench, "--trust other.pem --report-xml report.xml");
    assert!(run.ends(0, "").out.contains("total-passed"), "{run:?}");
    let xml = String::from_utf8(bench.read("report.xml")).unwrap();
    assert!(xml.contains("urn:etsi:019102:mainindication:total-passed"), "{xml}");
    // Nothing is overwritten without --force.
    verify(&bench, "--report-xml report.xml").ends(2, "--force");
    verify(&bench, "--report-xml report.xml --force").ends(6, "");
    let xml = String::from_utf8(bench.read("report.xml")).unwrap();
    assert!(xml.contains("urn:etsi:019102:subindication:NO_CERTIFICATE_CHAIN_FOUND"), "{xml}");
    let run = verify(&bench, "--report-xml -");
    assert!(run.ends(6, "").out.starts_with("<?xml"), "{}", run.out);
    verify(&bench, "--report-xml - --json").ends(2, "--json");
    verify(&bench, "--report-xml folder/report.xml").ends(7, "there is no folder");
    verify(&bench, "signed.p7m --report-xml other.xml").ends(2, "one container");
    verify(&bench, "--force").ends(2, "--report-xml");
    assert!(!bench.has("other.xml"));
}
