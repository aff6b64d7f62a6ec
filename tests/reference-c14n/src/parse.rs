//! From octets to a tree: XML 1.0 and Namespaces in XML 1.0, as a
//! non-validating processor that reads the internal subset.

use std::collections::{BTreeMap, HashSet};

use crate::Refused;
use crate::dtd::{self, Dtd, Expansion, tokenised};
use crate::input::{Input, Reference, predefined};
use crate::octets::decode;
use crate::tree::{Kind, Name, Node, Tree};

const XML: &str = "http://www.w3.org/XML/1998/namespace";
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// Reads a document.
///
/// # Errors
/// Why it is not well-formed, or that it needs an external resource.
pub fn parse(octets: &[u8]) -> Result<Tree, Refused> {
    let mut input = Input::new(decode(octets)?);
    if input.is_at("<?xml ") || input.is_at("<?xml\t") || input.is_at("<?xml\n") {
        declaration(&mut input)?;
    }
    let mut parser = Parser {
        tree: Tree::new(),
        dtd: Dtd::default(),
        expansion: Expansion::default(),
        open: Vec::new(),
    };
    parser.miscellaneous(&mut input)?;
    if input.take("<!DOCTYPE") {
        parser.dtd = dtd::read(&mut input)?;
        parser.miscellaneous(&mut input)?;
    }
    if !input.is_at("<") {
        return input.fail("the document element is missing");
    }
    parser.start_tag(&mut input)?;
    if !parser.open.is_empty() {
        parser.content(&mut input, 0)?;
    }
    parser.miscellaneous(&mut input)?;
    if input.peek().is_some() {
        return input.fail("something after the document element");
    }
    Ok(parser.tree)
}

/// `XMLDecl` (clause 2.8).
fn declaration(input: &mut Input) -> Result<(), Refused> {
    let value = |input: &mut Input| {
        input.spaces();
        input.expect("=")?;
        input.spaces();
        input.quoted()
    };
    input.expect("<?xml")?;
    input.need_spaces()?;
    input.expect("version")?;
    if value(input)? != "1.0" {
        return input.fail("a version other than 1.0");
    }
    let mut spaces = input.spaces();
    if spaces && input.take("encoding") {
        let name = value(input)?;
        let rest = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !name.chars().all(rest) {
            return input.fail("no name of an encoding");
        }
        spaces = input.spaces();
    }
    if spaces && input.take("standalone") {
        if !["yes", "no"].contains(&value(input)?.as_str()) {
            return input.fail("standalone is yes or no");
        }
        input.spaces();
    }
    input.expect("?>")
}

/// A comment, after `<!--` (clause 2.5).
pub(crate) fn comment(input: &mut Input) -> Result<String, Refused> {
    let text = input.until("--")?;
    input.expect(">")?;
    Ok(text)
}

/// An instruction, after `<?` (clause 2.6).
pub(crate) fn instruction(input: &mut Input) -> Result<(String, String), Refused> {
    let target = input.nc_name()?;
    if target.eq_ignore_ascii_case("xml") {
        return input.fail("an XML declaration that is not at the start");
    }
    if input.take("?>") {
        return Ok((target, String::new()));
    }
    input.need_spaces()?;
    Ok((target, input.until("?>")?))
}

struct Parser {
    tree: Tree,
    dtd: Dtd,
    expansion: Expansion,
    /// The names of the open elements as their start tags spell them.
    open: Vec<(Node, String)>,
}

impl Parser {
    /// The innermost open element, or the root node.
    fn parent(&self) -> Node {
        self.open.last().map_or(Tree::ROOT, |(node, _)| *node)
    }

    fn put(&mut self, kind: Kind) {
        let parent = self.parent();
        self.tree.add(kind, Some(parent));
    }

    /// `Misc*`
    fn miscellaneous(&mut self, input: &mut Input) -> Result<(), Refused> {
        loop {
            if input.take("<!--") {
                let text = comment(input)?;
                self.put(Kind::Comment(text));
            } else if input.take("<?") {
                let (target, data) = instruction(input)?;
                self.put(Kind::Instruction(target, data));
            } else if !input.spaces() {
                return Ok(());
            }
        }
    }

    /// `content` (clause 3.1) of the open element, or of an entity's replacement text. It
    /// ends with the element that is open at `depth`. The content of an entity ends with
    /// its text, when no element of its own is open.
    fn content(&mut self, input: &mut Input, depth: usize) -> Result<(), Refused> {
        loop {
            if input.peek().is_none() {
                return if self.open.len() == depth && depth > 0 {
                    Ok(())
                } else {
                    input.fail("the text ends in an element")
                };
            }
            if input.take("</") {
                if self.open.len() == depth {
                    return input.fail("an end tag in an entity that has no start tag there");
                }
                self.end_tag(input)?;
                if self.open.is_empty() {
                    return Ok(());
                }
            } else if input.take("<!--") {
                let text = comment(input)?;
                self.put(Kind::Comment(text));
            } else if input.take("<![CDATA[") {
                let text = input.until("]]>")?;
                self.put(Kind::Text(text));
            } else if input.take("<?") {
                let (target, data) = instruction(input)?;
                self.put(Kind::Instruction(target, data));
            } else if input.is_at("<") {
                self.start_tag(input)?;
            } else if input.take("&") {
                self.reference(input)?;
            } else {
                self.text(input)?;
            }
        }
    }

    /// `CharData` (clause 2.4).
    fn text(&mut self, input: &mut Input) -> Result<(), Refused> {
        let mut text = String::new();
        while let Some(c) = input.peek().filter(|c| !matches!(c, '<' | '&')) {
            if input.is_at("]]>") {
                return input.fail("]]> in text");
            }
            text.push(c);
            input.next();
        }
        self.put(Kind::Text(text));
        Ok(())
    }

