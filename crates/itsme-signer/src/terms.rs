//! Policy and commitment: agreed on once, for the signature and for the user's
//! eyes, so that what the user saw is what the container says.

use ades_core::signer::{Display, SignerError, SignerErrorKind};
use ades_core::{CommitmentType, DigestAlgorithm, Oid, SignatureParameters, SignaturePolicy};

use crate::discovery::{Commitment, Discovery, PolicyDigest};
use crate::error::Error;
use crate::signer::ItsmeSigner;

/// What a signature is made under. [`apply`](Self::apply) it to the parameters
/// and [`show`](Self::show) it to the user: never only one of the two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Terms {
    /// The policy, as it goes into the signature
    pub policy: Option<SignaturePolicy>,
    /// The policy's reference at itsme®
    pub policy_reference: Option<String>,
    /// The commitment, as it goes into the signature
    pub commitment: Option<CommitmentType>,
    /// The commitment's reference at itsme®
    pub commitment_reference: Option<String>,
}

impl Terms {
    /// The parameters with these terms.
    #[must_use]
    pub fn apply(&self, mut parameters: SignatureParameters) -> SignatureParameters {
        if let Some(policy) = &self.policy {
            parameters = parameters.policy(policy.clone());
        }
        if let Some(commitment) = self.commitment {
            parameters = parameters.commitment(commitment);
        }
        parameters
    }

    /// Has the user see these terms.
    pub fn show(&self, display: &mut Display) {
        display.policy = self.policy.as_ref().map(|policy| policy.id);
        display.commitment = self.commitment;
    }
}

impl ItsmeSigner {
    /// The policy and commitment of these references or OIDs; for a commitment
    /// also one of the names that [`CommitmentType`] reads. The configuration's
    /// where the caller names none. `digest` is needed where there is a policy.
    ///
    /// # Errors
    /// [`Error::UnknownReference`], [`Error::PolicyDisabled`],
    /// [`Error::PolicyDocumentNeeded`] as source;
    /// [`SignerErrorKind::InvalidRequest`] for a commitment without a policy,
    /// which itsme® cannot show; what [`discovery`](Self::discovery) yields.
    pub async fn resolve(
        &self,
        policy: Option<&str>,
        commitment: Option<&str>,
        digest: Option<PolicyDigest<'_>>,
    ) -> Result<Terms, SignerError> {
        let default = &self.settings().policy;
        let commitment = commitment.or(default.commitment.as_deref());
        let Some(policy) = policy.or(default.reference.as_deref()) else {
            return match commitment {
                None => Ok(Terms::default()),
                Some(_) => Err(invalid("a commitment is shown only together with a policy")),
            };
        };
        let digest = digest.ok_or(Error::PolicyDocumentNeeded)?;
        match self.discovery().await {
            Ok(discovery) => Ok(offered(&discovery, policy, commitment, digest)?),
            Err(error) if default.allow_unchecked => {
                unchecked(policy, commitment, digest).ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    /// The references of what a request shows. What the configuration has by
    /// default and the request does not show would be missing in the signature,
    /// or on the screen: refused.
    pub(crate) async fn references(
        &self,
        display: &Display,
    ) -> Result<(Option<String>, Option<String>), SignerError> {
        let default = &self.settings().policy;
        if (default.reference.is_some() && display.policy.is_none())
            || (default.commitment.is_some() && display.commitment.is_none())
        {
            return Err(invalid(
                "the configuration names a policy or commitment that the request does not show; \
                 resolve() yields both for the signature and for the display",
            ));
        }
        let policy = display.policy.map(|policy| policy.to_string());
        let commitment = display.commitment.map(|commitment| commitment.0.to_string());
        let Some(policy) = policy else {
            if commitment.is_some() || display.role.iter().any(|(_, role)| !role.is_empty()) {
                return Err(invalid("a commitment or role is shown only together with a policy"));
            }
            tracing::warn!("no signature policy is sent: itsme may show one of its own");
            return Ok((None, None));
        };
        match self.discovery().await {
            Ok(discovery) => {
                let policy = discovery.policy(&policy)?.reference.clone();
                let commitment = commitment.map(|oid| discovery.commitment(&oid)).transpose()?;
                Ok((Some(policy), commitment.map(|commitment| commitment.reference.clone())))
            }
            Err(_) if default.allow_unchecked => Ok((Some(policy), commitment)),
            Err(error) => Err(error),
        }
    }
}

fn offered(
    discovery: &Discovery,
    policy: &str,
    commitment: Option<&str>,
    digest: PolicyDigest<'_>,
) -> Result<Terms, Error> {
    let policy = discovery.policy(policy)?;
    let commitment = commitment.map(|name| discovery.commitment(name)).transpose()?;
    Ok(Terms {
        policy: Some(policy.signature_policy(digest)?),
        policy_reference: Some(policy.reference.clone()),
        commitment: commitment.map(Commitment::commitment_type).transpose()?,
        commitment_reference: commitment.map(|commitment| commitment.reference.clone()),
    })
}

/// By OID and document alone, where the discovery document is out of reach.
fn unchecked(policy: &str, commitment: Option<&str>, digest: PolicyDigest<'_>) -> Option<Terms> {
    let id: Oid = policy.parse().ok()?;
    let PolicyDigest::OfDocument(document) = digest else { return None };
    let commitment: Option<CommitmentType> = commitment.map(str::parse).transpose().ok()?;
    Some(Terms {
        policy: Some(SignaturePolicy::of_document(id, DigestAlgorithm::Sha256, document)),
        policy_reference: Some(policy.to_owned()),
        commitment,
        commitment_reference: commitment.map(|commitment| commitment.0.to_string()),
    })
}

fn invalid(what: &str) -> SignerError {
    SignerErrorKind::InvalidRequest { what: what.to_owned() }.into()
}
