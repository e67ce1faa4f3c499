//! `GET /find-links/`, and `/pypi/`: one page with a link to every file, for `find_links` and `--find-links`.
//!
//! The page that easy_install was shown in 2007, and that every installer since can read. Always HTML: whoever asks for
//! it knows no other form.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use opsctl_auth::{Action, Identity};
use opsctl_dist::simple::Format;
use opsctl_http::{Coding, HttpError};

use super::simple::{CODINGS, entity, no_index};
use super::{InIndex, Site};
use crate::catalog::{Pages, render};

pub(super) async fn page(
    State(site): State<Arc<Site>>,
    InIndex(index): InIndex,
    method: Method,
    headers: HeaderMap,
    identity: Identity,
) -> Result<Response, HttpError> {
    site.access.check(&identity, Action::Read, &index, "")?;
    let chain = site.routes.chain(&index).ok_or_else(no_index)?;
    let snapshot = site.catalog.snapshot();
    let indexes: Vec<_> = chain.folders().filter_map(|name| snapshot.index(name)).map(|index| &**index).collect();
    let (format, coding) = (Format::Text, Coding::of(&headers, CODINGS));
    let (entity, text) = (|| entity(&site, format), || render::links(&indexes));
    let page = match &*indexes {
        [only] => only.links.get(format, coding, entity, text),
        _ => Pages::default().get(format, coding, entity, text),
    };
    Ok(page.respond(&method, &headers))
}
