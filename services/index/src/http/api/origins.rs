//! Where names come from, and which are reserved. It holds in all indexes.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use opsctl_auth::Action;
use opsctl_http::HttpError;
use opsctl_web::Slice;

use super::answer::{Ask, Body, nothing};
use super::projects::name;
use super::views::{Decisions, Origin};
use crate::http::Site;
use crate::origins::Reservation;

/// In rights and in the trail: all indexes.
const EVERYWHERE: &str = "";
/// Decisions on a page, if nothing else is asked.
const ROWS: u64 = 100;

pub(super) async fn list(State(site): State<Arc<Site>>, ask: Ask) -> Result<Response, HttpError> {
    site.access.check(&ask.identity, Action::Admin, EVERYWHERE, "")?;
    let slice = Slice::read(ask.visit.query(), ROWS);
    let part = ask.visit.query().get("q").unwrap_or_default().trim().to_lowercase();
    let found = site.catalog.records().decisions(&part, slice.limit(), slice.offset()).await;
    let (decisions, total) = found.map_err(HttpError::internal)?;
    ask.answer(&site, &Decisions { decisions, total })
}

pub(super) async fn one(
    State(site): State<Arc<Site>>,
    Path(path): Path<HashMap<String, String>>,
    ask: Ask,
) -> Result<Response, HttpError> {
    let name = name(&path)?;
    site.access.check(&ask.identity, Action::Admin, EVERYWHERE, name.normalized())?;
    show(&site, &ask, name.normalized()).await
}

async fn show(site: &Site, ask: &Ask, project: &str) -> Result<Response, HttpError> {
    let records = site.catalog.records();
    let serial = records.last_change(EVERYWHERE, project).await.map_err(HttpError::internal)?;
    let decision = records.decision(project).await.map_err(HttpError::internal)?;
    let decision = decision.ok_or_else(|| HttpError::not_found("nothing was decided about this name"))?;
    ask.tagged(site, &decision, serial)
}

pub(super) async fn decide(
    State(site): State<Arc<Site>>,
    Path(path): Path<HashMap<String, String>>,
    ask: Ask,
    Body(Origin { origin }): Body<Origin>,
) -> Result<Response, HttpError> {
    let name = name(&path)?;
    site.access.check(&ask.identity, Action::Admin, EVERYWHERE, name.normalized())?;
    site.changes.set_origin(&name, Some(origin.into()), &ask.guarded()?).await?;
    let decision = site.catalog.records().decision(name.normalized()).await.map_err(HttpError::internal)?;
    ask.answer(&site, &decision)
}

pub(super) async fn clear(
    State(site): State<Arc<Site>>,
    Path(path): Path<HashMap<String, String>>,
    ask: Ask,
) -> Result<Response, HttpError> {
    let name = name(&path)?;
    site.access.check(&ask.identity, Action::Admin, EVERYWHERE, name.normalized())?;
    site.changes.set_origin(&name, None, &ask.guarded()?).await?;
    Ok(nothing())
}

pub(super) async fn reservations(State(site): State<Arc<Site>>, ask: Ask) -> Result<Response, HttpError> {
    site.access.check(&ask.identity, Action::Admin, EVERYWHERE, "")?;
    let reserved = site.catalog.records().reserved().await.map_err(HttpError::internal)?;
    ask.answer(&site, &reserved)
}

pub(super) async fn reserve(
    State(site): State<Arc<Site>>,
    Path(path): Path<HashMap<String, String>>,
    ask: Ask,
) -> Result<Response, HttpError> {
    site.access.check(&ask.identity, Action::Admin, EVERYWHERE, "")?;
    site.changes.reserve(&pattern(&path)?, &ask.by).await?;
    Ok(nothing())
}

pub(super) async fn unreserve(
    State(site): State<Arc<Site>>,
    Path(path): Path<HashMap<String, String>>,
    ask: Ask,
) -> Result<Response, HttpError> {
    site.access.check(&ask.identity, Action::Admin, EVERYWHERE, "")?;
    match site.changes.unreserve(&pattern(&path)?, &ask.by).await? {
        true => Ok(nothing()),
        false => Err(HttpError::not_found("there is no such reservation")),
    }
}

fn pattern(path: &HashMap<String, String>) -> Result<Reservation, HttpError> {
    let pattern = path.get("pattern").map_or("", |pattern| pattern);
    pattern.parse().map_err(|error: crate::origins::BadReservation| HttpError::bad_request(error.to_string()))
}
