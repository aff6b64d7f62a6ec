//! Writes XML in ASCII without line breaks, which every supported encoding can
//! represent.

use std::fmt::Write as _;

/// An XML fragment that is being written.
#[derive(Debug, Default)]
pub(crate) struct Markup {
    text: String,
    /// Names of the open elements, outermost first.
    open: Vec<&'static str>,
}

impl Markup {
    /// Writes a start tag.
    pub(crate) fn open(&mut self, name: &'static str, attributes: &[(&str, &str)]) {
        self.text.extend(["<", name]);
        for (name, value) in attributes {
            self.text.extend([" ", name, "=\""]);
            self.text(value);
            self.text.push('"');
        }
        self.text.push('>');
        self.open.push(name);
    }

    /// Writes the end tag of the innermost open element.
    pub(crate) fn close(&mut self) {
        if let Some(name) = self.open.pop() {
            self.text.extend(["</", name, ">"]);
        }
    }

    /// Writes an element with the content that `content` writes.
    pub(crate) fn element(
        &mut self,
        name: &'static str,
        attributes: &[(&str, &str)],
        content: impl FnOnce(&mut Self),
    ) {
        self.open(name, attributes);
        content(self);
        self.close();
    }

    /// Writes an element that contains text only.
    pub(crate) fn leaf(&mut self, name: &'static str, attributes: &[(&str, &str)], text: &str) {
        self.element(name, attributes, |markup| markup.text(text));
    }

    /// Writes text, with character references for everything that is not plain
    /// ASCII.
    pub(crate) fn text(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '<' | '>' | '&' | '"' | '\'' | '\0'..='\x1F' | '\x7F'.. => {
                    // Writing to a string does not fail.
                    let _ = write!(self.text, "&#x{:X};", u32::from(c));
                }
                _ => self.text.push(c),
            }
        }
    }

    /// Writes a fragment that this type has written before.
    pub(crate) fn raw(&mut self, fragment: &str) {
        self.text.push_str(fragment);
    }

    /// Takes the text written so far. Open elements stay open.
    pub(crate) fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_ascii_and_values_cannot_end_early() {
        let mut markup = Markup::default();
        markup.leaf("a", &[("b", "\" c='é")], "1 < 2\n€");
        assert_eq!(markup.take(), "<a b=\"&#x22; c=&#x27;&#xE9;\">1 &#x3C; 2&#xA;&#x20AC;</a>");
    }

    #[test]
    fn a_fragment_can_be_taken_in_two_parts() {
        let mut markup = Markup::default();
        markup.open("a", &[]);
        markup.open("b", &[("c", "d")]);
        assert_eq!(markup.take(), "<a><b c=\"d\">");
        markup.close();
        markup.close();
        markup.close();
        assert_eq!(markup.take(), "</b></a>");
    }
}
