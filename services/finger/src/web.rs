//! The web pages: `/` lists the users, `/NAME` shows one, `/RPC2` takes XML-RPC.
//!
//! One representation each: what a template gets is what a program gets that prefers JSON. Pages are escaped by the
//! templates, in the tutorial they were not. What may be told is decided by the policy, as at every door.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use opsctl_config::ConfigPath;
use opsctl_http::{HttpError, Peer, Segment, XHTML, negotiate};
use opsctl_web::Pages;
use serde::Serialize;

use crate::audit::{Door, Outcome};
use crate::site::Site;
use crate::xmlrpc;

/// Largest XML-RPC request in bytes; a call of ours needs some two hundred.
const REQUEST_MAX: usize = 64 * 1024;
const LIST: &str = "finger/list.html";
const USER: &str = "finger/user.html";

/// What handlers share.
#[derive(Debug)]
struct Web {
    site: Arc<Site>,
    pages: Pages,
}

/// Everybody, for `/`.
#[derive(Debug, Serialize)]
struct List<'a> {
    users: Vec<User<'a>>,
}

/// One user, for `/NAME`.
#[derive(Debug, Serialize)]
struct User<'a> {
    name: &'a str,
    status: &'a str,
    href: String,
}

impl<'a> User<'a> {
    fn new((name, status): (&'a str, &'a str)) -> User<'a> {
        User { name, status, href: format!("/{}", Segment(name)) }
    }
}

/// The built-in templates, and those in `folder` in their place.
pub(crate) fn pages(folder: Option<ConfigPath>) -> Pages {
    Pages::new()
        .service("finger")
        .add(LIST, include_str!("../templates/list.html"))
        .add(USER, include_str!("../templates/user.html"))
        .override_dir(folder.map(ConfigPath::into_path_buf))
}

/// All that is wrong with templates: their faults, and what shows only when they are used.
pub(crate) fn faults(pages: &Pages) -> Vec<String> {
    let user = || User::new(("moshez", "happy and well"));
    let rendered = [pages.render(LIST, List { users: vec![user()] }), pages.render(USER, user())];
    let rendered =
        rendered.into_iter().filter_map(Result::err).map(|error| format!("{:#}", anyhow::Error::from(error)));
    pages.faults().iter().map(ToString::to_string).chain(rendered).collect()
}

/// What is served on `web` and `https`.
pub(crate) fn router(site: Arc<Site>, pages: Pages) -> Router {
    Router::new()
        .route("/", get(list))
        .route("/{name}", get(user))
        .route("/RPC2", post(rpc).layer(DefaultBodyLimit::max(REQUEST_MAX)))
        .with_state(Arc::new(Web { site, pages }))
        .merge(opsctl_web::assets())
}

async fn list(
    State(web): State<Arc<Web>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    let users = web.site.directory.users();
    let listed = web.site.policy.list(&users);
    let outcome = if listed.is_ok() { Outcome::Answered } else { Outcome::Refused };
    web.site.audit.record(Door::Web, peer, "", outcome);
    let users = listed.map_err(|refusal| HttpError::new(StatusCode::FORBIDDEN, refusal.to_string()))?;
    web.respond(&headers, LIST, List { users: users.map(User::new).collect() })
}

async fn user(
    State(web): State<Arc<Web>>,
    Extension(peer): Extension<Peer>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    let users = web.site.directory.users();
    let status = users.get(&name);
    let outcome = if status.is_some() { Outcome::Answered } else { Outcome::Unknown };
    web.site.audit.record(Door::Web, peer, &name, outcome);
    let status = status.ok_or_else(|| HttpError::not_found(format!("No such user: {name}")))?;
    web.respond(&headers, USER, User::new((&name, status)))
}

async fn rpc(State(web): State<Arc<Web>>, Extension(peer): Extension<Peer>, body: Bytes) -> Response {
    let Web { site, .. } = &*web;
    let reply = xmlrpc::respond(&body, &site.policy, &site.directory.users());
    let asked = [&*reply.method, reply.user.as_deref().unwrap_or_default()].join(" ");
    site.audit.record(Door::XmlRpc, peer, asked.trim_end(), reply.outcome);
    ([(CONTENT_TYPE, "text/xml; charset=utf-8")], reply.body).into_response()
}

