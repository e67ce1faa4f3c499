//! What happened.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use opsctl_auth::Action;
use opsctl_http::HttpError;

use super::answer::Ask;
use super::views::ChangePage;
use crate::http::pages::changes::{filter, page_of};
use crate::http::simple::no_index;
use crate::http::{InIndex, Site};

pub(super) async fn list(
    State(site): State<Arc<Site>>,
    InIndex(index): InIndex,
    ask: Ask,
) -> Result<Response, HttpError> {
    let filter = filter(ask.visit.query(), &index);
    site.access.check(&ask.identity, Action::Admin, &index, &filter.project)?;
    site.routes.chain(&index).ok_or_else(no_index)?;
    let (changes, next) = page_of(&site, ask.visit.query(), &filter).await?;
    ask.page(&site, &ChangePage { changes, next: next.clone() }, next.as_deref())
}
