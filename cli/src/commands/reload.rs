//! `opsctl reload`: a running host takes its configuration on again; the exit code says whether it did.

use std::io::Write;
use std::process::ExitCode;

use clap::{ArgMatches, Args, Command};

use super::control;
use crate::args::ConfigOptions;

pub(crate) fn args(command: Command) -> Command {
    ConfigOptions::augment_args(command).after_help(
        "Exit code: 0 if the new configuration is in use, 1 if the old one still is; then the reason is printed.",
    )
}

pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    for socket in control::sockets(matches)? {
        let answer = control::ask(socket, "POST", "/reload")?;
        if answer.ok {
            writeln!(std::io::stdout().lock(), "{}", answer.body.trim_end())?;
        } else {
            eprintln!("{}", answer.body.trim_end());
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}
