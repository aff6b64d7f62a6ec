//! Decides whether a document may be signed, and finds the warnings for its signer:
//! by earlier signatures, XFA forms and encryption (ISO 32000-2, 12.8.2; 12.7.8;
//! table 22).

use std::collections::HashSet;

use super::need_appearances;
use super::widget::is_hidden;
use crate::document::form::Form;
use crate::document::signature::{Permissions, level_of_lock, permissions};
use crate::document::xfa::Xfa;
use crate::error::{Error, ForbiddenBy};
use crate::file::Pdf;
use crate::lock::FieldLock;
use crate::options::{SignatureField, SignatureOptions};
use crate::report::Warning;
use crate::syntax::Value;

const fn forbidden<T>(why: ForbiddenBy) -> Result<T, Error> {
    Err(Error::Forbidden { why })
}

/// Checks whether the document may be signed in a field of this name. Returns the
/// warnings.
pub(super) fn check(
    pdf: &mut Pdf<'_>,
    catalog: &Value,
    form: &Form,
    field: &str,
    options: &SignatureOptions,
) -> Result<Vec<Warning>, Error> {
    let mut warnings = Vec::new();
    if pdf.header > 0 {
        warnings.push(Warning::HeaderNotFirst);
    }
    match Xfa::read(pdf, catalog)? {
        Xfa::Absent => {}
        Xfa::Static => warnings.push(Warning::Xfa),
        Xfa::Dynamic => return forbidden(ForbiddenBy::DynamicXfa),
    }
    if need_appearances::is_set(pdf, catalog)? && !need_appearances::is_cleared(form, options) {
        warnings.push(Warning::NeedAppearances);
        if options.visible.is_some() {
            warnings.push(Warning::HiddenByNeedAppearances);
        }
    }
    field_warnings(form, field, options, &mut warnings);
    if let Some(lock) = &options.lock {
        warnings.extend(check_lock(form, field, lock)?);
    }
    let appears = appears(pdf, form, field, options)?;
    if options.certification.is_some() && form.signed().next().is_some() {
        return forbidden(ForbiddenBy::NotFirst);
    }
    if let Some(permitted) = pdf.get(catalog, b"Perms")? {
        if let Some(signature) = pdf.get(&permitted, b"DocMDP")? {
            allows(&permissions(pdf, &signature)?, field, appears)?;
        }
        if permitted.get(b"UR3").or_else(|| permitted.get(b"UR")).is_some() {
            warnings.push(Warning::UsageRights);
        }
    }
    for (signed, value) in form.signed() {
        let signature = pdf.resolve(value)?;
        let mut earlier = permissions(pdf, &signature)?;
        earlier.restrict(level_of_lock(pdf, signed.reference)?);
        allows(&earlier, field, appears)?;
    }
    Ok(warnings)
}

/// The warnings of an update that every signature allows: validation data and document
/// time-stamps (ISO 32000-2, table 257).
pub(crate) fn check_extension(
    pdf: &mut Pdf<'_>,
    catalog: &Value,
    form: &Form,
) -> Result<Vec<Warning>, Error> {
    let mut warnings = Vec::new();
    if pdf.header > 0 {
        warnings.push(Warning::HeaderNotFirst);
    }
    let mut allow_nothing = false;
    for (signed, value) in form.signed() {
        let signature = pdf.resolve(value)?;
        let mut earlier = permissions(pdf, &signature)?;
        earlier.restrict(level_of_lock(pdf, signed.reference)?);
        allow_nothing |= earlier.level() == Some(1);
    }
    if let Some(permitted) = pdf.get(catalog, b"Perms")? {
        if let Some(signature) = pdf.get(&permitted, b"DocMDP")? {
            allow_nothing |= permissions(pdf, &signature)?.level() == Some(1);
        }
        if permitted.get(b"UR3").or_else(|| permitted.get(b"UR")).is_some() {
            warnings.push(Warning::UsageRights);
        }
    }
    if allow_nothing {
        warnings.push(Warning::NoChangesAllowed);
    }
    Ok(warnings)
}

/// Warnings about a field in which other programs do not find the signature.
fn field_warnings(
    form: &Form,
    field: &str,
    options: &SignatureOptions,
    warnings: &mut Vec<Warning>,
) {
    let existing = matches!(options.field, SignatureField::Existing(_));
    if existing && form.find(field).is_some_and(|field| !field.widgets.is_empty()) {
        warnings.push(Warning::FieldApartFromWidget);
    }
    let last = |name: &str| name.rsplit('.').next().map(str::to_owned);
    let mut others = form.fields.iter().filter(|it| it.is_signature && it.name != field);
    if others.any(|other| last(&other.name) == last(field)) {
        warnings.push(Warning::FieldNamesAlike);
    }
}

/// Checks that the names in a lock are those of fields. A lock of fields that do not exist
/// protects nothing; and an exception that does not exist is locked. `field` is that of the
/// signature, which may be new.
fn check_lock(form: &Form, field: &str, lock: &FieldLock) -> Result<Option<Warning>, Error> {
    let (FieldLock::Include(names) | FieldLock::Exclude(names)) = lock else { return Ok(None) };
    let known: HashSet<&str> =
        form.fields.iter().map(|it| it.name.as_str()).chain([field]).collect();
    let mut unknown = names.iter().filter(|name| !known.contains(name.as_str()));
    let Some(first) = unknown.next() else { return Ok(None) };
    let all = unknown.count() + 1 == names.len();
    if all && matches!(lock, FieldLock::Include(_)) {
        return Err(Error::NoLockedField { name: first.clone() });
    }
    Ok(Some(Warning::LockOfUnknownField))
}

/// Whether the signature becomes visible where nothing was visible.
fn appears(
    pdf: &mut Pdf<'_>,
    form: &Form,
    field: &str,
    options: &SignatureOptions,
) -> Result<bool, Error> {
    match (&options.visible, form.find(field)) {
        (Some(_), Some(field)) => is_hidden(pdf, field),
        (visible, _) => Ok(visible.is_some()),
    }
}

/// Checks that an earlier signature allows a signature in this field.
fn allows(earlier: &Permissions, field: &str, appears: bool) -> Result<(), Error> {
    if earlier.certification == Some(1) {
        return forbidden(ForbiddenBy::Certification);
    }
    if earlier.lock_level == Some(1) {
        return forbidden(ForbiddenBy::Lock);
    }
    if earlier.level().is_some() && appears {
        // Some validators allow it, others report it as tampering.
        return forbidden(ForbiddenBy::CertificationOfAppearance);
    }
    if earlier.locks.iter().any(|lock| lock.covers(field)) {
        return forbidden(ForbiddenBy::FieldLock);
    }
    Ok(())
}

/// Checks that the permissions of an encrypted document allow the signature
/// (table 22).
pub(crate) fn check_encryption(pdf: &Pdf<'_>, options: &SignatureOptions) -> Result<(), Error> {
    const MODIFY: u32 = 4;
    const ANNOTATE: u32 = 6;
    const FILL: u32 = 9;

    let Some(security) = pdf.security.as_ref().filter(|_| !options.ignore_permissions) else {
        return Ok(());
    };
    let annotate = security.permits(ANNOTATE);
    match &options.field {
        SignatureField::Existing(_) if !annotate && !security.permits(FILL) => {
            forbidden(ForbiddenBy::PermissionToFill)
        }
        SignatureField::New | SignatureField::NewNamed(_)
            if !annotate || !security.permits(MODIFY) =>
        {
            forbidden(ForbiddenBy::PermissionToModify)
        }
        _ => Ok(()),
    }
}
