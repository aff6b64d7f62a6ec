//! Decides from what signatures and time-stamps are over whether an insertion can concern them.

use std::iter;
use std::ops::Range;

use crate::c14n::Canonicalization;
use crate::namespaces::{BASE64, DS, ENVELOPED, XPATH};
use crate::options::ReadingOptions;
use crate::report::{Place, ReferenceReport, Report, SignatureReport};
use crate::verify::collect::CollectedDocument;
use crate::verify::signature::{Reference, Signature};
use crate::verify::time_stamp::Part;
use crate::verify::tree::Element;

use super::existing::{flatten, is_in_document};

/// The name of the attributes that elements of new properties have. None is an Id.
const ATTRIBUTE: (&str, &str) = ("", "Algorithm");

/// Whether properties that are inserted at this octet may change what a signature or a time-stamp
/// is over, or the meaning of an Id. `true` also if that is not decided here: the insertion then has
/// to be tried.
///
/// The octets that an element with a place around the insertion is made to depend on it, all others
/// do not: the new properties have no Ids, and all elements keep their names, attributes and
/// namespaces. So only the places count, unless an expression selects nodes one by one: the usual
/// expression leaves out all signatures, and any other is tried.
pub(super) fn may_concern(
    offset: u64,
    collected: &CollectedDocument,
    report: &Report,
    reading: &ReadingOptions,
) -> bool {
    if reading.ids.names().any(|name| name == ATTRIBUTE) {
        return true;
    }
    let mut reports = Vec::new();
    flatten(&report.signatures, &mut reports);
    let signatures = collected.read_signatures();
    signatures.iter().flatten().any(|signature| {
        let own = Place::new(&signature.element.place);
        let report = reports.iter().find(|report| report.place == own);
        report.is_none_or(|report| concerns(offset, signature, report, reading))
    })
}

/// Whether it may concern this signature.
fn concerns(
    offset: u64,
    signature: &Signature<'_>,
    report: &SignatureReport,
    reading: &ReadingOptions,
) -> bool {
    let contains = |place: &Range<u64>| place.start < offset && offset < place.end;
    let stamped = |part: Part<'_>| match part {
        Part::SameDocument { elements, .. } => elements.iter().any(contains),
        Part::External(..) => false,
    };
    // The outputs of references that a time-stamp is over are those of the references below.
    let parts = signature.time_stamps.iter().flat_map(|stamp| stamp.parts(signature, &reading.ids));
    let elements = signature.signed_info.references.iter().map(Some).chain(iter::repeat(None));
    contains(&signature.signed_info.element.place)
        || report.references.iter().zip(elements).any(|(one, own)| refers_to(offset, one, own))
        || parts.flatten().any(stamped)
}

/// Whether a reference, or one of the manifest that it refers to, may be to what is inserted.
/// `element` is the reference itself.
fn refers_to(offset: u64, reference: &ReferenceReport, element: Option<&Reference<'_>>) -> bool {
    let contains = |place: &Place| place.from < offset && offset < place.to;
    let was_digested = reference.intact.is_some() || reference.undecided.is_some();
    let is_selected = || reference.covers.iter().any(|part| contains(&part.place));
    // The elements inside text that is decoded are listed as left out, but their text is not.
    let is_left_out = || !reference.text_only && reference.left_out.iter().any(contains);
    let is_concerned = || match nodes(reference, element) {
        _ if !was_digested => true,
        Nodes::Elements => reference.more || is_selected() && !is_left_out(),
        // The insertion is in one.
        Nodes::OutsideSignatures => false,
        Nodes::Unknown => true,
    };
    is_in_document(reference) && is_concerned()
        || reference.manifest.iter().any(|inner| refers_to(offset, inner, None))
}

/// The nodes that transforms select.
enum Nodes {
    /// Whole elements, with all in them that is not in a left-out one.
    Elements,
    /// None in any signature.
    OutsideSignatures,
    Unknown,
}

/// The nodes that the transforms of a reference select. What they make is not parsed again.
fn nodes(reference: &ReferenceReport, element: Option<&Reference<'_>>) -> Nodes {
    let makes_octets = |uri: &str| uri == BASE64 || Canonicalization::from_uri(uri).is_ok();
    let all = reference.transforms.as_slice();
    let selecting = match all.split_last() {
        Some((last, before)) if makes_octets(last) => before,
        _ => all,
    };
    let elements = element.and_then(|reference| reference.transforms);
    let elements = elements.map(|all| all.children.as_slice()).unwrap_or_default();
    let mut nodes = Nodes::Elements;
    for (at, uri) in selecting.iter().enumerate() {
        if elements.get(at).is_some_and(leaves_out_signatures) {
            nodes = Nodes::OutsideSignatures;
        } else if uri != ENVELOPED {
            return Nodes::Unknown;
        }
    }
    nodes
}

