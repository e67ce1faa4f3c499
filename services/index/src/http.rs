//! What is served over HTTP. One endpoint, one file; here is which path is whose.
//!
//! Every index has the paths under its name, and `main` has them at the top as well. Links between pages are relative,
//! so that a proxy in front may put the whole under a path of its own. Whether somebody may do something is asked in
//! `access`, by each endpoint, before anything else.

mod file;
mod find_links;
mod simple;

use std::sync::Arc;

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;

use crate::access::Access;
use crate::catalog::Catalog;

/// What endpoints share.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) access: Access,
    /// `Cache-Control` of pages that change.
    pub(crate) page_cache: &'static str,
}

/// All paths.
pub(crate) fn router(site: Arc<Site>) -> Router {
    Router::new()
        .route("/", get(async || Redirect::temporary("simple/")))
        .route("/simple/", get(simple::list).post(simple::not_here))
        .route("/simple/{project}/", get(simple::project).post(simple::not_here))
        .route("/find-links/", get(find_links::page))
        // where the seed's users have their `find_links`
        .route("/pypi/", get(find_links::page))
        .route("/{index}/simple/", get(simple::list_of).post(simple::not_here))
        .route("/{index}/simple/{project}/", get(simple::project_of).post(simple::not_here))
        .route("/{index}/find-links/", get(find_links::page_of))
        .route("/files/{one}/{two}/{digest}/{filename}", get(file::file))
        .with_state(site)
}
