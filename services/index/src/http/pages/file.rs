//! `GET /project/<project>/<version>/<file>`: all that is known of one file, and what it says about itself.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use opsctl_auth::Identity;
use opsctl_dist::simple::CoreMetadata;
use opsctl_dist::{FileName, Kind, Level, simple};
use opsctl_http::HttpError;
use opsctl_web::{Form, Visit, segment};
use serde::Serialize;

use super::parts::{May, address, follow, list, short};
use super::{FILE, show};
use crate::http::about::{About, Here, metadata_of, yanked};
use crate::http::{InIndex, Site};

/// From this page to the top of the index.
const UP: &str = "../../../";

#[derive(Debug, Serialize)]
struct Shown {
    here: String,
    up: &'static str,
    name: String,
    slug: String,
    version: String,
    filename: String,
    /// This page's name within its folder.
    segment: String,
    url: String,
    /// Of its metadata, if there is one.
    metadata_url: Option<String>,
    kind: &'static str,
    /// The tag for Python's version.
    python: Option<String>,
    size: Option<u64>,
    hashes: Vec<(String, String)>,
    requires_python: Option<String>,
    came: Option<i64>,
    /// Who brought it, for those who have said who they are.
    uploader: Option<String>,
    yanked: Option<String>,
    /// What proves where it was built, if anything does.
    provenance: Option<String>,
    facts_of: Vec<(&'static str, String)>,
    requires: Vec<String>,
    classifiers: Vec<String>,
    may: May,
    yank_form: Form,
}

pub(super) async fn file(
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
    let nothing = || HttpError::not_found("there is no such file here");
    let (version, files) = about.release(part("version")).ok_or_else(nothing)?;
    let file = files.iter().find(|file| file.filename == part("file")).ok_or_else(nothing)?;
    let metadata = metadata_of(&site, &index, std::slice::from_ref(file)).await?;
    let may = May::of(&site, &identity, &index, &about.name, Some(version));
    let own = site.catalog.snapshot().index(&index).is_some_and(|own| own.project(about.name.normalized()).is_some());
    let uploader = match own && !identity.is_anonymous() {
        true => site.catalog.records().uploader(&index, &file.filename).await.map_err(HttpError::internal)?,
        false => None,
    };
    let parsed = FileName::parse(&file.filename, Some(&about.name), Level::Lenient).ok();
    let url = address(file, UP);
    let has_metadata = matches!(file.core_metadata, CoreMetadata::Present | CoreMetadata::Hashes(_));
    let facts = [
        ("Summary", short(metadata.summary.as_deref())),
        ("Licence", short(metadata.license_expression.as_deref().or(metadata.license.as_deref()))),
        ("Author", short(metadata.author.as_deref())),
        ("Author's address", short(metadata.author_email.as_deref())),
        ("Maintainer", short(metadata.maintainer.as_deref().or(metadata.maintainer_email.as_deref()))),
        ("Keywords", short(Some(&metadata.keywords.join(", ")))),
        ("Platforms", short(Some(&metadata.platforms.join(", ")))),
        ("Extras", short(Some(&metadata.provides_extra.join(", ")))),
    ];
    let shown = Shown {
        here: here.0,
        up: UP,
        name: about.name.display().to_owned(),
        slug: about.name.normalized().to_owned(),
        version: version.normalized(),
        filename: file.filename.clone(),
        segment: segment(&file.filename),
        metadata_url: (has_metadata && !url.is_empty()).then(|| format!("{url}.metadata")),
        url,
        kind: parsed.as_ref().map_or("file", |parsed| word(parsed.kind())),
        python: parsed
            .as_ref()
            .map(|parsed| parsed.python().to_owned())
            .filter(|python| !matches!(&**python, "" | "source")),
        size: file.size,
        hashes: file.hashes.clone(),
        requires_python: file.requires_python.clone(),
        came: file.upload_time.map(simple::UploadTime::micros),
        uploader,
        yanked: yanked(file).map(ToOwned::to_owned),
        provenance: file.provenance.as_deref().and_then(|url| follow(url, UP)),
        facts_of: facts.into_iter().filter_map(|(label, text)| Some((label, text?))).collect(),
        requires: list(&metadata.requires_dist),
        classifiers: list(&metadata.classifiers),
        may,
        yank_form: Form::new().id("yank"),
    };
    show(&site, &visit, &headers, FILE, shown)
}

/// What people call a kind of file.
fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Wheel => "wheel",
        Kind::Sdist => "source distribution",
        Kind::Egg => "egg",
        _ => "installer",
    }
}
