//! A copy of an encrypted document without its encryption, to be shown to the user.

use std::io::Write;

use ades_core::Document;

use crate::error::{Error, Limit, exceeds};
use crate::file::{Entry, Indirect, Pdf};
use crate::options::VerifyOptions;
use crate::syntax::{Edit, Kind, Reference, Value, string};

/// Maximum number of objects.
const MAX_OBJECTS: usize = 1 << 20;

/// Writes a copy of a document without its encryption. The copy has all objects of the newest
/// revision, but none of its signatures holds in it: use it to draw pages, as
/// [`PendingSignature::preview`](crate::PendingSignature::preview) needs a renderer that
/// has no key. An object that cannot be read is left out.
///
/// # Errors
/// As [`verify`](crate::verify()) for a document that cannot be read; [`Error::Core`] if
/// writing fails.
pub fn write_decrypted(
    document: &mut Document<'_>,
    options: &VerifyOptions<'_>,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let mut pdf = Pdf::open(document, options.credential)?;
    let entries = pdf.all_entries()?;
    if entries.len() > MAX_OBJECTS {
        return Err(exceeds(Limit::SyntaxRead));
    }
    let mut copy = Copy { out, written: 0, offsets: Vec::new() };
    let header = [b"%PDF-", pdf.version.as_slice(), b"\n%\xE2\xE3\xCF\xD3\n"].concat();
    copy.write(&header)?;
    for (number, entry) in entries {
        let generation = match entry {
            Entry::Free => continue,
            Entry::Plain { generation, .. } => generation,
            Entry::Compressed { .. } => 0,
        };
        match pdf.object(Reference { number, generation }) {
            Ok(Some(object)) => copy.object(&mut pdf, &object)?,
            Err(error @ (Error::Core(_) | Error::Limit { .. })) => return Err(error),
            Ok(None) | Err(_) => {}
        }
    }
    copy.end(&pdf)
}

struct Copy<'o> {
    out: &'o mut dyn Write,
    written: u64,
    /// Of each object.
    offsets: Vec<(Reference, u64)>,
}

impl Copy<'_> {
    fn write(&mut self, octets: &[u8]) -> Result<(), Error> {
        self.written += octets.len() as u64;
        self.out.write_all(octets).map_err(|error| ades_core::Error::Write(error).into())
    }

    fn object(&mut self, pdf: &mut Pdf<'_>, object: &Indirect) -> Result<(), Error> {
        let is = |kind| object.is_stream() && object.value.is(b"Type", kind);
        // The copy has neither cross-reference streams nor object streams.
        if is(b"XRef") || is(b"ObjStm") {
            return Ok(());
        }
        let mut edit = Edit::new(&object.octets);
        decrypt_strings(&object.value, &mut edit);
        let data = if object.is_stream() { pdf.plain_data(object)? } else { None };
        if let Some(data) = &data {
            edit.set(&object.value, b"Length", data.len().to_string().as_bytes());
        }
        self.offsets.push((object.reference, self.written));
        let Reference { number, generation } = object.reference;
        self.write(format!("{number} {generation} obj\n").as_bytes())?;
        self.write(&edit.finish(&object.value))?;
        if let Some(data) = data {
            self.write(b"\nstream\n")?;
            self.write(&data)?;
            self.write(b"\nendstream")?;
        }
        self.write(b"\nendobj\n")
    }

    /// Writes the cross-reference table and the trailer (7.5.4, 7.5.5).
    fn end(&mut self, pdf: &Pdf<'_>) -> Result<(), Error> {
        let start = self.written;
        self.write(b"xref\n0 1\n0000000000 65535 f \n")?;
        for (Reference { number, generation }, offset) in std::mem::take(&mut self.offsets) {
            let entry = format!("{number} 1\n{offset:010} {generation:05} n \n");
            self.write(entry.as_bytes())?;
        }
        let root = pdf.trailer(b"Root").and_then(|(root, _)| root.reference());
        let root = root.map(|root| format!("/Root {root}")).unwrap_or_default();
        let trailer =
            format!("trailer\n<</Size {}{root}>>\nstartxref\n{start}\n%%EOF\n", pdf.size());
        self.write(trailer.as_bytes())
    }
}

/// Replaces the strings in an object's octets by its strings, which are decrypted.
fn decrypt_strings(value: &Value, edit: &mut Edit<'_>) {
    match &value.kind {
        Kind::String(plain) => edit.replace(value, &string(plain)),
        Kind::Array(elements) => {
            elements.iter().for_each(|element| decrypt_strings(element, edit));
        }
        Kind::Dictionary(entries) => {
            entries.iter().for_each(|(_, value)| decrypt_strings(value, edit));
        }
        _ => {}
    }
}
