//! Progress of long reads: shown on a terminal after a second, and removed at the end.

use std::io::{self, IsTerminal, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Whether standard error is a terminal.
static WATCHED: AtomicBool = AtomicBool::new(false);

/// Time until progress is shown.
const DELAY: Duration = Duration::from_secs(1);
/// Time between two updates.
const INTERVAL: Duration = Duration::from_millis(200);

/// Shows progress from now on, if standard error is a terminal.
pub(crate) fn show() {
    WATCHED.store(io::stderr().is_terminal(), Ordering::Relaxed);
}

/// A source that shows how far it has been read.
pub(crate) struct Watched<R> {
    source: R,
    at: u64,
    meter: Meter,
}

impl<R> Watched<R> {
    /// Shows the last part of `name`, a path. `length` is that of the source, if it is known.
    pub(crate) fn new(source: R, name: &str, length: Option<u64>) -> Self {
        let last = Path::new(name).file_name().map(|last| last.to_string_lossy().into_owned());
        let name = last.unwrap_or_default();
        Self { source, at: 0, meter: Meter::new(name, length, Instant::now()) }
    }

    fn show(&mut self) {
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
        self.show();
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
    // A closed standard error is not a reason to fail.
    let _ = io::stderr().write_all(text.as_bytes());
}

/// The progress line, and the time of its next update.
struct Meter {
    name: String,
    length: Option<u64>,
    /// When the next line is due
    due: Instant,
    /// Number of columns of the last line
    width: usize,
}

impl Meter {
    fn new(name: String, length: Option<u64>, now: Instant) -> Self {
        Self { name, length, due: now + DELAY, width: 0 }
    }

    /// The line that replaces the last one, if it is due.
    fn line(&mut self, at: u64, now: Instant) -> Option<String> {
        if now < self.due {
            return None;
        }
        self.due = now + INTERVAL;
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

    /// Blanks that replace the last line, if there was one.
    fn blank(&self) -> Option<String> {
        (self.width > 0).then(|| format!("\r{}\r", " ".repeat(self.width)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_long_reads_show_progress() {
        let begun = Instant::now();
        let after = |millis| begun + Duration::from_millis(millis);
        let mut meter = Meter::new("big.iso".to_owned(), Some(4 << 30), begun);
        assert_eq!(meter.line(1 << 30, after(900)), None);
        assert_eq!(meter.blank(), None);
        assert_eq!(meter.line(1 << 30, after(1000)).unwrap(), "\rreading big.iso: 25 %");
        assert_eq!(meter.line(2 << 30, after(1100)), None);
        assert_eq!(meter.line(4 << 30, after(1200)).unwrap(), "\rreading big.iso: 100 %");
        // A second pass: nothing of the longer line stays.
        assert_eq!(meter.line(0, after(1400)).unwrap(), "\rreading big.iso: 0 %  ");
        assert_eq!(meter.blank().unwrap(), format!("\r{}\r", " ".repeat(20)));

        let mut pipe = Meter::new("standard input".to_owned(), None, begun);
        let line = pipe.line(3 << 20, after(1000)).unwrap();
        assert_eq!(line, "\rreading standard input: 3 MiB");
    }

    #[test]
    fn watching_does_not_change_the_octets() {
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
