//! What would have to be fetched so that more can be decided.

use ades_core::Certificate;
use ades_evidence::needs::Need;

use crate::case::Case;
use crate::fault::Fault;
use crate::judgement::NextStep;
use crate::revocation::{Link, Need as LinkNeed};
use crate::session::Session;
use crate::time_stamp::Stamp;

/// Maximum number of issuers that are followed to find out which one is missing.
const MAX_STEPS: usize = 32;

impl Session<'_> {
    /// The needs of a signature that is not passed, each once.
    pub(crate) fn missing(&self, case: &Case<'_>) -> Vec<Need> {
        let mut needs: Vec<Need> = Vec::new();
        let mut add = |need: Need| {
            if !needs.iter().any(|known| known.id() == need.id()) {
                needs.push(need);
            }
        };
        if let (None, Some(certificate)) = (&case.chain, &case.signature.facts.certificate) {
            add(self.missing_issuer(certificate));
        }
        let stamps = case.stamps.iter().filter(|stamp| !stamp.by_younger);
        for signer in
            stamps.filter(|stamp| is_untrusted(stamp)).filter_map(|s| s.signature.signer.as_ref())
        {
            add(self.missing_issuer(signer));
        }
        let is_stale = |fault: &Fault| matches!(fault, Fault::Stale { .. } | Fault::OnHold { .. });
        let stale = case.faults.iter().any(is_stale);
        let own = case.chain.iter().flat_map(|chain| chain.links.iter().enumerate());
        let own = own.filter(|(at, link)| is_unknown(link) || *at == 0 && stale);
        let stamps = case.stamps.iter().filter_map(|stamp| stamp.chain.as_ref());
        let stamps = stamps.flat_map(|chain| &chain.links).filter(|link| is_unknown(link));
        for link in own.map(|(_, link)| link).chain(stamps) {
            let ocsp = Need::ocsp(&link.certificate, &link.issuer, None);
            ocsp.into_iter().chain(Need::crl(&link.certificate)).for_each(&mut add);
        }
        needs
    }

    /// The issuer that is missing at the end of the known ones.
    pub(crate) fn missing_issuer(&self, certificate: &Certificate) -> Need {
        let mut last = certificate;
        for _ in 0..MAX_STEPS {
            let issuers = self.material.certificates.iter();
            let mut issuers = issuers.filter(|one| *one != last && last.names_as_issuer(one));
            match issuers.next().filter(|_| !last.is_self_issued()) {
                Some(issuer) => last = issuer,
                None => break,
            }
        }
        Need::issuer(last)
    }
}

fn is_unknown(link: &Link) -> bool {
    link.need == LinkNeed::Required && link.selected().is_none()
}

fn is_untrusted(stamp: &Stamp<'_>) -> bool {
    stamp.failures.first().is_some_and(|failure| failure.reason.code == "untrusted")
}

/// What would help a time-stamp, which then may help the signature.
pub(crate) fn next_step(stamp: &Stamp<'_>) -> Option<NextStep> {
    match stamp.failures.first().filter(|_| !stamp.by_younger)?.reason.code.as_str() {
        "untrusted" => Some(NextStep::NameTimeStampingAnchors),
        "revocation-missing" => Some(NextStep::GiveRevocationData),
        _ => None,
    }
}
