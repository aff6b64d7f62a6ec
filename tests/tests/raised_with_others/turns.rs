//! EU DSS raises what we have made, we raise what it has made, and so on: each level is added by
//! the other than the one before. (`xades_extend.rs` does so with XML.)

use std::path::PathBuf;

use ades::{ExtendOptions, Level, TargetLevel};
use ades_tests::evidence::By;
use ades_tests::levels::{Raising, assert_kept, signer};
use ades_tests::oracle::dss::Dss;
use ades_tests::pki::{Key, Pki, TestSigner};
use ades_tests::signing::{parameters, sign, sign_pades};
use cades::Packaging;
use chrono::{DateTime, TimeDelta};
use serde_json::json;

use crate::{CONTENT, Court, assert_level, rfc3339};

/// What is raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Enveloping,
    Detached,
    Pdf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Dss,
    Ours,
}

impl Who {
    const fn other(self) -> Self {
        match self {
            Self::Dss => Self::Ours,
            Self::Ours => Self::Dss,
        }
    }
}

struct Turns<'s> {
    kind: Kind,
    court: Court,
    signer: &'s TestSigner,
    raising: Raising<'s>,
    tsa: PathBuf,
}

impl<'s> Turns<'s> {
    fn new(kind: Kind, signer: &'s TestSigner) -> Self {
        let court = Court::new(&[Pki::shared().issuing()]);
        let mut raising = Raising::new(signer);
        raising.original = (kind == Kind::Detached).then_some(CONTENT);
        let tsa = court.write("tsa.p12", &raising.services.authority.pkcs12("secret"));
        Self { kind, court, signer, raising, tsa }
    }

    fn signed(&self, who: Who) -> Vec<u8> {
        let pdf = ades_tests::pdf::Document::default().write();
        let packaging = match self.kind {
            Kind::Detached => Packaging::Detached,
            _ => Packaging::Enveloping,
        };
        match (who, self.kind) {
            (Who::Ours, Kind::Pdf) => {
                let options = pades::SignatureOptions::new();
                sign_pades(&pdf, self.signer, &parameters(), &options).unwrap()
            }
            (Who::Ours, _) => sign(CONTENT, packaging, self.signer, &parameters()).unwrap(),
            (Who::Dss, kind) => {
                let document = if kind == Kind::Pdf { &pdf[..] } else { CONTENT };
                let out = self.court.path("signed");
                let request = json!({
                    "file": self.court.write("document", document), "out": out, "digest": "SHA256",
                    "packaging": if kind == Kind::Detached { "DETACHED" } else { "ENVELOPING" },
                    "pkcs12": self.court.write("signer.p12", &self.signer.pkcs12("secret")),
                    "password": "secret", "time": "2026-09-21T14:13:20Z",
                });
                match kind {
                    Kind::Pdf => Dss::shared().sign_pdf(&request).unwrap(),
                    _ => Dss::shared().sign(&request),
                }
                std::fs::read(out).unwrap()
            }
        }
    }

    /// One step of EU DSS, which judges the certificates today, whatever the time of its
    /// time-stamps: the CRL is still good.
    fn by_dss(&self, container: &[u8], level: &str) -> Vec<u8> {
        let until = DateTime::parse_from_rfc3339("2049-12-31T23:59:59Z").unwrap().to_utc();
        let list = self.raising.services.crl_until(By::Issuing(Pki::shared()), until);
        let out = self.court.path("raised");
        let original = (self.kind == Kind::Detached).then(|| self.court.write("original", CONTENT));
        let request = json!({
            "format": if self.kind == Kind::Pdf { "PAdES" } else { "CAdES" },
            "file": self.court.write("container", container), "out": out, "original": original,
            "level": level, "tsa": self.tsa, "password": "secret",
            "time": rfc3339(self.raising.services.now), "trust": self.court.anchors,
            "crls": [self.court.write("list.crl", &list)],
        });
        Dss::shared().raise(&request).unwrap_or_else(|error| panic!("{error}: {request}"));
        std::fs::read(out).unwrap()
    }

    fn raised(&mut self, who: Who, container: &[u8], wish: TargetLevel, what: &str) -> Vec<u8> {
        match who {
            Who::Ours => {
                let (raised, reached) = self.raising.raise(container, ExtendOptions::new(wish));
                assert_eq!((reached.level, reached.missing), (wish.level(), vec![]), "{what}");
                raised
            }
            Who::Dss => {
                let raised = self.by_dss(container, name(wish));
                assert_kept(container, &raised);
                raised
            }
        }
    }

    /// EU DSS and we say the level; what has validation data passes.
    fn confirm(&self, container: &[u8], level: Level, name: &str, what: &str) {
        let time = self.raising.services.now + TimeDelta::seconds(30);
        let verdicts = self.court.verdicts(container, self.raising.original, time);
        assert_eq!(verdicts.len(), 1, "{what}");
        assert_level(&verdicts[0], name, what);
        let report = self.raising.verify_at(container, time);
        assert_eq!(report.signatures[0].level, level, "{what}\n{report}");
        assert_eq!(report.is_passed(), level > Level::T, "{what}\n{report}");
    }
}

const fn name(wish: TargetLevel) -> &'static str {
    match wish {
        TargetLevel::T => "T",
        TargetLevel::Lt => "LT",
        _ => "LTA",
    }
}

fn in_turns(kind: Kind) {
    let signer = signer(Pki::shared(), Key::P256);
    for first in [Who::Dss, Who::Ours] {
        let mut turns = Turns::new(kind, &signer);
        let mut current = turns.signed(first.other());
        let mut who = first;
        // B-T, B-LT, B-LTA, and a renewal by each.
        for wish in
            [TargetLevel::T, TargetLevel::Lt, TargetLevel::Lta, TargetLevel::Lta, TargetLevel::Lta]
        {
            let what = format!("{kind:?}, {first:?} first, {wish:?} by {who:?}");
            turns.raising.services.now += TimeDelta::hours(1);
            current = turns.raised(who, &current, wish, &what);
            turns.confirm(&current, wish.level(), name(wish), &what);
            who = who.other();
        }
        let report = turns.raising.verify(&current);
        let stamps: Vec<_> = report.signatures[0].time_stamps().collect();
        assert_eq!(stamps.len(), 4, "{kind:?} {first:?}\n{report}");
        assert!(stamps.iter().all(|stamp| stamp.fits()), "{kind:?} {first:?}\n{report}");
    }
}

#[test]
fn dss_and_we_raise_a_cms_container_in_turns() {
    in_turns(Kind::Enveloping);
}

#[test]
fn dss_and_we_raise_a_detached_cms_signature_in_turns() {
    in_turns(Kind::Detached);
}

#[test]
fn dss_and_we_raise_a_pdf_in_turns() {
    in_turns(Kind::Pdf);
}
