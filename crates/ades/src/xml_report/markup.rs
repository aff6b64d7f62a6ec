//! Writes XML. Names are ours; text and attribute values are escaped.

/// A document that is being written.
#[derive(Debug)]
pub(super) struct Xml {
    text: String,
    depth: usize,
}

impl Xml {
    pub(super) fn new() -> Self {
        Self { text: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned(), depth: 0 }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    /// An element with elements in it.
    pub(super) fn element(&mut self, name: &'static str, content: impl FnOnce(&mut Self)) {
        self.element_with(name, &[], content);
    }

    pub(super) fn element_with(
        &mut self,
        name: &'static str,
        attributes: &[(&str, &str)],
        content: impl FnOnce(&mut Self),
    ) {
        self.open(name, attributes);
        self.text.push_str(">\n");
        self.depth += 1;
        content(self);
        self.depth -= 1;
        self.indent();
        self.close(name);
    }

    /// An element with text in it.
    pub(super) fn leaf(&mut self, name: &'static str, text: &str) {
        self.leaf_with(name, &[], text);
    }

    pub(super) fn leaf_with(
        &mut self,
        name: &'static str,
        attributes: &[(&str, &str)],
        text: &str,
    ) {
        self.open(name, attributes);
        self.text.push('>');
        self.escape(text);
        self.close(name);
    }

    /// A `VOReferenceType`: a reference to objects by their ids, separated by spaces.
    pub(super) fn reference(&mut self, name: &'static str, ids: &str) {
        self.open(name, &[("VOReference", ids)]);
        self.text.push_str("/>\n");
    }

    fn open(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.indent();
        self.text.push('<');
        self.text.push_str(name);
        for (name, value) in attributes {
            self.text.push(' ');
            self.text.push_str(name);
            self.text.push_str("=\"");
            self.escape(value);
            self.text.push('"');
        }
    }

    fn close(&mut self, name: &str) {
        self.text.push_str("</");
        self.text.push_str(name);
        self.text.push_str(">\n");
    }

    fn indent(&mut self) {
        self.text.extend(std::iter::repeat_n("  ", self.depth));
    }

    fn escape(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '&' => self.text.push_str("&amp;"),
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                '"' => self.text.push_str("&quot;"),
                '\t' | '\n' | '\r' => {
                    self.text.push_str(&format!("&#{};", u32::from(character)));
                }
                // Characters that XML 1.0 does not have (2.2).
                '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => self.text.push('\u{fffd}'),
                other => self.text.push(other),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_documents_cannot_become_markup() {
        let mut xml = Xml::new();
        xml.leaf_with("a", &[("b", "\"<&\n")], "]]></a>\u{0}\u{b}\r\u{ffff}é");
        let (_, element) = xml.text.split_once("?>\n").unwrap();
        let text = "]]&gt;&lt;/a&gt;\u{fffd}\u{fffd}&#13;\u{fffd}é";
        assert_eq!(element, format!("<a b=\"&quot;&lt;&amp;&#10;\">{text}</a>\n"));
    }
}
