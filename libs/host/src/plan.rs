//! Gate 1, *read*: configuration text becomes a checked plan, or every fault there is. Touches nothing, so that
//! `opsctl config check` needs no privileges.

use std::path::Path;
use std::sync::Arc;

use opsctl_auth::{NAME as AUTH, Settings as AuthSettings};
use opsctl_config::{Document, Fault, Sources};
use opsctl_http::{Endpoint, Endpoints};

use crate::plugin::{AnyService, Kind, Plugin, ReadConfig};
use crate::settings::{Common, HostSettings, LogSettings, Restart};
use crate::{Listen, admin};

/// Tables that are not a service's.
const HOST_TABLES: &[&str] = &["host", "log", AUTH];

/// Which services to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Those that the configuration enables: `opsctl run`.
    Enabled,
    /// This one alone: `opsctl <service>`.
    Only(&'static str),
}

/// A checked configuration.
#[derive(Debug)]
pub struct Plan {
    /// The merged document.
    pub document: Arc<Document>,
    /// `[host]`.
    pub host: HostSettings,
    /// `[log]`.
    pub log: LogSettings,
    /// `[auth]`.
    pub auth: AuthSettings,
    /// What to run, in the order of the start.
    pub(crate) services: Vec<Planned>,
}

/// A service that shall run.
#[derive(Clone)]
pub(crate) struct Planned {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) common: Common,
    pub(crate) listens: Vec<Listen>,
    pub(crate) document: Arc<Document>,
    service: &'static dyn AnyService,
}

impl std::fmt::Debug for Planned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Planned").field("name", &self.name).field("listens", &self.listens).finish_non_exhaustive()
    }
}

impl Planned {
    /// Its table once more, to be opened.
    pub(crate) fn config(&self) -> anyhow::Result<Box<dyn ReadConfig>> {
        self.service.read(&self.document).map_err(|faults| anyhow::anyhow!("{}", crate::plugin::faults(&faults)))
    }

    /// Whether `other` is the same service with the same configuration.
    pub(crate) fn same(&self, other: &Self) -> bool {
        self.name == other.name
            && self.common == other.common
            && self.listens == other.listens
            && self.document.same(&other.document, self.name)
    }
}

/// Reads and checks everything.
///
/// # Errors
/// All faults, in all layers and tables.
pub fn read(sources: Sources, plugins: &[Plugin], mode: Mode) -> Result<Plan, Vec<Fault>> {
    let (document, mut faults) = sources.read();
    let document = Arc::new(document);
    let services = plugins.iter().filter_map(|plugin| match plugin.kind {
        Kind::Service(service) => Some((plugin, service)),
        Kind::Tool(_) => None,
    });
    let mut known = HOST_TABLES.to_vec();
    known.extend(services.clone().map(|(plugin, _)| plugin.name));
    faults.extend(document.unknown_tables(&known));

    let host = keep(document.table::<HostSettings>("host", &[]), &mut faults);
    let log = keep(document.table::<LogSettings>("log", &[]), &mut faults);
    let auth = keep(document.table::<AuthSettings>(AUTH, &[]), &mut faults);
    let mut planned = Vec::new();
    for (plugin, service) in services {
        let common = keep(document.part::<Common>(plugin.name), &mut faults);
        let config = keep(service.read(&document), &mut faults);
        let (Some(common), Some(config)) = (common, config) else { continue };
        let wanted = match mode {
            Mode::Enabled => common.enabled,
            Mode::Only(name) => plugin.name == name,
        };
        if wanted {
            let listens = config.listeners();
            let document = Arc::clone(&document);
            planned.push(Planned { name: plugin.name, about: plugin.about, common, listens, document, service });
        }
    }
    match (host, log, auth) {
        (Some(host), Some(log), Some(auth)) if faults.is_empty() => {
            Ok(Plan { document, host, log, auth, services: planned })
        }
        _ => Err(faults),
    }
}

impl Plan {
    /// Puts the host's own service in front, with the status page.
    pub(crate) fn add_admin(&mut self, mode: Mode) {
        let mut listens = Vec::new();
        if mode == Mode::Enabled || self.document.is_set("host.listen") {
            let Endpoints(endpoints) = &self.host.listen;
            listens.extend(endpoints.iter().cloned().map(|endpoint| Listen::new(admin::STATUS, endpoint)));
        }
        let Kind::Service(service) = admin::PLUGIN.kind else { return };
        let admin = Planned {
            name: admin::PLUGIN.name,
            about: admin::PLUGIN.about,
            common: Common { enabled: true, restart: Restart::Never, critical: true },
            listens,
            document: Arc::clone(&self.document),
            service,
        };
        self.services.insert(0, admin);
    }

    /// Adds the control socket at `path` to it.
    pub(crate) fn add_control(&mut self, path: Option<&Path>) {
        let control = path.map(|path| Listen::new(admin::CONTROL, Endpoint::unix(path, 0o600)));
        if let Some(admin) = self.services.first_mut() {
            admin.listens.extend(control);
        }
    }
}

fn keep<T>(result: Result<T, Vec<Fault>>, faults: &mut Vec<Fault>) -> Option<T> {
    result.map_err(|more| faults.extend(more)).ok()
}
