//! `ades completions` and `ades man`: made from the definitions that `--help` shows.

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use crate::args::{Args, CompletionsArgs, ManArgs};
use crate::exit::{BUG, DONE, Failure};
use crate::output::{self, Existing, Readers};

pub(crate) fn completions(args: &CompletionsArgs) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "ades", &mut script);
    output::print(String::from_utf8_lossy(&script))?;
    Ok(DONE)
}

pub(crate) fn man(args: ManArgs) -> Result<u8, Failure> {
    let mut ades = Args::command().disable_help_subcommand(true);
    // Sets the full names of the commands.
    ades.build();
    let Some(dir) = args.out_dir else {
        let page = match &args.command {
            None => page(&ades)?,
            Some(name) => page(command(&ades, name)?)?,
        };
        output::print(String::from_utf8_lossy(&page))?;
        return Ok(DONE);
    };
    std::fs::create_dir_all(&dir).map_err(|e| Failure::output(&dir, &e))?;
    for command in std::iter::once(&ades).chain(commands(&ades)) {
        let name = command.get_display_name().unwrap_or(command.get_name());
        let path = dir.join(format!("{name}.1"));
        output::check_free(&path, args.force)?;
        let existing = Existing::forced(args.force);
        output::write_file(&path, &page(command)?, Readers::Usual, existing)?;
    }
    Ok(DONE)
}

fn commands(ades: &Command) -> impl Iterator<Item = &Command> {
    ades.get_subcommands().filter(|command| !command.is_hide_set())
}

fn command<'c>(ades: &'c Command, name: &str) -> Result<&'c Command, Failure> {
    commands(ades).find(|command| command.get_name() == name).ok_or_else(|| {
        let names: Vec<&str> = commands(ades).map(Command::get_name).collect();
        Failure::usage(format!("{name}: is not a command of ades, which has {}", names.join(", ")))
    })
}

fn page(command: &Command) -> Result<Vec<u8>, Failure> {
    let mut page = Vec::new();
    let name = command.get_display_name().unwrap_or(command.get_name());
    let source = concat!("ades ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone()).title(name).source(source);
    man.render(&mut page).map_err(|e| Failure::new(BUG, e.to_string()))?;
    Ok(page)
}
