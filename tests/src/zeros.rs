//! Documents that are too large to store.

use std::io::{self, Read, Seek, SeekFrom};

/// A source of zeros, with other octets before and after them.
#[derive(Debug)]
pub struct Zeros<'a> {
    zeros: u64,
    around: [&'a [u8]; 2],
    at: u64,
}

impl<'a> Zeros<'a> {
    /// A source of `zeros` zeros between two slices.
    #[must_use]
    pub const fn new(zeros: u64, around: [&'a [u8]; 2]) -> Self {
        Self { zeros, around, at: 0 }
    }
}

impl Read for Zeros<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let [head, tail] = self.around;
        let end = head.len() as u64 + self.zeros;
        let count = if let Some(mut head) = head.get(self.at as usize..).filter(|h| !h.is_empty()) {
            head.read(out)?
        } else if self.at < end {
            let count = (out.len() as u64).min(end - self.at) as usize;
            out[..count].fill(0);
            count
        } else {
            tail.get((self.at - end) as usize..).unwrap_or_default().read(out)?
        };
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Zeros<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let len = self.zeros + self.around.iter().map(|part| part.len() as u64).sum::<u64>();
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(by) => len.saturating_add_signed(by),
            SeekFrom::Current(by) => self.at.saturating_add_signed(by),
        };
        Ok(self.at)
    }
}
