//! Transforms (XML Signature, clauses 4.4.3.2 and 6.6; XPath Filter 2.0): the steps
//! from the data that a reference names to the digested octets.
//!
//! All transforms of a reference become one plan, so that the document is read only
//! once.

use crate::c14n::{
    Canonicalization, Expression, Here, HereElement, MAX_STEPS, Selection, SetOperation, Target,
};
use crate::error::Error;
use crate::namespaces::{BASE64, DS, ENVELOPED, EXCLUSIVE, FILTER2, XPATH};

use super::decode::Decoder;
use super::tree::Element;

/// Maximum number of transforms of one reference.
const MAX_TRANSFORMS: usize = 16;

/// How octets are made of a document.
#[derive(Clone, Debug, PartialEq)]
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

/// The way from the data that a reference names to the digested octets. Where a
/// transform needs nodes and the one before it returns octets, these are parsed
/// (XML Signature, clause 4.4.3.2).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Chain {
    /// Applied to the data.
    pub(crate) first: Plan,
    /// Each is applied to the octets that the plan before it returns.
    pub(crate) then: Vec<Plan>,
}

/// The transforms so far, and the result of the last one.
#[derive(Default)]
struct Transformed {
    plans: Vec<Plan>,
    /// The nodes; `None` for octets.
    nodes: Option<Selection>,
}

impl Chain {
    /// The chain for nodes of the signature's own document. `last` is the canonical form of
    /// nodes that no transform makes octets of.
    pub(crate) fn of_nodes(
        nodes: Selection,
        transforms: Option<&Element>,
        signature: &Element,
        last: &Canonicalization,
    ) -> Result<Self, Error> {
        let data = Transformed { plans: Vec::new(), nodes: Some(nodes) };
        Self::new(data, transforms, Some(signature), last)
    }

    /// The chain for the octets of another document. `last` as for
    /// [`of_nodes`](Self::of_nodes).
    pub(crate) fn of_octets(
        transforms: Option<&Element>,
        last: &Canonicalization,
    ) -> Result<Self, Error> {
        Self::new(Transformed::default(), transforms, None, last)
    }

    /// Whether comments are digested.
    pub(crate) fn has_comments(&self) -> bool {
        self.first.has_comments() && self.then.iter().all(Plan::has_comments)
    }

    fn new(
        mut data: Transformed,
        transforms: Option<&Element>,
        signature: Option<&Element>,
        last: &Canonicalization,
    ) -> Result<Self, Error> {
        let all = transforms.map(|transforms| transforms.children.as_slice()).unwrap_or_default();
        if let Some(next) = all.get(MAX_TRANSFORMS) {
            return Err(not_applicable(algorithm(next), "there are more than 16 transforms"));
        }
        for transform in all {
            data.apply(transform, signature)?;
        }
        if let Some(nodes) = data.nodes.take() {
            data.plans.push(Plan::Canonical(nodes, last.clone()));
        }
        let mut plans = data.plans.into_iter();
        Ok(Self { first: plans.next().unwrap_or(Plan::Octets), then: plans.collect() })
    }
}

impl From<Plan> for Chain {
    fn from(first: Plan) -> Self {
        Self { first, then: Vec::new() }
    }
}

