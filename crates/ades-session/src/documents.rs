//! Where documents are, and where containers go: the application's trait, and a folder.

mod folder;

use std::fmt;
use std::io::{self, Write};

use ades::{Document, PendingSignature, SigningOptions};
use zeroize::Zeroizing;

pub use folder::Folder;

/// The application's documents and containers.
///
/// A job names both by *references*: texts of the application, such as the key of an object or
/// the name of a file in a folder. They are all that a job stores of a place, so a job can be
/// continued on another machine that finds the same references.
///
/// The calls block, so they run where [`Runtime::spawn_blocking`](crate::Runtime::spawn_blocking)
/// runs them.
pub trait Documents: Send + Sync + fmt::Debug {
    /// Opens a document, a container that gets another signature, or the image or font of a visible
    /// signature. It is read several times, so its source must be able to seek.
    ///
    /// # Errors
    /// The document is not there, or cannot be read.
    fn open(&self, reference: &str) -> io::Result<Document<'static>>;

    /// The password of an encrypted PDF. A job does not store it.
    fn password(&self, reference: &str) -> Option<Zeroizing<String>> {
        let _ = reference;
        None
    }

    /// The content of the envelope of a PDF that is encrypted for the holders of certificates, as
    /// the key of one of them opens it. A job does not store it. `None` if there is no key, or no
    /// envelope.
    ///
    /// # Errors
    /// The key does not open it.
    fn envelope_content(
        &self,
        reference: &str,
        document: &mut Document<'static>,
    ) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        let _ = (reference, document);
        Ok(None)
    }

    /// The options with which a document is checked and prepared: those of the job, and what is
    /// known only then or is not stored with it. Their signing time is that of the signature.
    ///
    /// # Errors
    /// What the options need cannot be read.
    fn options(&self, reference: &str, options: SigningOptions) -> io::Result<SigningOptions> {
        let _ = reference;
        Ok(options)
    }

    /// A signature of this document was prepared with these options, and nobody has been asked for
    /// it yet: for a preview. After a refusal it is prepared again.
    ///
    /// # Errors
    /// The user must not be asked for it.
    fn prepared(
        &self,
        reference: &str,
        pending: &PendingSignature,
        options: &SigningOptions,
    ) -> io::Result<()> {
        let _ = (reference, pending, options);
        Ok(())
    }

    /// Whether something is in the place of a container. A job that would write there is refused
    /// before anybody is asked.
    ///
    /// # Errors
    /// The place cannot be looked at.
    fn exists(&self, reference: &str) -> io::Result<bool>;

    /// Begins to write a container. Nothing is in its place until it is published. A job that is
    /// continued after a crash writes the same octets again.
    ///
    /// # Errors
    /// The place does not exist, or cannot be written to.
    fn create(&self, reference: &str) -> io::Result<Box<dyn Unfinished>>;
}

/// A container that is being written. Dropping it removes what was written.
pub trait Unfinished: Send + fmt::Debug {
    /// Where its octets are written to.
    fn writer(&mut self) -> &mut dyn Write;

    /// Opens the octets that were written, to verify them.
    ///
    /// # Errors
    /// They cannot be read.
    fn read_back(&mut self) -> io::Result<Document<'static>>;

    /// Puts the container in its place, whole or not at all, and durably. What is in the place
    /// already stays.
    ///
    /// # Errors
    /// The container is not in its place.
    fn publish(self: Box<Self>) -> io::Result<Published>;
}

/// What was in the place of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Published {
    /// Nothing: the container is there now
    New,
    /// The same octets: an earlier process published them before it stopped
    Same,
    /// Other octets, which stay
    Other,
}
