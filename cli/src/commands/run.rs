//! `opsctl run` and `opsctl SERVICE`: hand everything to the host.

use std::process::ExitCode;

use clap::ArgMatches;
use opsctl_host::{AnyService, Mode, Program};

use crate::args::Settings;
use crate::environment;
use crate::plugins::PLUGINS;

/// Serves until it is told to stop.
pub(crate) fn run(settings: Settings, mode: Mode) -> ExitCode {
    let program = Program {
        plugins: PLUGINS,
        mode,
        sources: Box::new(move || settings.sources()),
        environment: environment::host(),
    };
    match opsctl_host::serve(program) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprint!("{error}");
            ExitCode::from(error.code())
        }
    }
}

/// Does a service's verb.
pub(crate) fn verb(service: &dyn AnyService, name: &'static str, settings: Settings, matches: &ArgMatches) -> ExitCode {
    let done = || {
        let plan = super::config::plan(&settings, Mode::Only(name))?;
        service.verb(matches, &plan, &environment::host())
    };
    crate::finish(done())
}
