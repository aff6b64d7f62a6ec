//! Time-stamps (EN 319 132-1, 5.2.8, 5.3, 5.5 and annex A): their tokens, and the parts of
//! the document that they are over.

use std::ops::Range;

use ades_core::DigestAlgorithm;
use ades_core::facts::{ImprintUndecided, TimeStampKind};
use ades_evidence::TimeStampPurpose;
use ades_evidence::token::Token;

use crate::c14n::{Canonicalization, IdAttributes, Selection};
use crate::namespaces::{DS, SIGNED_PROPERTIES, XADES, XADES_141};

use super::evaluate::{Dereferenced, dereference};
use super::signature::{Reference, Signature};
use super::transform::{Plan, with_prefix_list};
use super::tree::Element;

/// Maximum number of tokens in one property.
const MAX_TOKENS: usize = 16;

/// A time-stamp property.
#[derive(Debug)]
pub(crate) struct TimeStamp {
    pub(crate) kind: TimeStampKind,
    form: Form,
    /// Its tokens, as they are stored.
    pub(crate) tokens: Vec<Vec<u8>>,
    /// Whether there are more tokens, or tokens that are not base64.
    pub(crate) unreadable: usize,
    /// The digest algorithms of the imprints, each once.
    pub(crate) algorithms: Vec<DigestAlgorithm>,
    /// The canonicalisation of what it is over. `None` if it is unknown.
    method: Option<Canonicalization>,
    /// The place of the property.
    pub(crate) place: Range<u64>,
}

/// How the octets that it is over are made.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    /// From the data objects that these Ids of references name. `None`: from all.
    Data(Option<Vec<String>>),
    Signature,
    SignatureAndReferences,
    References,
    Archive,
    /// The archive time-stamp of TS 101 903 V1.3.2, 7.7.1.
    OldArchive,
    /// Parts are named one by one, or it is an unknown version.
    Unsupported,
}

/// A part of the octets that a time-stamp is over.
pub(crate) enum Part<'e> {
    SameDocument {
        plan: Box<Plan>,
        /// The places of the elements of the signature that it is over. Empty if it is the output
        /// of a reference.
        elements: Vec<Range<u64>>,
    },
    External(&'e Reference<'e>, Canonicalization),
}

impl Part<'_> {
    /// Whether it is in the document.
    pub(crate) const fn is_within(&self) -> bool {
        matches!(self, Self::SameDocument { .. })
    }
}

impl TimeStamp {
    /// Reads a property, if it is a time-stamp.
    pub(crate) fn read(property: &Element) -> Option<Self> {
        if property.namespace != XADES && property.namespace != XADES_141 {
            return None;
        }
        let is_new = property.namespace == XADES_141;
        let includes: Vec<&Element> = property.all(XADES, "Include").collect();
        let (kind, form) = match property.local_name.as_str() {
            "AllDataObjectsTimeStamp" => (TimeStampKind::Content, Form::Data(None)),
            "IndividualDataObjectsTimeStamp" => {
                let ids = includes.iter().map(|include| included(include)).collect();
                (TimeStampKind::Content, Form::Data(Some(ids)))
            }
            "SignatureTimeStamp" => (TimeStampKind::Signature, Form::Signature),
            "SigAndRefsTimeStamp" | "SigAndRefsTimeStampV2" => {
                (TimeStampKind::SignatureAndReferences, Form::SignatureAndReferences)
            }
            "RefsOnlyTimeStamp" | "RefsOnlyTimeStampV2" => {
                (TimeStampKind::References, Form::References)
            }
            "ArchiveTimeStamp" if is_new => (TimeStampKind::Archive, Form::Archive),
            "ArchiveTimeStamp" => (TimeStampKind::Archive, Form::OldArchive),
            _ => return None,
        };
        let is_individual = matches!(form, Form::Data(Some(_)));
        // The parts of the form that is not distributed are implied (clause 5.1.4.2).
        let form = if includes.is_empty() == is_individual { Form::Unsupported } else { form };
        let method = match property.child(DS, "CanonicalizationMethod") {
            Some(method) => method
                .attribute("Algorithm")
                .and_then(|uri| Canonicalization::from_uri(uri).ok())
                .map(|found| with_prefix_list(found, method)),
            None => Some(Canonicalization::C14N_1_0),
        };
        let all = property.all(XADES, "EncapsulatedTimeStamp");
        let tokens: Vec<Vec<u8>> = all
            .clone()
            .take(MAX_TOKENS)
            .filter(|one| !one.cut)
            .filter_map(Element::octets)
            .collect();
        let mut algorithms = Vec::new();
        for token in &tokens {
            let imprint = Token::read(token).and_then(|token| token.imprint);
            let algorithm = imprint.map(|imprint| imprint.algorithm());
            algorithms.extend(algorithm.filter(|algorithm| !algorithms.contains(algorithm)));
        }
        let unreadable = all.count() - tokens.len() + usize::from(property.cut);
        let place = property.place.clone();
        Some(Self { kind, form, tokens, unreadable, algorithms, method, place })
    }

    /// A time-stamp that does not exist yet, in octets at this offset. `None` for a purpose
    /// that XAdES has no property for.
    pub(crate) fn foreseen(
        purpose: TimeStampPurpose,
        algorithm: DigestAlgorithm,
        method: Canonicalization,
        offset: u64,
    ) -> Option<Self> {
        let (kind, form) = match purpose {
            TimeStampPurpose::Signature => (TimeStampKind::Signature, Form::Signature),
            TimeStampPurpose::Archive => (TimeStampKind::Archive, Form::Archive),
            _ => return None,
        };
        Some(Self {
            kind,
            form,
            tokens: Vec::new(),
            unreadable: 0,
            algorithms: vec![algorithm],
            method: Some(method),
            place: offset..offset,
        })
    }

