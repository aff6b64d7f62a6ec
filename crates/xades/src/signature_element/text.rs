//! The text of a signature: the parts that are signed, and the text around them.
//!
//! *prepare* writes it. *complete* takes a stored text apart and writes it again, because a
//! stored state may have been changed, and a digest covers only the signed parts.

use ades_core::CertificateChain;

use crate::markup::Markup;
use crate::namespaces::{BASE64, DS, XADES};

use super::key_info::KeyInfo;

/// The end tags after the content of an enveloping signature.
pub(crate) const END_TAGS: &str = "</ds:Object></ds:Signature>";

const SIGNATURE: &str = "<ds:Signature ";
const SIGNED_INFO: [&str; 2] = ["<ds:SignedInfo>", "</ds:SignedInfo>"];
const PROPERTIES: [&str; 2] = ["<xades:SignedProperties ", "</xades:SignedProperties>"];
const MANIFEST: [&str; 2] = ["<ds:Object xmlns:ds=", "</ds:Manifest></ds:Object>"];
const MEDIA_TYPE: [&str; 2] = ["<xades:MimeType>", "</xades:MimeType>"];

/// The elements around a countersignature that the countersigned signature does not have yet.
pub(crate) type Around = &'static [&'static str];

/// A countersignature in a signature with `xades:UnsignedSignatureProperties`.
pub(crate) const IN_UNSIGNED_SIGNATURE_PROPERTIES: Around = &["xades:CounterSignature"];
/// A countersignature in a signature whose `xades:UnsignedProperties` are empty.
pub(crate) const IN_UNSIGNED_PROPERTIES: Around =
    &["xades:UnsignedSignatureProperties", "xades:CounterSignature"];
/// A countersignature in a signature without unsigned properties.
pub(crate) const IN_QUALIFYING_PROPERTIES: Around =
    &["xades:UnsignedProperties", "xades:UnsignedSignatureProperties", "xades:CounterSignature"];

/// The `ds:Object` that holds the content of an enveloping signature. *complete* writes the
/// content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Xml,
    Base64,
}

/// The parts of a signature. The fragments have been written by [`Markup`].
#[derive(Debug)]
pub(crate) struct SignatureText<'t> {
    pub(crate) id: &'t str,
    pub(crate) around: Around,
    pub(crate) signed_info: &'t str,
    pub(crate) key_info: KeyInfo,
    /// A `ds:Object` with a `ds:Manifest`, or nothing.
    pub(crate) manifest: &'t str,
    pub(crate) properties: &'t str,
    pub(crate) content: Option<Content>,
}

impl<'t> SignatureText<'t> {
    /// The text before and after the signature value. If the signature has content, the tail
    /// ends before it.
    pub(crate) fn write(&self, chain: &CertificateChain) -> (String, String) {
        let mut markup = Markup::default();
        for (at, name) in self.around.iter().enumerate() {
            let declaration = [("xmlns:xades", XADES)];
            markup.open(name, if at == 0 { &declaration } else { &[] });
        }
        markup.open("ds:Signature", &[("xmlns:ds", DS), ("Id", self.id)]);
        markup.raw(self.signed_info);
        markup.open("ds:SignatureValue", &[("Id", &self.id_of("value"))]);
        let head = markup.take();
        markup.close();
        self.key_info.write(&mut markup, chain, &self.id_of("key-info"));
        markup.raw(self.manifest);
        markup.element("ds:Object", &[], |markup| {
            let target = format!("#{}", self.id);
            let attributes = [("xmlns:xades", XADES), ("Target", target.as_str())];
            markup.element("xades:QualifyingProperties", &attributes, |m| m.raw(self.properties));
        });
        match self.content {
            Some(content) => markup.raw(&self.content_tag(content)),
            None => {
                markup.close();
                self.around.iter().for_each(|_| markup.close());
            }
        }
        (head, markup.take())
    }

    /// The start tag of the object with the content. The attributes of an object with base64
    /// state the same format as the signed properties (EN 319 132-1, 5.2.4).
    fn content_tag(&self, content: Content) -> String {
        let id = self.id_of("object");
        match content {
            Content::Xml => format!("<ds:Object Id=\"{id}\">"),
            Content::Base64 => {
                let media_type = between(self.properties, MEDIA_TYPE).unwrap_or_default();
                format!("<ds:Object Id=\"{id}\" MimeType=\"{media_type}\" Encoding=\"{BASE64}\">")
            }
        }
    }

    fn id_of(&self, part: &str) -> String {
        format!("{}-{part}", self.id)
    }

    /// Takes a stored text apart. `None` if it does not have the parts in their order.
    pub(crate) fn read(head: &'t str, tail: &'t str, content: Option<Content>) -> Option<Self> {
        let (before, from_signature) = head.split_at_checked(head.find(SIGNATURE)?)?;
        let all = [
            &[],
            IN_UNSIGNED_SIGNATURE_PROPERTIES,
            IN_UNSIGNED_PROPERTIES,
            IN_QUALIFYING_PROPERTIES,
        ];
        let around = all.into_iter().find(|names: &Around| {
            before.matches('<').count() == names.len()
                && names.first().is_none_or(|name| before.starts_with(&format!("<{name} ")))
        })?;
        let id = between(from_signature, [" Id=\"", "\""])?;
        let key_info = KeyInfo {
            referenced: head.contains(&format!("URI=\"#{id}-key-info\"")),
            key_value: tail.contains(KeyInfo::KEY_VALUE),
        };
        Some(Self {
            id,
            around,
            signed_info: only(head, SIGNED_INFO)?,
            key_info,
            manifest: only(tail, MANIFEST).unwrap_or_default(),
            properties: only(tail, PROPERTIES)?,
            content,
        })
    }
}

/// The text between two markers, without them.
fn between<'t>(text: &'t str, [start, end]: [&str; 2]) -> Option<&'t str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(between, _)| between)
}

/// The text from one marker to the other, with them. `None` if either occurs more than once.
fn only<'t>(text: &'t str, [start, end]: [&str; 2]) -> Option<&'t str> {
    let one = |marker: &str| text.matches(marker).count() == 1;
    let (from, to) = (text.find(start)?, text.find(end)? + end.len());
    if one(start) && one(end) { text.get(from..to) } else { None }
}
