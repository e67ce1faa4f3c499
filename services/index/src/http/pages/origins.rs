//! `/origins`: where names may come from, and which are reserved. It holds in all indexes.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use opsctl_auth::{Action, Identity};
use opsctl_dist::ProjectName;
use opsctl_http::HttpError;
use opsctl_web::{Form, Paging, Slice, Tone, Visit, segment};
use serde::Serialize;

use super::{ORIGINS, show_form};
use crate::changes::By;
use crate::http::Site;
use crate::origins::{Origin, Reservation};
use crate::records::{Decision, Reserved};

/// Decisions on a page.
const ROWS: u64 = 100;
/// Names in the trail and in rights, for what holds in all indexes.
const EVERYWHERE: &str = "";

#[derive(Debug, Serialize)]
struct Shown {
    decisions: Vec<Decided>,
    paging: Paging,
    reserved: Vec<Pattern>,
    origins: [String; 4],
    origin_form: Form,
    reserve_form: Form,
}

#[derive(Debug, Serialize)]
struct Decided {
    #[serde(flatten)]
    decision: Decision,
    segment: String,
}

#[derive(Debug, Serialize)]
struct Pattern {
    #[serde(flatten)]
    reserved: Reserved,
    segment: String,
}

pub(super) async fn page(
    State(site): State<Arc<Site>>,
    visit: Visit,
    headers: HeaderMap,
    identity: Identity,
) -> Result<Response, HttpError> {
    site.access.check(&identity, Action::Admin, EVERYWHERE, "")?;
    show(&site, &visit, &headers, Form::new(), Form::new()).await
}

async fn show(
    site: &Site,
    visit: &Visit,
    headers: &HeaderMap,
    origin_form: Form,
    reserve_form: Form,
) -> Result<Response, HttpError> {
    let status = match origin_form.is_valid() && reserve_form.is_valid() {
        true => StatusCode::OK,
        false => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let part = visit.query().get("q").unwrap_or_default().trim().to_lowercase();
    let slice = Slice::read(visit.query(), ROWS);
    let records = site.catalog.records();
    let (decisions, total) =
        records.decisions(&part, slice.limit(), slice.offset()).await.map_err(HttpError::internal)?;
    let reserved = records.reserved().await.map_err(HttpError::internal)?;
    let decided = |decision: Decision| Decided { segment: segment(&decision.project), decision };
    let pattern = |reserved: Reserved| Pattern { segment: segment(&reserved.pattern), reserved };
    let shown = Shown {
        decisions: decisions.into_iter().map(decided).collect(),
        paging: slice.paging(visit, total),
        reserved: reserved.into_iter().map(pattern).collect(),
        origins: Origin::WORDS.map(ToOwned::to_owned),
        origin_form: origin_form.id("origin"),
        reserve_form: reserve_form.id("reserve"),
    };
    show_form(site, visit, headers, ORIGINS, status, shown)
}

/// `POST /origins`: decides about a name.
pub(super) async fn decide(
    State(site): State<Arc<Site>>,
    visit: Visit,
    headers: HeaderMap,
    identity: Identity,
    by: By,
    mut form: Form,
) -> Result<Response, HttpError> {
    let (name, origin) = (form.required::<ProjectName>("project"), form.required::<Origin>("origin"));
    let (Ok(name), Ok(origin)) = (name, origin) else {
        site.access.check(&identity, Action::Admin, EVERYWHERE, "")?;
        return show(&site, &visit, &headers, form, Form::new()).await;
    };
    site.access.check(&identity, Action::Admin, EVERYWHERE, name.normalized())?;
    site.changes.set_origin(&name, Some(origin), &by).await?;
    visit.flash(Tone::Ok, format!("{}: {origin}.", name.normalized()));
    Ok(Redirect::to("origins").into_response())
}

/// `DELETE /origins/<project>`: takes a decision back.
pub(super) async fn clear(
    State(site): State<Arc<Site>>,
    Path(path): Path<std::collections::HashMap<String, String>>,
    visit: Visit,
    identity: Identity,
    by: By,
) -> Result<Response, HttpError> {
    let name = path.get("project").and_then(|name| ProjectName::parse(name).ok());
    let name = name.ok_or_else(|| HttpError::not_found("there is no such name"))?;
    site.access.check(&identity, Action::Admin, EVERYWHERE, name.normalized())?;
    site.changes.set_origin(&name, None, &by).await?;
    visit.flash(Tone::Ok, format!("{}: undecided; the next sight decides.", name.normalized()));
    Ok(Redirect::to("../origins").into_response())
}

/// `POST /reservations`.
pub(super) async fn reserve(
    State(site): State<Arc<Site>>,
    visit: Visit,
    headers: HeaderMap,
    identity: Identity,
    by: By,
    mut form: Form,
) -> Result<Response, HttpError> {
    site.access.check(&identity, Action::Admin, EVERYWHERE, "")?;
    let Ok(names) = form.required::<Reservation>("pattern") else {
        return show(&site, &visit, &headers, Form::new(), form).await;
    };
    match site.changes.reserve(&names, &by).await? {
        true => visit.flash(Tone::Ok, format!("{names} is reserved.")),
        false => visit.flash(Tone::Info, format!("{names} was reserved already.")),
    }
    Ok(Redirect::to("origins").into_response())
}

/// `DELETE /reservations/<pattern>`.
pub(super) async fn unreserve(
    State(site): State<Arc<Site>>,
    Path(path): Path<std::collections::HashMap<String, String>>,
    visit: Visit,
    identity: Identity,
    by: By,
) -> Result<Response, HttpError> {
    site.access.check(&identity, Action::Admin, EVERYWHERE, "")?;
    let names = path.get("pattern").and_then(|pattern| pattern.parse::<Reservation>().ok());
    let names = names.ok_or_else(|| HttpError::not_found("there is no such reservation"))?;
    match site.changes.unreserve(&names, &by).await? {
        true => visit.flash(Tone::Ok, format!("{names} is not reserved any more.")),
        false => visit.flash(Tone::Info, format!("{names} was not reserved.")),
    }
    Ok(Redirect::to("../origins").into_response())
}