impl Web {
    /// A page for browsers, JSON for programs that prefer it.
    fn respond(&self, headers: &HeaderMap, template: &str, context: impl Serialize) -> Result<Response, HttpError> {
        match negotiate(headers, &["text/html", XHTML, "application/json"]) {
            Some("application/json") => Ok(Json(context).into_response()),
            _ => Ok(self.pages.render(template, context)?.respond(headers)),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use tower_service::Service;

    use super::*;
    use crate::site::tests::site;

    const USERS: &str = "moshez: happy & well\n<script>alert(1)</script>: <b>\na/b c: \u{feff}d\n";
    const XHTML_FIRST: &str = "text/html;q=0.9, application/xhtml+xml, */*;q=0.8";

    /// Asks for `path`; each of `parts` has to be in the answer.
    async fn check(site: Site, method: &str, path: &str, accept: &str, body: &str, status: u16, parts: &[&str]) {
        let mut router = router(Arc::new(site), pages(None));
        let request = Request::builder().method(method).uri(path).header("accept", accept);
        let peer = Peer::Unix { pid: 1, uid: 0, gid: 0 };
        let request = request.extension(peer).body(Body::from(body.to_owned())).unwrap();
        let response = router.call(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap();
        assert_eq!(head.status, status, "{path}: {body}");
        let kind = head.headers.get(CONTENT_TYPE).map_or("", |kind| kind.to_str().unwrap());
        let text = format!("{kind}\n{body}");
        parts.iter().for_each(|part| assert!(text.contains(part), "{path}: no `{part}` in {text}"));
        if kind.contains("xml") {
            let mut reader = quick_xml::Reader::from_str(&body);
            while reader.read_event().unwrap() != quick_xml::events::Event::Eof {}
        }
    }

    async fn get(path: &str, accept: &str, status: u16, parts: &[&str]) {
        check(site(USERS), "GET", path, accept, "", status, parts).await;
    }

    #[tokio::test]
    async fn what_browsers_get() {
        let link = r#"<a href="/%3Cscript%3Ealert%281%29%3C%2Fscript%3E">&lt;script&gt;alert(1)&lt;/script&gt;</a>"#;
        let link = link.replace("&lt;/", "&lt;&#x2f;");
        get("/", XHTML_FIRST, 200, &["application/xhtml+xml", r#"<a href="/moshez">moshez</a>"#, "happy &amp; well"])
            .await;
        get("/", "*/*", 200, &["text/html", &link, "&lt;b&gt;"]).await;
        get("/moshez", XHTML_FIRST, 200, &["<h1>moshez</h1>", "<p>happy &amp; well</p>"]).await;
        get("/%3Cscript%3Ealert%281%29%3C%2Fscript%3E", XHTML_FIRST, 200, &["<p>&lt;b&gt;</p>"]).await;
        get("/a%2Fb%20c", XHTML_FIRST, 200, &["<p>\u{feff}d</p>"]).await;
        get("/nobody", XHTML_FIRST, 404, &["No such user: nobody"]).await;
        get("/a/b", XHTML_FIRST, 404, &[]).await;
    }

    #[tokio::test]
    async fn programs_get_json() {
        let moshez = r#"{"name":"moshez","status":"happy & well","href":"/moshez"}"#;
        get("/moshez", "application/json", 200, &["application/json", moshez]).await;
        get("/", "application/json", 200, &[&format!(r#"{{"users":[{moshez},"#)]).await;
    }

    #[tokio::test]
    async fn xml_rpc() {
        let call = "<methodCall><methodName>getUser</methodName>\
                    <params><param><value>moshez</value></param></params></methodCall>";
        check(site(USERS), "POST", "/RPC2", "*/*", call, 200, &["text/xml", "happy &amp; well"]).await;
        check(site(USERS), "POST", "/RPC2", "*/*", &"x".repeat(REQUEST_MAX + 1), 413, &[]).await;
        get("/RPC2", "*/*", 405, &[]).await;
    }

    #[tokio::test]
    async fn the_list_may_be_refused() {
        let mut closed = site(USERS);
        closed.policy.list = false;
        check(closed, "GET", "/", "*/*", "", 403, &["Finger online user list denied"]).await;
    }

    #[tokio::test]
    async fn the_style_is_there() {
        let page = pages(None).render(LIST, List { users: Vec::new() }).unwrap();
        let style = page.as_str().split('"').find(|part| part.starts_with("/_/style")).unwrap().to_owned();
        get(&style, "text/css", 200, &["text/css"]).await;
    }

    #[test]
    fn templates_are_tried() {
        assert_eq!(faults(&pages(None)), [""; 0]);
        let folder = tempfile::tempdir().unwrap();
        let check = |file: &str, text: &str, said: &[&str]| {
            std::fs::write(folder.path().join(file), text).unwrap();
            let faults = faults(&pages(Some(folder.path().to_owned().into())));
            assert_eq!(faults.len(), said.len(), "{faults:?}");
            faults.iter().zip(said).for_each(|(fault, said)| assert!(fault.contains(said), "{fault}"));
        };
        check("list.html", "{{ users|length }} users", &[]);
        check("list.html", "line\n {% for user in %}", &["list.html:2:"]);
        check("user.html", "{{ nmae.x }}", &["list.html:2:", "failed to render `finger/user.html`"]);
    }
}
