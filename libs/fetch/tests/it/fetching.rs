//! What comes back, and what is not gone for.

use std::sync::Arc;
use std::time::Duration;

use opsctl_fetch::{Credentials, Error, Fetch, Origin, Reach, Settings, Url};

use crate::server::{http, https, ok, redirect, script};

fn fetch(trusted: &[&Url]) -> Fetch {
    let trusted = trusted.iter().filter_map(|url| Origin::of(url)).collect();
    let reach = Reach { trusted, hosts: Vec::new() };
    Fetch::new(Settings { reach, read_timeout: Duration::from_millis(200), ..Settings::default() }).unwrap()
}

/// Fetches `path` of a server that answers like `answer`; the body, or the error's words.
async fn check(answer: impl Fn(&str) -> String + Send + Sync + 'static, expected: &str) {
    let url = http(script(answer)).await;
    let got = match fetch(&[&url]).get(&url, Default::default()).await {
        Ok(answer) => answer.bytes(100).await.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap()),
        Err(error) => Err(error),
    };
    let got = got.unwrap_or_else(|error| error.to_string());
    assert!(got.contains(expected), "{got}, expected {expected}");
}

#[tokio::test]
async fn a_body_within_bounds() {
    check(|_| ok("hello"), "hello").await;
    check(|_| ok(&"x".repeat(100)), &"x".repeat(100)).await;
    check(|_| ok(&"x".repeat(101)), "larger than 100 bytes").await;
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n65\r\n";
    check(move |_| format!("{chunked}{}\r\n0\r\n\r\n", "x".repeat(0x65)), "larger than 100 bytes").await;
    check(|_| "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhel".to_owned(), "failed to fetch").await;
    check(|_| "good evening\r\n\r\n".to_owned(), "failed to fetch").await;
}

#[tokio::test]
async fn redirects_are_judged_like_the_first() {
    let there =
        |to: &'static str| move |head: &str| if head.starts_with("GET / ") { redirect(to) } else { ok("there") };
    check(there("/x"), "there").await;
    check(there("//127.0.0.1:1/x"), "not https").await;
    check(there("https://127.0.0.1:1/x"), "not public").await;
    check(there("https://localhost:1/x"), "no public address").await;
    check(there("file:///etc/passwd"), "not https").await;
    check(there("http://["), "no URL").await;
    check(|_| redirect("/again"), "from one place to the next").await;
}

#[tokio::test]
async fn credentials_stay_with_their_origin() {
    let saw = |head: &str| ok(if head.contains("authorization: ") { "saw it" } else { "saw nothing" });
    let other = http(script(saw)).await;
    let to = other.clone();
    let first = http(script(move |head| if head.starts_with("GET /here") { saw(head) } else { redirect(to.as_str()) }));
    let first = first.await;
    let client = fetch(&[&first, &other]);
    let headers = || [(http::header::AUTHORIZATION, "Basic eDp5".parse().unwrap())].into_iter().collect();
    for (path, expected) in [("/here", "saw it"), ("/", "saw nothing")] {
        let answer = client.get(&first.join(path).unwrap(), headers()).await.unwrap();
        assert_eq!(answer.bytes(100).await.unwrap(), expected);
    }
    let mut mine = first.clone();
    mine.set_username("me").unwrap();
    let credentials = Credentials::take(&mut mine);
    let reach = Reach { trusted: [&first, &other].into_iter().filter_map(Origin::of).collect(), hosts: Vec::new() };
    let client = Fetch::new(Settings { reach, credentials, ..Settings::default() }).unwrap();
    for (path, expected) in [("/here", "saw it"), ("/", "saw nothing")] {
        let answer = client.get(&first.join(path).unwrap(), Default::default()).await.unwrap();
        assert_eq!(answer.bytes(100).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn silence_ends() {
    let url = http(Arc::new(|_| (String::new(), false))).await;
    let error = fetch(&[&url]).get(&url, Default::default()).await.unwrap_err();
    assert!(matches!(error, Error::TimedOut { .. }) && error.is_temporary(), "{error:?}");
    let url = http(Arc::new(|_| ("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx".to_owned(), false))).await;
    let answer = fetch(&[&url]).get(&url, Default::default()).await.unwrap();
    assert!(matches!(answer.bytes(100).await, Err(Error::TimedOut { .. })));
}

#[tokio::test]
async fn nobody_there_is_temporary() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url: Url = format!("http://user:secret@{gone}/?token=secret").parse().unwrap();
    let error = fetch(&[&url]).get(&url, Default::default()).await.unwrap_err();
    assert!(error.is_temporary() && matches!(error, Error::Failed { .. }));
    let said = format!("{error} {error:?}");
    assert!(!said.contains("secret"), "{said}");
}

#[tokio::test]
async fn tls_believes_the_given_authority_alone() {
    let folder = tempfile::tempdir().unwrap();
    let pem = folder.path().join("ca.pem");
    let url = https(script(|_| ok("private")), &pem).await;
    let reach = Reach::trusting(&url);
    let settings = Settings { reach, authorities: Some(pem), ..Settings::default() };
    let answer = Fetch::new(settings.clone()).unwrap().get(&url, Default::default()).await.unwrap();
    assert_eq!(answer.bytes(100).await.unwrap(), "private");
    let stranger = Settings { authorities: None, ..settings.clone() };
    assert!(Fetch::new(stranger).unwrap().get(&url, Default::default()).await.is_err());
    let nobody = Settings { reach: Reach::default(), ..settings };
    let refused = Fetch::new(nobody).unwrap().get(&url, Default::default()).await.unwrap_err();
    assert!(matches!(refused, Error::Refused { .. }), "{refused}");
}

#[test]
fn a_file_without_certificates_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, "hello").unwrap();
    let error = Fetch::new(Settings { authorities: Some(file), ..Settings::default() }).unwrap_err();
    assert!(error.to_string().contains("ca.pem"), "{error}");
}
