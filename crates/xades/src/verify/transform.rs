//! Transforms (XML Signature, clauses 4.4.3.2 and 6.6; XPath Filter 2.0): the steps
//! from the data that a reference names to the digested octets.
//!
//! All transforms of a reference become one plan, so that the document is read only
//! once.

use crate::c14n::{Canonicalization, MAX_STEPS, Selection, SetOperation, Target};
use crate::error::Error;
use crate::namespaces::{BASE64, DS, ENVELOPED, EXCLUSIVE, FILTER2, XPATH};

use super::decode::Decoder;
use super::tree::Element;

/// Maximum number of transforms of one reference.
const MAX_TRANSFORMS: usize = 16;

/// The way from the data that a reference names to the digested octets.
#[derive(Clone, Debug)]
pub(crate) enum Plan {
    /// The octets of the data.
    Octets,
    /// The octets that the data decodes to as base64 text.
    Decoded,
    /// A canonical form of nodes.
    Canonical(Selection, Canonicalization),
    /// The octets that the text of nodes decodes to as base64.
    DecodedText(Selection),
}

/// The input or output of a transform.
#[derive(Debug)]
enum Data {
    Octets,
    Nodes(Selection),
    Done(Plan),
}

impl Plan {
    /// The plan for nodes of the signature's own document. `here` is the offset of
    /// the signature.
    pub(crate) fn of_nodes(
        nodes: Selection,
        transforms: Option<&Element>,
        here: u64,
    ) -> Result<Self, Error> {
        Self::new(Data::Nodes(nodes), transforms, Some(here))
    }

    /// The plan for the octets of another document.
    pub(crate) fn of_octets(transforms: Option<&Element>) -> Result<Self, Error> {
        Self::new(Data::Octets, transforms, None)
    }

    /// Whether comments are digested.
    pub(crate) const fn has_comments(&self) -> bool {
        match self {
            Self::Octets | Self::Decoded => true,
            Self::Canonical(nodes, method) => nodes.has_comments() && method.comments(),
            Self::DecodedText(_) => false,
        }
    }

    /// A decoder, if the plan decodes base64.
    pub(crate) fn decoder(&self) -> Option<Decoder> {
        matches!(self, Self::Decoded | Self::DecodedText(_)).then(Decoder::default)
    }

    fn new(data: Data, transforms: Option<&Element>, here: Option<u64>) -> Result<Self, Error> {
        let all = transforms.map(|transforms| transforms.children.as_slice()).unwrap_or_default();
        if let Some(last) = all.get(MAX_TRANSFORMS) {
            return Err(not_applicable(algorithm(last), "there are more than 16 transforms"));
        }
        let data = all.iter().try_fold(data, |data, transform| apply(data, transform, here))?;
        Ok(match data {
            Data::Octets => Self::Octets,
            Data::Nodes(nodes) => Self::Canonical(nodes, Canonicalization::C14N_1_0),
            Data::Done(plan) => plan,
        })
    }
}

fn apply(data: Data, transform: &Element, here: Option<u64>) -> Result<Data, Error> {
    let name = algorithm(transform);
    if let Ok(method) = Canonicalization::from_uri(name) {
        let method = with_prefix_list(method, transform);
        return match data {
            // The same canonicalisation twice has the same result.
            Data::Done(Plan::Canonical(nodes, before)) if before == method => {
                Ok(Data::Done(Plan::Canonical(nodes, method)))
            }
            data => Ok(Data::Done(Plan::Canonical(nodes(data, name)?, method))),
        };
    }
    match name {
        ENVELOPED => {
            let why = "its input does not contain the signature";
            let here = here.ok_or_else(|| not_applicable(name, why))?;
            Ok(Data::Nodes(nodes(data, name)?.without(Target::At(here))))
        }
        BASE64 => match data {
            Data::Octets => Ok(Data::Done(Plan::Decoded)),
            data => Ok(Data::Done(Plan::DecodedText(nodes(data, name)?))),
        },
        XPATH => {
            let step = transform
                .only(DS, "XPath")
                .and_then(|xpath| Expression::new(xpath, here).filter())
                .ok_or_else(|| Error::UnknownExpression { algorithm: name.to_owned() })?;
            Ok(Data::Nodes(nodes(data, name)?.filtered([step])))
        }
        FILTER2 => {
            let steps: Option<Vec<_>> =
                transform.children.iter().map(|xpath| filter2_step(xpath, here)).collect();
            let steps = steps.filter(|steps| !steps.is_empty());
            let unknown = || Error::UnknownExpression { algorithm: name.to_owned() };
            let filtered = nodes(data, name)?.filtered(steps.ok_or_else(unknown)?);
            if filtered.steps() > MAX_STEPS {
                return Err(not_applicable(name, "there are more than 63 steps"));
            }
            Ok(Data::Nodes(filtered))
        }
        _ => Err(Error::UnknownTransform { algorithm: name.chars().take(200).collect() }),
    }
}

