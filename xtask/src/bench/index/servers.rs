//! The servers of `bench index`, each with the same packages: ours and the ones that people have.
use crate::bench::http::get_with;
use crate::bench::programs;
use crate::clock;
use crate::ports;
use crate::process::{self, Running};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// devpi takes its time on a machine that has others.
const START: Duration = Duration::from_secs(180);
const NGINX: &str = include_str!("../../../templates/bench/index_nginx.conf");
const DEVPI_PASSWORD: &str = "bench";

/// Where the bench keeps what it makes.
#[derive(Debug)]
pub(super) struct Place {
    pub folder: PathBuf,
    pub opsctl: PathBuf,
}

impl Place {
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A program of the peers.
    pub(super) fn tool(&self, name: &str) -> PathBuf {
        self.folder.join("venv/bin").join(name)
    }

    /// The peers' Python, for what talks to them.
    pub(super) fn python(&self, script: &str) -> Command {
        let mut command = Command::new(self.tool("python3"));
        command.arg(self.path(script));
        command
    }

    /// The wheels of one of the folders.
    pub(super) fn wheels(&self, name: &str) -> Result<Vec<PathBuf>> {
        let folder = self.path("packages").join(name);
        let entries = fs::read_dir(&folder).with_context(|| format!("failed to list `{}`", folder.display()))?;
        let mut wheels = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
        wheels.sort();
        Ok(wheels)
    }
}

/// A running server.
#[derive(Debug)]
pub(super) struct Server {
    pub name: &'static str,
    pub address: SocketAddr,
    running: Running,
    /// Its output.
    pub log: PathBuf,
    /// Where its projects are.
    simple: &'static str,
    /// Where uploads go; who has none takes none.
    pub upload: Option<&'static str>,
    /// For uploads.
    pub user: (String, String),
}

impl Server {
    /// Starts `command` with its output in a file, and waits until it listens.
    fn start(
        place: &Place,
        name: &'static str,
        port: u16,
        simple: &'static str,
        command: &mut Command,
    ) -> Result<Self> {
        let log = place.path(&format!("{}.log", name.replace([' ', ','], "-")));
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut running = Running::start(command.current_dir(&place.folder), name, &log)?;
        clock::eventually(START, || running.alive().map(|()| TcpStream::connect(address).ok()))
            .with_context(|| format!("{name}; its log:\n{}", fs::read_to_string(&log).unwrap_or_default()))?;
        Ok(Self { name, address, running, log, simple, upload: None, user: ("-".into(), "-".into()) })
    }

    fn takes(self, upload: &'static str) -> Self {
        Self { upload: Some(upload), ..self }
    }

    pub(super) fn cost(&self) -> Result<programs::Tree> {
        programs::tree(self.running.id())
    }

    /// The path of a project's page.
    pub(super) fn page(&self, project: &str) -> String {
        format!("{}{project}/", self.simple)
    }

    /// Head and body.
    pub(super) fn get(&self, path: &str, lines: &str) -> Result<(String, Vec<u8>)> {
        get_with(self.address, path, &format!("Host: {}\r\n{lines}", self.address))
            .with_context(|| format!("{} has no answer to `{path}`", self.name))
    }

    /// The path of the only file on the page of a project.
    pub(super) fn file(&self, project: &str) -> Result<String> {
        let page = self.page(project);
        let (_, body) = self.get(&page, "Accept: text/html\r\n")?;
        let text = String::from_utf8_lossy(&body);
        let link =
            text.split("href=\"").skip(1).find(|rest| rest.split('"').next().is_some_and(|to| to.contains(".whl")));
        let link = link.and_then(|rest| rest.split(['"', '#']).next());
        Ok(resolve(&page, link.with_context(|| format!("{}: no link on\n{text}", self.name))?))
    }

    pub(super) fn stop(mut self) -> Result<()> {
        self.running.stop().map(drop)
    }
}

/// The path that a link on the page at `page` leads to.
fn resolve(page: &str, link: &str) -> String {
    let path = link.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..])).unwrap_or(link);
    if path.starts_with('/') {
        return path.to_owned();
    }
    let mut parts: Vec<_> = page.trim_matches('/').split('/').collect();
    for part in path.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." => {}
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Ours upon the folder `packages`, with its data in `data`, both of the place.
pub(super) fn opsctl(place: &Place, packages: &str, data: &str, more: &[&str]) -> Result<Server> {
    let port = ports::free()?;
    let mut command = process::tied(&place.opsctl);
    command.args(["index", "--allow-root", "--listen", &format!("127.0.0.1:{port}")]);
    command.arg("--root").arg(place.path(packages)).arg("--data-dir").arg(place.path(data));
    command.args(if more.is_empty() { &["--log-level", "warn"] } else { more });
    Ok(Server::start(place, "opsctl", port, "/simple/", &mut command)?.takes("/legacy/"))
}

/// A token that may upload to ours.
pub(super) fn token(place: &Place, data: &str) -> Result<String> {
    let account = |words: &[&str]| {
        let mut command = Command::new(&place.opsctl);
        command.args(words).arg("--data-dir").arg(place.path(data)).args(["--set", "host.allow_root=true"]);
        process::capture(&mut command)
    };
    account(&["user", "add", "ci", "--no-password", "--role", "publisher@index/main"])?;
    Ok(account(&["token", "create", "ci", "--scope", "index/main:upload"])?.trim().to_owned())
}

