//! The signature that is raised to a higher level.

use ades_core::Document;

use super::ExtendOptions;
use crate::document::coverage::{FoundSignature, signatures};
use crate::document::form::Form;
use crate::error::{Error, NotExtendable};
use crate::file::{Indirect, Pdf};

/// A document, and one signature in it.
pub(crate) struct Target<'d> {
    pub(super) pdf: Pdf<'d>,
    pub(super) catalog: Indirect,
    pub(super) form: Form,
    /// All signatures and document time-stamps.
    pub(super) found: Vec<FoundSignature>,
    at: usize,
}

impl<'d> Target<'d> {
    /// `signature`: its index in the report.
    pub(super) fn open(
        document: &'d mut Document<'_>,
        signature: usize,
        options: &ExtendOptions<'_>,
    ) -> Result<Self, Error> {
        let mut pdf = Pdf::open(document, options.credential)?;
        let catalog = pdf.catalog()?;
        let form = Form::read(&mut pdf, &catalog.value)?;
        let found = signatures(&mut pdf, &form)?;
        // The report lists document time-stamps separately.
        let mut all = found.iter().enumerate().filter(|(_, found)| !found.is_time_stamp());
        let at = all.nth(signature).map(|(at, _)| at);
        let at = at.ok_or(Error::NoSuchSignature { index: signature })?;
        Ok(Self { pdf, catalog, form, found, at })
    }

    /// Checks that every signature that covers the whole file still covers a revision after
    /// an update.
    pub(super) fn check_update(&mut self) -> Result<(), Error> {
        for found in &self.found {
            if !found.stays_a_revision(&mut self.pdf)? {
                return Err(Error::CannotAdd { why: NotExtendable::NotARevision });
            }
        }
        Ok(())
    }

    /// The signature.
    pub(super) fn signature(&self) -> Option<&FoundSignature> {
        self.found.get(self.at)
    }
}
