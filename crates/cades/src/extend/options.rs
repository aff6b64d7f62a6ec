//! Options of adding to a container.

use std::fmt;

use ades_core::Document;

use crate::options::Original;

/// What adding to a container needs beside it.
#[derive(Default)]
pub struct ExtendOptions<'a> {
    pub(crate) original: Option<&'a mut dyn Original>,
}

impl<'a> ExtendOptions<'a> {
    /// No document.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The document of a detached container, which an archive time-stamp covers. It is read
    /// once, as a stream. The content of an enveloping container must equal it.
    #[must_use]
    pub fn original(mut self, original: &'a mut Document<'_>) -> Self {
        self.original = Some(original);
        self
    }
}

impl fmt::Debug for ExtendOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExtendOptions").field("original", &self.original.is_some()).finish()
    }
}
