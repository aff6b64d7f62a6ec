//! Documents whose byte ranges have more digits than usual, and documents of many
//! objects. None of them is held in memory.

use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use ades_core::Document;
use ades_tests::pdf::by_hand::of_objects;
use ades_tests::pdf::packed::{Pack, packed};
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::parameters;
use pades::report::Coverage;
use pades::{Check, InPlace, SignatureOptions, VerifyOptions};

/// A file with zeros in the middle, which use no memory.
struct Sparse {
    head: Vec<u8>,
    zeros: u64,
    tail: Cursor<Vec<u8>>,
    at: u64,
}

impl Sparse {
    /// A PDF with one stream of zeros.
    fn pdf(zeros: u64, with_stream: bool) -> Self {
        let mut head = b"%PDF-1.7\n".to_vec();
        let mut offsets = Vec::new();
        for object in [
            "<</Type/Catalog/Pages 2 0 R>>\nendobj\n",
            "<</Type/Pages/Count 1/Kids[3 0 R]>>\nendobj\n",
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>\nendobj\n",
            &format!("<</Length {zeros}>>\nstream\n"),
        ] {
            offsets.push(head.len());
            head.extend_from_slice(format!("{} 0 obj\n{object}", offsets.len()).as_bytes());
        }
        let mut tail = b"\nendstream\nendobj\n".to_vec();
        let section = head.len() as u64 + zeros + tail.len() as u64;
        if with_stream {
            let length = 9 * 6;
            tail.extend_from_slice(
                format!(
                    "5 0 obj\n<</Type/XRef/Size 6/W[1 8 0]/Root 1 0 R/Length {length}>>\nstream\n"
                )
                .as_bytes(),
            );
            tail.extend_from_slice(&[0; 9]);
            for offset in offsets.iter().map(|o| *o as u64).chain([section]) {
                tail.push(1);
                tail.extend_from_slice(&offset.to_be_bytes());
            }
            tail.extend_from_slice(b"\nendstream\nendobj\n");
        } else {
            tail.extend_from_slice(b"xref\n0 5\n0000000000 65535 f \n");
            for offset in offsets {
                tail.extend_from_slice(format!("{offset:010} 00000 n \n").as_bytes());
            }
            tail.extend_from_slice(b"trailer\n<</Size 5/Root 1 0 R>>\n");
        }
        tail.extend_from_slice(format!("startxref\n{section}\n%%EOF\n").as_bytes());
        Self { head, zeros, tail: Cursor::new(tail), at: 0 }
    }

    fn tail_at(&self) -> u64 {
        self.head.len() as u64 + self.zeros
    }

    fn len(&self) -> u64 {
        self.tail_at() + self.tail.get_ref().len() as u64
    }
}

impl Read for Sparse {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let head = self.head.len() as u64;
        let read = if self.at < head {
            (&self.head[usize::try_from(self.at).unwrap()..]).read(out)?
        } else if self.at < self.tail_at() {
            let left = usize::try_from(self.tail_at() - self.at).unwrap().min(out.len());
            out[..left].fill(0);
            left
        } else {
            self.tail.set_position(self.at - self.tail_at());
            self.tail.read(out)?
        };
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Sparse {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(by) => self.len().saturating_add_signed(by),
            SeekFrom::Current(by) => self.at.saturating_add_signed(by),
        };
        Ok(self.at)
    }
}

