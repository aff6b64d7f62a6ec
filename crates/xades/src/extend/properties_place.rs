//! The place of further unsigned properties in a signature, and the names of elements there.

use std::sync::Arc;

use ades_core::facts::TimeStampKind;
use ades_core::{DigestAlgorithm, Document};
use ades_evidence::VerifiedValues;

use crate::c14n::Target;
use crate::error::{Error, NotInsertable};
use crate::markup::Markup;
use crate::namespaces::{DS, XADES, XADES_141};
use crate::options::{Position, ReadingOptions};
use crate::report::{Problem, ReferenceKind, ReferenceReport, Report, SignatureReport};
use crate::verify::collect::{CollectedDocument, CollectedSignature};
use crate::verify::original::Original;
use crate::verify::signature::Signature;
use crate::verify::tree::Element;
use crate::xml::{Encoding, Limits};

use super::concern::may_concern;
use super::existing::check_existing_since;
use super::insertion::Insertion;
use super::known::{Known, KnownDocument};

/// The prefix of XAdES where the document's own cannot be used.
const OWN_PREFIX: &str = "xades";
/// The prefix of the later properties.
const LATER_PREFIX: &str = "xades141";

/// A signature in a document that has been read, and where its further unsigned properties go.
pub(crate) struct PropertiesPlace {
    pub(crate) known: Arc<Known>,
    /// The index of the signature in the document.
    pub(crate) index: usize,
    pub(crate) site: PropertiesSite,
}

/// Where further unsigned properties of a signature go: after all others, so that no earlier
/// archive time-stamp is over them.
#[derive(Clone, Debug)]
pub(crate) struct PropertiesSite {
    pub(crate) insertion: Insertion,
    /// Where the element around the insertion begins.
    pub(super) start: u64,
    /// Whether the insertion is its first child, instead of its last one.
    pub(super) is_first: bool,
    /// The local names of the elements around the properties that the signature does not
    /// have yet, outermost first.
    around: &'static [&'static str],
    /// The prefix of XAdES with its colon, if the document declares it there. Empty for the
    /// default namespace.
    pub(super) prefix: Option<String>,
    /// Whether an insertion changes nothing but the content of the elements around it: neither
    /// a document type declaration nor an unusual encoding or depth can give it another effect.
    pub(super) is_plain: bool,
}

impl PropertiesPlace {
    /// The place in a document that has a signature at `which` of its report. It is read, unless
    /// it is known.
    pub(crate) fn find(
        document: &mut Document<'_>,
        which: &[usize],
        algorithm: DigestAlgorithm,
        reading: &ReadingOptions,
        known: &KnownDocument,
    ) -> Result<Self, Error> {
        let known = match known.get(document, reading)? {
            Some(known) => known,
            None => Arc::new(Known::read(document, algorithm, reading, &[])?),
        };
        let index = known.collected.index(which);
        let index = index.ok_or_else(|| Error::NoSuchSignature { which: which.to_vec() })?;
        let site = PropertiesSite::new(&known, index)?;
        Ok(Self { known, index, site })
    }

