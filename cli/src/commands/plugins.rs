//! `opsctl plugins`: the table, and what is on `PATH`.

use std::io::Write;
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;

use crate::plugins::shown;
use crate::{environment, external};

pub(crate) fn args(command: Command) -> Command {
    command.arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("As JSON"))
}

pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let found = external::list(environment::path().as_deref());
    let mut out = std::io::stdout().lock();
    if matches.get_flag("json") {
        let built_in = shown().map(|p| json!({"name": p.name, "kind": p.kind.word(), "about": p.about}));
        let outside = found.iter().map(|f| json!({"name": f.name, "kind": "external", "path": f.path}));
        let all: Vec<_> = built_in.chain(outside).collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&all)?)?;
    } else {
        for plugin in shown() {
            writeln!(out, "{:12} {:9} {}", plugin.name, plugin.kind.word(), plugin.about)?;
        }
        for found in found {
            writeln!(out, "{:12} {:9} {}", found.name, "external", found.path.display())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
