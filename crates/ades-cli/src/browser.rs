//! How the user gets to the signer's pages: by the address that is printed, or in a browser that
//! this program opens.

use std::io;
use std::process::{Command, Stdio};

use crate::output::{self, Messages};

/// Shows the signer's pages to the user.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guide {
    /// Whether the signer confirms by itself, so that no page is shown
    pub(crate) unattended: bool,
    /// Whether pages are opened in the user's browser
    pub(crate) open: bool,
    pub(crate) messages: Messages,
}

impl Guide {
    /// Shows a page. `on_its_way` is whether a browser has come back, which is sent on to it.
    pub(crate) fn show(self, url: &str, on_its_way: bool) {
        if self.unattended {
            return;
        }
        // The addresses are printed even with --quiet: the user must open the page to continue.
        if on_its_way {
            output::print_always(format_args!(
                "the browser goes on to the next page; if it is closed, open this page:\n  {url}"
            ));
            return;
        }
        match self.open.then(|| open(url)) {
            Some(Ok(())) => output::print_always(format_args!(
                "opened in the browser; if nothing appears there, open this page:\n  {url}"
            )),
            Some(Err(error)) => output::print_always(format_args!(
                "--open: the browser cannot be started: {error}\nopen this page to continue:\n  \
                 {url}"
            )),
            None => output::print_always(format_args!("open this page to continue:\n  {url}")),
        }
    }

    /// Shows the page of a session that an earlier process opened.
    pub(crate) fn show_again(self, page: Option<&str>) {
        match page {
            Some(url) => self.show(url, false),
            None if self.unattended => {}
            // Jobs of older versions do not have the address.
            None => self.messages.print(
                "waiting for the user; if the signer's page is closed, --ask-again opens a new one",
            ),
        }
    }
}

/// Opens a page in the user's browser: that of the environment variable BROWSER, else that of the
/// desktop. Does not wait for it.
fn open(url: &str) -> io::Result<()> {
    let mut last = None;
    for mut command in commands(std::env::var("BROWSER").ok().as_deref(), url) {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        match command.spawn() {
            Ok(mut child) => {
                // Without this, it would stay as a zombie when it ends.
                std::thread::spawn(move || child.wait());
                return Ok(());
            }
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| io::ErrorKind::NotFound.into()))
}

/// The commands to try. BROWSER is a list of commands, in which `%s` stands for the address; a
/// command without it gets the address as its last argument.
fn commands(browser: Option<&str>, url: &str) -> Vec<Command> {
    /// The separator of lists of paths.
    const SEPARATOR: char = if cfg!(windows) { ';' } else { ':' };

    let own = browser.unwrap_or_default().split(SEPARATOR).filter_map(|text| {
        let mut words = text.split_whitespace();
        let mut command = Command::new(words.next()?);
        command.args(words.map(|word| word.replace("%s", url)));
        if !text.contains("%s") {
            command.arg(url);
        }
        Some(command)
    });
    let mut all: Vec<Command> = own.collect();
    if all.is_empty() {
        let desktop: &[&str] = if cfg!(windows) {
            // `start` is a part of the shell, which would read the & in the address.
            &["rundll32", "url.dll,FileProtocolHandler"]
        } else if cfg!(target_os = "macos") {
            &["open"]
        } else {
            &["xdg-open"]
        };
        if let [program, arguments @ ..] = desktop {
            let mut command = Command::new(program);
            command.args(arguments).arg(url);
            all.push(command);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(browser: Option<&str>) -> Vec<String> {
        let lines = commands(browser, "http://page?a=1&st=2").into_iter().map(|command| {
            let words = std::iter::once(command.get_program()).chain(command.get_args());
            words.map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" ")
        });
        lines.collect()
    }

    #[test]
    fn browser_is_that_of_the_variable_or_of_the_desktop() {
        #[cfg(unix)]
        assert_eq!(
            written(Some("firefox:chromium --app=%s --new-window: ")),
            ["firefox http://page?a=1&st=2", "chromium --app=http://page?a=1&st=2 --new-window"]
        );
        for none in [None, Some(""), Some(" ")] {
            let desktop = written(none);
            assert!(desktop.len() == 1 && desktop[0].ends_with(" http://page?a=1&st=2"));
        }
    }
}
