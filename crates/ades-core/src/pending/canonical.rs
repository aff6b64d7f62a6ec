//! The canonical form of a stored state's JSON, which checksum and MAC cover. It
//! does not depend on how a database formats and orders the JSON.

use std::borrow::Cow;
use std::ops::Range;

/// Maximum nesting depth of objects and arrays.
const MAX_DEPTH: usize = 16;

/// Rewrites valid JSON without white space, with the keys of each object in
/// ascending order and only the necessary escapes (RFC 8785, 3.2, except that
/// integers of any size stay as they are). JSON of this form is not copied.
///
/// Returns `None` if an object has a key twice, a number is not an integer, or
/// the nesting is too deep: readers can disagree about the meaning of those.
pub(super) fn canonical(json: &str) -> Option<Cow<'_, str>> {
    let mut form = Form { json, len: 0, copy: None };
    let rest = value(json, &mut form, 0)?;
    rest.trim_ascii_start().is_empty().then(|| form.finish())
}

/// The canonical form of what has been read. It is copied when it first differs from the
/// beginning of the JSON.
struct Form<'j> {
    json: &'j str,
    /// Length of the form, unless it is copied.
    len: usize,
    copy: Option<String>,
}

impl<'j> Form<'j> {
    fn push(&mut self, text: &str) {
        let rest = self.json.get(self.len..).unwrap_or_default();
        if self.copy.is_none() && rest.starts_with(text) {
            self.len += text.len();
        } else {
            self.copied().push_str(text);
        }
    }

    fn copied(&mut self) -> &mut String {
        self.copy.get_or_insert_with(|| {
            let mut copy = String::with_capacity(self.json.len());
            copy.push_str(self.json.get(..self.len).unwrap_or_default());
            copy
        })
    }

    fn len(&self) -> usize {
        self.copy.as_ref().map_or(self.len, String::len)
    }

    fn finish(self) -> Cow<'j, str> {
        match self.copy {
            Some(copy) => Cow::Owned(copy),
            None => Cow::Borrowed(self.json.get(..self.len).unwrap_or_default()),
        }
    }
}

/// Writes the first value of `json`, and returns the text after it.
fn value<'j>(json: &'j str, form: &mut Form<'_>, depth: usize) -> Option<&'j str> {
    let json = json.trim_ascii_start();
    match json.as_bytes().first()? {
        b'{' | b'[' if depth == MAX_DEPTH => None,
        b'{' => object(json.get(1..)?, form, depth),
        b'[' => array(json.get(1..)?, form, depth),
        b'"' => {
            let (token, rest) = string(json)?;
            form.push(&shortest(token)?);
            Some(rest)
        }
        _ => {
            let end = json.find([',', ']', '}', ' ', '\t', '\n', '\r']).unwrap_or(json.len());
            let (token, rest) = json.split_at_checked(end)?;
            let digits = token.strip_prefix('-').unwrap_or(token);
            let integer = digits.bytes().all(|b| b.is_ascii_digit()) && token != "-0";
            if !integer && !["true", "false", "null"].contains(&token) {
                return None;
            }
            form.push(token);
            Some(rest)
        }
    }
}

fn array<'j>(json: &'j str, form: &mut Form<'_>, depth: usize) -> Option<&'j str> {
    let mut rest = json.trim_ascii_start();
    form.push("[");
    let mut first = true;
    while !rest.starts_with(']') {
        if !first {
            rest = rest.strip_prefix(',')?;
            form.push(",");
        }
        first = false;
        rest = value(rest, form, depth + 1)?.trim_ascii_start();
    }
    form.push("]");
    rest.get(1..)
}

