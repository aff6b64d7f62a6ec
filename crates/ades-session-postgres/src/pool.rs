//! Connections, and the time-outs that they ask the server for.

use ades_session::store::StoreError;
use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::CONNECTION_TIMEOUT;
use crate::rows::unavailable;
use crate::tls::Tls;

/// A process that stops in the middle of a transaction holds its row for no longer
/// than this.
const TIMEOUTS: &str = "SET idle_in_transaction_session_timeout = '10s'; \
                        SET lock_timeout = '10s'; SET statement_timeout = '30s'";

pub(crate) fn new(url: &str, connections: usize) -> Result<Pool, StoreError> {
    let config = config(url)?;
    let manager = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = Manager::from_config(config, Tls::new()?, manager);
    Pool::builder(manager)
        .max_size(connections)
        .wait_timeout(Some(CONNECTION_TIMEOUT))
        .create_timeout(Some(CONNECTION_TIMEOUT))
        .recycle_timeout(Some(CONNECTION_TIMEOUT))
        .runtime(Runtime::Tokio1)
        .post_create(Hook::async_fn(|client, _| {
            Box::pin(
                async move { client.batch_execute(TIMEOUTS).await.map_err(HookError::Backend) },
            )
        }))
        .build()
        .map_err(StoreError::unavailable)
}

/// Reads a URL. `sslmode=prefer`, the default, means *require* for a server on
/// another machine: an attacker could otherwise refuse TLS and read everything.
pub(crate) fn config(url: &str) -> Result<Config, StoreError> {
    let mut config: Config = url.parse().map_err(unavailable)?;
    let is_local = |host: &Host| match host {
        #[cfg(unix)]
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost"
                || name.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
        }
    };
    if config.get_ssl_mode() == SslMode::Prefer {
        let local = config.get_hosts().iter().all(is_local)
            && config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback);
        config.ssl_mode(if local { SslMode::Prefer } else { SslMode::Require });
    }
    if config.get_application_name().is_none() {
        config.application_name("ades-session");
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_on_another_machine_needs_tls() {
        for (url, expected) in [
            ("postgresql://db.example/jobs", SslMode::Require),
            ("postgresql://localhost,db.example/jobs", SslMode::Require),
            ("host=localhost hostaddr=192.0.2.1", SslMode::Require),
            ("postgresql://db.example/jobs?sslmode=disable", SslMode::Disable),
            ("postgresql://localhost/jobs", SslMode::Prefer),
            ("postgresql://127.0.0.1/jobs", SslMode::Prefer),
            ("postgresql://[::1]/jobs", SslMode::Prefer),
            ("host=/run/postgresql", SslMode::Prefer),
            ("postgresql://localhost/jobs?sslmode=require", SslMode::Require),
        ] {
            assert_eq!(config(url).unwrap().get_ssl_mode(), expected, "{url}");
        }
    }
}
