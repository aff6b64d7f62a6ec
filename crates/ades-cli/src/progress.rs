//! How far a long reading is: on a terminal, after a while, and gone at its end.

use std::io::{self, IsTerminal, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Whether anybody watches.
static WATCHED: AtomicBool = AtomicBool::new(false);

/// What takes less is over before anybody wonders.
const PATIENCE: Duration = Duration::from_secs(1);
const BETWEEN: Duration = Duration::from_millis(200);

/// Shows it from here on, if there is a terminal.
pub(crate) fn show() {
    WATCHED.store(io::stderr().is_terminal(), Ordering::Relaxed);
}

/// A source that tells how far it has been read.
pub(crate) struct Watched<R> {
    source: R,
    at: u64,
    meter: Meter,
}

impl<R> Watched<R> {
    /// `name`: a path, of which the last part is shown. `length`: if it is known
    /// beforehand.
    pub(crate) fn new(source: R, name: &str, length: Option<u64>) -> Self {
        let last = Path::new(name).file_name().map(|last| last.to_string_lossy().into_owned());
        let name = last.unwrap_or_default();
        Self { source, at: 0, meter: Meter::new(name, length, Instant::now()) }
    }

    fn tell(&mut self) {
        if WATCHED.load(Ordering::Relaxed)
            && let Some(line) = self.meter.line(self.at, Instant::now())
        {
            put(&line);
        }
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.at = self.at.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        self.tell();
        Ok(read)
    }
}

impl<R: Seek> Seek for Watched<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = self.source.seek(to)?;
        Ok(self.at)
    }
}

impl<R> Drop for Watched<R> {
    fn drop(&mut self) {
        if let Some(blank) = self.meter.blank() {
            put(&blank);
        }
    }
}

fn put(text: &str) {
    // Whoever cannot see it misses nothing.
    let _ = io::stderr().write_all(text.as_bytes());
}

/// What there is to see, and when.
struct Meter {
    name: String,
    length: Option<u64>,
    /// When the next line is due.
    due: Instant,
    /// How many columns the last one took.
    width: usize,
}

impl Meter {
    fn new(name: String, length: Option<u64>, now: Instant) -> Self {
        Self { name, length, due: now + PATIENCE, width: 0 }
    }

    /// In place of the last line.
    fn line(&mut self, at: u64, now: Instant) -> Option<String> {
        if now < self.due {
            return None;
        }
        self.due = now + BETWEEN;
        let far = match self.length.filter(|length| *length > 0) {
            Some(length) => {
                let percent = u128::from(at) * 100 / u128::from(length);
                format!("{} %", percent.min(100))
            }
            None => format!("{} MiB", at >> 20),
        };
        let line = format!("reading {}: {far}", self.name);
        let before = std::mem::replace(&mut self.width, line.chars().count());
        let rest = " ".repeat(before.saturating_sub(self.width));
        Some(format!("\r{line}{rest}"))
    }

    /// In place of a line that was shown.
    fn blank(&self) -> Option<String> {
        (self.width > 0).then(|| format!("\r{}\r", " ".repeat(self.width)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_reading_shows_nothing_and_a_long_one_how_far_it_is() {
        let begun = Instant::now();
        let after = |millis| begun + Duration::from_millis(millis);
        let mut meter = Meter::new("big.iso".to_owned(), Some(4 << 30), begun);
        assert_eq!(meter.line(1 << 30, after(900)), None);
        assert_eq!(meter.blank(), None);
        assert_eq!(meter.line(1 << 30, after(1000)).unwrap(), "\rreading big.iso: 25 %");
        assert_eq!(meter.line(2 << 30, after(1100)), None);
        assert_eq!(meter.line(4 << 30, after(1200)).unwrap(), "\rreading big.iso: 100 %");
        // Read once more from the start: nothing of the longer line stays.
        assert_eq!(meter.line(0, after(1400)).unwrap(), "\rreading big.iso: 0 %  ");
        assert_eq!(meter.blank().unwrap(), format!("\r{}\r", " ".repeat(20)));

        let mut pipe = Meter::new("standard input".to_owned(), None, begun);
        let line = pipe.line(3 << 20, after(1000)).unwrap();
        assert_eq!(line, "\rreading standard input: 3 MiB");
    }

    #[test]
    fn what_is_read_is_what_is_there() {
        let source = io::Cursor::new(b"octets".to_vec());
        let mut watched = Watched::new(source, "a", Some(6));
        let mut all = Vec::new();
        watched.read_to_end(&mut all).unwrap();
        assert_eq!((all.as_slice(), watched.at), (&b"octets"[..], 6));
        assert_eq!(watched.seek(SeekFrom::Start(2)).unwrap(), 2);
        all.clear();
        watched.read_to_end(&mut all).unwrap();
        assert_eq!((all.as_slice(), watched.at), (&b"tets"[..], 6));
    }
}
