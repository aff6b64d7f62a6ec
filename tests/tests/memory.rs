//! Memory does not grow with the document. One test only: the allocator counts
//! for the whole process.

use std::io::{self, Read, Seek, SeekFrom};

use ades_core::Document;
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::parameters;
use cades::{Container, Given, Packaging};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Far more than may be held.
const LEN: u64 = 128 * 1024 * 1024;
const MAY_BE_HELD: f32 = 4.0;

/// So many zeros, and perhaps a container's octets around them.
struct Zeros<'a> {
    around: [&'a [u8]; 2],
    at: u64,
}

impl Zeros<'_> {
    fn len(&self) -> u64 {
        LEN + self.around.iter().map(|part| part.len() as u64).sum::<u64>()
    }
}

impl Read for Zeros<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let [head, tail] = self.around.map(|part| part.len() as u64);
        let count = if self.at < head {
            (&self.around[0][self.at as usize..]).read(out)?
        } else if self.at < head + LEN {
            let count = out.len().min((head + LEN - self.at) as usize);
            out[..count].fill(0);
            count
        } else {
            (&self.around[1][((self.at - head - LEN).min(tail)) as usize..]).read(out)?
        };
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Zeros<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(by) => self.len().saturating_add_signed(by),
            SeekFrom::Current(by) => self.at.saturating_add_signed(by),
        };
        Ok(self.at)
    }
}

/// The octets before and behind the zeros.
#[derive(Default)]
struct Around {
    head: Vec<u8>,
    zeros: u64,
    tail: Vec<u8>,
}

impl io::Write for Around {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let all_zero = octets.len() > 1024 && octets.iter().all(|octet| *octet == 0);
        if all_zero {
            self.zeros += octets.len() as u64;
        } else if self.zeros == 0 {
            self.head.extend_from_slice(octets);
        } else {
            self.tail.extend_from_slice(octets);
        }
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_document_is_never_held() {
    let signer = Pki::shared().signer(Key::P256);
    let document = || Document::seekable(Zeros { around: [&[], &[]], at: 0 });
    for packaging in [Packaging::Detached, Packaging::Enveloping] {
        let pending = {
            let peak = Peak::new();
            let pending =
                cades::prepare(&mut document(), packaging, &signer.chain, &parameters()).unwrap();
            peak.check("prepare");
            pending
        };
        let value = signer.sign(&pending.to_be_signed());
        let mut made = Around::default();
        let peak = Peak::new();
        pending.complete(Some(&mut document()), &value, &mut made).unwrap();
        peak.check("complete");
        assert_eq!(made.zeros, if packaging == Packaging::Enveloping { LEN } else { 0 });

        let peak = Peak::new();
        let mut detached = Document::from_bytes(&made.head);
        let around = Zeros { around: [&made.head, &made.tail], at: 0 };
        let mut enveloping = Document::seekable(around);
        let source = match packaging {
            Packaging::Detached => &mut detached,
            Packaging::Enveloping => &mut enveloping,
        };
        let container = Container::read(source).unwrap();
        let given = Given { original: Some(&mut document()), trust: &[] };
        assert!(container.verify(source, given).unwrap().is_valid());
        peak.check("verify");
    }
}

struct Peak(f32);

impl Peak {
    fn new() -> Self {
        ALLOCATOR.reset_peak_usage();
        Self(ALLOCATOR.current_usage_as_mb())
    }

    fn check(self, what: &str) {
        let held = ALLOCATOR.peak_usage_as_mb() - self.0;
        assert!(held < MAY_BE_HELD, "{what} held {held} MB");
    }
}
