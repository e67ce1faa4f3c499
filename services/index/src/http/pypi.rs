//! `GET /pypi/<project>/json` and `…/<version>/json`: what the public index tells about a project, in its form.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header::{HeaderValue, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use opsctl_auth::Identity;
use opsctl_dist::simple::{CoreMetadata, File};
use opsctl_dist::{FileName, Level, Metadata, ProjectName, Version};
use opsctl_http::{Entity, HttpError, Rendered};
use serde_json::{Map, Value, json};

use super::about::{About, Here, is_yanked, metadata_of, yanked};
use super::file::NOSNIFF;
use super::{InIndex, Site};

pub(super) async fn json(
    State(site): State<Arc<Site>>,
    InIndex(index): InIndex,
    here: Here,
    Path(path): Path<HashMap<String, String>>,
    method: Method,
    headers: HeaderMap,
    identity: Identity,
) -> Result<Response, HttpError> {
    let reader = site.access.reader(&identity, &index)?;
    let part = |name: &str| path.get(name).map(String::as_str);
    let about = About::of(&site, &index, reader, part("project").unwrap_or_default()).await?;
    let release = part("version").map_or_else(|| about.newest(), |version| about.release(version));
    let (version, files) = release.ok_or_else(|| HttpError::not_found("there is no such release here"))?;
    let metadata = metadata_of(&site, &index, files).await?;
    let list = |files: &[File]| Value::Array(files.iter().map(|file| entry(&about.name, file, &here)).collect());
    let mut document = json!({
        "info": info(&about.name, version, files, &metadata, &here),
        "urls": list(files),
        "vulnerabilities": [],
    });
    // as there: only the whole project has all of its releases
    if part("version").is_none() {
        let releases = about.releases.iter().map(|(version, files)| (version.normalized(), list(files)));
        document["releases"] = Value::Object(releases.collect::<Map<_, _>>());
    }
    let entity = Entity::new(HeaderValue::from_static("application/json"))
        .cache_control(site.page_cache)
        .header(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    Ok(Rendered::new(entity, document.to_string()).respond(&method, &headers))
}

/// What the release says about itself.
fn info(name: &ProjectName, version: &Version, files: &[File], metadata: &Metadata, here: &Here) -> Value {
    let page = here.absolute(&format!("../../project/{}/", name.normalized()));
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let urls: Map<_, _> =
        metadata.project_urls.iter().map(|(label, url)| (label.clone(), Value::from(url.as_str()))).collect();
    let reasons = files.iter().filter_map(yanked).find(|reason| !reason.is_empty());
    let is_yanked = is_yanked(files);
    let requires_python = metadata.requires_python.clone();
    let requires_python = requires_python.or_else(|| files.iter().find_map(|file| file.requires_python.clone()));
    json!({
        "author": text(&metadata.author),
        "author_email": text(&metadata.author_email),
        "bugtrack_url": null,
        "classifiers": metadata.classifiers,
        "description": text(&metadata.description),
        "description_content_type": metadata.description_content_type,
        "docs_url": null,
        "download_url": text(&metadata.download_url),
        "downloads": {"last_day": -1, "last_month": -1, "last_week": -1},
        "dynamic": some(&metadata.dynamic),
        "home_page": text(&metadata.home_page),
        "keywords": metadata.keywords.join(","),
        "license": metadata.license,
        "license_expression": metadata.license_expression,
        "license_files": some(&metadata.license_files),
        "maintainer": text(&metadata.maintainer),
        "maintainer_email": text(&metadata.maintainer_email),
        "name": name.display(),
        "package_url": page,
        "platform": metadata.platforms.join(","),
        "project_url": page,
        "project_urls": (!urls.is_empty()).then_some(urls),
        "provides_extra": some(&metadata.provides_extra),
        "release_url": page,
        "requires_dist": some(&metadata.requires_dist),
        "requires_python": requires_python,
        "summary": text(&metadata.summary),
        "version": version.normalized(),
        "yanked": is_yanked,
        "yanked_reason": reasons.filter(|_| is_yanked),
    })
}

/// One file.
fn entry(name: &ProjectName, file: &File, here: &Here) -> Value {
    let parsed = FileName::parse(&file.filename, Some(name), Level::Lenient).ok();
    let digests: Map<_, _> =
        file.hashes.iter().map(|(algorithm, digest)| (algorithm.clone(), Value::from(digest.as_str()))).collect();
    let core_metadata = match &file.core_metadata {
        CoreMetadata::Unknown | CoreMetadata::Absent => Value::from(false),
        CoreMetadata::Present => Value::from(true),
        CoreMetadata::Hashes(hashes) => Value::Object(
            hashes.iter().map(|(algorithm, digest)| (algorithm.clone(), Value::from(digest.as_str()))).collect(),
        ),
    };
    let time = file.upload_time.map(|time| time.to_string());
    let python = parsed.as_ref().map(FileName::python).filter(|python| !python.is_empty());
    json!({
        "comment_text": null,
        "core-metadata": core_metadata,
        "digests": digests,
        "downloads": -1,
        "filename": file.filename,
        "has_sig": file.gpg_sig.unwrap_or(false),
        "md5_digest": file.hash("md5"),
        "packagetype": parsed.as_ref().map(|parsed| parsed.kind().filetype()),
        "python_version": python.unwrap_or("source"),
        "requires_python": file.requires_python,
        "size": file.size,
        "upload_time": time.as_deref().map(|time| time.get(..19).unwrap_or(time)),
        "upload_time_iso_8601": time,
        "url": here.absolute(&file.url),
        "yanked": yanked(file).is_some(),
        "yanked_reason": yanked(file).filter(|reason| !reason.is_empty()),
    })
}

/// None instead of an empty list.
fn some(texts: &[String]) -> Option<&[String]> {
    (!texts.is_empty()).then_some(texts)
}
