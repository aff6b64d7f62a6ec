//! The later changes that a signature permits (ISO 32000-2, 12.8.2).

use crate::error::Error;
use crate::file::Pdf;
use crate::lock::FieldLock;
use crate::syntax::{Reference, Value};

/// Maximum number of signature references that are read.
const MAX_REFERENCES: usize = 64;

/// The permissions of a signature.
#[derive(Clone, Debug, Default)]
pub(crate) struct Permissions {
    /// DocMDP's `/P`, which is 2 by default.
    pub(crate) certification: Option<u64>,
    /// The level at which a lock restricts the whole document: `/P` of FieldMDP, where
    /// Acrobat and pyHanko write it, and of the field's `/Lock`.
    pub(crate) lock_level: Option<u64>,
    pub(crate) locks: Vec<FieldLock>,
}

impl Permissions {
    /// Adds the level of another lock: the stricter one applies.
    pub(crate) fn restrict(&mut self, level: Option<u64>) {
        self.lock_level = self.lock_level.into_iter().chain(level).min();
    }

    /// The stricter level of certification and locks.
    pub(crate) fn level(&self) -> Option<u64> {
        self.certification.into_iter().chain(self.lock_level).min()
    }
}

/// The level at which the lock of a signed field restricts the whole document (`/P`,
/// table 236).
pub(crate) fn level_of_lock(pdf: &mut Pdf<'_>, field: Reference) -> Result<Option<u64>, Error> {
    let Some(field) = pdf.object(field)? else {
        return Ok(None);
    };
    let lock = pdf.get(&field.value, b"Lock")?;
    match lock {
        Some(lock) => Ok(pdf.get(&lock, b"P")?.and_then(|level| level.unsigned())),
        None => Ok(None),
    }
}

/// Reads the permissions from the signature's `/Reference`.
pub(crate) fn permissions(pdf: &mut Pdf<'_>, signature: &Value) -> Result<Permissions, Error> {
    let mut permissions = Permissions::default();
    let references = pdf.get(signature, b"Reference")?;
    let references = references.as_ref().and_then(Value::elements).unwrap_or_default();
    for reference in references.iter().take(MAX_REFERENCES) {
        let reference = pdf.resolve(reference)?;
        let method = pdf.get(&reference, b"TransformMethod")?;
        let parameters = pdf.get(&reference, b"TransformParams")?;
        match method.as_ref().and_then(Value::name) {
            Some(b"DocMDP") => {
                let level = match &parameters {
                    Some(parameters) => pdf.get(parameters, b"P")?.and_then(|p| p.unsigned()),
                    None => None,
                };
                permissions.certification = Some(level.unwrap_or(2));
            }
            Some(b"FieldMDP") => {
                if let Some(parameters) = &parameters {
                    permissions.restrict(pdf.get(parameters, b"P")?.and_then(|p| p.unsigned()));
                    permissions.locks.push(FieldLock::read(pdf, parameters)?);
                }
            }
            _ => {}
        }
    }
    Ok(permissions)
}
