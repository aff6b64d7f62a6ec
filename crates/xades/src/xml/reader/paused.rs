//! A place between two events of a document, from which another reader can continue.

use std::fmt;
use std::io::Read;

use crate::xml::limits::Limits;
use crate::xml::namespaces::Namespaces;
use crate::xml::window::{PausedWindow, Window};
use crate::xml::xml_scope::XmlScope;

use super::{Inside, OpenElement, Reader, Stage};

/// A place in the content of a document without a DTD.
#[derive(Clone)]
pub(crate) struct PausedReader {
    window: PausedWindow,
    limits: Limits,
    used: usize,
    brackets: usize,
    open: Vec<OpenElement>,
    names: Vec<u8>,
    namespaces: Namespaces,
    xml_scope: XmlScope,
}

impl Reader<'_> {
    /// The place after the last event. `None` where a reader cannot continue: outside the root
    /// element, inside an entity or a construct of several events, in a document with a DTD or
    /// in memory, and at the document's end.
    pub(crate) fn pause(&self) -> Option<PausedReader> {
        let between = self.stage == Stage::Content
            && self.inside == Inside::Nothing
            && !self.empty_tag
            && self.following == 0
            && self.frames.is_empty()
            && !self.dtd.present;
        let window = between.then(|| self.window.pause())??;
        Some(PausedReader {
            window,
            limits: self.limits.clone(),
            used: self.used,
            brackets: self.brackets,
            open: self.open.clone(),
            names: self.names.clone(),
            namespaces: self.namespaces.clone(),
            xml_scope: self.xml_scope.clone(),
        })
    }
}

impl PausedReader {
    /// The number of octets of the document that have been read. Those that follow are read from
    /// the source of [`resume`](Self::resume).
    pub(crate) const fn fetched(&self) -> u64 {
        self.window.fetched
    }

    /// The number of open elements.
    pub(crate) const fn depth(&self) -> usize {
        self.open.len()
    }

    /// Continues with a source of the octets that follow.
    pub(crate) fn resume<'a>(&self, following: impl Read + 'a) -> Reader<'a> {
        let Self { window, limits, used, brackets, open, names, namespaces, xml_scope } =
            self.clone();
        let window = Window::resume(&window, Box::new(following));
        Reader {
            stage: Stage::Content,
            used,
            brackets,
            open,
            names,
            namespaces,
            xml_scope,
            ..Reader::new(window).with_limits(limits)
        }
    }
}

// A document's content must not reach logs.
impl fmt::Debug for PausedReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PausedReader").field("fetched", &self.fetched()).finish_non_exhaustive()
    }
}
