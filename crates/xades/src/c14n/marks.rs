//! Where the elements of a canonical form are in the document: for octets that are parsed
//! again.

use crate::xml::Span;

use super::pass::{Covered, ElementName};

/// Maximum number of elements whose places are kept. Of a form with more, it is not known
/// what the octets of a later form cover.
const MAX_MARKS: usize = 1 << 18;

/// The places of the elements of a canonical form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// In the order of their start tags.
    list: Vec<Mark>,
    /// The indices of those that are open.
    open: Vec<usize>,
    /// The number of open elements without a mark.
    unmarked: usize,
    /// Whether there are too many elements.
    exceeded: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Mark {
    /// The offset of the start tag in the form.
    written: u64,
    /// `None` until the end tag is read.
    span: Option<Span>,
}

impl Marks {
    /// The start tag that follows `written` octets of the form.
    pub(crate) fn start(&mut self, written: u64) {
        if self.list.len() == MAX_MARKS {
            self.exceeded = true;
            self.unmarked += 1;
            return;
        }
        self.open.push(self.list.len());
        self.list.push(Mark { written, span: None });
    }

    pub(crate) fn end(&mut self, span: &Span) {
        if self.unmarked > 0 {
            self.unmarked -= 1;
        } else if let Some(mark) = self.open.pop().and_then(|at| self.list.get_mut(at)) {
            mark.span = Some(span.clone());
        }
    }

    /// The place of the element whose start tag is at this offset of the form.
    fn find(&self, written: u64) -> Option<&Span> {
        let at = self.list.binary_search_by_key(&written, |mark| mark.written).ok()?;
        self.list.get(at)?.span.as_ref()
    }

    fn map(&self, spans: &[Span]) -> Option<Vec<Span>> {
        spans.iter().map(|span| self.find(span.start_tag.start).cloned()).collect()
    }
}

impl Covered {
    /// This, about the octets of the form `before`, as a statement about the document of
    /// that form.
    pub(crate) fn mapped_through(self, before: Self) -> Self {
        let Self { length, comments_left_out, text, .. } = self;
        let comments_left_out = comments_left_out || before.comments_left_out;
        let everything = self.outside && self.left_out.is_empty() && !text;
        let marks = before.marks.as_ref().filter(|marks| !marks.exceeded);
        let mapped = marks.and_then(|marks| {
            let own = self.marks.as_ref();
            let mark = |mark: &Mark| {
                let span = mark.span.as_ref().and_then(|span| marks.find(span.start_tag.start));
                Mark { written: mark.written, span: span.cloned() }
            };
            let own = own.map(|own| Marks {
                list: own.list.iter().map(mark).collect(),
                exceeded: own.exceeded,
                ..Marks::default()
            });
            Some((marks, marks.map(&self.selected)?, marks.map(&self.left_out)?, own))
        });
        let Some((marks, selected, left_out, own)) = mapped else {
            // Without the places, only a form of everything is known.
            return match everything {
                true => Self { length, comments_left_out, ..before },
                false => Self { length, ..Self::default() },
            };
        };
        let elements = self.elements.iter().filter_map(|element| {
            let start = marks.find(element.start)?.start_tag.start;
            Some(ElementName { start, ..element.clone() })
        });
        let elements = elements.collect();
        let (selected, elements) = match self.outside {
            true => (before.selected, before.elements),
            false => (selected, elements),
        };
        let mut left_out = [before.left_out, left_out].concat();
        left_out.sort_by_key(|span| span.end_tag.end);
        Self {
            length,
            selected,
            left_out,
            outside: self.outside && before.outside,
            text: text || before.text,
            comments_left_out,
            elements,
            marks: own,
        }
    }
}
