//! One document: what it looks like, how it is signed, and what its container holds.

use std::fs::File;
use std::io::Read;
use std::time::SystemTime;

use ades::{Document, VerifyOptions};
use axum::Extension;
use axum::extract::{Form, Path, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::cases::Item;
use crate::error::Problem;
use crate::options::{A4, Choice, Kind, Place};
use crate::pages;
use crate::preview::page_sizes;
use crate::server::{Demo, blocking};
use crate::visitor::Visit;

/// Maximum length of the text that is shown of a document, in octets.
const MAX_TEXT: u64 = 64 * 1024;

/// What is shown of a document.
pub(crate) enum View {
    /// The sizes of its pages, in points
    Pages(Vec<(f64, f64)>),
    /// Its text, or the beginning of it
    Text(String),
    Nothing,
}

/// What a container holds.
pub(crate) struct Contents {
    /// The list of the facade
    pub(crate) list: String,
    /// Whether the signature is intact; `None` if that could not be found out
    pub(crate) intact: Option<bool>,
    pub(crate) signer: Option<String>,
    pub(crate) format: String,
}

/// The page of a document.
pub(crate) async fn look(
    State(demo): State<Demo>,
    Extension(visitor): Visit,
    Path((name, no)): Path<(String, usize)>,
) -> Result<Html<String>, Problem> {
    let case = demo.case(&visitor, &name)?;
    let item = case.item(no)?;
    let view = match item.about.kind {
        Kind::Pdf => View::Pages(page_sizes(&demo, &item).await),
        Kind::Xml | Kind::Other => view_text(&item).await?,
    };
    let is_open = case.attempt()?.is_open;
    Ok(Html(pages::document(&visitor, &case, &item, &view, is_open)))
}

async fn view_text(item: &Item) -> Result<View, Problem> {
    let path = item.document();
    let read = move || {
        let mut octets = Vec::new();
        File::open(path)?.take(MAX_TEXT).read_to_end(&mut octets).map(|_| octets)
    };
    let octets = blocking(read).await?;
    let is_text = !octets.contains(&0);
    let text = String::from_utf8_lossy(&octets);
    // A letter may be cut in two at the end.
    let odd = text.chars().filter(|c| *c == char::REPLACEMENT_CHARACTER).count();
    Ok(if is_text && odd <= 3 { View::Text(text.into_owned()) } else { View::Nothing })
}

/// The form on the page of a document.
#[derive(Deserialize)]
pub(crate) struct ChoiceForm {
    token: String,
    #[serde(default)]
    remove: Option<String>,
    #[serde(default)]
    choice: String,
    /// `none`, a corner, or `here`
    #[serde(default)]
    stamp: String,
    #[serde(default)]
    page: Option<usize>,
    /// In points from the lower left corner, for `here`
    #[serde(default)]
    left: Option<f64>,
    #[serde(default)]
    bottom: Option<f64>,
}

/// Stores how a document is signed, or removes it.
pub(crate) async fn choose(
    State(demo): State<Demo>,
    Extension(visitor): Visit,
    Path((name, no)): Path<(String, usize)>,
    Form(form): Form<ChoiceForm>,
) -> Result<Response, Problem> {
    visitor.check(&form.token)?;
    let case = demo.case(&visitor, &name)?;
    let mut item = case.item(no)?;
    let back = Redirect::to(&format!("/cases/{name}")).into_response();
    if form.remove.is_some() {
        blocking(move || case.change(|| Ok(item.remove()?))).await?;
        return Ok(back);
    }
    let choice = Choice::from_name(&form.choice).ok_or(Problem::Form)?;
    if !item.about.kind.choices().contains(&choice) {
        return Err(Problem::Form);
    }
    item.about.choice = choice;
    item.about.stamp = match choice {
        Choice::Pades => stamp(&form, &page_sizes(&demo, &item).await),
        _ => None,
    };
    let item = blocking(move || {
        item.about.examine(&mut item.open()?);
        case.change(|| item.store())?;
        Ok::<_, Problem>(item)
    })
    .await?;
    // What cannot be signed like this is said where it can be changed.
    Ok(match &item.about.problem {
        Some(_) => Redirect::to(&format!("/cases/{name}/{no}")).into_response(),
        None => back,
    })
}

fn stamp(form: &ChoiceForm, sizes: &[(f64, f64)]) -> Option<Place> {
    let page = form.page.unwrap_or(1).clamp(1, sizes.len().max(1));
    let size = page.checked_sub(1).and_then(|at| sizes.get(at)).copied().unwrap_or(A4);
    match form.stamp.as_str() {
        "here" => Some(Place { page, left: form.left?, bottom: form.bottom? }.within(size)),
        corner => Place::in_corner(corner, page, size),
    }
}

/// The page of what a container holds.
pub(crate) async fn show(
    State(demo): State<Demo>,
    Extension(visitor): Visit,
    Path((name, no)): Path<(String, usize)>,
) -> Result<Html<String>, Problem> {
    let case = demo.case(&visitor, &name)?;
    let item = case.item(no)?;
    let read = item.clone();
    let contents = blocking(move || inspect(&read)).await?;
    Ok(Html(pages::contents(&visitor, &case, &item, &contents)))
}

fn inspect(item: &Item) -> Result<Contents, Problem> {
    let mut signed = Document::seekable(File::open(item.signed())?);
    let options = || -> Result<VerifyOptions<'static>, Problem> {
        let options = VerifyOptions::new();
        let is_detached = item.about.is_detached();
        Ok(if is_detached {
            options.original(Some(item.about.name.clone()), item.open()?)
        } else {
            options
        })
    };
    let unreadable = |error: ades::Error| {
        tracing::warn!(%error, "a container cannot be read");
        Problem::Internal
    };
    let list = ades::inspect(&mut signed, options()?).map_err(unreadable)?.to_string();
    let report = ades::verify(&mut signed, options()?.integrity_only(), SystemTime::now().into());
    let report = report.map_err(unreadable)?;
    let last = report.signatures.last();
    Ok(Contents {
        list,
        intact: report.integrity(),
        signer: last.and_then(|signature| signature.signer.clone()),
        format: last.map(|one| format!("{} {}", one.format, one.level)).unwrap_or_default(),
    })
}
