//! The signature dictionary (ISO 32000-2, 12.8.1; EN 319 142-1, 6.3).

use std::ops::Range;

use crate::lock::FieldLock;
use crate::options::Certification;
use crate::syntax::{Reference, encode_text, name, string};

/// What is written into the dictionary.
#[derive(Clone, Debug)]
pub(crate) struct Dictionary<'a> {
    pub(crate) sub_filter: &'a str,
    /// The octets of CMS that there is room for.
    pub(crate) capacity: usize,
    /// Keys with text.
    pub(crate) texts: Vec<(&'static str, String)>,
    pub(crate) application: Option<&'a (String, String)>,
    pub(crate) certification: Option<Certification>,
    /// The lock of the field, and the catalog that it is about.
    pub(crate) lock: Option<(FieldLock, Reference)>,
}

/// The dictionary's octets.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) octets: Vec<u8>,
    /// Between the brackets of `/ByteRange`.
    pub(crate) byte_range: Range<usize>,
    /// From `<` to behind `>` of `/Contents`.
    pub(crate) contents: Range<usize>,
}

/// Four numbers, of which the first is 0 and the others have up to 20 digits
/// (any offset there is), and the spaces between.
const BYTE_RANGE_LEN: usize = 1 + 3 * 21;

impl Dictionary<'_> {
    pub(crate) fn write(&self) -> Written {
        let mut out = b"<</Type/Sig/Filter/Adobe.PPKLite/SubFilter".to_vec();
        out.extend_from_slice(&name(self.sub_filter.as_bytes()));
        out.extend_from_slice(b"/ByteRange[");
        let byte_range = out.len()..out.len() + BYTE_RANGE_LEN;
        out.resize(byte_range.end, b' ');
        out.extend_from_slice(b"]/Contents");
        let contents = out.len()..out.len() + 2 * self.capacity + 2;
        out.push(b'<');
        out.resize(contents.end - 1, b'0');
        out.push(b'>');
        for (key, text) in &self.texts {
            out.extend_from_slice(format!("/{key}").as_bytes());
            out.extend_from_slice(&string(&encode_text(text)));
        }
        if let Some((program, version)) = self.application {
            out.extend_from_slice(b"/Prop_Build<</App<</Name");
            out.extend_from_slice(&name(program.as_bytes()));
            out.extend_from_slice(b"/REx");
            out.extend_from_slice(&string(&encode_text(version)));
            out.extend_from_slice(b">>>>");
        }
        self.references(&mut out);
        out.extend_from_slice(b">>");
        Written { octets: out, byte_range, contents }
    }

    /// `/Reference`: all of it direct, as the dictionary's values must be.
    fn references(&self, out: &mut Vec<u8>) {
        let mut references = Vec::new();
        if let Some(certification) = self.certification {
            // DigestMethod is left out: PDF/A does not allow it here.
            let reference = format!(
                "<</Type/SigRef/TransformMethod/DocMDP\
                 /TransformParams<</Type/TransformParams/V/1.2/P {}>>>>",
                certification as u8
            );
            references.extend_from_slice(reference.as_bytes());
        }
        if let Some((lock, catalog)) = &self.lock {
            references.extend_from_slice(
                b"<</Type/SigRef/TransformMethod/FieldMDP\
                  /TransformParams<</Type/TransformParams/V/1.2",
            );
            references.extend_from_slice(&lock.entries());
            references.extend_from_slice(format!(">>/Data {catalog}>>").as_bytes());
        }
        if !references.is_empty() {
            out.extend_from_slice(b"/Reference[");
            out.extend_from_slice(&references);
            out.push(b']');
        }
    }
}
