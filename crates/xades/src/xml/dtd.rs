//! The document type declaration and its internal subset (XML 1.0, clauses 2.8, 3.2,
//! 3.3, 4.2 and 4.7). Parameter entities may be declared. References to them are
//! refused, because their declarations may be outside the document.

use std::collections::HashMap;
use std::sync::Arc;

use crate::error::ExternalResource;

use super::entities::{Budget, entity_name, normalise, tokenise};
use super::scan::{Cursor, Stop, SyntaxFault, Token, bad, fault};

/// The declarations of the internal subset that the content depends on.
#[derive(Debug, Default)]
pub(crate) struct Dtd {
    entities: HashMap<Box<[u8]>, Entity>,
    attributes: HashMap<Box<[u8]>, AttributeList>,
    /// Whether there is an external subset.
    pub(crate) external: bool,
    /// Whether there is a document type declaration.
    pub(crate) present: bool,
}

/// A general entity.
#[derive(Debug)]
pub(crate) enum Entity {
    /// Internal, with its replacement text.
    Internal(Arc<[u8]>),
    /// External and parsed.
    External,
    /// Unparsed: it has a notation, and content must not refer to it.
    Unparsed,
}

/// The attributes that are declared for one element type.
#[derive(Debug, Default)]
pub(crate) struct AttributeList {
    by_name: HashMap<Box<[u8]>, usize>,
    declared: Vec<Declared>,
    /// The indices of those that have a default value.
    defaults: Vec<usize>,
}

/// One declared attribute.
#[derive(Debug)]
pub(crate) struct Declared {
    pub(crate) name: Box<[u8]>,
    pub(crate) colon: usize,
    /// Whether its type is not CDATA.
    pub(crate) tokenised: bool,
    /// Whether its type is ID.
    pub(crate) id: bool,
    /// The default value, normalised.
    pub(crate) default: Option<Box<[u8]>>,
}

impl Dtd {
    pub(crate) fn entity(&self, name: &[u8]) -> Option<&Entity> {
        self.entities.get(name)
    }

    /// Whether attributes are declared for elements with this prefix.
    pub(crate) fn declares_for(&self, prefix: &[u8]) -> bool {
        self.attributes.keys().any(|name| name.split(|&octet| octet == b':').next() == Some(prefix))
    }

    pub(crate) fn attributes(&self, element: &[u8]) -> Option<&AttributeList> {
        if self.attributes.is_empty() { None } else { self.attributes.get(element) }
    }
}

impl AttributeList {
    pub(crate) fn get(&self, name: &[u8]) -> Option<(usize, &Declared)> {
        let index = *self.by_name.get(name)?;
        Some((index, self.declared.get(index)?))
    }

    /// The attributes that have a default value, with their indices.
    pub(crate) fn defaults(&self) -> impl Iterator<Item = (usize, &Declared)> {
        self.defaults.iter().filter_map(|&index| Some((index, self.declared.get(index)?)))
    }
}

/// Reads a document type declaration, from its `<!DOCTYPE` on. Returns its length and
/// its declarations.
pub(crate) fn read(text: &[u8], budget: &mut Budget) -> Token<(usize, Dtd)> {
    let mut cursor = Cursor::new(text, 0);
    cursor.expect(b"<!DOCTYPE", "a declaration that is not allowed here")?;
    cursor.need_space()?;
    cursor.qname()?;
    let mut dtd = Dtd { present: true, ..Dtd::default() };
    let space = cursor.spaces() > 0;
    if matches!(cursor.peek()?, b'S' | b'P') {
        if !space {
            return bad(cursor.at, "white space is missing");
        }
        external_id(&mut cursor, false)?;
        dtd.external = true;
        cursor.spaces();
    }
    if cursor.skip(b"[")? {
        Subset { cursor: &mut cursor, dtd: &mut dtd, budget }.run()?;
        cursor.spaces();
    }
    cursor.expect(b">", "a malformed document type declaration")?;
    Ok((cursor.at, dtd))
}