/// Whether a transform is the expression that leaves out all signatures, as [parallel
/// signatures](crate::SignatureOptions::parallel) have it.
fn leaves_out_signatures(transform: &Element) -> bool {
    let xpath =
        transform.only(DS, "XPath").filter(|_| transform.attribute("Algorithm") == Some(XPATH));
    let prefix = |text: &str| {
        let name = text.strip_prefix("not(ancestor-or-self::")?.strip_suffix(":Signature)")?;
        (!name.contains([':', '/', '(', ')'])).then(|| name.to_owned())
    };
    xpath.is_some_and(|xpath| {
        let prefix = prefix(xpath.token());
        let declared = xpath.prefixes.iter().find(|(own, _)| Some(own) == prefix.as_ref());
        declared.is_some_and(|(_, namespace)| namespace == DS)
    })
}

#[cfg(test)]
mod tests {
    use ades_core::{DigestAlgorithm, Document};
    use ades_evidence::VerifiedValues;

    use super::super::existing::check_existing;
    use super::super::known::Known;
    use super::super::properties_place::PropertiesSite;
    use super::*;
    use crate::error::Error;
    use crate::namespaces::{FILTER2, XADES};

    /// What the other signature is beside the raised one.
    const PLACES: [&str; 5] = ["before", "after", "around", "inside", "elsewhere"];
    const URIS: [&str; 16] = [
        "",
        "#root",
        "#data",
        "#part",
        "#s",
        "#s-info",
        "#s-value",
        "#s-object",
        "#s-qualifying",
        "#s-signed",
        "#t",
        "#t-object",
        "#xpointer(/)",
        "#xpointer(id('s'))",
        "#nothing",
        "other.xml",
    ];

    fn transforms() -> Vec<(&'static str, String)> {
        let of = |algorithm: &str, content: &str| {
            format!("<ds:Transform Algorithm='{algorithm}'>{content}</ds:Transform>")
        };
        let c14n = of(Canonicalization::C14N_1_0.uri(), "");
        let exclusive = of(Canonicalization::EXCLUSIVE.uri(), "");
        let xpath = |text: &str| of(XPATH, &format!("<ds:XPath>{text}</ds:XPath>"));
        let subtract = |text: &str| {
            of(FILTER2, &format!("<f:XPath xmlns:f='{FILTER2}' Filter='subtract'>{text}</f:XPath>"))
        };
        vec![
            ("none", String::new()),
            ("enveloped", of(ENVELOPED, "")),
            ("enveloped, c14n", of(ENVELOPED, "") + &exclusive),
            ("twice", c14n.clone() + &exclusive),
            ("base64", of(BASE64, "")),
            ("c14n, base64", c14n.clone() + &of(BASE64, "")),
            ("no signatures", xpath("not(ancestor-or-self::ds:Signature)")),
            ("no properties", xpath("not(ancestor-or-self::x:UnsignedProperties)")),
            ("only text", xpath("self::text()")),
            ("subtract", subtract("//ds:Signature") + &c14n),
            ("subtract here", subtract("here()/ancestor::ds:Signature[1]")),
            ("unknown", of("urn:unknown", "")),
        ]
    }

    /// A document with the signature `s`, and `t`, which refers to something. Its digest algorithm is
    /// unknown, so that no octet of what it refers to may change.
    fn document(place: &str, uri: &str, transforms: &str, unsigned: &str) -> String {
        let signature = |id: &str, reference: &str, object: &str| {
            format!(
                "<ds:Signature Id='{id}'><ds:SignedInfo Id='{id}-info'><ds:CanonicalizationMethod \
                 Algorithm='{}'/><ds:SignatureMethod Algorithm='urn:unknown'/>{reference}\
                 </ds:SignedInfo><ds:SignatureValue Id='{id}-value'>AAAA</ds:SignatureValue>\
                 <ds:Object Id='{id}-object'>{object}</ds:Object></ds:Signature>",
                Canonicalization::EXCLUSIVE.uri(),
            )
        };
        let reference = |uri: &str, transforms: &str| {
            format!(
                "<ds:Reference URI='{uri}'><ds:Transforms>{transforms}</ds:Transforms><ds:DigestMethod \
                 Algorithm='urn:unknown'/><ds:DigestValue>AAAA</ds:DigestValue></ds:Reference>"
            )
        };
        let uri = uri.replace('\'', "&apos;");
        let t = |object: &str| signature("t", &reference(&uri, transforms), object);
        let s = |more: &str| {
            let properties = format!(
                "<x:QualifyingProperties Id='s-qualifying'><x:SignedProperties Id='s-signed'/>\
                 <x:UnsignedProperties>{unsigned}{more}</x:UnsignedProperties>\
                 </x:QualifyingProperties>"
            );
            signature("s", &reference("#s-signed", ""), &properties)
        };
        let part = |content: &str| format!("<part Id='part'>{content}</part>");
        let content = match place {
            "before" => t("") + &part(&s("")),
            "after" => part(&s("")) + &t(""),
            "around" => part(&t(&s(""))),
            "inside" => {
                let counter = format!("<x:CounterSignature>{}</x:CounterSignature>", t(""));
                let all = "x:UnsignedSignatureProperties";
                part(&s(&format!("<{all}>{counter}</{all}>")))
            }
            _ => s("") + &part(&t("")),
        };
        format!(
            "<r Id='root' xmlns:ds='{DS}' xmlns:x='{XADES}'><data Id='data'>AAAA</data>{content}</r>"
        )
    }

