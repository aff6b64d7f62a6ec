//! The registered redirect URLs, and the URL by which a user returns with the
//! parameters that the application added to the page's URL.

use url::{Host, Url};

/// Maximum length of a redirect URL, in characters.
pub const MAX_REDIRECT_URL: usize = 255;

/// The registered redirect URLs.
#[derive(Clone, Debug)]
pub(crate) struct RegisteredUrls(Vec<(String, Url)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RedirectError {
    /// Not a URL that a browser may be sent to
    Invalid,
    /// Not a registered URL
    Unauthorized,
}

impl RegisteredUrls {
    pub(crate) fn new(texts: &[String]) -> Result<Self, RedirectError> {
        let urls = texts.iter().map(|text| Ok((text.clone(), parse(text)?)));
        match urls.collect::<Result<Vec<_>, _>>()? {
            none if none.is_empty() => Err(RedirectError::Invalid),
            urls => Ok(Self(urls)),
        }
    }

    /// Checks that `text` is a registered URL.
    ///
    /// The documentation requires an exact match and does not mention a varying
    /// query, so the query must match too. The only exception is that of
    /// RFC 8252, 7.3: a registered URL on a loopback address may have any port.
    pub(crate) fn accept(&self, text: &str) -> Result<(), RedirectError> {
        let found = parse(text)?;
        let same = |(registered, url): &(String, Url)| {
            text == registered
                || (is_loopback(&found)
                    && is_loopback(url)
                    && without_port(&found) == without_port(url))
        };
        if self.0.iter().any(same) { Ok(()) } else { Err(RedirectError::Unauthorized) }
    }
}

fn without_port(url: &Url) -> Url {
    let mut url = url.clone();
    // This fails only for a URL without a host, and a loopback URL has one.
    let _ = url.set_port(None);
    url
}

/// Parses an https URL, or an http URL on a loopback address. It must not have a
/// user name, a password or a fragment.
fn parse(text: &str) -> Result<Url, RedirectError> {
    if text.chars().count() > MAX_REDIRECT_URL {
        return Err(RedirectError::Invalid);
    }
    let url = Url::parse(text).map_err(|_| RedirectError::Invalid)?;
    let scheme = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
    let bare = url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    if scheme && bare && text.is_ascii() { Ok(url) } else { Err(RedirectError::Invalid) }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The query of a page's URL.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PageQuery {
    /// `q`: the name of the session's page.
    pub(crate) page: String,
    /// `language`: the language of the page.
    pub(crate) language: Option<String>,
    /// The parameters that the application added. They return to it unchanged.
    pub(crate) extra: String,
}

impl PageQuery {
    pub(crate) fn read(raw: &str) -> Self {
        let (mut page, mut language, mut extra) = (None, None, Vec::new());
        for part in raw.split('&').filter(|part| !part.is_empty()) {
            // Only the first of each is ours, because an application may use
            // the same names.
            match part.split_once('=') {
                Some(("q", value)) if page.is_none() => page = Some(value.to_owned()),
                Some(("language", value)) if language.is_none() => {
                    language = Some(value.to_owned());
                }
                _ => extra.push(part),
            }
        }
        Self { page: page.unwrap_or_default(), language, extra: extra.join("&") }
    }

    /// The same query with another language.
    pub(crate) fn in_language(&self, code: &str) -> String {
        let separator = if self.extra.is_empty() { "" } else { "&" };
        format!("language={code}&q={}{separator}{}", self.page, self.extra)
    }

    /// The redirect URL with the parameters that the application added. It never
    /// contains the outcome.
    pub(crate) fn return_url(&self, redirect_url: &str) -> String {
        let separator = match redirect_url.split_once('?') {
            _ if self.extra.is_empty() => "",
            None => "?",
            Some((_, "")) => "",
            Some(_) => "&",
        };
        format!("{redirect_url}{separator}{}", self.extra)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registered(urls: &[&str]) -> RegisteredUrls {
        let urls: Vec<String> = urls.iter().map(|url| (*url).to_owned()).collect();
        RegisteredUrls::new(&urls).unwrap()
    }

    #[test]
    fn only_the_registered_urls_are_accepted() {
        let registered = registered(&["https://sca.example/return", "https://b.example/r?x=1"]);
        assert_eq!(registered.accept("https://sca.example/return"), Ok(()));
        assert_eq!(registered.accept("https://b.example/r?x=1"), Ok(()));
        for other in [
            "https://sca.example/Return",
            "https://sca.example/return?x=1",
            "https://sca.example:444/return",
            "https://sca.example.evil/return",
        ] {
            assert_eq!(registered.accept(other), Err(RedirectError::Unauthorized), "{other}");
        }
    }

    #[test]
    fn urls_that_a_browser_must_not_visit_are_invalid() {
        let registered = registered(&["https://sca.example/return"]);
        let long = format!("https://sca.example/{}", "x".repeat(MAX_REDIRECT_URL));
        for other in [
            "",
            "return",
            "http://sca.example/return",
            "myapp://return",
            "https://sca.example/return#x",
            "https://user@sca.example/return",
            "javascript:alert(1)",
            &long,
        ] {
            assert_eq!(registered.accept(other), Err(RedirectError::Invalid), "{other}");
        }
    }

    #[test]
    fn a_loopback_address_may_have_any_port() {
        let registered = registered(&["http://127.0.0.1/return"]);
        assert_eq!(registered.accept("http://127.0.0.1:4711/return"), Ok(()));
        let other = registered.accept("http://127.0.0.1:4711/elsewhere");
        assert_eq!(other, Err(RedirectError::Unauthorized));
    }

    #[test]
    fn parameters_that_the_application_added_return_unchanged() {
        let query = PageQuery::read("language=NL&q=0a1b&st=Zk%2B1&x&q=theirs");
        assert_eq!(query.page, "0a1b");
        assert_eq!(query.extra, "st=Zk%2B1&x&q=theirs");
        assert_eq!(
            query.return_url("https://a.example/r"),
            "https://a.example/r?st=Zk%2B1&x&q=theirs"
        );
        let with_query = query.return_url("https://a.example/r?k=v");
        assert_eq!(with_query, "https://a.example/r?k=v&st=Zk%2B1&x&q=theirs");
        assert_eq!(PageQuery::read(&query.in_language("FR")).extra, query.extra);
    }

    #[test]
    fn without_added_parameters_the_redirect_url_is_unchanged() {
        assert_eq!(PageQuery::read("q=1").return_url("https://a.example/r"), "https://a.example/r");
    }
}
