//! Whether two values are equal, and how they differ.

use std::collections::BTreeMap;

use crate::file::Indirect;
use crate::syntax::{Kind, Value};

/// Whether two objects are equal, apart from white space. A stream that was written
/// again counts as different without a comparison: an update has no reason to repeat
/// an unchanged stream.
pub(super) fn same(old: &Indirect, new: &Indirect) -> bool {
    old.reference == new.reference
        && (old.offset.is_some() && old.offset == new.offset
            || !old.is_stream() && !new.is_stream() && equal(&old.value, &new.value))
}

/// Whether two values are equal, apart from their spans.
pub(super) fn equal(old: &Value, new: &Value) -> bool {
    match (&old.kind, &new.kind) {
        (Kind::Array(old), Kind::Array(new)) => {
            old.len() == new.len() && old.iter().zip(new.iter()).all(|(a, b)| equal(a, b))
        }
        (Kind::Dictionary(_), Kind::Dictionary(_)) => changed_keys(old, new).is_empty(),
        (Kind::Integer(_) | Kind::Real(_), Kind::Integer(_) | Kind::Real(_)) => {
            old.kind == new.kind || number(old).is_some() && number(old) == number(new)
        }
        (old, new) => old == new,
    }
}

fn number(value: &Value) -> Option<f64> {
    match &value.kind {
        Kind::Integer(integer) => Some(*integer as f64),
        Kind::Real(text) => std::str::from_utf8(text).ok()?.parse().ok(),
        _ => None,
    }
}

/// The keys whose values differ. All values of a repeated key are compared, because
/// readers choose different ones.
pub(super) fn changed_keys<'a>(old: &'a Value, new: &'a Value) -> Vec<&'a [u8]> {
    type Sides<'a> = [Vec<&'a Value>; 2];

    let mut keys: BTreeMap<&[u8], Sides<'_>> = BTreeMap::new();
    for (key, value) in old.entries().iter().filter(|(_, value)| !value.is_null()) {
        keys.entry(key).or_default()[0].push(value);
    }
    for (key, value) in new.entries().iter().filter(|(_, value)| !value.is_null()) {
        keys.entry(key).or_default()[1].push(value);
    }
    let differs = |[old, new]: &Sides<'_>| {
        old.len() != new.len() || old.iter().zip(new).any(|(a, b)| !equal(a, b))
    };
    keys.into_iter().filter(|(_, sides)| differs(sides)).map(|(key, _)| key).collect()
}

/// Whether a dictionary has a key twice.
pub(super) fn repeats(dictionary: &Value, key: &[u8]) -> bool {
    dictionary.entries().iter().filter(|(other, _)| other == key).count() > 1
}

/// The elements that were removed from an array, and those that were added. A moved
/// element counts as both.
pub(super) fn difference<'a>(
    old: &'a [Value],
    new: &'a [Value],
) -> (Vec<&'a Value>, Vec<&'a Value>) {
    let mut left = old.iter().peekable();
    let mut added = Vec::new();
    for element in new {
        if left.next_if(|next| equal(next, element)).is_none() {
            added.push(element);
        }
    }
    (left.collect(), added)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::Lexer;

    fn value(text: &str) -> Value {
        Lexer::new(text.as_bytes(), true).value().unwrap()
    }

    #[test]
    fn spelling_does_not_make_values_different() {
        for (old, new) in [
            ("<</A 1/B[(x)/N#61]>>", "<< /B [ <78> /Na ] /A 1.0 >>"),
            ("[.5 -2 0.50]", "[0.5 -2.0 .500]"),
            ("<</A null/B 1>>", "<</B 1>>"),
        ] {
            assert!(equal(&value(old), &value(new)), "{old} {new}");
        }
        for (old, new) in [
            ("[1 2]", "[2 1]"),
            ("<</A 1/A 2>>", "<</A 2/A 2>>"),
            ("<</A 1/A 2>>", "<</A 2>>"),
            ("1 0 R", "1 1 R"),
            ("(A)", "/A"),
        ] {
            assert!(!equal(&value(old), &value(new)), "{old} {new}");
        }
    }

    #[test]
    fn added_elements_are_found_between_the_old_ones() {
        let (old, new) = (value("[1 0 R 2 0 R]"), value("[3 0 R 1 0 R 4 0 R 2 0 R]"));
        let (old, new) = (old.elements().unwrap(), new.elements().unwrap());
        let (removed, added) = difference(old, new);
        assert!(removed.is_empty() && added.len() == 2);
        let (missing, _) = difference(new, old);
        assert_eq!(missing.len(), 4, "the comparison stops at the first difference");
    }
}
