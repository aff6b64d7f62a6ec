//! The documents of one signature, opened.

use std::io::{self, BufRead, BufReader, SeekFrom};
use std::path::Path;

use ades::formats::{pades, xades};
use ades::{
    Document, DocumentKind, Format, Inputs, NamedDocument, Operation, ReadingOptions,
    SigningOptions, Target,
};
use zeroize::Zeroizing;

use crate::exit::Failure;
use crate::input;
use crate::job::JobItem;
use crate::nearest;
use crate::output::Messages;
use crate::path_name;
use crate::unlock::Unlock;

/// The document or container of one signature.
pub(crate) struct Documents<'a> {
    document: Document<'static>,
    /// For another signer in a container: the input file, which is the container's document.
    original: Option<Document<'static>>,
    name: Option<String>,
    password: Option<&'a str>,
    envelope_content: Option<Zeroizing<Vec<u8>>>,
    /// More documents that the same signature signs
    more: Vec<NamedDocument<'static>>,
}

impl<'a> Documents<'a> {
    /// Opens `input`, and the container that gets another signature. `input` is the container's
    /// document or the container itself, whose content is then the document.
    pub(crate) fn open(
        input: &Path,
        container: Option<&Path>,
        unlock: &'a Unlock,
    ) -> Result<Self, Failure> {
        let path = container.unwrap_or(input);
        let mut document = input::document(path)?;
        let envelope_content = unlock.envelope_content(&mut document, path)?;
        let mut original = container.map(|_| input::document(input)).transpose()?;
        if let Some(given) = &mut original
            && is_same(given, &mut document).map_err(|e| Failure::file(input, &e))?
        {
            original = None;
        }
        let (name, password) = (name(input), unlock.password());
        Ok(Self { document, original, name, password, envelope_content, more: Vec::new() })
    }

    /// Opens the documents of a signature of a job.
    pub(crate) fn of_item(
        item: &JobItem,
        container: Option<&Path>,
        unlock: &'a Unlock,
    ) -> Result<Self, Failure> {
        let mut documents = Self::open(&item.input, container, unlock)?;
        for path in &item.together {
            let name = name(path).unwrap_or_default();
            documents.more.push(NamedDocument::new(name, input::document(path)?));
        }
        Ok(documents)
    }

    /// Whether the input is another document than the container, or its content.
    pub(crate) const fn has_original(&self) -> bool {
        self.original.is_some()
    }

    /// Sets the name of the document to that of another path: the user's path for a pipe or
    /// standard input.
    pub(crate) fn named(mut self, path: &Path) -> Self {
        self.name = name(path);
        self
    }

    pub(crate) fn inputs(&mut self) -> Inputs<'_, 'static> {
        let mut inputs = Inputs::new(&mut self.document).together(&mut self.more);
        if let Some(original) = &mut self.original {
            inputs = inputs.original(original);
        }
        if let Some(name) = &self.name {
            inputs = inputs.name(name);
        }
        if let Some(password) = self.password {
            inputs = inputs.password(password);
        }
        if let Some(content) = &self.envelope_content {
            inputs = inputs.envelope_content(content);
        }
        inputs
    }

    /// The document, or the container that gets another signature.
    pub(crate) const fn document(&mut self) -> &mut Document<'static> {
        &mut self.document
    }

    /// What opens an encrypted PDF; `None` if nothing was given.
    pub(crate) fn opened_with(&self) -> Option<pades::VerifyOptions<'_>> {
        let options = pades::VerifyOptions::new();
        match (&self.envelope_content, self.password) {
            (Some(content), _) => Some(options.envelope_content(content)),
            (None, Some(password)) => Some(options.password(password)),
            (None, None) => None,
        }
    }

    /// Converts an error about the document to a failure. For a name that the document does not
    /// have, it names those that it has.
    pub(crate) fn failure(&mut self, error: &ades::Error, reading: &ReadingOptions) -> Failure {
        let hint = match error {
            ades::Error::Xades(xades::Error::NoSuchElement { target }) => match target {
                Target::Id(id) => Some((id.clone(), "Ids")),
                Target::Named { namespace, local_name, .. } => {
                    Some((format!("{{{namespace}}}{local_name}"), "elements"))
                }
                _ => None,
            },
            ades::Error::Pades(pades::Error::NoSuchField { name }) => {
                Some((name.clone(), "empty signature fields"))
            }
            ades::Error::Pades(pades::Error::NoLockedField { name }) => {
                Some((name.clone(), "fields"))
            }
            _ => None,
        };
        let hint = hint.map(|(wanted, what)| {
            let names = ades::existing_names(error, self.inputs(), reading);
            nearest::hint(&wanted, what, &names)
        });
        let failure = Failure::from(error);
        match hint {
            Some(hint) => failure.and(&hint),
            None => failure,
        }
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

/// Prints that a file without content is signed: it is seldom meant.
pub(crate) fn note_empty(path: &Path, input: &Path, messages: &Messages) {
    if path.metadata().is_ok_and(|found| found.is_file() && found.len() == 0) {
        let name = path_name::of_input(input);
        messages.print(format_args!("{name}: is empty: the signature covers no octets"));
    }
}

/// Whether two documents have the same octets.
fn is_same(one: &mut Document<'_>, other: &mut Document<'_>) -> io::Result<bool> {
    const PIECE: usize = 64 * 1024;

    let (Ok(one), Ok(other)) = (one.random_access(), other.random_access()) else {
        return Ok(false);
    };
    let mut same = one.seek(SeekFrom::End(0))? == other.seek(SeekFrom::End(0))?;
    one.rewind()?;
    other.rewind()?;
    let (mut one, mut other) =
        (BufReader::with_capacity(PIECE, one), BufReader::with_capacity(PIECE, other));
    while same {
        let (first, second) = (one.fill_buf()?, other.fill_buf()?);
        if first.is_empty() {
            break;
        }
        let len = first.len().min(second.len());
        same = len > 0 && first.get(..len) == second.get(..len);
        one.consume(len);
        other.consume(len);
    }
    Ok(same)
}

/// The name by which a signature refers to a document.
pub(crate) fn name(path: &Path) -> Option<String> {
    let name = path.file_name().filter(|_| !path_name::is_standard(path))?;
    Some(name.to_string_lossy().into_owned())
}

fn is_named_pdf(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("pdf"))
}
