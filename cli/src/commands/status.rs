//! `opsctl status`: how a running host and its services are, from its control socket.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Arg, ArgAction, ArgMatches, Args, Command};
use opsctl_host::{Health, ServiceStatus, State, Status, duration};

use super::control;
use crate::args::ConfigOptions;

pub(crate) fn args(command: Command) -> Command {
    let json = Arg::new("json").long("json").action(ArgAction::SetTrue).help("As JSON, as the status page has it");
    ConfigOptions::augment_args(command.arg(json))
        .after_help("Exit code: 0 if all services run and are well, 1 otherwise.")
}

pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let mut healthy = true;
    let mut out = std::io::stdout().lock();
    for socket in control::sockets(matches)? {
        let answer = control::ask(socket, "GET", "/")?;
        let status: Status = serde_json::from_str(&answer.body).context("the running host's answer is no status")?;
        healthy &= status.healthy;
        if matches.get_flag("json") {
            writeln!(out, "{}", serde_json::to_string_pretty(&status)?)?;
        } else {
            print(&mut out, &status)?;
        }
    }
    Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(out: &mut impl Write, status: &Status) -> std::io::Result<()> {
    let Status { version, pid, uptime_seconds, healthy: _, services } = status;
    writeln!(out, "opsctl {version}, process {pid}, up {}", duration(*uptime_seconds))?;
    let width = services.iter().map(|service| service.name.len()).max().unwrap_or(0);
    for service in services {
        let ServiceStatus { name, about: _, state, health, seconds_in_state, restarts, listeners, last_error } =
            service;
        let (mark, reason) = verdict(*state, health);
        write!(out, "{mark:8} {name:width$}  {} {}", state.word(), duration(*seconds_in_state))?;
        if *restarts > 0 {
            write!(out, ", restarted {restarts}x")?;
        }
        for listener in listeners {
            write!(out, "  {}={}", listener.name, listener.address)?;
        }
        writeln!(out)?;
        if let Some(reason) = reason {
            writeln!(out, "{:8} {reason}", "")?;
        }
        if let Some(error) = last_error {
            writeln!(out, "{:8} last error {} ago: {}", "", duration(error.seconds_ago), error.text)?;
        }
    }
    Ok(())
}

fn verdict(state: State, health: &Health) -> (&'static str, Option<&str>) {
    match (state, health) {
        (State::Running, Health::Ok) => ("ok", None),
        (State::Running, Health::Degraded(reason)) => ("degraded", Some(reason)),
        (_, Health::Degraded(reason) | Health::Failed(reason)) => ("failed", Some(reason)),
        (_, Health::Ok) => ("failed", None),
    }
}
