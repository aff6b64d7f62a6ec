//! Messages: what happened, where, and what to do. One table for each kind of input.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod common;

use ades_tests::pdf::Document;
use ades_tests::pki::Key;
use common::Bench;

/// The arguments after `ades`, the exit status, and what the message says.
type Row<'a> = (&'a str, i32, &'a [&'a str]);

const SIGN: &str = "sign --signer pkcs12:key.p12 --password-env PASSWORD -o out ";
const PREPARE: &str = "prepare --state new.state ";

fn bench() -> Bench {
    let bench = Bench::new();
    bench.identity(Key::Rsa2048);
    bench.write("doc.bin", "a contract");
    let fields = Document { signature_fields: &["Seller", "Buyer"], ..Document::default() };
    bench.write("doc.pdf", fields.write());
    bench.write("plain.pdf", Document::default().write());
    bench.write("doc.xml", "<a xmlns='urn:a'><b Id='terms'/><c Ref='r' id='annex'/></a>");
    bench.write("empty", "");
    std::fs::create_dir(bench.path("folder")).unwrap();
    let prepare = ["prepare", "doc.bin", "--certs", "chain.pem", "--state", "doc.state"];
    bench.ades(&prepare).ends(0, "");
    bench.write("cut.state", &bench.read("doc.state")[..100]);
    bench
}

