//! Where users are sent back to: the registered URLs, and the way back with
//! what the application added to its page's address.

use url::{Host, Url};

/// A redirect URL has at most this many characters.
pub const MAX_REDIRECT_URL: usize = 255;

/// The registered redirect URLs.
#[derive(Clone, Debug)]
pub(crate) struct Registered(Vec<(String, Url)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RedirectError {
    /// No URL a browser may be sent to.
    Invalid,
    /// None of the registered ones.
    Unauthorized,
}

impl Registered {
    pub(crate) fn new(texts: &[String]) -> Result<Self, RedirectError> {
        let urls = texts.iter().map(|text| Ok((text.clone(), parse(text)?)));
        match urls.collect::<Result<Vec<_>, _>>()? {
            none if none.is_empty() => Err(RedirectError::Invalid),
            urls => Ok(Self(urls)),
        }
    }

    /// Whether `text` is a registered URL.
    ///
    /// The documentation demands an exact match and says nothing of a varying
    /// query, so a varying query is refused here. The one liberty is that of
    /// RFC 8252, 7.3: a registered URL on a loopback address has any port.
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
    // Only a URL without a host refuses it, and a loopback address is a host.
    let _ = url.set_port(None);
    url
}

/// An https URL, or an http one on a loopback address, without user or fragment.
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

/// What a page's address says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PageQuery {
    /// `q`: the session.
    pub(crate) page: String,
    /// `language`: the page's language, if it was changed.
    pub(crate) language: Option<String>,
    /// What the application added; it goes back to it, octet by octet.
    pub(crate) extra: String,
}

impl PageQuery {
    pub(crate) fn read(raw: &str) -> Self {
        let (mut page, mut language, mut extra) = (None, None, Vec::new());
        for part in raw.split('&').filter(|part| !part.is_empty()) {
            // Only the first of each is ours: an application may use the same names.
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

    /// The address's query again, in another language.
    pub(crate) fn in_language(&self, code: &str) -> String {
        let separator = if self.extra.is_empty() { "" } else { "&" };
        format!("language={code}&q={}{separator}{}", self.page, self.extra)
    }

    /// The way back: the redirect URL and what the application added. The
    /// outcome is never in it.
    pub(crate) fn way_back(&self, redirect_url: &str) -> String {
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

    fn registered(urls: &[&str]) -> Registered {
        let urls: Vec<String> = urls.iter().map(|url| (*url).to_owned()).collect();
        Registered::new(&urls).unwrap()
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
    fn what_is_no_url_for_a_browser_is_invalid() {
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
    fn what_the_application_added_comes_back_untouched() {
        let query = PageQuery::read("language=NL&q=0a1b&st=Zk%2B1&x&q=theirs");
        assert_eq!(query.page, "0a1b");
        assert_eq!(query.extra, "st=Zk%2B1&x&q=theirs");
        assert_eq!(
            query.way_back("https://a.example/r"),
            "https://a.example/r?st=Zk%2B1&x&q=theirs"
        );
        let with_query = query.way_back("https://a.example/r?k=v");
        assert_eq!(with_query, "https://a.example/r?k=v&st=Zk%2B1&x&q=theirs");
        assert_eq!(PageQuery::read(&query.in_language("FR")).extra, query.extra);
    }

    #[test]
    fn nothing_added_nothing_returned() {
        assert_eq!(PageQuery::read("q=1").way_back("https://a.example/r"), "https://a.example/r");
    }
}
