//! Who may use the control API.

use itsme_sandbox::{Config, User};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::client::Partner;

/// Sends a request with these headers; returns its status.
async fn status(partner: &Partner, method: &str, path: &str, headers: &[(&str, &str)]) -> u16 {
    let url = format!("{}/sandbox/{path}", partner.sandbox.front_url());
    let mut request = partner.browser.request(method.parse().unwrap(), url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn pages_of_other_sites_cannot_use_the_control_api() {
    let partner = Partner::auto(User::Ready).await;
    partner.identify().await;
    let own = partner.sandbox.front_url().to_owned();
    let json = ("content-type", "application/json");
    for (headers, expected) in [
        (vec![("origin", "https://evil.example"), ("content-type", "text/plain")], 403),
        (vec![("origin", "https://evil.example"), json], 403),
        (vec![("origin", "null"), json], 403),
        (vec![("sec-fetch-site", "cross-site"), json], 403),
        (vec![("content-type", "application/x-www-form-urlencoded")], 415),
        (vec![("content-type", "multipart/form-data; boundary=a")], 415),
        (vec![("host", "evil.example"), json], 421),
    ] {
        assert_eq!(status(&partner, "POST", "reset", &headers).await, expected, "{headers:?}");
        for path in ["auto", "answer", "clock", "policies", "faults"] {
            assert_eq!(status(&partner, "POST", path, &headers).await, expected, "{path}");
        }
        if expected != 415 {
            for path in ["sessions", "faults"] {
                assert_eq!(status(&partner, "GET", path, &headers).await, expected, "{path}");
            }
        }
    }
    assert_eq!(partner.sandbox.control().sessions().len(), 1, "nothing was reset");
    // The sandbox's own page, and programs, which send none of these headers.
    let same = [("origin", own.as_str()), ("sec-fetch-site", "same-origin")];
    assert_eq!(status(&partner, "GET", "sessions", &same).await, 200);
    assert_eq!(status(&partner, "POST", "reset", &[]).await, 204);
    assert!(partner.sandbox.control().sessions().is_empty());
}

#[tokio::test]
async fn public_host_is_a_host_of_the_control_api() {
    let partner = Partner::with(Config::default().public_host("sandbox.test".to_owned())).await;
    let port = partner.sandbox.front_url().rsplit_once(':').unwrap().1.to_owned();
    let url = format!("http://127.0.0.1:{port}/sandbox/sessions");
    for (host, expected) in [
        (format!("sandbox.test:{port}"), StatusCode::OK),
        ("sandbox.test".to_owned(), StatusCode::OK),
        (format!("other.test:{port}"), StatusCode::MISDIRECTED_REQUEST),
    ] {
        let answer = partner.browser.get(&url).header("host", &host).send().await.unwrap();
        assert_eq!(answer.status(), expected, "{host}");
        let text = answer.text().await.unwrap();
        match expected {
            StatusCode::OK => assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), json!([])),
            _ => assert!(text.contains(&host), "{text}"),
        }
    }
}
