//! The audit trail: filtered, page by page.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use opsctl_http::HttpError;
use opsctl_web::{Form, Paging};
use serde::Serialize;

use super::{Desk, To, administrator, with_links};
use crate::audit::{Cursor, Filter, Record};
use crate::identity::Identity;

/// Records on a page.
const PAGE: usize = 50;
/// Records in one answer to a program that asks for `rows`.
const MOST: usize = 500;

#[derive(Serialize)]
struct Shown {
    records: Vec<Record>,
    services: Vec<(&'static str, &'static str)>,
    paging: Paging,
}

/// GET `/_/audit`.
pub(super) async fn page(State(desk): State<Arc<Desk>>, identity: Identity, to: To) -> Result<Response, HttpError> {
    administrator(&identity)?;
    let query = to.visit.query();
    let text = |name| query.get(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let filter =
        Filter { service: text("service"), actor: text("actor"), action: text("action"), object: text("object") };
    let after = query.get("after").and_then(|after| after.parse::<Cursor>().ok());
    let rows = query.get("rows").and_then(|rows| rows.parse().ok()).unwrap_or(PAGE).clamp(1, MOST);
    // one more, to know whether there is a next page
    let limit = u32::try_from(rows + 1).unwrap_or(u32::MAX);
    let mut records = desk.trail.page(&filter, after, limit).await?;
    let more = records.len() > rows;
    records.truncate(rows);
    let next = records.last().filter(|_| more).map(|last| last.cursor.to_string());
    let paging = Paging::after(&to.visit, next.as_deref());
    let services = std::iter::once(("", "all")).chain(desk.trail.services().map(|word| (word, word))).collect();
    let form = Form::from(query);
    let shown = Shown { records, services, paging };
    Ok(with_links(desk.show(&to, "auth/audit.html", &shown, &[("f", &form)])?, &shown.paging))
}
