//! PDFs on the command line, before poppler and our own verification.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod common;

use std::process::Command;

use ades_tests::oracle::pdf::{pdfsig, qpdf_check};
use ades_tests::pdf::by_hand::{ONE_PAGE, number_of, object, of_objects, updated};
use ades_tests::pdf::{Document, Encryption, Form, encrypted, unsigned_change, wrong_startxref};
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::sign_pkcs7;
use base64ct::{Base64, Encoding};
use common::{Bench, PKCS12, json};

fn bench(document: &[u8]) -> Bench {
    let bench = Bench::new();
    bench.identity(Key::P256);
    bench.write("contract.pdf", document);
    bench
}

fn document() -> Vec<u8> {
    Document::default().write()
}

/// Poppler's word for each signature: valid, over the whole file.
fn poppler(bench: &Bench, name: &str) -> Vec<(String, bool, bool)> {
    let found = pdfsig(&bench.path(name), None).unwrap();
    found.into_iter().map(|s| (s.field, s.valid, s.total_document)).collect()
}

#[test]
fn a_pdf_is_signed_in_itself() {
    let bench = bench(&document());
    let texts = ["--reason", "Agreed (at last)", "--location", "Liège", "--contact", "a@b.example"];
    bench.sign(&[&["contract.pdf", "-o", "signed.pdf"], &texts[..]].concat()).ends(0, "");
    assert!(bench.read("signed.pdf").starts_with(&document()));
    assert_eq!(poppler(&bench, "signed.pdf"), [("Signature1".to_owned(), true, true)]);

    let run = bench.ades(&["verify", "signed.pdf", "--trust", "root.pem", "--json"]);
    let signature = &json(&run.ends(0, "").out)["signatures"][0];
    for (key, value) in [
        ("format", "PAdES"),
        ("level", "B-B"),
        ("covers", "whole"),
        ("field", "Signature1"),
        ("reason", "Agreed (at last)"),
        ("location", "Liège"),
        ("contact", "a@b.example"),
    ] {
        assert_eq!(signature[key], value);
    }
    assert_eq!((&signature["intact"], &signature["trusted"]), (&true.into(), &true.into()));
    let run = bench.ades(&["inspect", "signed.pdf"]);
    assert!(run.ends(0, "").out.contains("reason: Agreed (at last)"), "{run:?}");
}

/// Demand 12.
#[test]
fn a_second_signature_keeps_the_first() {
    let bench = bench(&document());
    bench.sign(&["contract.pdf", "-o", "one.pdf", "--field", "Seller"]).ends(0, "");
    bench.sign(&["one.pdf", "-o", "two.pdf", "--field", "Buyer"]).ends(0, "");
    let expected = [("Seller".to_owned(), true, false), ("Buyer".to_owned(), true, true)];
    assert_eq!(poppler(&bench, "two.pdf"), expected);
    let run = bench.ades(&["verify", "two.pdf"]);
    assert!(run.ends(0, "").out.contains("changed after it: signature"), "{run:?}");
    // The name is taken now.
    bench.sign(&["two.pdf", "-o", "three.pdf", "--field", "Seller"]).ends(2, "Seller");
    assert!(!bench.has("three.pdf"));
}

#[test]
fn an_empty_field_is_signed_where_it_is() {
    let document =
        Document { form: Form::Inline, signature_fields: &["Here"], ..Document::default() };
    let bench = bench(&document.write());
    let listed = bench.ades(&["inspect", "contract.pdf"]).ends(0, "").out.clone();
    assert!(listed.contains("field Text: filled\nsignature field Here: empty\n"), "{listed}");
    bench.sign(&["contract.pdf", "-o", "signed.pdf", "--field", "Here"]).ends(0, "");
    let listed = bench.ades(&["inspect", "signed.pdf"]).ends(0, "").out.clone();
    assert!(listed.contains("signature field Here: signed\n"), "{listed}");
    assert_eq!(listed.matches("section at ").count(), 2, "{listed}");
    assert_eq!(poppler(&bench, "signed.pdf"), [("Here".to_owned(), true, true)]);
    assert_eq!(qpdf_check(&bench.path("signed.pdf"), None).pages, Some(2));
}

