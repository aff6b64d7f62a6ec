//! The pieces of work that are counted, and their inputs.

use std::fmt;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use ades::formats::ades_core::{Digester, verify};
use ades::formats::xades::c14n::{Selection, canonicalize};
use ades::formats::xades::xml::Reader;
use ades::{
    Canonicalization, Certificate, CertificateChain, Check, DigestAlgorithm, Document, Format,
    Level, Packaging, PendingSignature, SignatureAlgorithm, SignatureParameters, SigningOptions,
    TargetLevel, VerifyOptions,
};
use chrono::DateTime;
use test_documents::Random;
use test_documents::invoice::Invoice;
use test_documents::large_pdf::{write_image_pages, write_many_objects};
use test_key::TestKey;

use crate::raising;
use crate::services::Services;

/// A piece of work on a document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    kind: Kind,
    work: Work,
    size: Size,
}

/// The kind of document and signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Detached,
    Enveloping,
    /// A few large images.
    Pdf,
    /// A PDF with many small objects.
    Objects,
    Xml,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    /// Opens the document and finds what forbids a signature.
    Check,
    /// Prepares a signature and stores its state.
    Prepare,
    /// As above, and copies the document.
    PrepareCopying,
    /// Restores the state and writes the container.
    Complete,
    /// Restores the state and completes the copy.
    CompleteInPlace,
    /// Verifies a container that was just written.
    VerifyCompleted,
    /// Verifies a container that somebody else made.
    Verify,
    /// Copies the document while preparing, completes the copy and verifies it, in one process.
    SignAtOnce,
    /// Judges a signature of level B-B with its path and embedded revocation data.
    Judge,
    /// Judges a signature of level B-LTA.
    JudgeLta,
    /// Raises a signature from B-B to B-LT, with answers that are there.
    RaiseLt,
    /// As above, to B-LTA.
    RaiseLta,
    /// Canonicalises the document with Canonical XML 1.0.
    Inclusive,
    /// As above with the exclusive algorithm.
    Exclusive,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Size {
    /// What does not depend on the document's length dominates.
    Tiny,
    Usual,
    Small,
    Large,
}

impl Size {
    const fn octets(self) -> usize {
        match self {
            Self::Tiny => 1_000,
            Self::Usual => 10_000,
            Self::Small => 100_000,
            Self::Large => 10_000_000,
        }
    }
}

impl Case {
    pub(crate) fn all() -> Vec<Self> {
        use Work::{
            Check, Complete, CompleteInPlace, Exclusive, Inclusive, Judge, JudgeLta, Prepare,
            PrepareCopying, RaiseLt, RaiseLta, SignAtOnce, Verify, VerifyCompleted,
        };

        const SIGNED: &[Work] = &[Prepare, Complete, VerifyCompleted, Verify];
        const COPIED: &[Work] = &[PrepareCopying, CompleteInPlace];
        let kinds: [(Kind, &[Work]); 8] = [
            (Kind::Xml, SIGNED),
            (Kind::Xml, &[Inclusive, Exclusive, SignAtOnce]),
            (Kind::Objects, &[Check, VerifyCompleted]),
            (Kind::Pdf, SIGNED),
            (Kind::Pdf, COPIED),
            (Kind::Detached, SIGNED),
            (Kind::Enveloping, SIGNED),
            (Kind::Enveloping, COPIED),
        ];
        // The long ones first, so that no processor is idle at the end.
        let mut all = Vec::new();
        for size in [Size::Large, Size::Small, Size::Tiny] {
            for (kind, works) in kinds {
                if size != Size::Tiny || works == SIGNED || works == COPIED {
                    all.extend(works.iter().map(|&work| Self { kind, work, size }));
                }
            }
        }
        for kind in [Kind::Xml, Kind::Pdf, Kind::Enveloping] {
            for work in [Judge, JudgeLta, RaiseLt, RaiseLta] {
                all.push(Self { kind, work, size: Size::Usual });
            }
        }
        all
    }

    /// The case with this name.
    pub(crate) fn named(name: &str) -> Self {
        let mut all = Self::all().into_iter();
        all.find(|case| case.to_string() == name).expect("the name of a case")
    }

