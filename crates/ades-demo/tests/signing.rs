//! Browsers, strangers and the sandbox with the application, over HTTP. Rust alone.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

mod common;
#[path = "common/trips.rs"]
mod trips;

use std::time::Duration;

use ades_session::store::Store;
use ades_session_sqlite::SqliteStore;
use common::{Bench, pdf};

#[test]
fn three_documents_are_signed_whenever_the_server_is_killed() {
    trips::sign_three_documents(None);
}

#[test]
fn strangers_learn_nothing_and_change_nothing() {
    let bench = Bench::start(None);
    let (mut user, mut stranger) = (bench.browser(), bench.browser());
    let case = user.upload("/cases", &[("a.txt", b"I agree.")]).location();
    stranger.get("/");
    assert_ne!(user.cookie, stranger.cookie);
    for path in
        ["", "/1", "/1/document", "/1/signed", "/1/contents", "/1/page/1", "/all.zip", "/state"]
    {
        let target = format!("{case}{path}");
        assert_eq!(stranger.get(&target).status, 404, "{target}");
    }
    for wish in ["sign", "again", "cancel", "delete"] {
        assert_eq!(stranger.post(&case, &format!("wish={wish}")).status, 404, "{wish}");
    }
    let page = user.post(&case, "wish=sign").location();
    let back = bench.answer(&page, true);
    assert_eq!(stranger.get(&back).status, 404);
    assert_eq!(stranger.get("/return?st=0123456789abcdef0123456789abcdef").status, 404);
    assert_eq!(stranger.get("/return").status, 404);
    assert_eq!(user.come_back(&back).status, 303);
    for path in ["/cases/../key", "/cases/..%2F..%2Fkey", "/cases/00000000000000000000000000000000"]
    {
        assert_eq!(user.get(path).status, 404, "{path}");
    }
}

#[test]
fn forms_of_other_pages_are_refused() {
    let bench = Bench::start(None);
    let (mut user, mut other) = (bench.browser(), bench.browser());
    let case = user.upload("/cases", &[("a.txt", b"I agree.")]).location();
    let theirs = other.get("/").token();
    let own = user.get("/").token();
    let form = "content-type: application/x-www-form-urlencoded\r\n";
    for token in ["", "0123456789abcdef0123456789abcdef", &theirs] {
        let body = format!("token={token}&wish=delete");
        assert_eq!(user.send("POST", &case, form, body.as_bytes()).status, 403, "{token}");
        assert_eq!(user.upload_with("/cases", token, &[("b.txt", b"b")]).status, 403, "{token}");
    }
    for site in ["cross-site", "same-site"] {
        let head = format!("{form}sec-fetch-site: {site}\r\n");
        let body = format!("token={own}&wish=delete");
        assert_eq!(user.send("POST", &case, &head, body.as_bytes()).status, 403, "{site}");
    }
    user.get(&case).shows("a.txt");
}

#[test]
fn every_answer_has_the_headers() {
    let bench = Bench::start(None);
    let mut user = bench.browser();
    let case = user.upload("/cases", &[("a.pdf", &pdf("A")), ("<b>.txt", b"<b>")]).location();
    for target in
        ["/", &case, &format!("{case}/1"), &format!("{case}/1/document"), "/style.css", "/nowhere"]
    {
        let answer = user.get(target);
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{target}");
        assert_eq!(answer.header("referrer-policy"), Some("same-origin"), "{target}");
        assert!(answer.header("cache-control").is_some(), "{target}");
    }
    // A name is shown, and is not a part of the page.
    user.get(&case).shows("&lt;b&gt;.txt");
    let cookie = bench.browser().get("/");
    let cookie = cookie.header("set-cookie").unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
}

#[test]
fn uploads_have_limits() {
    let bench = Bench::start(None);
    let mut user = bench.browser();
    assert_eq!(user.upload("/cases", &[]).status, 422);
    assert_eq!(user.upload("/cases", &[("", b"")]).status, 422);
    let large = vec![b'x'; 33 * 1024 * 1024];
    let refused = user.upload("/cases", &[("a.txt", b"a"), ("large.txt", &large)]);
    assert_eq!(refused.status, 413);
    user.get("/").shows("Sign your documents");
    assert!(!user.get("/").text().contains("/cases/"), "a part of an upload stays");
    let many: Vec<(String, Vec<u8>)> = (0..101).map(|n| (format!("{n}.txt"), vec![b'x'])).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|(n, o)| (n.as_str(), o.as_slice())).collect();
    assert_eq!(user.upload("/cases", &many).status, 413);
    user.upload("/cases", &many[..100]).location();
}

