//! Writing XML that every encoding can carry: ASCII, without line breaks.

use std::fmt::Write as _;

/// An XML fragment in the making.
#[derive(Debug, Default)]
pub(crate) struct Markup(String);

impl Markup {
    /// An element with attributes and what `content` writes into it.
    pub(crate) fn element(
        &mut self,
        name: &str,
        attributes: &[(&str, &str)],
        content: impl FnOnce(&mut Self),
    ) {
        self.0.push('<');
        self.0.push_str(name);
        for (name, value) in attributes {
            self.0.extend([" ", name, "=\""]);
            self.text(value);
            self.0.push('"');
        }
        self.0.push('>');
        content(self);
        self.0.extend(["</", name, ">"]);
    }

    /// An element with text.
    pub(crate) fn leaf(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.element(name, attributes, |markup| markup.text(text));
    }

    /// Text, as references where it is not plain ASCII.
    pub(crate) fn text(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '<' | '>' | '&' | '"' | '\'' | '\0'..='\x1F' | '\x7F'.. => {
                    // Writing to a string does not fail.
                    let _ = write!(self.0, "&#x{:X};", u32::from(c));
                }
                _ => self.0.push(c),
            }
        }
    }

    /// A fragment that was made here before.
    pub(crate) fn raw(&mut self, fragment: &str) {
        self.0.push_str(fragment);
    }

    pub(crate) fn finish(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_ascii_and_no_way_out_of_a_value() {
        let mut markup = Markup::default();
        markup.leaf("a", &[("b", "\" c='é")], "1 < 2\n€");
        assert_eq!(markup.finish(), "<a b=\"&#x22; c=&#x27;&#xE9;\">1 &#x3C; 2&#xA;&#x20AC;</a>");
    }
}