#[test]
fn a_certified_document_takes_no_further_signature() {
    let bench = bench(&document());
    bench.sign(&["contract.pdf", "-o", "certified.pdf", "--certify", "1"]).ends(0, "");
    bench.sign(&["certified.pdf", "-o", "again.pdf"]).ends(3, "DocMDP");
    assert!(!bench.has("again.pdf"));
    bench.sign(&["contract.pdf", "-o", "no.pdf", "--certify", "4"]).ends(2, "");
}

#[test]
fn fields_are_locked_as_asked() {
    let document = Document {
        form: Form::Inline,
        signature_fields: &["Here", "There"],
        ..Document::default()
    };
    let bench = bench(&document.write());
    let lock = |lock| ["contract.pdf", "-o", "signed.pdf", "--field", "Here", "--lock", lock];
    for wrong in ["everything", "include:", "only:Text"] {
        bench.sign(&lock(wrong)).ends(2, "lock");
    }
    bench.sign(&lock("include:There,Text")).ends(0, "");
    bench.sign(&["signed.pdf", "-o", "no.pdf", "--field", "There"]).ends(3, "locks");
    bench.sign(&["signed.pdf", "-o", "again.pdf"]).ends(0, "");
    assert!(poppler(&bench, "again.pdf").iter().all(|(_, valid, _)| *valid));
}

/// What poppler reads on the pages.
fn text(bench: &Bench, file: &str) -> String {
    let run = Command::new("pdftotext").arg(bench.path(file)).arg("-").output().unwrap();
    String::from_utf8(run.stdout).unwrap()
}

#[test]
fn what_is_to_be_seen_is_said_and_shown_before() {
    let bench = bench(&document());
    let visible = ["contract.pdf", "-o", "signed.pdf", "--visible", "1:300,300,200,60"];
    let stamp = ["--stamp-text", "Signed by {name}\\nat {time}\\n{reason}"];
    let time = ["--signing-time", "2026-10-01T10:00:00Z"];
    bench.sign(&[&visible[..], &stamp, &time].concat()).ends(0, "");
    assert_eq!(poppler(&bench, "signed.pdf"), [("Signature1".to_owned(), true, true)]);
    let seen = text(&bench, "signed.pdf");
    assert!(seen.contains("Signed by "), "{seen}");
    assert!(seen.contains("at 2026-10-01 10:00:00 UTC"), "{seen}");
    assert!(!seen.contains("{reason}"), "{seen}");

    for (wrong, why) in [
        ("1:300,300,200", "PAGE:X,Y,WIDTH,HEIGHT"),
        ("1:300,300,200,-1", "negative"),
        ("9:300,300,200,60", "no page number 9"),
        ("1:500,300,200,60", "not within page number 1"),
        ("field", "needs a page"),
    ] {
        bench.sign(&["contract.pdf", "-o", "no.pdf", "--visible", wrong]).ends(2, why);
    }
    bench.sign(&["contract.pdf", "-o", "no.pdf", "--stamp-text", "x"]).ends(2, "--visible");
    bench.write("no.png", b"no image");
    let image = ["contract.pdf", "-o", "no.pdf", "--visible", "1:9,9,99,99", "--stamp-image"];
    bench.sign(&[&image[..], &["no.png"]].concat()).ends(2, "neither PNG nor JPEG");
    assert!(!bench.has("no.pdf"));

    let prepare = ["prepare", "contract.pdf", "--certs", "chain.pem", "--state", "pdf.state"];
    let preview = ["--visible", "1:300,300,200,60", "--preview", "page.png"];
    bench.ades(&[&prepare[..], &preview].concat()).ends(0, "");
    assert!(bench.read("page.png").starts_with(b"\x89PNG"));
    bench.ades(&[&prepare[..], &preview, &["--force"]].concat()).ends(0, "");
    bench.ades(&[&prepare[..], &preview].concat()).ends(2, "");
}

