//! The digests of the data that a container's signers signed.

use ades_core::{Digest, DigestAlgorithm, Digester, Document};

use crate::container::Container;
use crate::error::Error;
use crate::options::Original;
use crate::signer_info::SignerInfo;

/// Digests of the content in the container and of the document outside it, by
/// several algorithms. If both are present, a signature must match both.
#[derive(Debug)]
pub(crate) struct ContentDigests {
    /// The digests of the content, then those of the document.
    all: Vec<Digest>,
    /// The number of digests of the content.
    of_content: usize,
    /// The octets of the content or else of the document, if a signature is over them
    /// and not over a digest, and if they are not too many.
    pub(crate) octets: Option<Vec<u8>>,
}

/// Maximum number of octets that are held for a signature over the content itself.
const MAX_CONTENT: usize = 16 * 1024 * 1024;

/// Keeps octets as long as they are not too many.
fn keep(kept: &mut Option<Vec<u8>>, piece: &[u8]) {
    match kept {
        Some(octets) if octets.len() + piece.len() <= MAX_CONTENT => {
            octets.extend_from_slice(piece);
        }
        _ => *kept = None,
    }
}

impl ContentDigests {
    /// Reads the content and the document once each, whatever the number of
    /// algorithms.
    ///
    /// `archived` digest what older archive time-stamps begin with: the octets of
    /// encapContentInfo and, if the content is not in it, the document (TS 101 733, 6.4.1).
    /// They are cleared if the document is missing.
    pub(crate) fn read(
        container: &Container,
        algorithms: &[DigestAlgorithm],
        hold: bool,
        archived: &mut Vec<(DigestAlgorithm, Digester)>,
        source: &mut Document<'_>,
        original: Option<&mut dyn Original>,
    ) -> Result<Self, Error> {
        if !archived.is_empty() {
            container.read_encapsulated(source, &mut |piece| {
                archived.iter_mut().for_each(|(_, digester)| digester.update(piece));
                Ok(())
            })?;
        }
        let digesters = || -> Vec<Digester> {
            algorithms.iter().map(|algorithm| Digester::new(*algorithm)).collect()
        };
        let (mut all, mut octets) = (Vec::new(), None);
        if container.is_enveloping() {
            let mut inside = digesters();
            octets = hold.then(Vec::new);
            container.read_content(source, &mut |piece| {
                keep(&mut octets, piece);
                inside.iter_mut().for_each(|digester| digester.update(piece));
                Ok(())
            })?;
            all.extend(inside.into_iter().map(Digester::finish));
        }
        let of_content = all.len();
        if let Some(original) = original {
            let is_read = hold || !archived.is_empty();
            let known = if is_read { None } else { original.digests(algorithms)? };
            if let Some(mut known) = known {
                all.append(&mut known);
                return Ok(Self { all, of_content, octets });
            }
            let mut outside = digesters();
            let mut held = hold.then(Vec::new);
            let is_outside = !container.is_enveloping();
            original.read_through(&mut |piece| {
                keep(&mut held, piece);
                outside.iter_mut().for_each(|digester| digester.update(piece));
                let archived = archived.iter_mut().filter(|_| is_outside);
                archived.for_each(|(_, digester)| digester.update(piece));
                Ok(())
            })?;
            all.extend(outside.into_iter().map(Digester::finish));
            if is_outside {
                octets = held;
            }
        } else if !container.is_enveloping() {
            archived.clear();
        }
        Ok(Self { all, of_content, octets })
    }

    /// The digests by one algorithm: none if there is neither content nor
    /// document.
    pub(crate) fn of(&self, algorithm: DigestAlgorithm) -> impl Iterator<Item = &Digest> {
        self.all.iter().filter(move |digest| digest.algorithm() == algorithm)
    }

    /// Whether the content equals the document. `true` if one of them is missing.
    pub(crate) fn agree(&self) -> bool {
        let (content, document) = self.all.split_at(self.of_content);
        content.is_empty() || document.is_empty() || content == document
    }

    pub(crate) fn as_slice(&self) -> &[Digest] {
        &self.all
    }
}

/// Whether every signer signed another document than one with these digests.
///
/// If only some did, those signatures are broken, which verification reports. A
/// signature that cannot be compared, because its digest algorithm is not among
/// the digests or because it has no signed attributes, is taken to cover this
/// document.
pub(crate) fn cover_another(signers: &[SignerInfo<'_>], digests: &[Digest]) -> bool {
    let covers_another = |signer: &SignerInfo<'_>| {
        let (Ok(algorithm), Some(signed)) = (signer.digest_algorithm(), signer.message_digest())
        else {
            return false;
        };
        let mut same = digests.iter().filter(|digest| digest.algorithm() == algorithm);
        same.any(|digest| signed != digest.value())
    };
    !signers.is_empty() && signers.iter().all(covers_another)
}

/// The supported digest algorithms of all signers, each once.
pub(crate) fn digest_algorithms(signers: &[SignerInfo<'_>]) -> Vec<DigestAlgorithm> {
    let mut algorithms: Vec<DigestAlgorithm> =
        signers.iter().filter_map(|s| s.digest_algorithm().ok()).collect();
    algorithms.sort_unstable();
    algorithms.dedup();
    algorithms
}
