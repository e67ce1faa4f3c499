//! What is served over HTTP. One endpoint, one file; here is which path is whose.
//!
//! Every index has the paths under its name, and `main` has them at the top as well. Links between pages are relative,
//! so that a proxy in front may put the whole under a path of its own. Whether somebody may do something is asked in
//! `access`, by each endpoint, before anything else. What is sent to who has said who it is is for nobody else: caches
//! on the way must not keep it.

pub(crate) mod about;
mod api;
mod file;
mod find_links;
mod integrity;
mod legacy;
mod mirrored;
pub(crate) mod pages;
mod pypi;
mod rss;
mod search;
mod simple;
mod xml;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{DefaultBodyLimit, FromRequestParts, RawPathParams, Request};
use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn};
use axum::response::{Redirect, Response};
use axum::routing::{MethodRouter, get, post};
use opsctl_auth::Identity;
use opsctl_fetch::files::Task;
use opsctl_http::{Client, HttpError};
use opsctl_web::Pages;

use crate::access::Access;
use crate::catalog::Catalog;
use crate::changes::{By, Changes};
use crate::config::IndexName;
use crate::routes::Routes;
use crate::upload::Store;

/// What endpoints share.
pub(crate) struct Site {
    /// Where clients reach the index, without a slash at the end, if that is said.
    pub(crate) public: Option<Box<str>>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) routes: Routes,
    pub(crate) access: Access,
    /// Where uploads go, by index.
    pub(crate) stores: Arc<BTreeMap<IndexName, Store>>,
    /// What people change.
    pub(crate) changes: Changes,
    /// Bytes of the largest file that is taken.
    pub(crate) max_file: u64,
    /// The templates of what browsers are shown.
    pub(crate) pages: Pages,
    /// `Cache-Control` of pages that change.
    pub(crate) page_cache: &'static str,
    /// Runs a download beside the request that wants it.
    pub(crate) spawn: Arc<dyn Fn(Task) + Send + Sync>,
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site").field("access", &self.access).finish_non_exhaustive()
    }
}

impl Site {
    /// Where clients reach an index, if that is said and nobody can listen or change it on the way.
    fn secure_base(&self, index: &str) -> Option<String> {
        let public = self.public.as_deref()?;
        let host = public.strip_prefix("http://").map(|rest| rest.split(['/', ':']).next().unwrap_or_default());
        let is_secure = public.starts_with("https://") || matches!(host, Some("localhost" | "127.0.0.1"));
        let top = if *index == *IndexName::main() { String::new() } else { format!("/{index}") };
        is_secure.then(|| format!("{public}{top}"))
    }
}

/// All paths.
pub(crate) fn router(site: Arc<Site>) -> Router {
    Router::new()
        .route("/", get(pages::home).post(legacy::upload))
        // where the seed's users have their `find_links`
        // where `pip search` looks for it
        .route("/pypi", get(async || Redirect::temporary("pypi/")).merge(rpc()))
        .route("/pypi/", get(find_links::page).post(legacy::upload))
        .route("/{index}/", get(pages::home).post(legacy::upload))
        .merge(pages::of_all())
        .merge(api::router())
        .merge(of_index(""))
        .merge(of_index("/{index}"))
        .layer(from_fn(for_one))
        .with_state(site)
        .merge(opsctl_web::assets())
}

/// What everybody may have, everybody gets, also who says nothing; the rest depends on who asks.
async fn for_one(identity: Identity, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if !identity.is_anonymous()
        && let Some(value) = response.headers_mut().get_mut(CACHE_CONTROL)
        && let Some(private) = value.to_str().ok().and_then(private)
    {
        *value = private;
    }
    response
}

/// The same for one client's cache only; `None` if it says that already.
fn private(cache_control: &str) -> Option<HeaderValue> {
    let directives = || cache_control.split(',').map(str::trim);
    if directives().any(|directive| matches!(directive, "private" | "no-store")) {
        return None;
    }
    let rest = directives().filter(|directive| *directive != "public");
    HeaderValue::try_from(["private"].into_iter().chain(rest).collect::<Vec<_>>().join(", ")).ok()
}

/// The paths that each index has. Links within are relative to its own top.
fn of_index(top: &str) -> Router<Arc<Site>> {
    Router::new()
        .route(&format!("{top}/simple/"), get(simple::list).post(simple::not_here))
        .route(&format!("{top}/simple/{{project}}/"), get(simple::project).post(simple::not_here))
        .route(&format!("{top}/find-links/"), get(find_links::page))
        .route(&format!("{top}/legacy"), post(legacy::elsewhere))
        .route(&format!("{top}/legacy/"), post(legacy::upload).get(legacy::only_post))
        .route(&format!("{top}/pypi/{{project}}/json"), get(pypi::json))
        .route(&format!("{top}/pypi/{{project}}/{{version}}/json"), get(pypi::json))
        .route(&format!("{top}/integrity/{{project}}/{{version}}/{{file}}/provenance"), get(integrity::page))
        .route(&format!("{top}/search"), get(pages::found))
        .merge(pages::of_project(top))
        .merge(pages::of_keepers(top))
        .route(&format!("{top}/rss/packages.xml"), get(rss::packages))
        .route(&format!("{top}/rss/updates.xml"), get(rss::updates))
        .route(&format!("{top}/rss/project/{{project}}/releases.xml"), get(rss::project))
        .route(&format!("{top}/RPC2"), rpc())
        .route(&format!("{top}/files/{{one}}/{{two}}/{{digest}}/{{filename}}"), get(file::file))
}

fn rpc() -> MethodRouter<Arc<Site>> {
    post(search::rpc).layer(DefaultBodyLimit::max(search::REQUEST_MAX))
}

/// Who changes something, from where, now.
impl<S: Sync> FromRequestParts<S> for By {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<By, HttpError> {
        let identity = Identity::from_request_parts(parts, state).await?;
        let address = parts.extensions.get::<Client>().and_then(|client| client.address);
        let address = address.map(|address| address.to_string()).unwrap_or_default();
        Ok(By::now(&identity.actor(), &address))
    }
}

/// The index that a request's path names; `main` has the paths without a name as well.
pub(super) struct InIndex(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for InIndex {
    type Rejection = RawPathParamsRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<InIndex, RawPathParamsRejection> {
        let path = RawPathParams::from_request_parts(parts, state).await?;
        let name = path.iter().find(|(part, _)| *part == "index").map_or("main", |(_, name)| name);
        Ok(InIndex(name.to_owned()))
    }
}