/// Runs each row. Nothing is written.
#[track_caller]
fn check(bench: &Bench, command: &str, rows: &[Row<'_>]) {
    let before = bench.names(".");
    for (arguments, status, texts) in rows {
        let line = format!("{command}{arguments}");
        let words: Vec<&str> = line.split(' ').collect();
        let run = bench.ades(&words);
        for text in *texts {
            run.ends(*status, text);
        }
        assert_eq!(bench.names("."), before, "{line}");
    }
}

#[test]
fn values_of_options() {
    let digests = "not one of sha256, sha384, sha512";
    check(
        &bench(),
        SIGN,
        &[
            ("doc.bin --signing-time yesterday", 2, &["yesterday", "2026-11-30T09:00:00Z"]),
            ("doc.bin --signing-time 2026-11-30", 2, &["RFC 3339"]),
            ("doc.bin --digest md5", 2, &["md5", "--digest", digests]),
            ("doc.bin --algorithm rsa", 2, &["--algorithm", "rsa-sha256", "ecdsa-sha384"]),
            ("doc.bin --algorithm ecdsa-sha256", 2, &["--algorithm: a key of type RSA"]),
            (
                "doc.bin --policy 1.2.x --policy-document doc.bin",
                2,
                &["\"1.2.x\"", "an OID, such as "],
            ),
            ("doc.bin --policy 1.2.3", 2, &["--policy-document"]),
            (
                "doc.bin --policy 1.2.3 --policy-document no",
                3,
                &["--policy-document: ", "/no: does"],
            ),
            (
                "doc.bin --commitment promise",
                2,
                &["--commitment \"promise\"", "approval", "1.2.3.4"],
            ),
            ("doc.bin --mime-type text", 2, &["'text'", "text/plain"]),
            ("doc.bin --role ", 2, &["--role: "]),
            ("doc.bin --lang ES", 2, &["ES", "EN, FR, NL, DE"]),
            ("doc.bin --description EN=", 2, &["--description: "]),
            ("doc.pdf --certify 4", 2, &["\"4\" is not 1, 2 or 3"]),
            ("doc.pdf --lock some", 2, &["\"some\"", "include:NAME"]),
            ("doc.pdf --reason ", 2, &["--reason: "]),
            ("doc.pdf --field a..b", 2, &["--field: "]),
            ("doc.xml --into {urn:a", 2, &["{urn:a", "{NAMESPACE}NAME"]),
            ("doc.bin --format pades", 2, &["doc.bin: is not a PDF", "--format cades"]),
            ("doc.bin --format pdf", 2, &["'pdf'", "cades, xades, pades"]),
        ],
    );
    check(
        &bench(),
        "",
        &[
            ("sign doc.bin --signer key.p12", 2, &["\"key.p12\"", "did you mean pkcs12:key.p12?"]),
            ("sign doc.bin --signer itsme.toml", 2, &["did you mean itsme:itsme.toml?"]),
            ("sign doc.bin --signer pkcs12:", 2, &["\"pkcs12:\"", "pkcs12:FILE"]),
            ("sign doc.bin --auto-approve --sandbox-user nobody", 2, &["\"nobody\"", "ready"]),
            ("sandbox --listen here", 2, &["here", "127.0.0.1:8443"]),
            ("c14n doc.xml --method c14n", 2, &["c14n10, c14n11, exclusive"]),
        ],
    );
}

#[test]
fn places_in_documents() {
    let rows: &[Row<'_>] = &[
        ("doc.pdf --visible 1", 2, &["\"1\"", "PAGE:X,Y,WIDTH,HEIGHT"]),
        ("doc.pdf --visible 1:1,1,-5,9", 2, &["-5 is negative"]),
        ("doc.pdf --visible 0:1,1,9,9", 2, &["--visible: ", "counted from 1"]),
        ("doc.pdf --visible 9:1,1,9,9", 2, &["--visible: ", "number 9", "from 1 to 2"]),
        (
            "doc.pdf --visible 1:600,1,99,99",
            2,
            &["600,1,99,99", "page number 1, which is 0,0,595,842"],
        ),
        ("doc.pdf --visible field", 2, &["--visible: ", "name of an existing field"]),
        ("doc.pdf --visible field --field Bayer", 2, &["\"Bayer\"", "did you mean \"Buyer\"?"]),
        ("doc.pdf --visible field --field X", 2, &["signature fields \"Seller\", \"Buyer\""]),
        ("plain.pdf --visible field --field X", 2, &["it has no empty signature fields"]),
        ("doc.pdf --visible 1:1,1,99,99 --stamp-image doc.bin", 2, &["--stamp-image: ", "PNG"]),
        ("doc.pdf --visible 1:1,1,99,99 --stamp-font doc.bin", 2, &["--stamp-font: "]),
        ("doc.pdf --visible 1:1,1,99,99 --stamp-text 汉", 2, &["'汉'", "--stamp-font: "]),
        ("doc.xml --into term", 2, &["Id \"term\"", "did you mean \"terms\"?"]),
        ("doc.xml --behind other", 2, &["it has the Ids \"terms\", \"annex\""]),
        ("doc.xml --into {urn:b}b", 2, &["{urn:b}b", "did you mean \"{urn:a}b\"?"]),
        (
            "doc.xml --packaging internally-detached --element Terms",
            2,
            &["did you mean \"terms\"?"],
        ),
        ("doc.xml --id-attribute Ref --into annexes", 2, &["did you mean \"annex\"?"]),
        ("doc.bin --counter-sign 0", 3, &["doc.bin: ", "is not a signed document: it is text"]),
        (
            "doc.bin --parallel chain.pem",
            3,
            &["chain.pem: ", "is not a signed document: it is text"],
        ),
        ("doc.pdf --counter-sign 0", 2, &["cannot be countersigned: sign the document again"]),
    ];
    check(&bench(), SIGN, rows);
    // The same where a signature is prepared, and where XML is canonicalised.
    let bench = bench();
    check(
        &bench,
        PREPARE,
        &[
            ("doc.xml --certs chain.pem --into term", 2, &["doc.xml: ", "did you mean \"terms\"?"]),
            ("doc.pdf --certs chain.pem --visible 1:600,1,99,99", 2, &["0,0,595,842"]),
        ],
    );
    check(&bench, "c14n ", &[("doc.xml --id Annex", 2, &["doc.xml: ", "did you mean \"annex\"?"])]);
}

#[test]
fn files() {
    let bench = bench();
    check(
        &bench,
        SIGN,
        &[
            ("folder", 3, &["folder: is a folder, not a file"]),
            ("Doc.bin", 3, &["Doc.bin: does not exist; did you mean doc.bin?"]),
            ("nowhere", 3, &["nowhere: does not exist"]),
            ("other/doc.bin", 3, &["there is no folder other"]),
            ("empty --format pades", 2, &["empty: is not a PDF"]),
            ("empty --format xades", 2, &["empty: is not XML"]),
        ],
    );
    check(
        &bench,
        "",
        &[
            ("inspect doc.p7s", 3, &["doc.p7s: does not exist; did you mean doc.pdf?"]),
            ("c14n empty", 3, &["empty: ", "no root element"]),
            (
                "complete doc.bin --state empty --signature x -o out",
                3,
                &["empty: the pending state is empty"],
            ),
            (
                "complete doc.bin --state doc.pdf --signature x -o out",
                3,
                &["doc.pdf: ", "not a text"],
            ),
            (
                "complete doc.bin --state doc.bin --signature x -o out",
                3,
                &["doc.bin: is not a pending state; ades prepare stores one"],
            ),
            ("complete doc.bin --state cut.state --signature x -o out", 3, &["state is damaged"]),
            (
                "complete doc.bin --state doc.state --signature empty -o out",
                3,
                &["empty: it is empty, not a signature value"],
            ),
            ("complete doc.bin --state doc.state --signature x -o out", 3, &["x: does not exist"]),
            ("resume doc.bin", 3, &["doc.bin: is not a job; ades sign stores one"]),
            ("resume doc.state", 3, &["ades complete takes a pending state"]),
            ("resume doc.stat", 3, &["did you mean doc.state?"]),
        ],
    );
    bench.sign(&["empty", "-o", "empty.p7s"]).ends(0, "empty: is empty: the signature covers no");
    // The value is wrong; another session is not the way out.
    bench.write("value", "short");
    let complete = ["complete", "doc.bin", "--state", "doc.state", "--signature", "value"];
    let run = bench.ades(&[&complete[..], &["-o", "out"]].concat());
    assert!(!run.ends(3, "value: ").err.contains("session"), "{run:?}");
}

#[test]
fn keys_and_certificates() {
    let bench = bench();
    let openssl = |line: &str| {
        bench.openssl(&line.split(' ').collect::<Vec<_>>()).ends(0, "");
    };
    openssl("x509 -in chain.pem -outform DER -out leaf.der");
    openssl("crl2pkcs7 -nocrl -certfile chain.pem -outform DER -out certs.p7b");
    openssl("pkey -in key.pem -outform DER -out key.der");
    let both = [bench.read("key.pem"), bench.read("chain.pem")].concat();
    bench.write("both.pem", &both);
    let signer = "sign doc.bin -o out --password-env PASSWORD --signer pkcs12:";
    check(
        &bench,
        signer,
        &[
            (
                "chain.pem",
                3,
                &["chain.pem: ", "PEM text with a certificate", "openssl pkcs12 -export"],
            ),
            ("key.pem", 3, &["PEM text with a private key", "openssl pkcs12 -export"]),
            ("both.pem", 3, &["the file is PEM text; convert it"]),
            ("leaf.der", 3, &["certificate in DER"]),
            ("doc.bin", 3, &["not a PKCS#12 file"]),
            ("empty", 3, &["the file is empty"]),
            ("key.p13", 3, &["key.p13: does not exist", "key.p12?"]),
        ],
    );
    let locked = ["sign", "doc.bin", "-o", "out", "--signer", "pkcs12:key.p12"];
    bench
        .ades(&locked)
        .ends(3, "key.p12: ")
        .ends(3, "--password-env names the environment variable");
    check(
        &bench,
        "sign doc.bin -o out --signer pkcs12:key.p12 ",
        &[
            ("--password-env sesame", 2, &["\"sesame\"", "takes the name, not the value"]),
            ("--password-env PATH", 3, &["password of the PKCS#12 file is wrong"]),
        ],
    );
    check(
        &bench,
        "prepare doc.bin --state new.state --certs ",
        &[
            ("key.pem", 3, &["key.pem: has a private key and no certificate"]),
            ("key.p12", 3, &["key.p12: this is a PKCS#12 file", "openssl pkcs12 -nokeys"]),
            ("leaf.der", 3, &["leaf.der: this is DER", "openssl x509"]),
            ("certs.p7b", 3, &["certs.p7b: this is CMS", "openssl pkcs7"]),
            ("key.der", 3, &["key.der: this is DER, but not a certificate"]),
            ("doc.bin", 3, &["doc.bin: has no certificate", "BEGIN CERTIFICATE"]),
            ("empty", 3, &["empty: has no certificate"]),
            ("root.pem", 3, &["root.pem: ", "certification authority"]),
            ("chain.pem --state-key-env PASSWORD", 2, &["PASSWORD", "64 hexadecimal digits"]),
        ],
    );
    // Any order; a key beside the certificates is not used.
    let mut blocks: Vec<String> = String::from_utf8(bench.read("chain.pem"))
        .unwrap()
        .split_inclusive("-----END CERTIFICATE-----\n")
        .map(str::to_owned)
        .collect();
    blocks.reverse();
    bench.write("reversed.pem", blocks.concat());
    for certs in ["reversed.pem", "both.pem"] {
        let prepare = ["prepare", "doc.bin", "--state", "s", "--force", "--certs", certs];
        let said = if certs == "both.pem" { "both.pem: has a private key, too" } else { "" };
        bench.ades(&prepare).ends(0, said);
    }
}

#[test]
fn an_unsupported_key_is_named() {
    let bench = bench();
    let openssl = |line: &str| {
        bench.openssl(&line.split(' ').collect::<Vec<_>>()).ends(0, "");
    };
    openssl("dsaparam -out dsa.param 2048");
    openssl("genpkey -paramfile dsa.param -out other.key");
    for (made, name) in [
        ("", "the signer's key is DSA"),
        ("EC -pkeyopt ec_paramgen_curve:secp224r1", "the signer's key is EC on the curve P-224"),
        (
            "EC -pkeyopt ec_paramgen_curve:prime256v1 -pkeyopt ec_param_enc:explicit",
            "the signer's key is EC with explicit curve parameters",
        ),
    ] {
        if !made.is_empty() {
            openssl(&format!("genpkey -algorithm {made} -out other.key"));
        }
        openssl("req -x509 -key other.key -subj /CN=other -out other.pem");
        openssl(
            "cms -sign -binary -in doc.bin -signer other.pem -inkey other.key -outform DER -out s.p7s",
        );
        let run = bench.ades(&["verify", "--integrity", "s.p7s", "--original", "doc.bin"]);
        assert!(run.ends(6, "").out.contains(name), "{run:?}");
    }
}
