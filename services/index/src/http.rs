//! What is served over HTTP. One endpoint, one file; here is which path is whose.
//!
//! Every index has the paths under its name, and `main` has them at the top as well. Links between pages are relative,
//! so that a proxy in front may put the whole under a path of its own. Whether somebody may do something is asked in
//! `access`, by each endpoint, before anything else.

mod file;
mod find_links;
mod legacy;
mod simple;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::response::Redirect;
use axum::routing::{get, post};

use crate::access::Access;
use crate::catalog::Catalog;
use crate::config::IndexName;
use crate::upload::Store;

/// What endpoints share.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) access: Access,
    /// Where uploads go, by index.
    pub(crate) stores: BTreeMap<IndexName, Store>,
    /// Bytes of the largest file that is taken.
    pub(crate) max_file: u64,
    /// `Cache-Control` of pages that change.
    pub(crate) page_cache: &'static str,
}

/// All paths.
pub(crate) fn router(site: Arc<Site>) -> Router {
    Router::new()
        .route("/", get(async || Redirect::temporary("simple/")).post(legacy::upload))
        .route("/simple/", get(simple::list).post(simple::not_here))
        .route("/simple/{project}/", get(simple::project).post(simple::not_here))
        .route("/find-links/", get(find_links::page))
        // where the seed's users have their `find_links`
        .route("/pypi/", get(find_links::page).post(legacy::upload))
        .route("/legacy", post(legacy::elsewhere))
        .route("/legacy/", post(legacy::upload).get(legacy::only_post))
        .route("/{index}/simple/", get(simple::list_of).post(simple::not_here))
        .route("/{index}/simple/{project}/", get(simple::project_of).post(simple::not_here))
        .route("/{index}/find-links/", get(find_links::page_of))
        .route("/{index}/", post(legacy::upload_in))
        .route("/{index}/legacy", post(legacy::elsewhere))
        .route("/{index}/legacy/", post(legacy::upload_in).get(legacy::only_post))
        .route("/files/{one}/{two}/{digest}/{filename}", get(file::file))
        .with_state(site)
}
