//! Decides whether a document may be signed, and finds the warnings for its signer:
//! by earlier signatures, XFA forms and encryption (ISO 32000-2, 12.8.2; 12.7.8;
//! table 22).

use super::widget::is_hidden;
use crate::document::form::Form;
use crate::document::signature::{Permissions, level_of_lock, permissions};
use crate::document::xfa::Xfa;
use crate::error::{Error, ForbiddenBy};
use crate::file::Pdf;
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
    match Xfa::read(pdf, catalog)? {
        Xfa::Absent => {}
        Xfa::Static => warnings.push(Warning::Xfa),
        Xfa::Dynamic => return forbidden(ForbiddenBy::DynamicXfa),
    }
    if let Some(form) = pdf.get(catalog, b"AcroForm")?
        && pdf.get(&form, b"NeedAppearances")?.and_then(|needs| needs.boolean()) == Some(true)
    {
        warnings.push(Warning::NeedAppearances);
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
        let level = level_of_lock(pdf, signed.reference)?;
        if level == Some(1) {
            return forbidden(ForbiddenBy::Lock);
        }
        let signature = pdf.resolve(value)?;
        let mut earlier = permissions(pdf, &signature)?;
        earlier.restrict(level);
        allows(&earlier, field, appears)?;
    }
    Ok(warnings)
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
    if earlier.certification.is_some() && appears {
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
pub(super) fn check_encryption(pdf: &Pdf<'_>, options: &SignatureOptions) -> Result<(), Error> {
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