#[test]
fn a_field_shows_what_it_is_given() {
    let document = Document { signature_fields: &["Here"], ..Document::default() };
    let bench = bench(&document.write());
    let field = ["contract.pdf", "-o", "signed.pdf", "--field", "Here", "--visible"];
    bench.sign(&[&field[..], &["1:300,300,200,60"]].concat()).ends(2, "Here");
    bench.sign(&[&field[..], &["field", "--stamp-text", "Agreed"]].concat()).ends(0, "");
    assert_eq!(poppler(&bench, "signed.pdf"), [("Here".to_owned(), true, true)]);
    assert!(text(&bench, "signed.pdf").contains("Agreed"));
}

#[test]
fn prepared_here_signed_by_openssl_completed_there() {
    let bench = bench(&document());
    let common = ["prepare", "contract.pdf", "--certs", "chain.pem", "--state", "pdf.state"];
    let prepared = json(&bench.ades(&common).ends(0, "").out);
    let digest = Base64::decode_vec(prepared["digest_base64"].as_str().unwrap()).unwrap();
    bench.write("digest", digest);
    let sign = ["pkeyutl", "-sign", "-inkey", "key.pem", "-in", "digest", "-out", "value.bin"];
    bench.openssl(&[&sign[..], &["-pkeyopt", "digest:sha256"]].concat()).ends(0, "");
    assert!(bench.read("pdf.state").len() < 16 * 1024);

    let complete = |input: &str, state: &str, value: &str| {
        let arguments = ["complete", input, "--state", state, "--signature", value];
        bench.ades(&[&arguments[..], &["-o", "signed.pdf"]].concat())
    };
    let mut other = document();
    other[20] ^= 1;
    bench.write("other.pdf", other);
    complete("other.pdf", "pdf.state", "value.bin").ends(3, "other.pdf: the document has changed");
    let mut value = bench.read("value.bin");
    value[20] ^= 1;
    bench.write("other.bin", value);
    complete("contract.pdf", "pdf.state", "other.bin").ends(3, "other.bin: ");
    let state = String::from_utf8(bench.read("pdf.state")).unwrap();
    bench.write("other.state", state.replacen("\"length\":", "\"length\":1", 1));
    complete("contract.pdf", "other.state", "value.bin").ends(3, "other.state: ");
    assert!(!bench.has("signed.pdf"));

    complete("contract.pdf", "pdf.state", "value.bin").ends(0, "complete: signed.pdf");
    assert_eq!(poppler(&bench, "signed.pdf"), [("Signature1".to_owned(), true, true)]);
}

#[test]
fn an_encrypted_pdf_needs_its_password() {
    let bench = bench(&encrypted(&document(), Encryption::Aes256, "sesame"));
    bench.sign(&["contract.pdf", "-o", "signed.pdf"]).ends(2, "password");
    let password = ["--pdf-password-env", "PASSWORD"];
    bench.sign(&[&["contract.pdf", "-o", "signed.pdf"], &password[..]].concat()).ends(0, "");
    let found = pdfsig(&bench.path("signed.pdf"), Some("sesame")).unwrap();
    assert!(found[0].valid && found[0].total_document, "{found:?}");
    bench.ades(&["verify", "signed.pdf"]).ends(2, "password");
    bench.ades(&[&["verify", "signed.pdf"], &password[..]].concat()).ends(0, "");
}

/// Demand 13.
#[test]
fn what_was_changed_later_is_said() {
    let bench = bench(&document());
    bench.sign(&["contract.pdf", "-o", "signed.pdf"]).ends(0, "");
    bench.write("changed.pdf", unsigned_change(&bench.read("signed.pdf")));
    let run = bench.ades(&["verify", "changed.pdf", "--json"]);
    let signature = &json(&run.ends(1, "").out)["signatures"][0];
    assert_eq!(signature["covers"], "part");
    assert_eq!(signature["problems"], serde_json::json!(["changed-later"]));
    assert_eq!(signature["changes"], serde_json::json!(["other"]));
}

