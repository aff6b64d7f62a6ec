//! The two nodes: started, asked, killed and started again.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use crate::NODE;
use crate::node::{DATABASE, FOLDER};
use crate::wire::{Answer, Call, MARK, Request};

/// Maximum time that a node takes to start, or to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where the answers of a node go, by the numbers of the requests. `None` once the node is dead.
type Waiting = Arc<Mutex<Option<HashMap<u64, Sender<Answer>>>>>;

struct Node {
    child: Child,
    input: Mutex<ChildStdin>,
    waiting: Waiting,
}

pub(crate) struct Nodes {
    nodes: [RwLock<Node>; 2],
    folder: PathBuf,
    database: String,
    next: AtomicU64,
}

impl Nodes {
    pub(crate) fn start(folder: &Path, database: &str) -> Self {
        let start = || RwLock::new(Node::start(folder, database));
        Self {
            nodes: [start(), start()],
            folder: folder.to_owned(),
            database: database.to_owned(),
            next: AtomicU64::new(1),
        }
    }

    /// Asks a node. `None` if it dies before it answers.
    pub(crate) fn ask(&self, node: usize, browser: &str, call: &Call) -> Option<Answer> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let request = Request { id, browser: browser.to_owned(), call: call.clone() };
        let answer = self.nodes[node % 2].read().unwrap().send(&request)?;
        // The node is not locked now, so it can be killed.
        let result = answer.recv_timeout(PATIENCE);
        assert!(
            !matches!(result, Err(std::sync::mpsc::RecvTimeoutError::Timeout)),
            "a node does not answer: {request:?}"
        );
        result.ok()
    }

    /// Kills a node, which cannot notice it, and starts another one in its place.
    pub(crate) fn kill(&self, node: usize) {
        let mut node = self.nodes[node % 2].write().unwrap();
        let status = node.child.try_wait().unwrap();
        assert!(status.is_none(), "a node ended by itself: {status:?}");
        node.child.kill().unwrap();
        node.child.wait().unwrap();
        *node = Node::start(&self.folder, &self.database);
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            if let Ok(node) = node.get_mut() {
                let _ = node.child.kill();
                let _ = node.child.wait();
            }
        }
    }
}

impl Node {
    /// Starts a node, and waits until it is ready.
    fn start(folder: &Path, database: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", NODE, "--nocapture", "--quiet"])
            .env(FOLDER, folder)
            .env(DATABASE, database)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (ready, is_ready) = channel();
        let waiting: Waiting = Arc::new(Mutex::new(Some(HashMap::from([(0, ready)]))));
        let (output, answers) = (child.stdout.take().unwrap(), Arc::clone(&waiting));
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                // The last line of a node that was killed may be a part of one.
                let Some(line) =
                    line.ok().and_then(|line| line.strip_prefix(MARK)?.to_owned().into())
                else {
                    continue;
                };
                let Ok(answer) = serde_json::from_str::<Answer>(&line) else { continue };
                let mut waiting = answers.lock().unwrap();
                let sender = waiting.as_mut().and_then(|waiting| waiting.remove(&answer.id));
                // A user who waited too long has failed already.
                let _ = sender.map(|sender| sender.send(answer));
            }
            // All who wait see that there is no answer.
            *answers.lock().unwrap() = None;
        });
        is_ready.recv_timeout(PATIENCE).expect("a node does not start");
        let input = Mutex::new(child.stdin.take().unwrap());
        Self { child, input, waiting }
    }

    fn send(&self, request: &Request) -> Option<Receiver<Answer>> {
        let (sender, answer) = channel();
        self.waiting.lock().unwrap().as_mut()?.insert(request.id, sender);
        let line = format!("{}\n", serde_json::to_string(request).unwrap());
        let mut input = self.input.lock().unwrap();
        input.write_all(line.as_bytes()).and_then(|()| input.flush()).ok()?;
        Some(answer)
    }
}
