//! The entries of a CRL (RFC 5280, 5.1.2.6 and 5.3).

use std::sync::Arc;

use ades_core::asn1::ber::{self, Reader};
use ades_core::asn1::der::{INTEGER, SEQUENCE};
use ades_core::{Certificate, Oid};

use super::scope::general_names;
use super::window::Window;
use super::{CrlError, CrlLimit, Entry, MAX_FOUND, MAX_HELD, malformed};
use crate::fields::{
    ENUMERATED, Extension, GENERALIZED_TIME, extension, only, serial_number, time,
};
use crate::revocation::{Reason, Revocation};

const REASON_CODE: &[u8] = &[0x55, 0x1D, 21];
const INVALIDITY_DATE: &[u8] = &[0x55, 0x1D, 24];
const CERTIFICATE_ISSUER: &[u8] = &[0x55, 0x1D, 29];

/// Looks up serial numbers among the entries.
pub(super) struct Entries {
    /// The content octets of the serial numbers, in order.
    pub(super) wanted: Vec<Vec<u8>>,
    pub(super) found: Vec<Entry>,
    pub(super) too_many: bool,
    pub(super) count: u64,
    /// The first critical extension that is not processed.
    pub(super) critical: Option<Oid>,
    /// The last certificateIssuer, which is that of the following entries, too.
    certificate_issuer: Option<Arc<[Vec<u8>]>>,
}

impl Entries {
    pub(super) fn new<'c>(certificates: impl IntoIterator<Item = &'c Certificate>) -> Self {
        let mut wanted: Vec<Vec<u8>> =
            certificates.into_iter().map(|one| serial_number(one).to_vec()).collect();
        wanted.sort_unstable();
        wanted.dedup();
        Self {
            wanted,
            found: Vec::new(),
            too_many: false,
            count: 0,
            critical: None,
            certificate_issuer: None,
        }
    }

    /// Reads all entries. They end at `end`.
    pub(super) fn read(&mut self, window: &mut Window<'_>, end: u64) -> Result<(), CrlError> {
        while window.offset() < end {
            window.fill()?;
            let offset = window.offset();
            let left = usize::try_from(end - offset).unwrap_or(usize::MAX);
            let octets = window.fill()?;
            let is_full = octets.len() == MAX_HELD;
            let octets = octets.get(..left).unwrap_or(octets);
            let mut at = 0;
            while let Some(rest) = octets.get(at..).filter(|rest| !rest.is_empty()) {
                let here = offset + at as u64;
                let Some(len) = entry_len(rest, here)? else { break };
                let Some(entry) = rest.get(..len) else { break };
                self.take(entry, here)?;
                at += len;
            }
            if at == 0 {
                return Err(if is_full {
                    CrlError::Limit(CrlLimit::Held)
                } else {
                    malformed(offset, "a truncated entry")
                });
            }
            window.consume(at);
        }
        Ok(())
    }

    fn take(&mut self, entry: &[u8], offset: u64) -> Result<(), CrlError> {
        let mut fields = Reader::new(entry, offset).next("expected an entry")?.children();
        let what = "expected userCertificate";
        let serial_number = fields.next(what)?.expect(INTEGER, what)?.content;
        let date = fields.next("expected revocationDate")?;
        let extensions = fields.next_if(SEQUENCE)?;
        if !fields.is_empty() {
            return Err(malformed(fields.offset(), "octets after the last field of an entry"));
        }
        self.count += 1;
        let mut details = Details::default();
        if let Some(extensions) = extensions {
            let mut all = extensions.children();
            while let Some(element) = all.try_next()? {
                let read = extension(&element);
                let taken =
                    read.and_then(|extension| self.take_extension(&extension, &mut details));
                taken.ok_or(malformed(element.offset, "a malformed entry extension"))?;
            }
        }
        let is_wanted = self.wanted.binary_search_by(|w| w.as_slice().cmp(serial_number)).is_ok();
        if !is_wanted {
            return Ok(());
        }
        if self.found.len() == MAX_FOUND {
            self.too_many = true;
            return Ok(());
        }
        let date = time(&date).ok_or(malformed(date.offset, "a time that cannot be read"))?;
        let mut revocation = Revocation::new(date, details.reason);
        if let Some(value) = details.invalidity_date {
            let read = only(value, GENERALIZED_TIME).as_ref().and_then(time);
            let wrong = malformed(offset, "an invalidityDate that cannot be read");
            revocation.invalidity_date = Some(read.ok_or(wrong)?);
        }
        self.found.push(Entry {
            serial_number: serial_number.to_vec(),
            certificate_issuer: self.certificate_issuer.clone(),
            revocation,
        });
        Ok(())
    }

    /// `None` if the extension is malformed.
    fn take_extension<'a>(
        &mut self,
        extension: &Extension<'a>,
        details: &mut Details<'a>,
    ) -> Option<()> {
        match extension.kind {
            REASON_CODE => match extension.value {
                // A code that RFC 5280 does not define is not a reason.
                [ENUMERATED, 1, code] => details.reason = Reason::from_code(*code),
                _ => return None,
            },
            INVALIDITY_DATE => details.invalidity_date = Some(extension.value),
            CERTIFICATE_ISSUER => {
                let names = general_names(&only(extension.value, SEQUENCE)?)?;
                self.certificate_issuer = Some(names.into());
            }
            _ if extension.critical => {
                self.critical.get_or_insert(extension.oid()?);
            }
            _ => {}
        }
        Some(())
    }
}

/// What the extensions of an entry say.
#[derive(Default)]
struct Details<'a> {
    reason: Option<Reason>,
    invalidity_date: Option<&'a [u8]>,
}

/// The length of the entry that `octets` begin with. `None` if its header is truncated.
fn entry_len(octets: &[u8], offset: u64) -> Result<Option<usize>, CrlError> {
    /// The longest header: tag, and a length in nine octets.
    const MAX_HEADER: usize = 10;

    let header = match ber::header(octets, offset) {
        Ok(header) => header,
        Err(_) if octets.len() < MAX_HEADER => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let Some(len) = header.content_len.filter(|_| header.tag == SEQUENCE) else {
        return Err(malformed(offset, "expected an entry of definite length"));
    };
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    Ok(Some(len.saturating_add(header.len)))
}
