//! One more signature in a container that exists.

use std::io::Write;

use ades_core::Document;

use crate::error::Error;
use crate::pending::PendingSignature;

impl PendingSignature {
    pub(crate) fn add_to(
        &self,
        _container: &mut Document<'_>,
        _signer_info: &[u8],
        _out: &mut dyn Write,
    ) -> Result<(), Error> {
        Err(Error::CannotAdd { why: "not yet" })
    }
}
