//! Writes XML in ASCII without line breaks, which every supported encoding can
//! represent.

use std::fmt::Write as _;

/// An XML fragment that is being written.
#[derive(Debug, Default)]
pub(crate) struct Markup {
    text: String,
    /// Names of the open elements, outermost first.
    open: Vec<String>,
}

impl Markup {
    /// Writes a start tag.
    pub(crate) fn open(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.text.extend(["<", name]);
        for (name, value) in attributes {
            self.text.extend([" ", name, "=\""]);
            self.text(value);
            self.text.push('"');
        }
        self.text.push('>');
        self.open.push(name.to_owned());
    }

    /// Writes the end tag of the innermost open element.
    pub(crate) fn close(&mut self) {
        if let Some(name) = self.open.pop() {
            self.text.extend(["</", name.as_str(), ">"]);
        }
    }

    /// Writes an element with the content that `content` writes.
    pub(crate) fn element(
        &mut self,
        name: &str,
        attributes: &[(&str, &str)],
        content: impl FnOnce(&mut Self),
    ) {
        self.open(name, attributes);
        content(self);
        self.close();
    }

    /// Writes an element that contains text only.
    pub(crate) fn leaf(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.element(name, attributes, |markup| markup.text(text));
    }

    /// Writes text, with character references for everything that is not plain
    /// ASCII. Shift_JIS has another character in the place of the backslash and the tilde.
    pub(crate) fn text(&mut self, text: &str) {
        let mut rest = text;
        while let Some((plain, after)) =
            rest.find(is_referenced).and_then(|at| rest.split_at_checked(at))
        {
            self.text.push_str(plain);
            let mut after = after.chars();
            if let Some(c) = after.next() {
                // Writing to a string does not fail.
                let _ = write!(self.text, "&#x{:X};", u32::from(c));
            }
            rest = after.as_str();
        }
        self.text.push_str(rest);
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

/// Whether a character is written as a reference.
const fn is_referenced(c: char) -> bool {
    matches!(c, '<' | '>' | '&' | '"' | '\'' | '\\' | '~' | '\0'..='\x1F' | '\x7F'..)
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