    /// Checks that an insertion that contains `properties` breaks nothing: by what signatures and
    /// time-stamps are over, or, if that does not decide it, by verifying the document with the
    /// insertion. Returns the report of the signature.
    pub(crate) fn check(
        &self,
        document: &mut Document<'_>,
        which: &[usize],
        properties: impl FnOnce(&mut PropertiesMarkup<'_>),
        originals: &mut [Original<'_>],
        reading: &ReadingOptions,
        verified: &VerifiedValues,
    ) -> Result<SignatureReport, Error> {
        let read;
        let before = match &self.known.report {
            Some(report) => report,
            None => {
                (read, _) = self.known.verify(document, originals, verified, None, None)?;
                &read
            }
        };
        let report = report_of(before, which);
        let report = report.ok_or_else(|| Error::NoSuchSignature { which: which.to_vec() })?;
        if report.intact == Some(false) {
            return Err(Error::NotIntact { which: which.to_vec() });
        }
        // Whatever its type says: older programs wrote the type of another version.
        let covers_properties = |reference: &ReferenceReport| {
            reference.kind == ReferenceKind::SignedProperties
                && reference.left_out.is_empty()
                && !reference.text_only
        };
        if !report.references.iter().any(covers_properties) {
            return Err(Error::CannotInsert { why: NotInsertable::PropertiesNotSigned });
        }
        let site = &self.site;
        if !site.is_plain
            || may_concern(site.insertion.offset, &self.known.collected, before, reading)
        {
            let inserted = site.octets(properties)?;
            let insertion = (&site.insertion, inserted.as_slice());
            check_existing_since(before, document, insertion, reading, verified)?;
        }
        Ok(report.clone())
    }
}

impl PropertiesSite {
    /// The place in the signature with this index.
    pub(crate) fn new(known: &Known, index: usize) -> Result<Self, Error> {
        let Known { collected, facts, source, .. } = known;
        let cannot = |why| Error::CannotInsert { why };
        let found = collected.signatures.get(index);
        let found = found.ok_or_else(|| cannot(NotInsertable::SignatureMalformed))?;
        let (position, around) = place(found)?;
        check_around(collected, found)?;
        let (start, is_first) = match position {
            Position::FirstIn(Target::At(start)) => (start, true),
            Position::LastIn(Target::At(start)) => (start, false),
            _ => return Err(cannot(NotInsertable::SignatureMalformed)),
        };
        let site = collected.site(start, facts);
        let (site, depth) = site.ok_or_else(|| cannot(NotInsertable::SignatureMalformed))?;
        let insertion = super::insertion(&site, source.length, &position)?;
        // The prefix of the element around the properties is that of XAdES. A document type
        // declaration may declare attributes for elements that have it.
        let own = site.name.rsplit_once(':').map_or("", |(prefix, _)| prefix);
        let prefix = match own {
            LATER_PREFIX => None,
            _ if site.has_doctype => None,
            "" => Some(String::new()),
            own => Some(format!("{own}:")),
        };
        let is_plain = !site.has_doctype
            && site.encoding == Encoding::Utf8
            && depth < Limits::DEFAULT.depth / 2;
        Ok(Self { insertion, start, is_first, around, prefix, is_plain })
    }

    /// The octets to be inserted for these properties.
    pub(crate) fn octets(
        &self,
        properties: impl FnOnce(&mut PropertiesMarkup<'_>),
    ) -> Result<Vec<u8>, Error> {
        self.insertion.octets(&self.markup(properties))
    }

    /// These properties, with the elements around them that the signature does not have.
    pub(crate) fn markup(&self, properties: impl FnOnce(&mut PropertiesMarkup<'_>)) -> String {
        let mut markup = PropertiesMarkup {
            markup: Markup::default(),
            prefix: self.prefix.as_deref(),
            depth: 0,
        };
        self.around.iter().for_each(|name| markup.open(name));
        properties(&mut markup);
        self.around.iter().for_each(|_| markup.close());
        markup.markup.take()
    }
}

/// The report of the signature at these indices.
fn report_of<'r>(report: &'r Report, which: &[usize]) -> Option<&'r SignatureReport> {
    let (first, rest) = which.split_first()?;
    let first = report.signatures.get(*first)?;
    rest.iter().try_fold(first, |around, at| around.countersignatures.get(*at))
}

/// Where further unsigned properties of a signature go, and which elements around them it
/// does not have.
fn place(found: &CollectedSignature) -> Result<(Position, &'static [&'static str]), Error> {
    let cannot = |why| Err(Error::CannotInsert { why });
    if found.in_entity {
        return cannot(NotInsertable::InEntity);
    }
    let Some(signature) = Signature::read(&found.element) else {
        return cannot(NotInsertable::SignatureMalformed);
    };
    let has = |problem| signature.qualifying.problems.contains(&problem);
    let Some(qualifying) = signature.qualifying.element else {
        return cannot(if has(Problem::UnknownVersion) {
            NotInsertable::UnknownVersion
        } else if has(Problem::QualifyingPropertiesRepeated) {
            NotInsertable::QualifyingPropertiesRepeated
        } else {
            NotInsertable::NoQualifyingProperties
        });
    };
    let last_in = |element: &Element| Position::LastIn(Target::At(element.place.start));
    let Some(unsigned) = qualifying.child(XADES, "UnsignedProperties") else {
        let around = &["UnsignedProperties", "UnsignedSignatureProperties"];
        return Ok((last_in(qualifying), around));
    };
    Ok(match unsigned.child(XADES, "UnsignedSignatureProperties") {
        Some(properties) => (last_in(properties), &[]),
        // They precede the properties of data objects (EN 319 132-1, 4.3.3).
        None => {
            let first = Position::FirstIn(Target::At(unsigned.place.start));
            (first, &["UnsignedSignatureProperties"])
        }
    })
}

/// Checks that no archive time-stamp of a signature around this one is over it. Their
/// imprints may be of a form that this version cannot compare.
fn check_around(collected: &CollectedDocument, found: &CollectedSignature) -> Result<(), Error> {
    let mut within = found.within;
    while let Some(around) = within.and_then(|index| collected.signatures.get(index)) {
        within = around.within;
        let Some(signature) = Signature::read(&around.element) else { continue };
        let properties = signature.qualifying.element.map(|element| element.place.clone());
        let is_after = |stamp: u64| {
            let place = &found.element.place;
            stamp < place.start && properties.as_ref().is_some_and(|all| all.contains(&place.start))
        };
        let mut archives =
            signature.time_stamps.iter().filter(|stamp| stamp.kind == TimeStampKind::Archive);
        if !archives.all(|stamp| is_after(stamp.place.start)) {
            return Err(Error::BreaksTimeStamp);
        }
    }
    Ok(())
}

/// Writes unsigned properties with the prefix that the document uses for XAdES, if it can.
pub(crate) struct PropertiesMarkup<'p> {
    markup: Markup,
    prefix: Option<&'p str>,
    /// The number of open elements.
    depth: usize,
}