    /// Whether it is an archive time-stamp of the baseline.
    pub(crate) fn is_archive(&self) -> bool {
        self.form == Form::Archive
    }

    /// The parts of the octets that it is over, in order.
    ///
    /// # Errors
    /// Why they are not known.
    pub(crate) fn parts<'e>(
        &self,
        signature: &'e Signature<'e>,
        ids: &IdAttributes,
    ) -> Result<Vec<Part<'e>>, ImprintUndecided> {
        let method = self.method.as_ref().ok_or(ImprintUndecided::UnsupportedForm)?;
        let part = |elements: Vec<Range<u64>>| {
            let starts = elements.iter().map(|place| place.start).collect();
            let plan = Plan::Canonical(Selection::elements_at(starts), method.clone()).into();
            Part::SameDocument { plan, elements }
        };
        let all_of = |groups: Vec<Vec<Range<u64>>>| {
            groups.into_iter().filter(|places| !places.is_empty()).map(part).collect::<Vec<_>>()
        };
        let own = || signature.value_place.clone();
        let before = || signature.qualifying.unsigned.iter().filter(|p| self.is_after(p));
        let references = |with_value: bool| {
            let found = before().filter(move |p| is_stamped_reference(p, with_value));
            found.map(|property| property.place.clone())
        };
        match &self.form {
            Form::Data(named) => {
                let data = signature
                    .signed_info
                    .references
                    .iter()
                    .filter(|reference| reference.kind != Some(SIGNED_PROPERTIES));
                let data: Vec<&Reference<'_>> = match named {
                    None => data.collect(),
                    Some(named) => {
                        let of_id = |id: &String| {
                            data.clone().find(|reference| reference.id == Some(id.as_str()))
                        };
                        let found: Option<Vec<_>> = named.iter().map(of_id).collect();
                        found.ok_or(ImprintUndecided::DataMissing)?
                    }
                };
                data.into_iter().map(|one| of_reference(one, signature, method, ids)).collect()
            }
            Form::Signature => Ok(all_of(vec![vec![own()]])),
            Form::SignatureAndReferences => {
                Ok(all_of(vec![vec![own()], references(true).collect()]))
            }
            Form::References => Ok(all_of(vec![references(false).collect()])),
            Form::Archive | Form::OldArchive => {
                let all = signature.signed_info.references.iter();
                let mut parts = all
                    .map(|one| of_reference(one, signature, method, ids))
                    .collect::<Result<Vec<_>, _>>()?;
                let children = &signature.element.children;
                let named = |name| children.iter().filter(move |child| child.is(DS, name));
                let places = |name| named(name).map(|child| child.place.clone()).collect();
                let objects = named("Object").filter(|object| {
                    !signature.holds_properties(object)
                        && (self.form == Form::Archive || !signature.refers_to(object))
                });
                parts.extend(all_of(vec![
                    places("SignedInfo"),
                    places("SignatureValue"),
                    places("KeyInfo"),
                    before().map(|property| property.place.clone()).collect(),
                    objects.map(|object| object.place.clone()).collect(),
                ]));
                Ok(parts)
            }
            Form::Unsupported => Err(ImprintUndecided::UnsupportedForm),
        }
    }

    /// Whether a wrong imprint may be a matter of how its form is understood.
    pub(crate) fn is_uncertain(&self) -> bool {
        self.form == Form::OldArchive
    }

    /// Whether the property is before this one.
    pub(crate) fn is_after(&self, property: &Element) -> bool {
        property.place.start < self.place.start
    }
}

/// The Id of the reference that an `xades:Include` names; empty for other things.
fn included(include: &Element) -> String {
    let uri = include.attribute("URI").and_then(|uri| uri.strip_prefix('#'));
    let is_output = include.attribute("referencedData") == Some("true");
    uri.filter(|_| is_output).unwrap_or_default().to_owned()
}

/// Whether a property is in the octets of a time-stamp over references (annex A.1.5).
pub(super) fn is_stamped_reference(property: &Element, with_stamps: bool) -> bool {
    match property.local_name.as_str() {
        "SignatureTimeStamp" => with_stamps,
        "CompleteCertificateRefs"
        | "CompleteCertificateRefsV2"
        | "CompleteRevocationRefs"
        | "AttributeCertificateRefs"
        | "AttributeCertificateRefsV2"
        | "AttributeRevocationRefs" => true,
        _ => false,
    }
}

/// The output of a reference. Nodes are made octets of by the method of the time-stamp
/// (clause 5.1.4.4.1).
fn of_reference<'e>(
    reference: &'e Reference<'e>,
    signature: &Signature<'_>,
    method: &Canonicalization,
    ids: &IdAttributes,
) -> Result<Part<'e>, ImprintUndecided> {
    match dereference(reference, signature.element, ids, method) {
        // What is parsed again is not supported here.
        Dereferenced::SameDocument { chain, .. } if chain.then.is_empty() => {
            Ok(Part::SameDocument { plan: chain.first.into(), elements: Vec::new() })
        }
        Dereferenced::External => Ok(Part::External(reference, method.clone())),
        Dereferenced::SameDocument { .. } | Dereferenced::Failed(_) => {
            Err(ImprintUndecided::UnsupportedForm)
        }
    }
}
