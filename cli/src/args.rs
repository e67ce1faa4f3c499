//! The command line: the whole clap tree, and what a parsed one says of the configuration.
//!
//! The id of an argument is the configuration key that it overrides: `host.pid_file` for `--pid-file`, and for a
//! service's own option the key in its table. So options need no code of their own, and an error in one is shown like
//! an error in any other layer.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, ValueHint};
use opsctl_config::{Fault, Sources, secret_paths};
use opsctl_host::{Kind, Plugin};

use crate::external::Found;
use crate::plugins::{PLUGINS, shown};
use crate::{commands, environment};

/// The defaults: the commented file is what they are.
pub(crate) const DEFAULTS: &str = include_str!("../../config/opsctl.toml");

/// Where the configuration is looked for when nothing names it.
const SYSTEM_FILE: &str = "/etc/opsctl/opsctl.toml";

/// Options of everything that reads the configuration.
#[derive(Debug, Args)]
#[command(next_help_heading = "Configuration")]
pub(crate) struct ConfigOptions {
    /// Configuration file [default: /etc/opsctl/opsctl.toml if there is one]
    #[arg(short, long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    config: Option<PathBuf>,
    /// Set one key, as in `--set host.grace=10s`; may be repeated
    #[arg(long, global = true, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Folder for everything that is kept
    #[arg(id = "host.data_dir", long = "data-dir", global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    data_dir: Option<OsString>,
}

/// Options of everything that serves.
#[derive(Debug, Args)]
#[command(next_help_heading = "Running")]
pub(crate) struct RunOptions {
    /// File to append the log to, `-` for standard output
    #[arg(id = "log.file", short = 'l', long = "log-file", value_name = "FILE", value_hint = ValueHint::FilePath)]
    log_file: Option<OsString>,
    /// text, json, journald or syslog [default: text on a terminal, json elsewhere]
    #[arg(id = "log.format", long = "log-format", value_name = "FORMAT")]
    log_format: Option<OsString>,
    /// Level, also per target: info,opsctl_finger=debug
    #[arg(id = "log.level", long = "log-level", value_name = "LEVELS")]
    log_level: Option<OsString>,
    /// File that holds the process id, locked while the program runs
    #[arg(id = "host.pid_file", long = "pid-file", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pid_file: Option<OsString>,
    /// Go to the background once all services accept
    #[arg(id = "host.daemon", long = "daemon")]
    daemon: bool,
    /// Account to become once the sockets are bound
    #[arg(id = "host.user", short = 'u', long = "user", value_name = "NAME", value_hint = ValueHint::Username)]
    user: Option<OsString>,
    /// Group to become [default: the account's]
    #[arg(id = "host.group", short = 'g', long = "group", value_name = "NAME")]
    group: Option<OsString>,
    /// File mode creation mask, octal
    #[arg(id = "host.umask", long = "umask", value_name = "MASK")]
    umask: Option<OsString>,
    /// Folder to confine the program to
    #[arg(id = "host.chroot", long = "chroot", value_name = "DIR", value_hint = ValueHint::DirPath)]
    chroot: Option<OsString>,
    /// Folder to work in
    #[arg(id = "host.run_dir", short = 'd', long = "run-dir", value_name = "DIR", value_hint = ValueHint::DirPath)]
    run_dir: Option<OsString>,
    /// How long services may finish what they began
    #[arg(id = "host.grace", long = "grace", value_name = "DURATION")]
    grace: Option<OsString>,
    /// File to write when all services accept
    #[arg(id = "host.ready_file", long = "ready-file", value_name = "FILE", value_hint = ValueHint::FilePath)]
    ready_file: Option<OsString>,
    /// Allow running as root, without --user
    #[arg(id = "host.allow_root", long = "allow-root")]
    allow_root: bool,
}

/// The layers of the configuration as this command line has them.
#[derive(Debug)]
pub(crate) struct Settings {
    file: Option<PathBuf>,
    cwd: PathBuf,
    environment: Vec<(OsString, OsString)>,
    set: Vec<String>,
    options: Vec<Override>,
}

/// One option that overrides one key.
#[derive(Debug)]
struct Override {
    key: String,
    flag: String,
    values: Vec<OsString>,
}

impl Settings {
    /// What `matches` say; options without a table of their own belong to `service`.
    pub(crate) fn new(matches: &ArgMatches, service: Option<&str>) -> Self {
        let cwd = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
        let named = matches.get_one::<PathBuf>("config").cloned().or_else(environment::config);
        let file = named.map(|file| cwd.join(file)).or_else(|| {
            let system = PathBuf::from(SYSTEM_FILE);
            system.exists().then_some(system)
        });
        let set = matches.get_many::<String>("set").into_iter().flatten().cloned().collect();
        let options = overrides(matches, service);
        Self { file, cwd, environment: environment::layer(), set, options }
    }

    /// Reads the layers as they are now.
    ///
    /// # Errors
    /// When the configuration file cannot be read.
    pub(crate) fn sources(&self) -> Result<Sources, Box<Fault>> {
        // a secret stays one in a line that cannot be read
        let secrets = secret_paths(&opsctl_host::schema(PLUGINS, None));
        let mut sources = Sources::new(DEFAULTS, &self.cwd).secrets(secrets);
        if let Some(file) = &self.file {
            let failed =
                |error| Fault::plain(format!("failed to read configuration file `{}`: {error}", file.display()));
            sources = sources.file(file, std::fs::read(file).map_err(failed)?);
        }
        sources = sources.env(self.environment.iter().cloned()).set(self.set.iter().cloned());
        for Override { key, flag, values } in &self.options {
            sources = sources.option(key, flag, values.clone());
        }
        Ok(sources)
    }
}

