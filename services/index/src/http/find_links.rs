//! `GET /find-links/`, and `/pypi/`: one page with a link to every file, for `find_links` and `--find-links`.
//!
//! The page that easy_install was shown in 2007, and that every installer since can read. Always HTML: whoever asks for
//! it knows no other form.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use opsctl_dist::simple::Format;
use opsctl_http::{Coding, HttpError};

use super::Site;
use super::simple::{CODINGS, entity, no_index};
use crate::access::Need;
use crate::catalog::render;

pub(super) async fn page(
    State(site): State<Arc<Site>>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    respond(&site, "main", "../", &method, &headers)
}

pub(super) async fn page_of(
    State(site): State<Arc<Site>>,
    Path(index): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    respond(&site, &index, "../../", &method, &headers)
}

fn respond(site: &Site, index: &str, top: &str, method: &Method, headers: &HeaderMap) -> Result<Response, HttpError> {
    site.access.check(headers, Need::Read)?;
    let snapshot = site.catalog.snapshot();
    let index = snapshot.index(index).ok_or_else(no_index)?;
    let (format, coding) = (Format::Text, Coding::of(headers, CODINGS));
    let page = index.links.get(format, coding, || entity(site, format), || render::links(index, top));
    Ok(page.respond(method, headers))
}
