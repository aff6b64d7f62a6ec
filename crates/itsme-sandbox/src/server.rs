//! The running sandbox: two listeners over one world.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use url::Host;

use crate::config::Config;
use crate::control::Control;
use crate::pki::Pki;
use crate::tls::{self, Cut, TlsListener};
use crate::world::World;
use crate::{SandboxError, back_end, control, front_end};

/// A sandbox that runs until it is shut down or dropped.
pub struct Sandbox {
    world: Arc<World>,
    base_url: String,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Sandbox {
    /// Opens or makes the PKI, binds both listeners and serves.
    ///
    /// # Errors
    /// Any of [`SandboxError`].
    pub async fn start(config: Config) -> Result<Self, SandboxError> {
        let registered = config.check()?;
        let host = config.host_of(config.listen)?;
        let front_host = config.host_of(config.front_listen)?;
        let hosts = hosts(&host);
        let dir = config.dir.clone();
        // Making RSA keys takes a while.
        let pki = tokio::task::spawn_blocking(move || Pki::open(dir.as_deref(), hosts));
        let pki = pki.await.map_err(SandboxError::making("the PKI"))??;
        let acceptor = tls::acceptor(&pki, config.mutual_tls)?;
        let (back, back_address) = bind(config.listen).await?;
        let (front, front_address) = bind(config.front_listen).await?;
        let base_url = format!("https://{host}:{}", back_address.port());
        let front_url = format!("http://{front_host}:{}", front_address.port());
        let world = Arc::new(World::new(config, registered, pki, front_url));
        let (stop, stopped) = watch::channel(false);
        let back_app = back_end::router(Arc::clone(&world));
        let back_app = back_app.into_make_service_with_connect_info::<Cut>();
        let front_app = front_end::router(Arc::clone(&world));
        let front_app = front_app.merge(control::router(Arc::clone(&world)));
        let wait = |mut stopped: watch::Receiver<bool>| async move {
            // An error means the sandbox is gone: stop as well.
            let _ = stopped.wait_for(|&stop| stop).await;
        };
        let back = TlsListener::new(back, back_address, acceptor);
        let back = axum::serve(back, back_app).with_graceful_shutdown(wait(stopped.clone()));
        let front = axum::serve(front, front_app).with_graceful_shutdown(wait(stopped));
        let tasks = vec![
            tokio::spawn(async move { drop(back.await) }),
            tokio::spawn(async move { drop(front.await) }),
        ];
        tracing::info!(%base_url, front_url = %world.front_url, "SANDBOX runs: no legal value");
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

    /// What it was started with.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.world.config
    }

    /// Certificates to trust, and the client's to show.
    #[must_use]
    pub fn pki(&self) -> &Pki {
        &self.world.pki
    }

    /// The trust anchor of the signers' certificates.
    #[must_use]
    pub fn root_pem(&self) -> &str {
        self.world.pki.root_pem()
    }

    /// The trust anchor of the back end's TLS certificate.
    #[must_use]
    pub fn server_ca_pem(&self) -> &str {
        self.world.pki.server_ca_pem()
    }

    /// The client certificate and key that the back end accepts.
    #[must_use]
    pub fn client_identity_pem(&self) -> String {
        self.world.pki.client_identity_pem()
    }

    /// What can be changed while it runs.
    #[must_use]
    pub fn control(&self) -> Control {
        Control::new(Arc::clone(&self.world))
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

/// What the back end's certificate is for: this machine's own names always.
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
