//! `opsctl systemd [SERVICE]`: a hardened unit, to be written to `/etc/systemd/system`.
//!
//! `Type=notify` with an ExecReload, since systemd 252 knows no notify-reload. The account is systemd's (DynamicUser),
//! and so are the folders; ports below 1024 need the one capability that is left.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Arg, ArgMatches, Command};

use crate::plugins;

pub(crate) fn args(command: Command) -> Command {
    let service = Arg::new("service").value_name("SERVICE").help("Unit for this service alone; for `run` without");
    command.arg(service)
}

pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let service = matches.get_one::<String>("service").map(String::as_str);
    let (command, about) = match service {
        None => ("run", "internal services"),
        Some(name) => match plugins::find(name) {
            Some(plugin) if plugin.kind.word() == "service" => (plugin.name, plugin.about),
            Some(_) => bail!("`{name}` is a tool, not a service"),
            None => bail!("there is no service `{name}`"),
        },
    };
    let program = std::env::current_exe().context("failed to find out where this program is")?;
    std::io::stdout().lock().write_all(unit(&program, command, about)?.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn unit(program: &std::path::Path, command: &str, about: &str) -> anyhow::Result<String> {
    let program = quoted(program)?;
    Ok(format!(
        "\
[Unit]
Description=opsctl: {about}
Documentation=man:opsctl(1) man:opsctl-{command}(1)
Wants=network-online.target
After=network-online.target

[Service]
Type=notify
ExecStart={program} {command} --log-format journald
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
WatchdogSec=30s
TimeoutStopSec=45s
StateDirectory=opsctl
ConfigurationDirectory=opsctl

{HARDENING}
[Install]
WantedBy=multi-user.target
"
    ))
}

/// What the services do not need. `systemd-analyze security` scores it 2.0 or better.
const HARDENING: &str = "\
DynamicUser=yes
AmbientCapabilities=CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
LockPersonality=yes
MemoryDenyWriteExecute=yes
NoNewPrivileges=yes
PrivateDevices=yes
PrivateTmp=yes
ProcSubset=pid
ProtectClock=yes
ProtectControlGroups=yes
ProtectHome=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProtectSystem=strict
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
UMask=0027
";

/// A path as a unit file's command line wants it (systemd.service(5), \"Command lines\").
fn quoted(path: &std::path::Path) -> anyhow::Result<String> {
    let path = path.to_str().with_context(|| format!("path `{}` is not UTF-8", PathBuf::from(path).display()))?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    if path.chars().all(plain) {
        return Ok(path.to_owned());
    }
    let escaped = path.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%").replace('$', "$$");
    Ok(format!("\"{escaped}\""))
}
