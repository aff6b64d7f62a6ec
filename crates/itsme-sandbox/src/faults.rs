//! The faults that tests inject.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The kind of request whose answers a fault changes.
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
    /// A POST `/sign_document` that opens a session
    SignDocument,
    /// A POST `/sign_document` that asks for a result
    SignStatus,
}

/// A fault. Each variant describes the changed answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fault {
    /// An answer with this status, media type, body and headers
    Answer {
        /// the HTTP status
        status: u16,
        /// the media type; an empty one is not sent
        #[serde(default)]
        content_type: String,
        /// the body
        #[serde(default)]
        body: String,
        /// further headers, such as `retry-after`
        #[serde(default)]
        headers: BTreeMap<String, String>,
    },
    /// An error in the form of the endpoint
    Code {
        /// the HTTP status
        status: u16,
        /// `statusReason`, or `result.min` of a `RequesterError`
        code: String,
    },
    /// The answer is delayed
    Delay {
        /// the delay in milliseconds
        #[serde(alias = "delay_ms")]
        millis: u64,
    },
    /// The connection closes without an answer
    Reset,
    /// An answer of 2 MiB
    Huge,
    /// HTTP 302 to another host, with a cookie
    Redirect,
    /// A cookie, which a client must not keep
    SetCookie,
    /// Other values in `result`
    Result {
        /// `result.maj`
        #[serde(default)]
        maj: Option<String>,
        /// `result.min`
        #[serde(default)]
        min: Option<String>,
        /// `result.msg`
        #[serde(default)]
        msg: Option<ResultMessage>,
    },
    /// `asyncRespId` in place of `asyncRespID`
    SmallD,
    /// A page on a host that does not belong to the service
    UntrustedHost,
    /// A page with an http URL on a host that is not loopback
    HttpUrl,
    /// A page whose URL has a fragment
    UrlFragment,
    /// A certificate whose key signs nothing, and which is not the leaf of the
    /// chain in the same answer
    ForeignCertificate,
    /// A certificate whose key signs nothing, with its own chain
    ForeignIdentity,
    /// No `fullCertificateChain`
    ChainMissing,
    /// The chain in another order, with a duplicate
    ChainScrambled,
    /// PEM with CR LF and without a last line break
    CrlfPem,
    /// An undocumented `result.maj`
    UnknownMajor,
    /// Success without `sigObj`
    SuccessWithoutValues,
    /// Wrong octets of the right length in place of the value
    WrongValue,
    /// A value that is too short
    ShortValue,
    /// A value over another digest
    OtherDigest,
    /// A value over the digest of the digest
    DoubleHash,
    /// An RSASSA-PSS value
    Pss,
    /// A value by another key
    ForeignKey,
    /// The values of the first two documents swapped
    SwappedValues,
    /// The first id twice, with the second value or again with the first
    DuplicateId,
    /// No ids
    MissingId,
    /// One value has an id that was not in the request
    UnknownId,
    /// The values in reversed order
    ReversedOrder,
    /// `whichdoc` in place of `whichDoc`
    LowerCaseKey,
    /// Line breaks in the base64
    LineBreaks,
    /// The URL-safe alphabet in the base64
    UrlAlphabet,
}

/// One of the two forms of `result.msg`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum ResultMessage {
    /// A string, as in the documentation
    Text(String),
    /// An object, as in the interface description
    Localised {
        /// the code of the language
        lang: String,
        /// the text
        value: String,
    },
}

impl Fault {
    /// Whether the fault changes something that only a successful answer has. It
    /// then stays queued while the session is pending.
    pub(crate) const fn needs_success(&self) -> bool {
        !matches!(
            self,
            Self::Answer { .. }
                | Self::Code { .. }
                | Self::Delay { .. }
                | Self::Huge
                | Self::Redirect
                | Self::Reset
                | Self::Result { .. }
                | Self::SetCookie
                | Self::UnknownMajor
        )
    }
}

/// The queue of the faults `F` of the endpoints `E`.
#[derive(Debug)]
pub(crate) struct Queue<E, F>(Vec<(E, F, u32)>);

/// The queue of the back end.
pub(crate) type Faults = Queue<Endpoint, Fault>;

