//! Memory does not grow with the document. One test only: the allocator counts
//! for the whole process.

use std::io;

use ades_core::Document;
use ades_tests::pki::{Key, Pki, TestSigner};
use ades_tests::signing::parameters;
use ades_tests::zeros::Zeros;
use cades::{Container, Packaging, SignatureOptions, VerifyOptions};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Far more than may be held.
const LEN: u64 = 128 * 1024 * 1024;
/// One more than four octets of length can say.
const HUGE: u64 = 1 << 32;
const MAY_BE_HELD: f32 = 4.0;

const ZEROS: [u8; 4096] = [0; 4096];

/// The octets before and behind the zeros.
#[derive(Default)]
struct Around {
    head: Vec<u8>,
    zeros: u64,
    tail: Vec<u8>,
}

impl io::Write for Around {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        // Compared as a block: octet by octet takes a minute for some gigabytes.
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
fn a_document_is_never_held() {
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
    // Of the content, the last length before it; and of all that is around it.
    assert!(made.head.ends_with(&[0x04, 0x85, 1, 0, 0, 0, 0]));
    let whole = made.head.len() as u64 + HUGE + made.tail.len() as u64;
    assert_eq!(made.head[..2], [0x30, 0x85]);
    let said = made.head[2..7].iter().fold(0, |said, octet| said << 8 | u64::from(*octet));
    assert_eq!(said + 7, whole);

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
        let held = ALLOCATOR.peak_usage_as_mb() - self.0;
        assert!(held < MAY_BE_HELD, "{what} held {held} MB");
    }
}
