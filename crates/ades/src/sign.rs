//! Signs in one call, with signers that answer at once.

mod block_on;

use std::fmt;
use std::io::Write;

use ades_core::RemoteSigner;
use ades_core::certificate::UsageCheck;
use ades_core::signer::{
    IdentificationRequest, Identity, SignatureValue, SigningItem, SigningRequest, Step,
    match_values,
};

use crate::check::check;
use crate::error::Error;
use crate::inputs::Inputs;
use crate::options::SigningOptions;
use crate::pending::{PendingSignature, prepare};
use crate::warning::Warning;
use block_on::block_on;

/// One document of a batch, and the output for its signature. `Debug` shows neither.
pub struct BatchItem<'a, 'd> {
    inputs: Inputs<'a, 'd>,
    out: &'a mut dyn Write,
    /// Warnings to show to the user about this document. [`sign_batch`] sets them.
    pub warnings: Vec<Warning>,
}

impl<'a, 'd> BatchItem<'a, 'd> {
    /// A document, and the output for the signed document or container.
    #[must_use]
    pub fn new(inputs: impl Into<Inputs<'a, 'd>>, out: &'a mut dyn Write) -> Self {
        Self { inputs: inputs.into(), out, warnings: Vec::new() }
    }
}

impl fmt::Debug for BatchItem<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchItem").field("warnings", &self.warnings).finish_non_exhaustive()
    }
}

/// Signs one document with a signer that answers at once, such as a key file or an HSM.
///
/// # Errors
/// As [`sign_batch`].
pub fn sign<'a, 'd: 'a>(
    inputs: impl Into<Inputs<'a, 'd>>,
    signer: &dyn RemoteSigner,
    options: &SigningOptions,
    out: &'a mut dyn Write,
) -> Result<Vec<Warning>, Error> {
    let mut items = [BatchItem::new(inputs, out)];
    sign_batch(&mut items, signer, options)?;
    let [item] = items;
    Ok(item.warnings)
}

/// Signs documents of any formats in one batch, with a signer that answers at once.
///
/// All documents are checked before the signer is called, and all values are verified before the
/// first output is written. The call blocks the thread, and needs no async runtime.
///
/// # Errors
/// [`Error::SignerNotImmediate`] if the signer needs the user's browser or time: use
/// [`prepare`](crate::prepare()) and [`PendingSignature::complete`] instead. [`Error::Refused`],
/// [`Error::Signer`], and those of [`prepare`](crate::prepare()) and
/// [`PendingSignature::complete`].
pub fn sign_batch(
    items: &mut [BatchItem<'_, '_>],
    signer: &dyn RemoteSigner,
    options: &SigningOptions,
) -> Result<(), Error> {
    let capabilities = signer.capabilities();
    options.check_signer(&capabilities)?;
    for item in &mut *items {
        check(item.inputs.reborrow(), options)?;
    }
    let name = capabilities.name;
    let identified = block_on(signer.identify(IdentificationRequest::default()))?;
    let identity: Identity = answer(identified, name)?;
    let leaf = identity.chain.leaf();
    options.parameters_for(leaf.key_type())?.algorithm_for(leaf)?;
    leaf.check_fit(options.parameters.signing_time().time(), UsageCheck::Signature)?;

    let mut pending = Vec::new();
    for item in &mut *items {
        let prepared = prepare(item.inputs.reborrow(), &identity.chain, options)?;
        item.warnings = prepared.warnings().to_vec();
        pending.push(prepared);
    }
    let mut values = Vec::new();
    for batch in pending.chunks(capabilities.max_batch.max(1)) {
        values.extend(ask(signer, name, &identity, batch)?);
    }
    for ((item, pending), value) in items.iter_mut().zip(&pending).zip(values) {
        pending.complete(Some(&mut *item.inputs.document), &value.value, &mut *item.out)?;
    }
    Ok(())
}

/// Asks the signer for the values of one batch, and verifies them.
fn ask(
    signer: &dyn RemoteSigner,
    name: &'static str,
    identity: &Identity,
    batch: &[PendingSignature],
) -> Result<Vec<SignatureValue>, Error> {
    let ids: Vec<String> = (0..batch.len()).map(|at| at.to_string()).collect();
    let items =
        ids.iter().zip(batch).map(|(id, pending)| SigningItem::new(id, pending.to_be_signed()));
    let request = SigningRequest::new(identity.clone(), items.collect());
    let values: Vec<SignatureValue> = answer(block_on(signer.sign(request))?, name)?;
    let values = match_values(ids.iter().map(String::as_str), values)?;
    for (pending, value) in batch.iter().zip(&values) {
        let signed = pending.to_be_signed();
        let leaf = identity.chain.leaf();
        ades_core::verify::verify(leaf, signed.algorithm(), signed.data(), &value.value)?;
    }
    Ok(values)
}

fn answer<T, S>(step: Step<T, S>, signer: &'static str) -> Result<T, Error> {
    match step {
        Step::Done(answer) => Ok(answer),
        Step::Refused(refusal) => Err(Error::Refused(refusal)),
        // Redirect, Wait, and steps of later versions
        _ => Err(Error::SignerNotImmediate { signer }),
    }
}
