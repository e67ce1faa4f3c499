//! The control socket's other end: finds running hosts in the data folder and asks them.
//!
//! One request over one connection, HTTP/1.0, so that the end of the answer is the end of the stream.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::ArgMatches;
use opsctl_config::ConfigPath;
use opsctl_host::CONTROL_SOCKET;
use serde::Deserialize;

use super::Faults;
use crate::args::Settings;
use crate::environment;

/// A reload opens services, which may take its time.
const PATIENCE: Duration = Duration::from_secs(120);
/// An answer is a status page; more than this is no answer of ours.
const MAX_ANSWER: u64 = 4 << 20;

/// What a host answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) ok: bool,
    pub(crate) body: String,
}

/// Sockets on which a host answers: that of `opsctl run` first, then those of services that run alone.
///
/// # Errors
/// When the configuration has faults, or when nothing runs on its data folder.
pub(crate) fn sockets(matches: &ArgMatches) -> anyhow::Result<Vec<UnixStream>> {
    let folders = match data_dir(&Settings::new(matches, None))? {
        Some(dir) => vec![dir],
        None => environment::data_dirs(),
    };
    let mut denied = None;
    for folder in &folders {
        let mut found = Vec::new();
        for path in candidates(folder) {
            match UnixStream::connect(&path) {
                Ok(stream) => found.push(stream),
                Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => denied = Some((path, error)),
                Err(_) => {}
            }
        }
        if !found.is_empty() {
            return Ok(found);
        }
    }
    if let Some((path, error)) = denied {
        return Err(error).with_context(|| format!("failed to open control socket `{}`", path.display()));
    }
    let tried = folders.iter().map(|dir| format!("`{}`", dir.display())).collect::<Vec<_>>().join(", ");
    bail!("no opsctl runs on data folder {tried}; --data-dir names another")
}

/// The one key that matters here: whatever else is wrong with the file is the running host's to say.
#[derive(Deserialize)]
struct Host {
    data_dir: Option<ConfigPath>,
}

fn data_dir(settings: &Settings) -> anyhow::Result<Option<PathBuf>> {
    let sources = settings.sources().map_err(|fault| Faults(vec![*fault]))?;
    let (document, _) = sources.read();
    let host: Host = document.part("host").map_err(Faults)?;
    Ok(host.data_dir.map(PathBuf::from))
}

fn candidates(folder: &Path) -> Vec<PathBuf> {
    let services = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut services: Vec<_> = services.map(|path| path.join(CONTROL_SOCKET)).filter(|path| path.exists()).collect();
    services.sort();
    services.insert(0, folder.join(CONTROL_SOCKET));
    services
}

/// Sends one request and reads the whole answer.
pub(crate) fn ask(mut stream: UnixStream, method: &str, path: &str) -> anyhow::Result<Answer> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request =
        format!("{method} {path} HTTP/1.0\r\nHost: control\r\nAccept: application/json\r\nContent-Length: 0\r\n\r\n");
    stream.write_all(request.as_bytes()).context("failed to ask the running host")?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER).read_to_end(&mut answer).context("failed to read the running host's answer")?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").context("the running host's answer is cut off")?;
    let status = head.split(' ').nth(1).context("the running host's answer has no status")?;
    Ok(Answer { ok: status.starts_with('2'), body: body.to_owned() })
}
