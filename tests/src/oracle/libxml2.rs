//! libxml2, the judge of canonical forms, in a Python process.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use ades_core::base64;

/// The running judge.
#[derive(Debug)]
pub struct Libxml2(ChildStdin, BufReader<ChildStdout>, Child);

/// What to canonicalise, and how.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// 0: Canonical XML 1.0, 1: Exclusive, 2: Canonical XML 1.1.
    pub mode: u8,
    /// Whether comments stay.
    pub comments: bool,
    /// The prefix list.
    pub prefixes: Vec<String>,
    /// The Id of the element to canonicalise with its content. Without this and
    /// without `node_set`, the whole document is canonicalised.
    pub id: Option<String>,
    /// An XPath expression that is true for the nodes of the node-set.
    pub node_set: Option<String>,
}

impl Question {
    /// The algorithm's URI.
    #[must_use]
    pub fn uri(&self) -> String {
        let (uri, fragment) = match self.mode {
            0 => ("http://www.w3.org/TR/2001/REC-xml-c14n-20010315", "#WithComments"),
            1 => ("http://www.w3.org/2001/10/xml-exc-c14n#", "WithComments"),
            _ => ("http://www.w3.org/2006/12/xml-c14n11", "#WithComments"),
        };
        if self.comments { [uri, fragment].concat() } else { uri.to_owned() }
    }

    fn expression(&self) -> Option<String> {
        let inside = |id| format!("ancestor-or-self::*[@Id='{id}']");
        let nodes = self.node_set.clone().or_else(|| self.id.as_ref().map(inside))?;
        Some(format!("(//. | //@* | //namespace::*)[{nodes}]"))
    }
}

impl Libxml2 {
    /// Starts the judge.
    #[must_use]
    pub fn start() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracles/python/c14n.py");
        let mut child = Command::new("python3")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python and libxml2 are needed: tests/oracles/install.sh installs them");
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self(stdin, BufReader::new(stdout), child)
    }

    /// Returns the canonical form, or `None` if libxml2 rejects the document.
    pub fn canonicalise(&mut self, question: &Question, document: &[u8]) -> Option<Vec<u8>> {
        let prefixes = match question.prefixes.as_slice() {
            [] => "-".to_owned(),
            prefixes => prefixes.join(","),
        };
        let expression = question.expression();
        let expression = expression.map_or("-".into(), |text| base64::encode(text.as_bytes()));
        let answer = self.ask(&format!(
            "{} {} {prefixes} {expression} {}",
            question.mode,
            u8::from(question.comments),
            base64::encode(document)
        ));
        let form = answer.strip_prefix("ok")?;
        Some(base64::decode(form.trim()).expect("libxml2's judge answers in base64"))
    }

    /// Returns the milliseconds for parsing and for canonicalising a file.
    pub fn time(&mut self, mode: u8, document: &Path) -> (f64, f64) {
        let answer = self.ask(&format!("time {mode} {}", document.display()));
        let (parse, canonicalise) = answer.split_once(' ').unwrap();
        (parse.parse().unwrap(), canonicalise.parse().unwrap())
    }

    fn ask(&mut self, line: &str) -> String {
        writeln!(self.0, "{line}").unwrap();
        let mut answer = String::new();
        self.1.read_line(&mut answer).unwrap();
        assert!(!answer.is_empty(), "the process with libxml2 has ended");
        answer.truncate(answer.trim_end().len());
        answer
    }
}

impl Drop for Libxml2 {
    fn drop(&mut self) {
        let _ = self.2.kill();
        let _ = self.2.wait();
    }
}
