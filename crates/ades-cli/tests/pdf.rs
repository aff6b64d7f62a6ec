//! PDFs on the command line, judged by poppler and by our own verification.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod common;

use std::process::Command;

use ades_tests::oracle::pdf::{pdfsig, qpdf_check};
use ades_tests::oracle::pyhanko::PyHanko;
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

/// Poppler's verdict on each signature: valid, over the whole file.
fn poppler(bench: &Bench, name: &str) -> Vec<(String, bool, bool)> {
    let found = pdfsig(&bench.path(name), None).unwrap();
    found.into_iter().map(|s| (s.field, s.valid, s.total_document)).collect()
}

#[test]
fn pdf_is_signed_by_default_as_pades() {
    let bench = bench(&document());
    let texts = ["--reason", "Agreed (at last)", "--location", "Liège", "--contact", "a@b.example"];
    bench.sign(&[&["contract.pdf", "-o", "signed.pdf"], &texts[..]].concat()).ends(0, "");
    assert!(bench.read("signed.pdf").starts_with(&document()));
    assert_eq!(poppler(&bench, "signed.pdf"), [("Signature1".to_owned(), true, true)]);

    let run = bench.ades(&[
        "verify",
        "signed.pdf",
        "--revocation",
        "none",
        "--trust",
        "root.pem",
        "--json",
    ]);
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
    let run = bench.ades(&["verify", "--integrity", "two.pdf"]);
    assert!(run.ends(0, "").out.contains("changed after it: signature"), "{run:?}");
    // The field is signed now.
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
    bench.sign(&lock("include:Their,Texts")).ends(2, "no field named \"Their\"");
    bench.sign(&lock("include:There,Texts")).ends(0, "lock names a field");
    std::fs::remove_file(bench.path("signed.pdf")).unwrap();
    bench.sign(&lock("exclude:Their")).ends(0, "lock names a field");
    std::fs::remove_file(bench.path("signed.pdf")).unwrap();
    let run = bench.sign(&lock("include:There,Text"));
    let signed = run.ends(0, "");
    assert!(!signed.err.contains("lock"), "{signed:?}");
    bench.sign(&["signed.pdf", "-o", "no.pdf", "--field", "There"]).ends(3, "locks");
    bench.sign(&["signed.pdf", "-o", "again.pdf"]).ends(0, "");
    assert!(poppler(&bench, "again.pdf").iter().all(|(_, valid, _)| *valid));
}

/// The text of the pages, by poppler.
fn text(bench: &Bench, file: &str) -> String {
    let run = Command::new("pdftotext").arg(bench.path(file)).arg("-").output().unwrap();
    String::from_utf8(run.stdout).unwrap()
}

#[test]
fn visible_signature_has_its_text_and_a_preview() {
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

/// The offset is that of the signing time: on 29 March 2026, the clocks changed at 01:00 UTC.
#[test]
fn the_time_of_a_stamp_has_the_signers_language_and_zone() {
    let bench = bench(&document());
    let sign = ["contract.pdf", "-o", "signed.pdf", "--force", "--stamp-text", "{time}"];
    let visible = ["--visible", "1:300,300,200,60", "--signing-time"];
    for (time, more, expected) in [
        ("2026-03-29T00:59:00Z", &[][..], "2026-03-29 00:59:00 UTC"),
        (
            "2026-03-29T00:59:00Z",
            &["--stamp-time-zone", "Europe/Brussels"],
            "2026-03-29 01:59:00 +01:00",
        ),
        (
            "2026-03-29T01:00:00Z",
            &["--stamp-time-zone", "Europe/Brussels", "--lang", "NL"],
            "29 maart 2026 om 03:00:00 UTC+2",
        ),
        (
            "2026-03-29T01:00:00Z",
            &["--stamp-time-zone", "-03:30", "--lang", "fr"],
            "28 mars 2026 à 21:30:00 UTC-3:30",
        ),
    ] {
        bench.sign(&[&sign[..], &visible, &[time], more].concat()).ends(0, "");
        let seen = text(&bench, "signed.pdf");
        let words = seen.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(expected), "{expected}: {words}");
    }
    let zone = ["2026-03-29T01:00:00Z", "--stamp-time-zone", "Bruxelles"];
    bench.sign(&[&sign[..], &visible, &zone].concat()).ends(2, "Europe/Brussels");
    bench.write("plain.txt", "text");
    let language = ["plain.txt", "-o", "plain.p7s", "--lang", "NL"];
    bench.sign(&language).ends(2, "--visible");
}

