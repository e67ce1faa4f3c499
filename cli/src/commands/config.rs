//! `opsctl config check | show | init | schema`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, ValueHint, value_parser};
use opsctl_config::Sources;
use opsctl_host::{Mode, Plan};

use super::Faults;
use crate::args::{ConfigOptions, DEFAULTS, Settings};
use crate::plugins::PLUGINS;

pub(crate) fn args(command: Command) -> Command {
    let origin = Arg::new("origin").long("origin").action(ArgAction::SetTrue).help("Say where each value comes from");
    let file = Arg::new("file").value_name("FILE").help("File to write, which must not exist; standard output without");
    let file = file.value_parser(value_parser!(PathBuf)).value_hint(ValueHint::FilePath);
    command
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            ConfigOptions::augment_args(Command::new("check"))
                .about("Report every fault of the configuration, each with its line; touches nothing"),
        )
        .subcommand(
            ConfigOptions::augment_args(Command::new("show").arg(origin))
                .about("Print the configuration as it is in effect, secrets masked"),
        )
        .subcommand(Command::new("init").about("Write the commented defaults, as a file to begin with").arg(file))
        .subcommand(Command::new("schema").about("Print the configuration's JSON Schema"))
}

pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    match matches.subcommand() {
        Some(("check", matches)) => check(&Settings::new(matches, None)),
        Some(("show", matches)) => show(&Settings::new(matches, None), matches.get_flag("origin")),
        Some(("init", matches)) => init(matches.get_one("file")),
        Some(("schema", _)) => schema(),
        _ => bail!("check, show, init or schema?"),
    }
}

/// The checked configuration.
///
/// # Errors
/// [`Faults`].
pub(crate) fn plan(settings: &Settings, mode: Mode) -> anyhow::Result<Plan> {
    let sources = settings.sources().map_err(|fault| Faults(vec![*fault]))?;
    Ok(opsctl_host::read(sources, PLUGINS, mode).map_err(Faults)?)
}

fn check(settings: &Settings) -> anyhow::Result<ExitCode> {
    plan(settings, Mode::Enabled)?;
    print("the configuration is sound")
}

fn show(settings: &Settings, origin: bool) -> anyhow::Result<ExitCode> {
    let plan = plan(settings, Mode::Enabled)?;
    print(plan.document.show(&opsctl_host::schema(PLUGINS, None), origin).trim_end())
}

fn schema() -> anyhow::Result<ExitCode> {
    let (defaults, _) = Sources::new(DEFAULTS, Path::new("/")).read();
    print(&serde_json::to_string_pretty(&opsctl_host::schema(PLUGINS, Some(&defaults)))?)
}

fn init(file: Option<&PathBuf>) -> anyhow::Result<ExitCode> {
    let Some(path) = file else { return print(DEFAULTS.trim_end()) };
    let mut file = std::fs::File::create_new(path).with_context(|| format!("failed to create `{}`", path.display()))?;
    file.write_all(DEFAULTS.as_bytes()).with_context(|| format!("failed to write `{}`", path.display()))?;
    Ok(ExitCode::SUCCESS)
}

fn print(text: &str) -> anyhow::Result<ExitCode> {
    writeln!(std::io::stdout().lock(), "{text}")?;
    Ok(ExitCode::SUCCESS)
}