    /// Whether an insertion into the signature `s` may concern the other one, and what trying it
    /// shows.
    fn decided_and_tried(text: &str, reading: &ReadingOptions) -> (bool, Result<(), Error>) {
        let verified = VerifiedValues::new();
        let document = &mut Document::from_bytes(text.as_bytes());
        let known = Known::read(document, DigestAlgorithm::Sha256, reading, &[]).unwrap();
        let (report, _) = known.verify(document, &mut [], &verified, None, None).unwrap();
        let is_s =
            |found: &crate::verify::collect::CollectedSignature| found.element.id() == Some("s");
        let index = known.collected.signatures.iter().position(is_s).unwrap();
        let site = PropertiesSite::new(&known, index).unwrap();
        let inserted = site.octets(|markup| markup.element("CertificateValues", |_| {})).unwrap();
        let concerns = may_concern(site.insertion.offset, &known.collected, &report, reading);
        (concerns, check_existing(document, &site.insertion, &inserted, reading))
    }

    #[test]
    fn what_is_decided_is_what_trying_shows() {
        let (mut decided, mut broken) = (0, 0);
        for place in PLACES {
            for uri in URIS {
                for (name, transforms) in transforms() {
                    for unsigned in ["", "<x:UnsignedSignatureProperties/>"] {
                        if place == "inside" && !unsigned.is_empty() {
                            continue;
                        }
                        let document = document(place, uri, &transforms, unsigned);
                        let (concerns, tried) =
                            decided_and_tried(&document, &ReadingOptions::default());
                        let what = format!("{place} {uri:?} {name}: {tried:?}\n{document}");
                        assert!(concerns || tried.is_ok(), "{what}");
                        decided += usize::from(!concerns);
                        broken += usize::from(tried.is_err());
                    }
                }
            }
        }
        assert!(decided > 400 && broken > 400, "{decided} decided, {broken} broken");
    }

    #[test]
    fn usual_references_decide() {
        let (parallel, enveloped) = (transforms().remove(6).1, transforms().remove(2).1);
        for (place, uri, transforms, concerns) in [
            ("after", "#data", "", false),
            ("after", "", enveloped.as_str(), true),
            ("before", "#part", "", true),
            ("elsewhere", "#part", "", false),
            ("elsewhere", "", enveloped.as_str(), true),
            ("around", "", enveloped.as_str(), false),
            ("around", "#t-object", "", true),
            ("inside", "#s-value", "", false),
            ("inside", "#s", "", true),
            ("inside", "#s", enveloped.as_str(), true),
            ("after", "#s-signed", "", false),
            ("after", "#s-object", "", true),
            ("after", "other.xml", "", false),
            ("after", "", parallel.as_str(), false),
            ("inside", "#s", parallel.as_str(), false),
        ] {
            let document = document(place, uri, transforms, "");
            let (decided, tried) = decided_and_tried(&document, &ReadingOptions::default());
            let what = format!("{place} {uri:?}: {tried:?}\n{document}");
            assert_eq!((decided, tried.is_ok()), (concerns, !concerns), "{what}");
        }
    }

    #[test]
    fn attributes_of_new_properties_may_be_ids() {
        let document = document("after", "#data", "", "");
        let mut reading = ReadingOptions::default();
        assert!(!decided_and_tried(&document, &reading).0);
        reading.ids = reading.ids.and("", "Algorithm");
        assert!(decided_and_tried(&document, &reading).0);
    }
}
