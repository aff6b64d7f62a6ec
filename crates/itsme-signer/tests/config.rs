//! `itsme.toml`: the documented example, errors with key and line, and each form
//! of the client certificate with a server that requires one.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use std::path::Path;
use std::process::Command;

use ades_core::signer::{Language, SignerErrorKind};
use ades_core::{Fault, Retry};
use ades_tests::pki::{Key, Pki};
use itsme_sandbox::Sandbox;
use itsme_signer::config::{ClientIdentity, Profile, Settings};
use itsme_signer::{Config, Error, ItsmeSigner};
use tempfile::TempDir;

const EXAMPLE: &str = include_str!("../itsme.example.toml");

const MINIMAL: &str = r#"base_url = "https://back.example/"
partner_code = "DEMOPARTNR"
service_code = "DEMO_SIGN"
redirect_url = "https://sign.example.org/itsme/return"
front.allowed_hosts = ["front.example"]
"#;

/// An environment variable that cargo sets. A test cannot set one itself without
/// `unsafe`.
const PASSWORD_VARIABLE: &str = "CARGO_PKG_NAME";
const PASSWORD: &str = env!("CARGO_PKG_NAME");

fn read(text: &str) -> Result<Config, Error> {
    Config::from_toml(text, Path::new("."))
}

fn minimal(more: &str) -> Result<Config, Error> {
    read(&format!("{MINIMAL}{more}"))
}

/// A certificate with its issuers and its key.
fn client_pem() -> String {
    let signer = Pki::shared().signer(Key::P256);
    format!("{}{}", signer.chain_pem(), signer.key_pem)
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let dir = TempDir::new().unwrap();
    for (name, content) in files {
        std::fs::write(dir.path().join(name), content).unwrap();
    }
    dir
}

// The example

#[test]
fn the_example_loads_with_its_values() {
    let (client, root) = (client_pem(), Pki::shared().root_pem());
    let dir = folder(&[("itsme.toml", EXAMPLE), ("client.pem", &client), ("server-ca.pem", &root)]);
    let config = Config::load(dir.path().join("itsme.toml")).unwrap();
    let config = config.settings();
    assert_eq!(config.base_url, "https://itsme-back-end.example");
    assert_eq!(config.partner_code, "DEMOPARTNR");
    assert_eq!(config.service_code, "DEMO_SIGN");
    assert_eq!(config.redirect_url, "https://sign.example.org/itsme/return");
    assert_eq!(config.language, Language::Nl);
    assert_eq!(config.profile, Profile::Test);
    assert!(!config.allow_loopback_http);
    assert_eq!(config.allowed_hosts, ["itsme-front-end.example"]);
    assert!(config.client.is_some());
    assert_eq!(config.server_ca_pem.as_ref(), Some(&root));
    assert_eq!(config.policy.reference.as_deref(), Some("1.3.6.1.4.1.49274.1.1.7.2.0"));
    assert_eq!(config.policy.commitment.as_deref(), Some("1.2.840.113549.1.9.16.6.5"));
}

/// This includes the keys that are commented out.
#[test]
fn every_key_of_the_example_is_read() {
    let separate =
        EXAMPLE.replace("# key = ", "key = ").replace("# x_partner_code", "x_partner_code");
    let separate = separate
        .replace("# status_failures = ", "status_failures = ")
        .replace("# url = ", "url = ")
        .replace("# user = ", "user = ");
    let signer = Pki::shared().signer(Key::P256);
    let dir = folder(&[
        ("client.pem", &signer.chain_pem()),
        ("client.key", &signer.key_pem),
        ("server-ca.pem", &Pki::shared().root_pem()),
    ]);
    let config = Config::from_toml(&separate, dir.path()).unwrap();
    let settings = config.settings();
    assert!(settings.client.is_some());
    assert_eq!(settings.limits.status_failures, Some(5));
    let proxy = settings.proxy.as_ref().unwrap();
    assert_eq!(proxy.url(), "http://proxy.example:3128");
    assert_eq!(proxy.user_and_password(), Some(("signer", "")));

    let pkcs12 = EXAMPLE
        .replace("certificate = \"client.pem\"\n", "")
        .replace("# pkcs12 = ", "pkcs12 = ")
        .replace("# password_env = ", "password_env = ");
    // The keys are known. The error is about the missing environment variable.
    let error = Config::from_toml(&pkcs12, dir.path()).unwrap_err().to_string();
    assert!(error.contains("client.password_env"), "{error}");
}

