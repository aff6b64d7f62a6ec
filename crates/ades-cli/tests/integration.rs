//! `ades sandbox` for other applications: their codes, redirect URL, contract and network.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod common;

use std::process::{Command, Stdio};

use common::json;
use common::service::{ITSME, Sandbox, bench};
use serde_json::Value;

#[test]
fn codes_redirect_urls_and_contract_are_configurable() {
    let bench = bench();
    let theirs = [
        ["--redirect-url", "http://localhost:8000/callback"],
        ["--redirect-url", "https://app.example/callback"],
        ["--partner-code", "ACME"],
        ["--service-code", "ACME_SIGN"],
    ];
    let flags = ["--auto-approve", "--no-mutual-tls", "--no-batch"];
    let sandbox = Sandbox::start(&bench, &[&theirs.concat()[..], &flags].concat());
    let config = String::from_utf8(bench.read("sb/itsme.toml")).unwrap();
    for line in [
        "partner_code = \"ACME\"",
        "service_code = \"ACME_SIGN\"",
        "redirect_url = \"http://localhost:8000/callback\"",
        "batch = 1",
    ] {
        assert!(config.lines().any(|found| found == line), "{line} is not in\n{config}");
    }
    assert!(!config.contains("[client]"), "{config}");

    // Another client, without a certificate of its own.
    let base = sandbox.addresses["base_url"].as_str().unwrap();
    let identify = |redirect_url: &str, partner: &str| -> Value {
        let body = serde_json::json!({
            "partnerCode": partner, "serviceCode": "ACME_SIGN", "redirectUrl": redirect_url,
            "lang": "NL",
        });
        json(&post(&bench.path("sb/server-ca.pem"), base, "/user_identification", &body))
    };
    for url in [
        "http://localhost:8000/callback",
        "http://localhost:9/callback",
        "https://app.example/callback",
    ] {
        assert_eq!(identify(url, "ACME")["status"], "OK", "{url}");
    }
    let other = identify("http://127.0.0.1:8000/itsme/return", "ACME");
    assert_eq!(other["statusReason"], "UNAUTHORIZED_URL");
    let stranger = identify("https://app.example/callback", "SANDBOX");
    assert_eq!(stranger["statusReason"], "INVALID_REQUESTOR");

    // Our client.
    sandbox.control("/sandbox/reset", &serde_json::json!({}));
    let both = ["sign", "one.txt", "two.txt", "--out-dir", "out"];
    bench.ades(&[&both[..], ITSME].concat()).ends(0, "2 batches of up to 1");
    assert_eq!(sandbox.sessions("signature").len(), 2);
    bench.openssl_accepts("out/two.txt.p7s", Some("two.txt"), "sb/root.pem");
}

/// One request over TLS by openssl s_client, which checks the host's name.
fn post(ca: &std::path::Path, base: &str, path: &str, body: &Value) -> String {
    use std::io::Write;

    let authority = base.strip_prefix("https://").unwrap();
    let (host, _) = authority.rsplit_once(':').unwrap();
    let mut command = Command::new("openssl");
    command.args(["s_client", "-quiet", "-verify_quiet", "-verify_return_error", "-connect"]);
    command.args([authority, "-CAfile"]).arg(ca);
    let flag =
        if host.parse::<std::net::IpAddr>().is_ok() { "-verify_ip" } else { "-verify_hostname" };
    command.args([flag, host]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let body = body.to_string();
    write!(
        child.stdin.as_mut().unwrap(),
        "POST {path} HTTP/1.1\r\nHost: {authority}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (_, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| {
        panic!("{text} {}", String::from_utf8_lossy(&output.stderr));
    });
    body.to_owned()
}

#[test]
fn public_host_is_in_its_addresses_and_certificate() {
    let bench = bench();
    let everywhere = ["--auto-approve", "--listen", "0.0.0.0:0", "--no-mutual-tls"];
    let sign = |container: &str| {
        bench.ades(&[&["sign", "one.txt", "-o", container], ITSME].concat()).ends(0, "");
    };
    let base = |sandbox: &Sandbox| sandbox.addresses["base_url"].as_str().unwrap().to_owned();
    let body = serde_json::json!({});

    // Nothing can connect to 0.0.0.0.
    let sandbox = Sandbox::start(&bench, &everywhere);
    assert!(base(&sandbox).starts_with("https://127.0.0.1:"), "{}", base(&sandbox));
    sign("1.p7s");
    drop(sandbox);
    let named = [&everywhere[..], &["--public-host", "localhost"]].concat();
    let sandbox = Sandbox::start(&bench, &named);
    assert!(base(&sandbox).starts_with("https://localhost:"));
    assert!(sandbox.addresses["front_url"].as_str().unwrap().starts_with("http://localhost:"));
    sign("2.p7s");
    let answer = post(&bench.path("sb/server-ca.pem"), &base(&sandbox), "/sign_document", &body);
    assert!(answer.contains("result"), "{answer}");
    // Another name in the next run, with the same PKI: the certificate has it, too.
    drop(sandbox);
    let named = [&everywhere[..], &["--public-host", "sandbox.example"]].concat();
    let sandbox = Sandbox::start(&bench, &named);
    let port = base(&sandbox).strip_prefix("https://sandbox.example:").unwrap().to_owned();
    let check = bench.openssl(&[
        "s_client",
        "-connect",
        &format!("127.0.0.1:{port}"),
        "-CAfile",
        "sb/server-ca.pem",
        "-verify_hostname",
        "sandbox.example",
        "-verify_return_error",
        "-brief",
    ]);
    check.ends(0, "Verification: OK");
}

#[test]
fn sandbox_that_cannot_start_reports_why() {
    let bench = bench();
    let run = |arguments: &[&str]| bench.ades(&[&["sandbox", "--dir", "sb"], arguments].concat());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    run(&["--listen", &address]).ends(5, &address).ends(5, "try again later");
    run(&["--front-listen", &address]).ends(5, "try again later");
    run(&["--listen", "192.0.2.1:1"]).ends(2, "192.0.2.1:1");
    run(&["--redirect-url", "http://app.example/callback"]).ends(2, "redirect_urls");
    run(&["--partner-code", "ELEVENCHARS"]).ends(2, "partner_code");
    run(&["--service-code", ""]).ends(2, "service_code");
    run(&["--public-host", "no host"]).ends(2, "public_host");
    std::fs::create_dir_all(bench.path("sb/private")).unwrap();
    bench.write("sb/private/ca-root.pem", "something else");
    run(&[]).ends(3, "ca-root.pem");
    bench.write("file", "");
    bench.ades(&["sandbox", "--dir", "file/sb"]).ends(7, "file/sb");
}

#[cfg(unix)]
#[test]
fn sandbox_ends_in_order_on_a_signal() {
    use std::io::{BufRead, BufReader};

    let bench = bench();
    for signal in ["INT", "TERM"] {
        let mut command = bench.command(&["sandbox", "--dir", "sb"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut String::new()).unwrap();
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(0), "{signal}");
    }
}
