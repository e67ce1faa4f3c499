//! `GET /changes`: what happened in an index, the newest first, for its administrators. What people did to users and
//! tokens stands in the user base's own trail.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::LINK;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use opsctl_auth::{Action, Identity};
use opsctl_dist::ProjectName;
use opsctl_http::HttpError;
use opsctl_web::{Form, Paging, Query, Visit};
use serde::Serialize;

use super::{CHANGES, show_form};
use crate::http::simple::no_index;
use crate::http::{InIndex, Site};
use crate::records::{Recorded, TrailFilter};

/// Changes on a page, if nothing else is asked, and at most.
const ROWS: usize = 50;
const ROWS_MAX: usize = 500;
/// What is written down, for the choice of one.
const ACTIONS: [&str; 11] =
    ["upload", "promote", "yank", "unyank", "status", "remove", "origin", "reserve", "unreserve", "appear", "vanish"];

#[derive(Debug, Serialize)]
struct Shown {
    f: Form,
    actions: Vec<(&'static str, &'static str)>,
    changes: Vec<Recorded>,
    paging: Paging,
}

pub(super) async fn page(
    State(site): State<Arc<Site>>,
    InIndex(index): InIndex,
    visit: Visit,
    headers: HeaderMap,
    identity: Identity,
) -> Result<Response, HttpError> {
    let filter = filter(visit.query(), &index);
    // who administers a project may see what happened to it
    site.access.check(&identity, Action::Admin, &index, &filter.project)?;
    site.routes.chain(&index).ok_or_else(no_index)?;
    let (changes, next) = page_of(&site, visit.query(), &filter).await?;
    let paging = Paging::after(&visit, next.as_deref());
    let link = paging.link_header();
    let actions = std::iter::once(("", "all")).chain(ACTIONS.map(|action| (action, action))).collect();
    let shown = Shown { f: Form::from(visit.query()), actions, changes, paging };
    let mut response = show_form(&site, &visit, &headers, CHANGES, StatusCode::OK, shown)?;
    response.headers_mut().extend(link.map(|line| (LINK, line)));
    Ok(response)
}

/// What is looked for; `index` is the one that is meant, with what holds in all.
pub(in crate::http) fn filter(query: &Query, index: &str) -> TrailFilter {
    let text = |name: &str| query.get(name).unwrap_or_default().trim().to_owned();
    let project = text("project");
    let project = ProjectName::parse(&project).map_or(project, |name| name.normalized().to_owned());
    TrailFilter { index: index.to_owned(), project, actor: text("actor"), action: text("action") }
}

/// One page, and behind which change the next one begins.
pub(in crate::http) async fn page_of(
    site: &Site,
    query: &Query,
    filter: &TrailFilter,
) -> Result<(Vec<Recorded>, Option<String>), HttpError> {
    let number = |name: &str| query.get(name).and_then(|text| text.parse::<i64>().ok());
    let rows = number("rows").and_then(|rows| usize::try_from(rows).ok()).unwrap_or(ROWS).clamp(1, ROWS_MAX);
    let after = number("after").unwrap_or(i64::MAX);
    // one more, to know whether there is a next page
    let changes = site.catalog.records().trail(filter, after, rows + 1).await;
    let mut changes = changes.map_err(HttpError::internal)?;
    let more = changes.len() > rows;
    changes.truncate(rows);
    let next = changes.last().filter(|_| more).map(|last| last.serial.to_string());
    Ok((changes, next))
}