    /// Writes the files that [`run`](Self::run) and [`baseline`](Self::baseline) read.
    pub(crate) fn make_input(self, folder: &Path) {
        fs::create_dir(folder).unwrap();
        let path = folder.join("document");
        let mut out = BufWriter::new(File::create(&path).unwrap());
        let len = self.size.octets();
        match self.kind {
            Kind::Detached | Kind::Enveloping => out.write_all(&octets(len)).unwrap(),
            Kind::Pdf => {
                // A row of an image has 500 octets.
                let (pages, rows) = match self.size {
                    Size::Tiny => (1, 1),
                    Size::Usual => (1, 20),
                    Size::Small => (1, 200),
                    Size::Large => (20, 1000),
                };
                write_image_pages(&mut out, pages, rows).unwrap();
            }
            Kind::Objects => {
                let objects = u32::try_from(len / 70).unwrap();
                write_many_objects(&mut out, objects).unwrap();
            }
            Kind::Xml => drop(std::io::copy(&mut Invoice::new(len as u64), &mut out).unwrap()),
        }
        out.flush().unwrap();
        let services = self.is_judged().then(Services::new);
        let key = match &services {
            Some(services) => services.signer.clone(),
            None => TestKey::new("Signer of counted documents"),
        };
        let write = |name, octets: &[u8]| fs::write(folder.join(name), octets).unwrap();
        write("certificate", key.certificate());
        let pending = self.prepare(folder);
        let to_be_signed = pending.to_be_signed();
        write("data", to_be_signed.data());
        write("value", &key.sign_digest(to_be_signed.digest().0.value()));
        write("state", pending.to_json(None).unwrap().as_bytes());
        complete(folder);
        fs::rename(folder.join("out"), folder.join("container")).unwrap();
        if self.work == Work::CompleteInPlace {
            write("state", self.prepare_copying(folder).to_json(None).unwrap().as_bytes());
        }
        let Some(services) = services else { return };
        write("anchor", services.anchor().der());
        match self.work {
            Work::JudgeLta => {
                write("container", &raising::record(folder, &services, TargetLevel::Lta));
            }
            Work::RaiseLt => drop(raising::record(folder, &services, TargetLevel::Lt)),
            Work::RaiseLta => drop(raising::record(folder, &services, TargetLevel::Lta)),
            _ => {
                let format = self.format();
                write("container", &raising::with_revocation_data(folder, &services, format));
            }
        }
    }

    /// What is counted.
    pub(crate) fn run(self, folder: &Path) {
        let document = || open(folder, "document");
        let container = || open(folder, "container");
        match self.work {
            Work::Check => drop(ades::check(&mut document(), &self.options()).unwrap()),
            Work::Prepare => drop(self.prepare(folder).to_json(None).unwrap()),
            Work::PrepareCopying => drop(self.prepare_copying(folder).to_json(None).unwrap()),
            Work::Complete => complete(folder),
            Work::CompleteInPlace => {
                let file = File::options().read(true).write(true).open(folder.join("out"));
                let (mut file, value) = (file.unwrap(), read(folder, "value"));
                pending(folder).complete_in_place(&mut file, &value, Check::LengthAndTail).unwrap();
            }
            Work::VerifyCompleted => {
                pending(folder).verify_completed(&mut container(), &mut document()).unwrap();
            }
            Work::Verify => {
                let mut options = VerifyOptions::new();
                if self.kind == Kind::Detached {
                    options = options.original(None, document());
                }
                let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
                drop(ades::verify(&mut container(), options, now).unwrap());
            }
            Work::SignAtOnce => {
                let pending = self.prepare_copying(folder);
                let path = folder.join("out");
                let mut file = File::options().read(true).write(true).open(&path).unwrap();
                let value = read(folder, "value");
                pending.complete_in_place(&mut file, &value, Check::LengthAndTail).unwrap();
                pending.verify_completed(&mut open(folder, "out"), &mut document()).unwrap();
            }
            Work::Judge => raising::judge(folder, Level::B),
            Work::JudgeLta => raising::judge(folder, Level::Lta),
            Work::RaiseLt => raising::replay(folder, TargetLevel::Lt),
            Work::RaiseLta => raising::replay(folder, TargetLevel::Lta),
            Work::Inclusive => form(folder, Canonicalization::C14N_1_0),
            Work::Exclusive => form(folder, Canonicalization::EXCLUSIVE),
        }
    }

