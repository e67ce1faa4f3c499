//! `opsctl man DIR`: a page for opsctl and one for each command.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Arg, ArgMatches, Command, ValueHint, value_parser};

use crate::args;

pub(crate) fn args(command: Command) -> Command {
    let dir = Arg::new("dir").required(true).value_name("DIR").help("Folder to write the pages to");
    command.arg(dir.value_parser(value_parser!(PathBuf)).value_hint(ValueHint::DirPath))
}

pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let dir = matches.get_one::<PathBuf>("dir").context("a folder is needed")?;
    std::fs::create_dir_all(dir).with_context(|| format!("failed to create folder `{}`", dir.display()))?;
    let write = || clap_mangen::generate_to(args::command(&[]).disable_help_subcommand(true), dir);
    write().with_context(|| format!("failed to write man pages to `{}`", dir.display()))?;
    Ok(ExitCode::SUCCESS)
}