fn object<'j>(json: &'j str, form: &mut Form<'_>, depth: usize) -> Option<&'j str> {
    let mut rest = json.trim_ascii_start();
    form.push("{");
    let start = form.len();
    // The keys, and where the members are in the form.
    let mut members: Vec<(Cow<'j, str>, Range<usize>)> = Vec::new();
    while !rest.starts_with('}') {
        if !members.is_empty() {
            rest = rest.strip_prefix(',')?.trim_ascii_start();
            form.push(",");
        }
        let (key, after) = string(rest)?;
        let from = form.len();
        form.push(&shortest(key)?);
        form.push(":");
        let after = after.trim_ascii_start().strip_prefix(':')?;
        rest = value(after, form, depth + 1)?.trim_ascii_start();
        members.push((text(key)?, from..form.len()));
    }
    if !members.is_sorted_by(|(a, _), (b, _)| a < b) {
        members.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        if members.windows(2).any(|pair| matches!(pair, [(a, _), (b, _)] if a == b)) {
            return None;
        }
        let out = form.copied();
        let sorted: Option<Vec<&str>> =
            members.into_iter().map(|(_, member)| out.get(member)).collect();
        let sorted = sorted?.join(",");
        out.truncate(start);
        out.push_str(&sorted);
    }
    form.push("}");
    rest.get(1..)
}

/// The text of a string with its quotation marks.
fn text(token: &str) -> Option<Cow<'_, str>> {
    let plain = token.get(1..token.len().checked_sub(1)?)?;
    if plain.contains('\\') {
        serde_json::from_str(token).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(plain))
    }
}

/// A string with its quotation marks, with only the necessary escapes.
fn shortest(token: &str) -> Option<Cow<'_, str>> {
    match text(token)? {
        Cow::Borrowed(_) => Some(Cow::Borrowed(token)),
        Cow::Owned(text) => serde_json::to_string(&text).ok().map(Cow::Owned),
    }
}

/// Splits a string with its quotation marks from the text after it.
fn string(json: &str) -> Option<(&str, &str)> {
    let mut len = json.strip_prefix('"').map(|_| 1)?;
    loop {
        // `str::find` looks at many octets at once.
        let before = json.get(len..)?;
        len += before.find('"')? + 1;
        let inner = json.get(..len - 1)?;
        let escapes = inner.bytes().rev().take_while(|octet| *octet == b'\\').count();
        if escapes % 2 == 0 {
            return json.split_at_checked(len);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_order_and_escapes_do_not_matter() {
        let plain = r#"{"a":[1,-20,18446744073709551616],"b":{"c":"é\"\\/\n","d":null},"e":true}"#;
        let other = "\n{ \"e\" :true,\t\"b\": {\"d\":null, \"\\u0063\":\"\\u00e9\\u0022\\\\\\/\\u000a\"}\r\n,
            \"a\":[ 1 ,-20, 18446744073709551616 ] } ";
        assert_eq!(canonical(plain).as_deref(), Some(plain));
        assert_eq!(canonical(other).as_deref(), Some(plain));
        assert_eq!(canonical("{}").as_deref(), Some("{}"));
        assert_eq!(canonical(" [ ] ").as_deref(), Some("[]"));
        assert_eq!(canonical("[[ 1 ], [{}]]").as_deref(), Some("[[1],[{}]]"));
    }

    #[test]
    fn the_canonical_form_is_not_copied() {
        let canonical_form = r#"{"a":[{},1],"b":"\"","c":{"d":null,"e":[]}}"#;
        let spaced = format!("{canonical_form}\n");
        for (json, is_copied) in [
            (canonical_form, false),
            (&spaced, false),
            (r#"{"b":1,"a":1}"#, true),
            (r#"[{"b":1,"a":1}]"#, true),
            (r#"["\u0041"]"#, true),
            (" 1", true),
        ] {
            let form = canonical(json).unwrap();
            assert_eq!(matches!(form, Cow::Owned(_)), is_copied, "{json}");
            assert_eq!(canonical(&form).unwrap(), form, "{json}");
        }
    }

    #[test]
    fn ambiguous_json_is_rejected() {
        let deep = ["[".repeat(17), "]".repeat(17)].concat();
        for json in [
            r#"{"a":1,"a":1}"#,
            r#"[{"a":1,"\u0061":2}]"#,
            "1.0",
            "1e3",
            "-0",
            r#""\ud800""#,
            "[1] 2",
            &deep,
        ] {
            assert_eq!(canonical(json), None, "{json}");
        }
    }
}
