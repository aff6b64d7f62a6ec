//! Any octets are read or refused. The result depends neither on the order in which
//! objects are read nor on the number of octets that come at a time.
#![no_main]

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use ades_core::Document;
use libfuzzer_sys::fuzz_target;
use pades::fuzzing::Objects;

/// A reader that returns at most three octets at a time.
struct Drops<'a>(Cursor<&'a [u8]>);

impl Read for Drops<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let few = out.len().min(3);
        self.0.read(out.get_mut(..few).unwrap_or_default())
    }
}

impl Seek for Drops<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

fuzz_target!(|octets: &[u8]| {
    for repair in [false, true] {
        let read = |backwards| Objects::read(&mut Document::from_bytes(octets), repair, backwards);
        let all = read(false);
        assert_eq!(all, read(true));
        let mut drops = Document::seekable(Drops(Cursor::new(octets)));
        assert_eq!(all, Objects::read(&mut drops, repair, false));
    }
});
