//! `GET /media`: an account's items, the newest first.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::header::LINK;
use opsctl_auth::{Action, Object};
use opsctl_http::HttpError;
use opsctl_web::{Paging, Slice};
use schemars::JsonSchema;
use serde::Serialize;

use super::here::Asked;
use super::view::ItemView;
use super::{LIST, SERVICE, Site};
use crate::error::Error;
use crate::records::{Page, Wanted};

/// Items on a page.
const ITEMS: u64 = 24;

/// Items of an account.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Items")]
pub(super) struct List<'a> {
    account: &'a str,
    /// Items on all pages.
    total: u64,
    items: Vec<ItemView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    page: Option<PageOnly<'a>>,
}

#[derive(Debug, Serialize)]
struct PageOnly<'a> {
    top: &'a str,
    paging: Paging,
    profiles: Vec<&'a str>,
    profile: &'a str,
    may_upload: bool,
    /// Whether some items are not shown on purpose.
    filtered: bool,
    text: &'a str,
    status: &'a str,
    published: &'a str,
}

pub(super) async fn list(State(site): State<Arc<Site>>, asked: Asked) -> Result<Response, HttpError> {
    let Asked { here, visit, headers, identity, .. } = &asked;
    site.check(identity, Action::Read, &here.account, "")?;
    let query = visit.query();
    let published = match query.get("published") {
        Some("yes" | "true") => Some(true),
        Some("no" | "false") => Some(false),
        _ => None,
    };
    let text = query.get("q").unwrap_or_default();
    let state = query.get("status").unwrap_or_default();
    let slice = Slice::read(query, ITEMS);
    let page = Page { limit: slice.limit(), offset: slice.offset() };
    let wanted = Wanted { text, state, published };
    let (items, total) = site.records.items(&here.account, wanted, page).await.map_err(Error::from)?;
    let mut views = Vec::with_capacity(items.len());
    for item in items {
        let job = site.records.job_of(item.id).await.map_err(Error::from)?;
        let assets = site.records.assets(item.id).await.map_err(Error::from)?;
        views.push(ItemView::new(here, item, job, assets));
    }
    let paging = slice.paging(visit, total);
    let link = paging.link_header();
    let only = PageOnly {
        top: &here.top,
        paging,
        profiles: site.accounts.profiles().collect(),
        profile: site.accounts.profile_of(&here.account),
        may_upload: identity.may(Action::Upload, Object::new(SERVICE, &here.account, "")),
        filtered: !text.is_empty() || !state.is_empty() || published.is_some(),
        text,
        status: state,
        published: published.map_or("", |published| if published { "yes" } else { "no" }),
    };
    let page = asked.is_browser().then_some(only);
    let list = List { account: &here.account, total, items: views, page };
    let mut response = site.pages.represent(visit, headers, LIST, &list)?;
    response.headers_mut().extend(link.map(|line| (LINK, line)));
    Ok(response)
}
