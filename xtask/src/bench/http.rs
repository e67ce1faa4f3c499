//! `bench http`: what it costs to send files and pages. Ours (an example of libs/http) and nginx with sendfile, one thread
//! each, the same files, the same load generator (wrk), one after the other in each row.
use super::programs;
use crate::cargo;
use crate::clock;
use crate::markdown;
use crate::ports;
use crate::process::{self, Running};
use crate::repo::Repo;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::num::NonZero;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

/// Bytes of the file that stands for a video.
pub(super) const LARGE: usize = 50 * 1024 * 1024;
/// Bytes of the file that stands for a thumbnail.
pub(super) const SMALL: usize = 12 * 1024;
const START: Duration = Duration::from_secs(30);
/// Of one measurement, in seconds; and of the one before it that does not count.
const SECONDS: u32 = 6;
const WARM_UP: u32 = 1;

const CONFIG: &str = include_str!("../../templates/bench/nginx.conf");
pub(super) const RANGES: &str = include_str!("../../templates/bench/ranges.lua");

/// What is asked for, again and again.
pub(super) struct Load {
    pub(super) what: &'static str,
    pub(super) path: &'static str,
    pub(super) connections: u32,
    /// Bytes of a range at a random place.
    pub(super) range: Option<usize>,
    /// The client has it already.
    pub(super) known: bool,
    pub(super) encoding: &'static str,
    /// nginx has nothing like it.
    pub(super) ours_only: bool,
}

pub(super) const PLAIN: Load = Load {
    what: "",
    path: "/large",
    connections: 32,
    range: None,
    known: false,
    encoding: "identity",
    ours_only: false,
};

const LOADS: &[Load] = &[
    Load { what: "a file of 50 MiB", connections: 8, ..PLAIN },
    Load { what: "1 MiB of it", range: Some(1024 * 1024), ..PLAIN },
    Load { what: "64 KiB of it", range: Some(64 * 1024), ..PLAIN },
    Load { what: "a file of 12 KiB", path: "/small", ..PLAIN },
    Load { what: "a page of 500 links", path: "/page", ..PLAIN },
    Load { what: "the same, as zstd", path: "/page", encoding: "zstd", ours_only: true, ..PLAIN },
    Load { what: "the same, not modified", path: "/page", known: true, ..PLAIN },
];

/// A running server.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) running: Running,
}

/// Of one server under one load.
#[derive(Clone, Copy)]
pub(super) struct Figures {
    /// µs of processor time for a request.
    cpu: f64,
    requests_a_second: f64,
    megabytes_a_second: f64,
}

pub(super) fn run(repo: &Repo) -> Result<String> {
    process::run(&mut cargo::cargo(repo, "build --release --quiet --package opsctl-http --example files"))?;
    let folder = repo.made("bench-http");
    let files = folder.join("files");
    fs::create_dir_all(&files).context("failed to make a folder")?;
    for (name, size) in [("large", LARGE), ("small", SMALL)] {
        fs::write(files.join(name), noise(size)).with_context(|| format!("failed to write the file `{name}`"))?;
    }
    fs::write(folder.join("ranges.lua"), RANGES).context("failed to write a script")?;
    let ours = ours(repo, &folder)?;
    let page = get(ours.address, "/page")?.1;
    fs::write(files.join("page"), &page).context("failed to write the page")?;
    let nginx = nginx(&folder)?;
    let mut rows = Vec::new();
    for load in LOADS {
        println!("measuring {}", load.what);
        let peer = (!load.ours_only).then(|| measure(&nginx, load, &folder)).transpose()?;
        rows.push(row(load.what, peer, measure(&ours, load, &folder)?));
    }
    let memory = programs::memory(ours.running.id())?.resident / 1024;
    for mut server in [ours, nginx] {
        server.running.stop()?;
    }
    let head = [
        "",
        "nginx: CPU, µs",
        "ours: CPU, µs",
        "ours / nginx",
        "nginx: in a second",
        "ours: in a second",
        "ours: MB/s",
    ];
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let version = process::capture(Command::new("dpkg-query").args(["-W", "-f", "${Version}", "nginx-light"]))?;
    Ok(format!(
        "{}\nOn {processors} processors, the load generator on the same ones, against nginx {version}; the page has {} KB, and \
         {memory} MB were resident after it all.",
        markdown::table(&head, 1, &rows),
        page.len() / 1000
    ))
}

fn ours(repo: &Repo, folder: &Path) -> Result<Server> {
    let port = ports::free()?;
    let mut command = process::tied(&repo.target.join("release/examples/files"));
    command.arg(format!("127.0.0.1:{port}")).arg(folder.join("files"));
    start(&mut command, "files", port, folder)
}

pub(super) fn nginx(folder: &Path) -> Result<Server> {
    let port = ports::free()?;
    let text = CONFIG.replace("FOLDER", &folder.to_string_lossy()).replace("PORT", &port.to_string());
    fs::write(folder.join("nginx.conf"), text).context("failed to write `nginx.conf`")?;
    let mut command = process::tied(Path::new("/usr/sbin/nginx"));
    command.arg("-c").arg(folder.join("nginx.conf")).arg("-p").arg(folder);
    start(&mut command, "nginx", port, folder)
}

