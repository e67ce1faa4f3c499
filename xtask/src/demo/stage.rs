//! The demo before it starts: its folder, its configuration, and what runs beside opsctl.
use super::scene::{BESIDE, READY};
use super::services;
use crate::clock;
use crate::process::{self, Running};
use crate::repo::Repo;
use anyhow::{Context, Result};
use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// How long a program beside opsctl may take until it listens.
const START: Duration = Duration::from_secs(30);

/// A demo being set up. What was started for it ends with it.
#[derive(Debug)]
pub(crate) struct Stage {
    pub folder: PathBuf,
    is_root: bool,
    beside: Vec<Running>,
    /// Lines like those of the ready file, of what runs beside opsctl.
    addresses: String,
}

impl Stage {
    /// Makes the folder `target/<name>` anew, with all that the services want in it.
    pub(super) fn build(repo: &Repo, name: &str) -> Result<Self> {
        let folder = repo.made(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("failed to remove `{}`", folder.display()))?;
        }
        fs::create_dir_all(&folder).with_context(|| format!("failed to make `{}`", folder.display()))?;
        let is_root = process::capture(Command::new("id").arg("-u"))?.trim() == "0";
        let mut stage = Self { folder, is_root, beside: Vec::new(), addresses: String::new() };
        let mut configuration = String::new();
        for service in services::ALL {
            let table = (service.prepare)(&mut stage).with_context(|| format!("in the demo of `{}`", service.name))?;
            configuration.push_str(&format!("{}\n\n", table.trim()));
        }
        stage.file("opsctl.toml", &configuration)?;
        stage.file(BESIDE, &stage.addresses)?;
        Ok(stage)
    }

    /// Gives `opsctl` its arguments.
    pub(super) fn opsctl<'c>(&self, opsctl: &'c mut Command) -> &'c mut Command {
        let option = |name, file| [format!("--{name}"), self.folder.join(file).to_string_lossy().into_owned()];
        opsctl.arg("run").args(option("config", "opsctl.toml")).args(option("data-dir", "data"));
        opsctl.args(option("ready-file", READY)).args(self.is_root.then_some("--allow-root"))
    }

    /// Writes a file of the demo.
    pub(crate) fn file(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.folder.join(name);
        fs::write(&path, text).with_context(|| format!("failed to write `{}`", path.display()))?;
        Ok(path)
    }

    /// Starts `command` (one of `process::tied` or `process::guarded`), which listens on `port` for the `service`, and waits until it does.
    pub(crate) fn beside(&mut self, service: &str, what: &str, port: u16, command: &mut Command) -> Result<()> {
        let mut running = Running::start(command, what, &self.folder.join(format!("{what}.log")))?;
        clock::eventually(START, || running.alive().map(|()| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()))
            .with_context(|| format!("`{}` does not listen", process::line(command)))?;
        self.beside.push(running);
        self.addresses.push_str(&format!("{service} {what} 127.0.0.1:{port}\n"));
        Ok(())
    }

    /// Makes `cert.pem` and `key.pem`, signed by nobody, for loopback.
    pub(crate) fn certificate(&self) -> Result<()> {
        let mut openssl = Command::new("openssl");
        openssl.current_dir(&self.folder).args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
        ]);
        openssl.args(["-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days", "30", "-subj", "/CN=localhost"]);
        process::capture(openssl.args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]))?;
        Ok(())
    }
}
