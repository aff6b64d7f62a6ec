//! The second redirect: the user confirms a batch, and the values are fetched.

use ades_core::RemoteSigner;
use ades_core::signer::{
    Display, Event, Language, SignatureValue, SignerError, SignerErrorKind, SigningRequest,
    SigningSession, Step, StepResult, ecdsa_from_raw, match_values,
};
use ades_core::verify::verify_digest;
use http::Method;

use super::polling::{Next, check_event};
use super::{ALGORITHMS, ItsmeSigner, NAME, random};
use crate::config::Settings;
use crate::other_answer::OtherAnswer;
use crate::session::{Item, Signing, VERSION};
use crate::text::{self, TextField};
use crate::trace;
use crate::wire;

/// The texts that the user reads, in each language.
pub(super) struct Texts {
    description: Vec<(Language, String)>,
    role: Vec<(Language, String)>,
}

impl ItsmeSigner {
    pub(super) async fn start_signing(
        &self,
        request: SigningRequest,
    ) -> StepResult<Vec<SignatureValue>, SigningSession> {
        request.check(&self.capabilities())?;
        let leaf = request.identity.chain.leaf().clone();
        self.check_certificate(&leaf)?;
        let user_code = request.identity.account.as_deref().unwrap_or_default();
        wire::check_user_code(user_code)?;
        let shown = self.shown(&request).await?;
        let items: Vec<Item> = request
            .items
            .iter()
            .map(|item| Item { id: item.id.clone(), digest: item.to_be_signed.digest().clone() })
            .collect();
        let common = self.common(request.browser.as_deref())?;
        let request_id = random()?;
        trace::request(&request_id);
        let body = wire::sign_request(&self.config, &request_id, user_code, &items, &shown);
        // This request is never repeated, because itsme® would ask the user
        // twice. From here on, every failure is an unknown outcome unless it
        // proves that itsme® did not ask the user.
        let answer = self.exchange(Method::POST, "/sign_document", Some(body)).await;
        let opened =
            answer.and_then(|(status, body)| wire::sign_answer(status, &body, &request_id));
        let (id, url) = match opened {
            Ok(opened) => opened,
            Err(other) => return self.not_opened(other),
        };
        trace::session(id.as_str());
        let url = self.page(&url, &common).map_err(|error| unknown_outcome(error.into()))?;
        let session = SigningSession::pack(NAME, VERSION, &Signing { id, common, items, leaf })?;
        Ok(Step::Redirect { url, session })
    }

    fn not_opened(&self, other: OtherAnswer) -> StepResult<Vec<SignatureValue>, SigningSession> {
        if other.is_about_policy() {
            self.forget_discovery();
        }
        if other.had_no_effect() {
            other.into_refusal().map(Step::Refused)
        } else {
            Err(unknown_outcome(other.into_error()))
        }
    }

    /// The checked texts, and the discovery document's references of policy and
    /// commitment.
    async fn shown(&self, request: &SigningRequest) -> Result<wire::Shown, SignerError> {
        let display = &request.display;
        let Texts { description, role } = self.texts(display)?;
        let (policy, commitment) = self.references(display).await?;
        let language = display.language.unwrap_or(self.settings().language);
        Ok(wire::Shown { language, description, policy, commitment, role })
    }

    /// The texts in the form in which the request carries them.
    pub(super) fn texts(&self, display: &Display) -> Result<Texts, SignerError> {
        let Settings { limits, tolerance, .. } = self.settings();
        let description = text::check_translations(
            TextField::Description,
            &display.description,
            limits.description,
            tolerance.transliterate,
        )?;
        let role = text::check_translations(
            TextField::Role,
            &display.role,
            text::MAX_ROLE,
            tolerance.transliterate,
        )?;
        Ok(Texts { description, role })
    }

    pub(super) async fn poll_signing(
        &self,
        session: SigningSession,
        event: Event,
    ) -> StepResult<Vec<SignatureValue>, SigningSession> {
        let mut data: Signing = session.unpack(NAME, VERSION)?;
        trace::session(data.id.as_str());
        check_event(&data.common, &event)?;
        let request_id = random()?;
        trace::request(&request_id);
        let request = wire::sign_status_request(&self.config, &request_id, &data.id);
        let url_safe = self.settings().tolerance.url_safe_values;
        let answer = self.exchange(Method::POST, "/sign_document", Some(request)).await.and_then(
            |(status, body)| {
                wire::sign_status_answer(status, &body, &request_id, &data.id, url_safe)
            },
        );
        match self.next(&mut data.common, answer)? {
            Next::Done(values) => self.accept(&data, values).map(Step::Done),
            Next::Refused(refusal) => Ok(Step::Refused(refusal)),
            Next::Wait(after) => {
                let session = SigningSession::pack(NAME, VERSION, &data)?;
                Ok(Step::Wait { after, session })
            }
        }
    }

    /// Matches values by id and verifies each against its own digest.
    fn accept(
        &self,
        data: &Signing,
        values: Vec<SignatureValue>,
    ) -> Result<Vec<SignatureValue>, SignerError> {
        let key = data.leaf.key_type();
        let algorithm = ALGORITHMS.into_iter().find(|algorithm| key.fits(*algorithm));
        let algorithm = algorithm.ok_or(SignerErrorKind::Session)?;
        let verifies =
            |item: &Item, value: &[u8]| verify_digest(&data.leaf, algorithm, &item.digest.0, value);
        let ids = data.items.iter().map(|item| item.id.as_str());
        let mut values = match_values(ids, values)?;
        let mut first_problem = None;
        for (item, value) in data.items.iter().zip(&mut values) {
            let Err(problem) = verifies(item, &value.value) else { continue };
            // No document says whether the service writes ECDSA values as raw
            // r || s or as DER, so both forms are accepted.
            if let Some(der) = ecdsa_from_raw(key, &value.value) {
                value.value = der;
                if verifies(item, &value.value).is_ok() {
                    continue;
                }
            }
            first_problem = first_problem.or(Some(problem));
        }
        let Some(problem) = first_problem else { return Ok(values) };
        if self.settings().tolerance.reordered_values
            && let Some(values) = reassociated(&data.items, &values, verifies)
        {
            return Ok(values);
        }
        let kind = match problem {
            ades_core::Error::WrongKey => SignerErrorKind::Certificate,
            _ => SignerErrorKind::Value,
        };
        Err(SignerError::new(kind).caused_by(problem))
    }
}

fn unknown_outcome(error: SignerError) -> SignerError {
    let outcome = SignerError::new(SignerErrorKind::UnknownOutcome);
    match error.code().map(ToOwned::to_owned) {
        Some(code) => outcome.with_code(code).caused_by(error),
        None => outcome.caused_by(error),
    }
}

/// Assigns each value to the digest that it verifies for, if exactly one value
/// verifies for each digest.
fn reassociated(
    items: &[Item],
    values: &[SignatureValue],
    verifies: impl Fn(&Item, &[u8]) -> Result<(), ades_core::Error>,
) -> Option<Vec<SignatureValue>> {
    items
        .iter()
        .map(|item| {
            let mut fitting = values.iter().filter(|v| verifies(item, &v.value).is_ok());
            let value = fitting.next()?.value.clone();
            fitting.next().is_none().then(|| SignatureValue::new(&item.id, value))
        })
        .collect()
}
