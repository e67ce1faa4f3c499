//! The plug-in itself: what it binds, opens, runs and can do besides. The work is in the other modules; here they are
//! put together.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use opsctl_auth::Auth;
use opsctl_host::{Context, Listen, Service, Troubles, VerbContext};
use opsctl_http::{AccessLog, Limits as HttpLimits, Proxy};
use tokio_util::sync::CancellationToken;

use crate::accounts::Accounts;
use crate::config::Config;
use crate::delivery::{Caching, Keys, Purger, Remaker, Shelf};
use crate::hooks::Hooks;
use crate::http::{self, Site};
use crate::ingest::Ingest;
use crate::options::Options;
use crate::queue::Queue;
use crate::records::{MIGRATIONS, Records};
use crate::uploads::Uploads;
use crate::verbs::{self, Verbs};

/// The video web service.
#[derive(Debug)]
pub struct Encoder {
    site: Arc<Site>,
    auth: Auth,
    queue: Arc<Queue>,
    hooks: Arc<Hooks>,
    /// Jobs at a time.
    slots: u32,
    access_log: Option<AccessLog>,
    proxies: Vec<Proxy>,
    purger: Option<Arc<Purger>>,
}

impl Service for Encoder {
    const NAME: &'static str = "encoder";
    const ABOUT: &'static str = "Video web service: upload, transcode, deliver what every browser plays";
    type Config = Config;
    type Options = Options;
    type Verbs = Verbs;

    fn listeners(config: &Config) -> Vec<Listen> {
        config.listen.iter().map(|endpoint| Listen::new("encoder", endpoint.clone())).collect()
    }

    async fn open(config: Config, cx: Context) -> anyhow::Result<Encoder> {
        let accounts = Arc::new(Accounts::new(&config)?);
        let auth = cx.auth().await?;
        let records = Records::new(cx.database(&MIGRATIONS).await?).purging(config.purge.is_some());
        let blobs = cx.blobs().await?;
        let keys = Keys::load(&config.url_keys).context("failed to read the keys that addresses are signed with")?;
        let signed = config.accounts.iter().find(|(_, account)| account.signed && keys.is_empty());
        anyhow::ensure!(signed.is_none(), "an account is `signed`, but there are no `url_keys`");
        let log = config.access_log.as_deref().map(AccessLog::file).transpose();
        let access_log = log.context("failed to open the access log")?;
        let folder = cx.data_dir()?.join("work");
        let queue = Queue::open(records.clone(), blobs.clone(), &folder, &config, &cx.location()?).await?;
        let hooks = Arc::new(Hooks::new(records.clone(), &config)?);
        let ingest = Ingest::new(records.clone(), blobs.clone(), Arc::clone(&accounts));
        let (folder, rest) = (cx.data_dir()?.join("uploads"), config.upload_rest.get());
        let uploads = Uploads::open(records.clone(), blobs.clone(), ingest.clone(), folder, rest).await;
        let purger = config.purge.as_ref().map(|url| {
            let host = config.purge_host.as_ref().map(|host| host.0.clone());
            Purger::new(records.clone(), &url.0, host, &config.purge_method.0)
        });
        let purger = purger.transpose().context("failed to set up the telling of a cache")?.map(Arc::new);
        let site = Site {
            ingest,
            uploads: Arc::new(uploads.context("failed to open the folder of uploads that come in pieces")?),
            shelf: Arc::new(Shelf::new(records.clone())),
            remaker: Remaker::new(),
            records,
            blobs,
            accounts,
            pages: http::pages(),
            caching: Caching::new(config.cache.get(), config.cache_shared.map(opsctl_config::Duration::get)),
            keys,
            accel: config.accel,
        };
        let slots = config.jobs.unwrap_or_else(slots);
        let proxies = config.trusted_proxies.0;
        let queue = Arc::new(queue);
        Ok(Encoder { site: Arc::new(site), auth, queue, hooks, slots, access_log, proxies, purger })
    }

    async fn run(self: Arc<Self>, cx: Context) -> anyhow::Result<()> {
        let troubles = Troubles::new(cx.health().clone());
        let stop = CancellationToken::new();
        let (queue, stopped) = (Arc::clone(&self.queue).run(self.slots, stop.clone(), troubles.clone()), cx.clone());
        cx.spawn("uploads", Arc::clone(&self.site.uploads).run(cx.clone(), troubles.clone()));
        cx.spawn("hooks", Arc::clone(&self.hooks).run(cx.clone(), troubles.clone()));
        cx.spawn("queue", async move {
            tokio::join!(queue, async move {
                stopped.stopping().await;
                stop.cancel();
            });
            Ok(())
        });
        if let Some(purger) = &self.purger {
            cx.spawn("purges", Arc::clone(purger).run(cx.clone(), troubles));
        }
        cx.spawn("shelf", Arc::clone(&self.site.shelf).follow(cx.clone()));
        let trail = self.auth.trail().with("encoder", self.site.records.database().clone());
        let accounts = self.auth.router(&self.site.pages, trail);
        let router = self.auth.around(http::router(Arc::clone(&self.site)).merge(accounts));
        let router = router.merge(http::files(Arc::clone(&self.site), self.auth.clone()));
        let mut site =
            opsctl_http::Site::new(router).error_page(self.site.pages.error_page()).proxies(self.proxies.clone());
        if let Some(log) = &self.access_log {
            site = site.access_log(log.clone());
        }
        cx.serve_http("encoder", site, HttpLimits::default())?;
        cx.stopping().await;
        Ok(())
    }

    fn verb(verb: Verbs, config: Config, cx: VerbContext) -> anyhow::Result<ExitCode> {
        verbs::run(verb, config, &cx)
    }
}

/// One job uses two processors well: an encoder has threads of its own.
pub(crate) fn slots() -> u32 {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    u32::try_from(cores / 2).unwrap_or(1).max(1)
}
