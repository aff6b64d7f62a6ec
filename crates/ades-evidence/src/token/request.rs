//! Requests to time-stamping services, and their responses (RFC 3161, 2.4).

use std::fmt;
use std::ops::Range;

use ades_core::asn1::ber::Element;
use ades_core::asn1::der::{self, INTEGER, OCTET_STRING, OID, SEQUENCE};
use ades_core::asn1::text::text;
use ades_core::{Digest, Oid, base64};
use serde::{Deserialize, Serialize};

use super::Token;
use crate::fields::{BIT_STRING, BOOLEAN, bit, next, oid, only};

/// Maximum length of a nonce, in octets.
const MAX_NONCE: usize = 32;
/// Maximum length of a stored request, in octets.
const MAX_REQUEST_LEN: usize = 4096;
/// Maximum length of the text in a refusal, in characters.
const MAX_TEXT: usize = 500;
/// Maximum number of texts in a refusal.
const MAX_TEXTS: usize = 16;

/// The DER of a request for a token over an imprint. It asks for the certificate of the
/// service. Serialises as base64.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct TimeStampRequest {
    der: Vec<u8>,
    imprint: Digest,
    policy: Option<Oid>,
    nonce: Option<Vec<u8>>,
    /// Where the fields before the nonce are.
    before_nonce: Range<usize>,
}

impl TimeStampRequest {
    /// A request over `imprint`, under any policy or this one. The nonce is a number
    /// without sign. `None` if it has more than 32 octets.
    #[must_use]
    pub fn new(imprint: &Digest, policy: Option<Oid>, nonce: Option<&[u8]>) -> Option<Self> {
        // With NULL, as OpenSSL has it: some services refuse algorithms without.
        let algorithm = der::object_identifier(imprint.algorithm().oid());
        let algorithm = der::element(SEQUENCE, &[&algorithm, der::NULL]);
        let value = der::element(OCTET_STRING, &[imprint.value()]);
        let nonce = nonce.map(der::unsigned_integer);
        let fields = [
            der::unsigned_integer(&[1]),
            der::element(SEQUENCE, &[&algorithm, &value]),
            policy.map(der::object_identifier).unwrap_or_default(),
            nonce.unwrap_or_default(),
            der::element(BOOLEAN, &[&[0xFF]]),
        ];
        Self::read(der::element(SEQUENCE, &[&fields.concat()]))
    }

    fn read(der: Vec<u8>) -> Option<Self> {
        let mut fields = only(&der, SEQUENCE)?.children();
        let start = usize::try_from(fields.offset()).ok()?;
        next(&mut fields, INTEGER)?; // version
        let imprint = super::read_imprint(&next(&mut fields, SEQUENCE)?)??;
        let policy = fields.next_if(OID).ok()?;
        let policy = policy.map(|policy| oid(&policy).ok_or(())).transpose().ok()?;
        let before_nonce = start..usize::try_from(fields.offset()).ok()?;
        let nonce = fields.next_if(INTEGER).ok()?.map(|nonce| nonce.content.to_vec());
        next(&mut fields, BOOLEAN)?; // certReq
        let fits = nonce.as_ref().is_none_or(|nonce| digits(nonce).len() <= MAX_NONCE);
        let whole = fields.is_empty() && fits;
        whole.then_some(Self { imprint, policy, nonce, before_nonce, der })
    }

    /// The request.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// What the token is to be over.
    #[must_use]
    pub const fn imprint(&self) -> &Digest {
        &self.imprint
    }

    /// What stays the same with another nonce: version, imprint and policy. The header is
    /// left out, because its length includes the nonce.
    pub(crate) fn without_nonce(&self) -> &[u8] {
        self.der.get(self.before_nonce.clone()).unwrap_or_default()
    }

    /// Whether a token answers this request (RFC 3161, 2.2).
    ///
    /// # Errors
    /// The first field that differs.
    pub fn check(&self, token: &Token) -> Result<(), TokenMismatch> {
        if token.imprint.as_ref() != Some(&self.imprint) {
            return Err(TokenMismatch::Imprint);
        }
        // Services may leave out the zero that keeps the number positive.
        if let Some(nonce) = &self.nonce
            && token.nonce.as_deref().map(digits) != Some(digits(nonce))
        {
            return Err(TokenMismatch::Nonce);
        }
        if self.policy.is_some() && token.policy != self.policy {
            return Err(TokenMismatch::Policy);
        }
        Ok(())
    }
}

/// A number without the zeros before it.
fn digits(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|octet| **octet == 0).count();
    number.get(zeros..).unwrap_or_default()
}

/// The field in which a token is not what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenMismatch {
    /// messageImprint
    #[error("the time-stamp is over other data")]
    Imprint,
    /// nonce: the token may be an older one
    #[error("the time-stamp has another nonce than the request")]
    Nonce,
    /// policy
    #[error("the time-stamp was issued under another policy than the one asked for")]
    Policy,
}

/// Why a response has no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResponseError {
    /// The octets are not a `TimeStampResp` (RFC 3161, 2.4.2)
    #[error("the response of the time-stamping service is malformed")]
    Malformed,
    /// The service refused
    #[error("the time-stamping service refused the request with status {status}: {text}")]
    Refused {
        /// PKIStatus
        status: u8,
        /// The numbers of the bits in PKIFailureInfo.
        failures: Vec<u8>,
        /// The text for people, from the service. It may be empty.
        text: String,
    },
}

/// The octets of the token in a response, as they were sent.
///
/// # Errors
/// [`ResponseError`]
pub fn read_response(octets: &[u8]) -> Result<&[u8], ResponseError> {
    let mut fields = only(octets, SEQUENCE).ok_or(ResponseError::Malformed)?.children();
    let status = next(&mut fields, SEQUENCE).ok_or(ResponseError::Malformed)?;
    let token = fields.next_if(SEQUENCE).map_err(|_| ResponseError::Malformed)?;
    let refusal = refusal(&status).ok_or(ResponseError::Malformed)?;
    match (refusal, token) {
        (None, Some(token)) if fields.is_empty() => Ok(token.raw),
        (Some(refusal), _) => Err(refusal),
        _ => Err(ResponseError::Malformed),
    }
}

/// `PKIStatusInfo`. The inner `None`: granted, with or without modifications.
#[allow(clippy::option_option)]
fn refusal(info: &Element<'_>) -> Option<Option<ResponseError>> {
    let mut fields = info.children();
    let status = match next(&mut fields, INTEGER)?.content {
        [0 | 1] => return Some(None),
        [status] => *status,
        _ => return None,
    };
    let mut texts = Vec::new();
    if let Some(all) = fields.next_if(SEQUENCE).ok()? {
        texts = all.children().all(MAX_TEXTS).ok()?.iter().filter_map(text).collect();
    }
    let failures = match fields.next_if(BIT_STRING).ok()? {
        Some(flags) => (0..32).filter(|number| bit(flags.content, usize::from(*number))).collect(),
        None => Vec::new(),
    };
    let text = texts.join(" ").chars().take(MAX_TEXT).collect();
    Some(Some(ResponseError::Refused { status, failures, text }))
}

impl fmt::Debug for TimeStampRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TimeStampRequest({:?})", self.imprint)
    }
}

impl From<TimeStampRequest> for String {
    fn from(request: TimeStampRequest) -> Self {
        base64::encode(&request.der)
    }
}

impl TryFrom<String> for TimeStampRequest {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let der = base64::decode(&text).filter(|der| der.len() <= MAX_REQUEST_LEN);
        der.and_then(Self::read).ok_or("not the base64 of a time-stamp request")
    }
}
