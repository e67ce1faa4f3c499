//! What comes through the front and what does not: methods, forged requests, messages.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::any;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, COOKIE, SET_COOKIE, VARY};
use http::{HeaderMap, Method, Request, StatusCode};
use opsctl_http::HttpError;
use opsctl_web::{CSRF_FIELD, Form, Front, Key, Link, Pages, Tone, UserMenu, Visit};
use proptest::prelude::{any as anything, proptest};
use serde::Serialize;
use tower_service::Service;

const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=b";
const PAGE: &str = r#"{% extends "shell.html" %}{% from "parts.html" import form %}
{% block main %}{% if form_too %}{% call form(none, action="/", method="delete") %}{% endcall %}{% endif %}{% endblock %}"#;

#[derive(Serialize)]
struct Context {
    form_too: bool,
}

fn router() -> Router {
    Router::new()
        .route("/", any(async |method: Method, body: String| format!("{method} {body}")))
        .route("/token", any(async |visit: Visit| visit.token().map_err(HttpError::from)))
        .route(
            "/login",
            any(async |visit: Visit, form: Form| visit.require_token().map(|()| form.value("a").to_owned())),
        )
        .route("/page", any(async |visit: Visit| page(&visit, false)))
        .route("/form", any(async |visit: Visit| page(&visit, true)))
        .route(
            "/flash",
            any(async |visit: Visit| {
                visit.flash(Tone::Ok, "saved <it>");
                Redirect::to("/page")
            }),
        )
        .route(
            "/flash-here",
            any(async |visit: Visit| {
                visit.flash(Tone::Failed, "nothing saved");
                page(&visit, false)
            }),
        )
        .route(
            "/user",
            any(async |visit: Visit| {
                visit.set_user(UserMenu::user("moshez").link(Link::new("/account", "Account")).logout("/logout"));
                page(&visit, false)
            }),
        )
}

fn page(visit: &Visit, form_too: bool) -> Result<Response, HttpError> {
    let pages = Pages::new().add("page.html", PAGE);
    Ok(pages.show(visit, "page.html", Context { form_too })?.into_response())
}

