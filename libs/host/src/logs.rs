//! From `[log]` to logging: opened early, while the program still is who started it, and handed to whom it becomes.

use std::path::Path;

use anyhow::Context as _;
use opsctl_logging::{Format, Handle, LogOptions, Target};

use crate::plan::Plan;
use crate::process::privileges::Identity;

/// Logging that is set up.
pub(crate) struct Logs {
    pub(crate) handle: Handle,
    /// Whether whoever started the program sees the log.
    pub(crate) seen: bool,
}

/// Opens the log. A daemon has no terminal: its log goes to a file in the data folder unless something else is named.
pub(crate) fn open(plan: &Plan, data_dir: &Path, identity: Option<&Identity>) -> anyhow::Result<Logs> {
    let settings = &plan.log;
    let own_socket = matches!(settings.format, Some(Format::Journald | Format::Syslog));
    let default = (plan.host.daemon && !own_socket).then(|| data_dir.join("opsctl.log"));
    let file = settings.file.as_ref().map(|file| file.as_path()).or(default.as_deref());
    let options = LogOptions::choose(file, settings.format, settings.level.clone())?;
    if plan.host.daemon && options.target == Target::Stdout {
        anyhow::bail!("a daemon cannot log to standard output: name a file, or leave `log.file` out");
    }
    let seen = !plan.host.daemon && matches!(options.target, Target::Stdout | Target::Stderr);
    let handle = opsctl_logging::init(options)?;
    if let Some(identity) = identity {
        handle.give_to(identity.uid(), identity.gid()).context("failed to hand the log over")?;
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let text = panic.payload_as_str().unwrap_or("no text");
        tracing::error!(place, "panicked: {text}");
    }));
    Ok(Logs { handle, seen })
}