struct Subset<'s, 't> {
    cursor: &'s mut Cursor<'t>,
    dtd: &'s mut Dtd,
    budget: &'s mut Budget,
}

impl Subset<'_, '_> {
    fn run(&mut self) -> Token<()> {
        loop {
            self.cursor.spaces();
            match self.cursor.peek()? {
                b']' => {
                    self.cursor.step();
                    return Ok(());
                }
                b'%' => {
                    let what = ExternalResource::ParameterEntity;
                    return fault(self.cursor.at, SyntaxFault::External(what));
                }
                b'<' => self.declaration()?,
                _ => return bad(self.cursor.at, "text in a document type declaration"),
            }
        }
    }

    fn declaration(&mut self) -> Token<()> {
        if self.cursor.skip(b"<!--")? {
            return comment(self.cursor);
        }
        if self.cursor.skip(b"<?")? {
            return instruction(self.cursor);
        }
        if self.cursor.skip(b"<!ATTLIST")? {
            return self.attribute_list();
        }
        if self.cursor.skip(b"<!ELEMENT")? {
            self.cursor.need_space()?;
            self.cursor.qname()?;
            self.cursor.need_space()?;
            content_model(self.cursor)?;
        } else if self.cursor.skip(b"<!ENTITY")? {
            self.entity()?;
        } else if self.cursor.skip(b"<!NOTATION")? {
            self.cursor.need_space()?;
            self.cursor.ncname()?;
            self.cursor.need_space()?;
            external_id(self.cursor, true)?;
        } else {
            return bad(self.cursor.at, "an unknown declaration");
        }
        self.cursor.spaces();
        self.cursor.expect(b">", "a malformed declaration")
    }

    /// Reads an `EntityDecl`, clause 4.2.
    fn entity(&mut self) -> Token<()> {
        self.cursor.need_space()?;
        let parameter = self.cursor.skip(b"%")?;
        if parameter {
            self.cursor.need_space()?;
        }
        let name = self.cursor.ncname()?;
        self.cursor.need_space()?;
        let entity = if matches!(self.cursor.peek()?, b'"' | b'\'') {
            let at = self.cursor.at + 1;
            Entity::Internal(replacement_text(self.cursor.quoted()?, at)?.into())
        } else {
            external_id(self.cursor, false)?;
            let space = self.cursor.spaces() > 0;
            if !parameter && self.cursor.skip(b"NDATA")? {
                if !space {
                    return bad(self.cursor.at, "white space is missing");
                }
                self.cursor.need_space()?;
                self.cursor.ncname()?;
                Entity::Unparsed
            } else {
                Entity::External
            }
        };
        if !parameter {
            // The first declaration is binding (clause 4.2).
            self.dtd.entities.entry(name.into()).or_insert(entity);
        }
        Ok(())
    }

    /// Reads an `AttlistDecl`, clause 3.3.
    fn attribute_list(&mut self) -> Token<()> {
        self.cursor.need_space()?;
        let element = self.cursor.qname()?;
        let element: Box<[u8]> = self.cursor.text.get(element.range()).unwrap_or_default().into();
        loop {
            let spaces = self.cursor.spaces();
            if self.cursor.skip(b">")? {
                return Ok(());
            }
            if spaces == 0 {
                return bad(self.cursor.at, "white space is missing");
            }
            let declared = self.attribute()?;
            let list = self.dtd.attributes.entry(element.clone()).or_default();
            // The first declaration is binding (clause 3.3).
            if !list.by_name.contains_key(&declared.name) {
                list.by_name.insert(declared.name.clone(), list.declared.len());
                if declared.default.is_some() {
                    list.defaults.push(list.declared.len());
                }
                list.declared.push(declared);
            }
        }
    }

