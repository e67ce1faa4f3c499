//! The host's own service: the status page, health, metrics, and the control socket.
//!
//! It is a service like any other, first to start and last to stop. The status page is for everybody who can reach
//! `[host] listen` and changes nothing; orders come in by the control socket, whose file only its owner may open.

mod metrics;
mod page;

pub use page::duration;

use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use http::StatusCode;
use opsctl_http::Limits;
use opsctl_web::Pages;

use crate::plugin::{self, Plugin};
use crate::settings::HostSettings;
use crate::shared::Shared;
use crate::{Context, Listen, NoOptions, NoVerbs, Service};

/// Listener of the status page.
pub(crate) const STATUS: &str = "status";
/// Listener of the control socket.
pub(crate) const CONTROL: &str = "control";
/// The host's line in the table.
pub(crate) const PLUGIN: Plugin = plugin::service::<Admin>();

/// The service.
pub(crate) struct Admin {
    pages: Pages,
}

/// What the handlers need.
#[derive(Clone)]
struct Site {
    host: Arc<Shared>,
    pages: Pages,
}

impl Service for Admin {
    const NAME: &'static str = "host";
    const ABOUT: &'static str = "Status page and control socket";
    type Config = HostSettings;
    type Options = NoOptions;
    type Verbs = NoVerbs;

    fn listeners(_config: &HostSettings) -> Vec<Listen> {
        // they depend on how the program runs: see `Plan::add_admin`
        Vec::new()
    }

    async fn open(_config: HostSettings, _cx: Context) -> anyhow::Result<Self> {
        Ok(Self { pages: page::pages() })
    }

    async fn run(self: Arc<Self>, cx: Context) -> anyhow::Result<()> {
        let site = Site { host: Arc::clone(cx.host()), pages: self.pages.clone() };
        let public = Router::new()
            .route("/", get(page::show))
            .route("/healthz", get(async |State(site): State<Site>| verdict(site.host.alive(), "failing\n")))
            .route("/readyz", get(async |State(site): State<Site>| verdict(site.host.ready(), "not ready\n")))
            .route("/metrics", get(metrics::show));
        let control = public.clone().route("/reload", post(reload));
        let public = public.merge(opsctl_web::assets().with_state(()));
        for (name, router) in [(STATUS, public), (CONTROL, control)] {
            let site = opsctl_http::Site::new(router.with_state(site.clone())).error_page(self.pages.error_page());
            cx.serve_http(name, site, Limits::default())?;
        }
        cx.stopping().await;
        Ok(())
    }

    fn verb(verb: NoVerbs, _config: HostSettings) -> anyhow::Result<ExitCode> {
        match verb {}
    }
}

fn verdict(well: bool, otherwise: &'static str) -> (StatusCode, &'static str) {
    if well { (StatusCode::OK, "ok\n") } else { (StatusCode::SERVICE_UNAVAILABLE, otherwise) }
}

async fn reload(State(site): State<Site>) -> (StatusCode, String) {
    match site.host.reload().await {
        Ok(changes) => (StatusCode::OK, changes),
        Err(reason) => (StatusCode::CONFLICT, reason),
    }
}
