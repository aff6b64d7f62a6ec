//! Documents that are too large to store.

use std::io::{self, Read, Seek, SeekFrom, Write};

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

/// What is before and after a stream of this many zeros in a PDF.
#[must_use]
pub fn pdf_around(zeros: u64) -> [Vec<u8>; 2] {
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        "<</Type/Pages/Count 1/Kids[3 0 R]>>".to_owned(),
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Resources<<>>>>".to_owned(),
    ];
    let mut head = b"%PDF-1.7\n".to_vec();
    let mut offsets = Vec::new();
    for (at, object) in objects.iter().enumerate() {
        offsets.push(head.len() as u64);
        head.extend(format!("{} 0 obj\n{object}\nendobj\n", at + 1).bytes());
    }
    offsets.push(head.len() as u64);
    head.extend(format!("4 0 obj\n<</Length {zeros}>>\nstream\n").bytes());
    let mut tail = b"\nendstream\nendobj\n".to_vec();
    let xref = head.len() as u64 + zeros + tail.len() as u64;
    tail.extend(b"xref\n0 5\n0000000000 65535 f \n");
    for offset in offsets {
        tail.extend(format!("{offset:010} 00000 n \n").bytes());
    }
    tail.extend(format!("trailer\n<</Size 5/Root 1 0 R>>\nstartxref\n{xref}\n%%EOF\n").bytes());
    [head, tail]
}

/// Keeps what is written after the first octets.
#[derive(Debug)]
pub struct Behind {
    /// The number of octets that are not kept.
    pub skip: u64,
    /// What was written after them.
    pub update: Vec<u8>,
}

impl Write for Behind {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let skipped = self.skip.min(octets.len() as u64);
        self.skip -= skipped;
        self.update.extend_from_slice(&octets[skipped as usize..]);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