#[test]
fn the_example_explains_every_key() {
    let mut before = "";
    for line in EXAMPLE.lines() {
        let key = line.split_once(" = ").map(|(key, _)| key);
        if key.is_some_and(|key| !key.contains(' ')) {
            assert!(before.starts_with("# "), "no comment explains {line:?}");
        }
        before = line;
    }
}

#[test]
fn the_example_states_the_defaults() {
    let config = minimal("").unwrap();
    let config = config.settings();
    let default = |key: &str| {
        let at = EXAMPLE.find(&format!("\n{key} = ")).unwrap();
        let comment = EXAMPLE[..at].lines().next_back().unwrap();
        let default = comment.split_once("Default: ").unwrap().1;
        default.strip_suffix('.').unwrap().trim_matches('"').to_owned()
    };
    let (limits, tolerance) = (&config.limits, &config.tolerance);
    for (key, actual) in [
        ("language", config.language.code().to_owned()),
        ("profile", format!("{:?}", config.profile).to_lowercase()),
        ("allow_loopback_http", config.allow_loopback_http.to_string()),
        ("allow_unchecked", config.policy.allow_unchecked.to_string()),
        ("batch", limits.batch.to_string()),
        ("description", limits.description.to_string()),
        ("connect_seconds", limits.connect_seconds.to_string()),
        ("answer_seconds", limits.answer_seconds.to_string()),
        ("session_seconds", limits.session_seconds.to_string()),
        ("url_safe_values", tolerance.url_safe_values.to_string()),
        ("reordered_values", tolerance.reordered_values.to_string()),
        ("transliterate", tolerance.transliterate.to_string()),
        ("url_safe_digests", config.request.url_safe_digests.to_string()),
    ] {
        assert_eq!(default(key), actual, "{key}");
    }
    assert!(config.client.is_none() && config.server_ca_pem.is_none() && config.proxy.is_none());
    assert!(limits.status_failures.is_none() && EXAMPLE.contains("Default: none, as long as"));
    assert!(config.request.x_partner_code.is_none());
    assert_eq!(config.base_url, "https://back.example", "the base URL has a trailing slash");
}

// Errors

