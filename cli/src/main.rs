//! `opsctl`: one binary that hosts a small team's internal services.
//!
//! A sub-command is parsed here and its work is done elsewhere: services by `opsctl-host`, verbs and tools by their own
//! crates. Only this crate reads the environment, prints, and decides exit codes (0 done, 1 failed, 2 usage,
//! 78 configuration).
#![expect(clippy::print_stderr, reason = "the command line talks to whoever called it")]

mod args;
mod commands;
mod environment;
mod external;
#[cfg(debug_assertions)]
mod lab;
mod plugins;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::ArgMatches;
use opsctl_host::{Kind, Mode, Plugin};

use crate::args::Settings;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let path = environment::path();
    if let Some(name) = arguments.get(1)
        && !args::is_builtin(name)
        && let Some(program) = external::find(name, path.as_deref())
    {
        return external::replace_by(&program, &arguments[2..]);
    }
    // the folders of PATH are only read for somebody who looks
    let found = if args::asks_for_overview(&arguments) { external::list(path.as_deref()) } else { Vec::new() };
    match args::command(&found).try_get_matches_from(&arguments) {
        Ok(matches) => dispatch(&matches),
        Err(error) => {
            // clap says why on the right stream, a closed one is nothing to report
            let _ = error.print();
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
        }
    }
}

fn dispatch(matches: &ArgMatches) -> ExitCode {
    let Some((name, matches)) = matches.subcommand() else { return ExitCode::from(2) };
    let outcome = match name {
        "run" => return commands::run::run(Settings::new(matches, None), Mode::Enabled),
        "status" => commands::status::run(matches),
        "reload" => commands::reload::run(matches),
        "user" => commands::user::run(matches),
        "token" => commands::token::run(matches),
        "plugins" => commands::plugins::run(matches),
        "config" => commands::config::run(matches),
        "completions" => commands::completions::run(matches),
        "man" => commands::man::run(matches),
        "systemd" => commands::systemd::run(matches),
        "reference" => commands::reference::run(),
        name => match plugins::find(name) {
            Some(plugin) => return run_plugin(plugin, matches),
            None => Err(anyhow::anyhow!("`{name}` is no command")),
        },
    };
    finish(outcome)
}

fn run_plugin(plugin: &'static Plugin, matches: &ArgMatches) -> ExitCode {
    match plugin.kind {
        Kind::Tool(tool) => finish(tool.run(matches, &environment::shell())),
        Kind::Service(service) => {
            let settings = Settings::new(matches, Some(plugin.name));
            match matches.subcommand() {
                Some(_) => commands::run::verb(service, plugin.name, settings, matches),
                None => commands::run::run(settings, Mode::Only(plugin.name)),
            }
        }
    }
}

/// The end of a command: its own exit code, or what went wrong, once and whole.
fn finish(outcome: anyhow::Result<ExitCode>) -> ExitCode {
    match outcome {
        Ok(code) => code,
        Err(error) => {
            if let Some(usage) = error.downcast_ref::<clap::Error>() {
                let _ = usage.print();
                return ExitCode::from(2);
            }
            if is_broken_pipe(&error) {
                return ExitCode::SUCCESS;
            }
            if let Some(faults) = error.downcast_ref::<commands::Faults>() {
                eprint!("{faults}");
                return ExitCode::from(78);
            }
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whoever reads our output has seen enough, as `head` does.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
