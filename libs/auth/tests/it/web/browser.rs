//! A small browser: keeps cookies, fills in forms with their tokens, and reads every page as XML.

use std::collections::BTreeMap;
use std::net::IpAddr;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::response::Response;
use http::header::{ACCEPT, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, Request, StatusCode};
use opsctl_auth::{Action, Auth, Author, Identity, Object};
use opsctl_http::{Client, HttpError};
use opsctl_web::Pages;
use tower_service::Service;

const XHTML: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// A service with the pages of the user base, and some of its own.
pub(crate) fn site(auth: &Auth) -> Router {
    let pages = Pages::new().service("index");
    let demo = Object::new("index", "main", "demo");
    let own = Router::new()
        .route(
            "/",
            axum::routing::get(async move |identity: Identity| {
                identity.check(Action::Read, demo)?;
                Ok::<_, HttpError>(identity.actor())
            })
            .post(async move |identity: Identity, by: Author| {
                identity.check(Action::Upload, demo)?;
                Ok::<_, HttpError>(by.actor().to_owned())
            }),
        )
        .route(
            "/admin",
            axum::routing::get(async move |identity: Identity| {
                identity.check(Action::Admin, demo)?;
                Ok::<_, HttpError>(identity.actor())
            }),
        );
    auth.around(own.merge(auth.router(&pages, auth.trail())))
}

pub(crate) struct Browser {
    site: Router,
    cookies: BTreeMap<String, String>,
    pub(crate) secure: bool,
    pub(crate) address: IpAddr,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The last page.
    pub(crate) text: String,
    pub(crate) head: HeaderMap,
}

impl Browser {
    pub(crate) fn new(auth: &Auth) -> Self {
        Self {
            site: site(auth),
            cookies: BTreeMap::new(),
            secure: false,
            address: "192.0.2.1".parse().unwrap(),
            headers: Vec::new(),
            text: String::new(),
            head: HeaderMap::new(),
        }
    }

    pub(crate) fn secure(self) -> Self {
        Self { secure: true, ..self }
    }

    /// What it says besides, in each request.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    pub(crate) fn plant(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }

    pub(crate) async fn send(&mut self, method: &str, path: &str, body: &str) -> u16 {
        let mut request = Request::builder().method(method).uri(path).header("host", "here:8000");
        if !self.headers.iter().any(|(name, _)| *name == "accept") {
            request = request.header(ACCEPT, XHTML);
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if !self.cookies.is_empty() {
            let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(COOKIE, cookies.join("; "));
        }
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let client = Client { address: Some(self.address), secure: self.secure };
        let request = request.extension(client).body(Body::from(body.to_owned())).unwrap();
        let response = self.site.call(request).await.unwrap();
        self.take(response).await
    }

    async fn take(&mut self, response: Response) -> u16 {
        let (head, body) = response.into_parts();
        for line in head.headers.get_all(SET_COOKIE) {
            let line = line.to_str().unwrap();
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            if line.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        self.text = String::from_utf8(to_bytes(body, 1 << 20).await.unwrap().into()).unwrap();
        let kind = head.headers.get(CONTENT_TYPE).map_or("", |kind| kind.to_str().unwrap());
        if kind.contains("xhtml") {
            well_formed(&self.text);
        }
        self.head = head.headers;
        head.status.as_u16()
    }

    pub(crate) async fn get(&mut self, path: &str) -> u16 {
        self.send("GET", path, "").await
    }

    /// Loads `page`, fills in the form that goes to `action`, and sends it.
    pub(crate) async fn submit(&mut self, page: &str, action: &str, fields: &[(&str, &str)]) -> u16 {
        self.submit_as("post", page, action, fields).await
    }

    /// The same for a form with a method of its own.
    pub(crate) async fn submit_as(&mut self, method: &str, page: &str, action: &str, fields: &[(&str, &str)]) -> u16 {
        assert_eq!(self.get(page).await, 200, "{page}: {}", self.text);
        let token = self.token();
        let mut body = vec![("_csrf", token.as_str())];
        if method != "post" {
            body.push(("_method", method));
        }
        body.extend(fields);
        let body: Vec<_> = body.iter().map(|(name, value)| format!("{name}={}", opsctl_web::segment(value))).collect();
        self.send("POST", action, &body.join("&")).await
    }

    /// The token in the forms of the last page.
    pub(crate) fn token(&self) -> String {
        let at = self.text.find("name=\"_csrf\" value=\"").unwrap_or_else(|| panic!("no form in {}", self.text));
        self.text[at..].split('"').nth(3).unwrap().to_owned()
    }

    pub(crate) async fn login(&mut self, name: &str, password: &str) -> u16 {
        self.submit("/_/login", "/_/login", &[("name", name), ("password", password), ("next", "/")]).await
    }

    pub(crate) fn location(&self) -> &str {
        self.head.get(LOCATION).map_or("", |location| location.to_str().unwrap())
    }

    #[track_caller]
    pub(crate) fn shows(&self, text: &str) {
        assert!(self.text.contains(text), "no `{text}` in {}", self.text);
    }
}

fn well_formed(text: &str) {
    let mut reader = quick_xml::Reader::from_str(text);
    let mut open = 0_i32;
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{error} in {text}")) {
            quick_xml::events::Event::Eof => break,
            quick_xml::events::Event::Start(_) => open += 1,
            quick_xml::events::Event::End(_) => open -= 1,
            _ => {}
        }
    }
    assert_eq!(open, 0, "{text}");
}

/// A status as a number, for tables.
pub(crate) const SEE_OTHER: u16 = StatusCode::SEE_OTHER.as_u16();
