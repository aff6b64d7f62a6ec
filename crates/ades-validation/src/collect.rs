//! Which certificates and revocation data a signature needs so that it can be judged without
//! a network (levels B-LT and B-LTA), and which of them are missing.
//!
//! Every certificate below an anchor needs revocation data here: those of the signer, of each
//! time-stamping authority and of each signer of revocation data, with the CAs above them. A
//! judge is content with less.

use std::collections::HashSet;

use ades_core::facts::ObjectId;
use ades_core::{Certificate, Level};
use ades_evidence::needs::{Need, Urls};
use ades_evidence::revocation::{CertificateStatus, SignerRole};
use chrono::{DateTime, Utc};

use crate::chain::Chain;
use crate::facts::Signature;
use crate::judge::MAX_TIME_STAMPS;
use crate::judgement::Reason;
use crate::long_term::age;
use crate::material::Datum;
use crate::revocation::{Issuing, Link, Need as LinkNeed};
use crate::session::{Session, Usage};

/// Maximum number of paths of signers of revocation data that are followed from one another.
const MAX_DEPTH: usize = 8;

/// The code of a gap: the data are no longer recent, so an archive time-stamp that is made now proves
/// too little of them.
const NOT_RECENT: &str = "revocation-not-recent";
/// The code of a gap: nothing can prove any more that the data are older than the end of the
/// certificate that signed them.
const SIGNER_EXPIRED: &str = "revocation-signer-not-valid";

/// What a signature needs, as far as it is there, and what is missing. `Debug` shows numbers
/// only.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Collected {
    /// The certificates of all paths, anchors included, and those of signers of revocation
    /// data, each once.
    pub certificates: Vec<Certificate>,
    /// The revocation data that decide, each once.
    pub revocation: Vec<ObjectId>,
    /// What is missing.
    pub gaps: Vec<Gap>,
}

impl std::fmt::Debug for Collected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Collected")
            .field("certificates", &self.certificates.len())
            .field("revocation", &self.revocation.len())
            .field("gaps", &self.gaps.len())
            .finish()
    }
}

/// Something that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Gap {
    /// Whose path it is on.
    pub about: About,
    /// What is missing, and why.
    pub reason: Reason,
    /// What would fill the gap, each alone, the preferred one first. Empty if no certificate
    /// names an address.
    pub needs: Vec<Need>,
    /// Whether there are data that count, and newer ones would only be better.
    pub is_optional: bool,
    /// When newer data are to be expected: nextUpdate of those that are there.
    pub due: Option<DateTime<Utc>>,
    /// The lowest level that needs it: [`Level::Lt`], or [`Level::Lta`] for what only an archive
    /// time-stamp needs, made now.
    pub level: Level,
}

impl Gap {
    /// Whether only the present time makes it a gap: for what an archive time-stamp covered in time,
    /// it is none.
    #[must_use]
    pub fn is_of_now(&self) -> bool {
        [NOT_RECENT, SIGNER_EXPIRED].contains(&self.reason.code.as_str())
    }
}

/// Whose path a gap is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum About {
    /// The signer's.
    Signer,
    /// That of the time-stamp at this position among those on the signature.
    TimeStamp(usize),
}

/// What is collected for one path.
struct Collector<'c> {
    into: &'c mut Collected,
    /// The certificates that were added, and the links that were followed.
    seen: &'c mut HashSet<(ObjectId, ObjectId)>,
    about: About,
    /// The time at which the signature or time-stamp is known to exist: newer revocation data
    /// about the certificate that made it are better.
    since: Option<DateTime<Utc>>,
}

impl Collector<'_> {
    fn add_certificate(&mut self, certificate: &Certificate) {
        if !self.into.certificates.contains(certificate) {
            self.into.certificates.push(certificate.clone());
        }
    }

    fn add_datum(&mut self, datum: &Datum) {
        if !self.into.revocation.contains(&datum.id) {
            self.into.revocation.push(datum.id);
        }
        self.add_certificate(&datum.facts.signer);
    }

    fn gap(&mut self, code: &str, text: impl Into<String>, needs: Vec<Need>, is_optional: bool) {
        self.gap_at(Level::Lt, (code, text.into()), needs, is_optional);
    }

    fn gap_at(
        &mut self,
        level: Level,
        (code, text): (&str, String),
        needs: Vec<Need>,
        is_optional: bool,
    ) {
        let reason = Reason::new(code, text);
        let (about, due) = (self.about, None);
        self.add_gap(Gap { about, reason, needs, is_optional, due, level });
    }

    fn add_gap(&mut self, gap: Gap) {
        if !self.into.gaps.contains(&gap) {
            self.into.gaps.push(gap);
        }
    }
}

