//! What a look at all processes costs: processor time per process, of ours, of the floor under it, and of others.
//!
//! `cargo bench -p psi --bench scan` runs the Rust part; `libs/psi-python/benches/bench.py` runs it and adds what is
//! called from Python and the shell, in the same run and with the same idle processes. Processor time and not wall
//! time is taken, and the least of several batches: the machine does other things meanwhile.
//!
//! Arguments: `--idle N` idle processes more (300), `--batches N` (7), `--json`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a measuring program")]

use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use psi::{Fields, System};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate};

/// Scans in a batch.
const SCANS: u32 = 20;

struct Idle(Vec<Child>);

impl Idle {
    fn new(count: usize) -> Self {
        let idle = || Command::new("sleep").arg("100000").stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        Self((0..count).map(|_| idle().expect("an idle process")).collect())
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
        }
        for child in &mut self.0 {
            let _ = child.wait();
        }
    }
}

fn cpu() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// One way to look, and how to do it.
type Way<'a> = (&'static str, Box<dyn FnMut() -> usize + 'a>);

/// Opens, reads and closes one small file per process, and does nothing with it: nobody who reads the table once can
/// do with less.
fn floor() -> usize {
    let root = openat(CWD, "/proc", OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).unwrap();
    let pids = System::new().pids().unwrap();
    let mut line = [0; 2048];
    let mut bytes = 0;
    for pid in &pids {
        let name = format!("{pid}/stat");
        if let Ok(file) = openat(&root, name.as_str(), OFlags::RDONLY, Mode::empty()) {
            bytes += rustix::io::read(file.as_fd(), &mut line).unwrap_or(0);
        }
    }
    assert!(bytes > 0);
    pids.len()
}

fn procfs() -> usize {
    procfs::process::all_processes().unwrap().filter_map(|process| process.ok()?.stat().ok()).count()
}

fn ways() -> Vec<Way<'static>> {
    let system = System::new();
    let scan = |fields| {
        let system = system.clone();
        move || system.processes(fields).unwrap().processes.len()
    };
    let repeated = |fields| {
        let mut scanner = system.scanner(fields).unwrap();
        move || scanner.scan().unwrap().processes.len()
    };
    let mut other = sysinfo::System::new().unwrap();
    let sysinfo = move || {
        let kind = ProcessRefreshKind::nothing().with_cpu().with_memory().without_tasks();
        other.refresh_processes_specifics(ProcessesToUpdate::All, true, kind);
        other.processes().len()
    };
    vec![
        ("floor: open, read, close `stat`", Box::new(floor)),
        ("psi scan, summary", Box::new(scan(Fields::NONE))),
        ("psi scan, summary and owner", Box::new(scan(Fields::OWNER))),
        ("psi Scanner, summary", Box::new(repeated(Fields::NONE))),
        ("psi Scanner, summary and owner", Box::new(repeated(Fields::OWNER))),
        ("psi scan, owner and command line", Box::new(scan(Fields::LIST))),
        ("psi scan, everything", Box::new(scan(Fields::ALL))),
        ("procfs crate: all_processes, stat", Box::new(procfs)),
        ("sysinfo crate: cpu and memory, no tasks", Box::new(sysinfo)),
    ]
}

fn main() {
    let (mut idle, mut batches, mut json) = (300, 7, false);
    let mut args = std::env::args().skip(1);
    let number = |text: Option<String>| text.and_then(|text| text.parse().ok()).expect("a number");
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--idle" => idle = number(args.next()),
            "--batches" => batches = number(args.next()),
            "--json" => json = true,
            // what cargo adds
            _ => {}
        }
    }
    // two Scanners keep a descriptor per process each, and half of the limit is theirs
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum.map(|most| most.min(65536)), ..limit });
    let _idle = Idle::new(idle);
    let mut ways = ways();
    let mut best = vec![(Duration::MAX, 0); ways.len()];
    // the first round is for caches, and batches of all ways are mixed, so that a busy moment hits all alike
    for round in 0..=batches {
        for ((_, way), best) in ways.iter_mut().zip(&mut best) {
            let begin = cpu();
            let processes = (0..SCANS).map(|_| way()).max().unwrap_or(0);
            let used = (cpu() - begin) / SCANS;
            if round > 0 && used < best.0 {
                *best = (used, processes);
            }
        }
    }
    let floor = best[0].0.as_secs_f64() / best[0].1 as f64;
    for ((name, _), (used, processes)) in ways.iter().zip(best) {
        let each = used.as_secs_f64() / processes as f64;
        if json {
            println!("{{\"name\": \"{name}\", \"us\": {}, \"processes\": {processes}}}", each * 1e6);
        } else {
            println!("{name:<42} {processes:>5} processes {:>8.2} us each {:>6.2} x floor", each * 1e6, each / floor);
        }
    }
}
