//! The canonical form of a stored state's JSON, which checksum and MAC cover. It
//! does not depend on how a database formats and orders the JSON.

/// Maximum nesting depth of objects and arrays.
const MAX_DEPTH: usize = 16;

/// Rewrites valid JSON without white space, with the keys of each object in
/// ascending order and only the necessary escapes (RFC 8785, 3.2, except that
/// integers of any size stay as they are).
///
/// Returns `None` if an object has a key twice, a number is not an integer, or
/// the nesting is too deep: readers can disagree about the meaning of those.
pub(super) fn canonical(json: &str) -> Option<String> {
    let mut out = String::with_capacity(json.len());
    let rest = value(json, &mut out, 0)?;
    rest.trim_ascii_start().is_empty().then_some(out)
}

/// Writes the first value of `json`, and returns the text after it.
fn value<'j>(json: &'j str, out: &mut String, depth: usize) -> Option<&'j str> {
    let json = json.trim_ascii_start();
    match json.as_bytes().first()? {
        b'{' | b'[' if depth == MAX_DEPTH => None,
        b'{' => object(json.get(1..)?, out, depth),
        b'[' => array(json.get(1..)?, out, depth),
        b'"' => {
            let (token, rest) = string(json)?;
            if token.contains('\\') {
                let text: String = serde_json::from_str(token).ok()?;
                out.push_str(&serde_json::to_string(&text).ok()?);
            } else {
                out.push_str(token);
            }
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
            out.push_str(token);
            Some(rest)
        }
    }
}

fn array<'j>(json: &'j str, out: &mut String, depth: usize) -> Option<&'j str> {
    let mut rest = json.trim_ascii_start();
    out.push('[');
    let mut first = true;
    while !rest.starts_with(']') {
        if !first {
            rest = rest.strip_prefix(',')?;
            out.push(',');
        }
        first = false;
        rest = value(rest, out, depth + 1)?.trim_ascii_start();
    }
    out.push(']');
    rest.get(1..)
}

fn object<'j>(json: &'j str, out: &mut String, depth: usize) -> Option<&'j str> {
    let mut rest = json.trim_ascii_start();
    let mut members: Vec<(String, String)> = Vec::new();
    while !rest.starts_with('}') {
        if !members.is_empty() {
            rest = rest.strip_prefix(',')?.trim_ascii_start();
        }
        let (key, after) = string(rest)?;
        let mut member = String::new();
        let after = after.trim_ascii_start().strip_prefix(':')?;
        rest = value(after, &mut member, depth + 1)?.trim_ascii_start();
        members.push((serde_json::from_str(key).ok()?, member));
    }
    members.sort_unstable();
    if members.windows(2).any(|pair| matches!(pair, [(a, _), (b, _)] if a == b)) {
        return None;
    }
    out.push('{');
    for (at, (key, member)) in members.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push_str(&serde_json::to_string(key).ok()?);
        out.push(':');
        out.push_str(member);
    }
    out.push('}');
    rest.get(1..)
}

/// Splits a string with its quotation marks from the text after it.
fn string(json: &str) -> Option<(&str, &str)> {
    let mut escaped = false;
    let inner = json.strip_prefix('"')?;
    let end = inner.bytes().position(|octet| {
        let ends = octet == b'"' && !escaped;
        escaped = octet == b'\\' && !escaped;
        ends
    })?;
    json.split_at_checked(end + 2)
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
