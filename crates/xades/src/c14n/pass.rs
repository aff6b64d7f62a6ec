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
        while let Some(event) = self.reader.next_with_text()? {
            let mut is_last = false;
            match &event {
                Event::StartElement(element) => {
                    if !element.tag.declared.is_empty() {
                        check_namespaces(element)?;
                    }
                    is_last = element.covered.end_tag > 0 && element.span.end_tag.end >= until;
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

#[cfg(test)]
mod tests {
    use std::io::Read;

    use test_documents::Random;

    use super::super::select::{SetOperation, Shown};
    use super::super::xpath::Expression;
    use super::*;

    /// Returns at most this many octets at a time.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let len = buffer.len().min(self.1);
            self.0.read(&mut buffer[..len])
        }
    }

    /// Elements of one depth in turns: one with its content, one without, one's content alone.
    struct Turns;

    impl Select for Turns {
        fn element(&mut self, element: &StartElement<'_>, _: Shown) -> Shown {
            match element.depth() % 3 {
                0 => Shown::YES,
                1 => Shown { element: true, content: false },
                _ => Shown { element: false, content: true },
            }
        }
    }

    /// A document with much text around its tags. Not all are well-formed.
    fn document(random: &mut Random) -> String {
        const TAGS: [(&str, &str); 8] = [
            ("<a>", "</a>"),
            ("<p:b xmlns:p='urn:p'>", "</p:b>"),
            ("<a Id=\"i\">", "</a\n>"),
            ("<a  b='&amp;' xml:lang=\"nl\">", "</a>"),
            ("<c xmlns='urn:d'>", "</c>"),
            ("<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">", "</ds:Signature>"),
            ("<é>", "</é>"),
            ("<a/>", ""),
        ];
        const TEXTS: [&str; 14] = [
            "",
            "\n  ",
            "text",
            "é€",
            "]",
            "]]",
            "&amp;",
            "\r\n",
            "\r",
            "<!-- c -->",
            "<?p d?>",
            "<![CDATA[<x>]]>",
            "&e;",
            ">",
        ];
        const HEADS: [&str; 3] = [
            "",
            "<!DOCTYPE a [<!ENTITY e 'x<a>]</a>y'><!ATTLIST a d CDATA '1'>]>\n",
            "<?xml version='1.0'?><!-- c -->",
        ];
        let mut pick = |among: usize| usize::try_from(random.next() % among as u64).unwrap();
        let (mut text, mut open) = (HEADS[pick(3)].to_owned(), Vec::new());
        for _ in 0..pick(40) {
            if pick(3) == 0
                && let Some(end) = open.pop()
            {
                text.push_str(end);
            } else {
                let (start, end) = TAGS[pick(8)];
                text.push_str(start);
                open.extend((!end.is_empty()).then_some(end));
            }
            text.push_str(TEXTS[pick(14)]);
        }
        open.iter().rev().for_each(|end| text.push_str(end));
        text
    }

    fn selections() -> Vec<Selection> {
        let expression = |text| Expression { text, prefixes: &[], here: None };
        let id = || Target::Id("i".to_owned());
        let without = Selection::document().filtered([(SetOperation::Subtract, id())]);
        vec![
            Selection::document(),
            Selection::document().without_comments(),
            Selection::element(id()),
            Selection::element(Target::At(3)).without(Target::first_signature()),
            without,
            Selection::document().where_true(expression("self::text()")).unwrap(),
            Selection::document().where_true(expression("not(ancestor-or-self::a)")).unwrap(),
        ]
    }

    /// What all forms get and cover, the work, and the sites of insertions. `with_text`: the events
    /// cover the text after tags, and whole elements.
    fn forms(document: &[u8], piece: usize, with_text: bool) -> Result<String, Error> {
        let mut reader = Reader::from_read(Pieces(document, piece))?;
        let methods = [Canonicalization::C14N_1_0.with_comments(), Canonicalization::EXCLUSIVE];
        let mut outputs = vec![Vec::new(); 3 * (selections().len() + 1)];
        let mut sinks: Vec<_> = outputs
            .iter_mut()
            .map(|out| {
                |piece: &[u8]| {
                    out.extend_from_slice(piece);
                    Ok(())
                }
            })
            .collect();
        let mut forms = Vec::new();
        let mut sink = sinks.iter_mut();
        for method in methods {
            for nodes in selections() {
                let nodes = NodeSet::Selection(Box::new(nodes));
                forms.push(Form::new(method.clone(), nodes, sink.next().unwrap()));
            }
            let nodes = NodeSet::Custom(Box::new(Turns));
            forms.push(Form::new(method, nodes, sink.next().unwrap()).with_marks());
        }
        for nodes in selections() {
            let nodes = NodeSet::Selection(Box::new(nodes));
            let form = Form::new(Canonicalization::C14N_1_0, nodes, sink.next().unwrap());
            forms.push(form.of_text());
        }
        let ids = IdAttributes::default();
        let (id, first) = (Target::Id("i".to_owned()), Target::first_signature());
        let mut finders =
            [None, Some(&id), Some(&first)].map(|target| SiteFinder::new(target, &ids));
        let mut work = Work::new(reader.limits());
        let mut failed: Vec<_> = forms.iter().map(|_| None).collect();
        loop {
            let event = if with_text { reader.next_with_text()? } else { reader.next_event()? };
            let Some(event) = event else { break };
            finders.iter_mut().for_each(|finder| finder.see(&event));
            for (form, failed) in forms.iter_mut().zip(&mut failed) {
                if failed.is_none() {
                    *failed = form.take(&event, &mut work).err();
                }
            }
        }
        let forms = forms.into_iter().zip(failed);
        let covered: Vec<_> =
            forms.map(|(form, failed)| failed.map_or_else(|| form.finish(), Err)).collect();
        drop(sinks);
        let outputs: Vec<_> = outputs.iter().map(|out| String::from_utf8_lossy(out)).collect();
        let sites = finders.map(|finder| {
            let site = finder.finish(&reader).map_err(|error| error.to_string())?;
            let InsertionSite { name, span, root, in_signature, is_signature, signed, .. } = site;
            Ok::<_, String>((name, span, root, in_signature, is_signature, signed))
        });
        Ok(format!("{outputs:#?} {covered:?} {work:?} {sites:?}"))
    }

    #[test]
    fn forms_do_not_depend_on_what_an_event_covers() {
        let mut random = Random::new(1);
        let mut well_formed = 0;
        for _ in 0..1000 {
            let document = document(&mut random);
            for piece in [1, 7, 100_000] {
                let [alone, with_text] = [false, true].map(|with_text| {
                    forms(document.as_bytes(), piece, with_text).map_err(|e| e.to_string())
                });
                well_formed += usize::from(alone.is_ok());
                assert!(alone == with_text, "{document}\n{alone:?}\n{with_text:?}");
            }
        }
        assert!(well_formed > 500, "{well_formed}");
    }
}