impl Write for Sparse {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.tail.set_position(self.at - self.tail_at());
        let written = self.tail.write(octets)?;
        self.at += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl InPlace for Sparse {
    fn truncate(&mut self, length: u64) -> io::Result<()> {
        let length = length - self.tail_at();
        self.tail.truncate(length)
    }
}

/// Signs in place and verifies; returns the byte range.
fn sign(mut file: Sparse) -> [u64; 4] {
    let signer = Pki::shared().signer(Key::P256);
    let pending = pades::prepare(
        &mut Document::seekable(&mut file),
        &signer.chain,
        &parameters(),
        &SignatureOptions::new(),
    )
    .unwrap();
    let value = signer.sign(&pending.to_be_signed());
    pending.complete_in_place(&mut file, &value, Check::LengthAndTail).unwrap();
    assert_eq!(file.len(), pending.signed_len());
    let report = pades::verify(&mut Document::seekable(&mut file), VerifyOptions::new()).unwrap();
    assert!(report.is_valid(), "{report:?}");
    assert_eq!(report.signatures[0].covers, Coverage::Whole);
    report.signatures[0].byte_range.unwrap()
}

/// Demand 19.
#[test]
fn byte_ranges_above_100_million() {
    for with_stream in [false, true] {
        let [_, first, second, _] = sign(Sparse::pdf(100_000_000, with_stream));
        assert!(first > 100_000_000 && second > first);
    }
}

#[test]
fn byte_ranges_above_4_gib() {
    let [_, first, second, _] = sign(Sparse::pdf((1 << 32) + 1, true));
    assert!(first > 1 << 32 && second > first);
}

#[test]
fn half_a_million_objects() {
    let count = 500_000;
    let mut document = b"%PDF-1.4\n".to_vec();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", count + 4);
    for number in 1..count + 4 {
        let object = match number {
            1 => "<</Pages 2 0 R>>",
            2 => "<</Type/Pages/Count 1/Kids[3 0 R]>>",
            3 => "<</Type/Page/Parent 2 0 R>>",
            _ => "null",
        };
        table.push_str(&format!("{:010} 00000 n \n", document.len()));
        document.extend_from_slice(format!("{number} 0 obj {object} endobj\n").as_bytes());
    }
    let section = document.len();
    document.extend_from_slice(table.as_bytes());
    document.extend_from_slice(
        format!("trailer\n<</Size {}/Root 1 0 R>>\nstartxref\n{section}\n%%EOF\n", count + 4)
            .as_bytes(),
    );
    let signer = Pki::shared().signer(Key::P256);
    for options in [SignatureOptions::new(), SignatureOptions::new().repair()] {
        // Without the last lines, nobody finds the table.
        let broken = options != SignatureOptions::new();
        let cut = if broken { document.len() - 20 } else { document.len() };
        let mut source = Document::from_bytes(&document[..cut]);
        let pending = pades::prepare(&mut source, &signer.chain, &parameters(), &options).unwrap();
        assert_eq!(pending.is_repaired(), broken);
        let value = signer.sign(&pending.to_be_signed());
        let mut out = Vec::new();
        pending.complete(Some(&mut source), &value, &mut out).unwrap();
        let report = pades::verify(&mut Document::from_bytes(&out), VerifyOptions::new()).unwrap();
        assert!(report.is_valid(), "{report:?}");
    }
}

/// The form's fields alternate between object streams, as some writers scatter them.
#[test]
fn twenty_thousand_fields_in_two_hundred_object_streams() {
    const FIELDS: u32 = 20_000;
    const STREAMS: u32 = 200;
    const FIRST: u32 = 1000;

    let references: String = (0..FIELDS).map(|at| format!("{} 0 R ", FIRST + at)).collect();
    let value = "x".repeat(900);
    let packs: Vec<Pack> = (0..STREAMS)
        .map(|stream| Pack {
            number: 100 + stream,
            objects: (stream..FIELDS)
                .step_by(STREAMS as usize)
                .map(|at| (FIRST + at, format!("<</FT/Tx/T(f{at})/V({value})>>")))
                .collect(),
            padding: 0,
        })
        .collect();
    let plain = [
        (1, format!("<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[{references}]>>>>")),
        (2, "<</Type/Pages/Count 1/Kids[3 0 R]>>".to_owned()),
        (3, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>".to_owned()),
    ];
    signed_with_few_reads(&packed(&plain, &packs), 5000);
}

/// One read serves neighbouring fields.
#[test]
fn twenty_thousand_fields_side_by_side() {
    let references: String = (4..20_004).map(|number| format!("{number} 0 R ")).collect();
    let catalog = format!("<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[{references}]>>>>");
    let mut objects = vec![
        catalog,
        "<</Type/Pages/Count 1/Kids[3 0 R]>>".to_owned(),
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>".to_owned(),
    ];
    objects.extend((0..20_000).map(|at| format!("<</FT/Tx/T(f{at})/V(value)>>")));
    let objects: Vec<&str> = objects.iter().map(String::as_str).collect();
    signed_with_few_reads(&of_objects(&objects, ""), 5000);
}

/// Counts reads, as a file system would.
struct Counting<'a> {
    octets: Cursor<&'a [u8]>,
    reads: &'a AtomicU64,
}

impl Read for Counting<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.octets.read(out)
    }
}

impl Seek for Counting<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.octets.seek(to)
    }
}

#[track_caller]
fn signed_with_few_reads(document: &[u8], most: u64) {
    let signer = Pki::shared().signer(Key::P256);
    let reads = AtomicU64::new(0);
    let mut source = Document::seekable(Counting { octets: Cursor::new(document), reads: &reads });
    let options = SignatureOptions::new();
    let pending = pades::prepare(&mut source, &signer.chain, &parameters(), &options).unwrap();
    let count = reads.load(Ordering::Relaxed);
    assert!(count < most, "{count} reads");
    let value = signer.sign(&pending.to_be_signed());
    let mut out = Vec::new();
    pending.complete(Some(&mut source), &value, &mut out).unwrap();
    let report = pades::verify(&mut Document::from_bytes(&out), VerifyOptions::new()).unwrap();
    assert!(report.is_valid(), "{report:?}");
}
