//! The lines of a stamp, from a template.

use std::fmt;

/// What stands for the placeholders of a template.
///
/// ```
/// use pades::StampValues;
///
/// let values = StampValues { name: Some("Jiří Novák"), ..StampValues::default() };
/// let text = values.fill("Signed by {name}\nReason: {reason}");
/// assert_eq!(text, "Signed by Jiří Novák");
/// ```
#[derive(Clone, Copy, Default)]
pub struct StampValues<'a> {
    /// `{name}`
    pub name: Option<&'a str>,
    /// `{time}`, in the caller's way of writing times.
    pub time: Option<&'a str>,
    /// `{reason}`
    pub reason: Option<&'a str>,
    /// `{location}`
    pub location: Option<&'a str>,
}

// Names and places: not for logs.
impl fmt::Debug for StampValues<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StampValues(..)")
    }
}

impl StampValues<'_> {
    /// The template's lines with their placeholders replaced. A line with a
    /// placeholder that nothing stands for is left out; all else in braces
    /// stays as it is.
    #[must_use]
    pub fn fill(&self, template: &str) -> String {
        let lines = template.lines().filter_map(|line| self.line(line));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn line(&self, line: &str) -> Option<String> {
        let values = [
            ("{name}", self.name),
            ("{time}", self.time),
            ("{reason}", self.reason),
            ("{location}", self.location),
        ];
        let mut out = String::new();
        let mut rest = line;
        // Once through: braces in a value are no placeholders.
        while let Some(at) = rest.find('{') {
            let (before, behind) = rest.split_at(at);
            out.push_str(before);
            let found = values.iter().find(|(placeholder, _)| behind.starts_with(placeholder));
            let (placeholder, value) = match found {
                Some((placeholder, value)) => (*placeholder, (*value)?),
                None => ("{", "{"),
            };
            out.push_str(value);
            rest = behind.strip_prefix(placeholder).unwrap_or_default();
        }
        out.push_str(rest);
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_value_is_left_out_and_values_are_no_templates() {
        let values = StampValues { name: Some("{time} {x"), ..StampValues::default() };
        assert_eq!(values.fill("a {name}{y}\n{time}\n{reason} b\nend"), "a {time} {x{y}\nend");
    }
}