#[test]
fn unacceptable_values_are_reported_with_key_and_line() {
    let long_url = format!("https://sign.example.org/{}", "x".repeat(231));
    let replaced = |from: &str, to: &str| MINIMAL.replace(from, to);
    let with = |more: &str| format!("{MINIMAL}{more}");
    for (text, line, key) in [
        (replaced("https://back.example/", "http://back.example"), 1, "base_url"),
        (replaced("https://back.example/", "https://back.example?x=1"), 1, "base_url"),
        (replaced("https://back.example/", "https://back.example#x"), 1, "base_url"),
        (replaced("https://back.example/", "back.example"), 1, "base_url"),
        (replaced("DEMOPARTNR", ""), 2, "partner_code"),
        (replaced("DEMOPARTNR", "ELEVENCHARS"), 2, "partner_code"),
        (replaced("DEMO_SIGN", ""), 3, "service_code"),
        (replaced("DEMO_SIGN", &"x".repeat(46)), 3, "service_code"),
        (replaced("https://sign", "http://sign"), 4, "redirect_url"),
        (replaced("https://sign", "https://user@sign"), 4, "redirect_url"),
        (replaced("itsme/return", "itsme/return#top"), 4, "redirect_url"),
        (replaced("https://sign.example.org/itsme/return", &long_url), 4, "redirect_url"),
        (replaced("https://back", "https://user:pw@back"), 1, "base_url"),
        // A loopback address needs allow_loopback_http.
        (replaced("https://sign.example.org", "http://127.0.0.1:8080"), 4, "redirect_url"),
        (replaced("\"front.example\"", ""), 5, "front.allowed_hosts"),
        (replaced("\"front.example\"", "\"f.example\", \"\""), 5, "front.allowed_hosts"),
        (replaced("front.example\"", "https://f.example/\""), 5, "front.allowed_hosts"),
        (replaced("front.example\"", "f.example:443\""), 5, "front.allowed_hosts"),
        (replaced("front.example\"", "*.f.example\""), 5, "front.allowed_hosts"),
        (with("language = \"ES\"\n"), 6, "language"),
        (with("[limits]\n\nbatch = 0\n"), 8, "limits.batch"),
        (with("[limits]\nbatch = 71\n"), 7, "limits.batch"),
        (with("[limits]\nbatch = 1\ndescription = 256\n"), 8, "limits.description"),
        (with("[limits]\nconnect_seconds = 0\n"), 7, "limits.connect_seconds"),
        (with("[limits]\nanswer_seconds = 0\n"), 7, "limits.answer_seconds"),
        (with("limits = { session_seconds = 0 }\n"), 6, "limits.session_seconds"),
        (with("[limits]\nsession_seconds = 86401\n"), 7, "limits.session_seconds"),
        (with("[policy]\nreference = \"\"\n"), 7, "policy.reference"),
        (with("[policy]\nreference = \"1.2\"\ncommitment = \" \"\n"), 8, "policy.commitment"),
        (with("[policy]\ncommitment = \"1.2.3\"\n"), 7, "policy.commitment"),
        (with("[request]\nx_partner_code = \"\"\n"), 7, "request.x_partner_code"),
        (with("[request]\nx_partner_code = \"a\\nb: c\"\n"), 7, "request.x_partner_code"),
        (with("[proxy]\nurl = \"https://proxy.example\"\n"), 7, "proxy.url"),
        (with("[proxy]\nurl = \"socks5://proxy.example\"\n"), 7, "proxy.url"),
        (with("[proxy]\nurl = \"proxy.example:3128\"\n"), 7, "proxy.url"),
        (with("[proxy]\nurl = \"http://me:pw@proxy.example\"\n"), 7, "proxy.url"),
        (with("[proxy]\nurl = \"http://proxy.example/path\"\n"), 7, "proxy.url"),
        (with("[proxy]\nuser = \"me\"\n"), 7, "proxy.user"),
        (with("[proxy]\npassword_env = \"NONE\"\n"), 7, "proxy.password_env"),
        (
            with("[proxy]\nurl = \"http://p.example\"\npassword_env = \"NONE\"\n"),
            8,
            "proxy.password_env",
        ),
        (
            with("[proxy]\nurl = \"http://p.example\"\nuser = \"a\"\npassword_env = \"NONE\"\n"),
            9,
            "proxy.password_env",
        ),
        (with("[proxy]\nurl = \"http://p.example\"\nuser = \"a:b\"\n"), 8, "proxy.user"),
        (with("[client]\nkey = \"client.key\"\n"), 7, "client.key"),
        (with("[client]\npassword_env = \"NONE\"\n"), 7, "client.password_env"),
        (with("client.certificate = \"a\"\nclient.pkcs12 = \"a\"\n"), 6, "client"),
    ] {
        let error = read(&text).unwrap_err();
        let expected = format!("itsme.toml, line {line}: {key}: ");
        assert!(error.to_string().starts_with(&expected), "{error}, not {expected}");
        assert!(matches!(&error, Error::Config { key: k, .. } if k == key));
        assert_eq!((error.fault(), error.retry()), (Fault::Configuration, Retry::Never));
    }
}

