//! Memory does not grow with the document. There is only one test, because the
//! allocator counts for the whole process.

use std::io;

use ades_core::Document;
use ades_tests::pki::{Key, Pki, TestSigner};
use ades_tests::signing::parameters;
use ades_tests::zeros::Zeros;
use cades::{Container, Packaging, SignatureOptions, VerifyOptions};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// The length of the document: much more than the allowed memory.
const LEN: u64 = 128 * 1024 * 1024;
/// The smallest length that needs five octets.
const HUGE: u64 = 1 << 32;
/// Maximum of allocated memory, in MB.
const MAX_ALLOCATED: f32 = 4.0;

const ZEROS: [u8; 4096] = [0; 4096];

/// The octets before and after the zeros, and the number of zeros.
#[derive(Default)]
struct Around {
    head: Vec<u8>,
    zeros: u64,
    tail: Vec<u8>,
}

impl io::Write for Around {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        // Comparing octet by octet takes a minute for a few gigabytes.
        let all_zero = octets.len() > 1024
            && octets.chunks(ZEROS.len()).all(|chunk| *chunk == ZEROS[..chunk.len()]);
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
fn memory_does_not_grow_with_the_document() {
    let signer = Pki::shared().signer(Key::P256);
    let document = || Document::seekable(Zeros::new(LEN, [&[], &[]]));
    for packaging in [Packaging::Detached, Packaging::Enveloping] {
        let options = SignatureOptions::new().packaging(packaging);
        let pending = {
            let peak = Peak::new();
            let pending =
                cades::prepare(&mut document(), &signer.chain, &parameters(), &options).unwrap();
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
        let around = Zeros::new(LEN, [&made.head, &made.tail]);
        let mut enveloping = Document::seekable(around);
        let source = match packaging {
            Packaging::Enveloping => &mut enveloping,
            _ => &mut detached,
        };
        let container = Container::read(source).unwrap();
        let mut original = document();
        let options = VerifyOptions::new().original(&mut original);
        assert!(container.verify(source, options).unwrap().is_valid());
        peak.check("verify");
    }
    five_octets_of_length(signer);
}

fn five_octets_of_length(signer: &TestSigner) {
    let document = || Document::seekable(Zeros::new(HUGE, [&[], &[]]));
    let peak = Peak::new();
    let options = SignatureOptions::new().packaging(Packaging::Enveloping);
    let pending = cades::prepare(&mut document(), &signer.chain, &parameters(), &options).unwrap();
    let value = signer.sign(&pending.to_be_signed());
    let mut made = Around::default();
    pending.complete(Some(&mut document()), &value, &mut made).unwrap();
    assert_eq!(made.zeros, HUGE);
    // The length of the content, and that of the whole container.
    assert!(made.head.ends_with(&[0x04, 0x85, 1, 0, 0, 0, 0]));
    let whole = made.head.len() as u64 + HUGE + made.tail.len() as u64;
    assert_eq!(made.head[..2], [0x30, 0x85]);
    let len = made.head[2..7].iter().fold(0, |len, octet| len << 8 | u64::from(*octet));
    assert_eq!(len + 7, whole);

    let mut source = Document::seekable(Zeros::new(HUGE, [&made.head, &made.tail]));
    let container = Container::read(&mut source).unwrap();
    assert!(container.verify(&mut source, VerifyOptions::new()).unwrap().is_valid());
    peak.check("more than 4 GiB");
}

struct Peak(f32);

impl Peak {
    fn new() -> Self {
        ALLOCATOR.reset_peak_usage();
        Self(ALLOCATOR.current_usage_as_mb())
    }

    fn check(self, what: &str) {
        let allocated = ALLOCATOR.peak_usage_as_mb() - self.0;
        assert!(allocated < MAX_ALLOCATED, "{what} allocated {allocated} MB");
    }
}
