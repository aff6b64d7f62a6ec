//! Our vectors of canonical forms against libxml2.

use ades_tests::c14n::{Algorithm, Part, vectors};
use ades_tests::oracle::libxml2::{Libxml2, Question};

/// An XPath expression that is true for the nodes of a part.
fn node_set(part: Part) -> Option<String> {
    let names = match part {
        Part::Whole => return None,
        Part::Element(name) => return Some(format!("ancestor-or-self::*[local-name()='{name}']")),
        Part::Elements(names) => names,
    };
    let names: Vec<_> = names.iter().map(|name| format!("local-name()='{name}'")).collect();
    let names = names.join(" or ");
    Some(format!(
        "self::*[{names}] or (parent::*[{names}] and not(self::* or self::text() or \
         self::comment() or self::processing-instruction()))"
    ))
}

#[test]
fn libxml2_gives_the_same_forms() {
    let mut judge = Libxml2::start();
    for vector in vectors() {
        for algorithm in vector.algorithms {
            let question = Question {
                mode: match algorithm {
                    Algorithm::C14n10 => 0,
                    Algorithm::Exclusive => 1,
                    Algorithm::C14n11 => 2,
                },
                comments: vector.comments,
                prefixes: vector.prefixes.split_whitespace().map(str::to_owned).collect(),
                id: None,
                node_set: node_set(vector.part),
            };
            let what = format!("{}, {algorithm:?}", vector.name);
            let form = judge.canonicalise(&question, &vector.input);
            let form = String::from_utf8(form.expect(&what)).unwrap();
            assert_eq!(form, vector.form, "{what}");
        }
    }
}
