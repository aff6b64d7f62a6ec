//! The whole way of a person, with a server that dies at every step.

use std::io::Read;
use std::time::SystemTime;

use ades::{CertificateChain, Document, VerifyOptions};

use crate::common::{Bench, pdf};

const XML: &[u8] = b"<order><item>one</item></order>";

/// Uploads three documents, chooses, visits the signer twice, and downloads; the server is killed
/// and started again between any two clicks.
pub(crate) fn sign_three_documents(database: Option<String>) {
    let mut bench = Bench::start(database);
    let mut user = bench.browser();
    user.get("/").shows("Sign your documents");
    bench.restart();
    let contract = pdf("Contract");
    let files: [(&str, &[u8]); 3] =
        [("contract.pdf", &contract), ("order.xml", XML), ("été.txt", b"I agree.")];
    let case = user.upload("/cases", &files).location();
    bench.restart();
    user.get(&case).shows("contract.pdf").shows("order.xml").shows("été.txt").shows("3 documents");
    user.get(&format!("{case}/1")).shows("name=\"stamp\"");
    bench.restart();
    let chosen = "choice=pades&stamp=here&page=1&left=100&bottom=200";
    assert_eq!(user.post(&format!("{case}/1"), chosen).location(), case);
    assert_eq!(user.post(&format!("{case}/3"), "choice=cades-detached").location(), case);
    user.get(&case).shows("visible on page 1");
    bench.restart();

    let first = user.post(&case, "wish=sign").location();
    bench.restart();
    // A second click leads to the same page.
    assert_eq!(user.post(&case, "wish=sign").location(), first);
    assert_eq!(user.upload(&format!("{case}/documents"), &[("late.txt", b"x")]).status, 409);
    user.get(&case).shows("Waiting for your confirmation");
    let back = bench.answer(&first, true);
    bench.restart();
    let second = user.come_back(&back).location();
    assert_ne!(second, first);
    bench.restart();
    // The page of the case leads to the signer's page, and the script goes on waiting.
    user.get(&case).shows("Open the confirmation page");
    user.get(&format!("{case}/state")).shows("wait");
    let back = bench.answer(&second, true);
    bench.restart();
    assert_eq!(user.come_back(&back).location(), case);
    bench.restart();
    user.get(&case).shows("Download all").shows("contract-signed.pdf");
    // Back in the browser's history, and once more.
    assert_eq!(user.come_back(&back).location(), case);
    assert_eq!(bench.sandbox.control().sessions().len(), 2);
    user.get(&format!("{case}/1/contents")).shows("PAdES B-B").shows("Yes").shows("SANDBOX");
    user.get(&format!("{case}/3/contents")).shows("CAdES B-B").shows("Yes");

    let root = CertificateChain::from_pem(bench.sandbox.root_pem()).unwrap();
    let mut signed = Vec::new();
    for no in 1..=3 {
        let answer = user.get(&format!("{case}/{no}/signed"));
        assert!(answer.header("content-disposition").unwrap().starts_with("attachment"));
        let mut options = VerifyOptions::new().trust(root.certificates());
        if no == 3 {
            options = options.original(None, Document::from_bytes(b"I agree."));
        }
        let now = SystemTime::now().into();
        let report = ades::verify(&mut Document::from_bytes(&answer.body), options, now).unwrap();
        assert_eq!(report.integrity(), Some(true), "{no}: {report}");
        signed.push(answer.body);
    }
    assert!(signed[0].starts_with(&contract), "the document has changed");
    assert_eq!(user.get(&format!("{case}/2/document")).body, XML);
    let archive = user.get(&format!("{case}/all.zip")).body;
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(archive)).unwrap();
    let names: Vec<String> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    assert_eq!(names, ["contract-signed.pdf", "order-signed.xml", "été.txt.p7s", "été.txt"]);
    for (at, octets) in signed.iter().enumerate() {
        let mut found = Vec::new();
        archive.by_index(at).unwrap().read_to_end(&mut found).unwrap();
        assert_eq!(&found, octets);
    }

    user.get("/").shows("Signed");
    assert_eq!(user.post(&case, "wish=delete").location(), "/");
    assert_eq!(user.get(&case).status, 404);
}
