//! The plug-in itself: what it binds, opens, runs and can do besides. The work is in the other modules; here they are
//! put together.

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use opsctl_auth::Auth;
use opsctl_host::{Context, Listen, Service, Troubles, VerbContext};
use opsctl_http::{Limits, Proxy};

use crate::access::Access;
use crate::changes::Changes;
use crate::config::Config;
use crate::folder::Keeper;
use crate::follow::Follower;
use crate::http::{self, Site};
use crate::open::{Opened, Opening, bucket, open};
use crate::options::Options;
use crate::records::MIGRATIONS;
use crate::roots;
use crate::upload::{Sweeper, recover};
use crate::verbs::{self, Verbs};

/// How long a start waits for the first look at the folders; a large one that was never read goes on in the background.
const FIRST_LOOK: Duration = Duration::from_secs(5);

/// The package index.
#[derive(Debug)]
pub struct Index {
    site: Arc<Site>,
    auth: Auth,
    /// Whose word about clients is believed.
    proxies: Vec<Proxy>,
    /// Until it runs.
    tasks: Mutex<Tasks>,
}

/// What runs beside the server.
#[derive(Debug, Default)]
struct Tasks {
    keepers: Vec<Keeper>,
    sweeper: Option<(Sweeper, Troubles)>,
    follower: Option<(Follower, Troubles)>,
}

impl Service for Index {
    const NAME: &'static str = "index";
    const ABOUT: &'static str = "Private Python package index for pip, uv, poetry, twine and easy_install";
    type Config = Config;
    type Options = Options;
    type Verbs = Verbs;

    fn listeners(config: &Config) -> Vec<Listen> {
        config.listen.iter().map(|endpoint| Listen::new("index", endpoint.clone())).collect()
    }

    async fn open(config: Config, cx: Context) -> anyhow::Result<Index> {
        let Config {
            listen: _, // the host has bound these
            root,
            rescan,
            page_age,
            max_file,
            anonymous,
            url,
            proxies,
            indexes,
        } = config;
        let access = Access::new(anonymous);
        let auth = cx.auth().await?;
        let database = cx.database(&MIGRATIONS).await?;
        let location = cx.location()?;
        let bucket = bucket(&location, || cx.blobs()).await?;
        if bucket.is_some() {
            tracing::info!(store = %location.store(), "the files are in the bucket: dropping them into a folder is off");
        }
        let (max_file, data_dir) = (max_file.bytes(), cx.data_dir()?);
        let opened = open(Opening { root, indexes, max_file, data_dir, database, bucket }).await?;
        let Opened { catalog, routes, origins, stores, last, .. } = opened;
        let troubles = Troubles::new(cx.health().clone());
        let mut keepers = Vec::new();
        for store in stores.values() {
            recover(store).await.context("failed to recover uploads that were cut off")?;
            let Some(kept) = store.kept(rescan.get()) else { continue };
            roots::note(data_dir, &kept.index, &kept.root)?;
            let mut keeper = Keeper::open(kept, Arc::clone(&catalog), troubles.clone()).await?;
            if let Ok(looked) = tokio::time::timeout(FIRST_LOOK, keeper.look_at_all()).await {
                looked?;
            }
            keepers.push(keeper);
        }
        let page_cache = page_cache(page_age.get());
        let spawn = Arc::new(move |task| cx.spawn_connection(task));
        let sweeper = Some((Sweeper::new(Arc::clone(&stores)), troubles.clone()));
        let follower = Some((Follower::new(last, Arc::clone(&catalog), Arc::clone(&origins)), troubles));
        let changes = Changes::new(Arc::clone(&catalog), origins, Arc::clone(&stores));
        let pages = http::pages::pages();
        let public = url.map(|url| url.get().as_str().trim_end_matches('/').into());
        let site = Site { public, catalog, routes, access, stores, changes, max_file, pages, page_cache, spawn };
        Ok(Index { site: Arc::new(site), auth, proxies, tasks: Mutex::new(Tasks { keepers, sweeper, follower }) })
    }

    async fn run(self: Arc<Self>, cx: Context) -> anyhow::Result<()> {
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        let Tasks { keepers, sweeper, follower } = tasks;
        for keeper in keepers {
            cx.spawn("folder", keeper.run(cx.clone()));
        }
        if let Some((sweeper, troubles)) = sweeper {
            cx.spawn("sweep", sweeper.run(cx.clone(), troubles));
        }
        if let Some((follower, troubles)) = follower {
            cx.spawn("follow", follower.run(cx.clone(), troubles));
        }
        let accounts = self.auth.router(&self.site.pages, self.auth.trail());
        let router = self.auth.around(http::router(Arc::clone(&self.site)).merge(accounts));
        let site =
            opsctl_http::Site::new(router).error_page(self.site.pages.error_page()).proxies(self.proxies.clone());
        cx.serve_http("index", site, Limits::default())?;
        cx.stopping().await;
        Ok(())
    }

    fn verb(verb: Verbs, config: Config, cx: VerbContext) -> anyhow::Result<ExitCode> {
        verbs::run(verb, config, &cx)
    }
}

/// `Cache-Control` of pages. There is one for the life of the program.
fn page_cache(age: Duration) -> &'static str {
    match age.as_secs() {
        0 => "max-age=0, must-revalidate",
        seconds => Box::leak(format!("max-age={seconds}, public").into_boxed_str()),
    }
}
