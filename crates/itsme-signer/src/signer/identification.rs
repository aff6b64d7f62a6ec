//! The first redirect: itsme® identifies the user and returns the certificate.

use ades_core::CertificateChain;
use ades_core::chain::certificates_from_pem;
use ades_core::signer::{
    Event, IdentificationRequest, IdentificationSession, Identity, SignerError, Step, StepResult,
};
use http::Method;

use super::polling::{Next, check_event, redirect};
use super::{ItsmeSigner, NAME};
use crate::error::Error;
use crate::other_answer::OtherAnswer;
use crate::session::{Identification, VERSION};
use crate::trace;
use crate::wire::{self, Finished};

impl ItsmeSigner {
    pub(super) async fn start_identification(
        &self,
        request: IdentificationRequest,
    ) -> StepResult<Identity, IdentificationSession> {
        if let Some(code) = &request.account {
            wire::check_user_code(code)?;
        }
        let language = self.language(request.language)?;
        let body = wire::identification_request(&self.config, language, request.account.as_deref());
        let common = self.common(request.browser.as_deref())?;
        let opened = self
            .ask_repeatedly(
                Method::POST,
                "/user_identification",
                Some(&body),
                wire::identification_answer,
                OtherAnswer::is_reported_failure,
            )
            .await;
        let (id, url) = match opened {
            Ok(opened) => opened,
            Err(other) => {
                return other.into_refusal(&self.settings().base_url).map(Step::Refused);
            }
        };
        trace::session(id.as_str());
        let url = self.page(&url, &common)?;
        let data = Identification { id, common, returned: false };
        let session = IdentificationSession::pack(NAME, VERSION, &data)?;
        Ok(redirect(url, session, &data.common))
    }

    pub(super) async fn poll_identification(
        &self,
        session: IdentificationSession,
        event: Event,
    ) -> StepResult<Identity, IdentificationSession> {
        let mut data: Identification = session.unpack(NAME, VERSION)?;
        trace::session(data.id.as_str());
        check_event(&data.common, &event)?;
        data.returned |= matches!(event, Event::Returned { .. });
        let request = wire::identification_status_request(&self.config, &data.id);
        let path = "/user_identification/status";
        let asked = self
            .ask(Method::POST, path, Some(&request), |answer| {
                wire::identification_status_answer(answer, &data.id)
            })
            .await;
        let next = match self.next(&mut data.common, asked)? {
            Next::Done(_) if !data.counts() => self.without_browser(&mut data.common),
            Next::Done(Finished { digest, content }) => match identity(content) {
                Ok(identity) => {
                    self.check_certificate(identity.chain.leaf())?;
                    Next::Done(identity)
                }
                Err(error) => self.after_unusable(&mut data.common, digest, error)?,
            },
            Next::Refused(refusal) => Next::Refused(refusal),
            Next::Wait(after) => Next::Wait(after),
        };
        match next {
            Next::Done(identity) => Ok(Step::Done(identity)),
            Next::Refused(refusal) => Ok(Step::Refused(refusal)),
            Next::Wait(after) => {
                let session = IdentificationSession::pack(NAME, VERSION, &data)?;
                Ok(Step::wait(after, session).with_expiry(data.common.deadline))
            }
        }
    }
}

/// The user and the chain in an answer. An error can come from damage on the way.
fn identity(user: Result<wire::Identified, &'static str>) -> Result<Identity, SignerError> {
    let user = user.map_err(|what| Error::Protocol { what })?;
    let mut own = certificates_from_pem(&user.certificate)?.into_iter();
    let leaf = own.next().ok_or(ades_core::Error::NoCertificate)?;
    let mut issuers = Vec::new();
    if let Some(pem) = user.chain {
        issuers = certificates_from_pem(&pem)?;
        // The order of the chain does not matter: the user's certificate is the
        // one that did not issue any other.
        let ordered = CertificateChain::from_unordered(issuers.iter().cloned())?;
        if *ordered.leaf() != leaf {
            return Err(Error::CertificateMismatch.into());
        }
    }
    let chain = CertificateChain::from_leaf(leaf, own.chain(issuers))?;
    Ok(Identity::new(chain, Some(user.user_code)))
}