impl Plan {
    const fn has_comments(&self) -> bool {
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
}

impl Transformed {
    fn apply(&mut self, transform: &Element, signature: Option<&Element>) -> Result<(), Error> {
        let name = algorithm(transform);
        // Octets that are parsed again are another document than the signature's.
        let signature = signature.filter(|_| self.plans.is_empty());
        if let Ok(method) = Canonicalization::from_uri(name) {
            let method = with_prefix_list(method, transform);
            // The same canonicalisation twice has the same result.
            let again =
                matches!(self.plans.last(), Some(Plan::Canonical(_, last)) if *last == method);
            if self.nodes.is_some() || !again {
                let nodes = self.take_nodes();
                self.plans.push(Plan::Canonical(nodes, method));
            }
            return Ok(());
        }
        let unknown = || Error::UnknownExpression { algorithm: name.to_owned() };
        match name {
            ENVELOPED => {
                let why = "its input does not contain the signature";
                let signature = signature.ok_or_else(|| not_applicable(name, why))?;
                let nodes = self.take_nodes();
                self.nodes = Some(nodes.without(Target::At(signature.place.start)));
            }
            BASE64 => {
                let decoded = self.nodes.take().map_or(Plan::Decoded, Plan::DecodedText);
                self.plans.push(decoded);
            }
            XPATH => {
                let xpath = transform.only(DS, "XPath").ok_or_else(unknown)?;
                let here = signature.map(|signature| here(signature, xpath));
                let filtered = self.take_nodes().where_true(expression(xpath, here.as_ref()));
                self.nodes = Some(within_steps(filtered.ok_or_else(unknown)?, name)?);
            }
            FILTER2 => {
                let all = transform.children.as_slice();
                let heres: Vec<Option<Here>> =
                    all.iter().map(|xpath| signature.map(|it| here(it, xpath))).collect();
                let step = |(xpath, here)| filter2_step(xpath, here);
                let steps: Option<Vec<_>> =
                    all.iter().zip(heres.iter().map(Option::as_ref)).map(step).collect();
                let steps = steps.filter(|steps| !steps.is_empty()).ok_or_else(unknown)?;
                let filtered = self.take_nodes().filtered_by(&steps).ok_or_else(unknown)?;
                self.nodes = Some(within_steps(filtered, name)?);
            }
            _ => {
                let algorithm = name.chars().take(200).collect();
                return Err(Error::UnknownTransform { algorithm });
            }
        }
        Ok(())
    }

