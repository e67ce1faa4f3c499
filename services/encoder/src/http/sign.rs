//! `POST /media/<id>/sign`: addresses of results that are good for a while, for whom their owner gives them to.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use opsctl_auth::Action;
use opsctl_config::Duration;
use opsctl_http::HttpError;
use opsctl_web::Form;
use schemars::JsonSchema;
use serde::Serialize;

use super::Site;
use super::here::Asked;
use crate::clock::{SECOND, now};
use crate::error::Error;
use crate::records::Asset;

/// If the request says nothing of it.
const USUAL: u64 = 3600;
/// Ten years: whoever wants more wants no end.
const MOST: u64 = 10 * 366 * 86400;

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct SignedAssets {
    /// Seconds since 1970.
    expires: u64,
    assets: Vec<SignedAsset>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct SignedAsset {
    name: String,
    /// Of the file to begin with; what that one leads to is good with it.
    url: String,
}

/// The fields `expires`, a duration, and `asset`, for one result alone. Takes the right to publish.
pub(super) async fn sign(
    State(site): State<Arc<Site>>,
    asked: Asked,
    form: Form,
) -> Result<Json<SignedAssets>, HttpError> {
    let item = site.item(&asked, Action::Upload).await?;
    let expires = u64::try_from(now() / SECOND).unwrap_or(0) + lasting(form.value("expires"))?;
    let wanted = form.value("asset");
    let no_asset = || HttpError::not_found("there is no such asset").code("no-asset");
    let mut assets = Vec::new();
    for asset in site.records.assets(item.id).await.map_err(Error::from)? {
        if wanted.is_empty() || asset.name == wanted {
            let url = address(&site, &item.account, &item.name, &asset, expires).ok_or_else(no_keys)?;
            assets.push(SignedAsset { name: asset.name, url });
        }
    }
    if !wanted.is_empty() && assets.is_empty() {
        return Err(no_asset());
    }
    Ok(Json(SignedAssets { expires, assets }))
}

fn no_keys() -> HttpError {
    HttpError::new(StatusCode::CONFLICT, "this service has no keys to sign addresses with").code("no-keys")
}

/// How long, in seconds.
fn lasting(text: &str) -> Result<u64, HttpError> {
    if text.is_empty() {
        return Ok(USUAL);
    }
    let seconds = text.parse::<Duration>().ok().map(|duration| duration.get().as_secs());
    seconds
        .filter(|seconds| (1..=MOST).contains(seconds))
        .ok_or_else(|| HttpError::bad_request("`expires` is a duration such as `90s`, `1h` or `7d`").code("bad-option"))
}

/// The address of a result's first file; the signature of several files is that of their folder.
fn address(site: &Site, account: &str, name: &str, asset: &Asset, expires: u64) -> Option<String> {
    let first = asset.files.first().map_or("", |file| &file.path);
    let item = format!("/media/{account}/{}/{name}", asset.name);
    let signed = if first.starts_with('/') { format!("{item}/") } else { format!("{item}{first}") };
    Some(format!("{item}{first}?{}", site.keys.sign(&signed, expires)?))
}
