//! Path validation (RFC 5280, 6.1): from the anchor down to the certificate at the
//! start of the path.

use ades_core::Certificate;

use super::constraints::Constraints;
use super::extensions::Extensions;
use super::policies::Policies;
use super::{Fault, Invalid, Request, usage};

/// Validates a path. `certificates` begins with the one at the start of the path
/// and does not contain the anchor.
pub(super) fn check(
    certificates: &[Certificate],
    anchor: &Certificate,
    request: &Request,
) -> Result<(), Invalid> {
    let at_anchor = |fault| Invalid { position: certificates.len(), fault };
    let mut state = State::new(anchor, certificates.len(), request).map_err(at_anchor)?;
    for (position, certificate) in certificates.iter().enumerate().rev() {
        state.take(certificate, position == 0).map_err(|fault| Invalid { position, fault })?;
    }
    Ok(())
}

/// The state variables of RFC 5280, 6.1.2.
struct State<'r> {
    request: &'r Request,
    /// Number of CA certificates that may still follow, self-issued ones not counted.
    max_path_length: usize,
    constraints: Constraints,
    policies: Policies,
}

impl<'r> State<'r> {
    /// An anchor is a name and a key (6.1.1 (d)): it needs no extensions, as
    /// certificates of version 1 have none. What its own extensions forbid counts
    /// (RFC 5937).
    fn new(anchor: &Certificate, len: usize, request: &'r Request) -> Result<Self, Fault> {
        if anchor.has_basic_constraints() && !anchor.is_ca() {
            return Err(Fault::NotACa);
        }
        if !anchor.may_sign_certificates() {
            return Err(Fault::CertificateSigning);
        }
        let mut constraints = Constraints::default();
        if let Some(own) = Extensions::read_name_constraints(anchor)? {
            constraints.add(own);
        }
        Ok(Self {
            request,
            max_path_length: anchor.path_len().unwrap_or(len),
            constraints,
            policies: Policies::new(&request.policies, len),
        })
    }

    /// Processes the next certificate (6.1.3), and prepares for the one after it
    /// (6.1.4) or ends the path (6.1.5).
    fn take(&mut self, certificate: &Certificate, is_last: bool) -> Result<(), Fault> {
        let extensions = Extensions::read(certificate)?;
        if !certificate.algorithms_agree() {
            return Err(Fault::AlgorithmsDiffer);
        }
        let self_issued = certificate.is_self_issued();
        let (from, to) = certificate.validity();
        if !is_last && self.request.time < from {
            return Err(Fault::NotYetValid);
        }
        if !is_last && self.request.time > to {
            return Err(Fault::Expired);
        }
        if is_last || !self_issued {
            self.constraints.check(certificate.subject(), &extensions.alternative_names)?;
        }
        self.policies.take(&extensions, self_issued, is_last)?;
        if is_last {
            self.policies.finish(&extensions)?;
            return usage::check(certificate, &extensions, self.request.purpose);
        }
        self.prepare_next(certificate, extensions, self_issued)
    }

    fn prepare_next(
        &mut self,
        certificate: &Certificate,
        extensions: Extensions,
        self_issued: bool,
    ) -> Result<(), Fault> {
        self.policies.prepare_next(&extensions, self_issued)?;
        if let Some(constraints) = extensions.name_constraints {
            self.constraints.add(constraints);
        }
        if !certificate.is_ca() {
            return Err(Fault::NotACa);
        }
        if !self_issued {
            self.max_path_length = self.max_path_length.checked_sub(1).ok_or(Fault::PathLength)?;
        }
        if let Some(own) = certificate.path_len() {
            self.max_path_length = self.max_path_length.min(own);
        }
        if !certificate.may_sign_certificates() {
            return Err(Fault::CertificateSigning);
        }
        Ok(())
    }
}
