//! `GET /account`: what an account keeps and may keep, and what can be made of its uploads.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use opsctl_auth::Action;
use opsctl_http::HttpError;
use opsctl_web::Markup;
use opsctl_web::plot::{self, Unit};
use schemars::JsonSchema;
use serde::Serialize;

use super::here::Asked;
use super::{ACCOUNT, Site};
use crate::clock::now;
use crate::error::Error;
use crate::profile::Profile;
use crate::records::{Day, Usage};

/// Days that are told of.
const DAYS: u32 = 366;

/// An account.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Account<'a> {
    account: &'a str,
    /// Address of its items.
    media: String,
    usage: Usage,
    /// Bytes of uploads in pieces that are on their way.
    coming: u64,
    /// Bytes that it may keep, uploads and results together; none if there is no bound.
    quota: Option<u64>,
    /// Bytes of an upload, at most.
    max_upload: u64,
    /// What is made of uploads that say nothing else.
    profile: &'a str,
    profiles: &'a BTreeMap<String, Profile>,
    /// What it kept at the end of days on which something changed, the oldest first.
    days: Vec<Day>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    page: Option<PageOnly>,
}

#[derive(Debug, Serialize)]
struct PageOnly {
    top: String,
    /// What was kept from day to day.
    kept: Option<Markup>,
}

pub(super) async fn account(State(site): State<Arc<Site>>, asked: Asked) -> Result<Response, HttpError> {
    let Asked { here, visit, headers, identity, .. } = &asked;
    site.check(identity, Action::Read, &here.account, "")?;
    let usage = site.records.usage(&here.account).await.map_err(Error::from)?;
    let taken = site.records.taken(&here.account).await.map_err(Error::from)?;
    let days = site.records.days(&here.account, DAYS).await.map_err(Error::from)?;
    let page = asked.is_browser().then(|| PageOnly { top: here.top.clone(), kept: plot_of(&days, usage) });
    let account = Account {
        account: &here.account,
        media: format!("{}/media", here.top),
        usage,
        coming: taken.saturating_sub(usage.bytes),
        quota: site.accounts.quota(&here.account),
        max_upload: site.accounts.max_upload(),
        profile: site.accounts.profile_of(&here.account),
        profiles: site.accounts.all(),
        days,
        page,
    };
    Ok(site.pages.represent(visit, headers, ACCOUNT, &account)?)
}

/// What was kept from day to day, up to now; nothing to see before the second day.
fn plot_of(days: &[Day], usage: Usage) -> Option<Markup> {
    // seconds and bytes that floats do not know are not seen in a plot either
    let point = |at: i64, bytes: u64| (at as f64, bytes as f64);
    let points = days.iter().map(|day| point(day.at.0, day.usage.bytes)).chain([point(now(), usage.bytes)]);
    let plot = || plot::area("Kept").series("bytes", points).x(Unit::Time).y(Unit::Bytes).render();
    (days.len() > 1).then(plot)
}
