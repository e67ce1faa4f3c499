//! The style sheet, the script and the icon, under addresses that change with their content, so that browsers keep them for
//! ever. They are compressed once.

use std::sync::LazyLock;

use axum::Router;
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderValue, Method};
use opsctl_http::{Entity, Rendered};

const FOR_EVER: &str = "public, max-age=31536000, immutable";

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
    static DOCUMENTS: LazyLock<[Rendered; 3]> = LazyLock::new(|| {
        [("text/css; charset=utf-8", STYLE), ("text/javascript; charset=utf-8", SCRIPT), ("image/svg+xml", ICON)].map(
            |(kind, text)| {
                let entity = Entity::new(HeaderValue::from_static(kind)).cache_control(FOR_EVER);
                let entity = entity.header(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
                Rendered::compressed(entity, text)
            },
        )
    });
    let asset = |which: fn(&[Rendered; 3]) -> &Rendered| {
        get(async move |method: Method, headers: HeaderMap| which(&DOCUMENTS).respond(&method, &headers))
    };
    let icon = async || ([(CONTENT_TYPE, "image/svg+xml"), (CACHE_CONTROL, "max-age=86400")], ICON);
    Router::new()
        .route(&STYLE_PATH, asset(|[style, _, _]| style))
        .route(&SCRIPT_PATH, asset(|[_, script, _]| script))
        .route(&ICON_PATH, asset(|[_, _, icon]| icon))
        .route("/favicon.ico", get(icon))
}

/// FNV-1a, 64 bits: it only has to differ from the hash of the last release's file.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
