//! Connections that fail: servers that are not trusted, and proxies. The servers
//! are local, with certificates that the test makes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ades_core::signer::{SignerError, SignerErrorKind};
use ades_core::{Fault, Retry};
use base64ct::{Base64, Encoding};
use itsme_sandbox::Sandbox;
use itsme_signer::config::{ClientIdentity, Proxy, Settings};
use itsme_signer::transport::{ServerProblem, TransportError};
use itsme_signer::{Config, ItsmeSigner};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Without an own client certificate, which no server here asks for.
fn settings(base_url: &str, ca: Option<String>) -> Settings {
    let mut settings =
        Settings::new(base_url, "SANDBOX", "SANDBOX_SIGN", "https://sign.example.org/return");
    settings.allowed_hosts = vec!["front.example".to_owned()];
    settings.server_ca_pem = ca;
    settings
}

async fn error(settings: Settings) -> SignerError {
    let signer = ItsmeSigner::new(Config::new(settings).unwrap()).unwrap();
    signer.discovery().await.unwrap_err()
}

#[track_caller]
fn transport_error(error: &SignerError) -> &TransportError {
    std::error::Error::source(error).unwrap().downcast_ref().unwrap()
}

/// A CA that issues a certificate for `host`, valid in these years.
fn certificate(host: &str, years: (i32, i32)) -> (String, rustls::ServerConfig) {
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_pem = ca.self_signed(&ca_key).unwrap().pem();
    let issuer = Issuer::new(ca, ca_key);
    let key = KeyPair::generate().unwrap();
    let mut leaf = CertificateParams::new(vec![host.to_owned()]).unwrap();
    leaf.not_before = rcgen::date_time_ymd(years.0, 1, 1);
    leaf.not_after = rcgen::date_time_ymd(years.1, 1, 1);
    let leaf = leaf.signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .unwrap();
    (ca_pem, config)
}

/// A TLS server on a free port of 127.0.0.1 that answers nothing.
async fn tls_server(config: rustls::ServerConfig) -> u16 {
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move { acceptor.accept(stream).await.map(drop) });
        }
    });
    port
}

#[tokio::test]
async fn case_69_a_server_that_is_not_trusted_is_recognised() {
    let (other_ca, _) = certificate("127.0.0.1", (2020, 2200));
    for (host, years, foreign, expected) in [
        ("127.0.0.1", (2020, 2200), true, ServerProblem::UnknownIssuer),
        ("127.0.0.1", (2020, 2021), false, ServerProblem::Expired),
        ("127.0.0.1", (2199, 2200), false, ServerProblem::NotYetValid),
        ("another.example", (2020, 2200), false, ServerProblem::OtherHost),
    ] {
        let (ca, config) = certificate(host, years);
        let port = tls_server(config).await;
        let ca = if foreign { other_ca.clone() } else { ca };
        let error = error(settings(&format!("https://127.0.0.1:{port}"), Some(ca))).await;
        assert_eq!(error.kind(), &SignerErrorKind::Configuration, "{error:?}");
        assert_eq!((error.fault(), error.retry()), (Fault::Configuration, Retry::Never));
        match transport_error(&error) {
            TransportError::UntrustedServer { host, problem, .. } => {
                assert_eq!((host.as_str(), *problem), ("127.0.0.1", expected));
            }
            other => panic!("{expected:?}: {other:?}"),
        }
    }
    // Without `server.ca`, the trust anchors of the system do not include its CA.
    let (_, config) = certificate("127.0.0.1", (2020, 2200));
    let port = tls_server(config).await;
    let error = error(settings(&format!("https://127.0.0.1:{port}"), None)).await;
    assert_eq!(error.kind(), &SignerErrorKind::Configuration, "{error:?}");
}

#[tokio::test]
async fn case_69_a_server_without_tls_is_recognised() {
    let port = answering("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await.0;
    let error = error(settings(&format!("https://127.0.0.1:{port}"), None)).await;
    let problem = transport_error(&error);
    let is_no_tls =
        matches!(problem, TransportError::UntrustedServer { problem: ServerProblem::NoTls, .. });
    assert!(is_no_tls, "{problem:?}");
    assert_eq!(error.retry(), Retry::Never);
}

/// Nobody listens: this can pass.
#[tokio::test]
async fn a_server_that_cannot_be_reached_may_be_tried_later() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let direct = settings(&format!("https://127.0.0.1:{port}"), None);
    let mut proxied = settings("https://back.example", None);
    proxied.proxy = Some(Proxy::new(format!("http://127.0.0.1:{port}")));
    for (settings, named) in [(direct, None), (proxied, Some(format!("http://127.0.0.1:{port}")))] {
        let error = error(settings).await;
        assert_eq!((error.kind(), error.retry()), (&SignerErrorKind::Unavailable, Retry::Later));
        let TransportError::NotSent(cause) = transport_error(&error) else { panic!("{error:?}") };
        if let Some(named) = named {
            assert!(cause.to_string().contains(&named), "{cause}");
        }
    }
}

