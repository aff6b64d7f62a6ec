//! Any octets are canonicalised or refused, and a slow reference does the same
//! (`tests/reference-c14n`). The result does not depend on how the octets are split,
//! and the canonical form of a canonical form is the same. quick-xml reads the same
//! names, attributes, text and positions.
#![no_main]

use std::io::Read;

use libfuzzer_sys::fuzz_target;
use reference_c14n::{Algorithm, Kind, Method, Node, NodeSet, Tree};
use xades::Error;
use xades::c14n::{Canonicalization, Selection, Target, canonicalize};
use xades::xml::{Limits, Reader};

/// Hands out at most this many octets at a time.
struct Pieces<'a>(&'a [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let len = buffer.len().min(self.1);
        self.0.read(&mut buffer[..len])
    }
}

fn form(
    reader: Result<Reader<'_>, Error>,
    method: &Canonicalization,
    selection: &Selection,
) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    canonicalize(reader?, method.clone(), selection.clone(), &mut |piece| {
        out.extend_from_slice(piece);
        Ok(())
    })?;
    Ok(out)
}

/// The slow reference takes time: smaller limits than the defaults.
fn limits() -> Limits {
    let mut limits = Limits::DEFAULT;
    limits.depth = 200;
    limits.namespaces = 50;
    limits.attributes = 200;
    limits.expansion = 1 << 16;
    limits.expansion_ratio = 0;
    limits
}

/// The element with the Id `i` without the first signature, or the whole document.
fn nodes(tree: &Tree, part: bool) -> Result<NodeSet, &'static str> {
    const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
    const XML: &str = "http://www.w3.org/XML/1998/namespace";

    if !part {
        return Ok(NodeSet::all(tree));
    }
    let has_id = |node: &Node| {
        let by_name = |local| tree.attribute(*node, "", local) == Some("i");
        let xml_id =
            || tree.attribute(*node, XML, "id").map(|id| id.trim_matches([' ', '\t', '\r', '\n']));
        ["Id", "ID", "id"].into_iter().any(by_name) || xml_id() == Some("i")
    };
    let is_signature = |node: &Node| {
        matches!(tree.kind(*node), Kind::Element(name)
            if name.local == "Signature" && name.namespace == DS)
    };
    let apexes: Vec<Node> = tree.nodes().filter(has_id).collect();
    let [apex] = apexes.as_slice() else { return Err("no such element, or two") };
    let signature = tree.nodes().find(is_signature).ok_or("no signature")?;
    Ok(NodeSet::of(tree, |node| {
        let around: Vec<Node> = tree.ancestors_or_self(node).collect();
        around.contains(apex) && !around.contains(&signature)
    }))
}

fuzz_target!(|octets: &[u8]| {
    let Some((&first, document)) = octets.split_first() else { return };
    let (method, algorithm, with_comments) = match first % 3 {
        0 => (Canonicalization::C14N_1_0.with_comments(), Algorithm::Inclusive10, true),
        1 => (Canonicalization::C14N_1_1, Algorithm::Inclusive11, false),
        _ => (
            Canonicalization::EXCLUSIVE.with_prefix_list("p #default"),
            Algorithm::Exclusive10,
            false,
        ),
    };
    if let Err(difference) = second_readers::xml::compare(document) {
        panic!("{difference}");
    }
    let inclusive_prefixes = vec!["p".to_owned(), String::new()];
    let reference = Method { algorithm, with_comments, inclusive_prefixes };
    let part = Selection::element(Target::Id("i".into())).without(Target::first_signature());
    for selection in [Selection::document(), part] {
        let at_once = form(Reader::from_slice(document), &method, &selection);
        let pieces = Pieces(document, usize::from(first / 3 % 8) + 1);
        let in_pieces = form(Reader::from_read(pieces), &method, &selection);
        assert_eq!(
            at_once.as_ref().map_err(ToString::to_string),
            in_pieces.as_ref().map_err(ToString::to_string)
        );
        if let Ok(once) = &at_once
            && selection.is_document()
        {
            let twice = form(Reader::from_slice(once), &method, &selection).ok();
            assert_eq!(
                twice.as_ref(),
                Some(once),
                "the canonical form of a canonical form is the same"
            );
        }
        let reader = Reader::from_slice(document).map(|reader| reader.with_limits(limits()));
        let ours = form(reader, &method, &selection);
        // National encodings have a target of their own, xml_encodings.
        if matches!(ours, Err(Error::Limit { .. })) || !reference_c14n::reads_encoding_of(document)
        {
            continue;
        }
        let theirs = reference_c14n::parse(document).and_then(|tree| {
            let nodes = nodes(&tree, !selection.is_document())?;
            reference_c14n::canonicalize(&tree, &nodes, &reference)
        });
        let theirs_octets = theirs.as_ref().ok().map(String::as_bytes);
        assert_eq!(ours.as_deref().ok(), theirs_octets, "{ours:?} {theirs:?}");
    }
});