impl<E, F> Default for Queue<E, F> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<E: Copy + PartialEq, F: Clone> Queue<E, F> {
    /// Maximum number of queued faults.
    const MAX: usize = 1000;

    /// The queued faults, the first one first.
    pub(crate) fn all(&self) -> Vec<(E, F, u32)> {
        self.0.clone()
    }

    /// Queues a fault. Returns `false` if the queue is full.
    pub(crate) fn add(&mut self, endpoint: E, fault: F, times: u32) -> bool {
        let fits = self.0.len() < Self::MAX;
        if fits && times > 0 {
            self.0.push((endpoint, fault, times));
        }
        fits
    }

    /// Takes the next fault of an endpoint that applies to its answer.
    pub(crate) fn take_if(&mut self, endpoint: E, applies: impl Fn(&F) -> bool) -> Option<F> {
        let at = self.0.iter().position(|(e, fault, _)| *e == endpoint && applies(fault))?;
        let (_, fault, times) = self.0.get_mut(at)?;
        *times -= 1;
        if *times > 0 { Some(fault.clone()) } else { Some(self.0.remove(at).1) }
    }
}

impl Faults {
    /// Takes the next fault that applies to an answer of an endpoint.
    pub(crate) fn take(&mut self, endpoint: Endpoint, success: bool) -> Option<Fault> {
        self.take_if(endpoint, |fault| success || !fault.needs_success())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_apply_in_order_and_as_often_as_requested() {
        let mut faults = Faults::default();
        faults.add(Endpoint::SignStatus, Fault::Reset, 2);
        faults.add(Endpoint::SignStatus, Fault::Huge, 1);
        faults.add(Endpoint::SignDocument, Fault::Redirect, 0);
        let take = |faults: &mut Faults| faults.take(Endpoint::SignStatus, true);
        assert_eq!(faults.take(Endpoint::SignDocument, true), None);
        assert_eq!(take(&mut faults), Some(Fault::Reset));
        let left =
            [(Endpoint::SignStatus, Fault::Reset, 1), (Endpoint::SignStatus, Fault::Huge, 1)];
        assert_eq!(faults.all(), left);
        assert_eq!(take(&mut faults), Some(Fault::Reset));
        assert_eq!(take(&mut faults), Some(Fault::Huge));
        assert_eq!(take(&mut faults), None);
    }

    #[test]
    fn a_fault_of_a_value_stays_queued_until_there_is_a_value() {
        let mut faults = Faults::default();
        faults.add(Endpoint::SignStatus, Fault::WrongValue, 1);
        assert_eq!(faults.take(Endpoint::SignStatus, false), None);
        assert_eq!(faults.take(Endpoint::SignStatus, true), Some(Fault::WrongValue));
    }

    #[test]
    fn faults_parse_from_the_documented_json() {
        for (json, fault) in [
            (r#"{"kind":"delay","delay_ms":20}"#, Fault::Delay { millis: 20 }),
            (r#"{"kind":"lower_case_key"}"#, Fault::LowerCaseKey),
            (
                r#"{"kind":"answer","status":502}"#,
                Fault::Answer {
                    status: 502,
                    content_type: String::new(),
                    body: String::new(),
                    headers: BTreeMap::new(),
                },
            ),
            (
                r#"{"kind":"answer","status":503,"headers":{"retry-after":"3"}}"#,
                Fault::Answer {
                    status: 503,
                    content_type: String::new(),
                    body: String::new(),
                    headers: [("retry-after".to_owned(), "3".to_owned())].into(),
                },
            ),
            (
                r#"{"kind":"result","min":"X"}"#,
                Fault::Result { maj: None, min: Some("X".to_owned()), msg: None },
            ),
            (
                r#"{"kind":"result","msg":"no"}"#,
                Fault::Result {
                    maj: None,
                    min: None,
                    msg: Some(ResultMessage::Text("no".to_owned())),
                },
            ),
            (
                r#"{"kind":"result","msg":{"lang":"en","value":"no"}}"#,
                Fault::Result {
                    maj: None,
                    min: None,
                    msg: Some(ResultMessage::Localised {
                        lang: "en".to_owned(),
                        value: "no".to_owned(),
                    }),
                },
            ),
        ] {
            assert_eq!(serde_json::from_str::<Fault>(json).unwrap(), fault);
        }
    }
}
