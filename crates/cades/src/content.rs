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
}

impl ContentDigests {
    /// Reads the content and the document once each, whatever the number of
    /// algorithms.
    pub(crate) fn read(
        container: &Container,
        algorithms: &[DigestAlgorithm],
        source: &mut Document<'_>,
        original: Option<&mut dyn Original>,
    ) -> Result<Self, Error> {
        let digesters = || -> Vec<Digester> {
            algorithms.iter().map(|algorithm| Digester::new(*algorithm)).collect()
        };
        let mut all = Vec::new();
        if container.is_enveloping() {
            let mut inside = digesters();
            container.read_content(source, &mut |piece| {
                inside.iter_mut().for_each(|digester| digester.update(piece));
                Ok(())
            })?;
            all.append(&mut inside);
        }
        let of_content = all.len();
        if let Some(original) = original {
            let mut outside = digesters();
            original.read_through(&mut |piece| {
                outside.iter_mut().for_each(|digester| digester.update(piece));
                Ok(())
            })?;
            all.append(&mut outside);
        }
        Ok(Self { all: all.into_iter().map(Digester::finish).collect(), of_content })
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

/// The supported digest algorithms of all signers, each once.
pub(crate) fn digest_algorithms(signers: &[SignerInfo<'_>]) -> Vec<DigestAlgorithm> {
    let mut algorithms: Vec<DigestAlgorithm> =
        signers.iter().filter_map(|s| s.digest_algorithm().ok()).collect();
    algorithms.sort_unstable();
    algorithms.dedup();
    algorithms
}