#[test]
fn a_stamp_can_be_an_image_alone() {
    let bench = bench(&document());
    let stamp = ["contract.pdf", "--visible", "1:300,300,200,60", "--force", "-o", "signed.pdf"];
    let preview = ["--stamp-text", "an image", "--preview", "image.png"];
    bench.sign(&[&stamp[..], &preview].concat()).ends(0, "");
    let without = text(&bench, "contract.pdf");
    for arguments in
        [&[][..], &["--stamp-text", ""], &["--stamp-text", " \\n"], &["--stamp-text", "{reason}"]]
    {
        let run = bench.sign(&[&stamp[..], &["--stamp-image", "image.png"], arguments].concat());
        run.ends(0, "");
        assert_eq!(text(&bench, "signed.pdf"), without, "{arguments:?}");
        let images = Command::new("pdfimages").arg("-list").arg(bench.path("signed.pdf")).output();
        let images = String::from_utf8(images.unwrap().stdout).unwrap();
        assert_eq!(images.lines().count(), 3, "{arguments:?}: {images}");
    }
    let code = ["--stamp-qr", "https://example.org/?by={name}", "--stamp-text", ""];
    bench.sign(&[&stamp[..], &code].concat()).ends(0, "");
    assert_eq!(text(&bench, "signed.pdf"), without);
    let small = ["--visible", "1:300,300,20,20", "--force", "-o", "signed.pdf"];
    bench.sign(&[&["contract.pdf"], &small[..], &code].concat()).ends(2, "--stamp-qr: ");
    for nothing in ["", " \\n", "{reason}"] {
        let run = bench.sign(&[&stamp[..], &["--stamp-text", nothing]].concat());
        run.ends(2, "--stamp-text");
    }
}

#[test]
fn existing_field_becomes_visible() {
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
    bench.ades(&[&["verify", "--integrity", "signed.pdf"], &password[..]].concat()).ends(0, "");
}

/// Demand 13.
#[test]
fn later_changes_are_reported() {
    let bench = bench(&document());
    bench.sign(&["contract.pdf", "-o", "signed.pdf"]).ends(0, "");
    bench.write("changed.pdf", unsigned_change(&bench.read("signed.pdf")));
    let arguments =
        ["verify", "changed.pdf", "--trust", "root.pem", "--revocation", "none", "--json"];
    let signature = &json(&bench.ades(&arguments).ends(6, "").out)["signatures"][0];
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
    bench
        .ades(&["verify", "out/contract.pdf", "--revocation", "none", "--trust", root])
        .ends(0, "");
}

#[test]
fn a_broken_document_is_signed_when_it_is_asked_for() {
    let bench = bench(&wrong_startxref(&document()));
    bench.sign(&["contract.pdf", "-o", "signed.pdf"]).ends(3, "cross-reference is broken");
    bench.sign(&["contract.pdf", "-o", "signed.pdf"]).ends(3, "ades sign --repair");
    bench
        .sign(&["contract.pdf", "-o", "signed.pdf", "--repair"])
        .ends(0, "the signature adds a new one");
    assert!(bench.read("signed.pdf").starts_with(&bench.read("contract.pdf")));
    assert_eq!(poppler(&bench, "signed.pdf"), [("Signature1".to_owned(), true, true)]);
    bench.ades(&["verify", "--integrity", "signed.pdf"]).ends(0, "");
}

