//! `ades inspect`: lists the signatures of a container.

use ades::{Contents, VerifyOptions};

use super::verify::to_json;
use crate::args::InspectArgs;
use crate::exit::{DONE, Failure};
use crate::input;
use crate::output;
use crate::path_name;

pub(crate) fn run(args: InspectArgs) -> Result<u8, Failure> {
    let unlock = args.unlock.read()?;
    let mut container = input::document(&args.container)?;
    let envelope_content = unlock.envelope_content(&mut container, &args.container)?;
    let mut options = VerifyOptions::new().reading(args.reading.into_options());
    if let Some(password) = unlock.password() {
        options = options.password(password);
    }
    if let Some(content) = &envelope_content {
        options = options.envelope_content(content);
    }
    let contents: Contents = ades::inspect(&mut container, options)
        .map_err(|e| Failure::from(e).about(path_name::of_input(&args.container)))?;
    if args.json {
        output::print(format_args!("{}\n", to_json(&contents, &args.container)?))?;
    } else {
        output::print(contents)?;
    }
    Ok(DONE)
}