#[test]
fn user_refuses_thinks_again_cancels_and_begins_again() {
    let bench = Bench::start(None);
    let mut user = bench.browser();
    let case = user.upload("/cases", &[("a.txt", b"I agree."), ("b.txt", b"So do I.")]).location();
    let page = user.post(&case, "wish=sign").location();
    let page = user.come_back(&bench.answer(&page, true)).location();
    let back = bench.answer(&page, false);
    assert_eq!(user.come_back(&back).location(), case);
    user.get(&case).shows("You refused");
    let page = user.post(&case, "wish=again").location();
    let back = bench.answer(&page, false);
    assert_eq!(user.come_back(&back).location(), case);
    user.get(&case).shows("You refused");
    assert_eq!(user.post(&case, "wish=edit").status, 409);
    assert_eq!(user.post(&case, "wish=cancel").location(), case);
    user.get(&case).shows("Cancelled");
    assert_eq!(user.post(&case, "wish=edit").location(), case);
    // The case is open again: without the second document it is signed after all.
    assert_eq!(user.post(&format!("{case}/2"), "remove=yes").location(), case);
    let page = user.post(&case, "wish=sign").location();
    let page = user.come_back(&bench.answer(&page, true)).location();
    let back = bench.answer(&page, true);
    assert_eq!(user.come_back(&back).location(), case);
    user.get(&case).shows("a.txt.p7m");
    assert_eq!(user.get(&format!("{case}/1/signed")).status, 200);
}

/// The poller has the job at the moment in which the browser comes back. Whoever identified in it is
/// known only by this return, so it must not be lost.
#[test]
fn return_while_another_process_has_the_job_is_not_lost() {
    let bench = Bench::start(None);
    let mut user = bench.browser();
    let case = user.upload("/cases", &[("a.txt", b"I agree.")]).location();
    let page = user.post(&case, "wish=sign").location();
    let back = bench.answer(&page, true);
    let store = SqliteStore::open(bench.folder().join("jobs.sqlite")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let job = bench.only_job();
    // The application's own poller may have it first.
    let lease = || {
        let leases = std::iter::repeat_with(|| {
            std::thread::sleep(Duration::from_millis(50));
            runtime.block_on(store.lease(job, "another process", Duration::from_secs(600))).unwrap()
        });
        leases.flatten().next().unwrap()
    };
    let other = lease();
    // The page of the case still leads to the signer's page.
    user.get(&case).shows("Waiting for your confirmation").shows(&page.replace('&', "&amp;"));
    user.get(&format!("{case}/state")).shows("wait");
    let answer = std::thread::scope(|scope| {
        let answer = scope.spawn(|| user.come_back(&back));
        // Most often, the browser is back by then.
        std::thread::sleep(Duration::from_secs(1));
        assert!(!answer.is_finished());
        runtime.block_on(store.release(&other)).unwrap();
        answer.join().unwrap()
    });
    assert!(answer.location().contains("/qes/sign"), "{}", answer.head);
    // What the user wants is not lost, either.
    let other = lease();
    std::thread::scope(|scope| {
        let cancelled = scope.spawn(|| user.post(&case, "wish=cancel").location());
        std::thread::sleep(Duration::from_secs(1));
        runtime.block_on(store.release(&other)).unwrap();
        cancelled.join().unwrap()
    });
    user.get(&case).shows("Cancelled");
}

#[test]
fn documents_that_cannot_be_signed_are_said_before_anybody_is_asked() {
    let bench = Bench::start(None);
    let mut user = bench.browser();
    let case = user.upload("/cases", &[("bad.pdf", b"%PDF-1.7\nnothing")]).location();
    user.get(&case).shows("cannot be signed as chosen");
    assert_eq!(user.post(&case, "wish=sign").status, 422);
    assert!(bench.sandbox.control().sessions().is_empty());
    assert_eq!(user.post(&format!("{case}/1"), "choice=cades").location(), case);
    user.post(&case, "wish=sign").location();
}

#[test]
fn pages_are_in_the_language_of_the_browser() {
    let bench = Bench::start(None);
    for (code, title) in [
        ("en", "Sign your documents"),
        ("fr", "Signez vos documents"),
        ("nl", "Onderteken uw documenten"),
        ("de", "Signieren Sie Ihre Dokumente"),
    ] {
        let mut user = bench.browser();
        let head = format!("accept-language: ja, {code}-BE;q=0.8, en;q=0.1\r\n");
        user.send("GET", "/", &head, b"").shows(title).shows(&format!("lang=\"{code}\""));
        let chosen = user.get(&format!("/?lang={code}"));
        assert!(chosen.head.contains(&format!("lang={}", code.to_uppercase())), "{}", chosen.head);
        chosen.shows(title);
    }
}
