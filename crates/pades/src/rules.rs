//! What forbids a signature, beforehand, or is to be told: earlier signatures,
//! the kind of document (ISO 32000-2, 12.8.2; 12.7.8).

use crate::document::form::Form;
use crate::document::signature::{Permissions, level_of_lock, permissions};
use crate::document::xfa::Xfa;
use crate::error::Error;
use crate::file::Pdf;
use crate::options::{SignatureField, SignatureOptions};
use crate::remark::Remark;
use crate::syntax::Value;
use crate::widget::is_hidden;

const fn forbidden<T>(why: &'static str) -> Result<T, Error> {
    Err(Error::Forbidden { why })
}

/// Whether the document may be signed in a field of this name, and what to know
/// of it if so.
pub(crate) fn check(
    pdf: &mut Pdf<'_>,
    catalog: &Value,
    form: &Form,
    field: &str,
    options: &SignatureOptions,
) -> Result<Vec<Remark>, Error> {
    let mut remarks = Vec::new();
    match Xfa::read(pdf, catalog)? {
        Xfa::Absent => {}
        Xfa::Static => remarks.push(Remark::Xfa),
        Xfa::Dynamic => {
            return forbidden("a dynamic XFA form has no pages that a signature could cover");
        }
    }
    if let Some(form) = pdf.get(catalog, b"AcroForm")?
        && pdf.get(&form, b"NeedAppearances")?.and_then(|needs| needs.boolean()) == Some(true)
    {
        remarks.push(Remark::NeedAppearances);
    }
    let appears = appears(pdf, form, field, options)?;
    if options.certification.is_some() && form.signed().next().is_some() {
        return forbidden("only the first signature of a document can certify it");
    }
    if let Some(permitted) = pdf.get(catalog, b"Perms")? {
        if let Some(signature) = pdf.get(&permitted, b"DocMDP")? {
            allows(&permissions(pdf, &signature)?, field, appears)?;
        }
        if permitted.get(b"UR3").or_else(|| permitted.get(b"UR")).is_some() {
            remarks.push(Remark::UsageRights);
        }
    }
    for (signed, value) in form.signed() {
        let level = level_of_lock(pdf, signed.reference)?;
        if level == Some(1) {
            return forbidden("an earlier signature locks the whole document (/Lock /P 1)");
        }
        let signature = pdf.resolve(value)?;
        let mut earlier = permissions(pdf, &signature)?;
        earlier.restrict(level);
        allows(&earlier, field, appears)?;
    }
    Ok(remarks)
}

/// Whether a signature is to be seen where nothing was.
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

/// Whether an earlier signature allows one in this field.
fn allows(earlier: &Permissions, field: &str, appears: bool) -> Result<(), Error> {
    if earlier.certification == Some(1) {
        return forbidden("it is certified, and no changes are allowed (DocMDP 1)");
    }
    if earlier.certification.is_some() && appears {
        // Some validators allow it, others take it for tampering.
        return forbidden(
            "it is certified or locked: a visible signature needs a field that is seen already",
        );
    }
    if earlier.locks.iter().any(|lock| lock.covers(field)) {
        return forbidden("an earlier signature locks the field (FieldMDP)");
    }
    Ok(())
}

/// Whether an encrypted document's permissions allow it (table 22).
pub(crate) fn check_permissions(pdf: &Pdf<'_>, options: &SignatureOptions) -> Result<(), Error> {
    const MODIFY: u32 = 4;
    const ANNOTATE: u32 = 6;
    const FILL: u32 = 9;

    let Some(security) = pdf.security.as_ref().filter(|_| !options.overrule_permissions) else {
        return Ok(());
    };
    let annotate = security.permits(ANNOTATE);
    match &options.field {
        SignatureField::Existing(_) if !annotate && !security.permits(FILL) => {
            forbidden("its permissions do not allow to fill forms without the owner's password")
        }
        SignatureField::New | SignatureField::NewNamed(_)
            if !annotate || !security.permits(MODIFY) =>
        {
            forbidden("its permissions do not allow new fields without the owner's password")
        }
        _ => Ok(()),
    }
}
