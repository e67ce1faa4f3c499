//! `GET /media/<id>`: an item, its job and its results.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use opsctl_auth::{Action, Object};
use opsctl_http::HttpError;
use serde::Serialize;

use super::here::{Asked, tag};
use super::view::{AssetView, ItemView};
use super::{ASSETS, ITEM, SERVICE, Site};
use crate::error::Error;
use crate::records::{Item, Job};

/// Seconds after which a client that waits may ask again.
const AGAIN: u32 = 2;

/// What pages need besides.
#[derive(Debug, Serialize)]
struct PageOnly<'a> {
    top: &'a str,
    profiles: Vec<&'a str>,
    may_change: bool,
    may_yank: bool,
}

#[derive(Debug, Serialize)]
struct OnPage<'a> {
    item: &'a ItemView,
    page: PageOnly<'a>,
}

pub(super) async fn item(State(site): State<Arc<Site>>, asked: Asked) -> Result<Response, HttpError> {
    let item = site.item(&asked, Action::Read).await?;
    show(&site, item, &asked).await
}

/// The answer that an item is.
pub(super) async fn show(site: &Site, item: Item, asked: &Asked) -> Result<Response, HttpError> {
    let Asked { here, visit, headers, identity, .. } = asked;
    let job = site.records.job_of(item.id).await.map_err(Error::from)?;
    let assets = site.records.assets(item.id).await.map_err(Error::from)?;
    let captions = site.records.captions(item.id).await.map_err(Error::from)?;
    let tag = tag(&item, &rest(job.as_ref()));
    let open = job.as_ref().is_some_and(|job| job.state.is_open());
    if !asked.is_browser() && headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return Ok(tagged(StatusCode::NOT_MODIFIED.into_response(), &tag, open));
    }
    let object = Object::new(SERVICE, &item.account, &item.name);
    let page = PageOnly {
        top: &here.top,
        profiles: site.accounts.profiles().collect(),
        may_change: identity.may(Action::Upload, object),
        may_yank: identity.may(Action::Yank, object),
    };
    let item = ItemView::new(here, item.clone(), job, assets).captioned(captions);
    let response = match asked.is_browser() {
        true => site.pages.show(visit, ITEM, OnPage { item: &item, page })?.respond(headers),
        false => site.pages.represent(visit, headers, ITEM, &item)?,
    };
    Ok(tagged(response, &tag, open))
}

/// What of a job changes what an item looks like.
fn rest(job: Option<&Job>) -> String {
    job.map_or_else(String::new, |job| {
        format!("{}.{}.{}.{:.2}", job.id, job.attempt, job.state, job.percent.unwrap_or(0.0))
    })
}

fn tagged(mut response: Response, tag: &str, open: bool) -> Response {
    let headers = response.headers_mut();
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(ETAG, tag);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if open {
        headers.insert(RETRY_AFTER, AGAIN.into());
    }
    response
}

/// `GET /media/<id>/assets`.
pub(super) async fn assets(State(site): State<Arc<Site>>, asked: Asked) -> Result<Response, HttpError> {
    let assets = results(&site, &asked).await?;
    represent(&site, &asked, &assets, &assets)
}

/// `GET /media/<id>/assets/<asset>`.
pub(super) async fn asset(State(site): State<Arc<Site>>, asked: Asked) -> Result<Response, HttpError> {
    let found = results(&site, &asked).await?.into_iter().find(|asset| asset.name == asked.asset);
    let found = found.ok_or_else(|| HttpError::not_found("there is no such asset").code("no-asset"))?;
    represent(&site, &asked, &found, std::slice::from_ref(&found))
}

#[derive(Debug, Serialize)]
struct Results<'a> {
    top: &'a str,
    item: &'a str,
    assets: &'a [AssetView],
}

fn represent(site: &Site, asked: &Asked, value: &impl Serialize, assets: &[AssetView]) -> Result<Response, HttpError> {
    let Asked { here, name: item, visit, headers, .. } = asked;
    let mut response = match asked.is_browser() {
        true => site.pages.show(visit, ASSETS, Results { top: &here.top, item, assets })?.respond(headers),
        false => site.pages.represent(visit, headers, ASSETS, value)?,
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    Ok(response)
}

async fn results(site: &Site, asked: &Asked) -> Result<Vec<AssetView>, HttpError> {
    let item = site.item(asked, Action::Read).await?;
    let assets = site.records.assets(item.id).await.map_err(Error::from)?;
    Ok(ItemView::new(&asked.here, item, None, assets).assets)
}
