//! `ades c14n`: writes a canonical form to standard output.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use ades::formats::ades_core::Error;
use ades::formats::xades::c14n::{Selection, canonicalize};
use ades::formats::xades::xml::Reader;
use ades::{ReadingOptions, Target};

use crate::args::C14nArgs;
use crate::documents::Documents;
use crate::exit::{DONE, Failure};
use crate::input;
use crate::path_name;
use crate::unlock::Unlock;

pub(crate) fn run(args: C14nArgs) -> Result<u8, Failure> {
    let method = args.canonicalization()?;
    let C14nArgs { document: path, id, reading, .. } = args;
    let reading = reading.into_options();
    let names = reading.clone();
    let selection = id.map_or_else(Selection::document, |id| Selection::element(Target::Id(id)));
    let selection = selection.with_ids(reading.ids);
    let document = input::watched(input::open(&path)?, &path);
    let mut out = BufWriter::with_capacity(64 * 1024, io::stdout().lock());
    let write = || -> Result<(), ades::Error> {
        let mut reader = Reader::from_read(document)?;
        if reading.ignore_external_subset {
            reader = reader.ignoring_external_subset();
        }
        canonicalize(reader, method, selection, &mut |piece| out.write_all(piece))?;
        Ok(out.flush().map_err(Error::Write)?)
    };
    write().map_err(|error| match error {
        ades::Error::Core(Error::Write(e)) => Failure::output(Path::new("-"), &e),
        error => failure(error, &path, &names).about(path_name::of_input(&path)),
    })?;
    Ok(DONE)
}

/// Standard input cannot be read again for the names that it has.
fn failure(error: ades::Error, path: &Path, reading: &ReadingOptions) -> Failure {
    if input::is_stream(path) {
        return error.into();
    }
    let unlock = Unlock::default();
    let opened = Documents::open(path, None, &unlock);
    match opened {
        Ok(mut documents) => documents.failure(&error, reading),
        Err(_) => error.into(),
    }
}
