//! Signing: what the application asks `ades-session`, and what it shows of the answer.

use std::time::Duration;

use ades::signer::Display;
use ades_session::store::{JobId, StoreError};
use ades_session::{Driver, Error as SessionError, Next, Outcome, SigningJob, SigningJobItem};
use axum::extract::{Form, Path, RawQuery, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::json;

use crate::cases::{Attempt, Case, Item};
use crate::error::Problem;
use crate::pages;
use crate::server::{Demo, blocking};
use crate::texts::Texts;
use crate::visitor::{Visit, Visitor};

/// How often a call is repeated while another request or process has the job, and the pauses.
const BUSY_TRIES: u32 = 20;
const BUSY_PAUSE: Duration = Duration::from_millis(250);

/// The first page: a form for documents, and the visitor's cases.
pub(crate) async fn start(
    State(demo): State<Demo>,
    Extension(visitor): Visit,
) -> Result<Html<String>, Problem> {
    blocking(move || {
        let mut cases = Vec::new();
        for case in Case::all(&demo.config().documents(), &visitor)? {
            let (items, attempt) = (case.items()?, case.attempt()?);
            cases.push((case, items, attempt));
        }
        Ok(Html(pages::start(&visitor, &cases)))
    })
    .await
}

/// The page of a case. If the case has a job, this continues it by one step.
pub(crate) async fn show(
    State(demo): State<Demo>,
    Extension(visitor): Visit,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let case = demo.case(&visitor, &name)?;
    let listed = case.clone();
    let items = blocking(move || listed.items()).await?;
    let Some(job) = case.attempt()?.job else {
        return Ok(Html(pages::edit(&visitor, &case, &items)).into_response());
    };
    match look(&demo, &visitor, job).await {
        Ok(next) => Ok(answer(&visitor, &case, &items, next.ok_or(Problem::NotFound)?)),
        // Jobs are kept for a time, containers until the visitor or the sweep removes them.
        Err(SessionError::Store(StoreError::NotFound)) => {
            Ok(Html(pages::done(&visitor, &case, &items)).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// Continues a job by one step. While another process does that, it says where the job stands, so
/// that the page has what its visitor needs. `None` for strangers and other browsers, who learn
/// nothing.
async fn look(demo: &Demo, visitor: &Visitor, job: JobId) -> Result<Option<Next>, SessionError> {
    let browser = Some(visitor.browser.as_str());
    match demo.driver().poll(job, browser).await? {
        Outcome::Busy { .. } => {
            let status = demo.driver().status(job, browser).await?;
            Ok(status.map(|status| status.next))
        }
        outcome => Ok(outcome.into_next().map(|(_, next)| next)),
    }
}

fn answer(visitor: &Visitor, case: &Case, items: &[Item], next: Next) -> Response {
    match next {
        Next::Redirect { url, .. } => Redirect::to(&url).into_response(),
        next => Html(pages::job(visitor, case, items, &next)).into_response(),
    }
}

/// Where a job stands, for the script of its page, which waits.
pub(crate) async fn state(
    State(demo): State<Demo>,
    Extension(visitor): Visit,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let case = demo.case(&visitor, &name)?;
    let job = case.attempt()?.job.ok_or(Problem::NotFound)?;
    Ok(Json(match look(&demo, &visitor, job).await?.ok_or(Problem::NotFound)? {
        Next::Redirect { url, .. } => json!({ "go": url }),
        next => json!({ "state": pages::state(&next) }),
    })
    .into_response())
}

/// A button on the page of a case.
#[derive(Deserialize)]
pub(crate) struct Wish {
    token: String,
    wish: String,
}

/// What the visitor wants of a case.
pub(crate) async fn act(
    State(demo): State<Demo>,
    Extension(visitor): Visit,
    Path(name): Path<String>,
    Form(Wish { token, wish }): Form<Wish>,
) -> Result<Response, Problem> {
    visitor.check(&token)?;
    let case = demo.case(&visitor, &name)?;
    let attempt = case.attempt()?;
    let (driver, browser) = (demo.driver(), Some(visitor.browser.as_str()));
    let outcome = match (wish.as_str(), attempt.job) {
        ("sign", _) => return sign(&demo, &visitor, &case).await,
        ("edit", _) => return edit(&demo, &visitor, &case, attempt).await,
        ("again", Some(job)) => insist(|| driver.ask_again(job, browser), is_busy).await?,
        ("identify", Some(job)) => insist(|| driver.identify_again(job, browser), is_busy).await?,
        // The case is in this browser's folder, so the job is this browser's.
        ("cancel", Some(job)) => {
            cancel(driver, job).await?;
            return Ok(to_case(&case));
        }
        ("delete", job) => {
            if let Some(job) = job {
                // A job that is over cannot be cancelled any more, and need not.
                let _ = cancel(driver, job).await;
            }
            blocking(move || case.remove()).await?;
            return Ok(Redirect::to("/").into_response());
        }
        _ => return Err(Problem::NotFound),
    };
    let (_, next) = outcome.into_next().ok_or(Problem::NotFound)?;
    Ok(onward(&case, next))
}

/// Calls again while another request or process has the job: nothing that a visitor did is lost
/// because the poller was at work.
async fn insist<T, F>(call: impl Fn() -> F, is_busy: fn(&T) -> bool) -> Result<T, SessionError>
where
    F: Future<Output = Result<T, SessionError>>,
{
    for _ in 0..BUSY_TRIES {
        let answer = call().await?;
        if !is_busy(&answer) {
            return Ok(answer);
        }
        tokio::time::sleep(BUSY_PAUSE).await;
    }
    call().await
}

const fn is_busy(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Busy { .. })
}

async fn cancel(driver: &Driver, job: JobId) -> Result<Next, SessionError> {
    insist(|| driver.cancel(job), |next| matches!(next, Next::Busy { .. })).await
}

/// Begins the job of a case. A second click, in this tab or another one, finds the first job.
async fn sign(demo: &Demo, visitor: &Visitor, case: &Case) -> Result<Response, Problem> {
    let closed = case.clone();
    let Attempt { no, .. } = blocking(move || closed.close()).await?;
    let items: Vec<Item> = case.items()?.into_iter().filter(|item| !item.is_signed()).collect();
    let job = signing_job(visitor, case, &items, no);
    match demo.driver().begin(job, Some(&visitor.browser)).await {
        Ok(begun) => {
            case.set_attempt(Attempt { no, is_open: false, job: Some(begun.job) })?;
            Ok(onward(case, begun.next))
        }
        Err(error) => {
            // Nothing is stored of a job that is refused, so the visitor can change the case.
            if matches!(error, SessionError::Documents { .. } | SessionError::Job(_)) {
                case.set_attempt(Attempt { no, is_open: true, job: None })?;
            }
            Err(refused(error, &items))
        }
    }
}

/// Names the documents that cannot be signed.
fn refused(error: SessionError, items: &[Item]) -> Problem {
    let SessionError::Documents { failures } = error else { return error.into() };
    let name = |item: usize| items.get(item).map_or("", |item| item.about.name.as_str());
    let failures = failures.iter();
    Problem::Documents(failures.map(|one| format!("{}: {}", name(one.item), one.error)).collect())
}

/// Lets the visitor change the case after its job has ended. The next job has another name.
async fn edit(
    demo: &Demo,
    visitor: &Visitor,
    case: &Case,
    before: Attempt,
) -> Result<Response, Problem> {
    let job = before.job.ok_or(Problem::Locked)?;
    let status = demo.driver().status(job, Some(&visitor.browser)).await?;
    if !status.is_some_and(|status| matches!(status.next, Next::Ended(_))) {
        return Err(Problem::Locked);
    }
    case.set_attempt(Attempt { no: before.no.saturating_add(1), is_open: true, job: None })?;
    Ok(to_case(case))
}

fn signing_job(visitor: &Visitor, case: &Case, items: &[Item], no: u32) -> SigningJob {
    let items = items.iter().map(|item| {
        let (document, container) = item.references();
        let options = item.about.signing_options(visitor.language);
        SigningJobItem::new(document, container, options).name(item.about.name.clone())
    });
    let items: Vec<SigningJobItem> = items.collect();
    let mut display = Display::default();
    display.language = Some(visitor.language);
    display.description = ades::signer::Language::ALL
        .into_iter()
        .map(|language| (language, Texts::of(language).described(items.len())))
        .collect();
    SigningJob::new("demo", format!("{}.{no}", case.name), items).display(display)
}

/// Where the signer's page sends the browser back.
pub(crate) async fn returned(
    State(demo): State<Demo>,
    Extension(visitor): Visit,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let (query, browser) = (query.unwrap_or_default(), Some(visitor.browser.as_str()));
    let outcome = insist(|| demo.driver().returned(&query, browser), is_busy).await?;
    if is_busy(&outcome) {
        // The browser comes back once more: the job goes on only when it knows that it has.
        return Ok(Redirect::to(&format!("/return?{query}")).into_response());
    }
    let (job, next) = outcome.into_next().ok_or(Problem::NotFound)?;
    if let Next::Redirect { url, .. } = next {
        return Ok(Redirect::to(&url).into_response());
    }
    // The page of the case has an address without the signer's query.
    let status = demo.driver().status(job, browser).await?.ok_or(Problem::NotFound)?;
    let item = status.items.first().ok_or(Problem::Internal)?;
    let root = demo.config().documents();
    let case = Case::of_container(&root, &item.container).ok_or(Problem::Internal)?;
    Ok(to_case(&case))
}

fn onward(case: &Case, next: Next) -> Response {
    match next {
        Next::Redirect { url, .. } => Redirect::to(&url).into_response(),
        _ => to_case(case),
    }
}

fn to_case(case: &Case) -> Response {
    Redirect::to(&format!("/cases/{}", case.name)).into_response()
}