/// The nodes of a transform's input. Octets are parsed as a document.
fn nodes(data: Data, algorithm: &str) -> Result<Selection, Error> {
    match data {
        Data::Octets => Ok(Selection::document()),
        Data::Nodes(nodes) => Ok(nodes),
        Data::Done(_) => Err(not_applicable(
            algorithm,
            "the output of the transform before it is not parsed again",
        )),
    }
}

fn algorithm(transform: &Element) -> &str {
    transform.attribute("Algorithm").unwrap_or_default()
}

fn not_applicable(algorithm: &str, why: &'static str) -> Error {
    Error::TransformNotApplicable { algorithm: algorithm.chars().take(200).collect(), why }
}

/// The method with the prefix list in its element.
pub(crate) fn with_prefix_list(method: Canonicalization, element: &Element) -> Canonicalization {
    let list = element.child(EXCLUSIVE, "InclusiveNamespaces");
    let list = list.and_then(|list| list.attribute("PrefixList"));
    match list.filter(|_| method.is_exclusive()) {
        Some(prefixes) => method.with_prefix_list(prefixes),
        None => method,
    }
}

fn filter2_step(xpath: &Element, here: Option<u64>) -> Option<(SetOperation, Target)> {
    if !xpath.is(FILTER2, "XPath") {
        return None;
    }
    let operation = match xpath.attribute("Filter")? {
        "intersect" => SetOperation::Intersect,
        "subtract" => SetOperation::Subtract,
        "union" => SetOperation::Union,
        _ => return None,
    };
    Some((operation, Expression::new(xpath, here).elements()?))
}

/// An XPath expression as a list of words. Only expressions that are usual in
/// signatures are supported.
struct Expression<'e> {
    words: Vec<&'e str>,
    prefixes: &'e [(String, String)],
    here: Option<u64>,
}

impl<'e> Expression<'e> {
    fn new(xpath: &'e Element, here: Option<u64>) -> Self {
        Self { words: words(&xpath.text).unwrap_or_default(), prefixes: &xpath.prefixes, here }
    }

    /// The step for a condition on each node (XML Signature, clause 6.6.3) that is
    /// true inside some elements, or outside of them.
    fn filter(&self) -> Option<(SetOperation, Target)> {
        const SELF: &str = "ancestor-or-self::";
        let named = |words: &[&str]| {
            let (name, rest) = words.split_first()?;
            self.some(name.strip_prefix(SELF)?, rest)
        };
        match self.words.as_slice() {
            ["not", "(", inner @ .., ")"] => Some((SetOperation::Subtract, named(inner)?)),
            // XML Signature, clause 6.6.4: equivalent to enveloped-signature.
            [
                "count",
                "(",
                all,
                "|",
                "here",
                "(",
                ")",
                "/",
                around,
                "[",
                "1",
                "]",
                ")",
                ">",
                "count",
                "(",
                again,
                ")",
            ] => {
                let signature = |name: &str| self.is_signature(name).then_some(());
                signature(all.strip_prefix(SELF)?)?;
                signature(around.strip_prefix("ancestor::")?)?;
                signature(again.strip_prefix(SELF)?)?;
                Some((SetOperation::Subtract, Target::At(self.here?)))
            }
            all => Some((SetOperation::Intersect, named(all)?)),
        }
    }

    /// The elements that the expression selects (XPath Filter 2.0, clause 3.2).
    fn elements(&self) -> Option<Target> {
        match self.words.as_slice() {
            ["/", "/", name, rest @ ..] => self.some(name, rest),
            ["/", name, rest @ ..] => self.some(name.strip_prefix("descendant::")?, rest),
            ["here", "(", ")", "/", around, "[", "1", "]"] => {
                let around = around.strip_prefix("ancestor::")?;
                self.is_signature(around).then_some(Target::At(self.here?))
            }
            ["id", "(", id, ")"] => Some(Target::Id(literal(id)?.to_owned())),
            _ => None,
        }
    }

