//! Writing `ds:Reference` (XML Signature, clause 4.4.3).

use ades_core::{Digest, base64};

use crate::c14n::Canonicalization;
use crate::markup::Markup;
use crate::namespaces::{BASE64, DS, ENVELOPED, EXCLUSIVE, XPATH};

/// A reference whose digest is known.
#[derive(Clone, Debug)]
pub(crate) struct NewReference {
    pub(crate) id: Option<String>,
    /// The `Type` attribute.
    pub(crate) kind: Option<&'static str>,
    pub(crate) uri: String,
    pub(crate) transforms: Vec<NewTransform>,
    pub(crate) digest: Digest,
}

/// A transform of a new reference.
#[derive(Clone, Debug)]
pub(crate) enum NewTransform {
    /// Leaves out the signature itself.
    Enveloped,
    /// Leaves out all signatures.
    WithoutSignatures,
    Canonical(Canonicalization),
    Base64,
}

impl NewReference {
    pub(crate) fn write(&self, markup: &mut Markup) {
        let mut attributes = Vec::new();
        attributes.extend(self.id.as_deref().map(|id| ("Id", id)));
        attributes.extend(self.kind.map(|kind| ("Type", kind)));
        attributes.push(("URI", &self.uri));
        markup.element("ds:Reference", &attributes, |markup| {
            if !self.transforms.is_empty() {
                markup.element("ds:Transforms", &[], |markup| {
                    self.transforms.iter().for_each(|transform| transform.write(markup));
                });
            }
            write_digest(markup, &self.digest);
        });
    }
}

impl NewTransform {
    fn write(&self, markup: &mut Markup) {
        let algorithm = match self {
            Self::Enveloped => ENVELOPED,
            Self::WithoutSignatures => XPATH,
            Self::Canonical(method) => method.uri(),
            Self::Base64 => BASE64,
        };
        markup.element("ds:Transform", &[("Algorithm", algorithm)], |markup| match self {
            Self::WithoutSignatures => {
                let expression = "not(ancestor-or-self::ds:Signature)";
                markup.leaf("ds:XPath", &[("xmlns:ds", DS)], expression);
            }
            Self::Canonical(method) => {
                if let Some(prefixes) = method.prefix_list() {
                    let attributes = [("xmlns:ec", EXCLUSIVE), ("PrefixList", prefixes.as_str())];
                    markup.leaf("ec:InclusiveNamespaces", &attributes, "");
                }
            }
            Self::Enveloped | Self::Base64 => {}
        });
    }
}

/// Writes `ds:DigestMethod` and `ds:DigestValue`.
pub(crate) fn write_digest(markup: &mut Markup, digest: &Digest) {
    markup.leaf("ds:DigestMethod", &[("Algorithm", digest.algorithm().xml_uri())], "");
    markup.leaf("ds:DigestValue", &[], &base64::encode(digest.value()));
}
