//! Signatures added to containers, the forms of signature values, tampered states, and the key of
//! a PKCS#12 file with several.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod common;

use ades_tests::cms;
use ades_tests::pki::{Key, Pki, pem};
use ades_tests::tampered::changes;
use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use common::{Bench, json};
use pkcs12_writer::Writer;
use test_key::TestKey;

const DOCUMENT: &[u8] = b"a contract\r\n\x00\xFF with any octets\n";

fn bench(key: Key) -> Bench {
    let bench = Bench::new();
    bench.identity(key);
    bench.write("doc.bin", DOCUMENT);
    bench
}

/// The number of signatures that `ades verify` finds intact, countersignatures included.
fn intact(bench: &Bench, container: &str, more: &[&str]) -> usize {
    fn count(signatures: &serde_json::Value) -> usize {
        let all = signatures.as_array().map(Vec::as_slice).unwrap_or_default();
        all.iter()
            .map(|one| usize::from(one["intact"] == true) + count(&one["countersignatures"]))
            .sum()
    }
    let run = bench.ades(&[&["verify", container, "--json"], more].concat());
    count(&json(&run.out)["signatures"])
}

#[test]
fn a_signer_is_added_to_an_enveloping_container_given_as_document_or_container() {
    let bench = bench(Key::P256);
    bench.sign(&["doc.bin", "--packaging", "enveloping", "-o", "one.p7m"]).ends(0, "");
    // OpenSSL writes indefinite lengths and segments, and another digest algorithm.
    let stream = ["cms", "-sign", "-binary", "-nodetach", "-stream", "-outform", "DER"];
    let more = ["-md", "sha512", "-cades", "-in", "doc.bin", "-signer", "chain.pem"];
    let issuers = &Pki::shared().signer(Key::P256).chain.certificates()[1..];
    bench.write("issuers.pem", issuers.iter().map(pem).collect::<String>());
    let files = ["-inkey", "key.pem", "-certfile", "issuers.pem", "-out", "ber.p7m"];
    bench.openssl(&[&stream[..], &more, &files].concat()).ends(0, "");
    std::fs::copy(bench.path("one.p7m"), bench.path("copy.p7m")).unwrap();
    for container in ["one.p7m", "ber.p7m"] {
        let names = ["two.p7m", "three.p7m", "four.p7m", "five.p7m"];
        let [two, three, four, five] = names;
        bench.identity(Key::Rsa2048);
        let copied = if container == "one.p7m" { "copy.p7m" } else { container };
        bench.sign(&[copied, "--parallel", container, "-o", two]).ends(0, "signed");
        // The countersignature stays when another signer follows.
        bench.sign(&[two, "--counter-sign", "0", "-o", three]).ends(0, "");
        bench.identity(Key::P384);
        bench.sign(&[three, "--parallel", three, "-o", four]).ends(0, "");
        bench
            .sign(&["doc.bin", "--parallel", four, "-o", five])
            .ends(0, "has signed the same before");
        bench.openssl_accepts(five, None, "root.pem");
        assert_eq!(intact(&bench, five, &[]), 5);
        names.iter().for_each(|name| std::fs::remove_file(bench.path(name)).unwrap());
    }
    // A detached container does not have its document.
    bench.sign(&["doc.bin", "-o", "one.p7s"]).ends(0, "");
    bench.sign(&["one.p7s", "--parallel", "one.p7s", "-o", "x"]).ends(2, "IN is the document");
    bench.write("other.bin", b"another document");
    bench.sign(&["other.bin", "--parallel", "one.p7m", "-o", "x"]).ends(3, "another document");
    assert!(!bench.has("x"));
}

fn hexadecimal(octets: &[u8], between: &str) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(between)
}

/// `r` and `s` of a DER value side by side, each as long as the curve's order.
fn side_by_side(der: &[u8], order: usize) -> Vec<u8> {
    let content = if der[1] < 0x80 { &der[2..] } else { &der[3..] };
    let (r, s) = content[2..].split_at(usize::from(content[1]));
    [r, &s[2..]]
        .iter()
        .flat_map(|number| {
            let zeros = number.iter().take_while(|octet| **octet == 0).count();
            let digits = &number[zeros..];
            [&vec![0; order - digits.len()], digits].concat()
        })
        .collect()
}