/// nginx over the pages and files that `ours` has.
pub(super) fn nginx(place: &Place, ours: &Server) -> Result<Server> {
    let pages = place.path("static");
    fs::create_dir_all(&pages).context("failed to make a folder")?;
    for (form, accept) in [("html", "text/html"), ("json", "application/vnd.pypi.simple.v1+json")] {
        for project in ["benchproj", "bigfile"] {
            for (end, coding) in [("", "identity"), (".gz", "gzip")] {
                let lines = format!("Accept: {accept}\r\nAccept-Encoding: {coding}\r\n");
                let (_, body) = ours.get(&ours.page(project), &lines)?;
                fs::write(pages.join(format!("{project}.{form}{end}")), body).context("failed to write a page")?;
            }
        }
    }
    let path = ours.file("bigfile")?;
    let file = place.path(path.trim_start_matches('/'));
    fs::create_dir_all(file.parent().unwrap_or(&file)).context("failed to make a folder")?;
    let wheel = place.path("packages/page/bigfile-1.0-py3-none-any.whl");
    fs::copy(wheel, file).context("failed to copy the large file")?;
    let port = ports::free()?;
    let text = NGINX.replace("FOLDER", &place.folder.to_string_lossy()).replace("PORT", &port.to_string());
    fs::write(place.path("nginx.conf"), text).context("failed to write `nginx.conf`")?;
    let mut command = process::tied(Path::new("/usr/sbin/nginx"));
    command.arg("-c").arg(place.path("nginx.conf")).arg("-p").arg(&place.folder);
    Server::start(place, "nginx, static", port, "/simple/", &mut command)
}

/// proxpi before `ours`, as its documentation has it: two threads.
pub(super) fn proxpi(place: &Place, ours: &Server) -> Result<Server> {
    let port = ports::free()?;
    let mut command = process::tied(&place.tool("gunicorn"));
    command.args([
        "--bind",
        &format!("127.0.0.1:{port}"),
        "--threads",
        "2",
        "--log-level",
        "error",
        "proxpi.server:app",
    ]);
    command.env("PROXPI_INDEX_URL", format!("http://{}/simple/", ours.address)).env("PROXPI_LOGGING_LEVEL", "ERROR");
    // slow machines: a file that takes longer is fetched by the client itself
    command.env("PROXPI_CACHE_DIR", place.path("proxpi")).env("PROXPI_DOWNLOAD_TIMEOUT", "60");
    Server::start(place, "proxpi, gunicorn", port, "/index/", &mut command)
}

/// pypiserver by its own server, on a folder of the place.
pub(super) fn pypiserver(place: &Place, packages: &str) -> Result<Server> {
    pypiserver_by(place, packages, "pypiserver, wsgiref", "wsgiref")
}

/// The same as its container image has it.
pub(super) fn pypiserver_gunicorn(place: &Place, packages: &str) -> Result<Server> {
    pypiserver_by(place, packages, "pypiserver, gunicorn", "gunicorn")
}

fn pypiserver_by(place: &Place, packages: &str, name: &'static str, by: &str) -> Result<Server> {
    let port = ports::free()?;
    let mut command = process::tied(&place.tool("pypi-server"));
    command.args(["run", "--server", by, "-i", "127.0.0.1", "-p", &port.to_string(), "-P", ".", "-a", "."]);
    command.arg("--disable-fallback").arg(place.path(packages));
    command.env("GUNICORN_CMD_ARGS", "--worker-class gevent --preload --log-level error");
    Ok(Server::start(place, name, port, "/simple/", &mut command)?.takes("/"))
}

/// devpi-server with all of the packages; they are uploaded once, and kept for the next run.
pub(super) fn devpi(place: &Place) -> Result<Server> {
    let (filled, used) = (place.path("devpi-filled"), place.path("devpi"));
    if !filled.exists() {
        let folder = place.path("devpi-new");
        fs::remove_dir_all(&folder).ok();
        let mut init = Command::new(place.tool("devpi-init"));
        init.args(["--no-root-pypi", "--serverdir"]).arg(&folder);
        process::capture(&mut init)?;
        let server = devpi_on(place, &folder)?;
        println!("uploading all files to devpi, once");
        server.send_as(place, &place.wheels("page")?)?;
        server.stop()?;
        fs::rename(&folder, &filled).context("failed to keep the filled devpi")?;
    }
    fs::remove_dir_all(&used).ok();
    process::capture(Command::new("cp").arg("-a").arg(&filled).arg(&used))?;
    devpi_on(place, &used)
}

fn devpi_on(place: &Place, folder: &Path) -> Result<Server> {
    let port = ports::free()?;
    let mut command = process::tied(&place.tool("devpi-server"));
    command.args(["--host", "127.0.0.1", "--port", &port.to_string(), "--serverdir"]).arg(folder);
    let server = Server::start(place, "devpi", port, "/bench/dev/+simple/", &mut command)?.takes("/bench/dev/");
    Ok(Server { user: ("bench".into(), DEVPI_PASSWORD.into()), ..server })
}

impl Server {
    /// Uploads these files, one after the other.
    pub(super) fn send_as(&self, place: &Place, files: &[PathBuf]) -> Result<()> {
        let path = self.upload.with_context(|| format!("{} takes no uploads", self.name))?;
        ensure!(!files.is_empty(), "there is nothing to upload");
        let mut command = place.python("upload.py");
        command.args((self.name == "devpi").then_some("devpi"));
        command.arg(format!("http://{}{path}", self.address)).args([&self.user.0, &self.user.1]).args(files);
        process::capture(&mut command).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_resolved() {
        let check = |link, expected| assert_eq!(resolve("/simple/bigfile/", link), expected);
        check("../../files/a.whl", "/files/a.whl");
        check("/packages/a.whl", "/packages/a.whl");
        check("http://127.0.0.1:1/x/a.whl", "/x/a.whl");
        check("a.whl", "/simple/bigfile/a.whl");
    }
}
