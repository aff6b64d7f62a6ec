//! One pass over a document that makes all its canonical forms.

use std::fmt;
use std::io;

use crate::error::Error;
use crate::xml::{Event, Reader, Span, StartElement};

use super::base::is_scheme;
use super::form::{Form, NodeSet};
use super::insertion_site::{InsertionFacts, InsertionSite, SiteFinder};
use super::marks::Marks;
use super::method::Canonicalization;
use super::paused::PausedPass;
use super::select::{Select, Selection};
use super::target::{IdAttributes, Target};
use super::work::Work;

/// The parts of a document that a canonical form covers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Covered {
    /// The length of the form in octets.
    pub length: u64,
    /// The elements that are in the form and whose parents are not: their places in the
    /// original octets, in the order of their ends. Empty for a whole document and
    /// for an implementation of [`Select`].
    pub selected: Vec<Span>,
    /// The elements that are not in the form and whose parents are, in the same way.
    pub left_out: Vec<Span>,
    /// Whether nodes outside the root element are in the form.
    pub(crate) outside: bool,
    /// Whether only text was written. Elements inside the selected ones are then listed
    /// as left out, although their text is not.
    pub(crate) text: bool,
    /// Whether a comment inside the selected nodes is left out. With `text`: a comment
    /// or an instruction.
    pub(crate) comments_left_out: bool,
    /// The names of the first selected elements, in document order.
    pub(crate) elements: Vec<ElementName>,
    /// Where the elements of the form are, if it is parsed again.
    pub(crate) marks: Option<Marks>,
}

/// The name and Id of an element, cut at 256 octets each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ElementName {
    /// The offset of the element's first octet.
    pub(crate) start: u64,
    pub(crate) namespace: String,
    pub(crate) local_name: String,
    pub(crate) id: Option<String>,
}

impl ElementName {
    pub(crate) fn new(element: &StartElement<'_>) -> Self {
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
    forms: Vec<Form<'s>>,
}

impl<'a, 's> Pass<'a, 's> {
    /// A pass over the document of this reader.
    #[must_use]
    pub const fn new(reader: Reader<'a>) -> Self {
        Self { reader, forms: Vec::new() }
    }

    /// Adds a canonical form. `sink` receives its octets in pieces. They are valid only
    /// if [`run`](Self::run) returns no error.
    pub fn add(
        &mut self,
        method: Canonicalization,
        selection: Selection,
        sink: &'s mut (dyn FnMut(&[u8]) -> io::Result<()> + 's),
    ) {
        self.forms.push(Form::new(method, NodeSet::Selection(Box::new(selection)), sink));
    }

