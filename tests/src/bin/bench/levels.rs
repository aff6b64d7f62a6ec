//! Judging and raising signatures, compared with EU DSS and pyHanko over the same documents, with
//! the same anchors and answers.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ades::{Advance, Document, ExtendOptions, Extension, TargetLevel, VerifyOptions};
use ades_core::verify::verify;
use ades_core::{Digest, DigestAlgorithm, SignatureAlgorithm};
use ades_evidence::ValidationData;
use ades_evidence::needs::Need;
use ades_tests::invoice::Invoice;
use ades_tests::levels::{Services, now, signer};
use ades_tests::oracle::dss::Dss;
use ades_tests::oracle::pyhanko::PyHanko;
use ades_tests::pdf::write_image_pages;
use ades_tests::pki::{Key, Pki, TestSigner, pem};
use ades_tests::signing::parameters;
use cades::Packaging;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::pades::written;
use crate::{Bench, RUNS, limit, timed, timed_if};

/// Number of requests before anything is measured, so that Java has compiled its code.
const WARM_UP: usize = 40;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Pades,
    Xades,
    Cades,
}

impl Format {
    const ALL: [Self; 3] = [Self::Pades, Self::Xades, Self::Cades];

    const fn name(self) -> &'static str {
        match self {
            Self::Pades => "PAdES",
            Self::Xades => "XAdES",
            Self::Cades => "CAdES",
        }
    }
}

/// The parties, and their files.
struct Parties<'b> {
    bench: &'b Bench,
    signer: TestSigner,
    /// The trust anchor.
    anchor: PathBuf,
    responses: Vec<PathBuf>,
    stamps: StampFiles,
}

/// The files of the time-stamping service.
struct StampFiles {
    pkcs12: PathBuf,
    key: PathBuf,
    certificate: PathBuf,
}

impl<'b> Parties<'b> {
    fn new(bench: &'b Bench) -> Self {
        let pki = Pki::shared();
        let signer = signer(pki, Key::Rsa2048);
        let mut services = Services::new(pki, now());
        let write = |name: &str, octets: &[u8]| {
            let path = bench.path(name);
            fs::write(&path, octets).unwrap();
            path
        };
        let mut responses = Vec::new();
        for (name, subject) in [("leaf.ocsp", &signer), ("stamps.ocsp", &services.authority)] {
            let need = Need::ocsp(subject.leaf(), pki.issuing(), None).unwrap();
            responses.push((name, need));
        }
        let responses = responses
            .iter()
            .map(|(name, need)| write(name, &services.answer(need, &[signer.leaf()]).unwrap()));
        let responses = responses.collect();
        let stamps = StampFiles {
            pkcs12: write("stamps.p12", &services.authority.pkcs12("secret")),
            key: write("stamps.key", services.authority.key_pem.as_bytes()),
            certificate: write("stamps.pem", pem(services.authority.leaf()).as_bytes()),
        };
        let anchor = write("anchor.pem", pem(pki.issuing()).as_bytes());
        Self { bench, signer, anchor, responses, stamps }
    }

