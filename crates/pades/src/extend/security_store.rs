//! The document security store: certificates and revocation values for long-term
//! validation (ISO 32000-2, 12.8.4.3; EN 319 142-1, 5.4.2).

use std::collections::HashMap;
use std::io::Write;

use ades_core::facts::MAX_EVIDENCE_LEN;
use ades_core::{Digest, DigestAlgorithm, Digester, Document};
use ades_evidence::ValidationData;
use sha1::{Digest as _, Sha1};

use super::extensions::{LONG_TERM, declare_extension};
use super::store_lists::{Lists, references};
use super::{
    Edited, ExtendOptions, Target, Update, WrittenUpdate, appended, reserve_numbers, set_identifier,
};
use crate::error::{Error, ForbiddenBy};
use crate::file::Pdf;
use crate::prepare::permissions::check_encryption;
use crate::syntax::{Reference, Value};

/// Maximum number of streams of an existing store that are compared with new values.
const MAX_COMPARED: usize = 12_288;
/// The digest that tells values apart, and from which the identifier of the new revision is
/// made.
const DIGEST: DigestAlgorithm = DigestAlgorithm::Sha256;

/// DER without a meaning, in place of values that are not known yet.
const STUB: &[u8] = b"\x04\x08a value.";

/// A kind of values: its key in the store, and in the lists of one signature.
#[derive(Clone, Copy)]
struct ValueKind {
    in_store: &'static [u8],
    of_signature: &'static [u8],
}

const CERTIFICATES: ValueKind = ValueKind { in_store: b"Certs", of_signature: b"Cert" };
const OCSP_RESPONSES: ValueKind = ValueKind { in_store: b"OCSPs", of_signature: b"OCSP" };
const CRLS: ValueKind = ValueKind { in_store: b"CRLs", of_signature: b"CRL" };

/// Copies a document to `out` and adds an update with validation data for one of its
/// signatures, whose index in the [report](crate::report::Report) is `signature`. The
/// document's store keeps what it has. A value that it has already is not added again; if it
/// has them all, the copy has no update.
///
/// # Errors
/// [`Error::NoSuchSignature`]; [`Error::CannotAdd`] with the reason; [`Error::RevocationValueMalformed`]; [`Error::Forbidden`] if
/// the document does not allow changes; [`Error::Core`] if reading or writing fails; those
/// of [`prepare`](crate::prepare()) for a document that cannot be read or extended.
pub fn add_validation_data(
    document: &mut Document<'_>,
    signature: usize,
    data: &ValidationData,
    options: &ExtendOptions<'_>,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let values = Values::new(data)?;
    let (update, length) = plan(document, signature, &values, options)?;
    if let Some(update) = &update {
        appended::check(document, &update.octets, options.credential)?;
    }
    let mut digester = Digester::new(DIGEST);
    let copied = document.copy_into(&mut digester, out)?;
    let whole = digester.finish();
    if copied != length || !options.is_digest(document, length, &whole)? {
        return Err(Error::DocumentChanged);
    }
    if let Some(WrittenUpdate { mut octets, id, .. }) = update {
        set_identifier(&mut octets, &id, &whole);
        out.write_all(&octets).map_err(ades_core::Error::Write)?;
    }
    Ok(())
}

/// The update that [`add_validation_data`] adds, to be appended to the document
/// ([`with_update`](crate::with_update)). Empty if the document has all values.
///
/// # Errors
/// As [`add_validation_data`].
pub fn validation_data_update(
    document: &mut Document<'_>,
    signature: usize,
    data: &ValidationData,
    options: &ExtendOptions<'_>,
) -> Result<Vec<u8>, Error> {
    let values = Values::new(data)?;
    let (update, length) = plan(document, signature, &values, options)?;
    let Some(WrittenUpdate { mut octets, id, .. }) = update else { return Ok(Vec::new()) };
    appended::check(document, &octets, options.credential)?;
    let digester = options.digester(document, length, DIGEST)?;
    set_identifier(&mut octets, &id, &digester.finish());
    Ok(octets)
}

/// Checks that validation data can be added, before there are any.
pub(super) fn check(
    document: &mut Document<'_>,
    signature: usize,
    options: &ExtendOptions<'_>,
) -> Result<(), Error> {
    let stub = || vec![(Digest::of(DIGEST, STUB), STUB)];
    let kinds = [CERTIFICATES, OCSP_RESPONSES, CRLS];
    let values = Values(kinds.map(|kind| (kind, stub())).into());
    match plan(document, signature, &values, options)?.0 {
        Some(update) => appended::check(document, &update.octets, options.credential),
        None => Ok(()),
    }
}

/// The update, if the store lacks a value, and the document's length.
fn plan(
    document: &mut Document<'_>,
    signature: usize,
    values: &Values<'_>,
    options: &ExtendOptions<'_>,
) -> Result<(Option<WrittenUpdate>, u64), Error> {
    let mut target = Target::open(document, signature, options)?;
    target.check_update()?;
    let key = options.lists_by_signature.then(|| key_of(&target)).flatten();
    let Target { pdf, catalog, form, .. } = &mut target;
    let as_signature = options.as_signature();
    check_encryption(pdf, &as_signature)?;
    let store = Store::read(pdf, &catalog.value)?;
    let covered = reserve_numbers(pdf, &catalog.value, form, "", &as_signature)?;
    loop {
        let mut update = Update::new(pdf)?;
        let first = pdf.next_number()?;
        let mut edited = Edited::new(catalog);
        let is_new = store.grow(pdf, &mut update, &mut edited, values, key.as_deref())?;
        if !is_new {
            return Ok((None, pdf.len()));
        }
        declare_extension(pdf, &mut update, &mut edited, LONG_TERM)?;
        edited.put(pdf, &mut update)?;
        // The objects read since may refer to the numbers of the new objects. If they
        // do, the new objects get higher numbers.
        if pdf.next_number()? != first {
            continue;
        }
        if update.numbers().any(|number| covered.holds(number)) {
            return Err(Error::Forbidden { why: ForbiddenBy::SignedObject });
        }
        return Ok((Some(update.write(pdf)?), pdf.len()));
    }
}

