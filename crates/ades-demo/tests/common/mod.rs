//! The application and its sandbox, and browsers that talk to them over HTTP.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used
)]

pub(crate) mod browser;

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ades::itsme::ItsmeSigner;
use ades_demo::{Config, Demo};
use browser::Browser;
use itsme_sandbox::sessions::SessionState;
use itsme_sandbox::{Sandbox, User};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// The sandbox, and the folder and the address that the application has each time it starts.
pub(crate) struct Bench {
    folder: TempDir,
    pub(crate) address: String,
    // Stays open: another test must not get the port while the application is down.
    listener: TcpListener,
    database: Option<String>,
    pub(crate) sandbox: Sandbox,
    app: Option<Runtime>,
    // Last: the sandbox runs in it.
    _runtime: Runtime,
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

impl Bench {
    /// Starts the sandbox and the application.
    pub(crate) fn start(database: Option<String>) -> Self {
        let (folder, runtime) = (tempfile::tempdir().unwrap(), runtime());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let config = itsme_sandbox::Config::default().dir(folder.path().join("sandbox"));
        let config = config.redirect_urls(vec![format!("http://{address}/return")]);
        let sandbox = runtime.block_on(Sandbox::start(config)).unwrap();
        let (app, _runtime) = (None, runtime);
        let mut bench = Self { folder, address, listener, database, sandbox, app, _runtime };
        bench.restart();
        bench
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().join("demo")
    }

    /// Drops the application wherever it is, and starts it again.
    pub(crate) fn restart(&mut self) {
        if let Some(app) = self.app.take() {
            app.shutdown_timeout(Duration::from_secs(10));
        }
        let dir = self.folder.path().join("sandbox");
        let text = format!(
            "base_url = {:?}\npartner_code = \"SANDBOX\"\nservice_code = \"SANDBOX_SIGN\"\n\
             redirect_url = \"http://{}/return\"\nprofile = \"test\"\nallow_loopback_http = true\n\
             [client]\ncertificate = \"client.pem\"\n[server]\nca = \"server-ca.pem\"\n",
            self.sandbox.base_url(),
            self.address
        );
        let signer = ades::itsme::Config::from_toml(&text, &dir).unwrap();
        let signer = Arc::new(ItsmeSigner::new(signer).unwrap());
        let config = Config::new(self.folder(), format!("http://{}", self.address));
        let config = config.database(self.database.clone()).sandbox(true);
        let config = config.signer_pages(self.sandbox.front_url());
        let app = runtime();
        let demo = app.block_on(Demo::open(config, signer)).unwrap();
        let listener = self.listener.try_clone().unwrap();
        app.spawn(
            async move { demo.serve(tokio::net::TcpListener::from_std(listener).unwrap()).await },
        );
        self.app = Some(app);
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::new(&self.address)
    }

    /// The job of the only case.
    pub(crate) fn only_job(&self) -> ades_session::JobId {
        let folder = |path: PathBuf| {
            let mut entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
            entries.find(|path| path.is_dir()).unwrap()
        };
        let case = folder(folder(self.folder().join("documents")));
        let attempt = std::fs::read(case.join("attempt")).unwrap();
        let attempt: serde_json::Value = serde_json::from_slice(&attempt).unwrap();
        attempt["job"].as_str().unwrap().parse().unwrap()
    }

    /// The user answers at the sandbox's page, which sends the browser back with the key.
    pub(crate) fn answer(&self, page: &str, approve: bool) -> String {
        let mut sessions = self.sandbox.control().sessions().into_iter();
        let open = sessions.find(|session| session.state == SessionState::Pending).unwrap();
        self.sandbox.control().answer(&open.session, User::Ready, approve).unwrap();
        let (_, key) = page.split_once("st=").unwrap();
        format!("/return?st={key}")
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if let Some(app) = self.app.take() {
            app.shutdown_background();
        }
    }
}

/// A PDF with one page.
pub(crate) fn pdf(text: &str) -> Vec<u8> {
    let content = format!("BT /F1 24 Tf 72 720 Td ({text}) Tj ET");
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>".to_owned(),
        format!("<</Length {}>>stream\n{content}\nendstream", content.len()),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_owned(),
    ];
    let mut file = "%PDF-1.7\n".to_owned();
    let mut table = "0000000000 65535 f \n".to_owned();
    for (at, object) in objects.iter().enumerate() {
        table += &format!("{:010} 00000 n \n", file.len());
        file += &format!("{} 0 obj\n{object}\nendobj\n", at + 1);
    }
    let start = file.len();
    let size = objects.len() + 1;
    file += &format!(
        "xref\n0 {size}\n{table}trailer<</Size {size}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n"
    );
    file.into_bytes()
}
