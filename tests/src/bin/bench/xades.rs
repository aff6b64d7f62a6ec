//! Canonical forms compared with libxml2 and bergshamra; XAdES compared with EU
//! DSS, signxml and xmlsec1.

use std::cell::RefCell;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use ades_core::{DigestAlgorithm, Digester, Document, PendingState, verify};
use ades_tests::invoice::Invoice;
use ades_tests::oracle::dss::Dss;
use ades_tests::oracle::libxml2::Libxml2;
use ades_tests::oracle::peers::Peers;
use ades_tests::oracle::signxml::SignXml;
use ades_tests::oracle::xmlsec1;
use ades_tests::pki::PemFiles;
use ades_tests::signing::parameters;
use serde_json::json;
use xades::c14n::{Canonicalization, Selection, canonicalize};
use xades::xml::Reader;
use xades::{PendingSignature, SignatureOptions};

use crate::{Bench, RUNS, signer, timed, timed_if};

const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";

/// A document of 1 GB. It runs first, before anything else has used memory.
pub(crate) fn long() {
    let before = peak();
    let mut length = 0;
    let time = timed(|| length = form(Invoice::new(1_000_000_000), &Canonicalization::EXCLUSIVE));
    let after = peak();
    println!(
        "1 GB as a stream, exclusive: {:.1} s with making the document, {length} octets out, \
         peak memory {after} KiB ({before} KiB before)",
        time.as_secs_f64()
    );
}

pub(crate) fn run(bench: &Bench) {
    let judge = RefCell::new(Libxml2::start());
    println!(
        "\n| canonical form | ours, from memory | libxml2, parse + c14n | ours / libxml2 \
         | ours, as a stream | ours, with SHA-256 | bergshamra, file + parse + c14n |"
    );
    println!("|---|---|---|---|---|---|---|");
    for (size, octets, runs) in
        [("100 KB", 100_000, RUNS), ("10 MB", 10_000_000, 3), ("100 MB", 100_000_000, 1)]
    {
        let document = Invoice::in_memory(octets);
        let path = bench.path("invoice.xml");
        std::fs::write(&path, &document).unwrap();
        for (name, mode, method) in
            [("1.0", 0, Canonicalization::C14N_1_0), ("exclusive", 1, Canonicalization::EXCLUSIVE)]
        {
            let memory = || timed(|| from_memory(&document, &method, &mut |_| {}));
            let libxml2 = || by_libxml2(&judge, mode, &path);
            let stream = || {
                Some(timed(|| {
                    form(document.as_slice(), &method);
                }))
            };
            let digest = || {
                Some(timed(|| {
                    let mut digester = Digester::new(DigestAlgorithm::Sha256);
                    from_memory(&document, &method, &mut |piece| digester.update(piece));
                    std::hint::black_box(digester.finish());
                }))
            };
            let bergshamra = || Peers::shared().canonicalise(&path, mode == 1).ok();
            let name = format!("{name}, {size}");
            bench.compare(&name, runs, [&memory, &libxml2], &[&stream, &digest, &bergshamra]);
        }
    }

    println!(
        "\n| work | ours, engine | libxml2, parse + c14n | ours / libxml2 | signxml, warm \
         | xmlsec1, process | EU DSS, warm |"
    );
    println!("|---|---|---|---|---|---|---|");
    for (size, octets, runs) in [("100 KB", 100_000, RUNS), ("10 MB", 10_000_000, 3)] {
        let document = Invoice::in_memory(octets);
        enveloped(bench, &judge, &format!("XAdES enveloped, {size}"), &document, runs);
    }
}