/// The key of the signature in `/VRI`: the SHA-1 digest of its whole `/Contents`, with the
/// zeros at its end. The standard's text leaves open which octets it means; EU DSS and others
/// read it like this.
fn key_of(target: &Target<'_>) -> Option<String> {
    let contents = target.signature()?.dictionary.value.get(b"Contents")?.string()?;
    let digest = Sha1::digest(contents);
    Some(digest.iter().map(|octet| format!("{octet:02X}")).collect())
}

/// A value and its digest.
type Digested<'v> = (Digest, &'v [u8]);

/// The values to be embedded, each once.
struct Values<'v>(Vec<(ValueKind, Vec<Digested<'v>>)>);

impl<'v> Values<'v> {
    fn new(data: &'v ValidationData) -> Result<Self, Error> {
        let certificates = data.certificates.iter().map(ades_core::Certificate::der).collect();
        let ocsp_responses = data.ocsp_responses.iter().map(Vec::as_slice).collect();
        let crls = data.crls.iter().map(Vec::as_slice).collect();
        let kinds = [(CERTIFICATES, certificates), (OCSP_RESPONSES, ocsp_responses), (CRLS, crls)];
        let mut all = Vec::new();
        for (kind, values) in kinds {
            let values: Vec<&[u8]> = values;
            let mut each: Vec<Digested<'v>> = Vec::new();
            for value in values {
                if cades::embedded::first_element(value).ok() != Some(value) {
                    return Err(Error::RevocationValueMalformed);
                }
                let digest = Digest::of(DIGEST, value);
                if each.iter().all(|(other, _)| *other != digest) {
                    each.push((digest, value));
                }
            }
            all.push((kind, each));
        }
        Ok(Self(all))
    }
}

/// The values that the document has already, by the keys of their kinds and their digests.
#[derive(Default)]
struct Store(HashMap<(&'static [u8], Vec<u8>), Reference>);

impl Store {
    fn read(pdf: &mut Pdf<'_>, catalog: &Value) -> Result<Self, Error> {
        let mut store = Self::default();
        let Some(dictionary) = pdf.get(catalog, b"DSS")? else { return Ok(store) };
        // Planning the update needs its own allowance afterwards.
        let read = pdf.with_own_limits(|pdf| {
            let mut left = (MAX_COMPARED, MAX_EVIDENCE_LEN);
            for ValueKind { in_store, .. } in [CERTIFICATES, OCSP_RESPONSES, CRLS] {
                store.read_list(pdf, &dictionary, in_store, &mut left)?;
            }
            Ok(())
        });
        match read {
            Err(error @ Error::Core(_)) => Err(error),
            // A value that is not read may be embedded a second time.
            _ => Ok(store),
        }
    }

    /// `left`: the number of streams and of decoded octets that may still be read.
    fn read_list(
        &mut self,
        pdf: &mut Pdf<'_>,
        dictionary: &Value,
        key: &'static [u8],
        left: &mut (usize, usize),
    ) -> Result<(), Error> {
        for reference in references(pdf, dictionary, key)? {
            if left.0 == 0 || left.1 == 0 {
                return Ok(());
            }
            left.0 -= 1;
            let data = match pdf.follow(reference)? {
                Some(stream) if stream.is_stream() => pdf.data(&stream)?,
                _ => None,
            };
            let data = data.unwrap_or_default();
            left.1 = left.1.saturating_sub(data.len());
            // A line end may follow the value.
            let value = cades::embedded::first_element(&data).unwrap_or(&data);
            let digest = Digest::of(DIGEST, value).value().to_vec();
            self.0.entry((key, digest)).or_insert(reference);
        }
        Ok(())
    }

    /// Adds the values to the store. Returns whether that changes anything.
    fn grow(
        &self,
        pdf: &mut Pdf<'_>,
        update: &mut Update,
        catalog: &mut Edited<'_>,
        values: &Values<'_>,
        signature: Option<&str>,
    ) -> Result<bool, Error> {
        let mut new = Vec::new();
        let mut of_signature = Vec::new();
        for (kind, values) in &values.0 {
            let (mut added, mut all) = (Vec::new(), Vec::new());
            for (digest, value) in values {
                let known = self.0.get(&(kind.in_store, digest.value().to_vec())).copied();
                let reference = known.unwrap_or_else(|| update.allocate());
                all.push(reference);
                if known.is_none() {
                    update.add_stream(pdf, reference, "", value);
                    added.push(reference);
                }
            }
            new.push((kind.in_store, added));
            of_signature.push((kind.of_signature, all));
        }
        let has_new = new.iter().any(|(_, added)| !added.is_empty());
        let lists = Lists { new: &new, of_signature: &of_signature, signature };
        let object = catalog.object();
        let what = "/DSS is not a dictionary";
        let within = catalog.within(pdf, update, b"DSS", what, |pdf, update, holder, store| {
            lists.add_to(pdf, update, holder, store)
        })?;
        match within {
            Some(changed) => Ok(changed),
            None if !has_new => Ok(false),
            None => {
                catalog.set_new(update, &object.value, b"DSS", &lists.as_store());
                Ok(true)
            }
        }
    }
}
