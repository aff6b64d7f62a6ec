//! A web application in which a user signs a text with itsme®, or with its sandbox:
//! `ades sandbox --dir sandbox --redirect-url http://127.0.0.1:8000/return`, and then
//! `cargo run -p ades-session --example web_application sandbox/itsme.toml`
//!
//! Its jobs are in memory. With a database, several processes can do this together.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ades::itsme::{Config, ItsmeSigner};
use ades::{Format, Packaging, SignatureParameters, SigningOptions};
use ades_session::sealing::{KeyRing, RootKey};
use ades_session::store::KeyId;
use ades_session::{
    Driver, Folder, JobId, MemoryStore, Next, Outcome, SigningJob, SigningJobItem, TokioRuntime,
};
use axum::extract::{Form, Path, RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;

type BoxError = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let config = std::env::args().nth(1).unwrap_or("itsme.toml".to_owned());
    let folder = tempfile::tempdir()?;
    serve("127.0.0.1:8000", Config::load(config)?, folder.path().to_owned()).await
}

/// Runs the application at this address. Documents and containers are in `folder`.
pub(crate) async fn serve(address: &str, config: Config, folder: PathBuf) -> Result<(), BoxError> {
    let mut key = zeroize::Zeroizing::new([0; 32]);
    getrandom::fill(&mut *key)?;
    let keys = KeyRing::new(KeyId(1), RootKey::from_octets(key));
    let signer = Arc::new(ItsmeSigner::new(config)?);
    let (store, documents) = (Arc::new(MemoryStore::new()), Arc::new(Folder::new(&folder)));
    let driver = Driver::new(signer, store, documents, keys)?.runtime(TokioRuntime);
    let router = axum::Router::new()
        .route("/", get(form).post(sign))
        .route("/return", get(returned))
        .route("/jobs/{job}", get(poll).post(poll))
        .route("/jobs/{job}/container", get(container))
        .with_state((driver.clone(), folder));
    tokio::spawn(async move {
        // For users who do not come back.
        while driver.poll_due(20).await.is_ok() && driver.sweep(20).await.is_ok() {
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
    });
    Ok(axum::serve(tokio::net::TcpListener::bind(address).await?, router).await?)
}

type Answer<T = Response> = Result<T, StatusCode>;
type App = State<(Driver, PathBuf)>;
type Fields = std::collections::HashMap<String, String>;

async fn form() -> Answer<impl IntoResponse> {
    let (name, cookie) = (random()?, random()?);
    let form = format!(
        "<form method=post><input type=hidden name=name value={name}>\
         <textarea name=text aria-label=Text>I agree.</textarea><button>Sign</button></form>"
    );
    // Not `Strict`: the browser comes back from another site.
    let cookie = format!("browser={cookie}; HttpOnly; SameSite=Lax; Path=/");
    Ok(([(header::SET_COOKIE, cookie)], Html(form)))
}

async fn sign(app: App, headers: HeaderMap, form: Form<Fields>) -> Answer {
    let (State((driver, folder)), Form(mut fields)) = (app, form);
    let [name, text] = ["name", "text"].map(|field| fields.remove(field).unwrap_or_default());
    let name: JobId = name.parse().map_err(failed)?;
    let (document, container) = (format!("{name}.txt"), format!("{name}.txt.p7m"));
    // Small files: larger ones belong on a thread that may block.
    std::fs::write(folder.join(&document), text).map_err(failed)?;
    let options = SigningOptions::new(SignatureParameters::new(SystemTime::now()));
    let options = options.format(Format::Cades).packaging(Packaging::Enveloping);
    let items = vec![SigningJobItem::new(document, container, options)];
    let job = SigningJob::new("", name.to_string(), items);
    let begun = driver.begin(job, browser(&headers)).await.map_err(failed)?;
    Ok(page(begun.job, begun.next))
}

async fn returned(app: App, headers: HeaderMap, RawQuery(query): RawQuery) -> Answer {
    let query = query.unwrap_or_default();
    match app.0.0.returned(&query, browser(&headers)).await {
        // The same address again: only a return says that this browser has come back.
        Ok(Outcome::Busy { .. }) => Ok(Html("<meta http-equiv=refresh content=2>").into_response()),
        outcome => show(outcome),
    }
}

async fn poll(app: App, method: Method, headers: HeaderMap, Path(job): Path<String>) -> Answer {
    let (job, browser) = (job.parse().map_err(failed)?, browser(&headers));
    show(match method {
        Method::POST => app.0.0.ask_again(job, browser).await,
        _ => app.0.0.poll(job, browser).await,
    })
}

async fn container(app: App, headers: HeaderMap, Path(job): Path<String>) -> Answer {
    let State((driver, folder)) = app;
    let job = job.parse().map_err(failed)?;
    let status = driver.status(job, browser(&headers)).await.map_err(failed)?;
    let Some(Next::Done { items, .. }) = status.map(|status| status.next) else {
        return Err(StatusCode::NOT_FOUND);
    };
    let name = items.first().map_or("", |item| &item.container);
    Ok(std::fs::read(folder.join(name)).map_err(failed)?.into_response())
}

fn show(outcome: Result<Outcome, ades_session::Error>) -> Answer {
    // Strangers and other browsers learn nothing.
    let (job, next) = outcome.map_err(failed)?.into_next().ok_or(StatusCode::NOT_FOUND)?;
    Ok(page(job, next))
}

fn page(job: JobId, next: Next) -> Response {
    Html(match next {
        Next::Redirect { url, .. } => return Redirect::to(&url).into_response(),
        Next::Done { .. } => format!("<a href=/jobs/{job}/container>Signed</a>"),
        Next::Ended(reason) => format!("<p>Ended: {reason:?}"),
        Next::Stopped(stop) => {
            format!("<form method=post action=/jobs/{job}>{stop:?} <button>Again</button></form>")
        }
        _ => format!("<meta http-equiv=refresh content='2;url=/jobs/{job}'><p>Confirm in the app."),
    })
    .into_response()
}

fn browser(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::COOKIE)?.to_str().ok()?.strip_prefix("browser=")
}

fn random() -> Answer<JobId> {
    let mut octets = [0; 16];
    getrandom::fill(&mut octets).map_err(failed)?;
    Ok(JobId::from_random(octets))
}

/// The page of an error does not show it.
fn failed(error: impl std::fmt::Display) -> StatusCode {
    eprintln!("{error}");
    StatusCode::INTERNAL_SERVER_ERROR
}
