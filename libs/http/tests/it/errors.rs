//! Errors as the client sees them.

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, HeaderValue, StatusCode};
use opsctl_http::{HttpError, Limits, Problem, Site};
use quick_xml::Reader;
use quick_xml::events::Event;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::{Server, in_time, rest, until};

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
/// Whatever a text from elsewhere may hold.
const HOSTILE: &str = "<script>\"&'\u{1}\u{b}\u{ffff}]]>--";

fn router() -> Router {
    Router::new()
        .route("/", get(async || "fine").post(async || "posted"))
        .route("/missing", get(async || HttpError::not_found(format!("no user `{HOSTILE}`"))))
        .route("/panic", get(async || if true { panic!("secret {}", 7) } else { "" }))
        .route("/internal", get(async || HttpError::internal(io::Error::other("secret"))))
        .route("/own", get(async || (StatusCode::NOT_FOUND, "in my own words")))
        .route("/later", get(later))
        .route("/login", get(async || HttpError::unauthorized("the \"index\"\r\nx: y", "who are you?")))
        .route("/exists", get(exists))
        .route("/allowed", get(async || HttpError::method_not_allowed("PUT, DELETE", "")))
}

async fn later() -> Response {
    let mut response = HttpError::unavailable("try later").into_response();
    response.headers_mut().insert("retry-after", HeaderValue::from_static("7"));
    response
}

async fn exists() -> HttpError {
    let location = HeaderValue::from_static("/files/a");
    HttpError::new(StatusCode::CONFLICT, "file already exists:\r\n`\u{e4}`\u{7f}\n".to_owned() + &"x".repeat(1000))
        .header(http::header::LOCATION, location)
        .retry_after(std::time::Duration::from_millis(10))
        .code("exists")
}

struct Answer {
    status: u16,
    reason: String,
    headers: HeaderMap,
    body: String,
}

async fn ask(site: impl Into<Site>, method: &str, path: &str, accept: &str) -> Answer {
    let server = Server::start("127.0.0.1:0", site, Limits::default());
    let mut stream = in_time(TcpStream::connect(server.address())).await.unwrap();
    let request = format!("{method} {path} HTTP/1.0\r\naccept: {accept}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let text = rest(&mut stream).await;
    server.done().await;
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let mut first = lines.next().unwrap().splitn(3, ' ').skip(1).map(str::to_owned);
    let (status, reason) = (first.next().unwrap().parse().unwrap(), first.next().unwrap());
    let headers = lines.map(|line| line.split_once(": ").unwrap());
    let headers = headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
    Answer { status, reason, headers, body: body.to_owned() }
}

impl Answer {
    #[track_caller]
    fn header(&self, name: &str, expected: &str) {
        assert_eq!(self.headers.get(name).map(|value| value.to_str().unwrap()), Some(expected), "{name}");
    }

    /// The text of the page; it has to be well-formed.
    #[track_caller]
    fn xhtml(&self) -> String {
        let mut reader = Reader::from_str(&self.body);
        let mut text = String::new();
        loop {
            match reader.read_event().unwrap() {
                Event::Eof => break,
                Event::Text(part) => text += &part.decode().unwrap(),
                Event::GeneralRef(part) => text += &format!("&{};", part.decode().unwrap()),
                _ => {}
            }
        }
        text
    }
}

#[tokio::test]
async fn json_for_programs() {
    for (accept, kind) in [
        ("*/*", "application/problem+json"),
        ("application/problem+json", "application/problem+json"),
        ("image/png", "application/problem+json"),
        ("application/json", "application/json"),
        // of uv
        ("application/json;q=0.9, text/plain;q=0.8, text/html;q=0.7", "application/json"),
    ] {
        let answer = ask(router(), "GET", "/missing", accept).await;
        assert_eq!(answer.status, 404);
        answer.header("content-type", kind);
        answer.header("vary", "accept");
        answer.header("content-length", &answer.body.len().to_string());
        let json: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        let message = format!("no user `{HOSTILE}`");
        let expected = serde_json::json!({
            "type": "about:blank", "title": "Not Found", "status": 404, "detail": message, "message": message,
            "code": format!("404 {message}"),
        });
        assert_eq!(json, expected);
    }
}

#[tokio::test]
async fn text_for_who_prefers_it() {
    let answer = ask(router(), "GET", "/later", "text/plain, application/json;q=0.5").await;
    answer.header("content-type", "text/plain; charset=utf-8");
    assert_eq!(answer.body, format!("try later (request {})\n", answer.headers["x-request-id"].to_str().unwrap()));
    let answer = ask(router(), "GET", "/allowed", "text/plain").await;
    assert_eq!(answer.body, "Method Not Allowed\n");
}

/// Some clients show the reason phrase and nothing else.
#[tokio::test]
async fn reasons_codes_and_headers() {
    let answer = ask(router(), "GET", "/login", "*/*").await;
    assert_eq!((answer.status, &*answer.reason), (401, "who are you?"));
    answer.header("www-authenticate", "Basic realm=\"the indexx: y\", charset=\"UTF-8\"");
    let answer = ask(router(), "GET", "/exists", "application/json").await;
    let reason = format!("file already exists:  `?`  {}", "x".repeat(273));
    assert_eq!((answer.status, &answer.reason), (409, &reason));
    answer.header("location", "/files/a");
    answer.header("retry-after", "1");
    let json: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((&json["code"], &json["title"]), (&"exists".into(), &"Conflict".into()));
    let answer = ask(router(), "GET", "/allowed", "application/json").await;
    assert_eq!((answer.status, &*answer.reason), (405, "Method Not Allowed"));
    answer.header("allow", "PUT, DELETE");
    let json: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((&json["message"], &json["code"]), (&"Method Not Allowed".into(), &"405 Method Not Allowed".into()));
}

#[tokio::test]
async fn xhtml_for_browsers() {
    for (accept, kind) in [(BROWSER, "application/xhtml+xml; charset=utf-8"), ("text/html", "text/html; charset=utf-8")]
    {
        let answer = ask(router(), "GET", "/missing", accept).await;
        assert_eq!(answer.status, 404);
        answer.header("content-type", kind);
        answer.header("content-security-policy", opsctl_http::PAGE_POLICY);
        let text = answer.xhtml();
        assert!(text.contains("404 Not Found") && text.contains("no user `&lt;script&gt;&quot;&amp;"), "{text}");
        assert!(!answer.body.contains(['\u{1}', '\u{b}', '\u{ffff}']));
    }
}

#[tokio::test]
async fn what_goes_wrong_inside_has_a_number() {
    for path in ["/panic", "/internal"] {
        for accept in [BROWSER, "*/*"] {
            let answer = ask(router(), "GET", path, accept).await;
            assert_eq!(answer.status, 500);
            let id = answer.headers["x-request-id"].to_str().unwrap();
            assert!(id.len() == 16 && answer.body.contains(id), "{}", answer.body);
            assert!(!answer.body.contains("secret"), "{}", answer.body);
        }
    }
}

#[tokio::test]
async fn a_panic_does_not_end_the_connection() {
    let server = Server::start("127.0.0.1:0", router(), Limits::default());
    let mut stream = in_time(TcpStream::connect(server.address())).await.unwrap();
    for (path, status) in [("/panic", "500"), ("/", "200")] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let end = if status == "200" { "fine" } else { "}" };
        assert!(until(&mut stream, end).await.contains(&format!(" {status} ")));
    }
    drop(stream);
    server.done().await;
}

