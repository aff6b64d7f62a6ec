//! `SignatureAttributes`: what the signer claims, and the time-stamps.

use ades_core::facts::TimeStampKind;
use serde_json::Value;

use super::markup::Xml;
use super::objects::stamp_id;
use crate::verdict::{Verdict, time};

const SIGNED: [(&str, &str); 1] = [("Signed", "true")];
/// Entries of a PDF's signature dictionary: the keys in the report of the format, and the
/// elements.
const ENTRIES: [(&str, &str, &str); 4] = [
    ("reason", "Reason", "ReasonElement"),
    ("name", "Name", "NameElement"),
    ("contact", "ContactInfo", "ContactInfoElement"),
    ("sub_filter", "SubFilter", "SubFilterElement"),
];

/// Writes the attributes. The schema does not allow an empty list.
pub(super) fn write(xml: &mut Xml, verdict: &Verdict) {
    let stamps = || verdict.time_stamps().filter(|stamp| stamp.time.is_some());
    let entries = || {
        let text = |key| verdict.details.get(key).and_then(Value::as_str);
        ENTRIES.iter().filter_map(move |(key, outer, inner)| Some((*outer, *inner, text(*key)?)))
    };
    let is_empty =
        verdict.claimed_time.is_none() && stamps().next().is_none() && entries().next().is_none();
    if is_empty {
        return;
    }
    xml.element("SignatureAttributes", |xml| {
        if let Some(claimed) = verdict.claimed_time {
            xml.element_with("SigningTime", &SIGNED, |xml| xml.leaf("Time", &time(claimed)));
        }
        for (outer, inner, text) in entries() {
            xml.element_with(outer, &SIGNED, |xml| xml.leaf(inner, text));
        }
        let range = verdict.details.get("byte_range").and_then(Value::as_array);
        if let Some(range) = range {
            let numbers: Vec<String> = range.iter().map(Value::to_string).collect();
            xml.leaf("ByteRange", &numbers.join(" "));
        }
        for stamp in stamps() {
            let (name, signed) = element_of(stamp.kind);
            xml.element_with(name, &[("Signed", signed)], |xml| {
                xml.reference("AttributeObject", &stamp_id(stamp));
                xml.leaf("TimeStampValue", &stamp.time.map(time).unwrap_or_default());
            });
        }
    });
}

/// The element of a kind of time-stamp, and whether it is a signed attribute.
const fn element_of(kind: TimeStampKind) -> (&'static str, &'static str) {
    match kind {
        TimeStampKind::Content => ("AllDataObjectsTimeStamp", "true"),
        TimeStampKind::Signature => ("SignatureTimeStamp", "false"),
        TimeStampKind::SignatureAndReferences => ("SigAndRefsTimeStamp", "false"),
        TimeStampKind::References => ("RefsOnlyTimeStamp", "false"),
        TimeStampKind::Document => ("DocTimeStamp", "false"),
        _ => ("ArchiveTimeStamp", "false"),
    }
}