/// Its cross-reference points past the end of the file. What a signature writes there makes the
/// finished document invalid, which is found only when it is read back.
#[test]
fn job_that_only_another_version_can_finish_is_kept() {
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
        run.ends(70, "ades.pending: kept for a version of ades that can write the rest");
        assert!(!run.err.contains("the job is kept: ades resume"), "{run:?}");
        assert_eq!(bench.names("out"), ["ades.pending", "contract.pdf"]);
        bench.ades(&["verify", "--integrity", "out/contract.pdf"]).ends(0, "");
    }
}

/// All files that cannot be signed are reported before anybody is asked.
#[test]
fn batch_is_checked_before_anybody_is_asked() {
    let bench = bench(&document());
    bench.sign(&["contract.pdf", "-o", "closed.pdf", "--certify", "1"]).ends(0, "");
    bench.write("broken.pdf", wrong_startxref(&document()));
    bench.write("photo.bin", b"not a PDF");
    let files = ["contract.pdf", "closed.pdf", "photo.bin", "broken.pdf"];
    for signer in [PKCS12, &["--auto-approve"]] {
        let run = bench.ades(&[&["sign"], &files[..], &["--out-dir", "out"], signer].concat());
        run.ends(3, "2 of 4 files cannot be signed, so that none is signed:");
        run.ends(3, "closed.pdf: the document forbids this signature");
        run.ends(3, "broken.pdf: the cross-reference is broken");
        assert!(!run.err.contains("ades resume"), "{run:?}");
        assert!(!bench.has("out"), "{run:?}");
    }
    let run = bench.ades(&["sign", "closed.pdf", "-o", "again.pdf", "--auto-approve"]);
    run.ends(3, "closed.pdf: the document forbids this signature");
    assert!(!bench.has("again.pdf.pending"));
}

#[test]
fn warnings_are_printed_once() {
    let objects = ["<</Pages 2 0 R/AcroForm<</Fields[]/NeedAppearances true>>>>", ONE_PAGE];
    let page = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]>>";
    let bench = bench(&of_objects(&[&objects[..], &[page]].concat(), ""));
    let run = bench.sign(&["contract.pdf", "-o", "signed.pdf"]);
    run.ends(0, "contract.pdf: its form tells viewers to redraw the fields");
    assert_eq!(run.err.matches("redraw the fields").count(), 1, "{run:?}");
    let prepare = ["prepare", "contract.pdf", "--certs", "chain.pem", "--state", "pdf.state"];
    bench.ades(&prepare).ends(0, "contract.pdf: its form tells viewers to redraw the fields");
}

/// By `sign`, and by `prepare` and `complete`.
#[test]
fn a_document_is_signed_with_the_key_of_a_recipient() {
    let bench = bench(&document());
    bench.identity(Key::Rsa2048);
    let recipient = Pki::shared().signer(Key::Rsa2048).write_pem_files(&bench.path(".")).leaf;
    let [plain, out] = ["contract.pdf", "secret.pdf"].map(|name| bench.path(name));
    let request = serde_json::json!({
        "file": plain, "out": out, "certificates": [recipient], "version": "AES256",
    });
    PyHanko::shared().ask("encrypt", &request).unwrap();
    let sign = ["secret.pdf", "-o", "signed.pdf"];
    bench.sign(&sign).ends(2, "--pdf-key names the PKCS#12 file");
    let key = ["--pdf-key", "key.p12", "--pdf-key-password-env", "PASSWORD"];
    bench.sign(&[&sign[..], &key].concat()).ends(0, "");
    bench.ades(&["verify", "signed.pdf"]).ends(2, "--pdf-key");
    let verify = ["verify", "signed.pdf", "--json"];
    let report = json(&bench.ades(&[&verify[..], &key].concat()).out);
    assert_eq!(report["signatures"][0]["intact"], true, "{report}");

    // The page looks as that of the document without encryption.
    let visible = ["--force", "--visible", "1:9,9,90,30", "--stamp-text", "seen", "--preview"];
    let plain = ["contract.pdf", "-o", "plain.pdf"];
    bench.sign(&[&plain[..], &visible, &["plain.png"]].concat()).ends(0, "");
    bench.sign(&[&sign[..], &visible, &["secret.png"], &key].concat()).ends(0, "");
    assert!(bench.read("plain.png") == bench.read("secret.png"));

    let prepare = ["prepare", "secret.pdf", "--certs", "chain.pem", "--state", "s"];
    let prepared = json(&bench.ades(&[&prepare[..], &key].concat()).out);
    let digest = prepared["digest_base64"].as_str().unwrap();
    bench.write("digest", Base64::decode_vec(digest).unwrap());
    let openssl = ["pkeyutl", "-sign", "-inkey", "key.pem", "-pkeyopt", "digest:sha256"];
    bench.openssl(&[&openssl[..], &["-in", "digest", "-out", "value"]].concat()).ends(0, "");
    let complete = ["complete", "secret.pdf", "--state", "s", "--signature", "value"];
    let complete = [&complete[..], &["-o", "completed.pdf"], &key].concat();
    bench.ades(&complete).ends(0, "");
    let inspect = ["inspect", "completed.pdf", "--json"];
    let contents = json(&bench.ades(&[&inspect[..], &key].concat()).out);
    assert_eq!(contents["signatures"].as_array().unwrap().len(), 1, "{contents}");
    bench.identity(Key::Rsa3072);
    bench.sign(&[&sign[..], &key, &["--force"]].concat()).ends(3, "no key of the PKCS#12 file");
}

