//! The `ds:Signature` element before its value is known (XML Signature,
//! clause 4).

pub(crate) mod properties;
pub(crate) mod reference;

use ades_core::certificate::UsageCheck;
use ades_core::error::Parameter;
use ades_core::{
    CertificateChain, Digest, DigestAlgorithm, Digester, SignatureAlgorithm, SignatureParameters,
    SignaturePolicy, base64,
};

use crate::c14n::{Canonicalization, Selection, Target, canonicalize};
use crate::error::Error;
use crate::markup::Markup;
use crate::namespaces::{DS, SIGNED_PROPERTIES, XADES};
use crate::options::{ProductionPlace, SignatureOptions};
use crate::xml::Reader;

use properties::NewFormat;
use reference::{NewReference, NewTransform};

/// The end tags after the content of an enveloping signature.
pub(crate) const END_TAGS: &str = "</ds:Object></ds:Signature>";

/// The Ids in one signature.
#[derive(Debug)]
pub(crate) struct Ids {
    pub(crate) signature: String,
}

impl Ids {
    /// Makes Ids that the document does not contain: they depend on the document's
    /// digest, so a document cannot contain its own Ids. They also depend on the
    /// certificate, the signing time, the packaging and the seed.
    pub(crate) fn new<'d>(
        signing: &SigningContext<'_>,
        how: &str,
        documents: impl IntoIterator<Item = &'d Digest>,
    ) -> Self {
        let mut digester = Digester::new(DigestAlgorithm::Sha256);
        let mut update = |octets: &[u8]| {
            digester.update(&(octets.len() as u64).to_be_bytes());
            digester.update(octets);
        };
        update(signing.chain.leaf().der());
        update(signing.parameters.signing_time().time().to_rfc3339().as_bytes());
        update(how.as_bytes());
        update(&signing.options.id_seed);
        documents.into_iter().for_each(|document| update(document.value()));
        let hex = digester.finish().to_hex();
        Self { signature: format!("ades-{}", hex.get(..32).unwrap_or(&hex)) }
    }

    /// The Id of a part of the signature.
    pub(crate) fn of(&self, part: &str) -> String {
        format!("{}-{part}", self.signature)
    }
}

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
    /// The references to the signed data, without that to the signed properties.
    pub(crate) references: Vec<NewReference>,
    pub(crate) formats: Vec<NewFormat>,
    /// A `ds:Object` before the one with the properties.
    pub(crate) object: Option<String>,
    /// A `ds:Object` at the end of the signature, whose content is written when
    /// the signature is completed.
    pub(crate) content: Option<ContentObject>,
}

/// The `ds:Object` that holds the content of an enveloping signature.
#[derive(Debug)]
pub(crate) struct ContentObject {
    pub(crate) id: String,
    /// `MimeType` and `Encoding`, if the content is base64.
    pub(crate) base64: Option<(String, &'static str)>,
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

impl ContentObject {
    /// Writes the start tag.
    pub(crate) fn open(&self, markup: &mut Markup) {
        let mut attributes = vec![("Id", self.id.as_str())];
        if let Some((mime_type, encoding)) = &self.base64 {
            attributes.extend([("MimeType", mime_type.as_str()), ("Encoding", encoding)]);
        }
        markup.open("ds:Object", &attributes);
    }
}

impl SignatureElement<'_> {
    pub(crate) fn write(&self) -> Result<WrittenSignature, Error> {
        let algorithm = self.signing.digest_algorithm();
        let properties = properties::signed_properties(self.ids, self.signing, &self.formats);
        // The digest of the properties, and then the form of SignedInfo, are made
        // from the elements inside the signature. The exclusive form does not
        // depend on what is around the signature.
        let form = |properties_digest: &Digest, selection| {
            let (head, tail) = self.assemble(&properties, properties_digest);
            let end_tags = self.content.as_ref().map_or("", |_| END_TAGS);
            let form = canonical(&[&head, tail.as_str(), end_tags].concat(), selection)?;
            Ok::<_, Error>((form, head, tail))
        };
        let placeholder = Digest::of(algorithm, b"");
        let (properties_form, ..) = form(&placeholder, signed_properties())?;
        let digest = Digest::of(algorithm, &properties_form);
        let (signed_info, head, tail) = form(&digest, signed_info())?;
        Ok(WrittenSignature { signed_info, head, tail })
    }

    /// The text before and after the value.
    fn assemble(&self, properties: &str, properties_digest: &Digest) -> (String, String) {
        let mut markup = Markup::default();
        markup.open("ds:Signature", &[("xmlns:ds", DS), ("Id", self.ids.signature.as_str())]);
        self.write_signed_info(&mut markup, properties_digest);
        markup.open("ds:SignatureValue", &[("Id", &self.ids.of("value"))]);
        let head = markup.take();
        markup.close();
        markup.element("ds:KeyInfo", &[], |markup| {
            markup.element("ds:X509Data", &[], |markup| {
                for certificate in self.signing.chain.certificates() {
                    markup.leaf("ds:X509Certificate", &[], &base64::encode(certificate.der()));
                }
            });
        });
        markup.raw(self.object.as_deref().unwrap_or_default());
        markup.element("ds:Object", &[], |markup| {
            let target = format!("#{}", self.ids.signature);
            let attributes = [("xmlns:xades", XADES), ("Target", target.as_str())];
            markup.element("xades:QualifyingProperties", &attributes, |m| m.raw(properties));
        });
        match &self.content {
            Some(content) => content.open(&mut markup),
            None => markup.close(),
        }
        (head, markup.take())
    }

    fn write_signed_info(&self, markup: &mut Markup, properties_digest: &Digest) {
        let exclusive = Canonicalization::EXCLUSIVE;
        markup.element("ds:SignedInfo", &[], |markup| {
            let method = [("Algorithm", exclusive.uri())];
            markup.leaf("ds:CanonicalizationMethod", &method, "");
            let method = [("Algorithm", self.signing.algorithm.xml_uri())];
            markup.leaf("ds:SignatureMethod", &method, "");
            self.references.iter().for_each(|reference| reference.write(markup));
            let properties = NewReference {
                id: None,
                kind: Some(SIGNED_PROPERTIES),
                uri: format!("#{}", self.ids.of("properties")),
                transforms: vec![NewTransform::Canonical(exclusive)],
                digest: properties_digest.clone(),
            };
            properties.write(markup);
        });
    }
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

fn first(namespace: &str, local_name: &str) -> Selection {
    Selection::element(Target::Named {
        namespace: namespace.to_owned(),
        local_name: local_name.to_owned(),
        nth: Some(0),
    })
}
