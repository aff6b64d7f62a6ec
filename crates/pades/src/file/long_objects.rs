//! The long objects that were parsed last. A signature dictionary has thousands of hexadecimal
//! digits, and verification asks for it many times.

use std::collections::HashMap;

use super::object::Indirect;

/// Shorter objects are parsed as fast as they are found here.
const SHORTEST: usize = 1024;
/// Maximum length of all objects that are kept, in octets.
const MAX_KEPT: usize = 256 * 1024;

/// Objects by their offsets, as they were parsed, before their strings are decrypted.
#[derive(Default)]
pub(super) struct LongObjects {
    objects: HashMap<u64, Indirect>,
    /// The length of all of them, in octets.
    len: usize,
}

impl LongObjects {
    pub(super) fn get(&self, offset: u64) -> Option<&Indirect> {
        self.objects.get(&offset)
    }

    pub(super) fn keep(&mut self, offset: u64, object: &Indirect) {
        let len = object.octets.len();
        if !(SHORTEST..=MAX_KEPT).contains(&len) {
            return;
        }
        self.len += len;
        if self.len > MAX_KEPT {
            self.objects.clear();
            self.len = len;
        }
        self.objects.insert(offset, object.clone());
    }
}
