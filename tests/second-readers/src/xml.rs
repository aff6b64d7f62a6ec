//! XML documents, as quick-xml reads them.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event as Theirs};
use xades::xml::{Event as Ours, Reader};

/// A piece of a document. Adjacent pieces of text are one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// A start tag.
    Start {
        /// The name as it is written.
        name: String,
        /// Names as they are written, normalised values, sorted; without
        /// namespace declarations.
        attributes: Vec<(String, String)>,
        /// Where the tag begins, in octets.
        start: u64,
        /// Where the tag ends.
        end: u64,
    },
    /// The end of an element.
    End {
        /// The name as it is written.
        name: String,
        /// Where the element ends, in octets.
        end: u64,
    },
    /// Text, with references expanded.
    Text(String),
    /// A comment.
    Comment(String),
    /// A processing instruction: target and data.
    Instruction(String, String),
}

/// Whether both readers find the same pieces. `None` if ours refuses the document,
/// or if it is of a kind that quick-xml does not read as a validating reader would:
/// not UTF-8, or with a document type declaration, whose entities and default
/// attributes quick-xml leaves to its caller.
///
/// # Errors
/// The first difference.
pub fn compare(octets: &[u8]) -> Result<Option<usize>, String> {
    let Ok(text) = std::str::from_utf8(octets) else { return Ok(None) };
    if text.contains("<!DOCTYPE") || text.starts_with('\u{FEFF}') || !is_utf8(text) {
        return Ok(None);
    }
    let Ok(ours) = ours(octets) else { return Ok(None) };
    let theirs = theirs(text).map_err(|error| format!("quick-xml refuses it: {error}"))?;
    for (ours, theirs) in ours.iter().zip(&theirs) {
        if ours != theirs {
            return Err(format!("ours: {ours:?}\nquick-xml: {theirs:?}"));
        }
    }
    if ours.len() == theirs.len() {
        Ok(Some(ours.len()))
    } else {
        Err(format!("ours has {} pieces, quick-xml {}", ours.len(), theirs.len()))
    }
}

/// Whether the XML declaration, if any, names no encoding but UTF-8.
fn is_utf8(text: &str) -> bool {
    let declaration = text.strip_prefix("<?xml").and_then(|rest| rest.split("?>").next());
    declaration.is_none_or(|declaration| {
        !declaration.contains("encoding") || declaration.to_ascii_lowercase().contains("utf-8")
    })
}

/// The pieces that our reader finds.
///
/// # Errors
/// Why it refuses the document.
pub fn ours(octets: &[u8]) -> Result<Vec<Token>, xades::Error> {
    let mut reader = Reader::from_slice(octets)?;
    let mut tokens = Vec::new();
    let mut open = (String::new(), String::new());
    while let Some(event) = reader.next_event()? {
        match event {
            Ours::StartElement(element) => {
                let attributes = element.attributes();
                let mut attributes: Vec<(String, String)> = attributes
                    .map(|attribute| (string(attribute.qualified_name), string(attribute.value)))
                    .collect();
                attributes.sort();
                let (name, tag) = (string(element.qualified_name()), element.tag());
                tokens.push(Token::Start { name, attributes, start: tag.start, end: tag.end });
            }
            Ours::EndElement(element) => tokens.push(Token::End {
                name: string(element.qualified_name()),
                end: element.span().whole().end,
            }),
            Ours::Text(text) => push_text(&mut tokens, &string(text.as_bytes())),
            Ours::CommentText(piece) => open.1.push_str(&string(piece)),
            Ours::CommentEnd => tokens.push(Token::Comment(std::mem::take(&mut open.1))),
            Ours::InstructionStart(target) => open.0 = string(target),
            Ours::InstructionData(piece) => open.1.push_str(&string(piece)),
            Ours::InstructionEnd => {
                let (target, data) = std::mem::take(&mut open);
                tokens.push(Token::Instruction(target, data));
            }
            _ => {}
        }
    }
    Ok(tokens)
}

/// The pieces that quick-xml finds.
///
/// # Errors
/// Why it refuses the document.
pub fn theirs(text: &str) -> Result<Vec<Token>, quick_xml::Error> {
    let mut reader = quick_xml::Reader::from_str(text);
    let mut tokens = Vec::new();
    let mut depth = 0_usize;
    loop {
        let start = reader.buffer_position();
        let event = reader.read_event()?;
        let end = reader.buffer_position();
        match event {
            Theirs::Start(tag) => {
                tokens.push(start_token(&tag, start, end)?);
                depth += 1;
            }
            Theirs::Empty(tag) => {
                tokens.push(start_token(&tag, start, end)?);
                tokens.push(Token::End { name: tag.name().as_ref().into(), end });
            }
            Theirs::End(tag) => {
                tokens.push(Token::End { name: tag.name().as_ref().into(), end });
                depth = depth.saturating_sub(1);
            }
            // Outside of the root element there is white space only.
            Theirs::Text(_) if depth == 0 => {}
            Theirs::Text(text) => push_text(&mut tokens, &text.xml10_content()),
            Theirs::CData(text) => push_text(&mut tokens, &text.xml10_content()),
            Theirs::GeneralRef(reference) => {
                let character = reference.resolve_char_ref()?;
                let text = match &*reference.xml10_content() {
                    "amp" => "&".to_owned(),
                    "lt" => "<".to_owned(),
                    "gt" => ">".to_owned(),
                    "quot" => "\"".to_owned(),
                    "apos" => "'".to_owned(),
                    name => character.map_or_else(|| format!("&{name};"), String::from),
                };
                push_text(&mut tokens, &text);
            }
            Theirs::Comment(text) => tokens.push(Token::Comment(text.xml10_content().into())),
            Theirs::PI(instruction) => {
                let data = instruction.content().trim_start_matches([' ', '\t', '\r', '\n']);
                let data = data.replace("\r\n", "\n").replace('\r', "\n");
                tokens.push(Token::Instruction(instruction.target().to_owned(), data));
            }
            Theirs::Decl(_) | Theirs::DocType(_) => {}
            Theirs::Eof => return Ok(tokens),
        }
    }
}

fn start_token(tag: &BytesStart<'_>, start: u64, end: u64) -> Result<Token, quick_xml::Error> {
    let mut attributes = Vec::new();
    for attribute in tag.attributes() {
        let attribute = attribute?;
        let name: String = attribute.key.as_ref().into();
        if name != "xmlns" && !name.starts_with("xmlns:") {
            let value = attribute.normalized_value(XmlVersion::Implicit1_0)?;
            attributes.push((name, value.into_owned()));
        }
    }
    attributes.sort();
    Ok(Token::Start { name: tag.name().as_ref().into(), attributes, start, end })
}

fn push_text(tokens: &mut Vec<Token>, text: &str) {
    if text.is_empty() {
        return;
    }
    match tokens.last_mut() {
        Some(Token::Text(before)) => before.push_str(text),
        _ => tokens.push(Token::Text(text.to_owned())),
    }
}

fn string(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}