/// Without them, every page would be refused after its session was opened.
#[test]
fn allowed_hosts_are_required_except_for_the_sandbox() {
    let text = MINIMAL.replace("front.allowed_hosts = [\"front.example\"]\n", "");
    let error = read(&text).unwrap_err();
    assert!(error.to_string().starts_with("front.allowed_hosts: "), "{error}");
    let error = read(&format!("{text}[front]\n")).unwrap_err();
    assert!(error.to_string().starts_with("itsme.toml, line 5: front.allowed_hosts"), "{error}");
    read(&format!("{text}allow_loopback_http = true\n")).unwrap();
    // Hosts are compared in the form that URLs have.
    let hosts = read(&MINIMAL.replace("front.example\"", "Fränt.Example\"")).unwrap();
    assert_eq!(hosts.settings().allowed_hosts, ["xn--frnt-moa.example"]);
}

/// The checks are those of a file.
#[test]
fn settings_from_rust_are_checked() {
    let settings = || {
        let mut settings = Settings::new(
            "https://back.example/",
            "DEMOPARTNR",
            "DEMO_SIGN",
            "https://sign.example.org/itsme/return",
        );
        settings.allowed_hosts = vec!["front.example".to_owned()];
        settings
    };
    let config = Config::new(settings()).unwrap();
    assert_eq!(config.settings().base_url, "https://back.example");
    for (key, change) in [
        ("base_url", (|s| s.base_url.insert(0, 'x')) as fn(&mut Settings)),
        ("partner_code", |s| s.partner_code.clear()),
        ("front.allowed_hosts", |s| s.allowed_hosts.clear()),
        ("limits.answer_seconds", |s| s.limits.answer_seconds = 0),
        ("limits.batch", |s| s.limits.batch = 71),
        ("policy.reference", |s| s.policy.reference = Some(String::new())),
        ("server.ca", |s| s.server_ca_pem = Some("no PEM".to_owned())),
    ] {
        let mut settings = settings();
        change(&mut settings);
        let error = Config::new(settings).unwrap_err();
        assert!(error.to_string().starts_with(&format!("{key}: ")), "{error}");
    }
}

#[test]
fn unreadable_settings_are_reported_with_their_line() {
    let with = |more: &str| format!("{MINIMAL}{more}");
    for (text, line, named) in [
        (MINIMAL.replace("partner_code", "partner_kode"), 2, "partner_kode"),
        (with("[policy]\nreferense = \"1.2.3\"\n"), 7, "policy.referense: unknown"),
        (with("[tolerances]\n"), 6, "tolerances: unknown"),
        (with("profile = \"staging\"\n"), 6, "profile: unknown variant `staging`"),
        (with("[limits]\nconnect_seconds = -1\n"), 7, "limits.connect_seconds: "),
        (MINIMAL.replace("\"DEMO_SIGN\"", "DEMO_SIGN"), 3, "string"),
    ] {
        let error = read(&text).unwrap_err();
        let Error::Config { line: found, .. } = &error else { panic!("{error:?}") };
        assert_eq!(*found, Some(line), "{error}");
        assert!(error.to_string().contains(named), "{error}");
    }
}

#[test]
fn a_missing_key_is_reported() {
    for key in ["base_url", "partner_code", "service_code", "redirect_url"] {
        let text: String =
            MINIMAL.lines().filter(|l| !l.starts_with(key)).map(|l| format!("{l}\n")).collect();
        let error = read(&text).unwrap_err().to_string();
        assert!(error.contains(key), "{error}");
    }
}

#[test]
fn lines_are_counted_with_lf_and_crlf() {
    let text = MINIMAL.replace("DEMO_SIGN", "").replace('\n', "\r\n");
    let error = read(&text).unwrap_err().to_string();
    assert!(error.contains("line 3: service_code"), "{error}");
}

