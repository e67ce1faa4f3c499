//! Every part that is no form: well-formed under hostile values, and what it shows.

use axum::extract::FromRequestParts;
use axum::response::Response;
use http::header::{ACCEPT, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue, Request};
use opsctl_web::{Markup, Page, Pages, Paging, Slice, Sort, Visit, plot};
use proptest::prelude::{any, proptest};
use serde::Serialize;

use crate::xml::read;

const PARTS: &str = r##"{% extends "shell.html" %}
{% from "parts.html" import badge, button, code, crumbs, diff, disclosure, empty, fact, facts, heading, link, note, pager, plot, progress, search, stats, tabs %}
{% block title %}{{ h }}{% endblock %}
{% block main %}
{{ badge(h, h) }}{{ button(h, h, h) }}{{ code(h, h) }}{{ crumbs([[h, h]], h) }}{{ tabs([[h, h, h], ["/x", "here"]], h) }}
{{ diff([[h, h], ["+", h]]) }}{{ link(h, h) }}{{ link(h) }}{{ link("https://a.example/?" ~ (h|segment), h) }}{{ progress(h, h, h, h) }}{{ progress(h) }}
{{ search(h, h, h, h) }}{{ stats([[h, h, h], ["Files", 12345|grouped]]) }}{{ plot(svg, h) }}
{% call facts() %}{{ fact(h, h, h) }}{% call fact(h) %}{{ h }}{% endcall %}{{ fact("Size", 1536|bytes) }}{% endcall %}
{% call note(h) %}{{ h }}{% endcall %}{% call disclosure(h, open=true) %}{{ h }}{% endcall %}{{ empty(h) }}{% call empty(h) %}{{ h }}{% endcall %}
<table><thead><tr>{{ heading(h, sort, "name") }}{{ heading("Size", sort, "size", numeric=true) }}{{ heading(h) }}</tr></thead></table>
{{ pager(paging, h) }}<p>{{ query_with("a", h, h, "b") }} {{ 90061|duration }} {{ 0|time }} {{ none|date }}</p>
{% endblock %}
"##;

#[derive(Serialize)]
struct Context<'a> {
    h: &'a str,
    svg: Markup,
    sort: Sort,
    paging: Paging,
}

async fn visit(address: &str) -> Visit {
    let (mut parts, ()) = Request::get(address).body(()).unwrap().into_parts();
    let Ok(visit) = Visit::from_request_parts(&mut parts, &()).await;
    visit
}

async fn show(hostile: &str) -> Page {
    let visit = visit("/x?q=%3Cq%3E&page=2&sort=-size").await;
    let pages = Pages::new().add("parts.page.html", PARTS);
    assert_eq!(pages.faults(), []);
    let svg = plot::line(hostile).series(hostile, [(0.0, 1.0), (1.0, 2.0)]).series(hostile, []).render();
    let sort = Sort::read(visit.query(), &["name", "size"]);
    let paging = Slice::read(visit.query(), 10).paging(&visit, 35);
    pages.show(&visit, "parts.page.html", Context { h: hostile, svg, sort, paging }).unwrap()
}

#[tokio::test]
async fn what_parts_show() {
    let page = show("<h>").await;
    let text = read(&page);
    for part in [
        "<span class=\"badge\"><h>",
        "<a class=\"button <h>\" href=\"<h>\"><h>",
        "<pre data-copy=\"\" tabindex=\"0\"><code><h>",
        "<span class=\"added\">+ <h>\n",
        "<li aria-current=\"page\"><h>",
        "<a href=\"/x\" aria-current=\"page\">here",
        "<a href=\"https://a.example/?%3Ch%3E\" rel=\"nofollow noopener noreferrer\"><h>",
        "<div><dt>Size<dd>1.5 KiB",
        "<th scope=\"col\"><a href=\"/x?q=%3Cq%3E&sort=name\"><h>",
        "<th scope=\"col\" class=\"number\" aria-sort=\"descending\"><a href=\"/x?q=%3Cq%3E&sort=size\">Size",
        "<a rel=\"prev\" href=\"/x?q=%3Cq%3E&sort=-size\">Previous",
        "11–20 of 35",
        "1d 1h <time datetime=\"1970-01-01T00:00:00Z\" title=\"1970-01-01 00:00:00 UTC\">1970-01-01 00:00",
        "<p class=\"name\"><h>",
        "<path class=\"line s0\"",
        "<div><dt>Files<dd>12,345",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let script = show("javascript:alert(1)").await;
    assert_eq!(script.as_str().matches("nofollow").count(), 1, "no link of it but the one to elsewhere");
}

/// A service's mistakes are told, not shown.
#[test]
fn mistakes() {
    #[derive(Serialize)]
    struct Empty {}
    for template in ["{{ 'yesterday'|time }}", "{{ -1|bytes }}", "{{ query_with('a', 1) }}", "{{ 'x'|grouped }}"] {
        let result = Pages::new().add("a.html", template).render("a.html", Empty {});
        assert!(result.is_err(), "{template}");
    }
}

proptest! {
    #[test]
    fn any_value_gives_well_formed_parts(hostile in any::<String>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        read(&runtime.block_on(show(&hostile)));
    }
}

#[tokio::test]
async fn one_representation_for_all() {
    #[derive(Serialize)]
    struct Context {
        name: &'static str,
        readme: Markup,
    }
    let pages = Pages::new().add("a.html", "<p>{{ name }}{{ readme }}</p>");
    let visit = visit("/").await;
    let check = async |accept: Option<&'static str>, kind: &str, expected: &str| {
        let headers: HeaderMap = accept.iter().map(|accept| (ACCEPT, HeaderValue::from_static(accept))).collect();
        let context = Context { name: "<a>", readme: opsctl_web::plain("&") };
        let response: Response = pages.represent(&visit, &headers, "a.html", context).unwrap();
        assert_eq!(response.headers()[VARY], "accept");
        assert!(response.headers()[CONTENT_TYPE].to_str().unwrap().starts_with(kind), "{accept:?}");
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        assert_eq!(std::str::from_utf8(&body).unwrap(), expected);
    };
    let markup = "<div class=\"prose\"><pre class=\"plain\">&amp;</pre></div>";
    let json = format!("{{\"name\":\"<a>\",\"readme\":{}}}", serde_json::to_string(markup).unwrap());
    let page = format!("<p>&lt;a&gt;{markup}</p>");
    check(None, "application/json", &json).await;
    check(Some("*/*"), "application/json", &json).await;
    check(Some("text/html,application/xhtml+xml,*/*;q=0.8"), "application/xhtml+xml", &page).await;
    check(Some("text/html"), "text/html", &page).await;
}
