//! The `ds:Signature` element before its value is known (XML Signature,
//! clause 4).

pub(crate) mod ids;
pub(crate) mod issuer_name;
pub(crate) mod key_info;
pub(crate) mod properties;
pub(crate) mod reference;
pub(crate) mod text;

use ades_core::certificate::UsageCheck;
use ades_core::error::Parameter;
use ades_core::{
    CertificateChain, Digest, DigestAlgorithm, SignatureAlgorithm, SignatureParameters,
    SignaturePolicy,
};

use crate::c14n::{Canonicalization, Selection, Target, canonicalize};
use crate::error::Error;
use crate::markup::Markup;
use crate::namespaces::{DS, SIGNED_PROPERTIES, XADES};
use crate::options::{ProductionPlace, SignatureOptions};
use crate::xml::Reader;

use ids::Ids;
use properties::NewFormat;
use reference::{NewReference, NewTransform};
use text::{Around, Content, END_TAGS, SignatureText};

/// The signer's certificate, the parameters and the options of a signature.
#[derive(Debug)]
pub(crate) struct SigningContext<'a> {
    pub(crate) chain: &'a CertificateChain,
    pub(crate) parameters: &'a SignatureParameters,
    pub(crate) options: &'a SignatureOptions,
    pub(crate) algorithm: SignatureAlgorithm,
}

impl<'a> SigningContext<'a> {
    /// Checks the parameters, and that the certificate fits at the claimed
    /// signing time.
    pub(crate) fn new(
        chain: &'a CertificateChain,
        parameters: &'a SignatureParameters,
        options: &'a SignatureOptions,
    ) -> Result<Self, Error> {
        let algorithm = parameters.algorithm_for(chain.leaf())?;
        check_parameters(parameters, options)?;
        chain.leaf().check_fit(parameters.signing_time().time(), UsageCheck::Signature)?;
        Ok(Self { chain, parameters, options, algorithm })
    }

    pub(crate) fn digest_algorithm(&self) -> DigestAlgorithm {
        self.algorithm.digest_algorithm()
    }

    /// The claimed place of signing: that of the options, or else that of the
    /// parameters.
    fn production_place(&self) -> Option<ProductionPlace> {
        let parameter = || self.parameters.signer_location().map(ProductionPlace::from);
        self.options.production_place.clone().or_else(parameter)
    }
}

/// Checks the parameters and options that do not depend on the certificate.
pub(crate) fn check_parameters(
    parameters: &SignatureParameters,
    options: &SignatureOptions,
) -> Result<(), Error> {
    parameters.check()?;
    if let Some(SignaturePolicy { digest: None, .. }) = parameters.signature_policy() {
        return Err(Error::Core(ades_core::Error::Parameter {
            parameter: Parameter::Policy,
            problem: "XAdES needs the digest of the policy document",
        }));
    }
    options.production_place.as_ref().map_or(Ok(()), ProductionPlace::check)
}

/// The content of a new signature.
#[derive(Debug)]
pub(crate) struct SignatureElement<'a> {
    pub(crate) signing: &'a SigningContext<'a>,
    pub(crate) ids: &'a Ids,
    /// The elements around the signature that the document does not have yet.
    pub(crate) around: Around,
    /// The references to the signed data, without those to the parts of the signature.
    pub(crate) references: Vec<NewReference>,
    pub(crate) formats: Vec<NewFormat>,
    /// A `ds:Object` with a `ds:Manifest`, before the one with the properties.
    pub(crate) manifest: Option<String>,
    /// The form of the content of an enveloping signature.
    pub(crate) content: Option<Content>,
}

/// A signature in two parts, without its value.
#[derive(Debug)]
pub(crate) struct WrittenSignature {
    /// The canonical form of `ds:SignedInfo`.
    pub(crate) signed_info: Vec<u8>,
    /// Everything before the value.
    pub(crate) head: String,
    /// Everything after the value. If the signature has content, the tail ends
    /// before it.
    pub(crate) tail: String,
}

