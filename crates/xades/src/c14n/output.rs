//! Escaping and buffering of canonical octets before they reach their sink.

use std::io;

use crate::error::Error;
use crate::xml::chars::{self, TEXT_ESCAPED, VALUE_ESCAPED};

/// Number of octets that are gathered before they are passed to the sink.
const PIECE: usize = 32 * 1024;

/// Receives canonical octets, in order.
pub(crate) type Sink<'s> = dyn FnMut(&[u8]) -> io::Result<()> + 's;

/// Gathers small pieces, and passes big ones to the sink at once. Keeps the first
/// error of the sink until [`check`](Self::check) returns it.
pub(crate) struct Output<'s> {
    gathered: Vec<u8>,
    sink: &'s mut Sink<'s>,
    length: u64,
    error: Option<io::Error>,
}

impl<'s> Output<'s> {
    pub(crate) fn new(sink: &'s mut Sink<'s>) -> Self {
        Self { gathered: Vec::with_capacity(PIECE), sink, length: 0, error: None }
    }

    /// Adds octets without escaping.
    #[inline]
    pub(crate) fn push(&mut self, octets: &[u8]) {
        if self.gathered.len() + octets.len() > PIECE {
            self.make_room(octets);
        } else {
            self.gathered.extend_from_slice(octets);
        }
    }

    fn make_room(&mut self, octets: &[u8]) {
        self.flush();
        if octets.len() > PIECE / 2 {
            self.send(octets);
        } else {
            self.gathered.extend_from_slice(octets);
        }
    }

    /// Adds text, escaped (Canonical XML 1.0, clause 2.3).
    pub(crate) fn push_text(&mut self, text: &[u8]) {
        self.push_escaped(text, TEXT_ESCAPED);
    }

    /// Adds an attribute value, escaped.
    pub(crate) fn push_value(&mut self, value: &[u8]) {
        self.push_escaped(value, VALUE_ESCAPED);
    }

    fn push_escaped(&mut self, mut text: &[u8], classes: u8) {
        while let Some(at) = text.iter().position(|&octet| chars::is(octet, classes)) {
            let (run, rest) = text.split_at_checked(at).unwrap_or((text, &[]));
            self.push(run);
            let Some((&octet, rest)) = rest.split_first() else { return };
            self.push(match octet {
                b'&' => b"&amp;",
                b'<' => b"&lt;",
                b'>' => b"&gt;",
                b'"' => b"&quot;",
                b'\t' => b"&#x9;",
                b'\n' => b"&#xA;",
                _ => b"&#xD;",
            });
            text = rest;
        }
        self.push(text);
    }

    /// The number of octets that the sink has, and those that it does not have yet.
    pub(crate) fn pause(&self) -> (u64, &[u8]) {
        (self.length, &self.gathered)
    }

    /// Continues after octets that another sink has got, and these.
    pub(crate) fn resume(&mut self, length: u64, gathered: &[u8]) {
        self.length = length;
        self.gathered.clear();
        self.gathered.extend_from_slice(gathered);
    }

    /// The number of octets so far.
    pub(crate) const fn written(&self) -> usize {
        self.length as usize + self.gathered.len()
    }

    fn flush(&mut self) {
        let gathered = std::mem::take(&mut self.gathered);
        self.send(&gathered);
        self.gathered = gathered;
        self.gathered.clear();
    }

    fn send(&mut self, octets: &[u8]) {
        if self.error.is_none() && !octets.is_empty() {
            self.length += octets.len() as u64;
            self.error = (self.sink)(octets).err();
        }
    }

    /// Returns the first error of the sink.
    pub(crate) fn check(&mut self) -> Result<(), Error> {
        match self.error.take() {
            Some(error) => Err(ades_core::Error::Write(error).into()),
            None => Ok(()),
        }
    }

    /// Passes the rest to the sink. Returns the number of all octets of the form.
    pub(crate) fn finish(&mut self) -> Result<u64, Error> {
        self.flush();
        self.check()?;
        Ok(self.length)
    }
}
