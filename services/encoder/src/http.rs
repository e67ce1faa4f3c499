//! What is served over HTTP: the API, which browsers see as pages, and what is made of uploads. One endpoint, one file.
//!
//! `/api/v1/…` is the account of whoever asks, `/api/v1/accounts/NAME/…` any account that they have rights in. Whether
//! somebody may do something is asked by each endpoint before anything else. It takes a right of one's own: what everybody
//! may elsewhere is nothing here.

mod account;
mod captions;
mod deliver;
mod edit;
mod here;
mod item;
mod jobs;
mod list;
mod openapi;
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
use axum::routing::{MethodRouter, get, post, put};
use opsctl_auth::{Action, Identity, Object};
use opsctl_http::HttpError;
use opsctl_store::Blobs;
use opsctl_web::{Link, Pages};

pub(crate) use self::deliver::router as files;
use self::here::{Asked, OWN};
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
const JOB: &str = "encoder/job.html";
const JOBS: &str = "encoder/jobs.html";
const ASSETS: &str = "encoder/assets.html";
const ACCOUNT: &str = "encoder/account.html";

/// All templates.
pub(crate) fn pages() -> Pages {
    Pages::new()
        .service("encoder")
        .nav([
            Link::new("/api/v1/media", "Library"),
            Link::new("/api/v1/jobs", "Jobs"),
            Link::new("/api/v1/account", "Account"),
        ])
        .add("encoder/parts.html", include_str!("../templates/parts.html"))
        .add(LIST, include_str!("../templates/list.html"))
        .add(ITEM, include_str!("../templates/item.html"))
        .add(JOB, include_str!("../templates/job.html"))
        .add(JOBS, include_str!("../templates/jobs.html"))
        .add(ASSETS, include_str!("../templates/assets.html"))
        .add(ACCOUNT, include_str!("../templates/account.html"))
}

/// All paths but those of [`files`].
pub(crate) fn router(site: Arc<Site>) -> Router {
    let mut router = Router::new()
        .route("/", get(async || Redirect::temporary("/api/v1/media")))
        .route("/openapi.json", get(openapi::page));
    for top in [OWN, OF_ACCOUNT] {
        for (path, methods) in of_account() {
            router = router.route(&format!("{top}{path}"), methods);
        }
    }
    router.with_state(site).merge(opsctl_web::assets())
}

/// Before the paths of any account.
const OF_ACCOUNT: &str = "/api/v1/accounts/{account}";

/// The paths that each account has. What is added here is described in `openapi`.
fn of_account() -> Vec<(&'static str, MethodRouter<Arc<Site>>)> {
    let item = get(item::item).put(upload::body).patch(edit::change).delete(edit::delete);
    let mut paths = vec![
        ("/account", get(account::account)),
        ("/media", get(list::list).post(upload::form)),
        ("/media/{id}", item.layer(DefaultBodyLimit::disable())),
        ("/media/{id}/delete", get(edit::question)),
        ("/media/{id}/published", put(edit::publish).delete(edit::unpublish)),
        ("/media/{id}/source", get(source::source)),
        ("/media/{id}/sign", post(sign::sign)),
        ("/media/{id}/assets", get(item::assets)),
        ("/media/{id}/assets/{asset}", get(item::asset)),
        ("/media/{id}/job", get(jobs::of_item).post(jobs::again).delete(jobs::cancel)),
        ("/media/{id}/captions/{language}", get(captions::get).put(captions::put).delete(captions::delete)),
        ("/jobs", get(jobs::list)),
    ];
    paths.extend(tus::paths());
    paths
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
