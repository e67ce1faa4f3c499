//! Jobs: what is done with an upload, once more, no more.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::header::{CACHE_CONTROL, LINK, LOCATION, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use opsctl_auth::Action;
use opsctl_http::HttpError;
use opsctl_web::{Form, Paging, Slice, Tone};
use schemars::JsonSchema;
use serde::Serialize;

use super::here::Asked;
use super::view::JobView;
use super::{JOB, JOBS, Site};
use crate::error::Error;
use crate::ingest::Wishes;
use crate::records::{Item, NewJob};

/// Jobs on a page.
const ROWS: u64 = 50;

/// Jobs of an account.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Jobs<'a> {
    account: &'a str,
    /// Jobs on all pages.
    total: u64,
    jobs: Vec<JobView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    page: Option<PageOnly<'a>>,
}

#[derive(Debug, Serialize)]
struct PageOnly<'a> {
    top: &'a str,
    paging: Paging,
    open: bool,
}

#[derive(Debug, Serialize)]
struct OnPage<'a> {
    top: &'a str,
    job: &'a JobView,
}

/// `GET /jobs`: an account's jobs, the newest first; `?open=yes` for those that something will still become of.
pub(super) async fn list(State(site): State<Arc<Site>>, asked: Asked) -> Result<Response, HttpError> {
    let Asked { here, visit, headers, identity, .. } = &asked;
    site.check(identity, Action::Read, &here.account, "")?;
    let slice = Slice::read(visit.query(), ROWS);
    let open = visit.query().get("open") == Some("yes");
    let jobs = site.records.jobs(Some(&here.account), open, slice.limit(), slice.offset()).await;
    let total = site.records.count_jobs(&here.account, open).await.map_err(Error::from)?;
    let paging = slice.paging(visit, total);
    let link = paging.link_header();
    let jobs = Jobs {
        account: &here.account,
        total,
        jobs: jobs.map_err(Error::from)?.into_iter().map(|job| JobView::new(here, job)).collect(),
        page: asked.is_browser().then_some(PageOnly { top: &here.top, paging, open }),
    };
    let mut response = site.pages.represent(visit, headers, JOBS, &jobs)?;
    response.headers_mut().extend(link.map(|line| (LINK, line)));
    Ok(response)
}

/// `GET /media/<id>/job`: the newest job of an item.
pub(super) async fn of_item(State(site): State<Arc<Site>>, asked: Asked) -> Result<Response, HttpError> {
    let item = site.item(&asked, Action::Read).await?;
    show(&site, &item, &asked).await
}

async fn show(site: &Site, item: &Item, asked: &Asked) -> Result<Response, HttpError> {
    let job = site.records.job_of(item.id).await.map_err(Error::from)?;
    let job = job.ok_or_else(|| HttpError::not_found("there is no job").code("no-job"))?;
    let open = job.state.is_open();
    let Asked { here, visit, headers, .. } = asked;
    let job = JobView::new(here, job);
    let mut response = match asked.is_browser() {
        true => site.pages.show(visit, JOB, OnPage { top: &here.top, job: &job })?.respond(headers),
        false => site.pages.represent(visit, headers, JOB, &job)?,
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if open {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("2"));
    }
    Ok(response)
}

/// `POST /media/<id>/job`: encodes once more; with the words `profile`, `size` and `priority`.
pub(super) async fn again(
    State(site): State<Arc<Site>>,
    asked: Asked,
    form: Result<Form, HttpError>,
) -> Result<Response, HttpError> {
    let item = site.item(&asked, Action::Upload).await?;
    let mut wishes = Wishes::default().pairs(asked.visit.query().pairs()).map_err(Error::from)?;
    for word in ["profile", "size", "priority"] {
        if let Some(value) = form.as_ref().ok().and_then(|form| form.values(word).next()) {
            wishes = wishes.pairs([(word, value)]).map_err(Error::from)?;
        }
    }
    let wishes = wishes.headers(&asked.headers).map_err(Error::from)?;
    let (profile, body) = site.accounts.order(&item.account, &wishes)?;
    let job = NewJob {
        media: item.id,
        account: &item.account,
        source: &item.source,
        profile: &profile,
        body: &body,
        priority: wishes.priority.unwrap_or(0),
    };
    site.records.enqueue(job, &item.object(), &asked.by).await.map_err(Error::from)?;
    if asked.is_browser() {
        asked.visit.flash(Tone::Ok, "it will be encoded once more");
        return Ok(Redirect::to(&asked.address()).into_response());
    }
    let mut response = show(&site, &item, &asked).await?;
    *response.status_mut() = StatusCode::ACCEPTED;
    if let Ok(location) = HeaderValue::try_from(format!("{}/job", asked.address())) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// `DELETE /media/<id>/job`: what was made before stays.
pub(super) async fn cancel(State(site): State<Arc<Site>>, asked: Asked) -> Result<Response, HttpError> {
    let item = site.item(&asked, Action::Upload).await?;
    let cancelled = site.records.cancel(item.id, &item.object(), &asked.by).await.map_err(Error::from)?;
    if asked.is_browser() {
        asked.visit.flash(Tone::Ok, if cancelled { "cancelled" } else { "there was nothing to cancel" });
        return Ok(Redirect::to(&asked.address()).into_response());
    }
    match cancelled {
        true => Ok(StatusCode::NO_CONTENT.into_response()),
        false => Err(HttpError::new(StatusCode::CONFLICT, "there is nothing to cancel").code("not-open")),
    }
}
