//! Joining `xml:base` values (Canonical XML 1.1, clause 2.4 and appendix A): RFC
//! 3986, clauses 5.2.1, 5.2.2 and 5.2.4, with the changes of that clause.

/// The parts of a URI reference (RFC 3986, appendix B). The fragment is dropped, as
/// Canonical XML 1.1 requires.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Parts {
    scheme: Option<String>,
    authority: Option<String>,
    path: String,
    query: Option<String>,
}

fn parts(reference: &str) -> Parts {
    let mut parts = Parts::default();
    let mut rest = reference.split('#').next().unwrap_or_default().to_owned();
    if let Some(at) = rest.find('?') {
        parts.query = Some(rest[at + 1..].to_owned());
        rest.truncate(at);
    }
    if let Some(at) = rest.find([':', '/'])
        && rest[at..].starts_with(':')
        && is_scheme(&rest[..at])
    {
        parts.scheme = Some(rest[..at].to_owned());
        rest.drain(..=at);
    }
    if rest.starts_with("//") {
        let end = rest[2..].find('/').map_or(rest.len(), |slash| slash + 2);
        parts.authority = Some(rest[2..end].to_owned());
        rest.drain(..end);
    }
    parts.path = rest;
    parts
}

/// `scheme` (RFC 3986, clause 3.1).
pub(crate) fn is_scheme(text: &str) -> bool {
    let rest = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(rest)
}

/// `join-URI-References`: resolves `reference` against the base URI `base`.
#[must_use]
pub fn join(base: &str, reference: &str) -> String {
    let (mut base, r) = (parts(base), parts(reference));
    // The last segment ".." of the base's path is "../".
    if base.path == ".." || base.path.ends_with("/..") {
        base.path.push('/');
    }
    let mut t = Parts::default();
    if r.scheme.is_some() {
        t = Parts { path: without_dot_segments(&r.path), ..r };
    } else {
        if r.authority.is_some() {
            t.authority = r.authority;
            t.path = without_dot_segments(&r.path);
            t.query = r.query;
        } else {
            if r.path.is_empty() {
                t.path = base.path;
                t.query = if r.query.is_some() { r.query } else { base.query };
            } else {
                if r.path.starts_with('/') {
                    t.path = without_dot_segments(&r.path);
                } else {
                    t.path = merge(base.authority.is_some(), &base.path, &r.path);
                    t.path = without_dot_segments(&t.path);
                }
                t.query = r.query;
            }
            t.authority = base.authority;
        }
        t.scheme = base.scheme;
    }
    recompose(&t)
}

/// RFC 3986, clause 5.2.3.
fn merge(has_authority: bool, base: &str, path: &str) -> String {
    if has_authority && base.is_empty() {
        return format!("/{path}");
    }
    match base.rfind('/') {
        Some(last) => format!("{}{path}", &base[..=last]),
        None => path.to_owned(),
    }
}

/// RFC 3986, clause 5.3.
fn recompose(parts: &Parts) -> String {
    let mut reference = String::new();
    if let Some(scheme) = &parts.scheme {
        reference += &format!("{scheme}:");
    }
    if let Some(authority) = &parts.authority {
        reference += &format!("//{authority}");
    }
    reference += &parts.path;
    if let Some(query) = &parts.query {
        reference += &format!("?{query}");
    }
    reference
}

/// RFC 3986, clause 5.2.4, with its input and output buffers and with the changes of
/// Canonical XML 1.1: a `..` without a segment to remove stays in a relative path and
/// is removed from an absolute one, several slashes become one, and a slash is added
/// after a `..` at the end.
#[must_use]
pub fn without_dot_segments(path: &str) -> String {
    let mut input = path.to_owned();
    while input.contains("//") {
        input = input.replace("//", "/");
    }
    if input == ".." || input.ends_with("/..") {
        input.push('/');
    }
    let is_absolute = input.starts_with('/');
    let mut output = String::new();
    while !input.is_empty() {
        if let Some(rest) = input.strip_prefix("./") {
            input = rest.to_owned();
        } else if input == "." {
            input.clear();
        } else if let Some(rest) = input.strip_prefix("../") {
            input = rest.to_owned();
            up(&mut output, is_absolute);
        } else {
            let end = input.find('/').map_or(input.len(), |slash| slash + 1);
            output.push_str(&input[..end]);
            input.drain(..end);
        }
    }
    output
}

/// Removes the last directory of the output buffer, or appends `../`.
fn up(output: &mut String, is_absolute: bool) {
    if output == "/" && is_absolute {
        return;
    }
    if output.is_empty() || output == "../" || output.ends_with("/../") {
        output.push_str("../");
        return;
    }
    let directory = output.trim_end_matches('/').rfind('/').map_or(0, |slash| slash + 1);
    output.truncate(directory);
}
