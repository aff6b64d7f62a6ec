//! The pages in a browser without scripts.

use itsme_sandbox::{Config, User};
use reqwest::StatusCode;
use serde_json::json;

use crate::client::{Partner, signature, text};

/// The icon that a confirmation page marks.
fn marked(page: &str) -> &'static str {
    let at = page.find("<li class=\"marked\">").expect("the page must mark an icon");
    let item = page[at..].split("</li>").next().unwrap();
    if item.contains("<circle") {
        "circle"
    } else if item.contains("M12 2 22") {
        "triangle"
    } else {
        "square"
    }
}

fn form(icon: &str, answer: &str) -> &'static str {
    format!("icon={icon}&answer={answer}").leak()
}

fn wrong(icon: &str) -> &'static str {
    if icon == "circle" { "square" } else { "circle" }
}

#[tokio::test]
async fn a_user_completes_both_pages() {
    let partner = Partner::start().await;
    let (id, url) = partner.identify().await;
    let url = format!("{url}&st=Zk%2B1&x=y");
    let (page, _) = partner.get(&url).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("<html lang=\"nl\">") && page.text.contains("SANDBOX"));
    for user in User::ALL {
        assert!(page.text.contains(&format!("value=\"{}\"", user.name())));
    }
    let (answer, location) = partner.submit(&url, "user=new").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let next = format!("{}{}", partner.sandbox.front_url(), location.unwrap());
    assert_eq!(next, url);
    let (page, _) = partner.get(&next).await;
    assert!(page.text.contains("nog geen certificaat"));
    let (answer, location) = partner.submit(&url, form(marked(&page.text), "confirm")).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let back = "http://127.0.0.1:8080/itsme/return?st=Zk%2B1&x=y";
    assert_eq!(location.as_deref(), Some(back));
    let identified = partner.identification_status(&id).await.json();
    let user_code = text(&identified["userCode"]);

    // The certificate now exists, so the page does not offer to create one.
    let (_, other) = partner.identify().await;
    partner.submit(&other, "user=new").await;
    assert!(!partner.get(&other).await.0.text.contains("nog geen certificaat"));

    let (id, url) = partner.sign(&signature(&user_code)).await;
    let (page, _) = partner.get(&url).await;
    for part in
        ["Lease 12 NL", "Tenant NL", "Bewijs van goedkeuring", "1.3.6.1.4.1.49274.1.1.7.2.0"]
    {
        assert!(page.text.contains(part), "{part}");
    }
    let (_, location) = partner.submit(&url, form(marked(&page.text), "confirm")).await;
    assert_eq!(location.as_deref(), Some("http://127.0.0.1:8080/itsme/return"));
    assert!(partner.result(&id).await.json().get("sigObj").is_some());
    // Opening the page again has no effect.
    let (_, location) = partner.get(&url).await;
    assert_eq!(location.as_deref(), Some("http://127.0.0.1:8080/itsme/return"));
}

#[tokio::test]
async fn a_wrong_icon_refuses_the_request() {
    let partner = Partner::start().await;
    let (id, url) = partner.sign(&signature(&User::Ready.user_code("SANDBOX"))).await;
    let url = format!("{url}&st=1");
    let icon = marked(&partner.get(&url).await.0.text);
    let (page, location) = partner.submit(&url, form(wrong(icon), "confirm")).await;
    assert_eq!((page.status, location), (StatusCode::OK, None));
    assert!(page.text.contains("verkeerde icoon") && page.text.contains("role=\"status\""));
    assert!(page.text.contains("href=\"http://127.0.0.1:8080/itsme/return?st=1\""));
    assert_eq!(partner.result(&id).await.json()["result"]["min"], "REJECTED");
}

/// The position of the marked icon on the page, and the orders on the page and in the app.
fn order(page: &str) -> (usize, [Vec<usize>; 2]) {
    let (shown, offered) = page.split_once("<form").unwrap();
    let icons = ["<circle", "M12 2 22", "M3 3h18"];
    let orders = [shown, offered].map(|part| {
        let mut places: Vec<(usize, usize)> =
            icons.iter().enumerate().map(|(icon, d)| (part.find(d).unwrap(), icon)).collect();
        places.sort_unstable();
        places.into_iter().map(|(_, icon)| icon).collect::<Vec<usize>>()
    });
    let before = shown.split("class=\"marked\"").next().unwrap();
    (before.matches("<svg").count(), orders)
}

