//! The host's own service: the status page, health, metrics, and the control socket.
//!
//! It is a service like any other, first to start and last to stop. The status page is for everybody who can reach
//! `[host] listen` and changes nothing; orders come in by the control socket, whose file only its owner may open.

mod metrics;
mod page;
mod web;

use std::process::ExitCode;
use std::sync::Arc;

use opsctl_http::Limits;
use opsctl_web::Pages;

use crate::plugin::{self, Plugin};
use crate::settings::HostSettings;
use crate::{Context, Listen, NoOptions, NoVerbs, Service, VerbContext};

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
        let (status, control) = web::sites(cx.host(), &self.pages);
        cx.serve_http(STATUS, status, Limits::default())?;
        cx.serve_http(CONTROL, control, Limits::default())?;
        cx.stopping().await;
        Ok(())
    }

    fn verb(verb: NoVerbs, _config: HostSettings, _cx: VerbContext) -> anyhow::Result<ExitCode> {
        match verb {}
    }
}
