//! `GET /integrity/<project>/<version>/<file>/provenance`: what proves where a file was built (PEP 740).

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header::{ACCEPT, HeaderValue, VARY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use opsctl_auth::Identity;
use opsctl_http::{Entity, HttpError, Rendered, negotiate};

use super::about::About;
use super::file::NOSNIFF;
use super::simple::no_index;
use super::{InIndex, Site};
use crate::catalog::Digest;
use crate::provenance;

/// What the public index says that it is.
const KIND: &str = "application/vnd.pypi.integrity.v1+json";

pub(super) async fn page(
    State(site): State<Arc<Site>>,
    InIndex(index): InIndex,
    Path(path): Path<HashMap<String, String>>,
    method: Method,
    headers: HeaderMap,
    identity: Identity,
) -> Result<Response, HttpError> {
    let reader = site.access.reader(&identity, &index)?;
    let part = |name: &str| path.get(name).map_or("", |part| part);
    let about = About::of(&site, &index, reader, part("project")).await?;
    let none = || HttpError::not_found("there is no provenance of such a file here");
    let (_, files) = about.release(part("version")).ok_or_else(none)?;
    let file = files.iter().find(|file| file.filename == part("file")).ok_or_else(none)?;
    let url = file.provenance.as_deref().ok_or_else(none)?;
    if !url.starts_with("../") {
        // an upstream's: it answers for it
        return Ok(Redirect::to(url).into_response());
    }
    if headers.contains_key(ACCEPT) && negotiate(&headers, &[KIND, "application/json"]).is_none() {
        let message = "provenance is application/vnd.pypi.integrity.v1+json";
        return Err(HttpError::new(StatusCode::NOT_ACCEPTABLE, message));
    }
    let digest: Digest = file.hash("sha256").and_then(|digest| digest.parse().ok()).ok_or_else(none)?;
    let chain = site.routes.chain(&index).ok_or_else(no_index)?;
    let owner = {
        let snapshot = site.catalog.snapshot();
        let has = |name: &&crate::config::IndexName| {
            snapshot.index(name).is_some_and(|index| index.file(&digest, &file.filename).is_some())
        };
        chain.folders().find(has).cloned().ok_or_else(none)?
    };
    let stored = site.catalog.records().attestations(&owner, &file.filename).await.map_err(HttpError::internal)?;
    let object = stored.and_then(|text| provenance::object(&text)).ok_or_else(none)?;
    let entity = Entity::new(HeaderValue::from_static(KIND))
        .cache_control(site.page_cache)
        .header(VARY, HeaderValue::from_static("accept"))
        .header(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    Ok(Rendered::new(entity, object.to_string()).respond(&method, &headers))
}
