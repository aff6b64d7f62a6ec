//! The places and names of the results of `ades sign`.

use std::path::{Path, PathBuf};

use ades::{Format, SigningOptions};

use crate::exit::Failure;
use crate::job::JobItem;
use crate::output;
use crate::path_name::{absolute, is_standard};

/// The place of the results.
pub(crate) enum Destination {
    File(PathBuf),
    Folder(Folder),
    /// Beside each input. The job is stored beside the first result, once its name is known.
    Beside(Option<PathBuf>),
}

/// A folder of results. A run that leaves nothing in it removes it, if the run has made it.
pub(crate) struct Folder {
    path: PathBuf,
    made: bool,
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.made {
            // A folder with files in it stays.
            let _ = std::fs::remove_dir(&self.path);
        }
    }
}

impl Destination {
    pub(crate) fn new(output: Option<PathBuf>, out_dir: Option<PathBuf>) -> Self {
        match (output, out_dir) {
            (Some(output), _) => Self::File(output),
            (None, Some(path)) => Self::Folder(Folder { path, made: false }),
            (None, None) => Self::Beside(None),
        }
    }

    /// Returns an error if nothing can be written there, before any work is done.
    pub(crate) fn check(&self, force: bool) -> Result<(), Failure> {
        match self {
            Self::File(output) => output::check_place(output, force),
            Self::Folder(Folder { path, .. }) if path.exists() && !path.is_dir() => {
                Err(Failure::output(path, "is not a folder"))
            }
            Self::Folder(_) | Self::Beside(_) => Ok(()),
        }
    }

    pub(crate) fn make_folder(&mut self) -> Result<(), Failure> {
        let Self::Folder(Folder { path, made }) = self else { return Ok(()) };
        match std::fs::create_dir(&*path) {
            Ok(()) => *made = true,
            Err(_) if path.is_dir() => {}
            Err(_) => {
                std::fs::create_dir_all(&*path).map_err(|e| Failure::output(path, &e))?;
                *made = true;
            }
        }
        Ok(())
    }

    /// Chooses the place of the job, if it depends on the names of the results.
    pub(crate) fn settle(&mut self, items: &[JobItem]) {
        if let Self::Beside(first) = self {
            *first = items.first().map(|item| item.output.clone());
        }
    }

    /// The job's file, beside the results.
    pub(crate) fn job_path(&self) -> Option<PathBuf> {
        match self {
            Self::File(output) if is_standard(output) => None,
            Self::File(output) => Some(pending(output)),
            Self::Folder(folder) => Some(absolute(&folder.path.join("ades.pending"))),
            Self::Beside(first) => first.as_deref().map(pending),
        }
    }

    /// The path of a result.
    pub(crate) fn output(&self, options: &SigningOptions, format: Format, named: &Path) -> PathBuf {
        match self {
            Self::File(output) => absolute(output),
            Self::Folder(folder) => {
                absolute(&folder.path.join(output_name(options, format, named)))
            }
            Self::Beside(_) => {
                let name = match options.suffix(format) {
                    Some(_) => output_name(options, format, named),
                    None => signed_name(named),
                };
                absolute(&named.with_file_name(name))
            }
        }
    }
}

fn pending(output: &Path) -> PathBuf {
    let mut name = absolute(output).into_os_string();
    name.push(".pending");
    name.into()
}

/// The file name of the result in a folder of results.
fn output_name(options: &SigningOptions, format: Format, input: &Path) -> PathBuf {
    let suffix = options.suffix(format);
    let mut name = match (input.file_name(), suffix, format.document_extension()) {
        (Some(name), ..) if !is_standard(input) => name.to_owned(),
        // A signature inside its document keeps the document's extension.
        (_, None, Some(extension)) => format!("stdin.{extension}").into(),
        _ => "stdin".into(),
    };
    name.push(suffix.unwrap_or_default());
    name.into()
}

/// The name of a signed document beside the unsigned one: `contract-signed.pdf`.
fn signed_name(document: &Path) -> PathBuf {
    let mut name = document.file_stem().unwrap_or_default().to_owned();
    name.push("-signed");
    if let Some(extension) = document.extension() {
        name.push(".");
        name.push(extension);
    }
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_documents_keep_their_extension() {
        for (document, expected) in [
            ("in/contract.pdf", "contract-signed.pdf"),
            ("a.b.xml", "a.b-signed.xml"),
            ("plain", "plain-signed"),
            (".hidden", ".hidden-signed"),
        ] {
            assert_eq!(signed_name(Path::new(document)), PathBuf::from(expected));
        }
    }
}
