//! `GET /simple/` and `GET /simple/<project>/`: the Simple API, HTML and JSON (PEP 503, 691).
//!
//! A page is bytes that are there already; a request is a look-up. A project goes by its normalised name, and whoever
//! asks for another spelling is sent there.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header::{ACCEPT, HeaderValue, LOCATION, VARY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use opsctl_dist::ProjectName;
use opsctl_dist::simple::{Format, negotiate};
use opsctl_http::{Coding, Entity, HttpError};

use super::Site;
use crate::access::Need;
use crate::catalog::render;

/// What pages are compressed with.
pub(super) const CODINGS: &[Coding] = &[Coding::Identity, Coding::Gzip, Coding::Zstd];

pub(super) async fn list(
    State(site): State<Arc<Site>>,
    uri: Uri,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    list_in(&site, "main", &uri, &method, &headers)
}

pub(super) async fn list_of(
    State(site): State<Arc<Site>>,
    Path(index): Path<String>,
    uri: Uri,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    list_in(&site, &index, &uri, &method, &headers)
}

pub(super) async fn project(
    State(site): State<Arc<Site>>,
    Path(project): Path<String>,
    uri: Uri,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    project_in(&site, "main", &project, "../../", &uri, &method, &headers)
}

pub(super) async fn project_of(
    State(site): State<Arc<Site>>,
    Path((index, project)): Path<(String, String)>,
    uri: Uri,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    project_in(&site, &index, &project, "../../../", &uri, &method, &headers)
}

/// For who uploads to the address that is for installing.
pub(super) async fn not_here() -> HttpError {
    HttpError::method_not_allowed(
        "GET, HEAD",
        "This is the address for installing; upload to the one that ends in /legacy/ instead of /simple/",
    )
}

fn list_in(site: &Site, index: &str, uri: &Uri, method: &Method, headers: &HeaderMap) -> Result<Response, HttpError> {
    site.access.check(headers, Need::Read)?;
    let (format, coding) = choose(uri, headers)?;
    let snapshot = site.catalog.snapshot();
    let index = snapshot.index(index).ok_or_else(no_index)?;
    let page = index.list.get(format, coding, || entity(site, format), || render::list(index, format));
    Ok(page.respond(method, headers))
}

fn project_in(
    site: &Site,
    index: &str,
    asked: &str,
    top: &str,
    uri: &Uri,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, HttpError> {
    site.access.check(headers, Need::Read)?;
    let (format, coding) = choose(uri, headers)?;
    let snapshot = site.catalog.snapshot();
    let index = snapshot.index(index).ok_or_else(no_index)?;
    let Some(project) = index.project(asked) else {
        return match ProjectName::parse(asked) {
            Ok(name) if name.normalized() != asked => Ok(redirect(name.normalized(), uri)),
            _ => Err(HttpError::not_found("there is no such project here")),
        };
    };
    let text = || render::project(project, top, format);
    let page = project.pages.get(format, coding, || entity(site, format), text);
    Ok(page.respond(method, headers))
}

/// The form that the client wants, and how it is to be compressed.
fn choose(uri: &Uri, headers: &HeaderMap) -> Result<(Format, Coding), HttpError> {
    let format = uri.query().and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("format=")));
    let format =
        format.map(|format| format.replace("%2B", "+").replace("%2b", "+").replace("%2F", "/").replace("%2f", "/"));
    let mut accept = headers.get_all(ACCEPT).into_iter().filter_map(|line| line.to_str().ok());
    let first = accept.next();
    // there is one line as a rule
    let joined = accept
        .next()
        .map(|second| [first.unwrap_or_default(), second].into_iter().chain(accept).collect::<Vec<_>>().join(","));
    let format = negotiate(joined.as_deref().or(first), format.as_deref());
    let format = format.map_err(|error| HttpError::new(StatusCode::NOT_ACCEPTABLE, error.to_string()))?;
    Ok((format, Coding::of(headers, CODINGS)))
}

/// What is said about a page.
pub(super) fn entity(site: &Site, format: Format) -> Entity {
    Entity::new(HeaderValue::from_static(format.content_type()))
        .cache_control(site.page_cache)
        .header(VARY, HeaderValue::from_static("accept, accept-encoding"))
        .header(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"))
}

/// To the right spelling, seen from the page of the wrong one.
fn redirect(name: &str, uri: &Uri) -> Response {
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    // a normalised name is ASCII, and a query has come as a header's part
    let location = HeaderValue::try_from(format!("../{name}/{query}"));
    let location = location.unwrap_or_else(|_| HeaderValue::from_static("../"));
    (StatusCode::MOVED_PERMANENTLY, [(LOCATION, location)]).into_response()
}

pub(super) fn no_index() -> HttpError {
    HttpError::not_found("there is no such index")
}