impl PropertiesMarkup<'_> {
    fn open(&mut self, local_name: &str) {
        let name = self.name(local_name);
        self.markup.open(&name, self.declaration());
        self.depth += 1;
    }

    fn close(&mut self) {
        self.markup.close();
        self.depth -= 1;
    }

    fn name(&self, local_name: &str) -> String {
        match self.prefix {
            Some(prefix) => format!("{prefix}{local_name}"),
            None => format!("{OWN_PREFIX}:{local_name}"),
        }
    }

    /// The declaration of the own prefix, on the outermost element.
    const fn declaration(&self) -> &'static [(&'static str, &'static str)] {
        if self.prefix.is_none() && self.depth == 0 { &[("xmlns:xades", XADES)] } else { &[] }
    }

    /// Writes an element of XAdES 1.3.2.
    pub(crate) fn element(&mut self, local_name: &str, content: impl FnOnce(&mut Self)) {
        self.open(local_name);
        content(self);
        self.close();
    }

    /// Writes an element of XAdES 1.4.1.
    pub(crate) fn later_element(&mut self, local_name: &str, content: impl FnOnce(&mut Self)) {
        let mut attributes = vec![("xmlns:xades141", XADES_141)];
        attributes.extend(self.declaration());
        self.markup.open(&format!("{LATER_PREFIX}:{local_name}"), &attributes);
        self.depth += 1;
        content(self);
        self.close();
    }

    /// Writes an element of XAdES 1.3.2 with base64 text.
    pub(crate) fn octets(&mut self, local_name: &str, octets: &[u8]) {
        self.element(local_name, |markup| {
            markup.markup.raw(&ades_core::base64::encode(octets));
        });
    }

    /// Writes `ds:CanonicalizationMethod`.
    pub(crate) fn canonicalization_method(&mut self, uri: &str) {
        let attributes = [("xmlns:ds", DS), ("Algorithm", uri)];
        self.markup.leaf("ds:CanonicalizationMethod", &attributes, "");
    }
}
