//! Things that go wrong on demand.

use serde::{Deserialize, Serialize};

/// What a fault is injected into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Endpoint {
    /// GET `/.well-known/configuration`
    Configuration,
    /// POST `/user_identification`
    UserIdentification,
    /// POST `/user_identification/status`
    IdentificationStatus,
    /// POST `/sign_document` that opens a session
    SignDocument,
    /// POST `/sign_document` that asks for a result
    SignStatus,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fault {
    /// Another answer altogether
    Answer {
        /// its HTTP status
        status: u16,
        /// its media type
        content_type: String,
        /// its body
        body: String,
    },
    /// The answer comes late
    Delay {
        /// by how much
        millis: u64,
    },
    /// The connection breaks while the answer is sent
    Reset,
    /// An answer of two mebibytes
    Huge,
    /// HTTP 302 to elsewhere, with a cookie
    Redirect,
    /// `asyncRespId` in place of `asyncRespID`
    SmallD,
    /// A page on a host that is not the service's
    UntrustedHost,
    /// A certificate that is not the first of its chain
    ForeignCertificate,
    /// No `fullCertificateChain`
    ChainMissing,
    /// The chain in another order, with a duplicate
    ChainScrambled,
    /// CR LF, and no line break at the end
    CrlfPem,
    /// A `result.maj` nobody knows
    UnknownMajor,
    /// Success, but no `sigObj`
    SuccessWithoutValues,
    /// Random octets in place of the value
    WrongValue,
    /// A value that is too short
    ShortValue,
    /// A value over another digest
    OtherDigest,
    /// A value over the digest of the digest
    DoubleHash,
    /// A PSS value
    Pss,
    /// A value by another user's key
    ForeignKey,
    /// The ids of the first two values swapped
    SwappedValues,
    /// The first id twice
    DuplicateId,
    /// One value has no id
    MissingId,
    /// One value has an id nobody asked for
    UnknownId,
    /// The values in the opposite order
    ReversedOrder,
    /// `whichdoc` in place of `whichDoc`
    LowerCaseKey,
    /// Line breaks in the base64
    LineBreaks,
    /// The URL-safe alphabet in the base64
    UrlAlphabet,
}

/// Faults that wait for their turn.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<(Endpoint, Fault, u32)>);

impl Faults {
    pub(crate) fn add(&mut self, endpoint: Endpoint, fault: Fault, times: u32) {
        self.0.push((endpoint, fault, times));
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The next fault of an endpoint, used up by one.
    pub(crate) fn take(&mut self, endpoint: Endpoint) -> Option<Fault> {
        let entry = self.0.iter_mut().find(|(e, _, times)| *e == endpoint && *times > 0)?;
        entry.2 -= 1;
        let fault = entry.1.clone();
        self.0.retain(|(_, _, times)| *times > 0);
        Some(fault)
    }
}
