//! One request and its answer.

use std::error::Error as StdError;
use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::header::{ACCEPT, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use reqwest::{Client, Method, Response, StatusCode};
use url::Url;

use crate::addresses::{NotPublic, Resolver, check_literal};
use crate::busy::{BusyHosts, retry_after};
use crate::error::FetchError;
use crate::policy::{Hosts, Limits, Policy};
use crate::sink::Sink;

/// The time before a request is repeated.
const PAUSE_BEFORE_REPEAT: Duration = Duration::from_millis(250);

/// Fetches evidence over HTTP, within a [`Policy`]. Clones of it share connections, and what is
/// known about busy hosts.
#[derive(Clone)]
pub struct Fetcher {
    client: Client,
    hosts: Arc<Hosts>,
    limits: Limits,
    busy: Arc<BusyHosts>,
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetcher")
            .field("hosts", &self.hosts)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exchange<'a> {
    /// A CRL or a certificate.
    Get,
    /// An OCSP response (RFC 6960, appendix A).
    Ocsp {
        /// DER of `OCSPRequest`
        request: &'a [u8],
    },
    /// A time-stamp (RFC 3161, 3.4). It is never repeated: some services count requests.
    TimeStamp {
        /// DER of `TimeStampReq`
        request: &'a [u8],
    },
}

impl Exchange<'_> {
    const fn method(self) -> Method {
        match self {
            Self::Get => Method::GET,
            Self::Ocsp { .. } | Self::TimeStamp { .. } => Method::POST,
        }
    }

    const fn is_repeatable(self) -> bool {
        !matches!(self, Self::TimeStamp { .. })
    }

    /// Whether a redirect with this status keeps the method and the body (RFC 9110, 15.4).
    const fn follows(self, status: StatusCode) -> bool {
        match status.as_u16() {
            301..=303 => matches!(self, Self::Get),
            307 | 308 => true,
            _ => false,
        }
    }
}

impl Fetcher {
    /// A fetcher with its own connections.
    ///
    /// # Errors
    /// [`FetchError::Proxy`], [`FetchError::Client`]
    pub fn new(policy: &Policy) -> Result<Self, FetchError> {
        let hosts = Arc::new(policy.hosts.clone());
        // The environment's proxies are ignored: the policy alone decides on the way.
        let mut builder = Client::builder()
            .no_proxy()
            .referer(false)
            .redirect(reqwest::redirect::Policy::none())
            .dns_resolver(Arc::new(Resolver { hosts: Arc::clone(&hosts) }))
            .connect_timeout(policy.limits.connect)
            .timeout(policy.limits.answer);
        if let Some(url) = &policy.proxy {
            let proxy = reqwest::Proxy::all(url)
                .map_err(|source| FetchError::Proxy { url: url.clone(), source })?;
            builder = builder.proxy(proxy);
        }
        let client = builder.build().map_err(FetchError::Client)?;
        Ok(Self { client, hosts, limits: policy.limits, busy: Arc::default() })
    }

    /// Fetches what an address has, for example an issuer's certificate.
    ///
    /// # Errors
    /// [`FetchError`]
    pub async fn get(&self, url: &str) -> Result<Vec<u8>, FetchError> {
        self.fetch(url, Exchange::Get).await
    }

    /// Fetches what an address has into a file, whose content it replaces: a CRL can be too long
    /// to be held.
    ///
    /// # Errors
    /// [`FetchError`]. The file then has any content.
    pub async fn get_into(&self, url: &str, file: &mut File) -> Result<(), FetchError> {
        let mut sink = Sink::File { file, len: 0 };
        self.fetch_into(url, Exchange::Get, &mut sink).await
    }

    /// Fetches the answer to a request. It has at least one octet.
    ///
    /// # Errors
    /// [`FetchError`]
    pub async fn fetch(&self, url: &str, exchange: Exchange<'_>) -> Result<Vec<u8>, FetchError> {
        let mut sink = Sink::Held(Vec::new());
        self.fetch_into(url, exchange, &mut sink).await?;
        match sink {
            Sink::Held(octets) => Ok(octets),
            Sink::File { .. } => Ok(Vec::new()),
        }
    }

    async fn fetch_into(
        &self,
        url: &str,
        exchange: Exchange<'_>,
        sink: &mut Sink<'_>,
    ) -> Result<(), FetchError> {
        let tries = if exchange.is_repeatable() { self.limits.tries.max(1) } else { 1 };
        let mut made = 1;
        loop {
            match self.follow(url, exchange, sink).await {
                Err(error) if made < tries && is_worth_repeating(&error) => {
                    tokio::time::sleep(PAUSE_BEFORE_REPEAT * made).await;
                    made += 1;
                }
                answer => return answer,
            }
        }
    }