#[test]
fn http_on_loopback_needs_a_setting() {
    for host in ["127.0.0.1:8080", "localhost:8080", "[::1]:8080"] {
        let text = MINIMAL.replace("https://sign.example.org", &format!("http://{host}"));
        assert!(read(&text).is_err());
        assert!(read(&format!("{text}allow_loopback_http = true\n")).is_ok());
    }
    for host in ["sign.example.org", "10.0.0.1", "localhost.example.org", "127.0.0.1.example.org"] {
        let text = MINIMAL.replace("https://sign.example.org", &format!("http://{host}"));
        assert!(read(&format!("{text}allow_loopback_http = true\n")).is_err(), "{host}");
    }
    // The back end always needs TLS.
    let text = MINIMAL.replace("https://back.example/", "http://127.0.0.1");
    assert!(read(&format!("{text}allow_loopback_http = true\n")).is_err());
}

#[test]
fn missing_files_are_reported_by_their_key() {
    let dir = folder(&[("client.pem", &client_pem())]);
    for (more, named) in [
        ("[client]\ncertificate = \"none.pem\"\n", "client.certificate"),
        ("[client]\ncertificate = \"client.pem\"\nkey = \"none.key\"\n", "client.key"),
        ("[client]\npkcs12 = \"none.p12\"\n", "client.pkcs12"),
        ("[server]\nca = \"none.pem\"\n", "server.ca"),
    ] {
        let error = Config::from_toml(&format!("{MINIMAL}{more}"), dir.path()).unwrap_err();
        let line = Some(more.lines().count() + 5);
        let Error::ConfigFile { key, line: found, .. } = &error else { panic!("{error:?}") };
        assert_eq!((*key, *found), (named, line), "{error}");
        assert!(std::error::Error::source(&error).is_some());
    }
    assert!(matches!(Config::load(dir.path().join("none.toml")), Err(Error::ConfigFile { .. })));
}

#[test]
fn two_client_certificates_are_an_error() {
    let error =
        minimal("[client]\ncertificate = \"a.pem\"\npkcs12 = \"a.p12\"\n").unwrap_err().to_string();
    assert!(error.contains("line 6: client: has both"), "{error}");
}

// The client certificate

async fn sandbox() -> Sandbox {
    Sandbox::start(itsme_sandbox::Config::default()).await.unwrap()
}

