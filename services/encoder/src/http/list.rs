//! `GET /media`: an account's items, the newest first.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::header::LINK;
use opsctl_auth::{Action, Object};
use opsctl_http::HttpError;
use opsctl_web::plot::{self, Unit};
use opsctl_web::{Markup, Paging, Slice};
use serde::Serialize;

use super::here::Asked;
use super::view::ItemView;
use super::{LIST, SERVICE, Site};
use crate::error::Error;
use crate::records::{Day, Page, Usage, Wanted};

/// Items on a page.
const ITEMS: u64 = 24;
/// Days in the plot.
const DAYS: u32 = 366;

#[derive(Debug, Serialize)]
struct Shown<'a> {
    account: &'a str,
    total: u64,
    usage: Usage,
    quota: Option<u64>,
    items: Vec<ItemView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<PageOnly<'a>>,
}

#[derive(Debug, Serialize)]
struct PageOnly<'a> {
    top: &'a str,
    paging: Paging,
    profiles: Vec<&'a str>,
    profile: &'a str,
    may_upload: bool,
    /// What was kept from day to day.
    kept: Option<Markup>,
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
        kept: plot_of(&site.records.days(&here.account, DAYS).await.map_err(Error::from)?),
    };
    let shown = Shown {
        account: &here.account,
        total,
        usage: site.records.usage(&here.account).await.map_err(Error::from)?,
        quota: site.accounts.quota(&here.account),
        items: views,
        page: asked.is_browser().then_some(only),
    };
    let mut response = site.pages.represent(visit, headers, LIST, &shown)?;
    response.headers_mut().extend(link.map(|line| (LINK, line)));
    Ok(response)
}

/// What an account kept from day to day; nothing to see before the second one.
fn plot_of(days: &[Day]) -> Option<Markup> {
    let points = days.iter().map(|day| (day.at as f64, day.usage.bytes as f64));
    let plot = || plot::area("Kept").series("bytes", points).x(Unit::Time).y(Unit::Bytes).small().render();
    (days.len() > 1).then(plot)
}
