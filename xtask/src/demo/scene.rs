//! The demo once it runs: who listens where, as the ready file says, and how one of its lines is tried.
use crate::process;
use crate::repo::Repo;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Written by opsctl when all services accept: a line `service listener address` each.
pub(super) const READY: &str = "ready";
/// The same of what runs beside opsctl.
pub(super) const BESIDE: &str = "beside";

/// Seconds that a line may take.
const LIMIT: &str = "90";

/// One thing to try: a line for a shell in the checkout, and what must be in its answer.
#[derive(Debug)]
pub(crate) struct Try {
    pub service: &'static str,
    pub what: &'static str,
    pub address: String,
    pub line: String,
    pub expect: &'static str,
}

/// A running demo.
#[derive(Debug)]
pub(crate) struct Scene<'a> {
    pub repo: &'a Repo,
    pub folder: PathBuf,
    listening: Vec<Listening>,
}

#[derive(Debug, PartialEq, Eq)]
struct Listening {
    service: String,
    listener: String,
    address: String,
}

impl<'a> Scene<'a> {
    /// The demo called `name`, or nothing as long as it is not ready.
    pub(super) fn load(repo: &'a Repo, name: &str) -> Result<Option<Self>> {
        let folder = repo.made(name);
        let Ok(ready) = fs::read_to_string(folder.join(READY)) else { return Ok(None) };
        let beside = fs::read_to_string(folder.join(BESIDE)).context("failed to read who runs beside opsctl")?;
        Ok(Some(Self { repo, folder, listening: listening(&ready).chain(listening(&beside)).collect() }))
    }

    /// Where `service` listens by the name of `listener`: `127.0.0.1:4567`, whatever is spoken there.
    pub(crate) fn address(&self, service: &str, listener: &str) -> Result<String> {
        let first = self.addresses(service, listener).next();
        first.with_context(|| format!("`{service}` has no listener `{listener}`; there are {:?}", self.listening))
    }

    pub(crate) fn addresses(&self, service: &str, listener: &str) -> impl Iterator<Item = String> {
        let of = move |each: &&Listening| each.service == service && each.listener == listener;
        self.listening.iter().filter(of).map(|each| bare(&each.address).to_owned())
    }

    /// What verbs of opsctl are told of the demo's data.
    pub(crate) fn data_options(&self) -> Result<String> {
        // root has to say that the data may be its own
        let is_root = fs::metadata(&self.folder).context("failed to look at the demo's folder")?.uid() == 0;
        let root = if is_root { " --set host.allow_root=true" } else { "" };
        Ok(format!("--data-dir {}{root}", self.shown(&self.folder.join("data"))))
    }

    /// `path` as one would type it in the checkout.
    pub(crate) fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.repo.root).unwrap_or(path).display().to_string()
    }

    /// Does what the line says and returns the part of the answer that was waited for.
    pub(super) fn try_it(&self, each: &Try) -> Result<String> {
        let mut command = Command::new("timeout");
        let answer = process::capture(command.current_dir(&self.repo.root).args([LIMIT, "sh", "-c", &each.line]))?;
        let found = answer.lines().find(|line| line.contains(each.expect));
        ensure!(found.is_some(), "`{}` answered without `{}`:\n{answer}", each.line, each.expect);
        Ok(found.unwrap_or_default().trim().chars().take(100).collect())
    }
}

fn listening(text: &str) -> impl Iterator<Item = Listening> {
    text.lines().filter_map(|line| {
        let mut words = line.splitn(3, ' ').map(str::to_owned);
        Some(Listening { service: words.next()?, listener: words.next()?, address: words.next()? })
    })
}

/// `tls:127.0.0.1:443?cert=x` without what is around the address.
fn bare(address: &str) -> &str {
    let address = address.strip_prefix("tls:").unwrap_or(address);
    address.split('?').next().unwrap_or(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_files_are_read() {
        let repo = Repo { root: "/x".into(), target: "/x/target".into() };
        let ready = "host status 127.0.0.1:1\nfinger web 127.0.0.1:2\nfinger web tls:[::1]:3?cert=a b\n";
        let scene = Scene { repo: &repo, folder: "/x/target/demo".into(), listening: listening(ready).collect() };
        assert_eq!(scene.address("host", "status").unwrap(), "127.0.0.1:1");
        assert_eq!(scene.addresses("finger", "web").collect::<Vec<_>>(), ["127.0.0.1:2", "[::1]:3"]);
        assert!(scene.address("finger", "status").is_err());
        assert_eq!(scene.shown(&scene.folder), "target/demo");
        assert_eq!(scene.shown(Path::new("/y")), "/y");
    }
}