#[tokio::test]
async fn icons_are_in_random_order_and_the_mark_is_not_only_a_colour() {
    let partner = Partner::start().await;
    let mut found = [const { std::collections::BTreeSet::new() }; 2];
    let mut places = std::collections::BTreeSet::new();
    for _ in 0..60 {
        let (_, url) = partner.sign(&signature(&User::Ready.user_code("SANDBOX"))).await;
        let (page, _) = partner.get(&url).await;
        let (place, orders) = order(&page.text);
        places.insert(place);
        for (all, order) in found.iter_mut().zip(orders) {
            all.insert(order);
        }
        // A reload does not change the page.
        assert_eq!(partner.get(&url).await.0.text, page.text);
        assert!(page.text.contains("↑ dit icoon"));
    }
    // With 60 pages, one of the six orders is missing once in 9,000 runs; four always occur.
    assert!(found.iter().all(|orders| orders.len() >= 4), "{found:?}");
    assert_eq!(places.len(), 3);
}

#[tokio::test]
async fn refusing_needs_no_icon() {
    let partner = Partner::start().await;
    let (id, url) = partner.sign(&signature(&User::Ready.user_code("SANDBOX"))).await;
    let (_, location) = partner.submit(&url, "answer=refuse").await;
    assert!(location.is_some());
    assert_eq!(partner.result(&id).await.json()["result"]["min"], "REJECTED");
}

#[tokio::test]
async fn the_page_says_that_the_user_does_not_answer() {
    let partner = Partner::start().await;
    let (_, url) = partner.sign(&signature(&User::ExpiresSigning.user_code("SANDBOX"))).await;
    let icon = marked(&partner.get(&url).await.0.text);
    let (page, _) = partner.submit(&url, form(icon, "confirm")).await;
    assert!(page.text.contains("antwoordt niet"));
}

#[tokio::test]
async fn texts_of_the_application_are_escaped() {
    let partner = Partner::start().await;
    let mut request = signature(&User::Ready.user_code("SANDBOX"));
    let label = |lang: &str| json!({ "lang": lang, "value": "<script>alert(1)</script>&\"'" });
    let labels: serde_json::Value = ["EN", "FR", "NL", "DE"].into_iter().map(label).collect();
    request["optInp"]["itsme"]["description"] = labels.clone();
    request["optInp"]["itsme"]["signPolicy"]["signerRole"] = labels;
    let (_, url) = partner.sign(&request).await;
    let (page, _) = partner.get(&format!("{url}&x=\"><script>alert(2)</script>")).await;
    assert!(!page.text.contains("<script"));
    assert_eq!(page.text.matches("&lt;script&gt;alert(1)").count(), 2);
}

#[tokio::test]
async fn pages_exist_in_four_languages() {
    let partner = Partner::start().await;
    let (_, url) = partner.sign(&signature(&User::Ready.user_code("SANDBOX"))).await;
    for (code, title) in [
        ("EN", "Confirm your signature"),
        ("FR", "Confirmez votre signature"),
        ("NL", "Bevestig uw handtekening"),
        ("DE", "Bestätigen Sie Ihre Signatur"),
    ] {
        let (page, _) = partner.get(&url.replace("language=NL", &format!("language={code}"))).await;
        assert!(page.text.contains(&format!("<h1>{title}</h1>")));
        assert!(page.text.contains(&format!("Lease 12 {code}")));
        assert!(page.text.contains("SANDBOX"));
    }
}

#[tokio::test]
async fn unknown_pages_and_users_are_errors() {
    let partner = Partner::start().await;
    let front = partner.sandbox.front_url().to_owned();
    for query in ["", "?q=", "?q=nothing", "?q=%00%FF"] {
        let (page, _) = partner.get(&format!("{front}/qes/sign{query}")).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND);
        let (page, _) = partner.submit(&format!("{front}/qes/sign{query}"), "answer=confirm").await;
        assert_eq!(page.status, StatusCode::NOT_FOUND);
    }
    let (_, url) = partner.identify().await;
    let (page, _) = partner.submit(&url, "user=nobody").await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    let (page, _) = partner.get(&front).await;
    assert!(page.text.contains("expires-identification") && page.text.contains("SANDBOX"));
}

#[tokio::test]
async fn pages_load_nothing_from_other_hosts() {
    let partner = Partner::with(Config::default()).await;
    let (_, url) = partner.identify().await;
    let response = partner.browser.get(&url).send().await.unwrap();
    let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'"));
    assert_eq!(response.headers()["cache-control"], "no-store");
    let page = response.text().await.unwrap();
    assert!(!page.contains("src=") && !page.contains("<link") && !page.contains("http://"));
}
