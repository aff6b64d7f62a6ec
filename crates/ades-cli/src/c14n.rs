//! `ades c14n`: canonical forms on standard output.

use std::io::{self, BufWriter, Write};

use xades::c14n::{Selection, Target, canonicalize};

use crate::args::{C14nOptions, Method};
use crate::exit::{DONE, Failure};
use crate::input;
use crate::xml::{self, Reading};

pub(crate) fn run(options: &C14nOptions) -> Result<u8, Failure> {
    let mut method = xml::method(options.method);
    if options.with_comments {
        method = method.with_comments();
    }
    if let Some(prefixes) = &options.inclusive_prefixes {
        if options.method != Method::Exclusive {
            return Err(Failure::usage("--inclusive-prefixes is for --method exclusive"));
        }
        method = method.with_prefix_list(prefixes);
    }
    let selection = options
        .id
        .as_ref()
        .map_or_else(Selection::document, |id| Selection::element(Target::Id(id.clone())));
    let reading = Reading::new(&options.reading)?;
    let selection = selection.with_ids(reading.ids()?);
    let about = |e: Failure| e.about(input::name(&options.document));
    let document = input::watched(input::open(&options.document)?, &options.document);
    let reader = reading.reader(document).map_err(|e| about(e.into()))?;
    let mut out = BufWriter::with_capacity(64 * 1024, io::stdout().lock());
    canonicalize(reader, method, selection, &mut |piece| out.write_all(piece))
        .and_then(|_| Ok(out.flush().map_err(ades_core::Error::Write)?))
        .map_err(|e| about(e.into()))?;
    Ok(DONE)
}
