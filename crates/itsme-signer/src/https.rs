//! A [`Transport`] over reqwest and rustls.

use std::time::Duration;

use ades_core::signer::BoxFuture;
use http::{Request, Response};

use crate::config::Config;
use crate::error::Error;
use crate::transport::{MAX_ANSWER, Transport, TransportError};

/// HTTPS over reqwest and rustls.
pub(crate) struct Https(reqwest::Client);

impl Https {
    pub(crate) fn new(config: &Config) -> Result<Self, Error> {
        let config = config.settings();
        let mut builder = reqwest::Client::builder()
            .https_only(true)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(config.limits.connect())
            .timeout(config.limits.answer());
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
        builder.build().map(Self).map_err(|e| Error::config("client", root_cause(&e)))
    }
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
            let mut answer = self.0.execute(request).await.map_err(classify)?;
            let mut body = Vec::new();
            while let Some(piece) =
                answer.chunk().await.map_err(|e| without_url(e, TransportError::Unknown))?
            {
                if body.len() + piece.len() > MAX_ANSWER {
                    return Err(TransportError::TooLong);
                }
                body.extend_from_slice(&piece);
            }
            let mut response = Response::new(body);
            *response.status_mut() = answer.status();
            Ok(response)
        })
    }

    fn pause(&self, duration: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

fn classify(error: reqwest::Error) -> TransportError {
    if refused_by_tls(&error) {
        without_url(error, TransportError::NotAuthorised)
    } else if error.is_connect() || error.is_builder() {
        without_url(error, TransportError::NotSent)
    } else {
        without_url(error, TransportError::Unknown)
    }
}

/// Whether the server ended the TLS handshake because of our certificate. In
/// TLS 1.3 the client may write its first request before the server has checked
/// the certificate, so the alert is not always a connect error.
fn refused_by_tls(error: &reqwest::Error) -> bool {
    use rustls::{AlertDescription as Alert, Error as Tls};

    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = source {
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let tls = error
            .downcast_ref::<Tls>()
            .or_else(|| inner.and_then(|inner| inner.downcast_ref::<Tls>()));
        if let Some(Tls::AlertReceived(alert)) = tls {
            return matches!(
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
            );
        }
        source = error.source();
    }
    false
}

fn without_url(
    error: reqwest::Error,
    kind: fn(Box<dyn std::error::Error + Send + Sync>) -> TransportError,
) -> TransportError {
    kind(error.without_url().into())
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

fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