/// In an existing field, with a password, and with `sign`.
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
fn name_and_ignored_permissions() {
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
fn file_named_pdf_that_is_not_a_pdf_is_refused() {
    let bench = bench(b"a scan that went wrong");
    bench.sign(&["contract.pdf", "-o", "signed.pdf"]).ends(3, "the %PDF header is missing");
    assert!(!bench.has("signed.pdf"));
    bench.sign(&["contract.pdf", "-o", "contract.p7s", "--format", "cades"]).ends(0, "");
}

/// A signature by the older rules of PDF, which is not PAdES.
#[test]
fn signature_by_older_rules_is_reported_as_such() {
    let signer = Pki::shared().signer(Key::P256);
    let bench = bench(&sign_pkcs7(&document(), signer).unwrap());
    let run = bench.ades(&[
        "verify",
        "contract.pdf",
        "--revocation",
        "none",
        "--trust",
        "root.pem",
        "--json",
    ]);
    let found = json(&run.ends(0, "").out);
    let signature = &found["signatures"][0];
    assert_eq!(signature["problems"], serde_json::json!([]), "{signature}");
    assert_eq!(signature["remarks"], serde_json::json!(["not-pades"]));
    assert_eq!((&signature["format"], &signature["level"]), (&"PDF".into(), &"below".into()));
    assert_eq!((&signature["intact"], &signature["trusted"]), (&true.into(), &true.into()));
    let run = bench.ades(&["verify", "contract.pdf"]);
    let text = &run.ends(6, "--trust").out;
    assert!(text.contains("  PDF below B-B, intact, covers whole"), "{text}");
    assert!(text.ends_with("indeterminate\n"), "{text}");
}

/// A broken document time-stamp proves nothing, and does not spoil the signatures.
#[test]
fn problems_of_time_stamps_are_reported() {
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
    let run = bench.ades(&["verify", "--integrity", "stamped.pdf"]);
    let text = &run.out;
    let broken = ades::formats::pades::report::Problem::ByteRangeMalformed;
    let told = format!("stamp: time-stamp, covers unknown\n  {broken}\n");
    assert!(text.contains(&told), "{text}");
    // `inspect` has no verdicts.
    let run = bench.ades(&["inspect", "stamped.pdf"]);
    let text = &run.ends(0, "").out;
    assert!(text.contains("stamp: time-stamp, covers unknown\n"), "{text}");
    assert!(!text.contains(&broken.to_string()), "{text}");
    let run = bench.ades(&["inspect", "stamped.pdf", "--json"]);
    let stamp = &json(&run.ends(0, "").out)["time_stamps"][0];
    assert_eq!((&stamp["field"], stamp.get("problems")), (&"stamp".into(), None), "{stamp}");
}
