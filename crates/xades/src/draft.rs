//! A signature in the making: all of it but its value (XML Signature, clause 4).

use ades_core::certificate::UsageCheck;
use ades_core::{
    CertificateChain, Digest, DigestAlgorithm, Digester, SignatureAlgorithm, SignatureParameters,
    base64,
};

use crate::c14n::{Canonicalization, Selection, Target, canonicalize};
use crate::error::Error;
use crate::markup::Markup;
use crate::options::SignatureOptions;
use crate::properties::{self, DS, Format, SIGNED_PROPERTIES, XADES};
use crate::reference::{Reference, Transform};
use crate::xml::Reader;

/// The Ids in one signature.
#[derive(Debug)]
pub(crate) struct Ids {
    pub(crate) signature: String,
}

impl Ids {
    /// Ids that a document does not have: they are made of its digest, which
    /// nobody can write into it, and of who signs, when and how.
    pub(crate) fn new<'d>(
        signer: &Signer<'_>,
        how: &str,
        documents: impl IntoIterator<Item = &'d Digest>,
    ) -> Self {
        let mut digester = Digester::new(DigestAlgorithm::Sha256);
        let mut update = |octets: &[u8]| {
            digester.update(&(octets.len() as u64).to_be_bytes());
            digester.update(octets);
        };
        update(signer.chain.leaf().der());
        update(signer.parameters.signing_time().time().to_rfc3339().as_bytes());
        update(how.as_bytes());
        update(&signer.options.id_seed);
        documents.into_iter().for_each(|document| update(document.value()));
        let hex = digester.finish().to_hex();
        Self { signature: format!("ades-{}", hex.get(..32).unwrap_or(&hex)) }
    }

    /// The Id of a part of the signature.
    pub(crate) fn of(&self, part: &str) -> String {
        format!("{}-{part}", self.signature)
    }
}

/// Who signs and how.
#[derive(Debug)]
pub(crate) struct Signer<'a> {
    pub(crate) chain: &'a CertificateChain,
    pub(crate) parameters: &'a SignatureParameters,
    pub(crate) options: &'a SignatureOptions,
    pub(crate) algorithm: SignatureAlgorithm,
}

impl<'a> Signer<'a> {
    /// Checks that the certificate fits at the claimed signing time.
    pub(crate) fn new(
        chain: &'a CertificateChain,
        parameters: &'a SignatureParameters,
        options: &'a SignatureOptions,
    ) -> Result<Self, Error> {
        let algorithm = parameters.algorithm_for(chain.leaf())?;
        parameters.check()?;
        chain.leaf().check_fit(parameters.signing_time().time(), UsageCheck::Signature)?;
        Ok(Self { chain, parameters, options, algorithm })
    }

    pub(crate) fn digest_algorithm(&self) -> DigestAlgorithm {
        self.algorithm.digest_algorithm()
    }
}

/// What is to become a signature.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) signer: &'a Signer<'a>,
    pub(crate) ids: &'a Ids,
    /// What is signed beside the properties.
    pub(crate) references: Vec<Reference>,
    pub(crate) formats: Vec<Format>,
    /// A `ds:Object` before the one with the properties.
    pub(crate) object: Option<String>,
    /// The start tag of a `ds:Object` at the signature's end, whose content is
    /// written later.
    pub(crate) content: Option<String>,
}

/// A signature without its value.
#[derive(Debug)]
pub(crate) struct Written {
    /// The canonical form of `ds:SignedInfo`.
    pub(crate) signed_info: Vec<u8>,
    /// What comes before the value ...
    pub(crate) head: String,
    /// ... and behind it, up to the content that is written later.
    pub(crate) tail: String,
}

/// What ends a signature behind its content.
pub(crate) const CLOSING: &str = "</ds:Object></ds:Signature>";

impl Draft<'_> {
    pub(crate) fn write(&self) -> Result<Written, Error> {
        let algorithm = self.signer.digest_algorithm();
        let properties = properties::signed_properties(self.ids, self.signer, &self.formats)?;
        // Its own digest, and then the form of SignedInfo, are those of the
        // elements where they stand in the signature: the exclusive form does
        // not depend on what is around the signature.
        let form = |properties_digest: &Digest, selection| {
            let (head, tail) = self.assemble(&properties, properties_digest);
            let closing = self.content.as_ref().map_or("", |_| CLOSING);
            let form = canonical(&[&head, tail.as_str(), closing].concat(), selection)?;
            Ok::<_, Error>((form, head, tail))
        };
        let none = Digest::of(algorithm, b"");
        let (properties_form, ..) = form(&none, signed_properties())?;
        let digest = Digest::of(algorithm, &properties_form);
        let (signed_info, head, tail) = form(&digest, signed_info())?;
        Ok(Written { signed_info, head, tail })
    }

    fn assemble(&self, properties: &str, properties_digest: &Digest) -> (String, String) {
        const BETWEEN: &str = "<?value?>";

        let exclusive = Canonicalization::EXCLUSIVE;
        let Signer { algorithm, chain, .. } = self.signer;
        let mut markup = Markup::default();
        let attributes = [("xmlns:ds", DS), ("Id", self.ids.signature.as_str())];
        markup.element("ds:Signature", &attributes, |markup| {
            markup.element("ds:SignedInfo", &[], |markup| {
                let method = [("Algorithm", exclusive.uri())];
                markup.leaf("ds:CanonicalizationMethod", &method, "");
                markup.leaf("ds:SignatureMethod", &[("Algorithm", algorithm.xml_uri())], "");
                self.references.iter().for_each(|reference| reference.write(markup));
                let properties = Reference {
                    id: None,
                    kind: Some(SIGNED_PROPERTIES),
                    uri: format!("#{}", self.ids.of("properties")),
                    transforms: vec![Transform::Canonical(exclusive)],
                    digest: properties_digest.clone(),
                };
                properties.write(markup);
            });
            let id = self.ids.of("value");
            markup.element("ds:SignatureValue", &[("Id", &id)], |markup| markup.raw(BETWEEN));
            markup.element("ds:KeyInfo", &[], |markup| {
                markup.element("ds:X509Data", &[], |markup| {
                    for certificate in chain.certificates() {
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
            markup.raw(self.content.as_deref().unwrap_or_default());
        });
        let whole = markup.finish();
        let (head, tail) = whole.split_once(BETWEEN).unwrap_or((&whole, ""));
        let open = if self.content.is_some() { "</ds:Signature>" } else { "" };
        (head.to_owned(), tail.strip_suffix(open).unwrap_or(tail).to_owned())
    }
}

/// The exclusive form of an element in a fragment.
pub(crate) fn canonical(fragment: &str, selection: Selection) -> Result<Vec<u8>, Error> {
    let mut form = Vec::new();
    let reader = Reader::from_slice(fragment.as_bytes())?;
    canonicalize(reader, Canonicalization::EXCLUSIVE, selection, &mut |piece| {
        form.extend_from_slice(piece);
        Ok(())
    })?;
    Ok(form)
}

pub(crate) fn signed_info() -> Selection {
    first(DS, "SignedInfo")
}

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
