//! The documents of one signature, opened.

use std::path::Path;

use ades::{Document, DocumentKind, Format, Inputs, Operation, SigningOptions};

use crate::exit::Failure;
use crate::input;
use crate::path_name;

/// The document or container of one signature.
pub(crate) struct Documents<'a> {
    document: Document<'static>,
    /// For another signer in a container: the input file, which is the container's document.
    original: Option<Document<'static>>,
    name: Option<String>,
    password: Option<&'a str>,
}

impl<'a> Documents<'a> {
    /// Opens `input`, and the container that gets another signature.
    pub(crate) fn open(
        input: &Path,
        container: Option<&Path>,
        password: Option<&'a str>,
    ) -> Result<Self, Failure> {
        let original = container.map(|_| input::document(input)).transpose()?;
        let document = input::document(container.unwrap_or(input))?;
        Ok(Self { document, original, name: name(input), password })
    }

    /// Sets the name of the document to that of another path: the user's path for a pipe or
    /// standard input.
    pub(crate) fn named(mut self, path: &Path) -> Self {
        self.name = name(path);
        self
    }

    pub(crate) fn inputs(&mut self) -> Inputs<'_, 'static> {
        let mut inputs = Inputs::new(&mut self.document);
        if let Some(original) = &mut self.original {
            inputs = inputs.original(original);
        }
        if let Some(name) = &self.name {
            inputs = inputs.name(name);
        }
        if let Some(password) = self.password {
            inputs = inputs.password(password);
        }
        inputs
    }

    /// The document, or the container that gets another signature.
    pub(crate) const fn document(&mut self) -> &mut Document<'static> {
        &mut self.document
    }

    pub(crate) const fn password(&self) -> Option<&'a str> {
        self.password
    }

    /// Chooses the format of the signature on `input`.
    pub(crate) fn choose_format(
        &mut self,
        options: &SigningOptions,
        input: &Path,
    ) -> Result<Format, Failure> {
        let about = |failure: Failure| failure.about(path_name::of_input(input));
        if options.operation == Operation::Sign
            && options.format.is_none()
            && is_named_pdf(input)
            && DocumentKind::of(&mut self.document).map_err(|e| about(e.into()))?
                == DocumentKind::Other
        {
            return Err(about(Failure::input(
                "is not a PDF despite its name: the %PDF header is missing; --format cades signs \
                 it as any other file",
            )));
        }
        ades::choose_format(self.inputs(), options).map_err(|e| about(e.into()))
    }
}

fn name(path: &Path) -> Option<String> {
    let name = path.file_name().filter(|_| !path_name::is_standard(path))?;
    Some(name.to_string_lossy().into_owned())
}

fn is_named_pdf(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("pdf"))
}