    fn attribute(&mut self) -> Token<Declared> {
        let name = self.cursor.qname()?;
        let colon = name.colon;
        let name: Box<[u8]> = self.cursor.text.get(name.range()).unwrap_or_default().into();
        self.cursor.need_space()?;
        let start = self.cursor.at;
        let mut tokenised = true;
        let mut id = false;
        if self.cursor.peek()? == b'(' {
            names(self.cursor, nmtoken)?;
        } else {
            self.cursor.nmtoken()?;
            match self.cursor.since(start) {
                b"CDATA" => tokenised = false,
                b"ID" => id = true,
                b"IDREF" | b"IDREFS" | b"ENTITY" | b"ENTITIES" | b"NMTOKEN" | b"NMTOKENS" => {}
                b"NOTATION" => {
                    self.cursor.need_space()?;
                    names(self.cursor, |cursor| cursor.ncname().map(|_| ()))?;
                }
                _ => return bad(start, "an unknown attribute type"),
            }
        }
        self.cursor.need_space()?;
        let mut default = None;
        let has_none = self.cursor.skip(b"#REQUIRED")? || self.cursor.skip(b"#IMPLIED")?;
        if !has_none {
            if self.cursor.skip(b"#FIXED")? {
                self.cursor.need_space()?;
            }
            let at = self.cursor.at + 1;
            let value = self.cursor.quoted()?;
            let mut normalised = Vec::new();
            normalise(value, at, self.dtd, self.budget, &mut normalised)?;
            if tokenised {
                tokenise(&mut normalised, 0);
            }
            default = Some(normalised.into());
        }
        Ok(Declared { name, colon, tokenised, id, default })
    }
}

/// Reads an `Nmtoken`. Colons have no meaning in it.
fn nmtoken(cursor: &mut Cursor<'_>) -> Token<()> {
    loop {
        cursor.nmtoken()?;
        if cursor.peek()? != b':' {
            return Ok(());
        }
        cursor.step();
    }
}

/// Reads `( a | b )`.
fn names<'t>(cursor: &mut Cursor<'t>, name: impl Fn(&mut Cursor<'t>) -> Token<()>) -> Token<()> {
    cursor.expect(b"(", "a parenthesis is missing")?;
    loop {
        cursor.spaces();
        let start = cursor.at;
        name(cursor)?;
        if cursor.at == start {
            return bad(start, "a name is missing");
        }
        cursor.spaces();
        if cursor.skip(b")")? {
            return Ok(());
        }
        cursor.expect(b"|", "a bar is missing between two names")?;
    }
}

/// Reads a `contentspec`, clauses 3.2.1 and 3.2.2.
fn content_model(cursor: &mut Cursor<'_>) -> Token<()> {
    if cursor.skip(b"EMPTY")? || cursor.skip(b"ANY")? {
        return Ok(());
    }
    cursor.expect(b"(", "a content model is missing")?;
    cursor.spaces();
    if cursor.skip(b"#PCDATA")? {
        return mixed(cursor);
    }
    // The separator inside each open parenthesis, once it is known.
    let mut open = vec![None];
    'item: loop {
        cursor.spaces();
        if cursor.skip(b"(")? {
            open.push(None);
            continue;
        }
        cursor.qname()?;
        occurrence(cursor)?;
        loop {
            cursor.spaces();
            let found = cursor.peek()?;
            cursor.step();
            match (found, open.last_mut()) {
                (b',' | b'|', Some(separator)) if separator.is_none_or(|known| known == found) => {
                    *separator = Some(found);
                    continue 'item;
                }
                (b')', _) => {
                    open.pop();
                    occurrence(cursor)?;
                    if open.is_empty() {
                        return Ok(());
                    }
                }
                _ => return bad(cursor.at - 1, "a malformed content model"),
            }
        }
    }
}

/// Reads the rest of a `Mixed` after its `#PCDATA`.
fn mixed(cursor: &mut Cursor<'_>) -> Token<()> {
    let mut names = false;
    loop {
        cursor.spaces();
        if cursor.skip(b")")? {
            let star = cursor.skip(b"*")?;
            return if names && !star {
                bad(cursor.at, "mixed content with names needs an asterisk")
            } else {
                Ok(())
            };
        }
        cursor.expect(b"|", "malformed mixed content")?;
        cursor.spaces();
        cursor.qname()?;
        names = true;
    }
}

