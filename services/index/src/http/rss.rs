//! `GET /rss/packages.xml`, `/rss/updates.xml`, `/rss/project/<project>/releases.xml`: what came last, for feed readers
//! (RSS 2.0).

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header::{HeaderValue, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use opsctl_auth::{Action, Identity};
use opsctl_dist::ProjectName;
use opsctl_http::{Entity, HttpDate, HttpError, Rendered};

use super::about::Here;
use super::file::NOSNIFF;
use super::simple::no_index;
use super::xml::text;
use super::{InIndex, Site};
use crate::catalog::recent::{Recent, Release, newest, releases};
use crate::routes::Chain;

/// New projects.
pub(super) async fn packages(
    State(site): State<Arc<Site>>,
    InIndex(index): InIndex,
    here: Here,
    method: Method,
    headers: HeaderMap,
    identity: Identity,
) -> Result<Response, HttpError> {
    site.access.check(&identity, Action::Read, &index, "")?;
    let came = last(&site, site.routes.chain(&index).ok_or_else(no_index)?, |recent| &recent.projects);
    let title = |release: &Release| format!("{} added", release.project.name.display());
    respond(&site, &here, "Newest packages", "", came, title, &method, &headers)
}

/// New releases.
pub(super) async fn updates(
    State(site): State<Arc<Site>>,
    InIndex(index): InIndex,
    here: Here,
    method: Method,
    headers: HeaderMap,
    identity: Identity,
) -> Result<Response, HttpError> {
    site.access.check(&identity, Action::Read, &index, "")?;
    let came = last(&site, site.routes.chain(&index).ok_or_else(no_index)?, |recent| &recent.releases);
    let title = |release: &Release| format!("{} {}", release.project.name.display(), release.file.version);
    respond(&site, &here, "Latest updates", "", came, title, &method, &headers)
}

/// New releases of a project.
pub(super) async fn project(
    State(site): State<Arc<Site>>,
    InIndex(index): InIndex,
    here: Here,
    Path(path): Path<HashMap<String, String>>,
    method: Method,
    headers: HeaderMap,
    identity: Identity,
) -> Result<Response, HttpError> {
    let reader = site.access.reader(&identity, &index)?;
    let chain = site.routes.chain(&index).ok_or_else(no_index)?;
    let nothing = || HttpError::not_found("there is no such project here");
    let asked = path.get("project").map_or("", |asked| asked);
    let name = ProjectName::parse(asked).map_err(|_| nothing())?;
    reader.check(name.normalized())?;
    let mut came = {
        let snapshot = site.catalog.snapshot();
        let indexes = chain.folders().filter_map(|index| snapshot.index(index));
        let found: Vec<_> = indexes.filter_map(|index| index.project(name.normalized())).collect();
        (!found.is_empty()).then(|| found.into_iter().flat_map(releases).collect()).ok_or_else(nothing)?
    };
    distinct(&mut came);
    newest(&mut came);
    let spelled = came.first().map_or(name.display(), |release| release.project.name.display()).to_owned();
    let title = |release: &Release| release.file.version.to_string();
    let (heading, page) = (format!("Releases of {spelled}"), format!("project/{}/", name.normalized()));
    respond(&site, &here, &heading, &page, came, title, &method, &headers)
}

/// What came last to the indexes of a chain.
pub(super) fn last(site: &Site, chain: &Chain, list: impl Fn(&Recent) -> &Vec<Release>) -> Vec<Release> {
    let snapshot = site.catalog.snapshot();
    let indexes = chain.folders().filter_map(|name| snapshot.index(name));
    let mut came: Vec<Release> = indexes.flat_map(|index| list(index.recent())).cloned().collect();
    distinct(&mut came);
    newest(&mut came);
    came
}

/// Of a release that is in several indexes the first.
fn distinct(releases: &mut Vec<Release>) {
    let mut seen = std::collections::HashSet::new();
    releases
        .retain(|release| seen.insert((release.project.name.normalized().to_owned(), release.file.version.clone())));
}

#[expect(clippy::too_many_arguments, reason = "what a feed is made of, and the request")]
fn respond(
    site: &Site,
    here: &Here,
    heading: &str,
    page: &str,
    came: Vec<Release>,
    title: impl Fn(&Release) -> String,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, HttpError> {
    let mut feed = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\">\n<channel>\n");
    let link = text(&format!("{}/{page}", here.0));
    let heading = text(heading);
    let _ = write!(
        feed,
        "<title>{heading}</title>\n<link>{link}</link>\n<description>{heading}</description>\n<language>en</language>\n"
    );
    for release in &came {
        let summary = release.file.summary.as_deref().unwrap_or_default();
        let name = release.project.name.normalized();
        let link = text(&format!("{}/project/{name}/", here.0));
        let guid = text(&format!("{}/project/{name}/?version={}", here.0, opsctl_web::segment(&release.file.version)));
        let date = HttpDate::from_seconds(u64::try_from(release.came() / 1_000_000).unwrap_or_default());
        let _ = write!(
            feed,
            "<item>\n<title>{}</title>\n<link>{link}</link>\n<guid isPermaLink=\"false\">{guid}</guid>\n\
             <description>{}</description>\n<pubDate>{date}</pubDate>\n</item>\n",
            text(&title(release)),
            text(summary)
        );
    }
    feed.push_str("</channel>\n</rss>\n");
    let entity = Entity::new(HeaderValue::from_static("application/rss+xml; charset=utf-8"))
        .cache_control(site.page_cache)
        .header(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    Ok(Rendered::new(entity, feed).respond(method, headers))
}
