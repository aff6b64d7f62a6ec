//! Enveloping signatures: the document is put into a `ds:Object` (XML
//! Signature, clause 4.5).

use std::io::{Cursor, Read as _};

use ades_core::{Digest, DigestAlgorithm, Document, DocumentDigest};

use crate::c14n::{Pass, Selection, Target as Element};
use crate::draft::{CLOSING, Draft, Ids, Signer};
use crate::error::Error;
use crate::markup::Markup;
use crate::options::{Position, SignatureOptions};
use crate::original::digester;
use crate::pending::{Original, PendingSignature, Target};
use crate::prepare::Read;
use crate::properties::{DS, Format};
use crate::reference::{Reference, Transform};
use crate::transform::BASE64;
use crate::xml::{Encoding, Reader};

const OBJECT: &str = "http://www.w3.org/2000/09/xmldsig#Object";
/// What a document is that nobody says more about (RFC 2046, 4.5.1).
pub(crate) const OCTETS: &str = "application/octet-stream";
/// And if it is XML (RFC 7303).
const XML: &str = "application/xml";

/// Reads an XML document that is to be an element of another one.
pub(crate) fn read(
    document: &mut Document<'_>,
    algorithm: DigestAlgorithm,
    options: &SignatureOptions,
) -> Result<Read, Error> {
    let position = Position::LastInRoot;
    let read = Read::new(document, algorithm, &options.reading, Vec::new(), &position)?;
    let site = &read.site;
    if site.has_doctype {
        let why = "it has a document type declaration, which cannot be within an element";
        return Err(Error::CannotInsert { why });
    }
    if site.signed {
        let why = "it has signatures, which are about it as a document of its own";
        return Err(Error::CannotInsert { why });
    }
    Ok(read)
}

/// Around the root element of an XML document, which is read twice.
pub(crate) fn xml(
    document: &mut Document<'_>,
    signer: &Signer<'_>,
) -> Result<PendingSignature, Error> {
    let options = signer.options;
    let Read { original, site, .. } = read(document, signer.digest_algorithm(), options)?;
    let (range, encoding) = (site.root.whole(), site.encoding);
    let ids = Ids::new(signer, "enveloping, as XML", [&original.digest.0]);
    let id = ids.of("object");
    // As it will stand in the signature: of what is around it, the canonical
    // form sees the namespaces.
    let mut around = Markup::default();
    around.element("ds:Signature", &[("xmlns:ds", DS)], |m| m.raw(&start_tag(&id, &[])));
    let around = around.finish();
    let around = around.strip_suffix("</ds:Signature>").unwrap_or(&around);
    let encoded = |text: &str| encoding.encode(text).unwrap_or_default();
    let head = [prologue(encoding), encoded(around)].concat();
    let mut octets = document.reader()?;
    std::io::copy(&mut octets.by_ref().take(range.start), &mut std::io::sink())
        .map_err(ades_core::Error::Read)?;
    let placed = Cursor::new(head)
        .chain(octets.take(range.end - range.start))
        .chain(Cursor::new(encoded(CLOSING)));
    let mut digester = ades_core::Digester::new(signer.digest_algorithm());
    let mut sink = |piece: &[u8]| {
        digester.update(piece);
        Ok(())
    };
    let mut pass = Pass::new(Reader::from_read(placed)?);
    // That Id is an `Id`, whatever else may be one.
    let selection = Selection::element(Element::Id(id.clone())).without_comments();
    pass.add(options.canonicalization.clone(), selection, &mut sink);
    pass.run()?;
    let transforms = vec![Transform::Canonical(options.canonicalization.clone())];
    let content = start_tag(&id, &[]);
    let mime_type = signer.parameters.document_mime_type();
    let digest = digester.finish();
    let target = Target::Xml { document: original, from: range.start, to: range.end, encoding };
    draft(signer, &ids, digest, transforms, content, mime_type, target)
}

/// As XML if that can be, and otherwise as base64.
pub(crate) fn either(
    document: &mut Document<'_>,
    signer: &Signer<'_>,
) -> Result<PendingSignature, Error> {
    match xml(document, signer) {
        // It is XML, but of a kind that is not put into another document.
        Err(Error::CannotInsert { .. } | Error::External { .. }) => base64(document, signer, XML),
        Ok(pending) => Ok(pending),
        Err(error @ Error::Core(_)) => Err(error),
        Err(_) => base64(document, signer, OCTETS),
    }
}

/// Around anything, as base64; `mime_type` is what it is if nobody says more.
pub(crate) fn base64(
    document: &mut Document<'_>,
    signer: &Signer<'_>,
    mime_type: &str,
) -> Result<PendingSignature, Error> {
    let mut digester = digester(document, signer.digest_algorithm())?;
    let length = document.read_through(&mut |piece| {
        digester.update(piece);
        Ok(())
    })?;
    let digest = digester.finish()?.finish();
    let ids = Ids::new(signer, "enveloping, as base64", [&digest]);
    let mime_type = signer.parameters.document_mime_type().unwrap_or(mime_type);
    // What DataObjectFormat says of the object, the object says too (EN 319
    // 132-1, 5.2.4).
    let content = start_tag(&ids.of("object"), &[("MimeType", mime_type), ("Encoding", BASE64)]);
    let document = Original { digest: DocumentDigest(digest.clone()), length };
    let target = Target::Base64 { document };
    draft(signer, &ids, digest, vec![Transform::Base64], content, Some(mime_type), target)
}

fn draft(
    signer: &Signer<'_>,
    ids: &Ids,
    digest: Digest,
    transforms: Vec<Transform>,
    content: String,
    mime_type: Option<&str>,
    target: Target,
) -> Result<PendingSignature, Error> {
    let reference = ids.of("document");
    let format = Format {
        reference: reference.clone(),
        mime_type: mime_type.map(str::to_owned),
        description: signer.parameters.document_description().map(str::to_owned),
    };
    let uri = format!("#{}", ids.of("object"));
    let reference = Reference { id: Some(reference), kind: Some(OBJECT), uri, transforms, digest };
    let draft = Draft {
        signer,
        ids,
        references: vec![reference],
        formats: vec![format],
        object: None,
        content: Some(content),
    };
    Ok(PendingSignature::new(signer, draft.write()?, target))
}

/// The start tag of the object that holds the document.
fn start_tag(id: &str, more: &[(&str, &str)]) -> String {
    let mut markup = Markup::default();
    markup.element("ds:Object", &[&[("Id", id)], more].concat(), |_| {});
    let whole = markup.finish();
    whole.strip_suffix("</ds:Object>").unwrap_or(&whole).to_owned()
}

/// What comes before the root element of a document in this encoding.
pub(crate) fn prologue(encoding: Encoding) -> Vec<u8> {
    let Some(name) = encoding.name() else {
        return Vec::new();
    };
    let declaration = format!("<?xml version=\"1.0\" encoding=\"{name}\"?>");
    let mark = if encoding.is_utf16() { "\u{FEFF}" } else { "" };
    encoding.encode(&[mark, &declaration].concat()).unwrap_or_default()
}