#[tokio::test]
async fn what_the_router_refuses_is_explained() {
    let answer = ask(router(), "GET", "/nowhere", "*/*").await;
    assert_eq!(answer.status, 404);
    assert!(answer.body.contains("there is nothing at this address"), "{}", answer.body);
    let answer = ask(router(), "DELETE", "/", BROWSER).await;
    assert_eq!(answer.status, 405);
    answer.header("allow", "GET,HEAD,POST");
    assert!(answer.xhtml().contains("does not take that method"));
}

#[tokio::test]
async fn what_a_handler_says_stays() {
    let answer = ask(router(), "GET", "/own", BROWSER).await;
    assert_eq!((answer.status, answer.body.as_str()), (404, "in my own words"));
    let answer = ask(router(), "GET", "/later", "*/*").await;
    assert_eq!(answer.status, 503);
    answer.header("retry-after", "7");
    assert!(answer.body.contains("try later") && answer.headers.contains_key("x-request-id"));
    let answer = ask(router(), "HEAD", "/missing", BROWSER).await;
    assert_eq!((answer.status, answer.body.as_str()), (404, ""));
}

#[tokio::test]
async fn a_page_of_ones_own() {
    let page = |problem: &Problem<'_>| {
        let Problem { status, message, request_id } = *problem;
        (status != StatusCode::INTERNAL_SERVER_ERROR).then(|| format!("<p>{status} {message} {request_id:?}</p>"))
    };
    let site = Site::new(router()).error_page(Arc::new(page));
    let answer = ask(site.clone(), "GET", "/nowhere", BROWSER).await;
    assert_eq!(answer.body, "<p>404 Not Found there is nothing at this address None</p>");
    let answer = ask(site, "GET", "/panic", BROWSER).await;
    assert!(answer.xhtml().contains("500 Internal Server Error"), "the built-in page if there is none");
}