    /// Writes a signature of level B-B over a document of about this many octets.
    fn signed(&self, format: Format, octets: usize) -> PathBuf {
        let document = self.bench.path("document");
        match format {
            Format::Pades => {
                // A row of an image has 500 octets.
                let (pages, rows) = match octets / 500 {
                    rows @ ..1000 => (1, rows),
                    rows => (u32::try_from(rows / 1000).unwrap(), 1000),
                };
                written(document.clone(), |out| write_image_pages(out, pages, rows).unwrap());
            }
            Format::Xades => fs::write(&document, Invoice::in_memory(octets as u64)).unwrap(),
            Format::Cades => fs::write(&document, vec![b'a'; octets]).unwrap(),
        }
        let signed = self.bench.path("signed");
        let mut out = io::BufWriter::new(File::create(&signed).unwrap());
        let mut source = open(&document);
        let (chain, parameters) = (&self.signer.chain, parameters());
        match format {
            Format::Pades => {
                let options = pades::SignatureOptions::new();
                let pending = pades::prepare(&mut source, chain, &parameters, &options).unwrap();
                let value = self.signer.sign(&pending.to_be_signed());
                pending.complete(Some(&mut source), &value, &mut out).unwrap();
            }
            Format::Xades => {
                let options = xades::SignatureOptions::new();
                let pending = xades::prepare(&mut source, chain, &parameters, &options).unwrap();
                let value = self.signer.sign(&pending.to_be_signed());
                pending.complete(Some(&mut source), &value, &mut out).unwrap();
            }
            Format::Cades => {
                let options = cades::SignatureOptions::new().packaging(Packaging::Enveloping);
                let pending = cades::prepare(&mut source, chain, &parameters, &options).unwrap();
                let value = self.signer.sign(&pending.to_be_signed());
                pending.complete(Some(&mut source), &value, &mut out).unwrap();
            }
        }
        drop(out);
        signed
    }

    /// Writes the signature with the revocation data of its signer in it.
    fn with_revocation_data(&self, format: Format, signed: &Path) -> PathBuf {
        let mut data = ValidationData::new();
        data.ocsp_responses = vec![fs::read(&self.responses[0]).unwrap()];
        let path = self.bench.path("with-data");
        let (mut source, mut out) = (open(signed), File::create(&path).unwrap());
        match format {
            Format::Pades => {
                let options = pades::ExtendOptions::new();
                pades::add_validation_data(&mut source, 0, &data, &options, &mut out).unwrap();
            }
            Format::Xades => {
                let options = xades::ExtendOptions::new();
                xades::add_validation_data(&mut source, &[0], &data, options, &mut out).unwrap();
            }
            Format::Cades => {
                cades::add_validation_data(&mut source, &[0], &data, &mut out).unwrap();
            }
        }
        path
    }

