//! The documents of a job, and the places of its containers, as the driver asks for them.

use std::io::{self, Write};

use ades::{Document, PendingSignature, SigningOptions};
use ades_session::documents::{Published, Unfinished};
use zeroize::Zeroizing;

use super::{RemoteJob, no_such_item};
use crate::exit::Failure;
use crate::input;
use crate::job::Part;
use crate::output::{Existing, Output, Readers};
use crate::preview;

impl ades_session::Documents for RemoteJob {
    fn open(&self, reference: &str) -> io::Result<Document<'static>> {
        let path = self.path(reference).map(|path| self.present(path));
        path.and_then(|path| input::document(&path)).map_err(io::Error::other)
    }

    fn password(&self, _: &str) -> Option<Zeroizing<String>> {
        self.unlock.password().map(|password| Zeroizing::new(password.to_owned()))
    }

    fn envelope_content(
        &self,
        reference: &str,
        document: &mut Document<'static>,
    ) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        let path = self.path(reference).map_err(io::Error::other)?;
        self.unlock.envelope_content(document, path).map_err(io::Error::other)
    }

    fn options(&self, _: &str, options: SigningOptions) -> io::Result<SigningOptions> {
        self.job.request.completed(options).map_err(io::Error::other)
    }

    fn prepared(
        &self,
        reference: &str,
        pending: &PendingSignature,
        options: &SigningOptions,
    ) -> io::Result<()> {
        let Some(to) = &self.preview else { return Ok(()) };
        let draw = || {
            let (no, _) = Part::named(reference).ok_or_else(no_such_item)?;
            let picture = preview::draw(pending, options, &mut self.documents(no)?, to)?;
            picture.publish(Existing::Replace)?;
            self.messages.print(format_args!("how it will look: {}", to.display()));
            Ok::<_, Failure>(())
        };
        draw().map_err(io::Error::other)
    }

    /// The places were checked when the job began. What is in a place stays when the container is
    /// published.
    fn exists(&self, _: &str) -> io::Result<bool> {
        Ok(false)
    }

    fn create(&self, reference: &str) -> io::Result<Box<dyn Unfinished>> {
        let existing = if self.job.force { Existing::Replace } else { Existing::KeepSame };
        let output = self.path(reference).and_then(|path| Output::create(path, Readers::Usual));
        let mut output = output.map_err(io::Error::other)?;
        output.store_early();
        Ok(Box::new(Container { output, existing }))
    }
}

/// An output that is being written.
#[derive(Debug)]
struct Container {
    output: Output,
    existing: Existing,
}

impl Unfinished for Container {
    fn writer(&mut self) -> &mut dyn Write {
        self.output.writer()
    }

    fn read_back(&mut self) -> io::Result<Document<'static>> {
        self.output.read_back().map_err(io::Error::other)
    }

    fn publish(self: Box<Self>) -> io::Result<Published> {
        // Other octets in the place are a failure, which says how to replace them.
        self.output.publish(self.existing).map_err(io::Error::other)?;
        Ok(Published::New)
    }
}
