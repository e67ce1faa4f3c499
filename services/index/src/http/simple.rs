//! `GET /simple/` and `GET /simple/<project>/`: the Simple API, HTML and JSON (PEP 503, 691).
//!
//! The list shows to each what they may read. A page is bytes that are there already; a request is a look-up. A project goes by its normalised name, and whoever
//! asks for another spelling is sent there.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header::{ACCEPT, HeaderValue, LOCATION, VARY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use opsctl_auth::Identity;
use opsctl_dist::ProjectName;
use opsctl_dist::simple::{Format, negotiate};
use opsctl_http::{Coding, Entity, HttpError};

use super::{InIndex, Site};
use crate::catalog::{Pages, render};
use crate::routes::{Page, Refusal};

/// What pages are compressed with.
pub(super) const CODINGS: &[Coding] = &[Coding::Identity, Coding::Gzip, Coding::Zstd];

pub(super) async fn list(
    State(site): State<Arc<Site>>,
    InIndex(index): InIndex,
    uri: Uri,
    method: Method,
    headers: HeaderMap,
    identity: Identity,
) -> Result<Response, HttpError> {
    let reader = site.access.reader(&identity, &index)?;
    let (format, coding) = choose(&uri, &headers)?;
    let chain = site.routes.chain(&index).ok_or_else(no_index)?;
    let snapshot = site.catalog.snapshot();
    let indexes: Vec<_> = chain.folders().filter_map(|name| snapshot.index(name)).map(|index| &**index).collect();
    let text = || render::list(&indexes, format, |name| reader.may(name));
    let page = match &*indexes {
        // made for one
        _ if !reader.reads_everything() => Pages::default().get(format, coding, || entity(&site, format), text),
        [only] => only.list.get(format, coding, || entity(&site, format), text),
        // of several indexes: asked for by few
        _ => Pages::default().get(format, coding, || entity(&site, format), text),
    };
    Ok(page.respond(&method, &headers))
}

pub(super) async fn project(
    State(site): State<Arc<Site>>,
    InIndex(index): InIndex,
    Path(path): Path<HashMap<String, String>>,
    uri: Uri,
    method: Method,
    headers: HeaderMap,
    identity: Identity,
) -> Result<Response, HttpError> {
    let reader = site.access.reader(&identity, &index)?;
    let (format, coding) = choose(&uri, &headers)?;
    site.routes.chain(&index).ok_or_else(no_index)?;
    let asked = path.get("project").map(String::as_str).unwrap_or_default();
    let nothing = || HttpError::not_found("there is no such project here");
    let name = ProjectName::parse(asked).map_err(|_| nothing())?;
    reader.check(name.normalized())?;
    if name.normalized() != asked {
        return Ok(redirect(name.normalized(), &uri));
    }
    let entity = || entity(&site, format);
    let base = site.secure_base(&index);
    let base = base.as_deref();
    let page = match site.routes.page(&index, asked).await.map_err(refused)?.ok_or_else(nothing)? {
        Page::Own(project) => project.pages.get(format, coding, entity, || render::project(&project, format, base)),
        Page::Blend(blend) => blend.pages.get(format, coding, entity, || render::page(&blend.page(base), format)),
    };
    Ok(page.respond(&method, &headers))
}

/// For who uploads to the address that is for installing.
pub(super) async fn not_here() -> HttpError {
    HttpError::method_not_allowed(
        "GET, HEAD",
        "This is the address for installing; upload to the one that ends in /legacy/ instead of /simple/",
    )
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

/// Why there is no page, as the client is told it. Never 404: that would send it elsewhere.
pub(super) fn refused(refusal: Refusal) -> HttpError {
    match &refusal {
        Refusal::Blocked => HttpError::forbidden("This name is blocked here"),
        Refusal::Upstream(_) => {
            HttpError::new(StatusCode::BAD_GATEWAY, "The upstream index has no answer; try again later")
                .caused_by(refusal)
        }
        Refusal::Store(_) => HttpError::internal(refusal),
    }
}

pub(super) fn no_index() -> HttpError {
    HttpError::not_found("there is no such index")
}