    /// The elements of a name, or those of them with a certain `Id`.
    fn some(&self, name: &str, predicate: &[&str]) -> Option<Target> {
        match (predicate, self.named(name)?) {
            ([], named) => Some(named),
            (["[", "@", "Id", "=", id, "]"], Target::Named { namespace, local_name, .. }) => {
                let id = literal(id)?.to_owned();
                Some(Target::NamedWithId { namespace, local_name, id })
            }
            _ => None,
        }
    }

    fn is_signature(&self, name: &str) -> bool {
        self.named(name) == Some(Target::all_signatures())
    }

    /// The elements of a name. A name without prefix is in no namespace.
    fn named(&self, name: &str) -> Option<Target> {
        let (prefix, local_name) = name.split_once(':').unwrap_or(("", name));
        let begins = |c: char| c.is_alphabetic() || c == '_' || !c.is_ascii();
        if !local_name.starts_with(begins) || local_name.contains(':') {
            return None;
        }
        let namespace = if prefix.is_empty() {
            if name.contains(':') {
                return None;
            }
            ""
        } else {
            let bound = self.prefixes.iter().find(|(bound, _)| bound == prefix);
            bound.map(|(_, namespace)| namespace.as_str())?
        };
        let (namespace, local_name) = (namespace.to_owned(), local_name.to_owned());
        Some(Target::Named { namespace, local_name, nth: None })
    }
}

/// The value of a string literal. An Id contains no white space.
fn literal(word: &str) -> Option<&str> {
    let quoted = |quote| word.strip_prefix(quote).and_then(|word| word.strip_suffix(quote));
    let text = quoted('"').or_else(|| quoted('\''))?;
    let white = |c| matches!(c, ' ' | '\t' | '\r' | '\n');
    (!text.is_empty() && !text.contains(white)).then_some(text)
}