/// A browser, or a program, as its headers show it.
#[derive(Clone, Default)]
struct Client {
    headers: Vec<(&'static str, String)>,
    secure: bool,
}

impl Client {
    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    async fn send(&self, method: &str, path: &str, body: impl Into<Body>) -> (StatusCode, HeaderMap, String) {
        let mut request = Request::builder().method(method).uri(path).header("host", "here:8000");
        request = request.extension(opsctl_http::Client { address: None, secure: self.secure });
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let mut site = Front::new(&Key::new([1; 32])).trust("https://outside.example").around(router());
        let response = site.call(request.body(body.into()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 1 << 20).await.unwrap();
        (parts.status, parts.headers, String::from_utf8(body.into()).unwrap())
    }

    /// The status of a POST, and what the handler said.
    async fn post(&self, path: &str, kind: &str, body: &str) -> (u16, String) {
        let (status, _, answer) =
            self.clone().with(CONTENT_TYPE.as_str(), kind).send("POST", path, body.to_owned()).await;
        (status.as_u16(), answer)
    }

    async fn token(&self) -> (String, HeaderMap) {
        let (status, headers, token) = self.send("GET", "/token", "").await;
        assert_eq!(status, StatusCode::OK);
        (token, headers)
    }
}

fn logged_in() -> Client {
    Client::default().with(COOKIE.as_str(), "x=y; opsctl_session=s3cret")
}

/// What a program's POST is routed as.
async fn check_method(headers: &[(&'static str, &str)], body: &str, expected: (u16, &str)) {
    let mut client = Client::default();
    for (name, value) in headers {
        client = client.with(name, *value);
    }
    let (status, _, answer) = client.send("POST", "/", body.to_owned()).await;
    let method = answer.split_once([' ', '\n']).map_or(&*answer, |(method, _)| method);
    let method = if status == StatusCode::OK { method } else { "" };
    assert_eq!((status.as_u16(), method), expected, "{headers:?} {body}");
    if status == StatusCode::OK {
        assert!(answer.ends_with(body), "the body comes through whole: {answer}");
    }
}

#[tokio::test]
async fn methods_of_forms() {
    let form = [("content-type", FORM)];
    check_method(&form, "_method=PUT&a=1", (200, "PUT")).await;
    check_method(&form, "a=1&_method=delete", (200, "DELETE")).await;
    check_method(&form, "_method=post", (200, "POST")).await;
    check_method(&form, "a=1", (200, "POST")).await;
    check_method(&form, "", (200, "POST")).await;
    check_method(&form, "_method=GET", (400, "")).await;
    check_method(&form, "_method=TRACE", (400, "")).await;
    check_method(&form, "_method=", (400, "")).await;
    let long = format!("a={}&_method=PUT", "x".repeat(100_000));
    check_method(&form, &long, (200, "POST")).await;
    let part = "--b\r\nContent-Disposition: form-data; name=\"_method\"\r\n\r\nPATCH\r\n--b--\r\n";
    check_method(&[("content-type", MULTIPART)], part, (200, "PATCH")).await;
    // nothing but forms has fields
    check_method(&[("content-type", "text/plain")], "_method=PUT", (200, "POST")).await;
    check_method(&[], "_method=PUT", (200, "POST")).await;
}

#[tokio::test]
async fn methods_in_a_header() {
    check_method(&[("x-http-method-override", "PUT")], "body", (200, "PUT")).await;
    check_method(&[("x-http-method-override", "delete"), ("content-type", "application/json")], "{}", (200, "DELETE"))
        .await;
    check_method(&[("x-http-method-override", "GET")], "", (400, "")).await;
    let client = Client::default().with("x-http-method-override", "DELETE");
    assert_eq!(client.send("GET", "/", "").await.2, "GET ", "it stands for POST only");
    assert_eq!(client.send("PUT", "/", "").await.2, "PUT ");
}

#[tokio::test]
async fn programs_need_no_token() {
    let client = Client::default();
    assert_eq!(client.post("/", FORM, "a=1").await.0, 200);
    assert_eq!(client.post("/", "text/xml", "<x/>").await.0, 200);
    for credentials in ["Basic eDp5", "Bearer x"] {
        let client = Client::default().with("authorization", credentials);
        assert_eq!(client.post("/", FORM, "a=1").await.0, 200);
        // the cookies of another page on this host
        let client = client.with(COOKIE.as_str(), "opsctl_csrf=abc; other=1");
        assert_eq!(client.post("/", FORM, "a=1").await.0, 200);
    }
    // a page elsewhere that was given a token may use it, one that has a browser send Basic credentials may not
    let foreign =
        |credentials: &str| Client::default().with("authorization", credentials).with("origin", "https://evil.example");
    assert_eq!(foreign("Bearer x").post("/", "application/json", "{}").await.0, 200);
    assert_eq!(foreign("Basic eDp5").post("/", FORM, "a=1").await.0, 403);
    assert_eq!(foreign("Bearer x").with(COOKIE.as_str(), "opsctl_session=s").post("/", FORM, "").await.0, 403);
}

#[tokio::test]
async fn who_is_logged_in_needs_the_sessions_token() {
    let client = logged_in();
    let (token, headers) = client.token().await;
    assert_eq!(headers.get(SET_COOKIE), None);
    assert_eq!(headers[CACHE_CONTROL], "private, no-cache");
    assert_eq!(headers[VARY], "cookie");
    let field = |token: &str| format!("{CSRF_FIELD}={token}&a=1");
    assert_eq!(client.post("/", FORM, &field(&token)).await.0, 200);
    assert_eq!(
        client.post("/", FORM, &format!("_method=DELETE&{}", field(&token))).await.1.split(' ').next(),
        Some("DELETE")
    );
    let part = format!("--b\r\nContent-Disposition: form-data; name=\"{CSRF_FIELD}\"\r\n\r\n{token}\r\n--b--\r\n");
    assert_eq!(client.post("/", MULTIPART, &part).await.0, 200);
    let script = client.clone().with("x-csrf-token", token.clone());
    assert_eq!(script.post("/", "application/json", "{}").await.0, 200);
    // without it, or with another's
    assert_eq!(client.post("/", FORM, "a=1").await.0, 403);
    assert_eq!(client.post("/", MULTIPART, "").await.0, 403);
    assert_eq!(client.post("/", "application/json", "{}").await.0, 403);
    assert_eq!(client.send("DELETE", "/", "").await.0, StatusCode::FORBIDDEN);
    let (others, _) = Client::default().with(COOKIE.as_str(), "opsctl_session=other").token().await;
    assert_eq!(client.post("/", FORM, &field(&others)).await.0, 403);
    assert_eq!(client.clone().with("authorization", "Basic eDp5").post("/", FORM, "a=1").await.0, 403);
    // what changes nothing needs nothing
    assert_eq!(client.send("GET", "/", "").await.0, StatusCode::OK);
    assert_eq!(client.clone().with("sec-fetch-site", "cross-site").send("GET", "/", "").await.0, StatusCode::OK);
    // the token alone does not help a forger
    let forged = client.clone().with("sec-fetch-site", "cross-site");
    assert_eq!(forged.post("/", FORM, &field(&token)).await.0, 403);
    let proxied = forged.with("origin", "https://outside.example");
    assert_eq!(proxied.post("/", FORM, &field(&token)).await.0, 200);
}

#[tokio::test]
async fn a_login_form_has_a_cookie_of_its_own() {
    let (token, headers) = Client::default().token().await;
    let cookie = headers[SET_COOKIE].to_str().unwrap();
    assert!(cookie.ends_with("; Path=/; SameSite=Lax; Max-Age=86400; HttpOnly"), "{cookie}");
    let pair = cookie.split(';').next().unwrap().to_owned();
    let body = format!("{CSRF_FIELD}={token}&a=1");
    let browser = Client::default().with(COOKIE.as_str(), pair);
    assert_eq!(browser.post("/login", FORM, &body).await, (200, "1".to_owned()));
    // the cookie stays while it is good
    assert_eq!(browser.token().await.1.get(SET_COOKIE), None);
    assert_eq!(browser.post("/login", FORM, "a=1").await.0, 403);
    assert_eq!(Client::default().post("/login", FORM, &body).await.0, 403, "no cookie");
    let planted = Client::default().with(COOKIE.as_str(), "opsctl_csrf=planted");
    assert_eq!(planted.post("/login", FORM, &body).await.0, 403);
}

#[tokio::test]
async fn a_page_without_a_form_sets_no_cookie() {
    let (_, headers, _) = Client::default().send("GET", "/page", "").await;
    assert_eq!(headers.get(SET_COOKIE), None);
    assert_eq!(headers.get(CACHE_CONTROL), None);
    let (_, headers, text) = Client::default().send("GET", "/form", "").await;
    assert!(headers.contains_key(SET_COOKIE));
    assert!(text.contains("name=\"_method\" value=\"DELETE\"/><input type=\"hidden\" name=\"_csrf\""), "{text}");
}

#[tokio::test]
async fn messages_are_shown_once() {
    let client = Client::default();
    let (status, headers, _) = client.send("POST", "/flash", "").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let pair = headers[SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let client = client.with(COOKIE.as_str(), pair);
    let (_, headers, text) = client.send("GET", "/page", "").await;
    assert!(text.contains("<p class=\"message ok\" role=\"status\">saved &lt;it&gt;</p>"), "{text}");
    assert!(headers[SET_COOKIE].to_str().unwrap().starts_with("opsctl_flash=; Path=/; SameSite=Lax; Max-Age=0;"));
    // what shows no page does not use it up, and a second one joins the first
    let (_, headers, _) = client.send("GET", "/", "").await;
    assert_eq!(headers.get(SET_COOKIE), None);
    let (_, headers, _) = client.send("POST", "/flash", "").await;
    let pair = headers[SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let (_, _, text) = Client::default().with(COOKIE.as_str(), pair).send("GET", "/page", "").await;
    assert_eq!(text.matches("saved &lt;it&gt;").count(), 2, "{text}");
    let (_, headers, text) = Client::default().send("GET", "/flash-here", "").await;
    assert!(text.contains("message failed") && text.contains("nothing saved"), "{text}");
    assert!(!headers.get(SET_COOKIE).is_some_and(|line| line.to_str().unwrap().contains("Max-Age=600")));
    let forged = Client::default().with(COOKIE.as_str(), "opsctl_flash=W3sidG9uZSI6Im9rIiwidGV4dCI6IngifV0");
    assert!(!forged.send("GET", "/page", "").await.2.contains("class=\"message"));
}

#[tokio::test]
async fn the_corner_of_who_is_logged_in() {
    let (_, headers, text) = logged_in().send("GET", "/user", "").await;
    for part in [
        "<summary>moshez</summary>",
        "<a href=\"&#x2f;account\">Account</a>",
        "action=\"&#x2f;logout\"",
        "name=\"_csrf\"",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert_eq!(headers[CACHE_CONTROL], "private, no-cache");
}

#[tokio::test]
async fn forms_are_bounded() {
    let client = Client::default();
    let (token, headers) = client.token().await;
    let client = client.with(COOKIE.as_str(), headers[SET_COOKIE].to_str().unwrap().split(';').next().unwrap());
    let send = |more: String| {
        let (client, token) = (client.clone(), token.clone());
        async move { client.post("/login", FORM, &format!("{CSRF_FIELD}={token}&{more}")).await.0 }
    };
    assert_eq!(send("a=1".to_owned()).await, 200);
    assert_eq!(send("a=1&".repeat(1000)).await, 413);
    assert_eq!(send(format!("a={}", "x".repeat(3_000_000))).await, 413);
    let script = client.with("x-csrf-token", token);
    assert_eq!(script.post("/login", "application/json", "{}").await.0, 415);
}

#[tokio::test]
async fn over_tls_cookies_are_kept_to_it() {
    let client = Client { secure: true, ..Client::default() };
    let (token, headers) = client.token().await;
    let line = headers[SET_COOKIE].to_str().unwrap();
    assert!(line.starts_with("__Host-opsctl_csrf=") && line.contains("; Secure;"), "{line}");
    let pair = line.split(';').next().unwrap().to_owned();
    let body = format!("{CSRF_FIELD}={token}&a=1");
    let with = |cookie: &str| client.clone().with(COOKIE.as_str(), cookie);
    assert_eq!(with(&pair).post("/login", FORM, &body).await.0, 200);
    // what a neighbour without TLS may have planted counts for nothing
    let planted = pair.strip_prefix("__Host-").unwrap();
    assert_eq!(with(planted).post("/login", FORM, &body).await.0, 403);
    assert_eq!(with("opsctl_session=x").post("/", FORM, "a=1").await.0, 200, "nobody is logged in");
    assert_eq!(with("__Host-opsctl_session=x").post("/", FORM, "a=1").await.0, 403);
    assert_eq!(logged_in().post("/", FORM, "a=1").await.0, 403);
}

proptest! {
    /// Whatever is sent, the handler gets it byte for byte, or the client an answer.
    #[test]
    fn any_body(body in anything::<Vec<u8>>(), multipart in anything::<bool>(), pieces in 1_usize..9) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let kind = if multipart { MULTIPART } else { FORM };
            let chunks: Vec<Result<_, std::io::Error>> = body.chunks(pieces).map(|chunk| Ok(chunk.to_vec())).collect();
            let stream = Body::from_stream(futures_util::stream::iter(chunks));
            let request = Request::post("/").header(CONTENT_TYPE, kind).body(stream).unwrap();
            let echo = Router::new().fallback(async |body: axum::body::Bytes| body);
            let response = Front::new(&Key::new([1; 32])).around(echo).call(request).await.unwrap();
            if response.status() == StatusCode::OK {
                assert_eq!(to_bytes(response.into_body(), 1 << 20).await.unwrap(), body);
            }
        });
    }
}