/// A folder with the client certificate of the sandbox as PEM and PKCS#12.
fn identities(sandbox: &Sandbox) -> TempDir {
    let pem = sandbox.client_identity_pem();
    let (certificates, keys) = pem.split_at(pem.find("-----BEGIN PRIVATE KEY-----").unwrap());
    let dir = folder(&[
        ("server-ca.pem", sandbox.server_ca_pem()),
        ("client.pem", &pem),
        ("certificate.pem", certificates),
        ("key.pem", keys),
    ]);
    for (name, password) in [("client.p12", PASSWORD), ("open.p12", "")] {
        let made = Command::new("openssl")
            .current_dir(dir.path())
            .args(["pkcs12", "-export", "-in", "client.pem", "-out", name])
            .args(["-passout", &format!("pass:{password}")])
            .output()
            .expect("this test needs the openssl command");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
    dir
}

fn of_sandbox(sandbox: &Sandbox, dir: &Path, more: &str) -> Result<Config, Error> {
    let text = format!(
        "base_url = \"{}\"\npartner_code = \"SANDBOX\"\nservice_code = \"SANDBOX_SIGN\"\n\
         redirect_url = \"http://127.0.0.1/itsme/return\"\nallow_loopback_http = true\n{more}",
        sandbox.base_url(),
    );
    Config::from_toml(&text, dir)
}

#[tokio::test]
#[ignore = "asks OpenSSL"]
async fn the_server_accepts_each_form_of_the_client_certificate() {
    let sandbox = sandbox().await;
    let dir = identities(&sandbox);
    let password = format!("pkcs12 = \"client.p12\"\npassword_env = \"{PASSWORD_VARIABLE}\"");
    for client in [
        "certificate = \"client.pem\"",
        "certificate = \"certificate.pem\"\nkey = \"key.pem\"",
        "pkcs12 = \"open.p12\"",
        &password,
    ] {
        let more = format!("[server]\nca = \"server-ca.pem\"\n[client]\n{client}\n");
        let config = of_sandbox(&sandbox, dir.path(), &more).unwrap();
        let signer = ItsmeSigner::new(config).unwrap();
        let discovery = signer.discovery().await.unwrap();
        assert!(!discovery.policies.is_empty(), "{client}");
    }
    sandbox.shutdown().await;
}

/// Edge case 62 over a real connection.
#[tokio::test]
#[ignore = "asks OpenSSL"]
async fn without_a_client_certificate_the_client_is_not_authorised() {
    let sandbox = sandbox().await;
    let dir = identities(&sandbox);
    let config = of_sandbox(&sandbox, dir.path(), "[server]\nca = \"server-ca.pem\"\n").unwrap();
    let error = ItsmeSigner::new(config).unwrap().discovery().await.unwrap_err();
    assert_eq!(error.kind(), &SignerErrorKind::ClientNotAuthorised);
    assert_eq!(error.fault(), Fault::Configuration);
    sandbox.shutdown().await;
}

#[tokio::test]
#[ignore = "asks OpenSSL"]
async fn a_pkcs12_file_that_cannot_be_opened_is_reported_at_load() {
    let sandbox = sandbox().await;
    let dir = identities(&sandbox);
    std::fs::write(dir.path().join("broken.p12"), b"\x30\x03\x02\x01\x03").unwrap();
    for client in ["pkcs12 = \"client.p12\"", "pkcs12 = \"broken.p12\""] {
        let error = of_sandbox(&sandbox, dir.path(), &format!("[client]\n{client}\n")).unwrap_err();
        assert!(error.to_string().contains("client.pkcs12: cannot be opened"), "{error}");
    }
    let more = "[client]\npkcs12 = \"client.p12\"\npassword_env = \"ITSME_NO_SUCH_VARIABLE\"\n";
    let error = of_sandbox(&sandbox, dir.path(), more).unwrap_err();
    assert!(error.to_string().contains("client.password_env"), "{error}");

    // Certificates without a key.
    let made = Command::new("openssl")
        .current_dir(dir.path())
        .args(["pkcs12", "-export", "-nokeys", "-in", "client.pem", "-out", "no-key.p12"])
        .args(["-passout", "pass:"])
        .output()
        .unwrap();
    assert!(made.status.success());
    let file = std::fs::read(dir.path().join("no-key.p12")).unwrap();
    let error = ClientIdentity::from_pkcs12(&file, "").unwrap_err();
    assert!(error.to_string().contains("has no private key"), "{error}");
    sandbox.shutdown().await;
}

#[test]
fn a_malformed_certificate_or_key_is_reported_at_load() {
    let (own, other) = (Pki::shared().signer(Key::P256), Pki::shared().signer(Key::P384));
    let encrypted = own.key_pem.replace("PRIVATE", "ENCRYPTED PRIVATE");
    let broken = own.chain_pem().replace("-----END", "?-----END");
    let dir = folder(&[
        ("text.pem", "no PEM at all"),
        ("broken.pem", &broken),
        ("certificate.pem", &own.chain_pem()),
        ("client.pem", &client_pem()),
        ("own.key", &own.key_pem),
        ("other.key", &other.key_pem),
        ("encrypted.key", &encrypted),
    ]);
    for (more, line, key, problem) in [
        ("[client]\ncertificate = \"text.pem\"\n", 7, "client.certificate", "not PEM"),
        ("[client]\ncertificate = \"broken.pem\"\n", 7, "client.certificate", "not PEM"),
        (
            "[client]\ncertificate = \"certificate.pem\"\n",
            7,
            "client.certificate",
            "no PEM private",
        ),
        (
            "[client]\ncertificate = \"certificate.pem\"\nkey = \"text.pem\"\n",
            8,
            "client.key",
            "no PEM private",
        ),
        (
            "[client]\ncertificate = \"certificate.pem\"\nkey = \"other.key\"\n",
            8,
            "client.key",
            "another certificate",
        ),
        (
            "[client]\ncertificate = \"certificate.pem\"\nkey = \"encrypted.key\"\n",
            8,
            "client.key",
            "encrypted",
        ),
        (
            "[client]\ncertificate = \"client.pem\"\nkey = \"own.key\"\n",
            8,
            "client.key",
            "more than one",
        ),
        ("[server]\nca = \"text.pem\"\n", 7, "server.ca", "not PEM"),
        ("[server]\nca = \"broken.pem\"\n", 7, "server.ca", "not PEM"),
    ] {
        let error = Config::from_toml(&format!("{MINIMAL}{more}"), dir.path()).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with(&format!("itsme.toml, line {line}: {key}: ")), "{text}");
        assert!(text.contains(problem), "{text}");
    }
    // A bundle of trust anchors may have more certificates than a chain.
    let bundle = Pki::shared().root_pem().repeat(40);
    std::fs::write(dir.path().join("bundle.pem"), bundle).unwrap();
    let more = "[server]\nca = \"bundle.pem\"\n";
    Config::from_toml(&format!("{MINIMAL}{more}"), dir.path()).unwrap();
}