    fn options(&self) -> VerifyOptions<'static> {
        VerifyOptions::new().trust(std::slice::from_ref(Pki::shared().issuing()))
    }

    /// The time for judging a file, which passes.
    fn judge(&self, file: &Path) -> Duration {
        timed(|| {
            let time = now() + TimeDelta::minutes(1);
            let report = ades::verify(&mut open(file), self.options(), time).unwrap();
            assert!(report.is_passed(), "{report}");
        })
    }

    /// The request to another judge.
    fn request(&self, file: &Path) -> Value {
        let time = rfc3339(now() + TimeDelta::minutes(1));
        json!({ "file": file, "trust": [self.anchor], "time": time })
    }

    fn judge_by_dss(&self, file: &Path) -> Duration {
        let request = self.request(file);
        timed(|| {
            let verdict = Dss::shared().try_validate(&request).unwrap().remove(0);
            assert_eq!(verdict["indication"], "TOTAL_PASSED", "{verdict}");
        })
    }

    fn judge_by_pyhanko(&self, file: &Path) -> Option<Duration> {
        let request = self.request(file);
        timed_if(|| PyHanko::shared().try_validate(&request))
    }

    /// The time for verifying the signer's value and this many values of P-256.
    fn checks(&self, others: usize) -> Duration {
        let data = b"what is signed";
        let digest = Digest::of(DigestAlgorithm::Sha256, data);
        let other = Pki::shared().signer(Key::P256);
        let [rsa, ecdsa] = [
            (&self.signer, SignatureAlgorithm::RsaPkcs1v15(DigestAlgorithm::Sha256)),
            (other, SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256)),
        ]
        .map(|(signer, algorithm)| {
            let value = signer.sign_digest(algorithm, digest.value());
            move || verify(signer.leaf(), algorithm, data, &value).unwrap()
        });
        timed(|| {
            rsa();
            (0..others).for_each(|_| ecdsa());
        })
    }

    /// Raises a file with answers from memory. Returns the time without that of the services, and
    /// how often the document was read, in its lengths.
    fn raise(&self, file: &Path, out: &Path, level: TargetLevel) -> (Duration, f64) {
        let mut services = Services::new(Pki::shared(), now());
        let octets = AtomicU64::new(0);
        let mut spent = Duration::ZERO;
        let mut extension = Extension::new(ExtendOptions::new(level).nonce_seed([7; 32]));
        let mut options = self.options();
        let mut current = file.to_owned();
        for step in 0.. {
            let next = self.bench.path(&format!("step-{step}"));
            drop(fs::remove_file(&next));
            let start = Instant::now();
            let source = Counted { source: File::open(&current).unwrap(), octets: &octets };
            let mut written = File::create_new(&next).unwrap();
            let mut document = Document::seekable(source);
            let advanced =
                extension.advance(&mut document, &mut options, services.now, &mut written);
            spent += start.elapsed();
            match advanced.unwrap() {
                Advance::Needs(needs) => {
                    for need in needs {
                        let answer = services.answer(&need, &[self.signer.leaf()]).unwrap();
                        let start = Instant::now();
                        extension.answer(&need.id(), answer, services.now).unwrap();
                        spent += start.elapsed();
                    }
                }
                Advance::Written => {
                    current = next;
                    services.now += TimeDelta::seconds(1);
                }
                Advance::Done(reached) => {
                    assert_eq!((reached.level, reached.missing.len()), (level.level(), 0));
                    break;
                }
                other => panic!("{other:?}"),
            }
        }
        fs::copy(&current, out).unwrap();
        let length = current.metadata().unwrap().len();
        (spent, octets.into_inner() as f64 / length as f64)
    }

    fn raise_by_dss(&self, format: Format, file: &Path, level: &str) -> Result<Duration, String> {
        Dss::shared().raise(&json!({
            "format": format.name(), "file": file, "out": self.bench.out, "level": level,
            "tsa": self.stamps.pkcs12, "password": "secret", "time": rfc3339(now()),
            "ocsps": self.responses, "trust": [self.anchor],
        }))
    }

    fn raise_by_pyhanko(&self, file: &Path, level: &str) -> Result<Duration, String> {
        PyHanko::shared().raise(&json!({
            "file": file, "out": self.bench.out, "level": level, "time": rfc3339(now()),
            "trust": [self.anchor], "ocsps": self.responses, "tsa_key": self.stamps.key,
            "tsa_certificate": self.stamps.certificate, "tsa_chain": self.anchor,
        }))
    }
}

/// Prints the table of judging.
pub(crate) fn judge(bench: &Bench) {
    let parties = Parties::new(bench);
    println!("\n| work | ours | limit | ours / limit | pyHanko, warm | EU DSS, warm |");
    println!("|---|---|---|---|---|---|");
    for format in Format::ALL {
        let signed = parties.signed(format, 10_000);
        let raised = bench.path("raised");
        parties.raise(&signed, &raised, TargetLevel::Lta);
        let signed = parties.with_revocation_data(format, &signed);
        for _ in 0..WARM_UP {
            parties.judge_by_dss(&signed);
            parties.judge_by_dss(&raised);
        }
        // The signer's certificate and the OCSP response about it; with time-stamps also those
        // of the service, and two tokens.
        for (level, file, checks) in [("B-B", &signed, 2), ("B-LTA", &raised, 6)] {
            let name = format!("{}, 10 KB, {level}", format.name());
            let ours = || parties.judge(file);
            let limit = || parties.checks(checks);
            let pyhanko = || (format == Format::Pades).then(|| parties.judge_by_pyhanko(file))?;
            let dss = || Some(parties.judge_by_dss(file));
            bench.compare(&name, RUNS, [&ours, &limit], &[&pyhanko, &dss]);
        }
    }
    let signed = parties.signed(Format::Pades, 100_000_000);
    let raised = bench.path("raised");
    parties.raise(&signed, &raised, TargetLevel::Lta);
    let signed = parties.with_revocation_data(Format::Pades, &signed);
    for (level, file) in [("B-B", &signed), ("B-LTA", &raised)] {
        let name = format!("PAdES, 100 MB, {level}");
        let (ours, limit) = (|| parties.judge(file), || limit(file, None));
        let pyhanko = || parties.judge_by_pyhanko(file);
        let dss = || Some(parties.judge_by_dss(file));
        bench.compare(&name, 3, [&ours, &limit], &[&pyhanko, &dss]);
    }
}

