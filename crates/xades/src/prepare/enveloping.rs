//! Enveloping signatures: the document is put into a `ds:Object` (XML Signature,
//! clause 4.5).

use std::io::{Cursor, Read as _};

use ades_core::{Digest, DigestAlgorithm, Digester, Document, DocumentDigest};

use crate::c14n::{Pass, Selection, Target};
use crate::error::{Error, NotInsertable};
use crate::markup::Markup;
use crate::namespaces::{DS, OBJECT};
use crate::options::{Position, SignatureOptions};
use crate::pending::{Destination, PendingSignature};
use crate::report::Warning;
use crate::signature_element::ids::Ids;
use crate::signature_element::properties::NewFormat;
use crate::signature_element::reference::{NewReference, NewTransform};
use crate::signature_element::text::{Content, END_TAGS};
use crate::signature_element::{SignatureElement, SigningContext};
use crate::source_document::{DocumentReading, SourceDocument, digester};
use crate::xml::{Encoding, Reader};

/// The media type of octets of an unknown format (RFC 2046, 4.5.1).
pub(crate) const OCTETS_MEDIA_TYPE: &str = "application/octet-stream";
/// The media type of XML documents (RFC 7303).
const XML_MEDIA_TYPE: &str = "application/xml";

/// Reads an XML document that is to become an element of another document.
pub(crate) fn read_xml(
    document: &mut Document<'_>,
    algorithm: DigestAlgorithm,
    options: &SignatureOptions,
) -> Result<DocumentReading, Error> {
    let position = Position::LastInRoot;
    let reading = &options.reading;
    let read = DocumentReading::new(document, algorithm, reading, Vec::new(), &position, None)?;
    if read.site.has_doctype {
        return Err(Error::CannotInsert { why: NotInsertable::Doctype });
    }
    if read.site.signed {
        return Err(Error::CannotInsert { why: NotInsertable::Signed });
    }
    Ok(read)
}

/// Prepares a signature around the root element of an XML document, which is read
/// twice.
pub(crate) fn prepare_xml(
    document: &mut Document<'_>,
    signing: &SigningContext<'_>,
) -> Result<PendingSignature, Error> {
    let options = signing.options;
    let DocumentReading { document: source, site, .. } =
        read_xml(document, signing.digest_algorithm(), options)?;
    let (range, encoding) = (site.root.whole(), site.encoding);
    let warnings = Warning::about_content(&site);
    let destination =
        Destination::Xml { document: source, from: range.start, to: range.end, encoding };
    let ids = Ids::new(signing, "enveloping, as XML", &destination);
    let object = ids.of("object");
    // The canonical form sees the namespaces of the elements around the content,
    // so the content is read inside the elements that will be around it.
    let mut around = Markup::default();
    around.open("ds:Signature", &[("xmlns:ds", DS)]);
    around.open("ds:Object", &[("Id", &object)]);
    let encoded = |text: &str| encoding.encode(text).unwrap_or_default();
    let head = [prologue(encoding), encoded(&around.take())].concat();
    let mut octets = document.reader()?;
    std::io::copy(&mut octets.by_ref().take(range.start), &mut std::io::sink())
        .map_err(ades_core::Error::Read)?;
    let placed = Cursor::new(head)
        .chain(octets.take(range.end - range.start))
        .chain(Cursor::new(encoded(END_TAGS)));
    let mut digester = Digester::new(signing.digest_algorithm());
    let mut sink = |piece: &[u8]| {
        digester.update(piece);
        Ok(())
    };
    let mut pass = Pass::new(Reader::from_read(placed)?);
    // The object's Id is in `Id`, whichever attributes are Ids in the document:
    // this selection uses the default ones.
    let selection = Selection::element(Target::Id(object)).without_comments();
    pass.add(options.canonicalization.clone(), selection, &mut sink);
    pass.run()?;
    let transform = NewTransform::Canonical(options.canonicalization.clone());
    let signed = SignedContent {
        digest: digester.finish(),
        transform,
        mime_type: signing.parameters.document_mime_type(),
    };
    let mut pending = write(signing, &ids, signed, Content::Xml, destination)?;
    pending.warnings = warnings;
    Ok(pending)
}

