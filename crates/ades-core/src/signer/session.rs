//! Stored sessions: opaque to everybody but the signer they belong to.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{SignerError, SignerErrorKind};

macro_rules! session {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// Serialises as the signer's name, the layout's version, and a text
        /// that only this signer reads. It holds no key, password or token.
        #[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            signer: String,
            version: u32,
            data: String,
        }

        impl $name {
            /// For a signer: stores its own session data.
            ///
            /// # Errors
            /// [`SignerErrorKind::Session`] if `data` cannot be serialised.
            pub fn pack(
                signer: &str,
                version: u32,
                data: &impl Serialize,
            ) -> Result<Self, SignerError> {
                let data = serde_json::to_string(data)
                    .map_err(|e| SignerError::new(SignerErrorKind::Session).caused_by(e))?;
                Ok(Self { signer: signer.to_owned(), version, data })
            }

            /// For a signer: reads what it stored.
            ///
            /// # Errors
            /// [`SignerErrorKind::Session`] if another signer or a newer
            /// version stored it, or it is damaged.
            pub fn unpack<T: DeserializeOwned>(
                &self,
                signer: &str,
                version: u32,
            ) -> Result<T, SignerError> {
                let fail = || SignerError::new(SignerErrorKind::Session);
                if self.signer != signer || self.version > version {
                    return Err(fail());
                }
                // What serde says would quote the data.
                serde_json::from_str(&self.data).map_err(|_| fail())
            }

            /// The name of the signer that can continue it.
            #[must_use]
            pub fn signer(&self) -> &str {
                &self.signer
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({}, ..)"), self.signer)
            }
        }
    };
}

session! {
    /// An identification that is under way.
    IdentificationSession
}
session! {
    /// A batch that is being confirmed.
    SigningSession
}
