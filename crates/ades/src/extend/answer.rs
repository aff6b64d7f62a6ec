//! Answers to needs: what they have to be before they count.

use ades_core::Certificate;
use ades_evidence::VerifiedValues;
use ades_evidence::answers::{self, Answer};
use ades_evidence::needs::{NeedId, Octets};
use ades_evidence::token::{self, TokenProblem};
use ades_validation::GivenData;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::extension::Extension;

/// Why an answer does not count. The need stays open: another service may answer it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// Nobody asked for that, or it is answered already
    #[error("nothing with this id is needed")]
    NotNeeded,
    /// The octets are not what was asked for
    #[error(transparent)]
    NotAsked(#[from] answers::AnswerError),
    /// The time-stamp has no certificate of its signer, which the request demands (RFC 3161,
    /// 2.4.1)
    #[error("the time-stamp came without the certificate of its signer")]
    WithoutCertificate,
    /// The certificate of the time-stamping service was not valid at the time of the time-stamp
    #[error("the certificate of the time-stamping service expired on {until}")]
    CertificateExpired {
        /// its end
        until: DateTime<Utc>,
    },
    /// The signature of the time-stamp does not hold
    #[error("the signature of the time-stamp does not hold{}", .problem.map(|p| format!(": {p}")).unwrap_or_default())]
    NotSound {
        /// The first fault, if it is not the digest or the value
        problem: Option<TokenProblem>,
    },
}

/// What was answered about certificates and their revocation.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answers {
    certificates: Vec<Octets>,
    ocsp_responses: Vec<Octets>,
    crls: Vec<Octets>,
}

impl Answers {
    pub(super) fn add_to(&self, given: &mut GivenData) {
        use ades_core::facts::RevocationForm::{Crl, OcspResponse};

        for certificate in &self.certificates {
            if let Ok(certificate) = Certificate::from_der(certificate.0.clone()) {
                given.add_certificate(certificate);
            }
        }
        let responses = self.ocsp_responses.iter().map(|octets| (OcspResponse, octets));
        let lists = self.crls.iter().map(|octets| (Crl, octets));
        responses.chain(lists).for_each(|(form, octets)| {
            given.add_revocation(form, octets.0.clone());
        });
    }

    fn add(&mut self, answer: Answer) {
        match answer {
            Answer::OcspResponse(octets) => add_once(&mut self.ocsp_responses, octets),
            Answer::Crl(octets) => add_once(&mut self.crls, octets),
            Answer::Certificates(all) => {
                self.certificates.extend(all.iter().map(|one| Octets(one.der().to_vec())));
            }
            // A time-stamp is not kept here.
            _ => {}
        }
    }
}

/// Adds octets that are not there yet: whoever asks again may get the same CRL.
fn add_once(all: &mut Vec<Octets>, octets: Vec<u8>) {
    let octets = Octets(octets);
    if !all.contains(&octets) {
        all.push(octets);
    }
}

impl Extension {
    /// Takes the answer to a need: the octets of the service, as they came. `now` is the current
    /// time: revocation data that have run out do not count.
    ///
    /// # Errors
    /// Why it does not count. Try another service, or say that the need [failed](Self::fail).
    pub fn answer(
        &mut self,
        id: &NeedId,
        octets: Vec<u8>,
        now: DateTime<Utc>,
    ) -> Result<(), AnswerError> {
        if let Some(pending) = &mut self.pending
            && pending.need().id() == *id
        {
            if let Answer::TimeStamp(token) = pending.need().read_answer(octets, now)? {
                check_signature(&token, &self.memory.verified)?;
                pending.token = Some(Octets(token));
            }
            return Ok(());
        }
        let need = self.asked.iter().find(|need| need.id() == *id).ok_or(AnswerError::NotNeeded)?;
        self.answers.add(need.read_answer(octets, now)?);
        self.close(id, None);
        Ok(())
    }

    /// Says that a need cannot be answered, and why. The extension goes on without it.
    pub fn fail(&mut self, id: &NeedId, why: impl Into<String>) {
        if self.pending.as_ref().is_some_and(|pending| pending.need().id() == *id) {
            self.pending = None;
            self.stamp_failure = Some(why.into());
            return;
        }
        self.close(id, Some(why.into()));
    }

    fn close(&mut self, id: &NeedId, failure: Option<String>) {
        self.asked.retain(|need| need.id() != *id);
        self.tried.insert(id.clone(), failure);
    }
}

/// Checks the signature of a token whose imprint is the right one: a token over other data proves
/// nothing. Whether its signer is trusted is asked later.
fn check_signature(token: &[u8], verified: &VerifiedValues) -> Result<(), AnswerError> {
    let Some(facts) = token::verify_sharing(token, &[], verified) else {
        return Err(AnswerError::NotSound { problem: None });
    };
    if facts.is_sound() != Some(false) {
        let signer = facts.signer.as_ref().ok_or(AnswerError::WithoutCertificate)?;
        let (_, until) = signer.validity();
        return match until < facts.token.time {
            true => Err(AnswerError::CertificateExpired { until }),
            false => Ok(()),
        };
    }
    let problem = facts.problems.iter().find(|problem| !problem.is_undecided());
    Err(AnswerError::NotSound { problem: problem.copied() })
}