    /// The nodes of a transform's input. Octets are parsed as a document.
    fn take_nodes(&mut self) -> Selection {
        self.nodes.take().unwrap_or_else(Selection::document)
    }
}

fn within_steps(nodes: Selection, algorithm: &str) -> Result<Selection, Error> {
    if nodes.steps() > MAX_STEPS {
        return Err(not_applicable(algorithm, "there are more than 63 steps"));
    }
    Ok(nodes)
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

fn filter2_step<'e>(
    xpath: &'e Element,
    here: Option<&'e Here>,
) -> Option<(SetOperation, Expression<'e>)> {
    if !xpath.is(FILTER2, "XPath") {
        return None;
    }
    let operation = match xpath.attribute("Filter")? {
        "intersect" => SetOperation::Intersect,
        "subtract" => SetOperation::Subtract,
        "union" => SetOperation::Union,
        _ => return None,
    };
    Some((operation, expression(xpath, here)))
}

fn expression<'e>(xpath: &'e Element, here: Option<&'e Here>) -> Expression<'e> {
    Expression { text: &xpath.text, prefixes: &xpath.prefixes, here }
}

/// The elements from an `XPath` element up to the signature that it is in.
fn here(signature: &Element, xpath: &Element) -> Here {
    let mut chain = Vec::new();
    let mut next = Some(signature);
    while let Some(element) = next {
        chain.push(HereElement {
            namespace: element.namespace.clone(),
            local_name: element.local_name.clone(),
            start: element.place.start,
        });
        let around = |child: &&Element| {
            child.place.start <= xpath.place.start && xpath.place.end <= child.place.end
        };
        next = element.children.iter().find(around);
    }
    chain.reverse();
    Here(chain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::c14n::IdAttributes;
    use crate::verify::tree::of_fragment;

    /// A signature with these transforms, as pairs of algorithm and content.
    fn signature(transforms: &[(&str, &str)]) -> Element {
        let transform = |(algorithm, content): &(&str, &str)| {
            format!("<Transform Algorithm='{algorithm}'>{content}</Transform>")
        };
        let all: String = transforms.iter().map(transform).collect();
        let fragment = format!(
            "<Signature xmlns='{DS}' xmlns:ds='{DS}' xmlns:x='urn:x'>\
             <SignedInfo/><SignedInfo><Transforms>{all}</Transforms></SignedInfo></Signature>"
        );
        of_fragment(fragment.as_bytes(), &IdAttributes::default()).unwrap()
    }

    fn transforms(signature: &Element) -> Option<&Element> {
        signature.children.last()?.child(DS, "Transforms")
    }

    /// The chain for the whole document.
    fn chain(all: &[(&str, &str)]) -> Result<Chain, Error> {
        let signature = signature(all);
        Chain::of_nodes(
            Selection::document(),
            transforms(&signature),
            &signature,
            &Canonicalization::C14N_1_0,
        )
    }

    /// The chain for another document.
    fn elsewhere(all: &[(&str, &str)]) -> Result<Chain, Error> {
        Chain::of_octets(transforms(&signature(all)), &Canonicalization::C14N_1_0)
    }

    fn xpath(expression: &str) -> Result<Chain, Error> {
        chain(&[(XPATH, &format!("<XPath>{expression}</XPath>"))])
    }

    fn filter2(filter: &str, expression: &str) -> Result<Chain, Error> {
        let content = format!("<XPath xmlns='{FILTER2}' Filter='{filter}'>{expression}</XPath>");
        chain(&[(FILTER2, &content)])
    }

    /// The canonicalisation that is the only plan of the chain.
    #[track_caller]
    fn only_method(chain: Result<Chain, Error>) -> Canonicalization {
        match chain.map(|Chain { first, then }| (first, then.len())) {
            Ok((Plan::Canonical(_, method), 0)) => method,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn unknown_transforms_and_expressions_are_refused() {
        let xslt = "http://www.w3.org/TR/1999/REC-xslt-19991116";
        let refused = chain(&[(ENVELOPED, ""), (xslt, "<x/>")]);
        assert!(
            matches!(&refused, Err(Error::UnknownTransform { algorithm }) if algorithm == xslt)
        );
        assert!(refused.unwrap_err().to_string().contains("xslt"));
        let nested = format!("{}true(){}", "not(".repeat(30), ")".repeat(30));
        let many: Vec<String> = (0..65).map(|n| format!("ancestor::a{n}")).collect();
        for expression in [
            "",
            "true(",
            "not(ancestor-or-self::unbound:Signature)",
            "not(ancestor-or-self::ds:a:b)",
            "ancestor-or-self::ds:Object[last()]",
            "ancestor-or-self::ds:Object[2]",
            "ancestor-or-self::ds:Object[ds:a]",
            "child::ds:Object",
            "descendant::ds:Object",
            "preceding-sibling::ds:Object",
            "/ds:Object",
            "id('a')",
            "here()",
            "$x",
            "@a + 1",
            "@a = 1",
            "@a = @b",
            "string-length(@a) &gt; 2",
            "lang('en')",
            "(ancestor::a)[1]",
            "count(ancestor::a) = 2",
            "count(ancestor::a | here()/ancestor::a[1]) = count(ancestor::a)",
            "count(ancestor-or-self::ds:a | here()/ancestor::x:unknown[1]) &gt; \
             count(ancestor-or-self::ds:a)",
            "count(ancestor-or-self::ds:a | here()/ancestor::node()) &gt; \
             count(ancestor-or-self::ds:a)",
            &nested,
            &many.join(" or "),
        ] {
            let refused = xpath(expression);
            assert!(matches!(refused, Err(Error::UnknownExpression { .. })), "{expression}");
        }
        for (filter, expression) in [
            ("subtract", "ds:Signature"),
            ("subtract", "."),
            ("subtract", "/ds:Signature/.."),
            ("subtract", "//ds:Signature[last()]"),
            ("subtract", "//node()[1]"),
            ("subtract", "/ds:a//ds:b/descendant::ds:c[1]"),
            ("subtract", "//ds:a[1] | //ds:b[1] | //ds:c[1] | //ds:d[1] | //ds:e[1]"),
            ("subtract", "//@Id"),
            ("subtract", "id(\"a b\")"),
            ("subtract", "id(x)"),
            ("subtract", "here()/ancestor::x:unknown[1]"),
            ("subtract", "here()/ancestor::ds:Signature[2]"),
            ("subtract", "/descendant::ds:"),
            ("subtract", "true()"),
            ("difference", "//ds:Signature"),
        ] {
            let refused = filter2(filter, expression);
            assert!(matches!(refused, Err(Error::UnknownExpression { .. })), "{expression}");
        }
        assert!(matches!(chain(&[(FILTER2, "")]), Err(Error::UnknownExpression { .. })));
        assert!(matches!(chain(&[(XPATH, "")]), Err(Error::UnknownExpression { .. })));
    }

    #[test]
    fn octets_are_parsed_where_a_transform_needs_nodes() {
        let c14n11 = Canonicalization::C14N_1_1;
        // Nodes at the end are digested in Canonical XML 1.0.
        assert_eq!(only_method(chain(&[])), Canonicalization::C14N_1_0);
        assert_eq!(only_method(chain(&[(ENVELOPED, "")])), Canonicalization::C14N_1_0);
        assert_eq!(only_method(chain(&[(c14n11.uri(), ""), (c14n11.uri(), "")])), c14n11);
        assert!(matches!(chain(&[(BASE64, "")]).unwrap().first, Plan::DecodedText(_)));
        assert!(matches!(elsewhere(&[]).unwrap().first, Plan::Octets));
        assert!(matches!(elsewhere(&[(BASE64, "")]).unwrap().first, Plan::Decoded));
        assert_eq!(only_method(elsewhere(&[(c14n11.uri(), "")])), c14n11);

        let exclusive = Canonicalization::EXCLUSIVE.uri();
        let condition = "<XPath>not(ancestor-or-self::ds:Signature)</XPath>";
        for (again, plans) in [
            (vec![(c14n11.uri(), ""), (exclusive, "")], 2),
            (vec![(exclusive, ""), (XPATH, condition)], 2),
            (vec![(exclusive, ""), (XPATH, condition), (exclusive, ""), (exclusive, "")], 2),
            (vec![(BASE64, ""), (c14n11.uri(), "")], 2),
            (vec![(BASE64, ""), (BASE64, ""), (c14n11.uri(), "")], 3),
        ] {
            let Chain { then, .. } = chain(&again).unwrap();
            assert_eq!(then.len() + 1, plans, "{again:?}");
        }
        // Another document, and octets that are parsed, do not contain the signature.
        let here = "<XPath xmlns='http://www.w3.org/2002/06/xmldsig-filter2' \
             Filter='subtract'>here()/ancestor::ds:Signature[1]</XPath>";
        assert!(chain(&[(FILTER2, here)]).is_ok());
        for refused in [
            elsewhere(&[(ENVELOPED, "")]),
            chain(&[(c14n11.uri(), ""), (ENVELOPED, "")]),
            chain(&[(c14n11.uri(), ""), (FILTER2, here)]),
            chain(&vec![(ENVELOPED, ""); 17]),
        ] {
            assert!(
                matches!(
                    refused,
                    Err(Error::TransformNotApplicable { .. } | Error::UnknownExpression { .. })
                ),
                "{refused:?}"
            );
        }
    }

    #[test]
    fn the_prefix_list_counts_in_exclusive_forms() {
        let list = format!("<InclusiveNamespaces xmlns='{EXCLUSIVE}' PrefixList='a #default'/>");
        let method = |uri| only_method(chain(&[(uri, &list)]));
        let exclusive = Canonicalization::EXCLUSIVE;
        assert_eq!(method(exclusive.uri()), exclusive.with_prefix_list("a #default"));
        assert_eq!(method(Canonicalization::C14N_1_0.uri()), Canonicalization::C14N_1_0);
    }
}