impl SignatureElement<'_> {
    pub(crate) fn write(&self) -> Result<WrittenSignature, Error> {
        let algorithm = self.signing.digest_algorithm();
        let properties = properties::signed_properties(self.ids, self.signing, &self.formats);
        // The digests of the parts, and then the form of SignedInfo, are made from the elements
        // inside the signature. The exclusive form does not depend on what is around the
        // signature.
        let write = |digests: &PartDigests| {
            let text = SignatureText {
                id: &self.ids.signature,
                around: self.around,
                signed_info: &self.signed_info(digests),
                key_info: self.signing.options.key_info(),
                manifest: self.manifest.as_deref().unwrap_or_default(),
                properties: &properties,
                content: self.content,
            };
            text.write(self.signing.chain)
        };
        let form = |(head, tail): &(String, String), selection| {
            let end_tags = self.content.map_or("", |_| END_TAGS);
            canonical(&[head, tail.as_str(), end_tags].concat(), selection)
        };
        let placeholder = Digest::of(algorithm, b"");
        let mut digests = PartDigests { properties: placeholder.clone(), key_info: None };
        if self.signing.options.sign_key_info {
            digests.key_info = Some(placeholder);
        }
        let text = write(&digests);
        digests.properties = Digest::of(algorithm, &form(&text, signed_properties())?);
        if let Some(digest) = &mut digests.key_info {
            *digest = Digest::of(algorithm, &form(&text, key_info())?);
        }
        let text = write(&digests);
        let signed_info = form(&text, signed_info())?;
        let (head, tail) = text;
        Ok(WrittenSignature { signed_info, head, tail })
    }

    fn signed_info(&self, digests: &PartDigests) -> String {
        let exclusive = Canonicalization::EXCLUSIVE;
        let part = |kind, name: &str, digest: &Digest| NewReference {
            id: None,
            kind,
            uri: format!("#{}", self.ids.of(name)),
            transforms: vec![NewTransform::Canonical(exclusive.clone())],
            digest: digest.clone(),
        };
        let mut markup = Markup::default();
        markup.element("ds:SignedInfo", &[], |markup| {
            let method = [("Algorithm", exclusive.uri())];
            markup.leaf("ds:CanonicalizationMethod", &method, "");
            let method = [("Algorithm", self.signing.algorithm.xml_uri())];
            markup.leaf("ds:SignatureMethod", &method, "");
            self.references.iter().for_each(|reference| reference.write(markup));
            if let Some(digest) = &digests.key_info {
                part(None, "key-info", digest).write(markup);
            }
            part(Some(SIGNED_PROPERTIES), "properties", &digests.properties).write(markup);
        });
        markup.take()
    }
}

/// The digests of the parts of a signature that it signs itself.
struct PartDigests {
    properties: Digest,
    /// `None`: `ds:KeyInfo` is not signed.
    key_info: Option<Digest>,
}

/// The exclusive canonical form of one element of a fragment.
pub(crate) fn canonical(fragment: &str, selection: Selection) -> Result<Vec<u8>, Error> {
    let mut form = Vec::new();
    let reader = Reader::from_slice(fragment.as_bytes())?;
    canonicalize(reader, Canonicalization::EXCLUSIVE, selection, &mut |piece| {
        form.extend_from_slice(piece);
        Ok(())
    })?;
    Ok(form)
}

/// The first `ds:SignedInfo`.
pub(crate) fn signed_info() -> Selection {
    first(DS, "SignedInfo")
}

/// The first `xades:SignedProperties`.
pub(crate) fn signed_properties() -> Selection {
    first(XADES, "SignedProperties")
}

/// The first `ds:Manifest`.
pub(crate) fn manifest() -> Selection {
    first(DS, "Manifest")
}

/// The first `ds:KeyInfo`.
pub(crate) fn key_info() -> Selection {
    first(DS, "KeyInfo")
}

fn first(namespace: &str, local_name: &str) -> Selection {
    Selection::element(Target::Named {
        namespace: namespace.to_owned(),
        local_name: local_name.to_owned(),
        nth: Some(0),
    })
}
