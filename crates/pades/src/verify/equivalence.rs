//! Whether two values are equal when their references are followed: the same content after
//! another reference changes nothing that a reader shows. Some products write the objects
//! of a page again at every renewal.

use std::collections::{BTreeMap, HashSet};

use super::changes::{Comparison, readable};
use super::compare::{equal, repeats};
use crate::error::Error;
use crate::file::{Indirect, Pdf};
use crate::syntax::{Kind, Reference, Value};

/// Maximum number of values that one comparison of two revisions follows references for.
const MAX_VISITS: usize = 16_384;
/// Maximum number of octets of streams that one comparison of two revisions compares.
const MAX_STREAMS_LEN: usize = 64 << 20;

/// What a comparison has followed so far.
#[derive(Debug, Default)]
pub(super) struct Followed {
    visits: usize,
    /// The number of octets of the streams.
    streams_len: usize,
}

/// A value, and its stream if it is the dictionary of one.
struct Resolved {
    value: Value,
    stream: Option<Indirect>,
}

impl Comparison<'_> {
    /// Whether a value of the earlier revision and one of the later are the same content.
    /// What cannot be read, or exceeds the limits, is not.
    pub(super) fn is_equivalent(
        &mut self,
        pdf: &mut Pdf<'_>,
        old: Option<&Value>,
        new: Option<&Value>,
    ) -> Result<bool, Error> {
        let (Some(old), Some(new)) = (old, new) else { return Ok(false) };
        let mut pending = vec![(old.clone(), new.clone())];
        let mut seen = HashSet::new();
        while let Some((old, new)) = pending.pop() {
            self.followed.visits += 1;
            if self.followed.visits > MAX_VISITS {
                return Ok(false);
            }
            match (old.reference(), new.reference()) {
                // An object that was changed is compared in its own right.
                (Some(old), Some(new)) if old == new => continue,
                // References in a circle: the rest decides.
                (Some(old), Some(new)) if !seen.insert((old, new)) => continue,
                _ => {}
            }
            let (Some(old), Some(new)) = (self.earlier(pdf, &old)?, self.later(pdf, &new)?) else {
                return Ok(false);
            };
            let same = match (&old.stream, &new.stream) {
                (None, None) => true,
                (Some(old), Some(new)) => self.has_same_data(pdf, old, new)?,
                _ => false,
            };
            if !same || !pair(&old.value, &new.value, &mut pending) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// As [`is_equivalent`](Self::is_equivalent), of two objects.
    pub(super) fn are_equivalent(
        &mut self,
        pdf: &mut Pdf<'_>,
        old: Option<&Indirect>,
        new: Option<&Indirect>,
    ) -> Result<bool, Error> {
        let (Some(old), Some(new)) = (old, new) else { return Ok(false) };
        let same = match (old.is_stream(), new.is_stream()) {
            (false, false) => true,
            (true, true) => self.has_same_data(pdf, old, new)?,
            _ => false,
        };
        Ok(same && self.is_equivalent(pdf, Some(&old.value), Some(&new.value))?)
    }

    fn earlier(&self, pdf: &mut Pdf<'_>, value: &Value) -> Result<Option<Resolved>, Error> {
        let known = |reference: &Reference| !self.reach.missing().contains(&reference.number);
        if !value.reference().as_ref().is_none_or(known) {
            return Ok(None);
        }
        self.then(pdf, |pdf| resolved(pdf, value))
    }

    fn later(&self, pdf: &mut Pdf<'_>, value: &Value) -> Result<Option<Resolved>, Error> {
        self.now(pdf, |pdf| resolved(pdf, value))
    }

    fn has_same_data(
        &mut self,
        pdf: &mut Pdf<'_>,
        old: &Indirect,
        new: &Indirect,
    ) -> Result<bool, Error> {
        if self.followed.streams_len > MAX_STREAMS_LEN {
            return Ok(false);
        }
        let old = self.then(pdf, |pdf| pdf.plain_data(old))?;
        let new = self.now(pdf, |pdf| pdf.plain_data(new))?;
        let (Some(old), Some(new)) = (old, new) else { return Ok(false) };
        self.followed.streams_len += old.len();
        Ok(old == new)
    }
}

/// Adds what has to be equal in two arrays or dictionaries to `pending`. Whether they can
/// be equal.
fn pair(old: &Value, new: &Value, pending: &mut Vec<(Value, Value)>) -> bool {
    match (&old.kind, &new.kind) {
        (Kind::Array(old), Kind::Array(new)) => {
            pending.extend(old.iter().cloned().zip(new.iter().cloned()));
            old.len() == new.len()
        }
        (Kind::Dictionary(entries), Kind::Dictionary(_)) => {
            if entries.iter().any(|(key, _)| repeats(old, key) || repeats(new, key)) {
                return equal(old, new);
            }
            let (old, new) = (present(old), present(new));
            let same = old.len() == new.len() && old.keys().eq(new.keys());
            pending.extend(old.into_values().cloned().zip(new.into_values().cloned()));
            same
        }
        _ => equal(old, new),
    }
}

/// The entries that are not null.
fn present(dictionary: &Value) -> BTreeMap<&[u8], &Value> {
    let entries = dictionary.entries().iter().filter(|(_, value)| !value.is_null());
    entries.map(|(key, value)| (key.as_slice(), value)).collect()
}

fn resolved(pdf: &mut Pdf<'_>, value: &Value) -> Result<Option<Resolved>, Error> {
    let Some(reference) = value.reference() else {
        return Ok(Some(Resolved { value: value.clone(), stream: None }));
    };
    let found = readable(pdf.follow(reference))?;
    Ok(found.ok().flatten().map(|object| Resolved {
        value: object.value.clone(),
        stream: Some(object).filter(Indirect::is_stream),
    }))
}