#[test]
fn a_value_is_read_in_every_usual_form() {
    for (key, order) in
        [(Key::Rsa2048, 0), (Key::P256, 32), (Key::P384, 48), (Key::P521, 66), (Key::Ed25519, 0)]
    {
        let bench = bench(key);
        let prepare = ["prepare", "doc.bin", "--certs", "chain.pem", "--state", "doc.state"];
        let prepared = json(&bench.ades(&prepare).ends(0, "").out);
        let octets = |name: &str| Base64::decode_vec(prepared[name].as_str().unwrap()).unwrap();
        let sign = ["pkeyutl", "-sign", "-inkey", "key.pem", "-in", "tbs.bin", "-out", "value.bin"];
        if key == Key::Ed25519 {
            bench.write("tbs.bin", octets("data_base64"));
            bench.openssl(&[&sign[..], &["-rawin"]].concat()).ends(0, "");
        } else {
            bench.write("tbs.bin", octets("digest_base64"));
            let digest = format!("digest:{}", prepared["digest_algorithm"].as_str().unwrap());
            bench.openssl(&[&sign[..], &["-pkeyopt", &digest]].concat()).ends(0, "");
        }
        let value = bench.read("value.bin");
        let mut values = vec![value.clone()];
        if order > 0 {
            values.push(side_by_side(&value, order));
        }
        let complete = |form: &[u8]| {
            bench.write("form", form);
            bench.ades(&[
                "complete",
                "doc.bin",
                "--state",
                "doc.state",
                "--signature",
                "form",
                "-o",
                "out",
                "--force",
            ])
        };
        for value in values {
            let base64 = Base64::encode_string(&value);
            let lines = base64.as_bytes().chunks(64).map(|l| String::from_utf8_lossy(l));
            let lines = lines.collect::<Vec<_>>().join("\r\n");
            for form in [
                &value[..],
                base64.as_bytes(),
                base64.trim_end_matches('=').as_bytes(),
                Base64UrlUnpadded::encode_string(&value).as_bytes(),
                format!("\u{FEFF}{lines}\r\n").as_bytes(),
                format!("\"{base64}\"\n").as_bytes(),
                format!("-----BEGIN SIGNATURE-----\n{lines}\n-----END SIGNATURE-----\n").as_bytes(),
                hexadecimal(&value, "").as_bytes(),
                hexadecimal(&value, " ").to_uppercase().as_bytes(),
                hexadecimal(&value, ":").as_bytes(),
            ] {
                complete(form).ends(0, "complete");
                assert_eq!(intact(&bench, "out", &["--original", "doc.bin"]), 1);
            }
        }
        std::fs::remove_file(bench.path("out")).unwrap();
        let digest = bench.read("tbs.bin");
        for (form, saying) in [
            (&b"\n"[..], "empty"),
            (b"not a value!", "text that is neither base64 nor hexadecimal"),
            (&bench.read("chain.pem"), "a certificate"),
            (&bench.read("key.pem"), "a private key"),
            (&value[1..], "a binary file of"),
            (Base64UrlUnpadded::encode_string(&[0xFF; 20]).as_bytes(), "base64url text of 20"),
            (hexadecimal(&value[..20], "").as_bytes(), "hexadecimal text of 20"),
            (format!("{{\"signature\":\"{}\"}}", Base64::encode_string(&value)).as_bytes(), "JSON"),
            (
                if key == Key::Ed25519 { b"" } else { &digest[..] },
                if key == Key::Ed25519 { "empty" } else { "digest" },
            ),
        ] {
            let run = complete(form);
            run.ends(3, saying);
            assert!(!run.err.contains("session") && !bench.has("out"), "{run:?}");
        }
    }
}