impl Session<'_> {
    /// Collects what the signer and the time-stamps of a signature need.
    pub(crate) fn collect(&mut self, signature: &Signature<'_>) -> Collected {
        let (mut into, mut seen) = (Collected::default(), HashSet::new());
        let stamps = || signature.facts.time_stamps().take(MAX_TIME_STAMPS).enumerate();
        let on_signature = stamps().filter(|(_, stamp)| stamp.fits() && stamp.covers.signature);
        let since = on_signature.filter_map(|(_, stamp)| stamp.time).min();
        let (about, seen) = (About::Signer, &mut seen);
        let mut own = Collector { into: &mut into, seen, about, since };
        match &signature.facts.certificate {
            Some(certificate) => self.collect_path(certificate, Usage::Signing, &mut own),
            None => {
                own.gap("signer-missing", "the signer's certificate is not there", vec![], false)
            }
        }
        // The newest first: what an authority needs is asked for its newest time-stamp.
        let mut fitting: Vec<_> = stamps().filter(|(_, stamp)| stamp.fits()).collect();
        fitting.sort_by_key(|(_, stamp)| std::cmp::Reverse(age(stamp)));
        // It shares CAs with the signer, and what is missing about them concerns both.
        let mut of_newest = HashSet::new();
        for (position, (at, facts)) in fitting.into_iter().enumerate() {
            let token = self.material.token(ObjectId::of(&facts.octets), &facts.octets);
            let links = if position == 0 { &mut of_newest } else { &mut *seen };
            let about = About::TimeStamp(at);
            let since = facts.time;
            let mut own = Collector { into: &mut into, seen: links, about, since };
            match token.signer {
                Some(signer) => self.collect_path(&signer, Usage::TimeStamping, &mut own),
                None => {
                    let text = "the certificate of a time-stamping authority is not there";
                    own.gap("time-stamp-signer-missing", text, vec![], false);
                }
            }
            seen.extend(of_newest.drain());
        }
        into
    }

    fn collect_path(&mut self, certificate: &Certificate, usage: Usage, own: &mut Collector<'_>) {
        self.collect_path_within(certificate, usage, own, MAX_DEPTH);
    }

    fn collect_path_within(
        &mut self,
        certificate: &Certificate,
        usage: Usage,
        own: &mut Collector<'_>,
        depth: usize,
    ) {
        match self.chain(certificate, usage) {
            Ok(chain) => self.collect_chain(&chain, own, depth),
            Err(none) => {
                let need = self.missing_issuer(certificate);
                let is_to_be_had = matches!(&need, Need::Issuer { urls, .. } if !urls.is_empty());
                let needs = if is_to_be_had { vec![need] } else { Vec::new() };
                let text = format!("{}: {}", usage.holder(), none.failure.reason.text);
                own.gap(&none.failure.reason.code, text, needs, false);
            }
        }
    }

    fn collect_chain(&mut self, chain: &Chain, own: &mut Collector<'_>, depth: usize) {
        chain.path.certificates.iter().for_each(|one| own.add_certificate(one));
        for (at, link) in chain.links.iter().enumerate() {
            // Those above may sign revocation data only.
            let is_leaf = at == 0 && chain.usage != Usage::RevocationSigning;
            self.collect_link(link, chain.usage, is_leaf, own, depth);
        }
    }

    fn collect_link(
        &mut self,
        link: &Link,
        usage: Usage,
        is_leaf: bool,
        own: &mut Collector<'_>,
        depth: usize,
    ) {
        let key = (link.id, link.issuer.id());
        if link.need == LinkNeed::NeverRevoked || !own.seen.insert(key) {
            return;
        }
        let Some(datum) = link.selected() else {
            return self.collect_missing(link, usage, is_leaf, own, depth);
        };
        own.add_datum(datum);
        self.collect_signer(datum, link, usage, own, depth);
        let facts = &datum.facts;
        if let CertificateStatus::Revoked(revocation) = facts.status {
            let text = format!("the certificate of {} was revoked", holder(link, usage, is_leaf));
            let before = own.since.unwrap_or(self.time);
            if revocation.time <= before {
                own.gap("revoked", format!("{text} on {}", revocation.time), vec![], false);
            }
        }
        if let Some(since) = own.since.filter(|_| is_leaf) {
            // The policy is about the signer (EN 319 102-1, 5.2.5).
            let is_enough = usage != Usage::Signing || self.policy.freshness.is_fresh(facts, since);
            if !is_enough || facts.this_update < since {
                let text = format!(
                    "the revocation data about {} are of {}, before its time-stamp of {since}",
                    usage.holder(),
                    facts.this_update
                );
                own.add_gap(Gap {
                    about: own.about,
                    reason: Reason::new("revocation-stale", text),
                    needs: revocation_needs(link),
                    is_optional: is_enough,
                    due: facts.next_update,
                    level: Level::Lt,
                });
                return;
            }
        }
        let (_, end) = facts.signer.validity();
        if facts.role != SignerRole::Issuer && end < self.time {
            let text = format!(
                "the certificate that signed the revocation data about {} expired on {end}",
                holder(link, usage, is_leaf)
            );
            let reason = (SIGNER_EXPIRED, text);
            own.gap_at(Level::Lt, reason, revocation_needs(link), true);
            return;
        }
        // The data about a time-stamping authority have to be recent when the next time-stamp
        // covers its tokens, or these are good only as long as its certificate (5.6.2.2). The
        // signature exists already, so data from after its time-stamp are enough.
        let is_signer = is_leaf && usage == Usage::Signing;
        let until = self.fresh_until(facts, self.freshness_of(usage, is_leaf));
        if !is_signer && usage != Usage::RevocationSigning && until.is_some_and(|u| u < self.time) {
            let text = format!(
                "the revocation data about the certificate of {} are of {}, and newer ones were due \
                 before the archive time-stamp",
                holder(link, usage, is_leaf),
                facts.this_update
            );
            own.gap_at(Level::Lta, (NOT_RECENT, text), revocation_needs(link), true);
        }
    }

    /// Nothing that counts is known about the revocation of a certificate: what would have to
    /// be there, about it or about the signers of the data that there are.
    fn collect_missing(
        &mut self,
        link: &Link,
        usage: Usage,
        is_leaf: bool,
        own: &mut Collector<'_>,
        depth: usize,
    ) {
        let known = own.into.gaps.len();
        let (data, _) = self.material.about(&link.certificate, &link.issuer);
        let good = data.iter().filter(|one| one.facts.status != CertificateStatus::Unknown);
        for datum in good {
            self.collect_signer(datum, link, usage, own, depth);
        }
        if own.into.gaps.len() > known {
            return;
        }
        let why = link.rejected.first().map(|rejected| format!(" ({})", rejected.why));
        let text = format!(
            "there are no revocation data about the certificate of {}{}",
            holder(link, usage, is_leaf),
            why.unwrap_or_default()
        );
        // A new certificate, and data that were issued before: newer ones come with time.
        let (not_before, _) = link.certificate.validity();
        let newest = data.iter().max_by_key(|one| one.facts.this_update);
        let older = newest.filter(|newest| newest.facts.this_update < not_before);
        own.add_gap(Gap {
            about: own.about,
            reason: Reason::new(
                if older.is_some() { "revocation-stale" } else { "revocation-missing" },
                text,
            ),
            needs: revocation_needs(link),
            is_optional: false,
            due: older.and_then(|older| older.facts.next_update),
            level: Level::Lt,
        });
    }

    /// Collects what the signer of revocation data needs. An issuer's own signature needs
    /// nothing more, and `nocheck` ends the recursion (RFC 6960, 4.2.2.2.1).
    fn collect_signer(
        &mut self,
        datum: &Datum,
        of: &Link,
        usage: Usage,
        own: &mut Collector<'_>,
        depth: usize,
    ) {
        let Some(depth) = depth.checked_sub(1) else { return };
        let of_signer = match usage {
            Usage::TimeStamping => Usage::TimeStamping,
            _ => Usage::RevocationSigning,
        };
        let signer = &datum.facts.signer;
        if self.anchors(of_signer).contains(signer) {
            return;
        }
        match datum.facts.role {
            SignerRole::Issuer | SignerRole::Delegated { no_check: true } => {}
            SignerRole::Delegated { .. } => {
                let issuing = Issuing { issuer: &of.issuer, anchor: &of.anchor };
                let link = self.link(signer, issuing, of_signer, true);
                self.collect_link(&link, of_signer, false, own, depth);
            }
            _ => self.collect_path_within(signer, Usage::RevocationSigning, own, depth),
        }
    }
}

fn holder(link: &Link, usage: Usage, is_leaf: bool) -> String {
    match (is_leaf, link.certificate.common_name()) {
        (true, _) | (_, None) => usage.holder().to_owned(),
        (false, Some(name)) => format!("\"{name}\""),
    }
}

/// An OCSP response before a CRL, which may be long.
fn revocation_needs(link: &Link) -> Vec<Need> {
    let crls = Urls::of(&link.certificate).crls;
    let crls = crls.into_iter().map(|url| Need::Crl { urls: vec![url] });
    Need::ocsp(&link.certificate, &link.issuer, None).into_iter().chain(crls).collect()
}
