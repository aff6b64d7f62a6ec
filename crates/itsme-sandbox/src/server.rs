//! The running sandbox: two listeners over one world.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::serve::Listener;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::faults::Faults;
use crate::pki::Pki;
use crate::sessions::Sessions;
use crate::users::User;
use crate::{Config, SandboxError, back_end, control, front_end};

/// What both listeners share.
pub(crate) struct World {
    pub(crate) config: Config,
    pub(crate) pki: Pki,
    pub(crate) front_url: String,
    changing: Mutex<Changing>,
}

/// What changes.
#[derive(Debug)]
pub(crate) struct Changing {
    pub(crate) sessions: Sessions,
    pub(crate) faults: Faults,
    /// By how many seconds the sandbox's clock is ahead.
    pub(crate) ahead: u64,
    pub(crate) auto_user: Option<User>,
    /// The signature policies that were switched off, by reference.
    pub(crate) disabled: HashSet<String>,
}

impl World {
    pub(crate) fn changing(&self) -> MutexGuard<'_, Changing> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Changing {
    /// Seconds since 1970 on the sandbox's clock.
    pub(crate) fn now(&self) -> u64 {
        let real = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        real.as_secs().saturating_add(self.ahead)
    }

    /// As a sandbox starts.
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            sessions: Sessions::default(),
            faults: Faults::default(),
            ahead: 0,
            auto_user: config.auto_approve.then_some(config.auto_user),
            disabled: HashSet::new(),
        }
    }
}

/// A sandbox that runs until it is shut down or dropped.
pub struct Sandbox {
    world: Arc<World>,
    base_url: String,
    stop: watch::Sender<bool>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Sandbox {
    /// Opens or makes the PKI, binds both listeners and serves.
    ///
    /// # Errors
    /// Any of [`SandboxError`].
    pub async fn start(config: Config) -> Result<Self, SandboxError> {
        let pki = Pki::open(config.dir.as_deref())?;
        let tls = tls(&pki, config.mutual_tls)?;
        let back = TcpListener::bind(config.listen).await.map_err(SandboxError::Io)?;
        let front = TcpListener::bind(config.front_listen).await.map_err(SandboxError::Io)?;
        let address = |l: &TcpListener| TcpListener::local_addr(l).map_err(SandboxError::Io);
        let base_url = format!("https://{}", address(&back)?);
        let front_url = format!("http://{}", address(&front)?);
        let world = Arc::new(World {
            changing: Mutex::new(Changing::new(&config)),
            config,
            pki,
            front_url,
        });
        let (stop, stopped) = watch::channel(false);
        let back_app = back_end::router(Arc::clone(&world));
        let front_app =
            front_end::router(Arc::clone(&world)).merge(control::router(Arc::clone(&world)));
        let wait = |mut stopped: watch::Receiver<bool>| async move {
            // An error means the sandbox is gone: stop as well.
            let _ = stopped.wait_for(|&stop| stop).await;
        };
        let back = TlsListener::new(back, tls);
        let back = axum::serve(back, back_app).with_graceful_shutdown(wait(stopped.clone()));
        let front = axum::serve(front, front_app).with_graceful_shutdown(wait(stopped));
        let tasks = vec![
            tokio::spawn(async move { drop(back.await) }),
            tokio::spawn(async move { drop(front.await) }),
        ];
        Ok(Self { world, base_url, stop, tasks })
    }

    /// Where the back end is: the partner's base URL.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Where the pages and the control API are.
    #[must_use]
    pub fn front_url(&self) -> &str {
        &self.world.front_url
    }

    /// The trust anchor of the signers' certificates.
    #[must_use]
    pub fn root_pem(&self) -> &str {
        self.world.pki.root_pem()
    }

    /// The trust anchor of the back end's TLS certificate.
    #[must_use]
    pub fn server_ca_pem(&self) -> &str {
        self.world.pki.tls_ca_pem()
    }

    /// The client certificate and key that the back end accepts.
    #[must_use]
    pub fn client_identity_pem(&self) -> String {
        let (certificate, key) = self.world.pki.client();
        format!("{certificate}{key}")
    }

    /// What can be changed while it runs.
    #[must_use]
    pub fn control(&self) -> control::Control {
        control::Control::new(Arc::clone(&self.world))
    }

    /// Stops serving.
    pub async fn shutdown(self) {
        // Nobody listening is as good as stopped.
        let _ = self.stop.send(true);
        for task in self.tasks {
            // Idle connections would hold a graceful shutdown up.
            task.abort();
            drop(task.await);
        }
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

fn tls(pki: &Pki, mutual: bool) -> Result<TlsAcceptor, SandboxError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let malformed = |_| SandboxError::Key;
    let (certificate, key) = pki.server();
    let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).map_err(malformed)?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(malformed)?;
    let builder = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    let builder = if mutual {
        let mut roots = rustls::RootCertStore::empty();
        let ca = pki.client_ca_pem().as_bytes();
        let ca = CertificateDer::from_pem_slice(ca).map_err(malformed)?;
        roots.add(ca)?;
        let verifier =
            rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .map_err(|_| SandboxError::Key)?;
        builder.with_client_cert_verifier(verifier)
    } else {
        builder.with_no_client_auth()
    };
    let mut config = builder.with_single_cert(vec![certificate], key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Accepts TLS connections; a handshake that dawdles holds nobody up.
struct TlsListener {
    local: std::io::Result<SocketAddr>,
    connections: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
}

impl TlsListener {
    /// A handshake may take this long.
    const HANDSHAKE: Duration = Duration::from_secs(10);

    fn new(listener: TcpListener, tls: TlsAcceptor) -> Self {
        let local = TcpListener::local_addr(&listener);
        let (sender, connections) = mpsc::channel(64);
        tokio::spawn(async move {
            while !sender.is_closed() {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    () = sender.closed() => break,
                };
                let Ok((stream, address)) = accepted else { continue };
                let (tls, sender) = (tls.clone(), sender.clone());
                tokio::spawn(async move {
                    let handshake = tokio::time::timeout(Self::HANDSHAKE, tls.accept(stream));
                    match handshake.await {
                        Ok(Ok(stream)) => drop(sender.send((stream, address)).await),
                        _ => tracing::debug!("a TLS handshake failed"),
                    }
                });
            }
        });
        Self { local, connections }
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.connections.recv().await {
            Some(connection) => connection,
            // The accepting task is gone: nothing will come any more.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        match &self.local {
            Ok(address) => Ok(*address),
            Err(error) => Err(error.kind().into()),
        }
    }
}