#[test]
fn a_pdf_may_be_signed_as_any_other_file() {
    let bench = bench(&document());
    bench.sign(&["contract.pdf", "-o", "contract.p7s", "--format", "cades"]).ends(0, "");
    bench.openssl_accepts("contract.p7s", Some("contract.pdf"), "root.pem");
    bench.sign(&["contract.pdf", "-o", "contract.pdf"]).ends(2, "");
    assert_eq!(bench.read("contract.pdf"), document());
}

#[test]
fn pdfs_and_others_are_one_batch_of_the_sandbox() {
    let bench = bench(&document());
    bench.write("photo.bin", b"not a PDF");
    let run =
        bench.ades(&["sign", "contract.pdf", "photo.bin", "--out-dir", "out", "--auto-approve"]);
    run.ends(0, "pdfsig -nocert");
    assert_eq!(bench.names("out"), ["contract.pdf", "photo.bin.p7s"]);
    assert_eq!(poppler(&bench, "out/contract.pdf"), [("Signature1".to_owned(), true, true)]);
    let root = "data/ades/sandbox/root.pem";
    bench.openssl_accepts("out/photo.bin.p7s", Some("photo.bin"), root);
    bench.ades(&["verify", "out/contract.pdf", "--trust", root]).ends(0, "");
}

#[test]
fn a_broken_document_is_signed_when_it_is_asked_for() {
    let bench = bench(&wrong_startxref(&document()));
    bench.sign(&["contract.pdf", "-o", "signed.pdf"]).ends(3, "cross-reference is broken");
    bench
        .sign(&["contract.pdf", "-o", "signed.pdf", "--repair"])
        .ends(0, "the signature adds a new one");
    assert!(bench.read("signed.pdf").starts_with(&bench.read("contract.pdf")));
    assert_eq!(poppler(&bench, "signed.pdf"), [("Signature1".to_owned(), true, true)]);
    bench.ades(&["verify", "signed.pdf"]).ends(0, "");
}

/// Its cross-reference leads to where the file has no octets yet: what comes there
/// with the second signature is found only when that is written.
#[test]
fn what_only_another_version_can_write_is_kept_without_advice() {
    const PLACE: usize = 12_000;

    let page = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R>>";
    let odd = of_objects(&["<</Type/Catalog/Pages 2 0 R>>", ONE_PAGE, page, "null"], "");
    let at = odd.windows(7).position(|window| window == b"4 0 obj").unwrap();
    let odd = String::from_utf8(odd).unwrap();
    let bench = bench(&document());
    bench.write("plain.pdf", odd.replace(&format!("{at:010}"), &format!("{PLACE:010}")));
    bench.sign(&["plain.pdf", "-o", "odd.pdf"]).ends(0, "");
    assert!(bench.read("odd.pdf").len() < PLACE);
    let sign = ["sign", "odd.pdf", "contract.pdf", "--out-dir", "out", "--auto-approve"];
    for arguments in [&sign[..], &["resume", "out/ades.pending"]] {
        let run = bench.ades(arguments);
        run.ends(70, "odd.pdf: the finished container does not verify");
        run.ends(70, "ades.pending: kept for a version that can write the rest");
        assert!(!run.err.contains("the job is kept: ades resume"), "{run:?}");
        assert_eq!(bench.names("out"), ["ades.pending", "contract.pdf"]);
        bench.ades(&["verify", "out/contract.pdf"]).ends(0, "");
    }
}