/// Each change ends with status 3 or with a container that verifies.
#[test]
fn a_tampered_state_is_an_input_that_is_refused() {
    let bench = bench(Key::P256);
    bench.sign(&["doc.bin", "-o", "one.p7s"]).ends(0, "");
    bench.identity(Key::P384);
    bench.sign(&["doc.bin", "--parallel", "one.p7s", "-o", "two.p7s"]).ends(0, "");
    let prepare = ["prepare", "two.p7s", "--counter-sign", "0", "--certs", "chain.pem", "--state"];
    let prepared = json(&bench.ades(&[&prepare[..], &["state"]].concat()).ends(0, "").out);
    bench.write("tbs", Base64::decode_vec(prepared["digest_base64"].as_str().unwrap()).unwrap());
    let sign = ["pkeyutl", "-sign", "-inkey", "key.pem", "-in", "tbs", "-out", "value"];
    bench.openssl(&[&sign[..], &["-pkeyopt", "digest:sha384"]].concat()).ends(0, "");
    let stored = String::from_utf8(bench.read("state")).unwrap();
    for (what, state) in changes(&stored).into_iter().step_by(23) {
        bench.write("state", state);
        let run = bench.ades(&[
            "complete",
            "two.p7s",
            "--state",
            "state",
            "--signature",
            "value",
            "-o",
            "out",
            "--force",
        ]);
        match run.code {
            0 => assert_eq!(intact(&bench, "out", &["--original", "doc.bin"]), 3, "{what}"),
            _ => assert!(run.code == 3 && !bench.has("out"), "{what}: {run:?}"),
        }
        let _ = std::fs::remove_file(bench.path("out"));
    }
}

#[test]
fn one_of_several_keys_is_chosen_by_its_name() {
    let bench = bench(Key::P256);
    let mut writer = Writer::new("sesame");
    for name in ["signing", "archive"] {
        let key = TestKey::new(name);
        writer.key(&key.private_key(), Some(name), None);
        writer.certificate(key.certificate(), None, None);
    }
    bench.write("several.p12", writer.write());
    let sign = |more: &[&str]| {
        let key = ["--signer", "pkcs12:several.p12", "--password-env", "PASSWORD"];
        bench.ades(&[&["sign", "doc.bin", "-o", "out.p7s"], &key[..], more].concat())
    };
    sign(&[]).ends(3, "\"signing\", \"archive\"; --key-name NAME chooses");
    sign(&["--key-name", "other"]).ends(3, "\"other\"; its keys are: \"signing\", \"archive\"");
    sign(&["--key-name", "archive"]).ends(0, "signed");
    let report = json(&bench.ades(&["inspect", "out.p7s", "--json"]).out);
    assert_eq!(report["signatures"][0]["signer"], "archive");
    let sandbox = bench.ades(&["sign", "doc.bin", "-o", "x", "--key-name", "archive"]);
    sandbox.ends(2, "--key-name does not concern this signer");
}