    /// What the case is not about: starting the program and, where the work verifies
    /// the signature value, that too. Judging and raising verify many values, and one too many
    /// has to be seen: all of them count.
    pub(crate) fn baseline(self, folder: &Path) {
        let verifications = match self.work {
            Work::Complete | Work::CompleteInPlace | Work::VerifyCompleted | Work::Verify => 1,
            Work::SignAtOnce => 2,
            Work::Check
            | Work::Prepare
            | Work::PrepareCopying
            | Work::Judge
            | Work::JudgeLta
            | Work::RaiseLt
            | Work::RaiseLta
            | Work::Inclusive
            | Work::Exclusive => 0,
        };
        for _ in 0..verifications {
            let data = read(folder, "data");
            let algorithm = SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256);
            verify::verify(chain(folder).leaf(), algorithm, &data, &read(folder, "value")).unwrap();
        }
    }

    /// Whether certificates and their revocation are a part of the work.
    const fn is_judged(self) -> bool {
        matches!(self.work, Work::Judge | Work::JudgeLta | Work::RaiseLt | Work::RaiseLta)
    }

    const fn format(self) -> Format {
        match self.kind {
            Kind::Detached | Kind::Enveloping => Format::Cades,
            Kind::Pdf | Kind::Objects => Format::Pades,
            Kind::Xml => Format::Xades,
        }
    }

    /// 2026-09-21T14:13:20Z
    fn options(self) -> SigningOptions {
        let time = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let options = SigningOptions::new(SignatureParameters::new(time));
        match self.kind {
            Kind::Detached => options.packaging(Packaging::Detached),
            Kind::Enveloping => options.packaging(Packaging::Enveloping),
            Kind::Pdf | Kind::Objects | Kind::Xml => options,
        }
    }

    fn prepare(self, folder: &Path) -> PendingSignature {
        let mut document = open(folder, "document");
        ades::prepare(&mut document, &chain(folder), &self.options()).unwrap()
    }

    /// The copy is the file `out`.
    fn prepare_copying(self, folder: &Path) -> PendingSignature {
        let mut document = open(folder, "document");
        let mut out = File::create(folder.join("out")).unwrap();
        ades::prepare_copying(&mut document, &chain(folder), &self.options(), &mut out).unwrap()
    }
}

fn complete(folder: &Path) {
    let mut document = open(folder, "document");
    let mut out = File::create(folder.join("out")).unwrap();
    pending(folder).complete(Some(&mut document), &read(folder, "value"), &mut out).unwrap();
}

/// Digests the canonical form.
fn form(folder: &Path, method: Canonicalization) {
    let mut document = open(folder, "document");
    let reader = Reader::from_read(document.reader().unwrap()).unwrap();
    let mut digester = Digester::new(DigestAlgorithm::Sha256);
    let covered = canonicalize(reader, method, Selection::document(), &mut |piece| {
        digester.update(piece);
        Ok(())
    });
    covered.unwrap();
    std::hint::black_box(digester.finish());
}

fn read(folder: &Path, name: &str) -> Vec<u8> {
    fs::read(folder.join(name)).unwrap()
}

fn open(folder: &Path, name: &str) -> Document<'static> {
    Document::seekable(File::open(folder.join(name)).unwrap())
}

fn chain(folder: &Path) -> CertificateChain {
    let certificate = Certificate::from_der(read(folder, "certificate")).unwrap();
    CertificateChain::from_leaf(certificate, []).unwrap()
}

fn pending(folder: &Path) -> PendingSignature {
    let state = String::from_utf8(read(folder, "state")).unwrap();
    PendingSignature::from_json(&state, None).unwrap()
}

/// Octets that do not repeat, the same in every run.
fn octets(len: usize) -> Vec<u8> {
    let mut random = Random::new(1);
    std::iter::repeat_with(|| random.next().to_le_bytes()).flatten().take(len).collect()
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Detached => "cades-detached",
            Kind::Enveloping => "cades-enveloping",
            Kind::Pdf => "pades",
            Kind::Objects => "pades-objects",
            Kind::Xml => "xades",
        };
        let work = match self.work {
            Work::Check => "check",
            Work::Prepare => "prepare",
            Work::PrepareCopying => "prepare-copying",
            Work::Complete => "complete",
            Work::CompleteInPlace => "complete-in-place",
            Work::VerifyCompleted => "verify-completed",
            Work::Verify => "verify",
            Work::SignAtOnce => "sign-at-once",
            Work::Judge => "judge",
            Work::JudgeLta => "judge-lta",
            Work::RaiseLt => "raise-lt",
            Work::RaiseLta => "raise-lta",
            Work::Inclusive => "c14n-1.0",
            Work::Exclusive => "c14n-exclusive",
        };
        let size = match self.size {
            Size::Tiny => "1-KB",
            Size::Usual => "10-KB",
            Size::Small => "100-KB",
            Size::Large => "10-MB",
        };
        write!(f, "{kind}.{work}.{size}")
    }
}
