//! Stored sessions, which only the signer that made them can read.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{SignerError, SignerErrorKind};

macro_rules! session {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// Serialises as the signer's name, the layout's version, and a text that
        /// only this signer reads. It contains no key, password or token.
        #[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            signer: String,
            version: u32,
            data: String,
        }

        impl $name {
            /// For signers: stores their session data.
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

            /// For signers: reads their session data.
            ///
            /// # Errors
            /// [`SignerErrorKind::Session`] if another signer or a newer version
            /// stored it, or if it is damaged.
            pub fn unpack<T: DeserializeOwned>(
                &self,
                signer: &str,
                version: u32,
            ) -> Result<T, SignerError> {
                let fail = || SignerError::new(SignerErrorKind::Session);
                if self.signer != signer || self.version > version {
                    return Err(fail());
                }
                // An error of serde could quote the data.
                serde_json::from_str(&self.data).map_err(|_| fail())
            }

            /// The name of the signer that can continue this session.
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
    /// An identification in progress.
    IdentificationSession
}
session! {
    /// A batch that waits for confirmation.
    SigningSession
}