/// What cannot be signed is known before anybody is asked, and all of it is said.
#[test]
fn a_batch_is_looked_at_before_anybody_is_asked() {
    let bench = bench(&document());
    bench.sign(&["contract.pdf", "-o", "closed.pdf", "--certify", "1"]).ends(0, "");
    bench.write("broken.pdf", wrong_startxref(&document()));
    bench.write("photo.bin", b"not a PDF");
    let files = ["contract.pdf", "closed.pdf", "photo.bin", "broken.pdf"];
    for signer in [PKCS12, &["--auto-approve"]] {
        let run = bench.ades(&[&["sign"], &files[..], &["--out-dir", "out"], signer].concat());
        run.ends(3, "2 of 4 files cannot be signed, and so none is:");
        run.ends(3, "closed.pdf: the document forbids this signature");
        run.ends(3, "broken.pdf: the cross-reference is broken");
        assert!(!run.err.contains("ades resume"), "{run:?}");
        assert_eq!(bench.names("out"), [""; 0]);
    }
    let run = bench.ades(&["sign", "closed.pdf", "-o", "again.pdf", "--auto-approve"]);
    run.ends(3, "closed.pdf: the document forbids this signature");
    assert!(!bench.has("again.pdf.pending"));
}

#[test]
fn what_should_be_known_of_a_document_is_said_once() {
    let objects = ["<</Pages 2 0 R/AcroForm<</Fields[]/NeedAppearances true>>>>", ONE_PAGE];
    let page = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]>>";
    let bench = bench(&of_objects(&[&objects[..], &[page]].concat(), ""));
    let run = bench.sign(&["contract.pdf", "-o", "signed.pdf"]);
    run.ends(0, "contract.pdf: its form tells viewers to redraw the fields");
    assert_eq!(run.err.matches("draw the fields anew").count(), 1, "{run:?}");
    let prepare = ["prepare", "contract.pdf", "--certs", "chain.pem", "--state", "pdf.state"];
    bench.ades(&prepare).ends(0, "contract.pdf: its form tells viewers to redraw the fields");
}

/// In a field, with a password, and while signing too.
#[test]
fn the_page_is_drawn_before_it_is_signed() {
    let document = Document { signature_fields: &["Here"], ..Document::default() };
    let bench = bench(&encrypted(&document.write(), Encryption::Aes256, "sesame"));
    let password = ["--pdf-password-env", "PASSWORD"];
    let drawn = |name: &str| bench.read(name).starts_with(b"\x89PNG");
    for (visible, png) in [
        (&["--visible", "1:300,300,200,60"][..], "page.png"),
        (&["--visible", "field", "--field", "Here"], "field.png"),
    ] {
        let preview = [&["--preview", png], visible, &password].concat();
        let prepare =
            ["prepare", "contract.pdf", "--certs", "chain.pem", "--force", "--state", "s"];
        bench.ades(&[&prepare[..], &preview].concat()).ends(0, "");
        assert!(drawn(png), "{png}");
        let sign = ["contract.pdf", "-o", "signed.pdf", "--force"];
        let preview = [&["--preview", "before.png"], visible, &password].concat();
        bench.sign(&[&sign[..], &preview].concat()).ends(0, "how it will look: before.png");
        assert!(drawn("before.png"), "{png}");
    }
    assert_ne!(bench.read("page.png"), bench.read("field.png"));
    let two = ["contract.pdf", "contract.pdf", "--out-dir", "out", "--visible", "1:9,9,9,9"];
    bench.sign(&[&two[..], &["--preview", "no.png"]].concat()).ends(2, "one PDF at a time");
}

#[test]
fn a_name_and_what_the_owner_forbids() {
    let bench = bench(&document());
    bench.sign(&["contract.pdf", "-o", "signed.pdf", "--name", "Jiří (acting)"]).ends(0, "");
    let run = bench.ades(&["verify", "signed.pdf", "--json"]);
    assert_eq!(json(&run.out)["signatures"][0]["name"], "Jiří (acting)");
    let closed = bench.path("closed.pdf");
    let protect =
        ["--encrypt", "", "owner", "256", "--modify=none", "--annotate=n", "--form=n", "--"];
    let run = Command::new("qpdf")
        .arg(bench.path("contract.pdf"))
        .args(protect)
        .arg(&closed)
        .output()
        .unwrap();
    assert!(run.status.success(), "{run:?}");
    let sign = ["closed.pdf", "-o", "overruled.pdf"];
    bench.sign(&sign).ends(3, "permissions");
    bench.sign(&[&sign[..], &["--overrule-permissions"]].concat()).ends(0, "");
    assert_eq!(poppler(&bench, "overruled.pdf"), [("Signature1".to_owned(), true, true)]);
}