fn overrides(matches: &ArgMatches, service: Option<&str>) -> Vec<Override> {
    let command = command(&[]);
    let name = service.unwrap_or("run");
    let sub = command.find_subcommand(name);
    let mut found = Vec::new();
    for id in matches.ids().map(clap::Id::as_str).filter(|id| !["config", "set"].contains(id)) {
        // groups of derived arguments have ids too, but no values
        let Some(arg) = sub.and_then(|sub| sub.get_arguments().find(|arg| arg.get_id() == id)) else { continue };
        if matches.value_source(id) != Some(ValueSource::CommandLine) {
            continue;
        }
        let values = match arg.get_action() {
            ArgAction::SetTrue => vec![OsString::from("true")],
            ArgAction::SetFalse => vec![OsString::from("false")],
            _ => matches.get_raw(id).into_iter().flatten().map(OsStr::to_owned).collect(),
        };
        let key = match service {
            Some(service) if !id.starts_with("host.") && !id.starts_with("log.") => format!("{service}.{id}"),
            _ => id.to_owned(),
        };
        found.push(Override { key, flag: flag(arg), values });
    }
    found
}

fn flag(arg: &Arg) -> String {
    arg.get_long().map_or_else(|| format!("-{}", arg.get_short().unwrap_or_default()), |long| format!("--{long}"))
}

/// Whether the list of plug-ins on `PATH` will be shown.
pub(crate) fn asks_for_overview(arguments: &[OsString]) -> bool {
    let first = arguments.get(1).and_then(|first| first.to_str());
    matches!(first, None | Some("-h" | "--help" | "help"))
}

/// Whether `name` is a command of this binary.
pub(crate) fn is_builtin(name: &OsStr) -> bool {
    name == "help"
        || commands::LIST.iter().any(|(known, _)| name == *known)
        || name == commands::reference::NAME
        || PLUGINS.iter().any(|plugin| name == plugin.name)
}

/// The whole tree.
pub(crate) fn command(found: &[Found]) -> Command {
    let root = Command::new("opsctl")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Hosts a small team's internal services: one binary, one supervisor, one configuration")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .max_term_width(110)
        .help_template("{about}\n\n{usage-heading} {usage}{after-help}\n\nOptions:\n{options}")
        .override_usage("opsctl <COMMAND> [OPTIONS]")
        .after_help(overview(found));
    commands::add(root).subcommands(PLUGINS.iter().map(plugin_command))
}

fn plugin_command(plugin: &Plugin) -> Command {
    let command = Command::new(plugin.name).hide(plugin.hidden);
    // derived arguments bring a description of their own: ours comes last
    let command = match plugin.kind {
        Kind::Tool(tool) => tool.args(command),
        Kind::Service(service) => {
            let command = service.options(command.next_help_heading("Options"));
            let command = RunOptions::augment_args(ConfigOptions::augment_args(command)).args_override_self(true);
            service.verbs(command)
        }
    };
    command.about(plugin.about)
}

/// The lists of commands in `opsctl --help`, a line each.
fn overview(found: &[Found]) -> String {
    let of_kind = |word: &'static str| {
        shown().filter(move |plugin| plugin.kind.word() == word).map(|plugin| (plugin.name, plugin.about.to_owned()))
    };
    let sections: [(&str, Vec<(&str, String)>); 4] = [
        ("Services", of_kind("service").collect()),
        ("Tools", of_kind("tool").collect()),
        ("Host", commands::LIST.iter().map(|(name, about)| (*name, (*about).to_owned())).collect()),
        ("On PATH", found.iter().map(|found| (found.name.as_str(), found.path.display().to_string())).collect()),
    ];
    let width = sections.iter().flat_map(|(_, lines)| lines).map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (heading, lines) in sections.iter().filter(|(_, lines)| !lines.is_empty()) {
        text.push_str(&format!("\n{heading}:\n"));
        for (name, about) in lines {
            text.push_str(&format!("  {name:width$}  {about}\n"));
        }
    }
    text.push_str("\n`opsctl COMMAND --help` says more.");
    // clap puts a line between
    text.trim_start().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_sound() {
        command(&[]).debug_assert();
    }

    #[test]
    fn every_option_is_a_key_of_the_defaults() {
        let root = command(&[]);
        for plugin in shown().filter(|plugin| plugin.kind.word() == "service") {
            let sub = root.find_subcommand(plugin.name).unwrap();
            for arg in sub.get_arguments().filter(|arg| !["config", "set", "help"].contains(&arg.get_id().as_str())) {
                let id = arg.get_id().as_str();
                let (table, key) = id.split_once('.').unwrap_or((plugin.name, id));
                let table = DEFAULTS.split(&format!("\n[{table}]\n")).nth(1).unwrap_or_else(|| panic!("no [{table}]"));
                let table = table.split("\n[").next().unwrap();
                let there = table.lines().any(|line| {
                    let line = line.strip_prefix("# ").unwrap_or(line);
                    line.split_once('=').is_some_and(|(found, _)| found.trim() == key)
                });
                assert!(there, "option `{id}` of `{}` is no key of the defaults", plugin.name);
            }
        }
    }
}
