//! The trips of the user's browser to the signer's pages and back.

use std::sync::Arc;

use ades::itsme::{is_return_from, return_key};
use ades::{Digest, DigestAlgorithm};
use tokio::sync::watch;

use super::ending::LastPage;

/// The trips of one job. Clones are the same trips.
#[derive(Clone)]
pub(crate) struct Trips(Arc<watch::Sender<State>>);

#[derive(Default)]
struct State {
    trips: Vec<Trip>,
    outcome: Option<LastPage>,
    /// Whether a browser has the page with the outcome
    shown: bool,
}

struct Trip {
    /// The signer's page to which the user was sent
    page: String,
    /// Whether browsers are sent to the page
    open: bool,
    /// Whether the step of this page is over
    over: bool,
    /// Whether a browser has returned from it
    returned: bool,
}

/// What is known about the page that a browser comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The page of the present step
    Pending,
    /// The page of an earlier step
    Over,
    /// A page that this process did not show; the signer may know it
    Unknown,
}

/// The answer to a browser of this job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// The next page of the signer
    Page(String),
    Last(LastPage),
}

impl Default for Trips {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(State::default())))
    }
}

impl Trips {
    /// Adds a page whose key is recognised from now on. Browsers are not sent to it before it is
    /// open.
    pub(super) fn add(&self, page: &str) {
        let trip = Trip { page: page.to_owned(), open: false, over: false, returned: false };
        self.0.send_modify(|state| state.trips.push(trip));
    }

    /// Opens a page: the process that has the return address knows its key.
    pub(super) fn open(&self, page: &str) {
        self.0.send_modify(|state| {
            let added = state.trips.iter_mut().filter(|trip| trip.page == page);
            added.for_each(|trip| trip.open = true);
        });
    }

    pub(crate) fn end_step(&self) {
        self.0.send_modify(|state| state.trips.iter_mut().for_each(|trip| trip.over = true));
    }

    pub(super) fn end(&self, outcome: LastPage) {
        self.0.send_modify(|state| state.outcome = Some(outcome));
    }

    /// Records that a browser has returned with this query. The signer may know a page that an
    /// earlier process showed.
    pub(crate) fn note_return(&self, query: &str) {
        self.0.send_modify(|state| match state.trip(query) {
            Some(trip) => trip.returned = true,
            None => {
                let page = format!("?{query}");
                state.trips.push(Trip { page, open: false, over: false, returned: true });
            }
        });
    }

    pub(super) fn have_ended(&self) -> bool {
        self.0.borrow().outcome.is_some()
    }

    pub(super) fn has_browser(&self) -> bool {
        self.0.borrow().trips.iter().any(|trip| trip.returned)
    }

    pub(crate) fn is_from_page(&self, query: &str) -> bool {
        self.from(query) != Source::Unknown
    }

    pub(super) fn from(&self, query: &str) -> Source {
        let state = self.0.borrow();
        match state.trips.iter().find(|trip| is_return_from(&trip.page, query)) {
            Some(trip) if trip.over || state.outcome.is_some() => Source::Over,
            Some(_) => Source::Pending,
            None => Source::Unknown,
        }
    }

    /// Waits until there is an answer to a browser that came back with this query.
    pub(super) async fn reply(&self, query: &str) -> Option<Reply> {
        let mut changes = self.0.subscribe();
        let state = changes.wait_for(|state| state.reply(query).is_some()).await.ok()?;
        state.reply(query)
    }

    /// Records that a browser has the page with the outcome.
    pub(super) fn note_shown(&self) {
        self.0.send_modify(|state| state.shown = true);
    }

    pub(super) async fn until_shown(&self) {
        // An error means that there are no trips any more.
        let _ = self.0.subscribe().wait_for(|state| state.shown).await;
    }

    /// The digests of the keys by which browsers come back.
    pub(super) fn key_digests(&self) -> Vec<String> {
        let state = self.0.borrow();
        state.trips.iter().filter_map(|trip| key_digest(&trip.page)).collect()
    }
}

impl State {
    fn trip(&mut self, query: &str) -> Option<&mut Trip> {
        self.trips.iter_mut().find(|trip| is_return_from(&trip.page, query))
    }

    fn reply(&self, query: &str) -> Option<Reply> {
        if let Some(outcome) = self.outcome {
            return Some(Reply::Last(outcome));
        }
        let at = self.trips.iter().position(|trip| is_return_from(&trip.page, query))?;
        let (_, later) = self.trips.split_at_checked(at + 1)?;
        let next = later.iter().rev().find(|trip| trip.open && !trip.over)?;
        Some(Reply::Page(next.page.clone()))
    }
}

/// The digest of the key in the URL of a page or of a return. Processes recognise keys by their
/// digests, so that none learns the key of another one.
pub(super) fn key_digest(url: &str) -> Option<String> {
    Some(Digest::of(DigestAlgorithm::Sha256, return_key(url)?.as_bytes()).to_hex())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::return_page::Ending;
    use crate::return_page::tests::block_on;

    fn now(trips: &Trips, query: &str) -> Option<Reply> {
        trips.0.borrow().reply(query)
    }

    #[test]
    fn next_page_is_that_of_the_present_step() {
        let trips = Trips::default();
        trips.add("https://page/1?st=one");
        assert_eq!((trips.from("st=one"), now(&trips, "st=one")), (Source::Pending, None));
        trips.note_return("st=one");
        assert_eq!((trips.from("st=one"), now(&trips, "st=one")), (Source::Pending, None));
        trips.end_step();
        assert_eq!((trips.from("st=one"), now(&trips, "st=one")), (Source::Over, None));
        trips.add("https://page/2?st=two");
        // Its key is known before anybody is sent there.
        assert_eq!((trips.from("st=two"), now(&trips, "st=one")), (Source::Pending, None));
        trips.open("https://page/2?st=two");
        let next = Some(Reply::Page("https://page/2?st=two".to_owned()));
        assert_eq!((now(&trips, "st=one"), now(&trips, "st=two")), (next, None));
        assert_eq!((trips.from("st=three"), now(&trips, "st=three")), (Source::Unknown, None));
        let outcome = LastPage { ending: Ending::Expired, signed: 0, files: 2 };
        trips.end(outcome);
        assert_eq!(trips.from("st=two"), Source::Over);
        assert_eq!(block_on(trips.reply("st=two")), Some(Reply::Last(outcome)));
    }

    #[test]
    fn browser_from_a_page_of_an_earlier_process_is_sent_on() {
        let trips = Trips::default();
        trips.note_return("st=earlier");
        assert!(trips.has_browser());
        trips.end_step();
        trips.add("https://page/2?st=two");
        trips.open("https://page/2?st=two");
        let next = Some(Reply::Page("https://page/2?st=two".to_owned()));
        assert_eq!(now(&trips, "st=earlier"), next);
    }

    #[test]
    fn key_is_recognised_by_its_digest() {
        let digest = key_digest("https://page?q=1&st=one#top").unwrap();
        assert_eq!(digest.len(), 64);
        assert_eq!(key_digest("/return?st=one&ades=waits"), Some(digest));
        for none in ["/return", "/return?q=1", "/return?st=one&st=two"] {
            assert_eq!(key_digest(none), None);
        }
    }
}
