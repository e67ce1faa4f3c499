//! What `opsctl user` and `opsctl token` have in common: the user base, opened as a service would open it, whether or not
//! one runs at the same time.

pub(super) mod password;
pub(super) mod table;

use clap::ArgMatches;
use opsctl_auth::{Auth, Author};
use opsctl_host::{Mode, VerbContext};

use crate::args::Settings;
use crate::environment;

/// The user base, and who works on it.
pub(super) struct Accounts {
    pub(super) cx: VerbContext,
    pub(super) auth: Auth,
    pub(super) by: Author,
}

impl Accounts {
    /// Opens the user base that the configuration names.
    pub(super) fn open(matches: &ArgMatches) -> anyhow::Result<Self> {
        let plan = super::config::plan(&Settings::new(matches, None), Mode::Enabled)?;
        let cx = VerbContext::for_host(&plan, &environment::host());
        let auth = cx.block_on(cx.auth(&plan.auth))?;
        Ok(Self { by: cx.author(), cx, auth })
    }

    /// Runs what asks the database.
    pub(super) fn run<T>(&self, task: impl Future<Output = Result<T, opsctl_auth::Error>>) -> anyhow::Result<T> {
        self.cx.block_on(async { Ok(task.await?) })
    }
}
