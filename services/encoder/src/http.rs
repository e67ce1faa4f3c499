//! What is served over HTTP: the API, which browsers see as pages, and what is made of uploads. One endpoint, one file.
//!
//! `/api/v1/…` is the account of whoever asks, `/api/v1/accounts/NAME/…` any account that they have rights in. Whether
//! somebody may do something is asked by each endpoint before anything else. It takes a right of one's own: what everybody
//! may elsewhere is nothing here.

mod deliver;
mod edit;
mod here;
mod item;
mod jobs;
mod list;
mod sign;
mod source;
mod tus;
mod upload;
mod view;

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::Redirect;
use axum::routing::{get, post, put};
use opsctl_auth::{Action, Identity, Object};
use opsctl_http::HttpError;
use opsctl_store::Blobs;
use opsctl_web::{Link, Pages};

pub(crate) use self::deliver::router as files;
use self::here::Asked;
use crate::accounts::Accounts;
use crate::config::AccelPrefix;
use crate::delivery::{Caching, Keys, Remaker, Shelf};
use crate::error::Error;
use crate::ingest::Ingest;
use crate::records::{Item, Records};
use crate::uploads::Uploads;

/// What endpoints share.
pub(crate) struct Site {
    pub(crate) records: Records,
    pub(crate) blobs: Blobs,
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) ingest: Ingest,
    pub(crate) uploads: Arc<Uploads>,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) remaker: Remaker,
    pub(crate) pages: Pages,
    pub(crate) caching: Caching,
    /// What addresses are signed with.
    pub(crate) keys: Keys,
    /// An nginx before this sends files itself.
    pub(crate) accel: Option<AccelPrefix>,
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site").field("accounts", &self.accounts).finish_non_exhaustive()
    }
}

const LIST: &str = "encoder/list.html";
const ITEM: &str = "encoder/item.html";
const JOBS: &str = "encoder/jobs.html";

/// All templates.
pub(crate) fn pages() -> Pages {
    Pages::new()
        .service("encoder")
        .nav([Link::new("/api/v1/media", "Library"), Link::new("/api/v1/jobs", "Jobs")])
        .add("encoder/parts.html", include_str!("../templates/parts.html"))
        .add(LIST, include_str!("../templates/list.html"))
        .add(ITEM, include_str!("../templates/item.html"))
        .add(JOBS, include_str!("../templates/jobs.html"))
}

/// All paths but those of [`files`].
pub(crate) fn router(site: Arc<Site>) -> Router {
    Router::new()
        .route("/", get(async || Redirect::temporary("/api/v1/media")))
        .merge(of_account("/api/v1"))
        .merge(of_account("/api/v1/accounts/{account}"))
        .with_state(site)
        .merge(opsctl_web::assets())
}

/// The paths that each account has.
fn of_account(top: &str) -> Router<Arc<Site>> {
    Router::new()
        .route(&format!("{top}/media"), get(list::list).post(upload::form))
        .route(
            &format!("{top}/media/{{id}}"),
            get(item::item)
                .put(upload::body)
                .patch(edit::change)
                .delete(edit::delete)
                .layer(DefaultBodyLimit::disable()),
        )
        .route(&format!("{top}/media/{{id}}/delete"), get(edit::question))
        .route(&format!("{top}/media/{{id}}/published"), put(edit::publish).delete(edit::unpublish))
        .route(&format!("{top}/media/{{id}}/source"), get(source::source))
        .route(&format!("{top}/media/{{id}}/sign"), post(sign::sign))
        .route(&format!("{top}/media/{{id}}/assets"), get(item::assets))
        .route(&format!("{top}/media/{{id}}/assets/{{asset}}"), get(item::asset))
        .route(&format!("{top}/media/{{id}}/job"), get(jobs::of_item).post(jobs::again).delete(jobs::cancel))
        .route(&format!("{top}/jobs"), get(jobs::list))
        .merge(tus::router(top))
}

/// The service, in objects of rights: the resource is the account, the name the item's.
const SERVICE: &str = "encoder";

impl Site {
    /// Whether they may do `action` to an item; to all of an account if `name` is empty.
    ///
    /// # Errors
    /// 401 if nobody has said who it is, 403 if that makes no difference.
    fn check(&self, identity: &Identity, action: Action, account: &str, name: &str) -> Result<(), HttpError> {
        Ok(identity.check(action, Object::new(SERVICE, account, name))?)
    }

    /// The item of a request, if they may do `action` to it.
    ///
    /// # Errors
    /// Those of [`Self::check`], and 404.
    async fn item(&self, asked: &Asked, action: Action) -> Result<Item, HttpError> {
        self.check(&asked.identity, action, &asked.here.account, &asked.name)?;
        let item = self.records.item(&asked.here.account, &asked.name).await.map_err(Error::from)?;
        Ok(item.ok_or(Error::NoItem)?)
    }
}
