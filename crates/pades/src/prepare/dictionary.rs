//! The signature dictionary (ISO 32000-2, 12.8.1; EN 319 142-1, 6.3).

use std::ops::Range;

use crate::lock::FieldLock;
use crate::options::Certification;
use crate::syntax::{Reference, encode_text, name, string};

/// The entries of a new signature dictionary.
#[derive(Clone, Debug)]
pub(super) struct Dictionary<'a> {
    pub(super) sub_filter: &'a str,
    /// Maximum length of the CMS in octets.
    pub(super) capacity: usize,
    /// Keys and their text strings.
    pub(super) texts: Vec<(&'static str, String)>,
    pub(super) application: Option<&'a (String, String)>,
    pub(super) certification: Option<Certification>,
    /// The lock of the field, and the catalog, which `/Data` refers to.
    pub(super) lock: Option<(FieldLock, Reference)>,
}

/// The dictionary's octets.
#[derive(Debug)]
pub(super) struct WrittenDictionary {
    pub(super) octets: Vec<u8>,
    /// Between the brackets of `/ByteRange`.
    pub(super) byte_range: Range<usize>,
    /// The Contents placeholder, including `<` and `>`.
    pub(super) contents: Range<usize>,
}

/// Length of `/ByteRange`: 0, and three numbers of up to 20 digits with a space
/// before each. 20 digits hold every 64-bit offset.
const BYTE_RANGE_LEN: usize = 1 + 3 * 21;

impl Dictionary<'_> {
    pub(super) fn write(&self) -> WrittenDictionary {
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
        WrittenDictionary { octets: out, byte_range, contents }
    }

    /// `/Reference`: its values are direct objects, as 12.8.1 requires.
    fn references(&self, out: &mut Vec<u8>) {
        let mut references = Vec::new();
        if let Some(certification) = self.certification {
            // PDF/A forbids /DigestMethod here.
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