fn enveloped(bench: &Bench, judge: &RefCell<Libxml2>, name: &str, document: &[u8], runs: usize) {
    let (path, out) = (bench.path("invoice.xml"), &bench.out);
    std::fs::write(&path, document).unwrap();
    let template = bench.path("template.xml");
    std::fs::write(&template, with_template(document)).unwrap();
    let PemFiles { leaf, key, chain, .. } = &bench.pem;
    let by_signxml = json!({
        "file": path, "out": out, "key": key, "chain": chain, "method": "enveloped",
        "algorithm": "RSA_SHA256", "digest": "SHA256", "c14n": EXCLUSIVE,
    });
    let by_dss = json!({
        "file": path, "out": out, "packaging": "ENVELOPED", "digest": "SHA256",
        "pkcs12": bench.pkcs12, "password": "secret", "c14n": EXCLUSIVE,
    });
    let ours = || engine(&path, out);
    let libxml2 = || by_libxml2(judge, 1, &path);
    let signxml = || timed_if(|| SignXml::shared().sign(&by_signxml));
    let xmlsec1 = || timed_if(|| xmlsec1::sign(&template, key, leaf, &[]));
    let dss = || timed_if(|| Dss::shared().sign_xml(&by_dss));
    bench.compare(name, runs, [&ours, &libxml2], &[&signxml, &xmlsec1, &dss]);
}

/// The document with a template for xmlsec1 at the end of its root element.
fn with_template(document: &[u8]) -> Vec<u8> {
    let signature = format!(
        "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:SignedInfo>\
         <ds:CanonicalizationMethod Algorithm=\"{EXCLUSIVE}\"/>\
         <ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"/>\
         <ds:Reference URI=\"\"><ds:Transforms>\
         <ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>\
         <ds:Transform Algorithm=\"{EXCLUSIVE}\"/></ds:Transforms>\
         <ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/>\
         <ds:DigestValue/></ds:Reference></ds:SignedInfo><ds:SignatureValue/>\
         <ds:KeyInfo><ds:X509Data/></ds:KeyInfo></ds:Signature>"
    );
    let end = document.windows(2).rposition(|window| window == b"</").unwrap();
    let (before, after) = document.split_at(end);
    [before, signature.as_bytes(), after].concat()
}

/// The time to prepare, store, restore and complete from file to file. The RSA
/// operation and the verification of its value are measured separately and
/// subtracted.
fn engine(path: &Path, out: &Path) -> Duration {
    let mut state = String::new();
    let mut to_be_signed = None;
    let prepared = timed(|| {
        let mut document = Document::seekable(File::open(path).unwrap());
        let options = SignatureOptions::new();
        let pending =
            xades::prepare(&mut document, &signer().chain, &parameters(), &options).unwrap();
        state = pending.to_json(None).unwrap();
        to_be_signed = Some(pending.to_be_signed());
    });
    let to_be_signed = to_be_signed.unwrap();
    let value = signer().sign(&to_be_signed);
    let (algorithm, data) = (to_be_signed.algorithm(), to_be_signed.data());
    let verified = timed(|| verify::verify(signer().leaf(), algorithm, data, &value).unwrap());
    let completed = timed(|| {
        let pending = PendingSignature::from_json(&state, None).unwrap();
        let mut document = Document::seekable(File::open(path).unwrap());
        let mut out = File::create_new(out).unwrap();
        pending.complete(Some(&mut document), &value, &mut out).unwrap();
    });
    prepared + completed.saturating_sub(verified)
}

pub(crate) fn by_libxml2(judge: &RefCell<Libxml2>, mode: u8, document: &Path) -> Duration {
    let (parse, canonicalise) = judge.borrow_mut().time(mode, document);
    Duration::from_secs_f64((parse + canonicalise) / 1000.0)
}

fn from_memory(document: &[u8], method: &Canonicalization, take: &mut dyn FnMut(&[u8])) {
    let reader = Reader::from_slice(document).unwrap();
    let covered = canonicalize(reader, method.clone(), Selection::document(), &mut |piece| {
        take(std::hint::black_box(piece));
        Ok(())
    });
    covered.unwrap();
}

/// Canonicalises a stream. Returns the number of octets.
fn form(document: impl Read, method: &Canonicalization) -> u64 {
    let reader = Reader::from_read(document).unwrap();
    let covered = canonicalize(reader, method.clone(), Selection::document(), &mut |piece| {
        std::hint::black_box(piece);
        Ok(())
    });
    covered.unwrap().length
}

/// The peak memory of this process, in KiB (Linux).
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches("kB").trim().parse().unwrap_or_default()
}
