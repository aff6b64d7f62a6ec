//! The second redirect: the user confirms a batch, and the values are fetched.

use ades_core::RemoteSigner;
use ades_core::signer::{
    Display, Event, Language, SignatureValue, SignerError, SignerErrorKind, SigningRequest,
    SigningSession, Step, StepResult, ecdsa_from_raw, match_values,
};
use ades_core::verify::verify_digest;
use http::Method;

use super::polling::{Next, check_event, redirect};
use super::{ALGORITHMS, ItsmeSigner, NAME, random};
use crate::config::Settings;
use crate::error::Error;
use crate::other_answer::OtherAnswer;
use crate::session::{Item, Signing, VERSION};
use crate::text::{self, TextField};
use crate::trace;
use crate::wire::{self, Finished};

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
        let request_id = match request.request_id {
            Some(id) => id,
            None => random()?,
        };
        trace::request(&request_id);
        let body = wire::sign_request(&self.config, &request_id, user_code, &items, &shown);
        // This request is never repeated, because itsme® would ask the user
        // twice. From here on, every failure is an unknown outcome unless it
        // proves that itsme® did not ask the user.
        let asked = self
            .ask(Method::POST, "/sign_document", Some(&body), |answer| {
                wire::sign_answer(answer, &request_id)
            })
            .await;
        let (id, url) = match asked.answer {
            Ok(opened) => opened,
            Err(other) => return self.not_opened(other),
        };
        trace::session(id.as_str());
        let url = self.page(&url, &common).map_err(|error| unknown_outcome(error.into()))?;
        let data = Signing { id, common, items, leaf };
        let session = SigningSession::pack(NAME, VERSION, &data)?;
        Ok(redirect(url, session, &data.common))
    }

    fn not_opened(&self, other: OtherAnswer) -> StepResult<Vec<SignatureValue>, SigningSession> {
        if other.is_about_policy() {
            self.forget_discovery();
        }
        let Settings { base_url, request, .. } = self.settings();
        if other.is_about_digests() {
            return Err(Error::DigestsRefused { url_safe: request.url_safe_digests }.into());
        }
        if other.had_no_effect() {
            other.into_refusal(base_url).map(Step::Refused)
        } else {
            // The identification was at the same address, so the address is not wrong.
            Err(unknown_outcome(other.into_unclear(base_url)))
        }
    }

    /// The checked texts, and the discovery document's references of policy and
    /// commitment.
    async fn shown(&self, request: &SigningRequest) -> Result<wire::Shown, SignerError> {
        let display = &request.display;
        let Texts { description, role } = self.texts(display)?;
        let (policy, commitment) = self.references(display).await?;
        let language = self.language(display.language)?;
        Ok(wire::Shown { language, description, policy, commitment, role })
    }

    /// The texts in the form in which the request carries them.
    pub(super) fn texts(&self, display: &Display) -> Result<Texts, SignerError> {
        let Settings { limits, tolerance, .. } = self.settings();
        let languages = self.known_languages();
        let description = text::check_translations(
            TextField::Description,
            &display.description,
            &languages,
            limits.description,
            tolerance.transliterate,
        )?;
        let role = text::check_translations(
            TextField::Role,
            &display.role,
            &languages,
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
        let asked = self
            .ask(Method::POST, "/sign_document", Some(&request), |answer| {
                wire::sign_status_answer(answer, &request_id, &data.id, url_safe)
            })
            .await;
        let next = match self.next(&mut data.common, asked)? {
            Next::Done(Finished { digest, content }) => {
                match self.accept(&data, content, data.common.unusable.as_ref() == Some(&digest)) {
                    Ok(values) => Next::Done(values),
                    Err(error) => self.after_unusable(&mut data.common, digest, error)?,
                }
            }
            Next::Refused(refusal) => Next::Refused(refusal),
            Next::Wait(after) => Next::Wait(after),
        };
        match next {
            Next::Done(values) => Ok(Step::Done(values)),
            Next::Refused(refusal) => Ok(Step::Refused(refusal)),
            Next::Wait(after) => {
                let session = SigningSession::pack(NAME, VERSION, &data)?;
                Ok(Step::wait(after, session).with_expiry(data.common.deadline))
            }
        }
    }

    /// Matches values by id and verifies each against its own digest. `repeated` is
    /// whether the service gave the same values before.
    fn accept(
        &self,
        data: &Signing,
        values: Result<Vec<SignatureValue>, &'static str>,
        repeated: bool,
    ) -> Result<Vec<SignatureValue>, SignerError> {
        let values = values.map_err(|what| Error::Protocol { what })?;
        let key = data.leaf.key_type();
        let algorithm = ALGORITHMS.into_iter().find(|algorithm| key.fits(*algorithm));
        let algorithm = algorithm.ok_or(SignerErrorKind::Session)?;
        let verifies =
            |item: &Item, value: &[u8]| verify_digest(&data.leaf, algorithm, &item.digest.0, value);
        let ids = data.items.iter().map(|item| item.id.as_str());
        let mut values = match_values(ids, values)?;
        let mut problems = Vec::new();
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
            problems.push(problem);
        }
        if problems.is_empty() {
            return Ok(values);
        }
        if self.settings().tolerance.reordered_values
            && let Some(values) = reassociated(&data.items, &values, verifies)
        {
            return Ok(values);
        }
        Err(value_error(problems, values.len(), repeated))
    }
}

/// The error of values that do not verify. One that does, or whose RSA padding is
/// intact, shows that the certificate's key makes the values. Without any, they
/// are damaged or by another key: when they come a second time, it is another key.
fn value_error(problems: Vec<ades_core::Error>, values: usize, repeated: bool) -> SignerError {
    let has_cause = |problem: &ades_core::Error| {
        matches!(
            problem,
            ades_core::Error::ValueOverOther(_) | ades_core::Error::ValueLength { .. }
        )
    };
    if problems.len() == values && !problems.iter().any(has_cause) {
        return if repeated { Error::OtherKey } else { Error::DamagedOrOtherKey }.into();
    }
    let error = SignerError::new(SignerErrorKind::Value);
    match problems.into_iter().max_by_key(has_cause) {
        Some(problem) => error.caused_by(problem),
        None => error,
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