    /// Sends the request, and follows redirects.
    async fn follow(
        &self,
        given: &str,
        exchange: Exchange<'_>,
        sink: &mut Sink<'_>,
    ) -> Result<(), FetchError> {
        let unsupported = || FetchError::Unsupported { url: given.to_owned() };
        let mut url = Url::parse(given).map_err(|_| unsupported())?;
        for _ in 0..=self.limits.redirects {
            let (true, Some(host)) = (matches!(url.scheme(), "http" | "https"), url.host()) else {
                return Err(unsupported());
            };
            check_literal(&self.hosts, &host).map_err(|NotPublic { address }| {
                FetchError::NotPublic { url: given.to_owned(), address }
            })?;
            let answer = self.send(given, &url, exchange).await?;
            let status = answer.status();
            if status == StatusCode::OK {
                return self.read(given, answer, sink).await;
            }
            let location = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            let next = location.filter(|_| exchange.follows(status)).map(|to| url.join(to));
            url = match next {
                Some(next) => next.map_err(|_| unsupported())?,
                None => {
                    let (url, status) = (given.to_owned(), status.as_u16());
                    return Err(FetchError::Status { url, status });
                }
            };
        }
        Err(FetchError::Redirects { url: given.to_owned(), max: self.limits.redirects })
    }

    async fn send(
        &self,
        given: &str,
        url: &Url,
        exchange: Exchange<'_>,
    ) -> Result<Response, FetchError> {
        let host = format!(
            "{}:{}",
            url.host_str().unwrap_or_default(),
            url.port_or_known_default().unwrap_or_default()
        );
        if let Some(after) = self.busy.remaining(&host, Instant::now()) {
            return Err(FetchError::Busy { url: given.to_owned(), after });
        }
        let mut request = self.client.request(exchange.method(), url.clone());
        request = match exchange {
            Exchange::Get => request,
            Exchange::Ocsp { request: der } => request
                .header(CONTENT_TYPE, "application/ocsp-request")
                .header(ACCEPT, "application/ocsp-response")
                .body(der.to_vec()),
            Exchange::TimeStamp { request: der } => request
                .header(CONTENT_TYPE, "application/timestamp-query")
                .header(ACCEPT, "application/timestamp-reply")
                .body(der.to_vec()),
        };
        let answer = request.send().await.map_err(|error| failure(given, error))?;
        if matches!(answer.status().as_u16(), 429 | 503) {
            let asked = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
            let after = self.busy.pause(&host, retry_after(asked), Instant::now());
            return Err(FetchError::Busy { url: given.to_owned(), after });
        }
        Ok(answer)
    }

    async fn read(
        &self,
        given: &str,
        mut answer: Response,
        sink: &mut Sink<'_>,
    ) -> Result<(), FetchError> {
        let max = sink.limit(&self.limits);
        let too_long = || FetchError::TooLong { url: given.to_owned(), max };
        let not_stored = |source| FetchError::NotStored { url: given.to_owned(), source };
        if answer.content_length().is_some_and(|length| length > max) {
            return Err(too_long());
        }
        sink.restart().map_err(not_stored)?;
        while let Some(piece) = answer.chunk().await.map_err(|error| failure(given, error))? {
            if sink.len() + piece.len() as u64 > max {
                return Err(too_long());
            }
            sink.add(&piece).map_err(not_stored)?;
        }
        if sink.len() == 0 {
            let source = "the answer has no content".into();
            return Err(FetchError::Unreachable { url: given.to_owned(), source });
        }
        Ok(())
    }
}

/// Whether a repetition at once can help: not for a host that is busy.
const fn is_worth_repeating(error: &FetchError) -> bool {
    error.is_temporary() && !matches!(error, FetchError::Busy { .. })
}

fn failure(url: &str, error: reqwest::Error) -> FetchError {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    for cause in causes {
        if let Some(NotPublic { address }) = cause.downcast_ref() {
            return FetchError::NotPublic { url: url.to_owned(), address: *address };
        }
    }
    let url = url.to_owned();
    if error.is_timeout() {
        return FetchError::Timeout { url };
    }
    FetchError::Unreachable { url, source: error.without_url().into() }
}
