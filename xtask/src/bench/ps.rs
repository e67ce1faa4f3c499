//! `opsctl ps` against the programs that everybody has, on a machine with 300 idle processes more: what one call costs, from
//! its start to its end.
use super::programs;
use crate::cargo;
use crate::markdown;
use crate::process;
use crate::repo::Repo;
use anyhow::{Context, Result};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

const IDLE: usize = 300;
/// Calls, of whose processor time the mean and of whose duration the least is taken.
const CALLS: u32 = 40;

/// A program, as it is called, and the one that it is compared with.
const PEERS: &[(&str, Option<&str>)] = &[
    ("ps aux", None),
    ("opsctl ps -k", Some("ps aux")),
    ("opsctl ps -k --json", Some("ps aux")),
    ("ps -e --forest -o pid,user,s,time,args", None),
    ("opsctl ps -k --tree -o pid,user,state,time,command", Some("ps -e --forest -o pid,user,s,time,args")),
    ("top -b -n 1", None),
    ("opsctl ps -k --sort cpu", Some("top -b -n 1")),
    ("ss -Hltunp", None),
    ("opsctl ps system sockets", Some("ss -Hltunp")),
];

struct Figures {
    line: &'static str,
    peer: Option<&'static str>,
    cpu: Duration,
    least: Duration,
    /// KiB.
    peak: u64,
}

/// Ended when dropped.
struct Crowd(Vec<Child>);

impl Crowd {
    fn start() -> Result<Self> {
        let mut crowd = Self(Vec::new());
        for _ in 0..IDLE {
            let child = process::tied(Path::new("sleep")).arg("100000").spawn();
            crowd.0.push(child.context("failed to start an idle process")?);
        }
        Ok(crowd)
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // one that has ended by itself is no trouble
            child.kill().ok();
            child.wait().ok();
        }
    }
}

pub(super) fn run(repo: &Repo) -> Result<String> {
    let opsctl = cargo::release_binary(repo)?;
    let _crowd = Crowd::start()?;
    let mut all = Vec::new();
    for (line, peer) in PEERS {
        println!("measuring {line}");
        let command = || {
            let mut words = line.split(' ');
            let program = words.next().unwrap_or_default();
            let mut command = Command::new(if program == "opsctl" { opsctl.as_os_str() } else { program.as_ref() });
            command.args(words);
            command
        };
        let cpu = programs::cpu_of_run(command, CALLS)?;
        let mut least = Duration::MAX;
        for _ in 0..CALLS {
            let began = Instant::now();
            process::capture(&mut command())?;
            least = least.min(began.elapsed());
        }
        all.push(Figures { line, peer: *peer, cpu, least, peak: programs::peak_of_run(&command())? });
    }
    Ok(report(&all))
}

fn report(all: &[Figures]) -> String {
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    let rows: Vec<_> = all
        .iter()
        .map(|Figures { line, peer, cpu, least, peak }| {
            let of_peer = peer.and_then(|peer| all.iter().find(|other| other.line == peer));
            let ratio = of_peer.map(|other| format!("{:.2}", other.cpu.as_secs_f64() / cpu.as_secs_f64().max(1e-6)));
            vec![
                format!("`{line}`"),
                format!("{:.1}", milliseconds(*cpu)),
                format!("{:.1}", milliseconds(*least)),
                format!("{:.1}", f64::from(u32::try_from(*peak).unwrap_or(u32::MAX)) / 1024.0),
                ratio.unwrap_or_else(|| "–".to_owned()),
            ]
        })
        .collect();
    markdown::table(&["call", "CPU, ms", "least time, ms", "peak memory, MB", "peer / ours"], 1, &rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_ratios() {
        let of = |line, peer, factor| Figures {
            line,
            peer,
            cpu: Duration::from_millis(10) * factor,
            least: Duration::from_millis(12) * factor,
            peak: 2048,
        };
        let table = report(&[of("ps aux", None, 3), of("opsctl ps -k", Some("ps aux"), 1)]);
        assert!(table.contains("| `ps aux` | 30.0 | 36.0 | 2.0 | – |"), "{table}");
        assert!(table.contains("| `opsctl ps -k` | 10.0 | 12.0 | 2.0 | 3.00 |"), "{table}");
    }

    #[test]
    fn every_peer_is_measured() {
        for peer in PEERS.iter().filter_map(|(_, peer)| *peer) {
            assert!(PEERS.iter().any(|(line, _)| *line == peer), "{peer}");
        }
    }
}