    /// A reference, after its ampersand (clauses 4.1 and 4.4).
    fn reference(&mut self, input: &mut Input) -> Result<(), Refused> {
        let name = match input.reference()? {
            Reference::Character(c) => {
                self.put(Kind::Text(c.into()));
                return Ok(());
            }
            Reference::Entity(name) => name,
        };
        if let Some(c) = predefined(&name) {
            self.put(Kind::Text(c.into()));
            return Ok(());
        }
        let text = self.dtd.replacement(&name, &mut self.expansion)?;
        self.expansion.within.push(name);
        self.content(&mut Input::new(text), self.open.len())?;
        self.expansion.within.pop();
        Ok(())
    }

    fn end_tag(&mut self, input: &mut Input) -> Result<(), Refused> {
        let name = input.qualified_name()?;
        input.spaces();
        input.expect(">")?;
        match self.open.pop() {
            Some((_, opened)) if opened == name => Ok(()),
            _ => input.fail("an end tag of another name"),
        }
    }

    /// `STag` or `EmptyElemTag` (clause 3.1).
    fn start_tag(&mut self, input: &mut Input) -> Result<(), Refused> {
        input.expect("<")?;
        let element = input.qualified_name()?;
        let declared = self.dtd.attributes(&element).to_vec();
        let mut attributes: Vec<(String, String)> = Vec::new();
        let is_empty = loop {
            let spaces = input.spaces();
            if input.take("/>") {
                break true;
            }
            if input.take(">") {
                break false;
            }
            if !spaces {
                return input.fail("white space is missing");
            }
            let name = input.qualified_name()?;
            input.spaces();
            input.expect("=")?;
            input.spaces();
            let text = input.quoted()?.chars().collect();
            let mut value = self.dtd.normalised(text, &mut self.expansion)?;
            if declared.iter().any(|known| known.name == name && known.is_tokenised) {
                value = tokenised(&value);
            }
            if attributes.iter().any(|(known, _)| *known == name) {
                return input.fail("an attribute twice");
            }
            attributes.push((name, value));
        };
        for known in declared {
            if let Some(value) = known.default
                && attributes.iter().all(|(name, _)| *name != known.name)
            {
                attributes.push((known.name, value));
            }
        }
        let node = self.element(&element, attributes).or_else(|what| input.fail(&what))?;
        if !is_empty {
            self.open.push((node, element));
        }
        Ok(())
    }

    /// The nodes of an element, its names resolved (Namespaces in XML 1.0).
    fn element(
        &mut self,
        element: &str,
        attributes: Vec<(String, String)>,
    ) -> Result<Node, Refused> {
        let mut scope = self.scope();
        let (mut declarations, mut others) = (Vec::new(), Vec::new());
        for (name, value) in attributes {
            match name.strip_prefix("xmlns:") {
                Some(prefix) => declarations.push((prefix.to_owned(), value)),
                None if name == "xmlns" => declarations.push((String::new(), value)),
                None => others.push((name, value)),
            }
        }
        for (prefix, namespace) in declarations {
            declare(&mut scope, prefix, namespace)?;
        }
        let resolve = |name: &str, is_attribute: bool| -> Result<Name, Refused> {
            let (prefix, local) = name.split_once(':').unwrap_or(("", name));
            let namespace = match scope.get(prefix) {
                _ if prefix.is_empty() && is_attribute => "",
                Some(namespace) => namespace.as_str(),
                None if prefix.is_empty() => "",
                None => return Err(format!("the prefix {prefix} is not declared")),
            };
            Ok(Name { prefix: prefix.into(), local: local.into(), namespace: namespace.into() })
        };
        let parent = self.parent();
        let node = self.tree.add(Kind::Element(resolve(element, false)?), Some(parent));
        let mut seen = HashSet::new();
        for (name, value) in others {
            let name = resolve(&name, true)?;
            if !seen.insert((name.namespace.clone(), name.local.clone())) {
                return Err("an attribute twice, by two prefixes".into());
            }
            self.tree.add(Kind::Attribute(name, value), Some(node));
        }
        for (prefix, namespace) in scope {
            self.tree.add(Kind::Namespace(prefix, namespace), Some(node));
        }
        Ok(node)
    }

    /// The namespaces that the open element has in scope.
    fn scope(&self) -> BTreeMap<String, String> {
        let Some((parent, _)) = self.open.last() else {
            return BTreeMap::from([("xml".to_owned(), XML.to_owned())]);
        };
        let namespaces = self.tree.namespaces(*parent).iter();
        let namespace = |node: &Node| match self.tree.kind(*node) {
            Kind::Namespace(prefix, name) => Some((prefix.clone(), name.clone())),
            _ => None,
        };
        namespaces.filter_map(namespace).collect()
    }
}

/// One declaration (Namespaces in XML 1.0, clauses 3 and 5).
fn declare(
    scope: &mut BTreeMap<String, String>,
    prefix: String,
    namespace: String,
) -> Result<(), Refused> {
    if prefix == "xmlns" || namespace == XMLNS {
        return Err("xmlns is declared".into());
    }
    if (prefix == "xml") != (namespace == XML) {
        return Err("the prefix xml and its namespace belong together".into());
    }
    if namespace.is_empty() && !prefix.is_empty() {
        return Err(format!("the prefix {prefix} is undeclared"));
    }
    // The empty default namespace is the absence of a namespace node (XPath
    // 1.0, clause 5.4).
    if namespace.is_empty() {
        scope.remove(&prefix);
    } else {
        scope.insert(prefix, namespace);
    }
    Ok(())
}