fn occurrence(cursor: &mut Cursor<'_>) -> Token<()> {
    if matches!(cursor.peek()?, b'?' | b'*' | b'+') {
        cursor.step();
    }
    Ok(())
}

/// Reads an `ExternalID`, or for notations also a `PublicID`: clauses 4.2.2 and 4.7.
fn external_id(cursor: &mut Cursor<'_>, system_optional: bool) -> Token<()> {
    if cursor.skip(b"SYSTEM")? {
        cursor.need_space()?;
        cursor.quoted()?;
        return Ok(());
    }
    cursor.expect(b"PUBLIC", "an external identifier is missing")?;
    cursor.need_space()?;
    let at = cursor.at + 1;
    let public = cursor.quoted()?;
    let allowed =
        |octet: &u8| octet.is_ascii_alphanumeric() || b" \r\n-'()+,./:=?;!*#@$_%".contains(octet);
    if let Some(wrong) = public.iter().position(|octet| !allowed(octet)) {
        return bad(at + wrong, "a character that is not allowed in a public identifier");
    }
    let space = cursor.spaces() > 0;
    let quoted = matches!(cursor.peek()?, b'"' | b'\'');
    if system_optional && !quoted {
        return Ok(());
    }
    if !space {
        return bad(cursor.at, "white space is missing");
    }
    cursor.quoted()?;
    Ok(())
}

/// The replacement text of an internal entity (clause 4.5). Character references are
/// expanded, entity references stay, and line ends become line feeds.
fn replacement_text(literal: &[u8], at: usize) -> Token<Vec<u8>> {
    let mut out = Vec::with_capacity(literal.len());
    let mut cursor = Cursor::new(literal, 0);
    while let Some(&octet) = literal.get(cursor.at) {
        let here = cursor.at;
        match octet {
            b'%' => return bad(at + here, "a parameter entity inside a declaration"),
            b'&' if literal.get(here + 1) == Some(&b'#') => {
                let c = cursor.char_reference().or_else(|stop| moved(stop, at, here))?;
                let mut utf8 = [0; 4];
                out.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
            }
            b'&' => {
                entity_name(&mut cursor).or_else(|stop| moved(stop, at, here))?;
                out.extend_from_slice(cursor.since(here));
            }
            b'\r' => {
                if literal.get(here + 1) != Some(&b'\n') {
                    out.push(b'\n');
                }
                cursor.step();
            }
            _ => {
                out.push(octet);
                cursor.step();
            }
        }
    }
    Ok(out)
}

/// Moves a fault in a literal to its place in the declaration. The literal is complete,
/// so a token that is cut off is malformed.
fn moved<T>(stop: Stop, at: usize, here: usize) -> Token<T> {
    match stop {
        Stop::More => bad(at + here, "a malformed reference"),
        Stop::Bad(wrong) => fault(at + wrong.at, wrong.fault),
    }
}

/// Skips the rest of a comment after its `<!--`.
fn comment(cursor: &mut Cursor<'_>) -> Token<()> {
    let rest = cursor.text.get(cursor.at..).unwrap_or_default();
    let len = rest.windows(2).position(|pair| pair == b"--").ok_or(Stop::More)?;
    cursor.at += len + 2;
    cursor.expect(b">", "two hyphens in a comment")
}

/// Skips the rest of a processing instruction after its `<?`.
fn instruction(cursor: &mut Cursor<'_>) -> Token<()> {
    instruction_target(cursor)?;
    let rest = cursor.text.get(cursor.at..).unwrap_or_default();
    let len = rest.windows(2).position(|pair| pair == b"?>").ok_or(Stop::More)?;
    cursor.at += len + 2;
    Ok(())
}