/// Everything that is signed is shown, however many values a signature has of it.
#[test]
fn inspect_shows_every_value_that_is_signed() {
    let bench = bench(Key::P256);
    let options = ["--commitment", "origin", "--role", "Director", "--country", "BE"];
    let time = ["--signing-time", "2026-01-02T03:04:05Z", "--packaging", "enveloping"];
    bench.sign(&[&["doc.bin", "-o", "one.p7m"][..], &options, &time].concat()).ends(0, "");
    let container = bench.read("one.p7m");
    let oid = |last: &[u8]| {
        let smime = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 16];
        cms::element(6, &[&smime, last])
    };
    let sha256 = [0x30, 11, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
    let hash = cms::element(0x30, &[&sha256, &cms::element(4, &[&[7; 32]])]);
    let policy = |last: u8| cms::element(0x30, &[&[6, 3, 42, 3, last], &hash]);
    let text = |text: &str| cms::element(0x0C, &[text.as_bytes()]);
    let location = cms::element(0x30, &[&cms::element(0xA1, &[&text("Gent")])]);
    let role = cms::element(0x30, &[&[6, 3, 0x55, 4, 12], &cms::element(0x31, &[&text("Owner")])]);
    let roles = cms::element(0x30, &[&cms::element(0xA0, &[&cms::element(0x30, &[&role])])]);
    let approval = cms::element(0x30, &[&oid(&[6, 5])]);
    let hints = |what: &str| cms::element(0x30, &[&text(what), &[6, 3, 42, 3, 4]]);
    let changed = cms::with_signed_attributes(&container, Pki::shared().signer(Key::P256), |all| {
        let commitments = all.iter_mut().find(|one| cms::contains(one, &oid(&[2, 16]))).unwrap();
        let values = [&cms::element(0x30, &[&oid(&[6, 1])])[..], &approval].concat();
        *commitments = cms::element(0x30, &[&oid(&[2, 16]), &cms::element(0x31, &[&values])]);
        let policies = [policy(4), policy(5)].concat();
        all.push(cms::element(0x30, &[&oid(&[2, 15]), &cms::element(0x31, &[&policies])]));
        all.push(cms::attribute(&oid(&[2, 17]), &location));
        all.push(cms::attribute(&[6, 7, 4, 0, 0x81, 0x95, 0x32, 1, 1], &roles));
        all.push(cms::attribute(&[6, 6, 4, 0, 0x8D, 0x45, 2, 1], &text("text/plain")));
        let time = [6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 5];
        all.push(cms::attribute(&time, &cms::element(0x17, &[b"270102030405Z"])));
        let both = [hints("huur"), hints("koop")].concat();
        all.push(cms::element(0x30, &[&oid(&[2, 4]), &cms::element(0x31, &[&both])]));
    });
    bench.write("several.p7m", changed);
    let shown = bench.ades(&["inspect", "several.p7m"]);
    for line in [
        "commitment: 1.2.840.113549.1.9.16.6.1",
        "commitment: 1.2.840.113549.1.9.16.6.5",
        "policy: 1.2.3.4",
        "policy: 1.2.3.5",
        "role (claimed): Director",
        "role (claimed): Owner",
        "location (claimed): BE",
        "location (claimed): Gent",
        "media type: application/octet-stream",
        "media type: text/plain",
        "description: huur",
        "description: koop",
        "signing time (claimed): 2026-01-02T03:04:05+00:00",
        "signing time (claimed): 2027-01-02T03:04:05+00:00",
    ] {
        assert!(shown.out.contains(&format!("  {line}\n")), "{line:?} is not in {shown:?}");
    }
    assert_eq!(intact(&bench, "several.p7m", &[]), 1);
    let report = json(&bench.ades(&["inspect", "several.p7m", "--json"]).out);
    let further = &report["signatures"][0]["further"];
    assert_eq!(further["commitments"], serde_json::json!(["1.2.840.113549.1.9.16.6.5"]));
    assert_eq!(further["policies"][0]["id"], "1.2.3.5");

    bench.write("doc.pdf", ades_tests::pdf::Document::default().write());
    let pdf = ["doc.pdf", "-o", "signed.pdf", "--commitment", "approval", "--role", "Director"];
    bench.sign(&pdf).ends(0, "");
    let shown = bench.ades(&["inspect", "signed.pdf"]);
    let lines = ["commitment: 1.2.840.113549.1.9.16.6.5", "role (claimed): Director"];
    assert!(lines.iter().all(|line| shown.out.contains(line)), "{shown:?}");
    let report = json(&bench.ades(&["inspect", "signed.pdf", "--json"]).out);
    let cms = &report["signatures"][0]["cms"];
    assert_eq!(cms["signer_roles"], serde_json::json!(["Director"]));
    assert!(cms.get("intact").is_none() && cms.get("problems").is_none());

    bench.write("doc.xml", "<r/>");
    bench.sign(&["doc.xml", "-o", "signed.xml", "--country", "BE"]).ends(0, "");
    let xml = String::from_utf8(bench.read("signed.xml")).unwrap();
    let more = "<xades:SigningTime>2027-01-02T03:04:05Z</xades:SigningTime>\
                <xades:SignatureProductionPlace><xades:City>Gent</xades:City>\
                </xades:SignatureProductionPlace></xades:SignedSignatureProperties>";
    bench.write("more.xml", xml.replace("</xades:SignedSignatureProperties>", more));
    let shown = bench.ades(&["inspect", "more.xml"]);
    for line in ["2027-01-02T03:04:05", "location (claimed): BE", "location (claimed): Gent"] {
        assert!(shown.out.contains(line), "{line:?} is not in {shown:?}");
    }
}
