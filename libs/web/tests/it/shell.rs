//! The shell in real pages: well-formed under hostile values, and its parts.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::response::IntoResponse;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use opsctl_http::Problem;
use opsctl_web::{Link, Page, Pages, assets};
use proptest::prelude::{any, proptest};
use serde::Serialize;
use tower_service::Service;

use crate::xml::read;

/// Everything that a service's page does with values.
const GALLERY: &str = r#"{% extends "shell.html" %}
{% from "parts.html" import badge %}
{% block title %}{{ name }}{% endblock %}
{% block main %}
<h1 title="{{ name }}">{{ name }} {{ badge(state) }} {{ badge("ok", name) }}</h1>
<ul class="{{ name }}">{% for item in items %}<li>{{ item }}</li>{% endfor %}</ul>
<p>{{ items|join(", ") }} {{ items }} {{ name|upper }} {{ name|replace("a", "b") }}</p>
{% endblock %}
{% block footer %}{{ name }} {% endblock %}
"#;

#[derive(Serialize)]
struct Gallery<'a> {
    name: &'a str,
    state: &'a str,
    items: &'a [String],
    current: &'a str,
}

fn pages(text: &str) -> Pages {
    let links = [Link::new("/", "Start"), Link::new(text, text)];
    let pages = Pages::new().service("finger").nav(links).add("finger/gallery.html", GALLERY);
    assert_eq!(pages.faults(), []);
    pages
}

fn gallery(text: &str) -> Page {
    let items = [text.to_owned(), "b".to_owned()];
    pages(text)
        .render("finger/gallery.html", Gallery { name: text, state: text, items: &items, current: text })
        .unwrap()
}

#[test]
fn the_frame() {
    let text = read(&gallery("moshez"));
    for part in [
        "<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\" xml:lang=\"en\">",
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">",
        "moshez · finger · opsctl",
        "<a href=\"moshez\" aria-current=\"page\">",
        "<main id=\"main\" tabindex=\"-1\">",
        concat!("opsctl ", env!("CARGO_PKG_VERSION")),
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn hostile_values() {
    for text in [
        "<script>alert(1)</script>",
        "]]> --> <!-- <![CDATA[ <?php ?> <!DOCTYPE",
        "\" onclick=\"x' y=`z`",
        "&nbsp; &#0; &amp &",
        "{{ name }} {% endblock %}",
        "\0\u{1}\u{8}\u{b}\u{c}\u{e}\u{1f}\u{7f}\u{85}\u{fffe}\u{ffff}\u{feff}\u{202e}",
        "a/b\\c\r\n\t",
        "𝒳 ä \u{1f600}",
        "",
    ] {
        let page = gallery(text);
        read(&page);
        assert!(!page.as_str().contains("<script>"), "{}", page.as_str());
    }
}

proptest! {
    #[test]
    fn any_value_gives_a_page(text in any::<String>()) {
        read(&gallery(&text));
    }
}

#[test]
fn states_are_words() {
    for (state, class) in [("ok", "badge ok"), ("degraded", "badge degraded"), ("else", "badge")] {
        let page = pages("x").render("finger/gallery.html", Gallery { name: "x", state, items: &[], current: "" });
        let text = read(&page.unwrap());
        assert!(text.contains(&format!("<span class=\"{class}\">{state}")), "{text}");
    }
}

#[test]
fn error_pages() {
    let page = pages("x").error_page();
    let problem = Problem { status: StatusCode::NOT_FOUND, message: "no user `<b>`", request_id: None };
    let text = page(&problem).unwrap();
    assert!(text.contains("404</span> Not Found") && text.contains("no user `&lt;b&gt;`"), "{text}");
    let problem = Problem { status: StatusCode::INTERNAL_SERVER_ERROR, message: "", request_id: Some("0123") };
    assert!(page(&problem).unwrap().contains("<code>0123</code>"));
}

/// A typing error in a template is an error, not an empty place.
#[test]
fn undefined_values() {
    #[derive(Serialize)]
    struct Empty {}
    let pages = Pages::new().add("a", "{{ nmae }}").add("b", "{% if nmae %}x{% endif %}fine");
    assert!(pages.render("a", Empty {}).is_err());
    assert_eq!(pages.render("b", Empty {}).unwrap().as_str(), "fine");
    let error = pages.render("c", Empty {}).unwrap_err();
    assert_eq!(error.to_string(), "failed to render `c`");
}

#[track_caller]
fn check_type(accept: Option<&'static str>, expected: &str) {
    let headers: HeaderMap = accept.iter().map(|accept| (ACCEPT, HeaderValue::from_static(accept))).collect();
    let response = gallery("x").status(StatusCode::ACCEPTED).respond(&headers);
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    assert_eq!(response.headers()[CONTENT_TYPE], expected);
    assert_eq!(response.headers()[VARY], "accept");
    assert!(response.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().starts_with("default-src 'self';"));
}

#[test]
fn media_types() {
    check_type(Some("text/html,application/xhtml+xml,*/*;q=0.8"), "application/xhtml+xml; charset=utf-8");
    check_type(Some("text/html"), "text/html; charset=utf-8");
    check_type(Some("*/*"), "text/html; charset=utf-8");
    check_type(None, "text/html; charset=utf-8");
    assert_eq!(gallery("x").into_response().headers()[CONTENT_TYPE], "text/html; charset=utf-8");
}

#[tokio::test]
async fn what_the_shell_refers_to_is_there() {
    let text = read(&gallery("x"));
    let addresses = text.split("=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    let own: Vec<_> = addresses.filter(|address| address.starts_with("/_/")).collect();
    assert_eq!(own.len(), 4, "{own:?}");
    let kinds = ["text/css; charset=utf-8", "image/svg+xml", "text/javascript; charset=utf-8", "image/svg+xml"];
    for (address, kind) in own.into_iter().zip(kinds) {
        let request = Request::get(address).body(Body::empty()).unwrap();
        let response = assets::<()>().call(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{address}");
        assert_eq!(response.headers()[CONTENT_TYPE], kind);
        assert_eq!(response.headers()[CACHE_CONTROL], "public, max-age=31536000, immutable");
        assert!(!to_bytes(response.into_body(), 1 << 20).await.unwrap().is_empty());
    }
    let request = Request::get("/_/style-0.css").body(Body::empty()).unwrap();
    let mut router: Router = assets();
    assert_eq!(router.call(request).await.unwrap().status(), StatusCode::NOT_FOUND);
}