/// Splits an expression into names, literals and single characters.
fn words(mut text: &str) -> Option<Vec<&str>> {
    /// The usual expressions are shorter.
    const MAX_WORDS: usize = 64;

    let mut words = Vec::new();
    let white = [' ', '\t', '\r', '\n'];
    let in_name =
        |c: char| c.is_alphanumeric() || !c.is_ascii() || matches!(c, '-' | '_' | '.' | ':');
    loop {
        text = text.trim_start_matches(white);
        let first = text.chars().next();
        let len = match first {
            None => return Some(words),
            Some(quote @ ('"' | '\'')) => text.get(1..)?.find(quote)? + 2,
            Some(c) if in_name(c) => text.find(|c| !in_name(c)).unwrap_or(text.len()),
            Some(c) => c.len_utf8(),
        };
        let (word, rest) = text.split_at_checked(len)?;
        if words.len() == MAX_WORDS {
            return None;
        }
        words.push(word);
        text = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::c14n::IdAttributes;
    use crate::verify::tree::of_fragment;

    /// The plan for the whole document, from pairs of algorithm and content.
    fn plan(transforms: &[(&str, &str)]) -> Result<Plan, Error> {
        let all = element(transforms);
        Plan::of_nodes(Selection::document(), Some(&all), 7)
    }

    fn element(transforms: &[(&str, &str)]) -> Element {
        let transform = |(algorithm, content): &(&str, &str)| {
            format!("<Transform Algorithm='{algorithm}'>{content}</Transform>")
        };
        let all: String = transforms.iter().map(transform).collect();
        let fragment = format!("<Transforms xmlns='{DS}' xmlns:ds='{DS}'>{all}</Transforms>");
        of_fragment(fragment.as_bytes(), &IdAttributes::default()).unwrap()
    }

    fn xpath(expression: &str) -> Result<Plan, Error> {
        plan(&[(XPATH, &format!("<XPath>{expression}</XPath>"))])
    }

    fn filter2(filter: &str, expression: &str) -> Result<Plan, Error> {
        let content = format!("<XPath xmlns='{FILTER2}' Filter='{filter}'>{expression}</XPath>");
        plan(&[(FILTER2, &content)])
    }

    #[test]
    fn unknown_transforms_and_expressions_are_refused() {
        let xslt = "http://www.w3.org/TR/1999/REC-xslt-19991116";
        let refused = plan(&[(ENVELOPED, ""), (xslt, "<x/>")]);
        assert!(
            matches!(&refused, Err(Error::UnknownTransform { algorithm }) if algorithm == xslt)
        );
        assert!(refused.unwrap_err().to_string().contains("xslt"));
        for expression in [
            "",
            "true()",
            "self::text()",
            "not(ancestor-or-self::unbound:Signature)",
            "not(ancestor-or-self::*)",
            "not(ancestor-or-self::ds:Signature) or true()",
            "not(ancestor-or-self::ds:Signature[1])",
            "not(ancestor-or-self::ds:Object[@Id=x])",
            "ancestor-or-self::ds:Object[@Name='x']",
            "not(ancestor-or-self::ds:a:b)",
            "not(ancestor::ds:Signature)",
            "count(ancestor-or-self::ds:Signature | here()/ancestor::ds:Object[1]) &gt; \
             count(ancestor-or-self::ds:Signature)",
        ] {
            let refused = xpath(expression);
            assert!(matches!(refused, Err(Error::UnknownExpression { .. })), "{expression}");
        }
        for (filter, expression) in [
            ("subtract", "//*"),
            ("subtract", "//."),
            ("subtract", "//ds:Signature[1]"),
            ("subtract", "ds:Signature"),
            ("subtract", "id(\"a b\")"),
            ("subtract", "id(x)"),
            ("subtract", "here()/ancestor::ds:Object[1]"),
            ("subtract", "/descendant::ds:"),
            ("difference", "//ds:Signature"),
        ] {
            let refused = filter2(filter, expression);
            assert!(matches!(refused, Err(Error::UnknownExpression { .. })), "{expression}");
        }
        assert!(matches!(plan(&[(FILTER2, "")]), Err(Error::UnknownExpression { .. })));
        assert!(matches!(plan(&[(XPATH, "")]), Err(Error::UnknownExpression { .. })));
    }

    #[test]
    fn transforms_follow_each_other_only_where_supported() {
        let c14n11 = Canonicalization::C14N_1_1;
        let canonical = |plan| match plan {
            Ok(Plan::Canonical(_, method)) => method,
            other => panic!("{other:?}"),
        };
        // Nodes at the end are digested in Canonical XML 1.0.
        assert_eq!(canonical(plan(&[])), Canonicalization::C14N_1_0);
        assert_eq!(canonical(plan(&[(ENVELOPED, "")])), Canonicalization::C14N_1_0);
        assert_eq!(canonical(plan(&[(c14n11.uri(), ""), (c14n11.uri(), "")])), c14n11);
        assert!(matches!(plan(&[(BASE64, "")]), Ok(Plan::DecodedText(_))));
        let none = Plan::of_octets(None);
        assert!(matches!(none, Ok(Plan::Octets)));
        let decoded = Plan::of_octets(Some(&element(&[(BASE64, "")])));
        assert!(matches!(decoded, Ok(Plan::Decoded)));
        let read = Plan::of_octets(Some(&element(&[(c14n11.uri(), "")])));
        assert!(matches!(read, Ok(Plan::Canonical(..))));
        // Octets that a transform returns are not parsed again.
        let exclusive = Canonicalization::EXCLUSIVE.uri();
        for again in [
            vec![(c14n11.uri(), ""), (ENVELOPED, "")],
            vec![(c14n11.uri(), ""), (exclusive, "")],
            vec![(BASE64, ""), (c14n11.uri(), "")],
            vec![(BASE64, ""), (BASE64, "")],
            vec![(ENVELOPED, ""); 17],
        ] {
            let refused = plan(&again);
            assert!(matches!(refused, Err(Error::TransformNotApplicable { .. })), "{again:?}");
        }
        // Another document does not contain the signature.
        let elsewhere = Plan::of_octets(Some(&element(&[(ENVELOPED, "")])));
        assert!(matches!(elsewhere, Err(Error::TransformNotApplicable { .. })));
    }

    #[test]
    fn the_prefix_list_counts_in_exclusive_forms() {
        let list = format!("<InclusiveNamespaces xmlns='{EXCLUSIVE}' PrefixList='a #default'/>");
        let method = |uri| match plan(&[(uri, &list)]) {
            Ok(Plan::Canonical(_, method)) => method,
            other => panic!("{other:?}"),
        };
        let exclusive = Canonicalization::EXCLUSIVE;
        assert_eq!(method(exclusive.uri()), exclusive.with_prefix_list("a #default"));
        assert_eq!(method(Canonicalization::C14N_1_0.uri()), Canonicalization::C14N_1_0);
    }
}
