//! `bench host`: what it costs to be hosted. opsctl with its finger service, Twisted's `twistd` with a finger server of
//! the kind that its tutorial makes, and the least that a server on tokio can be, all with the same users file.
use super::{programs, query};
use crate::cargo;
use crate::clock;
use crate::markdown;
use crate::ports;
use crate::process::{self, Running};
use crate::repo::Repo;
use crate::setup::packages;
use anyhow::{Context, Result};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

const USERS: &str = "moshez:happy and well\nglyph:in a meeting\n";
const USER: &str = "moshez";
const STATUS: &str = "happy and well";

const QUERIES: usize = 20_000;
/// Not counted: caches fill, allocators settle, Python warms up.
const WARM_UP: usize = 1_000;
const START: Duration = Duration::from_secs(30);

const TAC: &str = include_str!("../../templates/bench/finger.tac");
const PLAIN_MANIFEST: &str = include_str!("../../templates/bench/plain.toml");
const PLAIN_MAIN: &str = include_str!("../../templates/bench/plain.rs.in");

/// What was measured of one program.
struct Figures {
    name: &'static str,
    help_cpu: Option<Duration>,
    help_peak: Option<u64>,
    resident: u64,
    threads: u64,
    idle_cpu: Duration,
    query_cpu: Duration,
    queries_a_second: u64,
}

pub(super) fn run(repo: &Repo) -> Result<String> {
    let folder = repo.made("bench-host");
    fs::create_dir_all(&folder).context("failed to make a folder")?;
    fs::write(folder.join("users"), USERS).context("failed to write the users file")?;
    let figures = [opsctl(repo, &folder)?, twistd(repo, &folder)?, plain(repo, &folder)?];
    Ok(report(&figures))
}

fn opsctl(repo: &Repo, folder: &Path) -> Result<Figures> {
    let program = cargo::release_binary(repo)?;
    let help = || {
        let mut command = Command::new(&program);
        command.arg("--help");
        command
    };
    let port = ports::free()?;
    let mut command = process::tied(&program);
    command.args(["finger", "--allow-root", "--listen", &format!("127.0.0.1:{port}"), "--log-level", "warn"]);
    command.arg("--file").arg(folder.join("users")).arg("--data-dir").arg(folder.join("data"));
    measure("opsctl finger", Some((&help, 500)), &mut command, port, folder)
}

fn twistd(repo: &Repo, folder: &Path) -> Result<Figures> {
    let program = repo.made("venv").join("bin/twistd");
    let help = || {
        let mut command = Command::new(&program);
        command.arg("--help");
        command
    };
    let port = ports::free()?;
    let tac = TAC.replace("PORT", &port.to_string()).replace("USERS", &folder.join("users").to_string_lossy());
    fs::write(folder.join("finger.tac"), tac).context("failed to write `finger.tac`")?;
    let mut command = process::tied(&program);
    command.current_dir(folder).args(["--nodaemon", "--pidfile=", "--logfile=twistd.log", "--python=finger.tac"]);
    measure("twistd, tutorial", Some((&help, 20)), &mut command, port, folder)
}

fn plain(repo: &Repo, folder: &Path) -> Result<Figures> {
    let source = folder.join("plain");
    fs::create_dir_all(source.join("src")).context("failed to make a folder")?;
    fs::write(source.join("Cargo.toml"), PLAIN_MANIFEST).context("failed to write a manifest")?;
    fs::write(source.join("src/main.rs"), PLAIN_MAIN).context("failed to write a program")?;
    // the versions that opsctl itself has
    fs::copy(repo.root.join("Cargo.lock"), source.join("Cargo.lock")).context("failed to copy the lock file")?;
    let mut build = cargo::cargo(repo, "build --release --quiet");
    process::run(build.current_dir(&source).env("CARGO_TARGET_DIR", folder.join("target")))?;
    let port = ports::free()?;
    let mut command = process::tied(&folder.join("target/release/plain"));
    command.arg(port.to_string()).arg(folder.join("users"));
    measure("plain tokio", None, &mut command, port, folder)
}

type Help<'a> = Option<(&'a dyn Fn() -> Command, u32)>;