/// A server that answers every connection with the same octets. Returns its port and
/// its number of connections.
async fn answering(answer: &'static str) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    (port, count)
}

/// A proxy that asks for `sesame` as the password of `me`, and connects.
async fn proxy() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let wanted = format!("Basic {}", Base64::encode_string(b"me:sesame"));
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let wanted = wanted.clone();
            tokio::spawn(async move {
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    request.push(client.read_u8().await.unwrap());
                }
                let request = String::from_utf8(request).unwrap();
                let target = request.strip_prefix("CONNECT ").unwrap().split(' ').next().unwrap();
                let given = request.lines().find_map(|line| {
                    let (name, value) = line.split_once(": ")?;
                    name.eq_ignore_ascii_case("proxy-authorization").then_some(value)
                });
                if given != Some(&wanted) {
                    let no = b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n";
                    client.write_all(no).await.unwrap();
                    return;
                }
                let mut server = TcpStream::connect(target).await.unwrap();
                client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    port
}

#[tokio::test]
async fn case_69_a_proxy_that_refuses_is_recognised() {
    for answer in [
        "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 502 Bad Gateway\r\n\r\n",
    ] {
        let (port, count) = answering(answer).await;
        let mut settings = settings("https://back.example", None);
        settings.proxy = Some(Proxy::new(format!("http://127.0.0.1:{port}")));
        let error = error(settings).await;
        assert_eq!(error.kind(), &SignerErrorKind::Configuration, "{error:?}");
        match transport_error(&error) {
            TransportError::ProxyRefused { proxy, host, .. } => {
                assert_eq!(*proxy, format!("http://127.0.0.1:{port}"));
                assert_eq!(host, "back.example");
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(count.load(Ordering::Relaxed), 1);
    }
}

/// TLS with the client certificate passes through the proxy.
#[tokio::test]
async fn requests_go_through_the_proxy() {
    let sandbox = Sandbox::start(itsme_sandbox::Config::default()).await.unwrap();
    let port = proxy().await;
    let with = |proxy: Proxy| {
        let mut settings = settings(sandbox.base_url(), Some(sandbox.server_ca_pem().to_owned()));
        settings.client = Some(ClientIdentity::from_pem(sandbox.client_identity_pem()).unwrap());
        settings.proxy = Some(proxy);
        settings
    };
    let proxy = || Proxy::new(format!("http://127.0.0.1:{port}"));
    let signer = ItsmeSigner::new(Config::new(with(proxy().credentials("me", "sesame"))).unwrap());
    assert!(!signer.unwrap().discovery().await.unwrap().policies.is_empty());

    let refused = error(with(proxy().credentials("me", "wrong"))).await;
    assert!(
        matches!(transport_error(&refused), TransportError::ProxyRefused { .. }),
        "{refused:?}"
    );
    assert!(!format!("{refused:?}").contains("wrong"));

    // A server that is not trusted is recognised through the proxy, too.
    let mut settings = with(proxy().credentials("me", "sesame"));
    settings.server_ca_pem = Some(certificate("127.0.0.1", (2020, 2200)).0);
    let untrusted = error(settings).await;
    assert!(
        matches!(transport_error(&untrusted), TransportError::UntrustedServer { .. }),
        "{untrusted:?}"
    );
    sandbox.shutdown().await;
}

/// Credentials for the proxy come from an environment variable that cargo sets.
#[test]
fn the_password_of_the_proxy_is_in_the_environment() {
    let text = "base_url = \"https://back.example\"\npartner_code = \"P\"\nservice_code = \"S\"\n\
                redirect_url = \"https://sign.example.org/return\"\n\
                front.allowed_hosts = [\"front.example\"]\n[proxy]\n\
                url = \"http://proxy.example:3128\"\nuser = \"me\"\n\
                password_env = \"CARGO_PKG_NAME\"\n";
    let config = Config::from_toml(text, Path::new(".")).unwrap();
    let proxy = config.settings().proxy.as_ref().unwrap();
    assert_eq!(proxy.user_and_password(), Some(("me", env!("CARGO_PKG_NAME"))));
    assert!(!format!("{proxy:?}").contains(env!("CARGO_PKG_NAME")));
}