    /// As [`add`](Self::add), for a form that is parsed again.
    pub(crate) fn add_marked(
        &mut self,
        method: Canonicalization,
        selection: Selection,
        sink: &'s mut (dyn FnMut(&[u8]) -> io::Result<()> + 's),
    ) {
        let form = Form::new(method, NodeSet::Selection(Box::new(selection)), sink);
        self.forms.push(form.with_marks());
    }

    /// Adds a canonical form of a custom node-set.
    pub fn add_custom(
        &mut self,
        method: Canonicalization,
        select: impl Select + 's,
        sink: &'s mut (dyn FnMut(&[u8]) -> io::Result<()> + 's),
    ) {
        self.forms.push(Form::new(method, NodeSet::Custom(Box::new(select)), sink));
    }

    /// Adds the text of the selected nodes, concatenated, instead of a canonical
    /// form.
    pub(crate) fn add_text(
        &mut self,
        selection: Selection,
        sink: &'s mut (dyn FnMut(&[u8]) -> io::Result<()> + 's),
    ) {
        let form =
            Form::new(Canonicalization::C14N_1_0, NodeSet::Selection(Box::new(selection)), sink);
        self.forms.push(form.of_text());
    }

    /// Reads the document and passes the forms to their sinks. Returns the covered parts
    /// of each form, in the order in which the forms were added.
    ///
    /// The document is read to its end even if the selected element ends earlier: the
    /// forms are valid only if the whole document is well-formed and no second element
    /// has the selected Id.
    ///
    /// # Errors
    /// An error about the document; [`Error::RelativeNamespace`],
    /// [`Error::NoSuchElement`], [`Error::DuplicateId`]; [`Error::Limit`] for forms
    /// that cost much more than the document's length; [`ades_core::Error::Write`]
    /// with the error of a sink.
    pub fn run(mut self) -> Result<Vec<Covered>, Error> {
        let mut work = Work::new(self.reader.limits());
        self.read(u64::MAX, &mut work, feed)?;
        self.finish()
    }

    /// As [`run`](Self::run), except that an error about one form does not affect the
    /// others. `see` sees each event first. Also returns what insertions depend on.
    pub(crate) fn run_each(
        mut self,
        see: &mut dyn FnMut(&Event<'_>) -> Result<(), Error>,
    ) -> Result<(Vec<Result<Covered, Error>>, InsertionFacts), Error> {
        let mut failed: Vec<Option<Error>> = self.forms.iter().map(|_| None).collect();
        let mut work = Work::new(self.reader.limits());
        self.read(u64::MAX, &mut work, |forms, event, work| {
            see(event)?;
            for (form, failed) in forms.iter_mut().zip(&mut failed) {
                if failed.is_none()
                    && let Err(error) = form.take(event, work)
                {
                    *failed = Some(error);
                }
            }
            Ok(())
        })?;
        let facts = InsertionFacts::new(&self.reader);
        let forms = self.forms.into_iter().zip(failed);
        let forms = forms.map(|(form, failed)| failed.map_or_else(|| form.finish(), Err));
        Ok((forms.collect(), facts))
    }

    /// As [`run`](Self::run), and finds the site of an insertion into or after `target`.
    /// `None`: the root element. After the first element that ends at the octet `pause_at` or
    /// later, `pause` gets the place, if another pass can continue from it.
    pub(crate) fn run_for_site(
        mut self,
        target: Option<&Target>,
        ids: &IdAttributes,
        pause_at: Option<u64>,
        pause: &mut dyn FnMut(PausedPass) -> Result<(), Error>,
    ) -> Result<(Vec<Covered>, InsertionSite), Error> {
        let mut finder = SiteFinder::new(target, ids);
        let mut work = Work::new(self.reader.limits());
        let until = pause_at.into_iter().chain([u64::MAX]);
        for until in until {
            self.read(until, &mut work, |forms, event, work| {
                finder.see(event);
                feed(forms, event, work)
            })?;
            if let Some(paused) = self.pause(&finder) {
                pause(paused)?;
            }
        }
        let site = finder.finish(&self.reader)?;
        Ok((self.finish()?, site))
    }

    /// This place, if another pass can continue from it.
    fn pause(&self, finder: &SiteFinder<'_>) -> Option<PausedPass> {
        let [form] = self.forms.as_slice() else { return None };
        let (root, reader) = (finder.unsigned_root()?.clone(), self.reader.pause()?);
        Some(PausedPass { reader, form: form.pause()?, root })
    }

    /// Continues all forms from this place: the one of the whole document, and those of elements
    /// that come after it. The reader is at this place.
    pub(crate) fn resume(&mut self, paused: &PausedPass) {
        for form in &mut self.forms {
            form.resume(&paused.form, paused.reader.depth());
        }
    }

    /// Passes each event to `feed`: up to the first element that ends at the octet `until` or
    /// later, or to the document's end.
    fn read(
        &mut self,
        until: u64,
        work: &mut Work,
        mut feed: impl FnMut(&mut [Form<'s>], &Event<'_>, &mut Work) -> Result<(), Error>,
    ) -> Result<(), Error> {
        while let Some(event) = self.reader.next_event()? {
            let mut is_last = false;
            match &event {
                Event::StartElement(element) if !element.tag.declared.is_empty() => {
                    check_namespaces(element)?;
                }
                Event::EndElement(element) => is_last = element.span().end_tag.end >= until,
                _ => {}
            }
            feed(&mut self.forms, &event, work)?;
            if work.is_exceeded() {
                let read = self.reader.read();
                work.check(read, self.reader.limits())?;
            }
            if is_last {
                break;
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Vec<Covered>, Error> {
        self.forms.into_iter().map(Form::finish).collect()
    }
}

fn feed(forms: &mut [Form<'_>], event: &Event<'_>, work: &mut Work) -> Result<(), Error> {
    forms.iter_mut().try_for_each(|form| form.take(event, work))
}

impl fmt::Debug for Pass<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pass").field("forms", &self.forms.len()).finish_non_exhaustive()
    }
}

/// Makes one canonical form of a document, or of a part of it.
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

/// Returns an error for a namespace name that is a relative reference (Canonical XML
/// 1.0, clause 1.3).
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
