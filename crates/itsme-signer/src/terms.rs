//! The policy and the commitment of a signature. They are resolved once, for the
//! signature and for the user's screen, so that the two always agree.

use ades_core::signer::{Display, SignerError, SignerErrorKind};
use ades_core::{CommitmentType, DigestAlgorithm, Oid, SignatureParameters, SignaturePolicy};

use crate::discovery::{Commitment, Discovery, PolicyDigest};
use crate::error::Error;
use crate::signer::ItsmeSigner;

/// The policy and the commitment of a signature. Always [`apply`](Self::apply)
/// them to the parameters and [`show`](Self::show) them to the user: a signature
/// must not claim what the user did not see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Terms {
    /// The policy in the signature
    pub policy: Option<SignaturePolicy>,
    /// The reference of the policy at itsme®
    pub policy_reference: Option<String>,
    /// The commitment in the signature
    pub commitment: Option<CommitmentType>,
    /// The reference of the commitment at itsme®
    pub commitment_reference: Option<String>,
}

impl Terms {
    /// Adds these terms to the parameters of a signature.
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

    /// Sets the policy and the commitment that itsme® shows to the user.
    pub fn show(&self, display: &mut Display) {
        display.policy = self.policy.as_ref().and_then(|policy| policy.id.oid());
        display.commitment = self.commitment;
    }
}

impl ItsmeSigner {
    /// Looks up a policy and a commitment by reference or OID, the commitment
    /// also by a name that [`CommitmentType`] parses. Without an argument, the
    /// default of the configuration applies. A policy needs `digest`.
    ///
    /// # Errors
    /// [`Error::UnknownReference`], [`Error::PolicyDisabled`] or
    /// [`Error::PolicyDocumentNeeded`] as the source;
    /// [`SignerErrorKind::InvalidRequest`] for a commitment without a policy,
    /// which itsme® cannot show; the errors of [`discovery`](Self::discovery).
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
                Some(_) => Err(invalid("itsme shows a commitment only together with a policy")),
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

    /// The references of the policy and the commitment that a request shows. If
    /// the configuration has a default that the request does not show, signature
    /// and screen would differ, so this is an error.
    pub(crate) async fn references(
        &self,
        display: &Display,
    ) -> Result<(Option<String>, Option<String>), SignerError> {
        let default = &self.settings().policy;
        if (default.reference.is_some() && display.policy.is_none())
            || (default.commitment.is_some() && display.commitment.is_none())
        {
            return Err(invalid(
                "the configuration names a policy or commitment that the request does not show: \
                 call resolve(), apply its terms to the parameters and show them",
            ));
        }
        let policy = display.policy.map(|policy| policy.to_string());
        let commitment = display.commitment.map(|commitment| commitment.0.to_string());
        let Some(policy) = policy else {
            if commitment.is_some() || display.role.iter().any(|(_, role)| !role.is_empty()) {
                return Err(invalid(
                    "itsme shows a commitment or a role only together with a policy",
                ));
            }
            tracing::warn!("the request has no signature policy: itsme may show one of its own");
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

/// Terms from the discovery document.
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

/// Terms from OIDs and the policy document alone, if the discovery document
/// cannot be fetched.
fn unchecked(policy: &str, commitment: Option<&str>, digest: PolicyDigest<'_>) -> Option<Terms> {
    let id: Oid = policy.parse().ok()?;
    let id = id.into();
    let policy_in_signature = match digest {
        PolicyDigest::OfDocument(document) => {
            SignaturePolicy::of_document(id, DigestAlgorithm::Sha256, document)
        }
        PolicyDigest::Value(digest) => SignaturePolicy::new(id).digest(digest.clone()),
        PolicyDigest::FromDiscovery => return None,
    };
    let commitment: Option<CommitmentType> = commitment.map(str::parse).transpose().ok()?;
    Some(Terms {
        policy: Some(policy_in_signature),
        policy_reference: Some(policy.to_owned()),
        commitment,
        commitment_reference: commitment.map(|commitment| commitment.0.to_string()),
    })
}

fn invalid(what: &str) -> SignerError {
    SignerErrorKind::InvalidRequest { what: what.to_owned() }.into()
}
