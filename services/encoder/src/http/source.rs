//! `GET /media/<id>/source`: the upload as it came, for its owner alone.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::header::CONTENT_DISPOSITION;
use http::{HeaderValue, Method};
use opsctl_auth::Action;
use opsctl_http::{ETag, Entity, HttpError, attachment};

use super::here::Asked;
use super::{Site, deliver};

pub(super) async fn source(State(site): State<Arc<Site>>, asked: Asked, method: Method) -> Result<Response, HttpError> {
    let item = site.item(&asked, Action::Read).await?;
    let filename = if item.filename.is_empty() { &item.name } else { &item.filename };
    let entity = Entity::new(HeaderValue::from_static("application/octet-stream"))
        .etag(ETag::of(&item.sha256))
        .cache_control("private, no-cache")
        .header(CONTENT_DISPOSITION, attachment(filename));
    deliver::send(&site, &method, &asked.headers, entity, &item.source, item.bytes, None).await
}