fn measure(name: &'static str, help: Help<'_>, server: &mut Command, port: u16, folder: &Path) -> Result<Figures> {
    println!("measuring {name}");
    let (mut help_cpu, mut help_peak) = (None, None);
    if let Some((command, count)) = help {
        help_cpu = Some(programs::cpu_of_run(command, count)?);
        help_peak = Some(programs::peak_of_run(&command())?);
    }
    let log: PathBuf = folder.join("log");
    let running = Running::start(server, name, &log)?;
    serve(name, help_cpu, help_peak, running, port)
        .with_context(|| format!("{name}; its log:\n{}", fs::read_to_string(&log).unwrap_or_default()))
}

fn serve(
    name: &'static str,
    help_cpu: Option<Duration>,
    help_peak: Option<u64>,
    mut running: Running,
    port: u16,
) -> Result<Figures> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    clock::eventually(START, || running.alive().map(|()| TcpStream::connect(address).ok()))?;
    let id = running.id();
    query::ask(address, USER, STATUS, 1)?;
    let idle_cpu = programs::idle_cpu(id)?;
    let memory = programs::memory(id)?;
    query::ask(address, USER, STATUS, WARM_UP)?;
    let (before, began) = (programs::cpu(id)?, Instant::now());
    query::ask(address, USER, STATUS, QUERIES)?;
    let (used, took) = (programs::cpu(id)? - before, began.elapsed());
    running.stop()?;
    let count = u32::try_from(QUERIES)?;
    Ok(Figures {
        name,
        help_cpu,
        help_peak,
        resident: memory.resident,
        threads: memory.threads,
        idle_cpu,
        query_cpu: used / count,
        queries_a_second: u64::try_from(u128::from(count) * 1_000_000 / took.as_micros().max(1))?,
    })
}

/// One line for each figure, one column for each program, and how the programs compare.
fn report(figures: &[Figures; 3]) -> String {
    let [ours, peer, plain] = figures;
    let head = ["", ours.name, peer.name, plain.name, "twistd / opsctl", "opsctl / plain"];
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    let number = |number: u64| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    let rows = [
        row("`--help`: CPU, ms", figures, 1, |of| of.help_cpu.map(|time| micros(time) / 1e3)),
        row("`--help`: peak memory, MB", figures, 1, |of| of.help_peak.map(|kib| number(kib) / 1024.0)),
        row("idle: resident memory, MB", figures, 1, |of| Some(number(of.resident) / 1024.0)),
        row("idle: threads", figures, 0, |of| Some(number(of.threads))),
        row("idle: CPU, µs in a second", figures, 0, |of| Some(micros(of.idle_cpu))),
        row("a query: CPU, µs", figures, 0, |of| Some(micros(of.query_cpu))),
        row("queries in a second, one after the other", figures, 0, |of| Some(number(of.queries_a_second))),
    ];
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let table = markdown::table(&head, 1, &rows);
    let twisted = packages::PYTHON.iter().find(|package| package.starts_with("twisted==")).unwrap_or(&"twisted");
    format!("{table}\nOn {processors} processors, against {twisted}.")
}

fn row(what: &str, figures: &[Figures; 3], digits: usize, of: impl Fn(&Figures) -> Option<f64>) -> Vec<String> {
    let show = |number: Option<f64>| number.map_or_else(|| "–".into(), |number| format!("{number:.digits$}"));
    let ratio = |one: Option<f64>, other: Option<f64>| match (one, other) {
        (Some(one), Some(other)) if other > 0.0 => format!("{:.2}", one / other),
        _ => "–".into(),
    };
    let [ours, peer, plain] = figures.each_ref().map(of);
    vec![what.into(), show(ours), show(peer), show(plain), ratio(peer, ours), ratio(ours, plain)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_ratios() {
        let make = |name, factor: u32| Figures {
            name,
            help_cpu: (factor != 1).then_some(Duration::from_millis(3) * factor),
            help_peak: None,
            resident: 1024 * u64::from(factor),
            threads: 1,
            idle_cpu: Duration::ZERO,
            query_cpu: Duration::from_micros(10) * factor,
            queries_a_second: 5,
        };
        let table = report(&[make("ours", 2), make("peer", 5), make("plain", 1)]);
        assert!(table.contains("| `--help`: CPU, ms | 6.0 | 15.0 | – | 2.50 | – |"), "{table}");
        assert!(table.contains("| idle: resident memory, MB | 2.0 | 5.0 | 1.0 | 2.50 | 2.00 |"), "{table}");
        assert!(table.contains("| idle: CPU, µs in a second | 0 | 0 | 0 | – | – |"), "{table}");
    }
}
