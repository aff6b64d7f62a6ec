//! An HTTP answer, with the headers that matter to this crate.

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};
use http::Response;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, LOCATION, RETRY_AFTER};
use url::Url;

/// An answer of the server.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    /// Whether the body is a web page. Servers on the way answer with one, the
    /// service never does.
    pub(crate) is_web_page: bool,
    /// The host of a redirect
    pub(crate) redirects_to: Option<String>,
    /// The time for which the server asks before the next request (RFC 9110, 10.2.3)
    pub(crate) retry_after: Option<Duration>,
}

impl Answer {
    pub(crate) fn new(response: Response<Vec<u8>>, now: DateTime<Utc>) -> Self {
        let status = response.status().as_u16();
        let (head, body) = response.into_parts();
        let location = header(&head.headers, LOCATION).and_then(|url| Url::parse(url).ok());
        Self {
            status,
            is_web_page: is_web_page(header(&head.headers, CONTENT_TYPE), &body),
            redirects_to: location.and_then(|url| url.host_str().map(ToOwned::to_owned)),
            retry_after: header(&head.headers, RETRY_AFTER).and_then(|text| wait(text, now)),
            body,
        }
    }
}

fn header(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// Whether the media type or the first character of a body is that of a web page.
fn is_web_page(media_type: Option<&str>, body: &[u8]) -> bool {
    let named = media_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    ["text/html", "application/xhtml+xml"].iter().any(|html| named.eq_ignore_ascii_case(html))
        || body.trim_ascii_start().first() == Some(&b'<')
}

/// The wait that a `Retry-After` asks for: a number of seconds or a date.
fn wait(text: &str, now: DateTime<Utc>) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        // A number that does not fit is bounded like every other long wait.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let until = http_date(text)?.signed_duration_since(now);
    Some(until.to_std().unwrap_or_default())
}

/// A date in one of the three forms that a recipient must read (RFC 9110, 5.6.7).
fn http_date(text: &str) -> Option<DateTime<Utc>> {
    ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        .map(|date| date.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(784_111_777 + seconds, 0).unwrap()
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_in_three_forms() {
        for (text, expected) in [
            ("0", Some(0)),
            (" 120 ", Some(120)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(30)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(30)),
            ("Sun Nov  6 08:49:37 1994", Some(30)),
            // A date in the past needs no wait.
            ("Sun, 06 Nov 1994 08:48:37 GMT", Some(0)),
            ("99999999999999999999999", Some(u64::MAX)),
            ("", None),
            ("-5", None),
            ("1.5", None),
            ("soon", None),
            ("Sun, 32 Nov 1994 08:49:37 GMT", None),
        ] {
            assert_eq!(wait(text, at(-30)).map(|wait| wait.as_secs()), expected, "{text:?}");
        }
    }

    #[test]
    fn a_web_page_shows_in_its_type_or_its_first_character() {
        for (media_type, body, expected) in [
            (Some("text/html"), "", true),
            (Some("Text/HTML; charset=utf-8"), "oops", true),
            (Some("application/json"), " \n<!DOCTYPE html>", true),
            (None, "<html>", true),
            (None, "oops", false),
            (Some("application/json"), "{}", false),
            (Some("text/plain"), "", false),
        ] {
            assert_eq!(is_web_page(media_type, body.as_bytes()), expected, "{media_type:?} {body}");
        }
    }
}
