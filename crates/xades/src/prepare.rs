//! From a document, a certificate and parameters to what is to be signed.

use std::io::{self, Read};

use ades_core::certificate::UsageCheck;
use ades_core::{
    CertificateChain, Digest, DigestAlgorithm, Digester, Document, DocumentDigest,
    SignatureParameters,
};

use crate::c14n::{Canonicalization, Pass, Selection, Target, canonicalize};
use crate::error::Error;
use crate::insertion::Insertion;
use crate::pending::PendingSignature;
use crate::properties::{self, DS, Ids, XADES};
use crate::xml::Reader;

/// Behind the place of the signature, a document may have so many octets: they
/// are held while completing, until the whole document has been compared.
pub const MAX_BEHIND_ROOT: u64 = 16 * 1024 * 1024;

/// Prepares an enveloped baseline B-B signature over an XML document, which is
/// read once. The signature becomes the last child of the root element.
///
/// A document that has a signature already is refused: what an enveloped
/// signature covers is all but itself, so that another one breaks it.
///
/// The certificate's fitness at the claimed signing time is checked first
/// (validity, key usage, key).
///
/// # Errors
/// [`Error::Core`]: an unfit certificate, an algorithm that is not the key's,
/// a parameter the standards do not allow, or a failure to read; what is wrong
/// with the document as XML; [`Error::CannotInsert`].
pub fn prepare(
    document: &mut Document<'_>,
    chain: &CertificateChain,
    parameters: &SignatureParameters,
) -> Result<PendingSignature, Error> {
    let algorithm = parameters.algorithm_for(chain.leaf())?;
    parameters.check()?;
    chain.leaf().check_fit(parameters.signing_time().time(), UsageCheck::Signature)?;

    let read = read(document, algorithm.digest_algorithm())?;
    let ids = Ids::new(&read.canonical);
    let properties = properties::signed_properties(&ids, algorithm, chain, parameters)?;
    // Its own digest, and then the form of SignedInfo, are those of the
    // elements where they stand in the signature: the exclusive form does not
    // depend on what is around the signature.
    let none = Digest::of(algorithm.digest_algorithm(), b"");
    let signature = |properties_digest: &Digest| {
        let canonical = &read.canonical;
        properties::signature(&ids, algorithm, canonical, &properties, properties_digest, chain)
    };
    let (head, tail) = signature(&none);
    let form = canonical(&[head, tail].concat(), signed_properties())?;
    let (head, tail) = signature(&Digest::of(algorithm.digest_algorithm(), &form));
    let signed_info = canonical(&[head.as_str(), &tail].concat(), signed_info())?;
    Ok(PendingSignature {
        algorithm,
        chain: chain.clone(),
        signed_info,
        head,
        tail,
        insertion: read.insertion,
        document: read.original,
        length: read.length,
    })
}

/// What one reading of a document yields.
struct ReadOnce {
    /// Of its canonical form.
    canonical: Digest,
    /// Of its octets.
    original: DocumentDigest,
    length: u64,
    insertion: Insertion,
}

fn read(document: &mut Document<'_>, algorithm: DigestAlgorithm) -> Result<ReadOnce, Error> {
    let mut original =
        Digesting { inner: document.reader()?, digester: Digester::new(algorithm), length: 0 };
    let mut canonical = Digester::new(algorithm);
    let mut sink = |piece: &[u8]| {
        canonical.update(piece);
        Ok(())
    };
    let mut pass = Pass::new(Reader::from_read(&mut original)?);
    pass.add(Canonicalization::EXCLUSIVE, Selection::document(), &mut sink);
    let (_, root) = pass.run_for_root()?;
    if root.declares_attributes {
        let why = "its DTD declares attributes for elements of signatures";
        return Err(Error::CannotInsert { why });
    }
    if root.signed {
        let why = "it has a signature, which a new one beside it could break";
        return Err(Error::CannotInsert { why });
    }
    let insertion = Insertion::new(&root.span, &root.name, root.encoding);
    let length = original.length;
    if length - insertion.offset > MAX_BEHIND_ROOT {
        return Err(Error::CannotInsert { why: "too much is behind its root element" });
    }
    Ok(ReadOnce {
        canonical: canonical.finish(),
        original: DocumentDigest(original.digester.finish()),
        length,
        insertion,
    })
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

/// Digests what is read through it.
struct Digesting<R> {
    inner: R,
    digester: Digester,
    length: u64,
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.digester.update(buffer.get(..read).unwrap_or_default());
        self.length += read as u64;
        Ok(read)
    }
}
