//! The plug-in itself: what it binds, opens, runs and can do besides. The work is in the other modules; here they are
//! put together.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use opsctl_auth::Auth;
use opsctl_host::{Context, Listen, Service, Troubles, VerbContext};
use opsctl_http::Limits as HttpLimits;
use tokio_util::sync::CancellationToken;

use crate::accounts::Accounts;
use crate::config::Config;
use crate::delivery::Shelf;
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
    /// Jobs at a time.
    slots: u32,
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
        let records = Records::new(cx.database(&MIGRATIONS).await?);
        let blobs = cx.blobs().await?;
        let folder = cx.data_dir()?.join("work");
        let queue = Queue::open(records.clone(), blobs.clone(), &folder, &config).await?;
        let ingest = Ingest::new(records.clone(), blobs.clone(), Arc::clone(&accounts));
        let (folder, rest) = (cx.data_dir()?.join("uploads"), config.upload_rest.get());
        let uploads = Uploads::open(records.clone(), blobs.clone(), ingest.clone(), folder, rest).await;
        let site = Site {
            ingest,
            uploads: Arc::new(uploads.context("failed to open the folder of uploads that come in pieces")?),
            shelf: Arc::new(Shelf::new(records.clone())),
            records,
            blobs,
            accounts,
            pages: http::pages(),
            cache: cache_control(config.cache.get()),
        };
        let slots = config.jobs.unwrap_or_else(slots);
        Ok(Encoder { site: Arc::new(site), auth, queue: Arc::new(queue), slots })
    }

    async fn run(self: Arc<Self>, cx: Context) -> anyhow::Result<()> {
        let troubles = Troubles::new(cx.health().clone());
        let stop = CancellationToken::new();
        let (queue, stopped) = (Arc::clone(&self.queue).run(self.slots, stop.clone(), troubles.clone()), cx.clone());
        cx.spawn("uploads", Arc::clone(&self.site.uploads).run(cx.clone(), troubles));
        cx.spawn("queue", async move {
            tokio::join!(queue, async move {
                stopped.stopping().await;
                stop.cancel();
            });
            Ok(())
        });
        cx.spawn("shelf", Arc::clone(&self.site.shelf).follow(cx.clone()));
        let trail = self.auth.trail().with("encoder", self.site.records.database().clone());
        let accounts = self.auth.router(&self.site.pages, trail);
        let router = self.auth.around(http::router(Arc::clone(&self.site)).merge(accounts));
        let site = opsctl_http::Site::new(router).error_page(self.site.pages.error_page());
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

/// `Cache-Control` of what is published. There is one for the life of the program.
fn cache_control(age: Duration) -> &'static str {
    match age.as_secs() {
        0 => "public, no-cache",
        seconds => Box::leak(format!("public, max-age={seconds}").into_boxed_str()),
    }
}
