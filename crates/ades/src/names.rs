//! The names that a document has, for messages about a name that it does not have.

use std::collections::HashSet;

use ades_core::Document;
use pades::report::FieldReport;
use xades::c14n::{IdAttributes, Target};
use xades::xml::{Event, Reader};

use crate::error::Error;
use crate::inputs::Inputs;
use crate::options::ReadingOptions;

/// Maximum number of names, and of characters of one name.
const MAX_NAMES: usize = 4096;
const MAX_LEN: usize = 200;

/// The names that a document has instead of the one that an error is about: the Ids or the
/// elements of an XML document, or the fields of a PDF. Errors do not contain
/// them, because names in a document can be personal; an application decides who sees them.
///
/// Empty for other errors, and if the document cannot be read. The first 4,096 names are returned,
/// each cut to 200 characters.
pub fn existing_names<'a, 'd: 'a>(
    error: &Error,
    inputs: impl Into<Inputs<'a, 'd>>,
    reading: &ReadingOptions,
) -> Vec<String> {
    let Inputs { document, password, .. } = inputs.into();
    let names = match error {
        Error::Xades(xades::Error::NoSuchElement { target }) => xml(document, target, reading).ok(),
        Error::Pades(pades::Error::NoSuchField { .. }) => {
            fields(document, password, |field| field.is_signature && !field.has_value).ok()
        }
        Error::Pades(pades::Error::NoLockedField { .. }) => {
            fields(document, password, |_| true).ok()
        }
        _ => None,
    };
    let mut names = names.unwrap_or_default();
    names.truncate(MAX_NAMES);
    names.into_iter().map(|name| name.chars().take(MAX_LEN).collect()).collect()
}

fn fields(
    document: &mut Document<'_>,
    password: Option<&str>,
    is_meant: impl Fn(&FieldReport) -> bool,
) -> Result<Vec<String>, Error> {
    let options = pades::VerifyOptions::new();
    let options = match password {
        Some(password) => options.password(password),
        None => options,
    };
    let report = pades::verify(document, options)?;
    let meant = report.fields.into_iter().filter(is_meant);
    Ok(meant.map(|field| field.name).collect())
}

fn xml(
    document: &mut Document<'_>,
    target: &Target,
    reading: &ReadingOptions,
) -> Result<Vec<String>, xades::Error> {
    let mut reader = Reader::from_read(document.reader()?)?;
    if reading.ignore_external_subset {
        reader = reader.ignoring_external_subset();
    }
    let (mut names, mut seen) = (Vec::new(), HashSet::new());
    while names.len() < MAX_NAMES
        && let Some(event) = reader.next_event()?
    {
        let Event::StartElement(element) = event else { continue };
        if matches!(target, Target::Id(_)) {
            let ids = element.attributes().filter(|attribute| is_id(&reading.ids, attribute));
            names.extend(ids.map(|id| text(id.value)));
        } else {
            let name = format!("{{{}}}{}", text(element.namespace()), text(element.local_name()));
            if seen.insert(name.clone()) {
                names.push(name);
            }
        }
    }
    Ok(names)
}

fn is_id(ids: &IdAttributes, attribute: &xades::xml::Attribute<'_>) -> bool {
    ids.names().any(|(namespace, name)| {
        attribute.namespace == namespace.as_bytes() && attribute.local_name == name.as_bytes()
    })
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}
