//! The host's own commands, one module each.

pub(crate) mod accounts;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod control;
pub(crate) mod man;
pub(crate) mod plugins;
pub(crate) mod reference;
pub(crate) mod reload;
pub(crate) mod run;
pub(crate) mod status;
pub(crate) mod systemd;
pub(crate) mod token;
pub(crate) mod user;

use std::fmt;

use clap::{Args, Command};
use opsctl_config::Fault;

use crate::args::{ConfigOptions, RunOptions};

/// Their names and lines of help, in the order of `opsctl --help`.
pub(crate) const LIST: &[(&str, &str)] = &[
    ("run", "Run every service that the configuration enables"),
    ("status", "Say how a running host and its services are"),
    ("reload", "Have a running host take its configuration on again"),
    ("user", "Manage users, their passwords, roles and invitations"),
    ("token", "Manage tokens, by which programs show who they are"),
    ("plugins", "List services and tools"),
    ("config", "Check, show or write a configuration"),
    ("completions", "Print a shell's completions"),
    ("man", "Write man pages"),
    ("systemd", "Print a systemd unit"),
];

/// Adds them to the tree.
pub(crate) fn add(root: Command) -> Command {
    let commands = LIST.iter().map(|(name, about)| {
        let command = Command::new(*name);
        let command = match *name {
            "run" => RunOptions::augment_args(ConfigOptions::augment_args(command)).args_override_self(true),
            "status" => status::args(command),
            "reload" => reload::args(command),
            "user" => user::args(command),
            "token" => token::args(command),
            "plugins" => plugins::args(command),
            "config" => config::args(command),
            "completions" => completions::args(command),
            "man" => man::args(command),
            "systemd" => systemd::args(command),
            _ => command,
        };
        // derived arguments bring a description of their own: ours comes last
        command.about(*about)
    });
    let reference = Command::new(reference::NAME).about("Print the command reference as Markdown").hide(true);
    root.subcommands(commands).subcommand(reference)
}

/// Faults of a configuration as an error: exit code 78.
#[derive(Debug)]
pub(crate) struct Faults(pub(crate) Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&opsctl_host::faults(&self.0))
    }
}

impl std::error::Error for Faults {}
