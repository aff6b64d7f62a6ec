//! Hints how to check a signature with other programs.

use crate::detect::Format;

/// Returns the command line of a well-known program that checks a signature: `openssl`, `pdfsig`
/// (of poppler) or `xmlsec1`. The paths are not changed: the caller quotes them for the shell.
///
/// `original` is the document of a detached CAdES container.
#[must_use]
pub fn verification_command(
    format: Format,
    signed: &str,
    original: Option<&str>,
    trust_anchor: &str,
) -> String {
    match format {
        Format::Pades => format!("pdfsig -nocert {signed}"),
        Format::Xades => format!(
            "xmlsec1 --verify --enabled-key-data x509 --trusted-pem {trust_anchor} \
             --id-attr:Id http://uri.etsi.org/01903/v1.3.2#:SignedProperties \
             --id-attr:Id http://www.w3.org/2000/09/xmldsig#:Object {signed}"
        ),
        Format::Cades => {
            let content = original.map(|path| format!(" -content {path}")).unwrap_or_default();
            format!(
                "openssl cms -verify -cades -binary -inform DER -in {signed}{content} \
                 -CAfile {trust_anchor} -purpose any -out /dev/null"
            )
        }
    }
}
