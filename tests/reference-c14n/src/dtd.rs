//! The document type declaration (XML 1.0, clauses 2.8, 3.2, 3.3, 4.2 and 4.7).
//! Nothing outside the document is read: a document that needs it is refused.

use std::collections::{HashMap, HashSet};

use crate::Refused;
use crate::characters::{is_public_id_char, is_space};
use crate::input::{Input, Reference, predefined};

/// The declarations of the internal subset.
#[derive(Default)]
pub(crate) struct Dtd {
    /// The general entities with their replacement text. `None` for external and unparsed
    /// ones.
    entities: HashMap<String, Option<Vec<char>>>,
    /// The attributes by the names of their elements, in the order of declaration.
    attributes: HashMap<String, Vec<Declared>>,
}

/// A declared attribute.
#[derive(Clone)]
pub(crate) struct Declared {
    pub(crate) name: String,
    /// Whether its type is not CDATA.
    pub(crate) is_tokenised: bool,
    /// The normalised default value.
    pub(crate) default: Option<String>,
}

/// Maximum number of characters that come out of entities.
const MAX_EXPANSION: usize = 16 << 20;

/// The entities that are being replaced, and the cost of all so far.
#[derive(Default)]
pub(crate) struct Expansion {
    pub(crate) within: Vec<String>,
    spent: usize,
}

impl Dtd {
    /// The declaration of an element's attribute.
    pub(crate) fn attributes(&self, element: &str) -> &[Declared] {
        self.attributes.get(element).map_or(&[], Vec::as_slice)
    }

    /// An entity's replacement text. An entity that is being replaced is an error (clause
    /// 4.1, No Recursion).
    pub(crate) fn replacement(
        &self,
        name: &str,
        expansion: &mut Expansion,
    ) -> Result<Vec<char>, Refused> {
        if expansion.within.iter().any(|outer| outer == name) {
            return Err(format!("the entity {name} within itself"));
        }
        let Some(entity) = self.entities.get(name) else {
            return Err(format!("the entity {name} is not declared"));
        };
        let Some(text) = entity else {
            return Err(format!("the entity {name} is elsewhere or unparsed"));
        };
        expansion.spent += text.len() + 1;
        if expansion.spent > MAX_EXPANSION {
            return Err("more comes out of entities than there is room for".into());
        }
        Ok(text.clone())
    }

    /// The normalised value of an attribute (clause 3.3.3), from the text between its
    /// quotes or from an entity's replacement text.
    pub(crate) fn normalised(
        &self,
        text: Vec<char>,
        expansion: &mut Expansion,
    ) -> Result<String, Refused> {
        let mut value = String::new();
        let mut input = Input::new(text);
        while let Some(c) = input.next() {
            match c {
                '<' => return input.fail("a less-than sign in an attribute value"),
                c if is_space(c) => value.push(' '),
                '&' => match input.reference()? {
                    Reference::Character(c) => value.push(c),
                    Reference::Entity(name) => match predefined(&name) {
                        Some(c) => value.push(c),
                        None => {
                            let text = self.replacement(&name, expansion)?;
                            expansion.within.push(name);
                            value.push_str(&self.normalised(text, expansion)?);
                            expansion.within.pop();
                        }
                    },
                },
                c => value.push(c),
            }
        }
        Ok(value)
    }
}

/// The additional normalisation for types other than CDATA.
pub(crate) fn tokenised(value: &str) -> String {
    let tokens: Vec<&str> = value.split(' ').filter(|token| !token.is_empty()).collect();
    tokens.join(" ")
}

/// `doctypedecl`, after its `<!DOCTYPE`.
pub(crate) fn read(input: &mut Input) -> Result<Dtd, Refused> {
    let mut dtd = Dtd::default();
    input.need_spaces()?;
    input.qualified_name()?;
    input.spaces();
    if input.is_at("SYSTEM") || input.is_at("PUBLIC") {
        return input.fail("a DTD that is elsewhere");
    }
    if input.take("[") {
        while !input.take("]") {
            if !input.spaces() {
                dtd.declaration(input)?;
            }
        }
        input.spaces();
    }
    input.expect(">")?;
    Ok(dtd)
}

impl Dtd {
    fn declaration(&mut self, input: &mut Input) -> Result<(), Refused> {
        if input.take("<!--") {
            return crate::parse::comment(input).map(|_| ());
        }
        if input.take("<?") {
            return crate::parse::instruction(input).map(|_| ());
        }
        if input.take("<!ATTLIST") {
            return self.attribute_list(input);
        }
        if input.take("<!ENTITY") {
            self.entity(input)?;
        } else if input.take("<!ELEMENT") {
            input.need_spaces()?;
            input.qualified_name()?;
            input.need_spaces()?;
            content(input)?;
        } else if input.take("<!NOTATION") {
            input.need_spaces()?;
            input.nc_name()?;
            input.need_spaces()?;
            external_id(input, true)?;
        } else {
            return input.fail("no declaration, or one from a parameter entity");
        }
        input.spaces();
        input.expect(">")
    }

    /// `EntityDecl`
    fn entity(&mut self, input: &mut Input) -> Result<(), Refused> {
        input.need_spaces()?;
        let is_parameter = input.take("%");
        if is_parameter {
            input.need_spaces()?;
        }
        let name = input.nc_name()?;
        input.need_spaces()?;
        let entity = if input.is_at("\"") || input.is_at("'") {
            Some(replacement_text(input.quoted()?)?)
        } else {
            external_id(input, false)?;
            let spaces = input.spaces();
            if !is_parameter && spaces && input.take("NDATA") {
                input.need_spaces()?;
                input.nc_name()?;
            }
            None
        };
        if !is_parameter {
            // The first declaration is binding (clause 4.2).
            self.entities.entry(name).or_insert(entity);
        }
        Ok(())
    }

