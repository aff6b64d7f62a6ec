//! The application: its routes, and its work in the background.

use std::fmt;
use std::fs;
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ades::RemoteSigner;
use ades_session::{Driver, Folder, TokioRuntime};
use axum::extract::DefaultBodyLimit;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Router, middleware};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::cases::{self, Case};
use crate::config::Config;
use crate::error::{Error, Problem};
use crate::visitor::{Visitor, dress};
use crate::{contents, download, preview, signing, upload};

/// The time between two looks at jobs whose users have not come back.
const POLL_EVERY: Duration = Duration::from_secs(2);
/// The time between two looks for cases that are too old.
const SWEEP_EVERY: Duration = Duration::from_secs(60 * 60);
/// Number of jobs in one look.
const JOBS_AT_ONCE: u32 = 50;
/// Maximum length of a form without documents, in octets.
const MAX_FORM: usize = 16 * 1024;

/// The application. Cloning gives another handle to the same one.
#[derive(Clone)]
pub struct Demo(Arc<Inner>);

struct Inner {
    driver: Driver,
    config: Config,
    /// The programs that draw pages, of which each may take a processor
    drawing: Semaphore,
}

impl Demo {
    /// Opens the folder, the key and the database.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn open(config: Config, signer: Arc<dyn RemoteSigner>) -> Result<Self, Error> {
        let documents = config.documents();
        fs::create_dir_all(&documents)
            .map_err(|source| Error::Folder { path: documents.clone(), source })?;
        let (store, keys) = (config.open_store().await?, config.open_key()?);
        let driver = Driver::new(signer, store, Arc::new(Folder::new(documents)), keys)?
            .runtime(TokioRuntime)
            .font(dejavu::sans::regular());
        let drawing = Semaphore::new(preview::AT_ONCE);
        Ok(Self(Arc::new(Inner { driver, config, drawing })))
    }

    /// The routes.
    pub fn router(&self) -> Router {
        let upload = DefaultBodyLimit::max(upload::MAX_UPLOAD);
        Router::new()
            .route("/", get(signing::start))
            .route("/cases", post(upload::create).layer(upload))
            .route("/cases/{case}", get(signing::show).post(signing::act))
            .route("/cases/{case}/documents", post(upload::add).layer(upload))
            .route("/cases/{case}/state", get(signing::state))
            .route("/cases/{case}/all.zip", get(download::all))
            .route("/cases/{case}/{no}", get(contents::look).post(contents::choose))
            .route("/cases/{case}/{no}/page/{page}", get(preview::page))
            .route("/cases/{case}/{no}/document", get(download::document))
            .route("/cases/{case}/{no}/signed", get(download::signed))
            .route("/cases/{case}/{no}/contents", get(contents::show))
            .route("/return", get(signing::returned))
            .route("/style.css", get(|| asset("text/css", include_str!("../assets/style.css"))))
            .route("/demo.js", get(|| asset("text/javascript", include_str!("../assets/demo.js"))))
            .route("/icon.svg", get(|| asset("image/svg+xml", include_str!("../assets/icon.svg"))))
            .fallback(async || Problem::NotFound)
            .layer(DefaultBodyLimit::max(MAX_FORM))
            .layer(middleware::from_fn_with_state(self.clone(), dress))
            .with_state(self.clone())
    }

    /// Serves the application and does its work, until the future is dropped.
    ///
    /// # Errors
    /// The listener fails.
    pub async fn serve(&self, listener: TcpListener) -> io::Result<()> {
        tokio::select! {
            served = axum::serve(listener, self.router()).into_future() => served,
            () = self.work() => Ok(()),
        }
    }

    /// Collects what users confirmed who have not come back, ends what expired, and removes old
    /// cases, until the future is dropped. Any number of nodes may do that.
    pub async fn work(&self) {
        let mut swept = None;
        loop {
            if let Err(error) = self.0.driver.poll_due(JOBS_AT_ONCE).await {
                tracing::warn!(%error, "jobs were not continued");
            }
            if let Err(error) = self.0.driver.sweep(JOBS_AT_ONCE).await {
                tracing::warn!(%error, "jobs were not swept");
            }
            let now = SystemTime::now();
            if swept.is_none_or(|then| now.duration_since(then).is_ok_and(|t| t > SWEEP_EVERY)) {
                swept = Some(now);
                let root = self.0.config.documents();
                if let Err(error) = blocking(move || cases::sweep(&root, now)).await {
                    tracing::warn!(%error, "old cases were not removed");
                }
            }
            tokio::time::sleep(POLL_EVERY).await;
        }
    }

    pub(crate) fn driver(&self) -> &Driver {
        &self.0.driver
    }

    pub(crate) fn config(&self) -> &Config {
        &self.0.config
    }

    pub(crate) fn drawing(&self) -> &Semaphore {
        &self.0.drawing
    }

    /// The visitor's case of this name.
    pub(crate) fn case(&self, visitor: &Visitor, name: &str) -> Result<Case, Problem> {
        Case::open(&self.0.config.documents(), visitor, name)
    }
}

impl fmt::Debug for Demo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Demo").field("config", &self.0.config).finish_non_exhaustive()
    }
}

/// Runs work that reads and writes files, where it may block.
pub(crate) async fn blocking<T, E>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: From<io::Error> + Send + 'static,
{
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| Err(io::Error::other(e).into()))
}

async fn asset(kind: &'static str, text: &'static str) -> impl IntoResponse {
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "max-age=300")], text)
}