/// Prepares a signature around XML if that is possible, and otherwise around
/// base64.
pub(crate) fn prepare_either(
    document: &mut Document<'_>,
    signing: &SigningContext<'_>,
) -> Result<PendingSignature, Error> {
    let error = match prepare_xml(document, signing) {
        Ok(pending) => return Ok(pending),
        Err(Error::Core(error)) => return Err(error.into()),
        Err(error) => error,
    };
    let warning = why_base64(&error);
    let media_type = if warning.is_some() { XML_MEDIA_TYPE } else { OCTETS_MEDIA_TYPE };
    let mut pending = prepare_base64(document, signing, media_type)?;
    pending.warnings.extend(warning);
    Ok(pending)
}

/// Why a document that is XML is kept as base64. Documents that are not XML have no
/// warning: nobody expects them to be kept as XML.
pub(crate) const fn why_base64(error: &Error) -> Option<Warning> {
    match error {
        Error::CannotInsert { why: NotInsertable::Signed } => Some(Warning::SignedKeptAsBase64),
        Error::CannotInsert { .. } => Some(Warning::DoctypeKeptAsBase64),
        Error::External { .. } => Some(Warning::ExternalKeptAsBase64),
        _ => None,
    }
}

/// Prepares a signature around any document as base64. `mime_type` is its media
/// type if the parameters do not set one.
pub(crate) fn prepare_base64(
    document: &mut Document<'_>,
    signing: &SigningContext<'_>,
    mime_type: &str,
) -> Result<PendingSignature, Error> {
    let mut digester = digester(document, signing.digest_algorithm())?;
    let length = document.read_through(&mut |piece| {
        digester.update(piece);
        Ok(())
    })?;
    let digest = digester.finish()?.finish();
    let document = SourceDocument { digest: DocumentDigest(digest.clone()), length };
    let destination = Destination::Base64 { document };
    let ids = Ids::new(signing, "enveloping, as base64", &destination);
    let mime_type = signing.parameters.document_mime_type().unwrap_or(mime_type);
    let signed =
        SignedContent { digest, transform: NewTransform::Base64, mime_type: Some(mime_type) };
    write(signing, &ids, signed, Content::Base64, destination)
}

/// The reference to the content.
struct SignedContent<'a> {
    digest: Digest,
    transform: NewTransform,
    mime_type: Option<&'a str>,
}

fn write(
    signing: &SigningContext<'_>,
    ids: &Ids,
    signed: SignedContent<'_>,
    content: Content,
    destination: Destination,
) -> Result<PendingSignature, Error> {
    let id = ids.of("document");
    let format = NewFormat {
        reference: id.clone(),
        mime_type: signed.mime_type.map(str::to_owned),
        description: signing.parameters.document_description().map(str::to_owned),
    };
    let reference = NewReference {
        id: Some(id),
        kind: Some(OBJECT),
        uri: format!("#{}", ids.of("object")),
        transforms: vec![signed.transform],
        digest: signed.digest,
    };
    let element = SignatureElement {
        signing,
        ids,
        around: &[],
        references: vec![reference],
        formats: vec![format],
        manifest: None,
        content: Some(content),
    };
    Ok(PendingSignature::new(signing, ids, element.write()?, destination))
}

/// The octets before the root element of a document in this encoding.
pub(crate) fn prologue(encoding: Encoding) -> Vec<u8> {
    let Some(name) = encoding.name() else {
        return Vec::new();
    };
    let declaration = format!("<?xml version=\"1.0\" encoding=\"{name}\"?>");
    let mark = if encoding.is_utf16() { "\u{FEFF}" } else { "" };
    encoding.encode(&[mark, &declaration].concat()).unwrap_or_default()
}
