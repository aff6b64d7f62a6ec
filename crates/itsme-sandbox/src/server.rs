//! The running sandbox: two listeners over one state.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use url::Host;

use crate::app_state::AppState;
use crate::config::Config;
use crate::control::Control;
use crate::evidence::EvidenceService;
use crate::pki::{Addresses, Pki};
use crate::tls::{self, Cut, TlsListener};
use crate::{SandboxError, back_end, control, evidence, front_end};

/// A sandbox that runs until it is shut down or dropped.
pub struct Sandbox {
    app: Arc<AppState>,
    base_url: String,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Sandbox {
    /// Opens or makes the PKI, binds both listeners and starts to serve.
    ///
    /// # Errors
    /// Any [`SandboxError`].
    pub async fn start(config: Config) -> Result<Self, SandboxError> {
        let registered = config.check()?;
        let host = config.host_of(config.listen)?;
        let front_host = config.host_of(config.front_listen)?;
        let hosts = hosts(&host);
        let dir = config.dir.clone();
        let (back, back_address) = bind(config.listen).await?;
        let (front, front_address) = bind(config.front_listen).await?;
        let base_url = format!("https://{host}:{}", back_address.port());
        let front_url = format!("http://{front_host}:{}", front_address.port());
        let addresses = Addresses { front_url: front_url.clone() };
        // Making RSA keys takes seconds.
        let pki = tokio::task::spawn_blocking(move || Pki::open(dir.as_deref(), hosts, addresses));
        let pki = pki.await.map_err(SandboxError::making("the PKI"))??;
        let acceptor = tls::acceptor(&pki, config.mutual_tls)?;
        let app = Arc::new(AppState::new(config, registered, pki, front_url));
        let (stop, stopped) = watch::channel(false);
        let back_app = back_end::router(Arc::clone(&app));
        let back_app = back_app.into_make_service_with_connect_info::<Cut>();
        let front_app = front_end::router(Arc::clone(&app));
        let front_app = front_app.merge(control::router(Arc::clone(&app)));
        let front_app = front_app.merge(evidence::router(Arc::clone(&app)));
        let wait = |mut stopped: watch::Receiver<bool>| async move {
            // An error means that the sandbox was dropped: stop too.
            let _ = stopped.wait_for(|&stop| stop).await;
        };
        let back = TlsListener::new(back, back_address, acceptor);
        let back = axum::serve(back, back_app).with_graceful_shutdown(wait(stopped.clone()));
        let front = axum::serve(front, front_app).with_graceful_shutdown(wait(stopped));
        let tasks = vec![
            tokio::spawn(async move { drop(back.await) }),
            tokio::spawn(async move { drop(front.await) }),
        ];
        tracing::info!(%base_url, front_url = %app.front_url, "the SANDBOX runs; its signatures have no legal value");
        Ok(Self { app, base_url, stop, tasks })
    }

    /// The URL of the back end, which is the partner's base URL.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The URL of the pages and the control API.
    #[must_use]
    pub fn front_url(&self) -> &str {
        &self.app.front_url
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.app.config
    }

    /// The trust anchors, and the client certificate.
    #[must_use]
    pub fn pki(&self) -> &Pki {
        &self.app.pki
    }

    /// PEM of the trust anchor of the signers' certificates.
    #[must_use]
    pub fn root_pem(&self) -> &str {
        self.app.pki.root_pem()
    }

    /// PEM of the trust anchor of the back end's TLS certificate.
    #[must_use]
    pub fn server_ca_pem(&self) -> &str {
        self.app.pki.server_ca_pem()
    }

    /// PEM of the client certificate that the back end accepts, and of its key.
    #[must_use]
    pub fn client_identity_pem(&self) -> String {
        self.app.pki.client_identity_pem()
    }

    /// The URL of the time-stamping service.
    #[must_use]
    pub fn time_stamping_url(&self) -> String {
        self.app.pki.addresses().time_stamping()
    }

    /// The URLs of the evidence services, each with the name under which it takes faults.
    #[must_use]
    pub fn evidence_urls(&self) -> Vec<(EvidenceService, String)> {
        evidence::urls(self.app.pki.addresses())
    }

    /// The control API.
    #[must_use]
    pub fn control(&self) -> Control {
        Control::new(Arc::clone(&self.app))
    }

    /// Stops serving.
    pub async fn shutdown(self) {
        // An error means that both listeners have already stopped.
        let _ = self.stop.send(true);
        for task in self.tasks {
            // A graceful shutdown would wait for idle connections.
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

/// The hosts in the certificate of the back end: always the loopback names, and
/// the host of its URL.
fn hosts(host: &Host) -> Vec<String> {
    let own = match host {
        Host::Domain(name) => name.clone(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    };
    let mut hosts: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
    if !hosts.contains(&own) {
        hosts.push(own);
    }
    hosts
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), SandboxError> {
    let failed = |source| SandboxError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}
