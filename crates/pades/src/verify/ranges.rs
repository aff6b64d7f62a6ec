//! Ranges of a file, read as one stream.

use std::io::{self, Read, SeekFrom};

use ades_core::document::ReadSeek;

/// The octets from `from` up to but excluding `to`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    pub(super) from: u64,
    pub(super) to: u64,
}

/// Reads ranges one after the other.
pub(super) struct Ranges<'a> {
    reader: &'a mut dyn ReadSeek,
    left: std::vec::IntoIter<Range>,
    current: Option<Range>,
}

impl<'a> Ranges<'a> {
    pub(super) fn new(reader: &'a mut dyn ReadSeek, ranges: impl Into<Vec<Range>>) -> Self {
        Self { reader, left: ranges.into().into_iter(), current: None }
    }
}

impl Read for Ranges<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let range = match self.current {
                Some(range) if range.from < range.to => range,
                _ => match self.left.next() {
                    Some(range) => {
                        self.reader.seek(SeekFrom::Start(range.from))?;
                        self.current = Some(range);
                        continue;
                    }
                    None => return Ok(0),
                },
            };
            let len = usize::try_from(range.to - range.from).unwrap_or(usize::MAX).min(out.len());
            let read = self.reader.read(out.get_mut(..len).unwrap_or_default())?;
            self.current = Some(Range { from: range.from + read as u64, ..range });
            if read == 0 && len > 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            return Ok(read);
        }
    }
}
