//! What browsers are shown: the newest releases, a search, and pages for each project, release and file, with forms for
//! those who may change something.
//!
//! Links are relative to the top of the index, as everywhere. A tool for packages that asks for the first page is sent to
//! the list that it can read. A form's answer is a redirect to the page that shows what it did, with a message.

mod change;
mod file;
mod parts;
mod project;

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{CACHE_CONTROL, HeaderValue};
use axum::response::{IntoResponse, Redirect, Response};
use opsctl_auth::{Action, Identity};
use opsctl_http::{HttpError, lists_xhtml};
use opsctl_web::{Link, Pages, Visit};
use serde::Serialize;

use axum::Router;
use axum::routing::{get, put};
use super::about::Here;
use super::simple::no_index;
use super::{InIndex, Site, rss, search};

const HOME: &str = "index/home.html";
const SEARCH: &str = "index/search.html";
const PROJECT: &str = "index/project.html";
const FILE: &str = "index/file.html";
/// Releases on the first page.
const NEWEST: usize = 20;

/// All templates.
pub(crate) fn pages() -> Pages {
    Pages::new()
        .service("index")
        .nav([Link::new("/", "Packages"), Link::new("/search", "Search")])
        .add(HOME, include_str!("../../templates/home.html"))
        .add(SEARCH, include_str!("../../templates/search.html"))
        .add(PROJECT, include_str!("../../templates/project.html"))
        .add(FILE, include_str!("../../templates/file.html"))
}

/// The paths of a project's pages and of their forms.
pub(super) fn of_project(top: &str) -> Router<Arc<Site>> {
    let project = format!("{top}/project/{{project}}");
    let release = format!("{project}/{{version}}");
    let file = format!("{release}/{{file}}");
    Router::new()
        .route(&format!("{project}/"), get(project::project).delete(change::remove))
        .route(&format!("{project}/status"), put(change::set_status))
        .route(&format!("{project}/remove"), get(change::ask))
        .route(&format!("{release}/"), get(project::release).delete(change::remove))
        .route(&format!("{release}/yanked"), put(change::yank).delete(change::unyank))
        .route(&format!("{release}/remove"), get(change::ask))
        .route(&file, get(file::file).delete(change::remove))
        .route(&format!("{file}/yanked"), put(change::yank).delete(change::unyank))
        .route(&format!("{file}/remove"), get(change::ask))
}

/// A release in a list.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    /// Its name in addresses.
    slug: String,
    version: String,
    summary: String,
    /// Microseconds since 1970.
    came: i64,
}

#[derive(Debug, Serialize)]
struct Home {
    here: String,
    projects: usize,
    files: usize,
    releases: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Search {
    query: String,
    found: Vec<Row>,
}

pub(super) async fn home(
    State(site): State<Arc<Site>>,
    InIndex(index): InIndex,
    here: Here,
    visit: Visit,
    headers: HeaderMap,
    identity: Identity,
) -> Result<Response, HttpError> {
    site.access.check(&identity, Action::Read, &index, "")?;
    let chain = site.routes.chain(&index).ok_or_else(no_index)?;
    // of the tools for packages none says that it reads this
    if !lists_xhtml(&headers) {
        return Ok(Redirect::temporary("simple/").into_response());
    }
    let (mut projects, mut files) = (0, 0);
    {
        let snapshot = site.catalog.snapshot();
        for index in chain.folders().filter_map(|name| snapshot.index(name)) {
            projects += index.recent().project_count;
            files += index.recent().file_count;
        }
    }
    let mut releases = rss::last(&site, chain, |recent| &recent.releases);
    releases.truncate(NEWEST);
    let summaries = site.summaries.of(releases.iter().map(|release| Arc::clone(&release.file)).collect()).await?;
    let row = |(release, summary): (crate::catalog::recent::Release, Arc<str>)| Row {
        name: release.project.name.display().to_owned(),
        slug: release.project.name.normalized().to_owned(),
        version: release.file.version.to_string(),
        summary: summary.to_string(),
        came: release.came(),
    };
    let releases = releases.into_iter().zip(summaries).map(row).collect();
    show(&site, &visit, &headers, HOME, Home { here: here.0, projects, files, releases })
}

pub(super) async fn found(
    State(site): State<Arc<Site>>,
    InIndex(index): InIndex,
    visit: Visit,
    headers: HeaderMap,
    identity: Identity,
) -> Result<Response, HttpError> {
    site.access.check(&identity, Action::Read, &index, "")?;
    let query = visit.query().get("q").unwrap_or_default().to_owned();
    let words: Vec<String> = query.split_whitespace().map(str::to_owned).collect();
    let found = search::find(&site, &index, &words, true)?;
    let summaries = site.summaries.of(found.iter().map(|found| Arc::clone(&found.file)).collect()).await?;
    let row = |(found, summary): (search::Found, Arc<str>)| Row {
        name: found.project.name.display().to_owned(),
        slug: found.project.name.normalized().to_owned(),
        version: found.file.version.to_string(),
        summary: summary.to_string(),
        came: found.file.first_seen,
    };
    let found = found.into_iter().zip(summaries).map(row).collect();
    show(&site, &visit, &headers, SEARCH, Search { query, found })
}

fn show(
    site: &Site,
    visit: &Visit,
    headers: &HeaderMap,
    template: &str,
    context: impl Serialize,
) -> Result<Response, HttpError> {
    let mut response = site.pages.show(visit, template, context)?.respond(headers);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(site.page_cache));
    Ok(response)
}
