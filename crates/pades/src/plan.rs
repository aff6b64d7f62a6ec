//! What is appended to a document, before the document itself is digested.

use ades_core::in_place::TAIL;
use ades_core::{Document, SignatureParameters};

use crate::dictionary::Dictionary;
use crate::error::Error;
use crate::file::Pdf;
use crate::options::SignatureOptions;
use crate::placement::{self, Placement};
use crate::prepared::SubFilter;
use crate::remark::Remark;
use crate::seed::{Certificates, Signer};
use crate::syntax::date;
use crate::update::Written;

/// What is known of a document that can be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    remarks: Vec<Remark>,
    page: Option<usize>,
    state_len: usize,
}

impl Checked {
    /// What to know of the document.
    #[must_use]
    pub fn remarks(&self) -> &[Remark] {
        &self.remarks
    }

    /// The page that a visible signature is on, counted from 1.
    #[must_use]
    pub const fn page(&self) -> Option<usize> {
        self.page
    }

    /// What the document adds to the stored form of a pending signature, in
    /// octets: what is written anew of it, and what is to be seen. A few
    /// kilobytes, but megabytes for some documents and images; see
    /// [`MAX_STATE_LEN`](ades_core::pending::MAX_STATE_LEN).
    #[must_use]
    pub const fn state_len(&self) -> usize {
        self.state_len
    }
}

/// Says whether a document can be signed like this, by all that is known before
/// there is a certificate: before anybody is asked for one. The document is read
/// as far as a signature touches it.
///
/// # Errors
/// As [`prepare`](crate::prepare), but for what is wrong with the certificate.
pub fn check(
    document: &mut Document<'_>,
    parameters: &SignatureParameters,
    options: &SignatureOptions,
) -> Result<Checked, Error> {
    let signer =
        Signer { digest: None, sub_filter: SubFilter::Cades, certificates: Certificates::Later };
    let planned = Planned::of(document, &signer, 0, parameters, options)?;
    // In base64.
    let state_len = planned.written.octets.len().div_ceil(3) * 4;
    Ok(Checked { remarks: planned.placement.remarks, page: planned.page, state_len })
}

/// An update that is ready but for numbers that depend on the document's digest.
pub(crate) struct Planned {
    pub(crate) placement: Placement,
    pub(crate) written: Written,
    /// The document's length, and its last octets.
    pub(crate) length: u64,
    pub(crate) tail: Vec<u8>,
    /// The number of the page that a visible signature is on; looked for only
    /// where there is no certificate yet.
    page: Option<usize>,
}

impl Planned {
    pub(crate) fn of(
        document: &mut Document<'_>,
        signer: &Signer<'_>,
        capacity: usize,
        parameters: &SignatureParameters,
        options: &SignatureOptions,
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
        let dictionary = Dictionary {
            sub_filter: signer.sub_filter.name(),
            capacity,
            texts,
            application: options.application.as_ref(),
            certification: options.certification,
            lock: None,
        };
        let password = options.password();
        let first = Pdf::open(document, password)
            .and_then(|pdf| Self::in_pdf(pdf, dictionary.clone(), signer, options));
        match first {
            Err(
                Error::BrokenCrossReference { .. }
                | Error::Malformed { .. }
                | Error::Structure { .. },
            ) if options.repair => {
                let pdf = Pdf::open_broken(document, password)?;
                let mut planned = Self::in_pdf(pdf, dictionary, signer, options)?;
                planned.placement.remarks.insert(0, Remark::Repaired);
                Ok(planned)
            }
            planned => planned,
        }
    }

    fn in_pdf(
        mut pdf: Pdf<'_>,
        dictionary: Dictionary<'_>,
        signer: &Signer<'_>,
        options: &SignatureOptions,
    ) -> Result<Self, Error> {
        let (update, placement) = placement::plan(&mut pdf, &dictionary, signer, options)?;
        let page = match (placement.page, signer.certificates) {
            (Some(page), Certificates::Later) => placement::page_number(&mut pdf, page)?,
            _ => None,
        };
        let written = update.write(&mut pdf)?;
        let length = pdf.len();
        let tail = pdf.source().read(length.saturating_sub(TAIL), TAIL)?.to_vec();
        Ok(Self { placement, written, length, tail, page })
    }
}
