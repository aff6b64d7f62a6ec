//! The signature dictionary (ISO 32000-2, 12.8.1; EN 319 142-1, 6.3).

use std::ops::Range;

use ades_core::SignatureParameters;

use crate::error::Error;
use crate::lock::FieldLock;
use crate::options::{Certification, SignatureOptions};
use crate::signer::{Signer, SubFilter};
use crate::syntax::{Reference, date, encode_text, name, string};

/// The entries of a new signature dictionary.
#[derive(Clone, Debug)]
pub(crate) struct Dictionary<'a> {
    pub(super) sub_filter: SubFilter,
    /// Maximum length of the CMS in octets.
    pub(crate) capacity: usize,
    /// Keys and their text strings.
    pub(super) texts: Vec<(&'static str, String)>,
    pub(super) application: Option<&'a (String, String)>,
    pub(super) certification: Option<Certification>,
    /// The lock of the field, and the catalog, which `/Data` refers to.
    pub(super) lock: Option<(FieldLock, Reference)>,
    /// The level at which the lock restricts the whole document.
    pub(super) lock_level: Option<u64>,
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

impl<'a> Dictionary<'a> {
    /// A signature with these parameters and options, which are checked.
    pub(super) fn of_signature(
        signer: &Signer<'_>,
        capacity: usize,
        parameters: &SignatureParameters,
        options: &'a SignatureOptions,
    ) -> Result<Self, Error> {
        options.check(parameters)?;
        let mut texts = vec![("M", date(parameters.signing_time().time()))];
        let location = options.location_text(parameters);
        let optional = [
            ("Name", &options.name),
            ("Reason", &options.reason),
            ("Location", &location),
            ("ContactInfo", &options.contact),
        ];
        texts.extend(optional.into_iter().filter_map(|(key, text)| Some((key, text.clone()?))));
        Ok(Self {
            sub_filter: signer.sub_filter,
            capacity,
            texts,
            application: options.application.as_ref(),
            certification: options.certification,
            lock: None,
            lock_level: None,
        })
    }
}

impl Dictionary<'_> {
    /// A document time-stamp, which should have no further entries (EN 319 142-1, 5.4.3).
    pub(crate) const fn of_time_stamp(capacity: usize) -> Self {
        Self {
            sub_filter: SubFilter::TimeStamp,
            capacity,
            texts: Vec::new(),
            application: None,
            certification: None,
            lock: None,
            lock_level: None,
        }
    }

    pub(super) fn write(&self) -> WrittenDictionary {
        let kind = if self.sub_filter.is_time_stamp() { "DocTimeStamp" } else { "Sig" };
        let mut out = format!("<</Type/{kind}/Filter/Adobe.PPKLite/SubFilter").into_bytes();
        out.extend_from_slice(&name(self.sub_filter.name().as_bytes()));
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
            // No table has /P here, but Acrobat and pyHanko write and read it.
            let level = self.lock_level.map(|level| format!("/P {level}")).unwrap_or_default();
            references.extend_from_slice(level.as_bytes());
            references.extend_from_slice(format!(">>/Data {catalog}>>").as_bytes());
        }
        if !references.is_empty() {
            out.extend_from_slice(b"/Reference[");
            out.extend_from_slice(&references);
            out.push(b']');
        }
    }
}
