//! A [`Transport`] over reqwest and rustls.

use std::error::Error as StdError;
use std::time::Duration;

use ades_core::signer::BoxFuture;
use http::{Request, Response};
use rustls::{AlertDescription as Alert, CertificateError, Error as TlsError};

use crate::config::{Config, Proxy};
use crate::error::Error;
use crate::transport::{MAX_ANSWER, ServerProblem, Transport, TransportError};

/// HTTPS over reqwest and rustls.
pub(crate) struct Https {
    client: reqwest::Client,
    /// The host of the back end, for messages
    host: String,
    /// The URL of the proxy, for messages
    proxy: Option<String>,
}

impl Https {
    pub(crate) fn new(config: &Config) -> Result<Self, Error> {
        let config = config.settings();
        // `no_proxy` ignores the proxies of the environment. The client certificate
        // identifies a company, so that the configuration alone decides on its way.
        let mut builder = reqwest::Client::builder()
            .https_only(true)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(config.limits.connect())
            .timeout(config.limits.answer());
        if let Some(proxy) = &config.proxy {
            builder = builder.proxy(tunnel(proxy)?);
        }
        if let Some(client) = &config.client {
            let identity = reqwest::Identity::from_pem(client.pem().as_bytes())
                .map_err(|_| Error::config("client", "has no usable certificate and key"))?;
            builder = builder.identity(identity);
        }
        if let Some(ca) = &config.server_ca_pem {
            let roots = reqwest::Certificate::from_pem_bundle(ca.as_bytes())
                .ok()
                .filter(|roots| !roots.is_empty())
                .ok_or_else(|| Error::config("server.ca", "is not PEM certificates"))?;
            builder = builder.tls_certs_only(roots);
        }
        let client = builder.build().map_err(|e| Error::config("client", root_cause(&e)))?;
        let url = url::Url::parse(&config.base_url).ok();
        let host = url.and_then(|url| url.host_str().map(ToOwned::to_owned)).unwrap_or_default();
        let proxy = config.proxy.as_ref().map(|proxy| proxy.url().to_owned());
        Ok(Self { client, host, proxy })
    }

    /// Why a request has no answer. A server that is not trusted, a refused client
    /// certificate and a proxy that refuses have kinds of their own, because a
    /// later try does not help.
    fn classify(&self, error: reqwest::Error) -> TransportError {
        let problem = match tls_error(&error) {
            Some(TlsError::AlertReceived(alert)) if is_about_client(*alert) => {
                return TransportError::NotAuthorised(error.without_url().into());
            }
            Some(error) => server_problem(error),
            None => None,
        };
        let connecting = error.is_connect() || error.is_builder();
        match (problem, &self.proxy) {
            (Some(problem), _) => {
                let (host, source) = (self.host.clone(), error.without_url().into());
                TransportError::UntrustedServer { host, problem, source }
            }
            (None, Some(proxy)) if refused_by_proxy(&error) => {
                let (host, proxy) = (self.host.clone(), proxy.clone());
                TransportError::ProxyRefused { proxy, host, source: error.without_url().into() }
            }
            (None, Some(proxy)) if connecting => {
                let (proxy, source) = (proxy.clone(), error.without_url());
                TransportError::NotSent(ThroughProxy { proxy, source }.into())
            }
            (None, None) if connecting => TransportError::NotSent(error.without_url().into()),
            _ => TransportError::Unknown(error.without_url().into()),
        }
    }
}

/// A connection through the proxy that failed.
#[derive(Debug, thiserror::Error)]
#[error("the connection goes through the proxy {proxy}")]
struct ThroughProxy {
    proxy: String,
    source: reqwest::Error,
}