/// Prints the tables of raising.
pub(crate) fn raise(bench: &Bench) {
    let parties = Parties::new(bench);
    println!("\n| work | ours, engine | limit | ours / limit | pyHanko, warm | EU DSS, warm |");
    println!("|---|---|---|---|---|---|");
    let mut sizes = Vec::new();
    // Those that EU DSS and pyHanko were measured with before.
    for (format, octets) in
        [(Format::Pades, 100_000), (Format::Xades, 1_000), (Format::Cades, 1_000)]
    {
        let signed = parties.signed(format, octets);
        for level in ["LT", "LTA"].into_iter().cycle().take(WARM_UP) {
            parties.raise_by_dss(format, &signed, level).unwrap();
        }
        let length = |path: &Path| path.metadata().unwrap().len();
        let mut row = vec![length(&signed)];
        // As for judging; a document of level B-LT has one token.
        for (level, target, checks) in [("LT", TargetLevel::Lt, 5), ("LTA", TargetLevel::Lta, 6)] {
            let name = format!("{}, {} octets, B-B to B-{level}", format.name(), row[0]);
            let ours = || parties.raise(&signed, &bench.out, target).0;
            let limit = || parties.checks(checks);
            let pyhanko = || {
                let is_pdf = format == Format::Pades;
                is_pdf.then(|| parties.raise_by_pyhanko(&signed, level).ok())?
            };
            let dss = || Some(parties.raise_by_dss(format, &signed, level).unwrap());
            bench.compare(&name, RUNS, [&ours, &limit], &[&pyhanko, &dss]);
            ours();
            row.push(length(&bench.out));
            dss();
            row.push(length(&bench.out));
        }
        sizes.push((format, row));
    }
    let signed = parties.signed(Format::Pades, 100_000_000);
    let mut readings = 0.0;
    for (level, target) in [("LT", TargetLevel::Lt), ("LTA", TargetLevel::Lta)] {
        let ours = || parties.raise(&signed, &bench.out, target).0;
        let limit = || limit(&signed, Some(&bench.out));
        let pyhanko = || parties.raise_by_pyhanko(&signed, level).ok();
        let dss = || Some(parties.raise_by_dss(Format::Pades, &signed, level).unwrap());
        let name = format!("PAdES, 100 MB, B-B to B-{level}");
        bench.compare(&name, 3, [&ours, &limit], &[&pyhanko, &dss]);
        readings = parties.raise(&signed, &bench.out, target).1;
    }
    println!("\nPAdES, 100 MB, B-B to B-LTA: the document is read {readings:.2} times");
    println!("\n| octets | B-B | B-LT, ours | B-LT, EU DSS | B-LTA, ours | B-LTA, EU DSS |");
    println!("|---|---|---|---|---|---|");
    for (format, row) in sizes {
        let row: Vec<String> = row.iter().map(u64::to_string).collect();
        println!("| {} | {} |", format.name(), row.join(" | "));
    }
}

fn open(path: &Path) -> Document<'static> {
    Document::seekable(File::open(path).unwrap())
}

fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Counts the octets that are read.
struct Counted<'c> {
    source: File,
    octets: &'c AtomicU64,
}

impl Read for Counted<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(out)?;
        self.octets.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl Seek for Counted<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.source.seek(to)
    }
}
