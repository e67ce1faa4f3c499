//! What browsers are shown: the newest releases, a search, and pages for each project, release and file, with forms for
//! those who may change something.
//!
//! Links are relative to the top of the index, as everywhere. A tool for packages that asks for the first page is sent to
//! the list that it can read. A form's answer is a redirect to the page that shows what it did, with a message.

mod change;
pub(super) mod changes;
mod file;
mod origins;
mod parts;
mod project;
mod upload;

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use opsctl_auth::{Action, Identity};
use opsctl_http::{HttpError, lists_xhtml};
use opsctl_web::plot::{self, Unit};
use opsctl_web::{Link, Markup, Pages, Visit};
use serde::Serialize;

use super::about::Here;
use super::simple::no_index;
use super::{InIndex, Site, rss, search};
use axum::Router;
use axum::routing::{delete, get, put};

const HOME: &str = "index/home.html";
const SEARCH: &str = "index/search.html";
const PROJECT: &str = "index/project.html";
const FILE: &str = "index/file.html";
const UPLOAD: &str = "index/upload.html";
const ORIGINS: &str = "index/origins.html";
const CHANGES: &str = "index/changes.html";
/// Releases on the first page.
const NEWEST: usize = 20;
/// Microseconds between the first and the last file of which a plot can be seen.
const GROWTH_MIN: i64 = 60_000_000;

/// All templates.
pub(crate) fn pages() -> Pages {
    Pages::new()
        .service("index")
        .nav([Link::new("/", "Packages"), Link::new("/search", "Search")])
        .add(HOME, include_str!("../../templates/home.html"))
        .add(SEARCH, include_str!("../../templates/search.html"))
        .add(PROJECT, include_str!("../../templates/project.html"))
        .add(FILE, include_str!("../../templates/file.html"))
        .add(UPLOAD, include_str!("../../templates/upload.html"))
        .add(ORIGINS, include_str!("../../templates/origins.html"))
        .add(CHANGES, include_str!("../../templates/changes.html"))
        .add(super::api::PAGE, include_str!("../../templates/api.html"))
}

/// The pages for those who look after the index.
pub(super) fn of_keepers(top: &str) -> Router<Arc<Site>> {
    Router::new()
        .route(&format!("{top}/upload"), get(upload::page).post(upload::upload))
        .route(&format!("{top}/changes"), get(changes::page))
}

/// What holds in all indexes.
pub(super) fn of_all() -> Router<Arc<Site>> {
    Router::new()
        .route("/origins", get(origins::page).post(origins::decide))
        .route("/origins/{project}", delete(origins::clear))
        .route("/reservations", get(origins::page).post(origins::reserve))
        .route("/reservations/{pattern}", delete(origins::unreserve))
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
    /// From the index to where what holds in all of them is.
    above: &'static str,
    projects: usize,
    files: usize,
    bytes: u64,
    /// How much there is, over the time.
    growth: Option<Markup>,
    may: May,
    releases: Vec<Row>,
}

/// Which pages are for the reader.
#[derive(Debug, Serialize)]
struct May {
    upload: bool,
    changes: bool,
    origins: bool,
    users: bool,
    account: bool,
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
    let (mut projects, mut files, mut bytes) = (0, 0, 0);
    let mut plot = plot::area("Bytes kept").x(Unit::Time).y(Unit::Bytes).small();
    let mut span = 0;
    {
        let snapshot = site.catalog.snapshot();
        for (name, index) in chain.folders().filter_map(|name| Some((name, snapshot.index(name)?))) {
            let recent = index.recent();
            projects += recent.project_count;
            files += recent.file_count;
            bytes += recent.growth.last().map_or(0, |(_, bytes)| *bytes);
            if let (Some((first, _)), Some((last, _))) = (recent.growth.first(), recent.growth.last()) {
                span = span.max(last - first);
                plot = plot.series(name, recent.growth.iter().map(|(at, bytes)| (*at as f64 / 1e6, *bytes as f64)));
            }
        }
    }
    let growth = (span >= GROWTH_MIN).then(|| plot.render());
    let may = May {
        upload: site.stores.contains_key(&*index)
            && site.access.check_somewhere(&identity, Action::Upload, &index).is_ok(),
        changes: site.access.check(&identity, Action::Admin, &index, "").is_ok(),
        origins: site.access.check(&identity, Action::Admin, "", "").is_ok(),
        users: identity.is_administrator(),
        account: !identity.is_anonymous(),
    };
    let above = if visit.path() == "/" { "" } else { "../" };
    let mut releases = rss::last(&site, chain, |recent| &recent.releases);
    releases.truncate(NEWEST);
    let row = |release: crate::catalog::recent::Release| Row {
        name: release.project.name.display().to_owned(),
        slug: release.project.name.normalized().to_owned(),
        version: release.file.version.to_string(),
        summary: release.file.summary.as_deref().unwrap_or_default().to_owned(),
        came: release.came(),
    };
    let releases = releases.into_iter().map(row).collect();
    show(&site, &visit, &headers, HOME, Home { here: here.0, above, projects, files, bytes, growth, may, releases })
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
    let row = |found: search::Found| Row {
        name: found.project.name.display().to_owned(),
        slug: found.project.name.normalized().to_owned(),
        version: found.file.version.to_string(),
        summary: found.file.summary.as_deref().unwrap_or_default().to_owned(),
        came: found.file.first_seen,
    };
    let found = found.into_iter().map(row).collect();
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

/// A page for somebody in particular, which no cache keeps.
fn show_form(
    site: &Site,
    visit: &Visit,
    headers: &HeaderMap,
    template: &str,
    status: StatusCode,
    context: impl Serialize,
) -> Result<Response, HttpError> {
    let mut response = site.pages.show(visit, template, context)?.status(status).respond(headers);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    Ok(response)
}