/// Reads a `PITarget`, clause 2.6: a name that is not `xml`, followed by white space or
/// the end of the instruction.
pub(crate) fn instruction_target<'t>(cursor: &mut Cursor<'t>) -> Token<&'t [u8]> {
    let start = cursor.at;
    let target = cursor.ncname()?;
    if target.eq_ignore_ascii_case(b"xml") {
        return bad(start, "an XML declaration after the document's start");
    }
    let rest = cursor.text.get(cursor.at..).unwrap_or_default();
    match rest {
        [b' ' | b'\t' | b'\n' | b'\r', ..] | [b'?', b'>', ..] => Ok(target),
        [] | [b'?'] => Err(Stop::More),
        _ => bad(cursor.at, "white space is missing"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::Limits;

    fn subset(declarations: &str) -> Option<Dtd> {
        let text = format!("<!DOCTYPE a [{declarations}]>");
        let mut budget = Budget::new(&Limits::DEFAULT);
        let (len, dtd) = read(text.as_bytes(), &mut budget).ok()?;
        assert_eq!(len, text.len());
        for cut in 0..text.len() {
            let cut = text.get(..cut).unwrap();
            let again = read(cut.as_bytes(), &mut Budget::new(&Limits::DEFAULT));
            assert!(matches!(again, Err(Stop::More)), "{cut}");
        }
        Some(dtd)
    }

    #[test]
    fn the_first_declaration_of_a_name_is_binding() {
        let dtd = subset(
            "<!ELEMENT a (b?,(c|d)+,e*)*><!ELEMENT b (#PCDATA|c)*>\n<!ELEMENT c EMPTY>\
             <!ATTLIST a x CDATA ' 1 ' y NMTOKENS #FIXED ' 1  2 ' z (p|q:1:) #IMPLIED>\
             <!ATTLIST a x CDATA '2' id ID #REQUIRED n NOTATION (gif) 'gif'>\
             <!ENTITY e '&#60;&f;&#x25;'><!ENTITY e 'no'><!ENTITY u SYSTEM 'u' NDATA gif>\
             <!ENTITY x PUBLIC '-//X' 'x'><!ENTITY % p SYSTEM 'p'><!NOTATION gif PUBLIC 'gif'>\
             <?pi data?><!-- a comment -->",
        )
        .unwrap();
        let list = dtd.attributes(b"a").unwrap();
        let defaults: Vec<_> = list
            .defaults()
            .map(|(_, d)| (d.name.to_vec(), d.default.clone().unwrap().to_vec()))
            .collect();
        let expected =
            [("x", " 1 "), ("y", "1 2"), ("n", "gif")].map(|(a, b)| (a.into(), b.into()));
        assert_eq!(defaults, expected);
        assert!(list.get(b"id").unwrap().1.id);
        assert!(matches!(dtd.entity(b"e"), Some(Entity::Internal(t)) if **t == *b"<&f;%"));
        assert!(matches!(dtd.entity(b"u"), Some(Entity::Unparsed)));
        assert!(matches!(dtd.entity(b"x"), Some(Entity::External)));
        assert!(dtd.entity(b"p").is_none());
    }

    #[test]
    fn malformed_declarations_are_refused() {
        for wrong in [
            "<!ELEMENT a (b,c|d)>",
            "<!ELEMENT a (#PCDATA|b)>",
            "<!ELEMENT a ()>",
            "<!ELEMENT a>",
            "<!ATTLIST a x>",
            "<!ATTLIST a x CDATA>",
            "<!ATTLIST a x (a,b) 'a'>",
            "<!ATTLIST a x CDATA '&e;'>",
            "<!ATTLIST a x CDATA '<'>",
            "<!ATTLIST a xCDATA #IMPLIED>",
            "<!ENTITY e 'x&'>",
            "<!ENTITY e '%p;'>",
            "<!ENTITY e 'x' NDATA n>",
            "<!ENTITY e>",
            "<!ENTITY a:b 'x'>",
            "<!NOTATION n 'x'>",
            "<!NOTATION n PUBLIC '{'>",
            "<!-- a -- b -->",
            "<?xml version='1.0'?>",
            "<![INCLUDE[<!ELEMENT a ANY>]]>",
            "text",
            "%p;",
        ] {
            assert!(subset(wrong).is_none(), "{wrong}");
        }
    }
}
