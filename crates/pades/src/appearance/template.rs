//! The lines of a stamp, from a template.

use std::fmt;

/// The values of a template's placeholders.
///
/// ```
/// use pades::StampValues;
///
/// let values = StampValues::new().name("Jiří Novák");
/// let text = values.fill("Signed by {name}\nReason: {reason}");
/// assert_eq!(text, "Signed by Jiří Novák");
/// ```
#[derive(Clone, Copy, Default)]
pub struct StampValues<'a> {
    name: Option<&'a str>,
    time: Option<&'a str>,
    reason: Option<&'a str>,
    location: Option<&'a str>,
}

// Names and locations are not for logs.
impl fmt::Debug for StampValues<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StampValues(..)")
    }
}

impl<'a> StampValues<'a> {
    /// No values.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of `{name}`.
    #[must_use]
    pub const fn name(mut self, name: &'a str) -> Self {
        self.name = Some(name);
        self
    }

    /// The value of `{time}`: see [`TimeFormat`](crate::TimeFormat).
    #[must_use]
    pub const fn time(mut self, time: &'a str) -> Self {
        self.time = Some(time);
        self
    }

    /// The value of `{reason}`.
    #[must_use]
    pub const fn reason(mut self, reason: &'a str) -> Self {
        self.reason = Some(reason);
        self
    }

    /// The value of `{location}`.
    #[must_use]
    pub const fn location(mut self, location: &'a str) -> Self {
        self.location = Some(location);
        self
    }

    /// The template's lines with their placeholders replaced. A line with a
    /// placeholder that has no value is left out. Other text in braces stays.
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
        // One pass over the template: braces in a value are not placeholders.
        while let Some(at) = rest.find('{') {
            let (before, after) = rest.split_at(at);
            out.push_str(before);
            let found = values.iter().find(|(placeholder, _)| after.starts_with(placeholder));
            let (placeholder, value) = match found {
                Some((placeholder, value)) => (*placeholder, (*value)?),
                None => ("{", "{"),
            };
            out.push_str(value);
            rest = after.strip_prefix(placeholder).unwrap_or_default();
        }
        out.push_str(rest);
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_without_a_value_are_left_out_and_values_are_not_templates() {
        let values = StampValues::new().name("{time} {x");
        assert_eq!(values.fill("a {name}{y}\n{time}\n{reason} b\nend"), "a {time} {x{y}\nend");
    }
}
