//! Splits an expression into words (XPath 1.0, clause 3.7).

use super::{MAX_EXPRESSION_LEN, MAX_WORDS};

/// A lexical element of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word<'e> {
    Symbol(&'static str),
    /// A name with or without a prefix, or `p:*`. Operators such as `and` are names here:
    /// the parser knows them by their position.
    Name(&'e str),
    /// A string without its quotes.
    Literal(&'e str),
    Number(&'e str),
}

/// A symbol comes before any other that is its beginning.
const SYMBOLS: [&str; 21] = [
    "//", "::", "..", "!=", "<=", ">=", "(", ")", "[", "]", "/", "|", "@", ",", "=", "<", ">", "*",
    "+", "-", ".",
];
const WHITE: [char; 4] = [' ', '\t', '\r', '\n'];

/// The words of an expression. `None` if it is too long or has a character that
/// begins no word.
pub(super) fn words(text: &str) -> Option<Vec<Word<'_>>> {
    if text.len() > MAX_EXPRESSION_LEN {
        return None;
    }
    let mut words = Vec::new();
    let mut rest = text.trim_start_matches(WHITE);
    while let Some(first) = rest.chars().next() {
        if words.len() == MAX_WORDS {
            return None;
        }
        let (word, len) = match first {
            '"' | '\'' => {
                let (literal, _) = rest.get(1..)?.split_once(first)?;
                (Word::Literal(literal), literal.len() + 2)
            }
            digit if digit.is_ascii_digit() => {
                let end = |c: char| !c.is_ascii_digit() && c != '.';
                let number = rest.split(end).next()?;
                (Word::Number(number), number.len())
            }
            first if begins_name(first) => {
                let name = name(rest)?;
                (Word::Name(name), name.len())
            }
            _ => {
                let symbol = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol))?;
                (Word::Symbol(symbol), symbol.len())
            }
        };
        words.push(word);
        rest = rest.get(len..)?.trim_start_matches(WHITE);
    }
    Some(words)
}

const fn begins_name(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || !c.is_ascii()
}

const fn in_name(c: char) -> bool {
    begins_name(c) || c.is_ascii_digit() || matches!(c, '-' | '.')
}

/// The name at the beginning of the text, with its prefix.
fn name(text: &str) -> Option<&str> {
    let part = |text: &str| text.find(|c| !in_name(c)).unwrap_or(text.len());
    let prefix = part(text);
    let Some(local) = text.get(prefix..)?.strip_prefix(':') else { return text.get(..prefix) };
    let local = match local.chars().next() {
        // The name of an axis.
        Some(':') => return text.get(..prefix),
        Some('*') => 1,
        Some(first) if begins_name(first) => part(local),
        _ => return None,
    };
    text.get(..prefix + 1 + local)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_need_no_white_space_between_them() {
        use Word::{Literal, Name, Number, Symbol};

        let all = words("not(ancestor-or-self::p:a [@b-c != 'd e'])//p:* and\n12 .").unwrap();
        let expected = [
            Name("not"),
            Symbol("("),
            Name("ancestor-or-self"),
            Symbol("::"),
            Name("p:a"),
            Symbol("["),
            Symbol("@"),
            Name("b-c"),
            Symbol("!="),
            Literal("d e"),
            Symbol("]"),
            Symbol(")"),
            Symbol("//"),
            Name("p:*"),
            Name("and"),
            Number("12"),
            Symbol("."),
        ];
        assert_eq!(all, expected);
        for refused in ["'a", "a:", "a:b:c:", "p: a", "$x", "#", "a&b"] {
            assert_eq!(words(refused), None, "{refused}");
        }
        assert!(words(&"a ".repeat(MAX_WORDS)).is_some());
        assert!(words(&"a ".repeat(MAX_WORDS + 1)).is_none());
        assert!(words(&" ".repeat(MAX_EXPRESSION_LEN + 1)).is_none());
    }
}
