//! If an issuer on one path is revoked, or nothing is known about its revocation, the next path is
//! tried: that of a cross-certificate (EN 319 102-1, 5.2.6.4, step 2; RFC 5280, 6.1).

use ades::{Indication, Report, SubIndication, VerifyOptions};
use ades_core::{Certificate, Document};
use ades_tests::evidence::{By, List, entry, reason};
use ades_tests::levels::now;
use ades_tests::pki::{Key, Pki};
use ades_tests::signing::{parameters, sign};

/// The CRL of a root about certificates of the issuing CA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RootCrl {
    Good,
    Revoked,
    Missing,
}

use RootCrl::{Good, Missing, Revoked};

/// An issuing CA with a certificate of its own root and one of another root.
struct Cross {
    own: Pki,
    other: Pki,
    cross: Certificate,
    container: Vec<u8>,
}

impl Cross {
    fn new() -> Self {
        let (own, other) = (Pki::new(), Pki::new());
        let cross = own.cross_signed_by(&other);
        let signer = own.signer(Key::P256);
        let packaging = cades::Packaging::Enveloping;
        let container = sign(b"content", packaging, signer, &parameters()).unwrap();
        Self { own, other, cross, container }
    }

    fn list(about: &Certificate, by: By<'_>, state: RootCrl) -> Option<Vec<u8>> {
        let revoked = || entry(about.serial_number(), "20260301000000Z", &[reason(2)]);
        match state {
            Good => Some(List::new(1, Vec::new()).signed(by)),
            Revoked => Some(List::new(1, vec![revoked()]).signed(by)),
            Missing => None,
        }
    }

    fn options(&self, own: RootCrl, other: RootCrl) -> VerifyOptions<'static> {
        let about_signer = List::new(1, Vec::new()).signed(By::Issuing(&self.own));
        let lists = [
            Self::list(self.own.issuing(), By::Root(&self.own), own),
            Self::list(&self.cross, By::Root(&self.other), other),
        ];
        let options = VerifyOptions::new().crl(about_signer).certificate(self.cross.clone());
        lists.into_iter().flatten().fold(options, VerifyOptions::crl)
    }

    /// `order`: the positions of the anchors.
    fn judge(&self, own: RootCrl, other: RootCrl, order: [usize; 2]) -> Report {
        let anchors = [self.own.root(), self.other.root()];
        let anchors = order.map(|at| anchors[at].clone());
        let options = self.options(own, other).trust(&anchors);
        ades::verify(&mut Document::from_bytes(&self.container), options, now()).unwrap()
    }
}

fn answer(report: &Report) -> (Indication, Option<SubIndication>) {
    let only = &report.signatures[0];
    (only.indication(), only.judgement.conclusion.sub_indication())
}

#[test]
fn a_path_without_faults_is_taken_whichever_comes_first() {
    use SubIndication::{CertificateChainGeneralFailure, RevokedCaNoPoe};

    let cross = Cross::new();
    let indeterminate = |sub| (Indication::Indeterminate, Some(sub));
    let passed = (Indication::TotalPassed, None);
    for (own, other, expected) in [
        (Good, Good, passed),
        (Good, Revoked, passed),
        (Revoked, Good, passed),
        (Good, Missing, passed),
        (Missing, Good, passed),
        (Revoked, Revoked, indeterminate(RevokedCaNoPoe)),
        (Missing, Missing, indeterminate(CertificateChainGeneralFailure)),
        // What is known can be excused by a time-stamp from before.
        (Revoked, Missing, indeterminate(RevokedCaNoPoe)),
        (Missing, Revoked, indeterminate(RevokedCaNoPoe)),
    ] {
        for order in [[0, 1], [1, 0]] {
            let report = cross.judge(own, other, order);
            let what = format!("{own:?} {other:?} {order:?}\n{report}");
            assert_eq!(answer(&report), expected, "{what}");
            let anchor = report.signatures[0].judgement.path.as_ref().unwrap();
            let anchor = anchor.certificates.last().unwrap();
            match (own, other) {
                (Good, Revoked | Missing) => assert_eq!(anchor, cross.own.root(), "{what}"),
                (Revoked | Missing, Good) => assert_eq!(anchor, cross.other.root(), "{what}"),
                _ => {}
            }
        }
    }
    // With one anchor, there is one path.
    let anchors = [cross.own.root().clone()];
    let options = cross.options(Revoked, Good).trust(&anchors);
    let mut document = Document::from_bytes(&cross.container);
    let report = ades::verify(&mut document, options, now()).unwrap();
    assert_eq!(answer(&report), indeterminate(RevokedCaNoPoe), "{report}");
}

/// A revoked signer stays revoked on every path.
#[test]
fn no_other_path_excuses_the_signer() {
    let cross = Cross::new();
    let signer = cross.own.signer(Key::P256).leaf();
    let revoked = entry(signer.serial_number(), "20260301000000Z", &[reason(1)]);
    let list = List::new(2, vec![revoked]);
    let list = List { this_update: "20260201000000Z", ..list }.signed(By::Issuing(&cross.own));
    let anchors = [cross.own.root().clone(), cross.other.root().clone()];
    let options = cross.options(Good, Good).trust(&anchors).crl(list);
    let mut document = Document::from_bytes(&cross.container);
    let report = ades::verify(&mut document, options, now()).unwrap();
    assert_eq!(answer(&report), (Indication::Indeterminate, Some(SubIndication::RevokedNoPoe)));
}

/// Many cross-certificates, all revoked but one: the number of paths that are looked at is limited,
/// and what is found within the limit counts.
#[test]
fn the_number_of_other_paths_is_limited() {
    let cross = Cross::new();
    for (count, is_passed) in [(8, true), (40, false)] {
        let others: Vec<Pki> = (0..count).map(|_| Pki::new()).collect();
        let own = Cross::list(cross.own.issuing(), By::Root(&cross.own), Revoked).unwrap();
        let about_signer = List::new(1, Vec::new()).signed(By::Issuing(&cross.own));
        let mut options = VerifyOptions::new().crl(about_signer).crl(own);
        let mut anchors = vec![cross.own.root().clone()];
        for other in &others {
            let certificate = cross.own.cross_signed_by(other);
            options = options.crl(Cross::list(&certificate, By::Root(other), Revoked).unwrap());
            options = options.certificate(certificate);
            anchors.push(other.root().clone());
        }
        // The good one is the last of those that are equally new.
        anchors.push(cross.other.root().clone());
        let good = Cross::list(&cross.cross, By::Root(&cross.other), Good).unwrap();
        let options = options.certificate(cross.cross.clone()).crl(good).trust(&anchors);
        let mut document = Document::from_bytes(&cross.container);
        let report = ades::verify(&mut document, options, now()).unwrap();
        assert_eq!(report.is_passed(), is_passed, "{count}\n{report}");
    }
}
