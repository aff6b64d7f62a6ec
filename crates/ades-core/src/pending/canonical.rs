//! The one rendering of a stored state's JSON that checksum and MAC are made
//! over, however a database spaces and orders it.

/// Objects and arrays are nested at most this deep.
const MAX_DEPTH: usize = 16;

/// Valid JSON without white space, the keys of each object in ascending order,
/// nothing escaped that need not be (RFC 8785, 3.2, but that integers are kept
/// as they are, whatever their size). `None` if an object has a key twice, a
/// number is no integer, or the nesting is too deep: readers might disagree
/// about what that is.
pub(super) fn canonical(json: &str) -> Option<String> {
    let mut out = String::with_capacity(json.len());
    let rest = value(json, &mut out, 0)?;
    rest.trim_ascii_start().is_empty().then_some(out)
}

/// Renders the first value, and yields what stands behind it.
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
        let (key, behind) = string(rest)?;
        let mut member = String::new();
        let behind = behind.trim_ascii_start().strip_prefix(':')?;
        rest = value(behind, &mut member, depth + 1)?.trim_ascii_start();
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

/// A string with its quotation marks, and what stands behind it.
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
    fn spacing_order_and_escapes_do_not_matter() {
        let plain = r#"{"a":[1,-20,18446744073709551616],"b":{"c":"é\"\\/\n","d":null},"e":true}"#;
        let other = "\n{ \"e\" :true,\t\"b\": {\"d\":null, \"\\u0063\":\"\\u00e9\\u0022\\\\\\/\\u000a\"}\r\n,
            \"a\":[ 1 ,-20, 18446744073709551616 ] } ";
        assert_eq!(canonical(plain).as_deref(), Some(plain));
        assert_eq!(canonical(other).as_deref(), Some(plain));
        assert_eq!(canonical("{}").as_deref(), Some("{}"));
        assert_eq!(canonical(" [ ] ").as_deref(), Some("[]"));
    }

    #[test]
    fn what_readers_may_take_for_different_things_is_refused() {
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