impl Transport for Https {
    fn send(
        &self,
        request: Request<Vec<u8>>,
    ) -> BoxFuture<'_, Result<Response<Vec<u8>>, TransportError>> {
        Box::pin(async move {
            let request = request
                .try_into()
                .map_err(|e: reqwest::Error| TransportError::NotSent(e.into()))?;
            let answer = self.client.execute(request).await;
            let mut answer = answer.map_err(|error| self.classify(error))?;
            let mut body = Vec::new();
            let broken =
                |error: reqwest::Error| TransportError::Unknown(error.without_url().into());
            while let Some(piece) = answer.chunk().await.map_err(broken)? {
                if body.len() + piece.len() > MAX_ANSWER {
                    return Err(TransportError::TooLong);
                }
                body.extend_from_slice(&piece);
            }
            let mut response = Response::new(body);
            *response.status_mut() = answer.status();
            *response.headers_mut() = std::mem::take(answer.headers_mut());
            Ok(response)
        })
    }

    fn pause(&self, duration: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

fn tunnel(proxy: &Proxy) -> Result<reqwest::Proxy, Error> {
    let tunnel = reqwest::Proxy::https(proxy.url())
        .map_err(|e| Error::config("proxy.url", root_cause(&e.without_url())))?;
    Ok(match proxy.user_and_password() {
        Some((user, password)) => tunnel.basic_auth(user, password),
        None => tunnel,
    })
}

/// The errors that led to an error, the error itself first. The source of an I/O
/// error is that of the error which it wraps, so the wrapped error is taken from it.
fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| {
        match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(wrapped) => Some(wrapped as &(dyn StdError + 'static)),
            None => error.source(),
        }
    })
}

/// The TLS error among the causes. In TLS 1.3 the client may write its first request
/// before the server has checked the client certificate, so it is not always a
/// connect error.
fn tls_error(error: &reqwest::Error) -> Option<&TlsError> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// Whether the server ended the TLS handshake because of our certificate.
const fn is_about_client(alert: Alert) -> bool {
    matches!(
        alert,
        Alert::AccessDenied
            | Alert::BadCertificate
            | Alert::CertificateExpired
            | Alert::CertificateRequired
            | Alert::CertificateRevoked
            | Alert::CertificateUnknown
            | Alert::HandshakeFailure
            | Alert::UnknownCA
            | Alert::UnsupportedCertificate
    )
}

/// Why the server is not trusted, if the error is about that.
fn server_problem(error: &TlsError) -> Option<ServerProblem> {
    Some(match error {
        TlsError::InvalidCertificate(problem) => match problem {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                ServerProblem::Expired
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                ServerProblem::NotYetValid
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                ServerProblem::OtherHost
            }
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                ServerProblem::UnknownIssuer
            }
            _ => ServerProblem::Certificate,
        },
        TlsError::NoCertificatesPresented => ServerProblem::Certificate,
        TlsError::AlertReceived(Alert::UnrecognisedName) => ServerProblem::OtherHost,
        TlsError::AlertReceived(Alert::ProtocolVersion)
        | TlsError::InvalidMessage(_)
        | TlsError::PeerIncompatible(_) => ServerProblem::NoTls,
        _ => return None,
    })
}

/// Whether the proxy was reached and did not connect to the server. reqwest hides
/// the type of this error. Unlike a failed connection, it has no I/O error as its
/// cause.
fn refused_by_proxy(error: &reqwest::Error) -> bool {
    error.is_connect()
        && !error.is_timeout()
        && !causes(error).any(|cause| cause.is::<std::io::Error>())
}

/// Whether the private key in a PEM text belongs to its first certificate.
pub(crate) fn key_fits(pem: &str) -> bool {
    use rustls::crypto::aws_lc_rs::default_provider;
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use rustls::sign::CertifiedKey;

    let certificates =
        CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>();
    match (certificates, PrivateKeyDer::from_pem_slice(pem.as_bytes())) {
        (Ok(certificates), Ok(key)) => {
            CertifiedKey::from_der(certificates, key, &default_provider()).is_ok()
        }
        _ => false,
    }
}

fn root_cause(error: &(dyn StdError + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}