pub(super) fn start(command: &mut Command, name: &str, port: u16, folder: &Path) -> Result<Server> {
    let log = folder.join(format!("{name}.log"));
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut running = Running::start(command, name, &log)?;
    clock::eventually(START, || running.alive().map(|()| TcpStream::connect(address).ok()))
        .with_context(|| format!("{name}; its log:\n{}", fs::read_to_string(&log).unwrap_or_default()))?;
    Ok(Server { address, running })
}

pub(super) fn measure(server: &Server, load: &Load, folder: &Path) -> Result<Figures> {
    wrk(server, load, folder, WARM_UP)?;
    let before = programs::cpu(server.running.id())?;
    let output = wrk(server, load, folder, SECONDS)?;
    let used = programs::cpu(server.running.id())? - before;
    let (requests, bytes) = counts(&output).with_context(|| format!("`wrk` printed something else:\n{output}"))?;
    let seconds = f64::from(SECONDS);
    Ok(Figures {
        cpu: used.as_secs_f64() * 1e6 / requests,
        requests_a_second: requests / seconds,
        megabytes_a_second: bytes / 1e6 / seconds,
    })
}

fn wrk(server: &Server, load: &Load, folder: &Path, seconds: u32) -> Result<String> {
    let mut command = Command::new("wrk");
    command.args(["-t1", &format!("-c{}", load.connections), &format!("-d{seconds}s")]);
    command.args(["-H", &format!("Accept-Encoding: {}", load.encoding)]);
    if load.known {
        let head = get(server.address, load.path)?.0;
        let tag = head.lines().find_map(|line| line.strip_prefix("etag: ").or_else(|| line.strip_prefix("ETag: ")));
        command.args(["-H", &format!("If-None-Match: {}", tag.context("the page has no tag")?)]);
    }
    if let Some(range) = load.range {
        command.arg("-s").arg(folder.join("ranges.lua"));
        command.env("RANGE", range.to_string()).env("SIZE", LARGE.to_string());
    }
    let output = process::capture(command.arg(format!("http://{}{}", server.address, load.path)))?;
    let refused = output.contains("Non-2xx") && !load.known;
    ensure!(!refused, "not all answers were good:\n{output}");
    Ok(output)
}

/// Requests and bytes: `1234 requests in 6.00s, 5.67GB read`.
pub(super) fn counts(output: &str) -> Option<(f64, f64)> {
    let line = output.lines().find(|line| line.contains(" requests in "))?;
    let (requests, rest) = line.trim().split_once(" requests in ")?;
    let text = rest.split_once(", ")?.1.strip_suffix(" read")?;
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match &text[digits.len()..] {
        "B" => 1.0,
        "KB" => 1024.0,
        "MB" => 1024.0 * 1024.0,
        "GB" => 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    Some((requests.parse().ok().filter(|requests| *requests > 0.0)?, digits.parse::<f64>().ok()? * factor))
}

/// Head and body of a page.
pub(super) fn get(address: SocketAddr, path: &str) -> Result<(String, Vec<u8>)> {
    get_with(address, path, "")
}

/// The same, asked for with these lines.
pub(super) fn get_with(address: SocketAddr, path: &str, lines: &str) -> Result<(String, Vec<u8>)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(START))?;
    write!(stream, "GET {path} HTTP/1.0\r\n{lines}\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end =
        answer.windows(4).position(|window| window == b"\r\n\r\n").context("an answer without an end of its head")?;
    Ok((String::from_utf8_lossy(&answer[..end]).into_owned(), answer.split_off(end + 4)))
}

/// Bytes that nothing can compress, the same each time.
pub(super) fn noise(size: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

pub(super) fn row(what: &str, peer: Option<Figures>, ours: Figures) -> Vec<String> {
    let show =
        |number: Option<f64>, digits: usize| number.map_or_else(|| "–".into(), |number| format!("{number:.digits$}"));
    vec![
        what.into(),
        show(peer.map(|peer| peer.cpu), 1),
        show(Some(ours.cpu), 1),
        show(peer.map(|peer| ours.cpu / peer.cpu), 2),
        show(peer.map(|peer| peer.requests_a_second), 0),
        show(Some(ours.requests_a_second), 0),
        show(Some(ours.megabytes_a_second), 0),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read() {
        let output = "Running 4s test\n  7 requests in 6.00s, 1.50KB read\nRequests/sec: 9\n";
        assert_eq!(counts(output), Some((7.0, 1536.0)));
        assert_eq!(counts("  0 requests in 6.00s, 0.00B read"), None);
        assert_eq!(counts("nothing"), None);
    }

    #[test]
    fn what_the_peer_cannot_is_left_out() {
        let ours = Figures { cpu: 20.0, requests_a_second: 1000.4, megabytes_a_second: 12.0 };
        let peer = Figures { cpu: 10.0, ..ours };
        assert_eq!(row("x", Some(peer), ours), ["x", "10.0", "20.0", "2.00", "1000", "1000", "12"]);
        assert_eq!(row("x", None, ours), ["x", "–", "20.0", "–", "–", "1000", "12"]);
    }
}
