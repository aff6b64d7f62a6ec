//! One pass over a document, for all its canonical forms.

use std::fmt;
use std::io;

use crate::error::Error;
use crate::xml::{Event, Reader, Span, StartElement};

use super::base::is_scheme;
use super::job::{Chooser, Job};
use super::method::Canonicalization;
use super::select::{Select, Selection};
use super::site::{Seeker, Site};
use super::target::{IdAttributes, Target};
use super::work::Work;

/// What a canonical form was made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Covered {
    /// Its octets.
    pub length: u64,
    /// Where the elements stand in the original octets that are in it while
    /// their parents are not, in the order in which they end; none for a whole
    /// document and for a [`Select`] of your own.
    pub selected: Vec<Span>,
    /// Where the elements stand that are not in it while their parents are,
    /// likewise.
    pub left_out: Vec<Span>,
    /// Whether what is outside of the root element is in.
    pub(crate) outside: bool,
    /// Whether it is the text only, so that elements in what is selected are
    /// left out though their text is not.
    pub(crate) text: bool,
    /// Whether a comment within what is selected is left out; of text, a comment or
    /// an instruction.
    pub(crate) passed_over: bool,
    /// What the first selected elements are called, in document order.
    pub(crate) elements: Vec<Selected>,
}

/// An element that is in a canonical form while its parent is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selected {
    pub(crate) start: u64,
    pub(crate) namespace: String,
    pub(crate) local_name: String,
    pub(crate) id: Option<String>,
}

impl Selected {
    pub(crate) fn new(element: &StartElement<'_>) -> Self {
        /// So many octets of a name are told.
        const MAX_NAME: usize = 256;

        let text = |octets: &[u8]| {
            let octets = octets.get(..MAX_NAME).unwrap_or(octets);
            String::from_utf8_lossy(octets).into_owned()
        };
        Self {
            start: element.tag().start,
            namespace: text(element.namespace()),
            local_name: text(element.local_name()),
            id: IdAttributes::default().of(element).map(text),
        }
    }
}

/// Makes canonical forms of a document while reading it once.
pub struct Pass<'a, 's> {
    reader: Reader<'a>,
    jobs: Vec<Job<'s>>,
}

impl<'a, 's> Pass<'a, 's> {
    /// A pass over this document.
    #[must_use]
    pub const fn new(reader: Reader<'a>) -> Self {
        Self { reader, jobs: Vec::new() }
    }

    /// One more canonical form. `sink` gets its octets in pieces; they are good
    /// only if [`run`](Self::run) finds no error.
    pub fn add(
        &mut self,
        method: Canonicalization,
        selection: Selection,
        sink: &'s mut (dyn FnMut(&[u8]) -> io::Result<()> + 's),
    ) {
        self.jobs.push(Job::new(method, Chooser::Selection(selection), sink));
    }

    /// One more canonical form, of a node-set of your own.
    pub fn add_custom(
        &mut self,
        method: Canonicalization,
        select: impl Select + 's,
        sink: &'s mut (dyn FnMut(&[u8]) -> io::Result<()> + 's),
    ) {
        self.jobs.push(Job::new(method, Chooser::Custom(Box::new(select)), sink));
    }

    /// Not a canonical form, but the text of the selected nodes, one piece
    /// behind the other.
    pub(crate) fn add_text(
        &mut self,
        selection: Selection,
        sink: &'s mut (dyn FnMut(&[u8]) -> io::Result<()> + 's),
    ) {
        let job = Job::new(Canonicalization::C14N_1_0, Chooser::Selection(selection), sink);
        self.jobs.push(job.of_text());
    }

    /// Reads the document to its end, whatever was selected: a document that
    /// is not well-formed has no canonical form, and neither has one with two
    /// elements of the wanted Id. Yields what each form covers, in the order in
    /// which they were added.
    ///
    /// # Errors
    /// What is wrong with the document; [`Error::RelativeNamespace`],
    /// [`Error::NoSuchElement`], [`Error::DuplicateId`]; [`Error::Limit`] for
    /// forms that cost much more than the document is long;
    /// [`ades_core::Error::Write`] with what a sink yields.
    pub fn run(mut self) -> Result<Vec<Covered>, Error> {
        self.read(feed)?;
        self.finish()
    }

    /// The same, except that what is wrong with one form is not wrong with the
    /// others.
    pub(crate) fn run_each(mut self) -> Result<Vec<Result<Covered, Error>>, Error> {
        let mut failed: Vec<Option<Error>> = self.jobs.iter().map(|_| None).collect();
        self.read(|jobs, event, work| {
            for (job, failed) in jobs.iter_mut().zip(&mut failed) {
                if failed.is_none() {
                    *failed = job.take(event, work).err();
                }
            }
            Ok(())
        })?;
        let jobs = self.jobs.into_iter().zip(failed);
        Ok(jobs.map(|(job, failed)| failed.map_or_else(|| job.finish(), Err)).collect())
    }

    /// As [`run`](Self::run), and what somebody who puts something into the
    /// document has to know; `within` is the element it is about, the root
    /// element if not given.
    pub(crate) fn run_for_site(
        mut self,
        within: Option<&Target>,
        ids: &IdAttributes,
    ) -> Result<(Vec<Covered>, Site), Error> {
        let mut seeker = Seeker::new(within, ids);
        self.read(|jobs, event, work| {
            seeker.see(event);
            feed(jobs, event, work)
        })?;
        let site = seeker.finish(&self.reader)?;
        Ok((self.finish()?, site))
    }

    /// Hands each event on, to the document's end.
    fn read(
        &mut self,
        mut feed: impl FnMut(&mut [Job<'s>], &Event<'_>, &mut Work) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut work = Work::new(self.reader.limits());
        while let Some(event) = self.reader.next_event()? {
            if let Event::StartElement(element) = &event {
                check_namespaces(element)?;
            }
            feed(&mut self.jobs, &event, &mut work)?;
            if work.is_much() {
                let read = self.reader.read();
                work.check(read, self.reader.limits())?;
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Vec<Covered>, Error> {
        self.jobs.into_iter().map(Job::finish).collect()
    }
}

fn feed(jobs: &mut [Job<'_>], event: &Event<'_>, work: &mut Work) -> Result<(), Error> {
    jobs.iter_mut().try_for_each(|job| job.take(event, work))
}

impl fmt::Debug for Pass<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pass").field("jobs", &self.jobs.len()).finish_non_exhaustive()
    }
}

/// One canonical form of a document, or of a part of it.
///
/// # Errors
/// As [`Pass::run`].
pub fn canonicalize(
    reader: Reader<'_>,
    method: Canonicalization,
    selection: Selection,
    sink: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> Result<Covered, Error> {
    let mut pass = Pass::new(reader);
    let mut sink = |piece: &[u8]| sink(piece);
    pass.add(method, selection, &mut sink);
    Ok(pass.run()?.pop().unwrap_or_default())
}

/// Namespace names must not be relative references (Canonical XML 1.0,
/// clause 1.3).
fn check_namespaces(element: &StartElement<'_>) -> Result<(), Error> {
    for &declared in &element.tag.declared {
        let name = String::from_utf8_lossy(element.namespaces.name(declared));
        let absolute = name.split_once(':').is_some_and(|(scheme, _)| is_scheme(scheme));
        if !name.is_empty() && !absolute {
            return Err(Error::RelativeNamespace { offset: element.tag().start });
        }
    }
    Ok(())
}
