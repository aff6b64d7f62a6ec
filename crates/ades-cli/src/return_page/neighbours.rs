//! Several processes of `ades` with one return address. The first process has the address. Each
//! other one listens at a port of its own, and announces that port with the digests of the keys
//! that it waits for. The first passes browsers with these keys on. Each other one holds a
//! connection to it. When that ends, because the process has ended, one of them takes the address
//! over at once.

use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

use super::server::Server;
use super::trips::key_digest;

/// The header of an announcement: version, port, and the digest of one key.
pub(super) const HEADER: &str = "Ades-Return";
/// The version of announcements.
const VERSION: &str = "1";
/// The announcement of a process that waits for the end of the one that has the address.
pub(super) const WATCH: &str = "1 watch";
/// What marks a browser's request that another process passes on.
pub(super) const PASSED: &str = "1 passed";
/// Says that an answer has arrived that is passed on.
const RECEIVED: &[u8] = b"\n";
/// Maximum number of keys of other processes. Beyond it, the oldest one is dropped.
const MAX_KEYS: usize = 256;
/// Maximum time for an announcement.
const ANNOUNCEMENT: Duration = Duration::from_secs(2);
/// Maximum time for a request that is passed on: longer than the other process lets a browser wait.
const PASSING: Duration = Duration::from_secs(10);
/// Maximum length of an answer that is passed on, in octets.
const MAX_ANSWER: u64 = 64 * 1024;
/// The time between two tries to take the address over while nobody answers at it.
const TAKING: Duration = Duration::from_millis(20);
/// The time between two tries while another program answers.
const FOREIGN: Duration = Duration::from_secs(1);
/// Maximum time until every process has announced itself to one that took over.
const SETTLING: Duration = Duration::from_millis(1500);

/// The keys of other processes, with their ports.
#[derive(Default)]
pub(super) struct Neighbours {
    keys: Mutex<Vec<(String, u16)>>,
    added: Notify,
}

impl Neighbours {
    /// Adds the key of an announcement. Returns `false` if it is not one.
    pub(super) fn add(&self, announced: &str) -> bool {
        let parts: Vec<&str> = announced.split(' ').collect();
        let [VERSION, port, digest] = parts.as_slice() else { return false };
        let is_digest = digest.len() == 64 && digest.bytes().all(|c| c.is_ascii_hexdigit());
        let (Ok(port), true) = (port.parse::<u16>(), is_digest) else { return false };
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.retain(|(known, _)| known != digest);
        if keys.len() >= MAX_KEYS {
            keys.remove(0);
        }
        keys.push(((*digest).to_owned(), port));
        drop(keys);
        self.added.notify_waiters();
        true
    }

    pub(super) fn is_empty(&self) -> bool {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// The port of the process that waits for the browser with this target.
    pub(super) fn port_of(&self, target: &str) -> Option<u16> {
        let digest = key_digest(target)?;
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.iter().find(|(known, _)| *known == digest).map(|(_, port)| *port)
    }

    /// As [`Self::port_of`], but waits until every process has had the time to announce itself.
    pub(super) async fn port_after_announcements(&self, target: &str) -> Option<u16> {
        let until = Instant::now() + SETTLING;
        loop {
            let added = self.added.notified();
            if let Some(port) = self.port_of(target) {
                return Some(port);
            }
            timeout_at(until, added).await.ok()?;
        }
    }
}

/// Listens at a port of its own, and takes the address over as soon as it is free. Returns the
/// port.
pub(super) async fn lodge(server: &Arc<Server>, tasks: &mut JoinSet<()>) -> io::Result<u16> {
    let listener = TcpListener::bind((IpAddr::from([127, 0, 0, 1]), 0)).await?;
    let port = listener.local_addr()?.port();
    tasks.spawn(Arc::clone(server).accept(listener));
    let server = Arc::clone(server);
    tasks.spawn(async move {
        let listener = loop {
            if let Ok(listener) = TcpListener::bind(&server.address).await {
                break listener;
            }
            // The process that has the address may have just taken it over.
            let announced = announce(&server, port).await;
            let watched = post(&server.address, WATCH).await;
            match (announced, watched) {
                (Ok(()), Ok(true)) => {}
                (_, Ok(false)) => tokio::time::sleep(FOREIGN).await,
                _ => tokio::time::sleep(TAKING).await,
            }
        };
        server.take_address();
        server.accept(listener).await;
    });
    Ok(port)
}

/// Announces the keys that this process waits for to the one that has the address.
///
/// # Errors
/// If that process does not accept them: it is another program.
pub(super) async fn announce(server: &Server, port: u16) -> io::Result<()> {
    for digest in server.trips.key_digests() {
        let announced = format!("{VERSION} {port} {digest}");
        if !timeout(ANNOUNCEMENT, post(&server.address, &announced)).await?? {
            return Err(io::Error::new(io::ErrorKind::AddrInUse, "another program uses it"));
        }
    }
    Ok(())
}

/// Sends an announcement. Returns whether it was accepted, at the end of the connection.
async fn post(address: &str, announced: &str) -> io::Result<bool> {
    let request = format!(
        "POST / HTTP/1.1\r\nHost: {address}\r\n{HEADER}: {announced}\r\nContent-Length: 0\r\n\
         Connection: close\r\n\r\n"
    );
    let (answer, _) = exchange(address, &request).await?;
    Ok(answer.starts_with(b"HTTP/1.1 204"))
}

/// Passes a browser's request on. Returns the answer, or `None` if nobody answers.
pub(super) async fn pass_on(port: u16, target: &str, host: &str) -> Option<Vec<u8>> {
    let request = format!(
        "GET {target} HTTP/1.1\r\nHost: {host}\r\n{HEADER}: {PASSED}\r\nConnection: close\r\n\r\n"
    );
    let address = format!("127.0.0.1:{port}");
    let (answer, mut stream) = timeout(PASSING, exchange(&address, &request)).await.ok()?.ok()?;
    // The other process may have ended.
    let _ = stream.write_all(RECEIVED).await;
    Some(answer).filter(|answer| answer.starts_with(b"HTTP/1.1 "))
}

/// Sends a request. Returns the whole answer, and the connection.
async fn exchange(address: &str, request: &str) -> io::Result<(Vec<u8>, TcpStream)> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    (&mut stream).take(MAX_ANSWER).read_to_end(&mut answer).await?;
    Ok((answer, stream))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_other_processes_are_limited() {
        let neighbours = Neighbours::default();
        let digest = |at: usize| key_digest(&format!("?st={at}")).unwrap();
        for at in 0..=MAX_KEYS {
            assert!(neighbours.add(&format!("1 {} {}", 1000 + at, digest(at))));
        }
        assert_eq!(neighbours.port_of("/return?st=0"), None);
        assert_eq!(neighbours.port_of("/return?st=1"), Some(1001));
        // The same key again has the new port.
        assert!(neighbours.add(&format!("1 7 {}", digest(1))));
        assert_eq!(neighbours.port_of("/return?st=1&ades=waits"), Some(7));
        assert_eq!(neighbours.keys.lock().unwrap().len(), MAX_KEYS);
    }
}
