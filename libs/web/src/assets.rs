//! The style sheet, the script and the icon, under addresses that change with their content, so that browsers keep them for ever.

use std::sync::LazyLock;

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
const ICON: &str = include_str!("icon.svg");

/// The path of the style sheet.
pub(crate) static STYLE_PATH: LazyLock<String> = LazyLock::new(|| format!("/_/style-{:016x}.css", hash(STYLE)));
/// The path of the script.
pub(crate) static SCRIPT_PATH: LazyLock<String> = LazyLock::new(|| format!("/_/script-{:016x}.js", hash(SCRIPT)));
/// The path of the icon.
pub(crate) static ICON_PATH: LazyLock<String> = LazyLock::new(|| format!("/_/icon-{:016x}.svg", hash(ICON)));

/// Serves what the shell refers to, under `/_/`, and the icon that browsers ask for by themselves where an answer is no
/// page, `/favicon.ico`. To be merged into the router of every service with pages.
pub fn assets<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route(&STYLE_PATH, get(async || asset("text/css; charset=utf-8", STYLE)))
        .route(&SCRIPT_PATH, get(async || asset("text/javascript; charset=utf-8", SCRIPT)))
        .route(&ICON_PATH, get(async || asset("image/svg+xml", ICON)))
        .route(
            "/favicon.ico",
            get(async || ([(CONTENT_TYPE, "image/svg+xml"), (CACHE_CONTROL, "max-age=86400")], ICON)),
        )
}

fn asset(kind: &'static str, body: &'static str) -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, body)
}

/// FNV-1a, 64 bits: it only has to differ from the hash of the last release's file.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
