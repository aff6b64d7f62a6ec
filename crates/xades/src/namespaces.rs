//! Namespace names, algorithm identifiers and reference types.

/// XML Signature.
pub(crate) const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
/// XAdES, the version that is written and verified.
pub(crate) const XADES: &str = "http://uri.etsi.org/01903/v1.3.2#";
/// XAdES, later unsigned properties.
pub(crate) const XADES_141: &str = "http://uri.etsi.org/01903/v1.4.1#";
/// The namespace names of all versions of XAdES begin with this.
pub(crate) const ANY_XADES: &str = "http://uri.etsi.org/01903/";
/// XML Signature 1.1: keys on elliptic curves.
pub(crate) const DS_11: &str = "http://www.w3.org/2009/xmldsig11#";
/// XML Signature, later algorithms (RFC 9231).
pub(crate) const DS_MORE: &str = "http://www.w3.org/2007/05/xmldsig-more#";

// Values of the Type attribute of references.
pub(crate) const OBJECT: &str = "http://www.w3.org/2000/09/xmldsig#Object";
pub(crate) const MANIFEST: &str = "http://www.w3.org/2000/09/xmldsig#Manifest";
pub(crate) const SIGNED_PROPERTIES: &str = "http://uri.etsi.org/01903#SignedProperties";
pub(crate) const COUNTERSIGNED_SIGNATURE: &str = "http://uri.etsi.org/01903#CountersignedSignature";

// Transforms.
pub(crate) const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
pub(crate) const BASE64: &str = "http://www.w3.org/2000/09/xmldsig#base64";
pub(crate) const XPATH: &str = "http://www.w3.org/TR/1999/REC-xpath-19991116";
pub(crate) const FILTER2: &str = "http://www.w3.org/2002/06/xmldsig-filter2";
/// Exclusive canonicalization, and the namespace of its `InclusiveNamespaces`.
pub(crate) const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";

// Signature algorithms that have parameters.
pub(crate) const RSA_PSS: &str = "http://www.w3.org/2007/05/xmldsig-more#rsa-pss";
pub(crate) const MGF1: &str = "http://www.w3.org/2007/05/xmldsig-more#MGF1";