#[test]
fn what_is_only_called_a_pdf_is_not_signed_as_something_else() {
    let bench = bench(b"a scan that went wrong");
    bench.sign(&["contract.pdf", "-o", "signed.pdf"]).ends(3, "its header is missing");
    assert!(!bench.has("signed.pdf"));
    bench.sign(&["contract.pdf", "-o", "contract.p7s", "--format", "cades"]).ends(0, "");
}

/// By the older rules of PDF it holds; it is no PAdES.
#[test]
fn an_older_signature_is_told_for_what_it_is() {
    let signer = Pki::shared().signer(Key::P256);
    let bench = bench(&sign_pkcs7(&document(), signer).unwrap());
    let run = bench.ades(&["verify", "contract.pdf", "--trust", "root.pem", "--json"]);
    let found = json(&run.ends(1, "").out);
    let signature = &found["signatures"][0];
    assert_eq!(signature["problems"], serde_json::json!(["not-pades"]), "{signature}");
    assert_eq!((&signature["format"], &signature["level"]), (&"PDF".into(), &"below".into()));
    assert_eq!((&signature["intact"], &signature["trusted"]), (&true.into(), &true.into()));
    assert_eq!(found["valid"], false);
    let run = bench.ades(&["verify", "contract.pdf"]);
    let text = &run.ends(1, "").out;
    assert!(text.contains("Signature1: PDF ") && text.contains(", intact, covers whole"), "{text}");
    assert!(text.ends_with("NOT VALID\n"), "{text}");
}

/// A document time-stamp that is broken is why a document is not valid.
#[test]
fn the_problems_of_time_stamps_are_told() {
    let bench = bench(&of_objects(
        &["<</Type/Catalog/Pages 2 0 R>>", ONE_PAGE, "<</Type/Page/Parent 2 0 R/Annots[]>>"],
        "",
    ));
    bench.sign(&["contract.pdf", "-o", "signed.pdf"]).ends(0, "");
    let signed = bench.read("signed.pdf");
    let form = number_of(&signed, "<</Fields[");
    let fields = object(&signed, form).replace("/Fields[", "/Fields[90 0 R ");
    let stamp = "<</Type/DocTimeStamp/Filter/Adobe.PPKLite/SubFilter/ETSI.RFC3161\
                 /ByteRange[0 0 0 0]/Contents<00>>>";
    let update = [(form, fields.as_str()), (90, "<</FT/Sig/T(stamp)/V 91 0 R>>"), (91, stamp)];
    bench.write("stamped.pdf", updated(&signed, &update));
    let run = bench.ades(&["verify", "stamped.pdf"]);
    let text = &run.ends(1, "").out;
    let broken = pades::report::Problem::ByteRangeMalformed;
    let told = format!("stamp: time-stamp, covers unknown\n  {broken}\n");
    assert!(text.contains(&told) && text.ends_with("NOT VALID\n"), "{text}");
    // Who only looks does not judge.
    let run = bench.ades(&["inspect", "stamped.pdf"]);
    let text = &run.ends(0, "").out;
    assert!(text.contains("stamp: time-stamp, covers unknown\n"), "{text}");
    assert!(!text.contains(&broken.to_string()), "{text}");
    let run = bench.ades(&["inspect", "stamped.pdf", "--json"]);
    let stamp = &json(&run.ends(0, "").out)["time_stamps"][0];
    assert_eq!((&stamp["field"], stamp.get("problems")), (&"stamp".into(), None), "{stamp}");
}
