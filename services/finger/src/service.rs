//! The plug-in itself: what it binds, opens, runs and can do besides. The work is in the other modules; here they are
//! put together.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;
use opsctl_config::{ConfigPath, Many, Secret};
use opsctl_host::{Context, Listen, Service, Troubles, VerbContext};
use opsctl_http::{Limits, Listener, Spawner};
use opsctl_web::Pages;
use tokio::sync::Semaphore;

use crate::audit::Audit;
use crate::check::check;
use crate::config::Config;
use crate::directory::Directory;
use crate::irc::{self, Bot};
use crate::options::{Options, Verbs};
use crate::policy::{Field, Policy};
use crate::site::Site;
use crate::{pb, server, watch, web};

/// Seconds for which the kernel keeps a connection back until its query is there, too.
const DEFER: u32 = 1;

/// The finger service.
#[derive(Debug)]
pub struct Finger {
    site: Arc<Site>,
    pages: Pages,
    bot: Option<Arc<Bot>>,
    max_connections: usize,
}

impl Service for Finger {
    const NAME: &'static str = "finger";
    const ABOUT: &'static str = "Finger server: who is who, and what are they up to";
    type Config = Config;
    type Options = Options;
    type Verbs = Verbs;

    fn listeners(config: &Config) -> Vec<Listen> {
        let finger = config.listen.iter().map(|endpoint| Listen::new("finger", endpoint.clone()).defer(DEFER));
        let web = config.web.iter().map(|endpoint| Listen::new("web", endpoint.clone()));
        let https = config.https.iter().filter(|_| config.ssl).map(|endpoint| Listen::new("https", endpoint.clone()));
        let pb = config.pbport.iter().map(|endpoint| Listen::new("pb", endpoint.clone()));
        finger.chain(web).chain(https).chain(pb).collect()
    }

    async fn open(config: Config, cx: Context) -> anyhow::Result<Finger> {
        let finger = tokio::task::spawn_blocking(move || Finger::new(config)).await??;
        cx.metrics(|registry| finger.site.audit.register(registry));
        Ok(finger)
    }

    async fn run(self: Arc<Self>, cx: Context) -> anyhow::Result<()> {
        let troubles = Troubles::new(cx.health().clone());
        cx.spawn("watch", watch::run(Arc::clone(&self.site), troubles.clone(), cx.clone()));
        let room = Arc::new(Semaphore::new(self.max_connections));
        for listener in cx.listeners("finger")? {
            cx.spawn("finger", server::serve(Arc::clone(&self.site), Arc::clone(&room), listener, cx.clone()));
        }
        let room = Arc::new(Semaphore::new(self.max_connections));
        for listener in cx.listeners("pb")? {
            cx.spawn("pb", pb::serve(Arc::clone(&self.site), Arc::clone(&room), listener, cx.clone()));
        }
        let listeners: Vec<Listener> = cx.listeners("web")?.into_iter().chain(cx.listeners("https")?).collect();
        if !listeners.is_empty() {
            cx.spawn("web", self.web(listeners, cx.clone()));
        }
        if let Some(bot) = &self.bot {
            cx.spawn("irc", irc::run(Arc::clone(bot), Arc::clone(&self.site), troubles, cx.clone()));
        }
        cx.stopping().await;
        Ok(())
    }

    fn verb(verb: Verbs, config: Config, _cx: VerbContext) -> anyhow::Result<ExitCode> {
        match verb {
            Verbs::Check => Ok(check(config, std::io::stdout(), std::io::stderr())?),
        }
    }
}

impl Finger {
    /// Reads users and templates.
    fn new(config: Config) -> anyhow::Result<Finger> {
        let Config {
            listen: _, // the host has bound these
            web: _,
            ssl: _,
            https: _,
            pbport: _,
            file,
            templates,
            ircserver,
            ircnick: nick,
            ircpassword,
            ircpassword_file,
            list,
            detail: Many(mut detail),
            plans,
            forward: Many(forward),
            forward_hops,
            timeout,
            max_connections,
        } = config;
        let pages = web::pages(templates);
        let faults = web::faults(&pages);
        if !faults.is_empty() {
            bail!("bad templates\n{}", faults.join("\n"));
        }
        if plans.is_none() {
            detail.retain(|field| *field != Field::Plan);
        }
        let password = Secret::load(ircpassword, ircpassword_file)?;
        let bot = ircserver.map(|server| Arc::new(Bot { server, nick, password }));
        let site = Arc::new(Site {
            directory: Directory::open(file.into())?,
            policy: Policy { list, detail, forward, hops: forward_hops.into() },
            plans: plans.map(ConfigPath::into_path_buf),
            timeout: timeout.get(),
            audit: Audit::default(),
        });
        Ok(Finger { site, pages, bot, max_connections: usize::try_from(max_connections.get())? })
    }

    fn web(&self, listeners: Vec<Listener>, cx: Context) -> impl Future<Output = anyhow::Result<()>> + use<> {
        let site = opsctl_http::Site::new(web::router(Arc::clone(&self.site), self.pages.clone()));
        let site = site.error_page(self.pages.error_page());
        let limits = Limits { max_connections: self.max_connections, ..Limits::default() };
        let spawn = cx.clone();
        let spawn: Spawner = Arc::new(move |task| spawn.spawn_connection(task));
        async move { Ok(opsctl_http::serve(listeners, site, limits, spawn, cx.stopping()).await?) }
    }
}
