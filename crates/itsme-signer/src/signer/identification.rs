//! The first redirect: itsme® identifies the user and returns the certificate.

use ades_core::CertificateChain;
use ades_core::chain::certificates_from_pem;
use ades_core::signer::{
    Event, IdentificationRequest, IdentificationSession, Identity, SignerError, Step, StepResult,
};
use http::Method;

use super::polling::{Next, check_event};
use super::{ItsmeSigner, NAME, TRIES};
use crate::error::Error;
use crate::session::{Identification, VERSION};
use crate::trace;
use crate::wire;

impl ItsmeSigner {
    pub(super) async fn start_identification(
        &self,
        request: IdentificationRequest,
    ) -> StepResult<Identity, IdentificationSession> {
        if let Some(code) = &request.account {
            wire::check_user_code(code)?;
        }
        let language = request.language.unwrap_or(self.settings().language);
        let body = wire::identification_request(&self.config, language, request.account.as_deref());
        let common = self.common(request.browser.as_deref())?;
        let mut tries = 1;
        let (id, url) = loop {
            let answer =
                self.exchange(Method::POST, "/user_identification", Some(body.clone())).await;
            match answer.and_then(|(status, body)| wire::identification_answer(status, &body)) {
                Ok(opened) => break opened,
                Err(other) if tries < TRIES && other.is_reported_failure() => {
                    self.pause(tries).await;
                }
                Err(other) => return other.into_refusal().map(Step::Refused),
            }
            tries += 1;
        };
        trace::session(id.as_str());
        let url = self.page(&url, &common)?;
        let session = Identification { id, common };
        let session = IdentificationSession::pack(NAME, VERSION, &session)?;
        Ok(Step::Redirect { url, session })
    }

    pub(super) async fn poll_identification(
        &self,
        session: IdentificationSession,
        event: Event,
    ) -> StepResult<Identity, IdentificationSession> {
        let mut data: Identification = session.unpack(NAME, VERSION)?;
        trace::session(data.id.as_str());
        check_event(&data.common, &event)?;
        let request = wire::identification_status_request(&self.config, &data.id);
        let answer = self
            .exchange(Method::POST, "/user_identification/status", Some(request))
            .await
            .and_then(|(status, body)| wire::identification_status_answer(status, &body, &data.id));
        match self.next(&mut data.common, answer)? {
            Next::Done(user) => self.identity(user).map(Step::Done),
            Next::Refused(refusal) => Ok(Step::Refused(refusal)),
            Next::Wait(after) => {
                let session = IdentificationSession::pack(NAME, VERSION, &data)?;
                Ok(Step::Wait { after, session })
            }
        }
    }

    fn identity(&self, user: wire::Identified) -> Result<Identity, SignerError> {
        let mut own = certificates_from_pem(&user.certificate)?.into_iter();
        let leaf = own.next().ok_or(ades_core::Error::NoCertificate)?;
        let chain = user.chain.map(|pem| certificates_from_pem(&pem)).transpose()?;
        let chain = chain.unwrap_or_default();
        if !chain.is_empty() {
            // The order of the chain does not matter: the user's certificate is
            // the one that did not issue any other.
            let ordered = CertificateChain::from_unordered(chain.iter().cloned())?;
            if *ordered.leaf() != leaf {
                return Err(Error::CertificateMismatch.into());
            }
        }
        let chain = CertificateChain::from_leaf(leaf, own.chain(chain))?;
        self.check_certificate(chain.leaf())?;
        Ok(Identity::new(chain, Some(user.user_code)))
    }
}
