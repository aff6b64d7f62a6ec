//! Joining `xml:base` values (Canonical XML 1.1, clause 2.4). This is the resolution of
//! RFC 3986, except that the base may be relative.

/// The parts of a URI reference (RFC 3986, appendix B), without the fragment.
struct UriReference<'u> {
    scheme: Option<&'u str>,
    authority: Option<&'u str>,
    path: &'u str,
    query: Option<&'u str>,
}

impl<'u> UriReference<'u> {
    fn new(uri: &'u str) -> Self {
        let uri = uri.split_once('#').map_or(uri, |(before, _)| before);
        let (scheme, rest) = match uri.split_once(':') {
            Some((scheme, rest)) if is_scheme(scheme) => (Some(scheme), rest),
            _ => (None, uri),
        };
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query)),
            None => (rest, None),
        };
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => {
                let end = rest.find('/').unwrap_or(rest.len());
                let (authority, path) = rest.split_at(end);
                (Some(authority), path)
            }
            None => (None, rest),
        };
        Self { scheme, authority, path, query }
    }
}

/// Whether the text has the syntax of a URI scheme (RFC 3986, 3.1).
pub(crate) fn is_scheme(scheme: &str) -> bool {
    let rest = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(rest)
}

/// Resolves `reference` against `base`: `join-URI-References`.
pub(crate) fn join(base: &str, reference: &str) -> String {
    let base = UriReference::new(base);
    // A base that ends with ".." is a directory.
    let slash = if base.path == ".." || base.path.ends_with("/..") { "/" } else { "" };
    let base_path = format!("{}{slash}", base.path);
    let reference = UriReference::new(reference);
    let (scheme, authority, path, query);
    if reference.scheme.is_some() || reference.authority.is_some() {
        scheme = reference.scheme.or(base.scheme);
        authority = reference.authority;
        path = without_dots(reference.path);
        query = reference.query;
    } else {
        scheme = base.scheme;
        authority = base.authority;
        if reference.path.is_empty() {
            path = base_path;
            query = reference.query.or(base.query);
        } else {
            path = without_dots(&merged(base.authority.is_some(), &base_path, reference.path));
            query = reference.query;
        }
    }
    let mut joined = String::new();
    if let Some(scheme) = scheme {
        joined.extend([scheme, ":"]);
    }
    if let Some(authority) = authority {
        joined.extend(["//", authority]);
    }
    joined.push_str(&path);
    if let Some(query) = query {
        joined.extend(["?", query]);
    }
    joined
}

/// The reference's path after the base's directory (RFC 3986, 5.2.3).
fn merged(authority: bool, base: &str, path: &str) -> String {
    if path.starts_with('/') {
        return path.to_owned();
    }
    if authority && base.is_empty() {
        return format!("/{path}");
    }
    let directory = base.rfind('/').map_or("", |slash| base.split_at(slash + 1).0);
    format!("{directory}{path}")
}

/// RFC 3986, 5.2.4, with the changes of Canonical XML 1.1: leading `..` of a relative
/// path stay, `//` becomes `/`, and a slash is added after a `..` at the end.
fn without_dots(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').filter(|segment| !segment.is_empty()).peekable();
    let mut directory = path.ends_with('/');
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." => directory |= last,
            ".." => {
                directory |= last;
                if kept.last().is_some_and(|kept| *kept != "..") {
                    kept.pop();
                } else if !absolute {
                    kept.push("..");
                }
            }
            _ => kept.push(segment),
        }
    }
    let mut out = String::from(if absolute { "/" } else { "" });
    out.push_str(&kept.join("/"));
    if directory && !kept.is_empty() {
        out.push('/');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_join_as_rfc_3986_resolves_them() {
        for (reference, expected) in [
            ("g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g"),
            ("?y", "http://a/b/c/d?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("g#s", "http://a/b/c/g"),
            ("", "http://a/b/c/d?q"),
            (".", "http://a/b/c/"),
            ("./", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../../../g", "http://a/g"),
            ("/./g", "http://a/g"),
            ("mailto:x", "mailto:x"),
        ] {
            assert_eq!(join("http://a/b/c/d?q", reference), expected, "{reference}");
        }
    }

    /// Canonical XML 1.1, appendix A.
    #[test]
    fn dots_are_removed_as_in_the_examples_of_the_specification() {
        for (path, expected) in [
            ("no/.././/pseudo-netpath/seg/file.ext", "pseudo-netpath/seg/file.ext"),
            ("no/..//.///pseudo-netpath/seg/file.ext", "pseudo-netpath/seg/file.ext"),
            ("yes/no//..//.///pseudo-netpath/seg/file.ext", "yes/pseudo-netpath/seg/file.ext"),
            ("no/../yes", "yes"),
            ("no/../yes/", "yes/"),
            ("no/../yes/no/..", "yes/"),
            ("../../no/../..", "../../../"),
            ("no/../..", "../"),
            ("no/..", ""),
            ("no/../", ""),
            ("/a/b/c/./../../g", "/a/g"),
            ("mid/content=5/../6", "mid/6"),
            ("../../..", "../../../"),
            ("no/../../", "../"),
            ("..yes/..no/..no/..no/../../../..yes", "..yes/..yes"),
            ("..yes/..no/..no/..no/../../../..yes/", "..yes/..yes/"),
            ("../..", "../../"),
            ("../../../", "../../../"),
            (".", ""),
            ("./", ""),
            ("./.", ""),
            ("../../no/..", "../../"),
            ("../../no/../", "../../"),
            ("yes/no/../", "yes/"),
            ("yes/no/no/../..", "yes/"),
            ("yes/no/no/no/../../..", "yes/"),
            ("yes/no/../yes/no/no/../..", "yes/yes/"),
            ("/no/../", "/"),
            ("/yes/no/../", "/yes/"),
            ("/yes/no/no/../..", "/yes/"),
            ("../../..no/..", "../../"),
            ("..yes/..no/../", "..yes/"),
            ("..yes/...no/..no/..no/../../..", "..yes/"),
            ("/..no/../", "/"),
            ("/..yes/..no/../", "/..yes/"),
            ("/", "/"),
            ("/.", "/"),
            ("/./", "/"),
            ("/..", "/"),
            ("/../..", "/"),
            ("/./..", "/"),
            ("/./.././..", "/"),
            ("..", "../"),
            ("../", "../"),
        ] {
            assert_eq!(without_dots(path), expected, "{path}");
            assert_eq!(join("base", path), expected, "{path}");
        }
    }

    #[test]
    fn relative_bases_are_joined() {
        for (base, reference, expected) in [
            ("bar/", "foo", "bar/foo"),
            ("a/b", "../c", "c"),
            ("a/", "../../c/", "../c/"),
            ("..", "x", "../x"),
            ("../..", "x", "../../x"),
            ("a/", "..", ""),
            ("a//b/", "./c", "a/b/c"),
            ("../c/", "", "../c/"),
            ("..", "", "../"),
            ("../..", "?z", "../../?z"),
            ("x?y", "", "x?y"),
            ("x?y", "?z", "x?z"),
            ("?q", "c", "c"),
            ("a", "e/./f/../g", "e/g"),
            ("http://h", "..", "http://h/"),
            ("http://h", "x", "http://h/x"),
            ("http://h/a/b", "../c/", "http://h/c/"),
        ] {
            assert_eq!(join(base, reference), expected, "{base} + {reference}");
        }
    }
}
