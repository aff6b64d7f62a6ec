//! What all processes share: a folder and the itsme® sandbox.

use std::path::PathBuf;

use itsme_sandbox::sessions::SessionState;
use itsme_sandbox::{Config, Sandbox, User};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// The signer's configuration, below the shared folder.
pub(crate) const CONFIG: &str = "sandbox/itsme.toml";
/// The folder of documents and containers, below the shared folder.
pub(crate) const DOCUMENTS: &str = "documents";
/// The address to which browsers come back. Nobody listens there: a user is a thread of the test.
const RETURN: &str = "http://127.0.0.1:9/return";

/// The names of a document and its container.
pub(crate) fn names(key: &str, no: usize) -> (String, String) {
    (format!("{key}-{no}"), format!("{key}-{no}.signed"))
}

pub(crate) struct World {
    pub(crate) folder: TempDir,
    sandbox: Option<Sandbox>,
    runtime: Runtime,
}

impl World {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(DOCUMENTS)).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let config = Config::default()
            .dir(folder.path().join("sandbox"))
            .redirect_urls(vec![RETURN.to_owned()]);
        let sandbox = runtime.block_on(Sandbox::start(config)).unwrap();
        let text = format!(
            "base_url = {:?}\npartner_code = \"SANDBOX\"\nservice_code = \"SANDBOX_SIGN\"\n\
             redirect_url = {RETURN:?}\nprofile = \"test\"\nallow_loopback_http = true\n\
             [client]\ncertificate = \"client.pem\"\n[server]\nca = \"server-ca.pem\"\n",
            sandbox.base_url()
        );
        std::fs::write(folder.path().join(CONFIG), text).unwrap();
        Self { folder, sandbox: Some(sandbox), runtime }
    }

    fn sandbox(&self) -> &Sandbox {
        self.sandbox.as_ref().unwrap()
    }

    pub(crate) fn documents(&self) -> PathBuf {
        self.folder.path().join(DOCUMENTS)
    }

    /// Writes the documents of a job.
    pub(crate) fn write_documents(&self, key: &str, documents: usize) {
        for no in 0..documents {
            let (name, _) = names(key, no);
            let text = format!("<agreement xmlns='urn:example'>{name}</agreement>");
            std::fs::write(self.documents().join(name), text).unwrap();
        }
    }

    /// The user confirms at a page of the sandbox. Returns the number of documents that they
    /// confirmed, 0 for an identification, and the query with which the browser comes back.
    pub(crate) fn confirm(&self, page: &str) -> (usize, String) {
        let control = self.sandbox().control();
        let (_, query) = page.split_once('?').unwrap();
        let value = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|pair| pair.0 == name).unwrap().1
        };
        let session = control.sessions().into_iter().find(|session| session.page == value("q"));
        let session = session.expect("the sandbox has the session of each page");
        let state = control.answer(&session.session, User::Ready, true).unwrap();
        assert_eq!(state, SessionState::Confirmed);
        (session.documents, format!("st={}", value("st")))
    }

    /// The number of sessions for signatures that were opened, and of those that were confirmed.
    pub(crate) fn signature_sessions(&self) -> (usize, usize) {
        let sessions = self.sandbox().control().sessions();
        let signatures = sessions.iter().filter(|session| session.purpose == "signature");
        let pending = signatures.clone().filter(|session| session.state == SessionState::Pending);
        let all = signatures.count();
        (all, all - pending.count())
    }

    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(sandbox) = self.sandbox.take() {
            self.runtime.block_on(sandbox.shutdown());
        }
    }
}