    /// `AttlistDecl`
    fn attribute_list(&mut self, input: &mut Input) -> Result<(), Refused> {
        input.need_spaces()?;
        let element = input.qualified_name()?;
        loop {
            let spaces = input.spaces();
            if input.take(">") {
                return Ok(());
            }
            if !spaces {
                return input.fail("white space is missing");
            }
            let declared = self.attribute(input)?;
            let list = self.attributes.entry(element.clone()).or_default();
            // The first declaration is binding (clause 3.3).
            if list.iter().all(|known| known.name != declared.name) {
                list.push(declared);
            }
        }
    }

    /// `AttDef`
    fn attribute(&mut self, input: &mut Input) -> Result<Declared, Refused> {
        let name = input.qualified_name()?;
        input.need_spaces()?;
        let mut is_tokenised = true;
        if input.is_at("(") {
            alternatives(input, Input::token)?;
        } else {
            match input.token()?.as_str() {
                "CDATA" => is_tokenised = false,
                "NOTATION" => {
                    input.need_spaces()?;
                    alternatives(input, Input::nc_name)?;
                }
                "ID" | "IDREF" | "IDREFS" | "ENTITY" | "ENTITIES" | "NMTOKEN" | "NMTOKENS" => {}
                _ => return input.fail("no type of attributes"),
            }
        }
        input.need_spaces()?;
        let default = if input.take("#REQUIRED") || input.take("#IMPLIED") {
            None
        } else {
            if input.take("#FIXED") {
                input.need_spaces()?;
            }
            let text = input.quoted()?.chars().collect();
            let value = self.normalised(text, &mut Expansion::default())?;
            Some(if is_tokenised { tokenised(&value) } else { value })
        };
        Ok(Declared { name, is_tokenised, default })
    }
}

/// The replacement text of an internal entity (clause 4.5). Character references are
/// replaced, and entity references stay.
fn replacement_text(literal: String) -> Result<Vec<char>, Refused> {
    let mut input = Input::new(literal.chars().collect());
    let mut text = Vec::new();
    while let Some(c) = input.next() {
        match c {
            '%' => return input.fail("a parameter entity within a declaration"),
            '&' => match input.reference()? {
                Reference::Character(c) => text.push(c),
                Reference::Entity(name) => text.extend(format!("&{name};").chars()),
            },
            c => text.push(c),
        }
    }
    Ok(text)
}

/// `ExternalID`, or for a notation also `PublicID`.
fn external_id(input: &mut Input, is_notation: bool) -> Result<(), Refused> {
    if input.take("SYSTEM") {
        input.need_spaces()?;
        return input.quoted().map(|_| ());
    }
    input.expect("PUBLIC")?;
    input.need_spaces()?;
    if !input.quoted()?.chars().all(is_public_id_char) {
        return input.fail("no public identifier");
    }
    let spaces = input.spaces();
    let is_quoted = input.is_at("\"") || input.is_at("'");
    match (is_quoted, spaces) {
        (true, true) => input.quoted().map(|_| ()),
        (false, _) if is_notation => Ok(()),
        _ => input.fail("a system identifier is missing"),
    }
}

/// `(a | b)`
fn alternatives(
    input: &mut Input,
    one: fn(&mut Input) -> Result<String, Refused>,
) -> Result<(), Refused> {
    input.expect("(")?;
    loop {
        input.spaces();
        one(input)?;
        input.spaces();
        if input.take(")") {
            return Ok(());
        }
        input.expect("|")?;
    }
}

/// `contentspec`
fn content(input: &mut Input) -> Result<(), Refused> {
    if input.take("EMPTY") || input.take("ANY") {
        return Ok(());
    }
    input.expect("(")?;
    input.spaces();
    if !input.take("#PCDATA") {
        return particles(input);
    }
    let mut names = HashSet::new();
    loop {
        input.spaces();
        if input.take(")") {
            break;
        }
        input.expect("|")?;
        input.spaces();
        names.insert(input.qualified_name()?);
    }
    if input.take("*") || names.is_empty() {
        return Ok(());
    }
    input.fail("names beside text need an asterisk")
}

/// `choice` or `seq`, after the parenthesis. The separators of the open ones are kept in a
/// list and not by recursion: a document can consist of parentheses only.
fn particles(input: &mut Input) -> Result<(), Refused> {
    let mut separators: Vec<Option<char>> = vec![None];
    loop {
        input.spaces();
        if input.take("(") {
            separators.push(None);
            continue;
        }
        input.qualified_name()?;
        occurrence(input);
        loop {
            input.spaces();
            let Some(separator) = separators.last_mut() else { return Ok(()) };
            match input.next() {
                Some(')') => {
                    separators.pop();
                    occurrence(input);
                    if separators.is_empty() {
                        return Ok(());
                    }
                }
                Some(c @ ('|' | ',')) if separator.is_none_or(|known| known == c) => {
                    *separator = Some(c);
                    break;
                }
                _ => return input.fail("no content model"),
            }
        }
    }
}

fn occurrence(input: &mut Input) {
    let _ = input.take("?") || input.take("*") || input.take("+");
}
