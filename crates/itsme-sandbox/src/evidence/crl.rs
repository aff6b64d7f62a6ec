//! CRLs (RFC 5280, 5), as a stream: one of 100 MB is never held.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use aws_lc_rs::digest::{Context as Hash, SHA256};
use axum::body::{Body, Bytes};
use axum::http::Response;
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::IntoResponse;
use futures_core::Stream;

use super::{EvidenceFault, EvidenceService, Question};
use crate::SandboxError;
use crate::der;
use crate::pki::Ca;

const REASON_CODE: &[u8] = &[0x55, 0x1D, 21];
const CRL_NUMBER: &[u8] = &[0x55, 0x1D, 20];
const AUTHORITY_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1D, 35];
/// Number of filling entries that are made at once.
const PIECE: u64 = 2048;

/// Entries that only make a CRL long. Their serial numbers are counted, and shorter than those of
/// certificates.
struct Filling {
    count: u64,
    time: Vec<u8>,
}

impl Filling {
    fn entry(&self, number: u64) -> Vec<u8> {
        // The first octet keeps the length.
        let [.., a, b, c, d] = number.to_be_bytes();
        let serial_number = der::element(der::INTEGER, &[&[0x01, a, b, c, d]]);
        der::sequence(&[&serial_number, &self.time])
    }

    fn len(&self) -> u64 {
        self.count * self.entry(0).len() as u64
    }

    /// The entries from this number on, and the number after them. `None` at the end.
    fn piece(&self, from: u64) -> Option<(Vec<u8>, u64)> {
        let to = from.saturating_add(PIECE).min(self.count);
        let octets = (from..to).flat_map(|number| self.entry(number)).collect();
        (from < to).then_some((octets, to))
    }
}

/// `CertificateList`
pub(super) fn answer(question: &Question<'_>, ca: Ca) -> Result<Response<Body>, SandboxError> {
    let authority = question.app.pki.authority(ca);
    let entries = match question.fault {
        Some(EvidenceFault::Revoked { seconds_ago, reason }) => {
            let time = question.now.saturating_sub(*seconds_ago);
            revoked(&question.app.pki.revocable(ca)?, time, *reason)
        }
        _ => Vec::new(),
    };
    let filling = filling(question);
    let entries_len = entries.len() as u64 + filling.len();
    let entries_header = match entries_len {
        0 => Vec::new(),
        len => der::header(der::SEQUENCE, len),
    };
    let algorithm = authority.key.algorithm();
    let (this_update, next_update) = question.period();
    let start = [
        // Version 2
        &der::unsigned(&[1])[..],
        &algorithm,
        &authority.certificate.subject,
        &der::utc_time(this_update),
        &der::utc_time(next_update),
        &entries_header,
        &entries,
    ]
    .concat();
    let key = der::element(der::primitive(0), &[&authority.key_identifier]);
    // The number grows with the time (RFC 5280, 5.2.3).
    let number = der::unsigned(&this_update.to_be_bytes());
    let extensions = der::sequence(&[
        &der::extension(AUTHORITY_KEY_IDENTIFIER, &der::sequence(&[&key])),
        &der::extension(CRL_NUMBER, &number),
    ]);
    let end = der::element(der::context(0), &[&extensions]);
    let signed_len = start.len() as u64 + filling.len() + end.len() as u64;
    let signed_start = [der::header(der::SEQUENCE, signed_len), start].concat();

    let mut hash = Hash::new(&SHA256);
    hash.update(&signed_start);
    let mut from = 0;
    while let Some((octets, next)) = filling.piece(from) {
        hash.update(&octets);
        from = next;
    }
    hash.update(&end);
    let value = question.spoiled(authority.key.sign_digest(&hash.finish())?);
    let end = [end, algorithm, der::bits(&value)].concat();
    let len = signed_start.len() as u64 + filling.len() + end.len() as u64;
    let start = [der::header(der::SEQUENCE, len), signed_start].concat();
    let len = start.len() as u64 + filling.len() + end.len() as u64;
    let stream = Octets { start: Some(start), filling, from: 0, end: Some(end) };
    let headers = [
        (CONTENT_TYPE, EvidenceService::Crl.media_type().to_owned()),
        (CACHE_CONTROL, "no-store".to_owned()),
        (CONTENT_LENGTH, len.to_string()),
    ];
    Ok((headers, Body::from_stream(stream)).into_response())
}

fn filling(question: &Question<'_>) -> Filling {
    let mut filling = Filling { count: 0, time: der::utc_time(question.now) };
    if let Some(EvidenceFault::Long { megabytes }) = question.fault {
        let entry = filling.entry(0).len() as u64;
        filling.count = u64::from(*megabytes) * 1_000_000 / entry;
    }
    filling
}

/// `revokedCertificates`, without its header
fn revoked(serial_numbers: &[Vec<u8>], time: u64, reason: Option<u8>) -> Vec<u8> {
    let reason = reason.map(|reason| {
        let reason = der::element(der::ENUMERATED, &[&[reason]]);
        der::sequence(&[&der::extension(REASON_CODE, &reason)])
    });
    let reason = reason.unwrap_or_default();
    let time = der::utc_time(time);
    let entries = serial_numbers.iter().flat_map(|serial_number| {
        der::sequence(&[&der::element(der::INTEGER, &[serial_number]), &time, &reason])
    });
    entries.collect()
}

/// The octets of a CRL, one piece after the other.
struct Octets {
    start: Option<Vec<u8>>,
    filling: Filling,
    /// The next filling entry
    from: u64,
    end: Option<Vec<u8>>,
}

impl Stream for Octets {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let piece = self.start.take().or_else(|| {
            let (octets, next) = self.filling.piece(self.from)?;
            self.from = next;
            Some(octets)
        });
        let piece = piece.or_else(|| self.end.take());
        Poll::Ready(piece.map(|octets| Ok(octets.into())))
    }
}
