//! `GET /project/<project>/`: what a project says about itself, its versions and its files; `?version=` is for another
//! release than the newest.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use opsctl_auth::Identity;
use opsctl_dist::{Metadata, Version, simple};
use opsctl_http::HttpError;
use opsctl_web::{Markup, Slice, Visit, readme, segment, web_address};
use serde::Serialize;

use super::{PROJECT, show};
use crate::http::about::{About, Here, is_yanked, metadata_of, yanked};
use crate::http::{InIndex, Site};

/// Files on a page.
const FILES: u64 = 100;
/// Links that are shown, and characters of a short text.
const LINKS_MAX: usize = 50;
const TEXT_MAX: usize = 1000;

#[derive(Debug, Serialize)]
struct Shown {
    here: String,
    name: String,
    /// Its name in addresses.
    slug: String,
    version: String,
    summary: String,
    status: Option<Status>,
    /// Why this release is withdrawn, if it is.
    yanked: Option<String>,
    requires_python: Option<String>,
    license: Option<String>,
    author: Option<String>,
    links: Vec<(String, String)>,
    readme: Option<Markup>,
    files: Vec<File>,
    paging: opsctl_web::Paging,
    versions: Vec<Release>,
}

#[derive(Debug, Serialize)]
struct Status {
    state: &'static str,
    reason: Option<String>,
}

#[derive(Debug, Serialize)]
struct File {
    filename: String,
    url: String,
    size: Option<u64>,
    requires_python: Option<String>,
    /// Microseconds since 1970.
    came: Option<i64>,
    sha256: Option<String>,
    yanked: Option<String>,
}

#[derive(Debug, Serialize)]
struct Release {
    version: String,
    /// In a query.
    segment: String,
    prerelease: bool,
    yanked: bool,
}

pub(in crate::http) async fn project(
    State(site): State<Arc<Site>>,
    InIndex(index): InIndex,
    here: Here,
    Path(path): Path<HashMap<String, String>>,
    visit: Visit,
    headers: HeaderMap,
    identity: Identity,
) -> Result<Response, HttpError> {
    let reader = site.access.reader(&identity, &index)?;
    let about = About::of(&site, &index, reader, path.get("project").map_or("", |name| name)).await?;
    let asked = visit.query().get("version").filter(|version| !version.is_empty());
    let nothing = || HttpError::not_found("there is no such release here");
    let release = match asked {
        Some(version) => Some(about.release(version).ok_or_else(nothing)?),
        None => about.newest(),
    };
    let metadata = match release {
        Some((_, files)) => metadata_of(&site, &index, files).await?,
        None => Metadata::default(),
    };
    // a readme is long, and making a page of it takes a while
    let text = (metadata.description.clone(), metadata.description_content_type.clone());
    let readme = tokio::task::spawn_blocking(move || {
        let (text, kind) = text;
        text.filter(|text| !text.trim().is_empty()).map(|text| readme(&kind.unwrap_or_default(), &text))
    });
    let readme = readme.await.map_err(HttpError::internal)?;
    let slice = Slice::read(visit.query(), FILES);
    let files: Vec<&simple::File> = release.map_or(Vec::new(), |(_, files)| files.iter().collect());
    let paging = slice.paging(&visit, u64::try_from(files.len()).unwrap_or_default());
    let (skip, take) = (usize::try_from(slice.offset()), usize::try_from(slice.limit()));
    let shown = files.iter().skip(skip.unwrap_or_default()).take(take.unwrap_or_default()).map(|file| entry(file));
    let versions = about.releases.iter().rev().map(|(version, files)| listed(version, files)).collect();
    let status = about.status.as_ref().filter(|status| status.state != simple::State::Active);
    let shown = Shown {
        here: here.0,
        name: about.name.display().to_owned(),
        slug: about.name.normalized().to_owned(),
        version: release.map(|(version, _)| version.normalized()).unwrap_or_default(),
        summary: short(metadata.summary.as_deref()).unwrap_or_default(),
        status: status.map(|status| Status { state: status.state.marker(), reason: status.reason.clone() }),
        yanked: release.filter(|(_, files)| is_yanked(files)).map(|(_, files)| reason(files)),
        requires_python: short(metadata.requires_python.as_deref()),
        license: short(metadata.license_expression.as_deref().or(metadata.license.as_deref())),
        author: short(metadata.author.as_deref().or(metadata.author_email.as_deref())),
        links: links(&metadata),
        readme,
        files: shown.collect(),
        paging,
        versions,
    };
    show(&site, &visit, &headers, PROJECT, shown)
}

fn short(text: Option<&str>) -> Option<String> {
    text.map(|text| text.trim().chars().take(TEXT_MAX).collect()).filter(|text: &String| !text.is_empty())
}

/// The first reason that anybody gave.
fn reason(files: &[simple::File]) -> String {
    files.iter().filter_map(yanked).find(|reason| !reason.is_empty()).unwrap_or_default().to_owned()
}

/// Where a project says that more can be found, as far as that is on the web.
fn links(metadata: &Metadata) -> Vec<(String, String)> {
    let own = [("Home page", &metadata.home_page), ("Download", &metadata.download_url)];
    let own = own.into_iter().filter_map(|(label, url)| Some((label, url.as_deref()?)));
    let all = own.chain(metadata.project_urls.iter().map(|(label, url)| (&**label, &**url)));
    let on_the_web = all.filter_map(|(label, url)| {
        let url = web_address(url)?;
        let scheme = url.split(':').next().unwrap_or_default();
        (!scheme.eq_ignore_ascii_case("mailto")).then(|| (label.trim().to_owned(), url.to_owned()))
    });
    on_the_web.take(LINKS_MAX).collect()
}

fn entry(file: &simple::File) -> File {
    File {
        filename: file.filename.clone(),
        // ours are relative, and as deep as from the page of the Simple API
        url: if file.url.starts_with("../../") || web_address(&file.url).is_some() {
            file.url.clone()
        } else {
            String::new()
        },
        size: file.size,
        requires_python: file.requires_python.clone(),
        came: file.upload_time.map(simple::UploadTime::micros),
        sha256: file.hash("sha256").map(ToOwned::to_owned),
        yanked: yanked(file).map(ToOwned::to_owned),
    }
}

fn listed(version: &Version, files: &[simple::File]) -> Release {
    let text = version.normalized();
    Release { segment: segment(&text), prerelease: version.is_prerelease(), yanked: is_yanked(files), version: text }
}
