//! `GET /project/<project>/` and `/project/<project>/<version>/`: what a project says about itself, its versions and its
//! files; without a version, of the newest release.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use opsctl_auth::Identity;
use opsctl_dist::simple::State as Condition;
use opsctl_dist::{FileName, Kind, Metadata, Version, simple};
use opsctl_http::HttpError;
use opsctl_web::plot::{self, Unit};
use opsctl_web::{Form, Markup, Slice, Visit, readme, segment};
use serde::Serialize;

use super::parts::{May, address, links, list, reason, short};
use super::{PROJECT, show};
use crate::http::about::{About, Here, is_yanked, metadata_of, yanked};
use crate::http::{InIndex, Site};

/// Files on a page.
const FILES: u64 = 100;
/// Microseconds of a second, the unit of a plot's times.
const SECOND: f64 = 1e6;
/// Seconds between the first and the last release of which a plot can be seen.
const SPAN_MIN: f64 = 60.0;

#[derive(Debug, Serialize)]
struct Shown {
    here: String,
    /// From this page to the top of the index.
    up: &'static str,
    /// From this page to the project's.
    project_at: &'static str,
    /// From this page to the release's.
    release_at: String,
    name: String,
    /// Its name in addresses.
    slug: String,
    version: String,
    summary: String,
    status: Option<Status>,
    /// Why this release is withdrawn, if it is.
    yanked: Option<String>,
    requires_python: Option<String>,
    requires: Vec<String>,
    license: Option<String>,
    author: Option<String>,
    links: Vec<(String, String)>,
    readme: Option<Markup>,
    files: Vec<File>,
    paging: opsctl_web::Paging,
    versions: Vec<Release>,
    sizes: Option<Markup>,
    may: May,
    yank_form: Form,
    status_form: Form,
    states: [&'static str; 4],
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
    /// Of its own page, from that of the release.
    segment: String,
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
    segment: String,
    prerelease: bool,
    yanked: bool,
}

/// Where a page stands.
struct At {
    up: &'static str,
    project: &'static str,
    release: Option<Version>,
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
    // what links said before releases had pages of their own
    if let Some(version) = visit.query().get("version").filter(|version| !version.is_empty()) {
        return Ok(Redirect::permanent(&format!("{}/", segment(version))).into_response());
    }
    let reader = site.access.reader(&identity, &index)?;
    let about = About::of(&site, &index, reader, path.get("project").map_or("", |name| name)).await?;
    let at = At { up: "../../", project: "", release: None };
    page(&site, &index, here, about, at, &visit, &headers, &identity).await
}

pub(in crate::http) async fn release(
    State(site): State<Arc<Site>>,
    InIndex(index): InIndex,
    here: Here,
    Path(path): Path<HashMap<String, String>>,
    visit: Visit,
    headers: HeaderMap,
    identity: Identity,
) -> Result<Response, HttpError> {
    let reader = site.access.reader(&identity, &index)?;
    let part = |name: &str| path.get(name).map_or("", |part| part);
    let about = About::of(&site, &index, reader, part("project")).await?;
    let nothing = || HttpError::not_found("there is no such release here");
    let (version, _) = about.release(part("version")).ok_or_else(nothing)?;
    let at = At { up: "../../../", project: "../", release: Some(version.clone()) };
    page(&site, &index, here, about, at, &visit, &headers, &identity).await
}

#[expect(clippy::too_many_arguments, reason = "what a page is made of, and the request")]
async fn page(
    site: &Site,
    index: &str,
    here: Here,
    about: About,
    at: At,
    visit: &Visit,
    headers: &HeaderMap,
    identity: &Identity,
) -> Result<Response, HttpError> {
    let release = match &at.release {
        Some(version) => about.releases.get_key_value(version).map(|(version, files)| (version, &**files)),
        None => about.newest(),
    };
    let metadata = match release {
        Some((_, files)) => metadata_of(site, index, files).await?,
        None => Metadata::default(),
    };
    let readme = description(&metadata).await?;
    let slice = Slice::read(visit.query(), FILES);
    let files: Vec<&simple::File> = release.map_or(Vec::new(), |(_, files)| files.iter().collect());
    let paging = slice.paging(visit, u64::try_from(files.len()).unwrap_or_default());
    let (skip, take) = (usize::try_from(slice.offset()), usize::try_from(slice.limit()));
    let shown = files.iter().skip(skip.unwrap_or_default()).take(take.unwrap_or_default());
    let status = about.status.as_ref().filter(|status| status.state != Condition::Active);
    let version = release.map(|(version, _)| version);
    let status_form = about.status.as_ref().map_or_else(Form::new, |status| {
        Form::new().with("state", status.state.marker()).with("reason", status.reason.as_deref().unwrap_or_default())
    });
    let shown = Shown {
        here: here.0,
        up: at.up,
        project_at: at.project,
        release_at: match (&at.release, version) {
            (None, Some(version)) => format!("{}/", segment(&version.normalized())),
            _ => String::new(),
        },
        name: about.name.display().to_owned(),
        slug: about.name.normalized().to_owned(),
        version: version.map(Version::normalized).unwrap_or_default(),
        summary: short(metadata.summary.as_deref()).unwrap_or_default(),
        status: status.map(|status| Status { state: status.state.marker(), reason: status.reason.clone() }),
        yanked: release.filter(|(_, files)| is_yanked(files)).map(|(_, files)| reason(files)),
        requires_python: short(metadata.requires_python.as_deref()),
        requires: list(&metadata.requires_dist),
        license: short(metadata.license_expression.as_deref().or(metadata.license.as_deref())),
        author: short(metadata.author.as_deref().or(metadata.author_email.as_deref())),
        links: links(&metadata),
        readme,
        files: shown.map(|file| entry(file, at.up)).collect(),
        paging,
        versions: about.releases.iter().rev().map(|(version, files)| listed(version, files)).collect(),
        sizes: sizes(&about),
        may: May::of(site, identity, index, &about.name, version),
        yank_form: Form::new().id("yank"),
        status_form: status_form.id("status"),
        states: [Condition::Active, Condition::Deprecated, Condition::Archived, Condition::Quarantined]
            .map(Condition::marker),
    };
    show(site, visit, headers, PROJECT, shown)
}

/// The readme as a page has it. One that is long takes a while.
async fn description(metadata: &Metadata) -> Result<Option<Markup>, HttpError> {
    let (text, kind) = (metadata.description.clone(), metadata.description_content_type.clone());
    let readme = tokio::task::spawn_blocking(move || {
        text.filter(|text| !text.trim().is_empty()).map(|text| readme(&kind.unwrap_or_default(), &text))
    });
    readme.await.map_err(HttpError::internal)
}

fn entry(file: &simple::File, up: &str) -> File {
    File {
        filename: file.filename.clone(),
        url: address(file, up),
        segment: segment(&file.filename),
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

/// How large each release is, over the time; its largest file of each kind counts. Nothing to see of one moment.
fn sizes(about: &About) -> Option<Markup> {
    let of_kind = |kind: Kind| {
        let largest = about.releases.values().filter_map(move |files| {
            let files = files.iter().filter(|file| FileName::kind_of(&file.filename).is_some_and(|(is, _)| is == kind));
            files.max_by_key(|file| file.size)
        });
        let point = |file: &simple::File| Some((file.upload_time?.micros() as f64 / SECOND, file.size? as f64));
        largest.filter_map(point).collect::<Vec<_>>()
    };
    let all =
        [("Wheel", Kind::Wheel), ("Source", Kind::Sdist), ("Egg", Kind::Egg)].map(|(name, kind)| (name, of_kind(kind)));
    let times = || all.iter().flat_map(|(_, points)| points.iter().map(|(time, _)| *time));
    let span = times().fold(f64::MIN, f64::max) - times().fold(f64::MAX, f64::min);
    if span < SPAN_MIN {
        return None;
    }
    let plot = plot::line("Size of each release").x(Unit::Time).y(Unit::Bytes).small();
    let series = all.into_iter().filter(|(_, points)| points.len() > 1);
    Some(series.fold(plot, |plot, (name, points)| plot.series(name, points)).render())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use opsctl_dist::ProjectName;
    use opsctl_dist::simple::UploadTime;

    use super::*;

    /// `files` as file name, hour, size.
    fn check(files: &[(&str, i64, u64)], lines: Option<usize>) {
        let mut releases: BTreeMap<Version, Vec<simple::File>> = BTreeMap::new();
        for (filename, hour, size) in files {
            let version = Version::parse(filename.split('-').nth(1).unwrap().trim_end_matches(".tar.gz")).unwrap();
            let upload_time = UploadTime::from_micros(hour * 3_600_000_000).ok();
            let file = simple::File {
                filename: (*filename).to_owned(),
                upload_time,
                size: Some(*size),
                ..simple::File::default()
            };
            releases.entry(version).or_default().push(file);
        }
        let about = About { name: ProjectName::parse("a").unwrap(), status: None, releases };
        let drawn = sizes(&about).map(|plot| plot.as_str().matches("<path").count());
        assert_eq!(drawn, lines, "{files:?}");
    }

    #[test]
    fn sizes_of_releases_over_the_time() {
        check(&[], None);
        check(&[("a-1-py3-none-any.whl", 1, 5)], None);
        check(&[("a-1-py3-none-any.whl", 1, 5), ("a-2-py3-none-any.whl", 1, 6)], None);
        check(&[("a-1-py3-none-any.whl", 1, 5), ("a-2-py3-none-any.whl", 2, 6)], Some(1));
        let both = [
            ("a-1-py3-none-any.whl", 1, 5),
            ("a-1.tar.gz", 1, 9),
            ("a-2-py3-none-any.whl", 2, 6),
            ("a-2-py3-none-linux_x86_64.whl", 2, 60),
            ("a-2.tar.gz", 2, 9),
        ];
        check(&both, Some(2));
    }
}
