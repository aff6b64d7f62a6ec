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
    /// Another answer altogether: JSON, HTML, text or nothing
    Answer {
        /// its HTTP status
        status: u16,
        /// its media type; empty: none is given
        #[serde(default)]
        content_type: String,
        /// its body
        #[serde(default)]
        body: String,
    },
    /// An error in the endpoint's own form
    Code {
        /// its HTTP status
        status: u16,
        /// `statusReason`, or `result.min` of a `RequesterError`
        code: String,
    },
    /// The answer comes late
    Delay {
        /// by how much, in milliseconds
        #[serde(alias = "delay_ms")]
        millis: u64,
    },
    /// The connection is closed without an answer
    Reset,
    /// An answer of two mebibytes
    Huge,
    /// HTTP 302 to elsewhere, with a cookie
    Redirect,
    /// A cookie, which nobody should keep
    SetCookie,
    /// Other values in `result`
    Result {
        /// `result.maj`
        #[serde(default)]
        maj: Option<String>,
        /// `result.min`
        #[serde(default)]
        min: Option<String>,
        /// `result.msg`: a string, as the documentation has it, or an object
        #[serde(default)]
        msg: Option<ResultMessage>,
    },
    /// `asyncRespId` in place of `asyncRespID`
    SmallD,
    /// A page on a host that is not the service's
    UntrustedHost,
    /// A page at an http address that is not loopback
    HttpUrl,
    /// A page whose address has a fragment
    UrlFragment,
    /// A certificate whose key signs nothing, and that is not the first of the
    /// chain that comes with it
    ForeignCertificate,
    /// Such a certificate, and the chain fits it
    ForeignIdentity,
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
    /// Other octets of the right length in place of the value
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
    /// The values of the first two documents swapped
    SwappedValues,
    /// The first id twice, with the second value or the first again
    DuplicateId,
    /// The values have no ids
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

/// `result.msg`, in either of its forms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum ResultMessage {
    /// A string, as the documentation has it
    Text(String),
    /// An object, as the interface description has it
    Localised {
        /// the language's code
        lang: String,
        /// the text
        value: String,
    },
}

impl Fault {
    /// Whether it changes what only a good answer has: it then waits for one
    /// and is not used up by a pending session.
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

/// Faults that wait for their turn.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<(Endpoint, Fault, u32)>);

impl Faults {
    /// No more faults wait at a time.
    const MAX: usize = 1000;

    /// Adds a fault; `false` if too many wait.
    pub(crate) fn add(&mut self, endpoint: Endpoint, fault: Fault, times: u32) -> bool {
        let fits = self.0.len() < Self::MAX;
        if fits && times > 0 {
            self.0.push((endpoint, fault, times));
        }
        fits
    }

    /// The next fault of an endpoint that applies, used up by one.
    pub(crate) fn take(&mut self, endpoint: Endpoint, success: bool) -> Option<Fault> {
        let applies = |fault: &Fault| success || !fault.needs_success();
        let at = self.0.iter().position(|(e, fault, _)| *e == endpoint && applies(fault))?;
        let (_, fault, times) = self.0.get_mut(at)?;
        *times -= 1;
        if *times > 0 { Some(fault.clone()) } else { Some(self.0.remove(at).1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_come_in_order_and_are_used_up() {
        let mut faults = Faults::default();
        faults.add(Endpoint::SignStatus, Fault::Reset, 2);
        faults.add(Endpoint::SignStatus, Fault::Huge, 1);
        faults.add(Endpoint::SignDocument, Fault::Redirect, 0);
        let take = |faults: &mut Faults| faults.take(Endpoint::SignStatus, true);
        assert_eq!(faults.take(Endpoint::SignDocument, true), None);
        assert_eq!(take(&mut faults), Some(Fault::Reset));
        assert_eq!(take(&mut faults), Some(Fault::Reset));
        assert_eq!(take(&mut faults), Some(Fault::Huge));
        assert_eq!(take(&mut faults), None);
    }

    #[test]
    fn a_fault_of_the_value_waits_for_a_value() {
        let mut faults = Faults::default();
        faults.add(Endpoint::SignStatus, Fault::WrongValue, 1);
        assert_eq!(faults.take(Endpoint::SignStatus, false), None);
        assert_eq!(faults.take(Endpoint::SignStatus, true), Some(Fault::WrongValue));
    }

    #[test]
    fn faults_read_as_documented() {
        for (json, fault) in [
            (r#"{"kind":"delay","delay_ms":20}"#, Fault::Delay { millis: 20 }),
            (r#"{"kind":"lower_case_key"}"#, Fault::LowerCaseKey),
            (
                r#"{"kind":"answer","status":502}"#,
                Fault::Answer { status: 502, content_type: String::new(), body: String::new() },
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
