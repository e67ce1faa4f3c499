//! What the status page and the control socket answer.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, StatusCode};
use opsctl_http::{HttpError, XHTML, negotiate};
use opsctl_web::Pages;

use super::{metrics, page};
use crate::shared::Shared;

const JSON: &str = "application/json";
const HTML: &str = "text/html";

#[derive(Clone)]
struct Admin {
    host: Arc<Shared>,
    pages: Pages,
}

/// The status page, for everybody who can reach it, and the control socket, which takes orders as well.
pub(super) fn sites(host: &Arc<Shared>, pages: &Pages) -> (opsctl_http::Site, opsctl_http::Site) {
    let router = Router::new()
        .route("/", get(status))
        .route("/healthz", get(async |State(admin): State<Admin>| verdict(admin.host.alive(), "failing\n")))
        .route("/readyz", get(async |State(admin): State<Admin>| verdict(admin.host.ready(), "not ready\n")))
        .route("/metrics", get(prometheus))
        .merge(opsctl_web::assets());
    let control = router.clone().route("/reload", post(reload));
    let admin = Admin { host: Arc::clone(host), pages: pages.clone() };
    let site =
        |router: Router<Admin>| opsctl_http::Site::new(router.with_state(admin.clone())).error_page(pages.error_page());
    (site(router), site(control))
}

/// XHTML for browsers, JSON for programs; those that do not say what they want are no browsers.
async fn status(State(admin): State<Admin>, headers: HeaderMap) -> Result<Response, HttpError> {
    let status = admin.host.status();
    let answer = match negotiate(&headers, &[JSON, XHTML, HTML]) {
        Some(XHTML | HTML) => page::render(&admin.pages, &status).map_err(HttpError::internal)?.respond(&headers),
        _ => Json(status).into_response(),
    };
    Ok(([(CACHE_CONTROL, "no-store")], answer).into_response())
}

async fn prometheus(State(admin): State<Admin>) -> Result<([(HeaderName, &'static str); 1], String), HttpError> {
    let text = metrics::text(&admin.host).map_err(HttpError::internal)?;
    Ok(([(CONTENT_TYPE, metrics::OPENMETRICS)], text))
}

async fn reload(State(admin): State<Admin>) -> (StatusCode, String) {
    match admin.host.reload().await {
        Ok(changes) => (StatusCode::OK, changes),
        Err(reason) => (StatusCode::CONFLICT, reason),
    }
}

fn verdict(well: bool, otherwise: &'static str) -> (StatusCode, &'static str) {
    if well { (StatusCode::OK, "ok\n") } else { (StatusCode::SERVICE_UNAVAILABLE, otherwise) }
}