#[tokio::test]
#[ignore = "asks OpenSSL"]
async fn debug_output_contains_no_key() {
    let sandbox = sandbox().await;
    let dir = identities(&sandbox);
    let more = "[client]\ncertificate = \"client.pem\"\n";
    let config = of_sandbox(&sandbox, dir.path(), more).unwrap();
    let shown = format!("{config:?} {:?}", config.settings().client);
    assert!(shown.contains("ClientIdentity(..)") && !shown.contains("BEGIN"), "{shown}");
    sandbox.shutdown().await;
}

/// Other users of the machine can use a key that they can read.
#[cfg(unix)]
#[test]
fn a_readable_key_is_warned_about() {
    use std::os::unix::fs::PermissionsExt;

    let signer = Pki::shared().signer(Key::P256);
    let dir = folder(&[
        ("client.pem", &client_pem()),
        ("certificate.pem", &signer.chain_pem()),
        ("client.key", &signer.key_pem),
    ]);
    let with_mode = |name: &str, mode| {
        let path = dir.path().join(name);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let both = "[client]\ncertificate = \"certificate.pem\"\nkey = \"client.key\"\n";
    let one = "[client]\ncertificate = \"client.pem\"\n";
    with_mode("certificate.pem", 0o644);
    for (mode, risky) in [
        (0o600, false),
        (0o400, false),
        (0o640, true),
        (0o604, true),
        (0o644, true),
        (0o620, true),
        (0o660, true),
    ] {
        for (more, key, file) in
            [(one, "client.certificate", "client.pem"), (both, "client.key", "client.key")]
        {
            with_mode(file, mode);
            let config = Config::from_toml(&format!("{MINIMAL}{more}"), dir.path()).unwrap();
            let warnings: Vec<String> = config.warnings().iter().map(ToString::to_string).collect();
            assert_eq!(warnings.len(), usize::from(risky), "{key} {mode:o}: {warnings:?}");
            if let [warning] = warnings.as_slice() {
                assert!(warning.starts_with(&format!("{key}: ")), "{warning}");
                assert!(warning.contains(file) && warning.contains(&format!("{mode:04o}")));
            }
        }
    }
    assert!(minimal("").unwrap().warnings().is_empty());
}
