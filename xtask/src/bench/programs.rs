//! What a program costs: CPU time and memory of one that ends at once, and of one that runs.
use crate::clock;
use crate::process;
use anyhow::{Context, Result};
use std::fs;
use std::process::Command;
use std::time::Duration;

/// The kernel's unit of CPU time in `/proc/PID/stat`, the same on every Linux of today: proc(5), USER_HZ.
const TICK: Duration = Duration::from_millis(10);

/// CPU time, user and system, of `command`, as the mean of `count` runs: so many that one tick means little.
pub(super) fn cpu_of_run(mut command: impl FnMut() -> Command, count: u32) -> Result<Duration> {
    let before = children()?;
    for _ in 0..count {
        process::capture(&mut command())?;
    }
    Ok((children()? - before) / count)
}

/// CPU time of our children that have ended.
fn children() -> Result<Duration> {
    let stat = stat("self")?;
    Ok((stat.ticks(15) + stat.ticks(16)) * TICK)
}

/// The most memory, in KiB, that `command` had.
pub(super) fn peak_of_run(command: &Command) -> Result<u64> {
    // started from here the figure would be ours: the kernel counts from before the new program took the place
    let mut time = Command::new("/usr/bin/time");
    time.args(["--format=%M", "--output=/dev/stderr"]).arg(command.get_program()).args(command.get_args());
    let output = time.output().context("failed to start `time`")?;
    let text = String::from_utf8_lossy(&output.stderr);
    text.lines().last().and_then(|line| line.parse().ok()).context("`time` printed no number")
}

/// CPU time, user and system, that the process has used so far.
pub(super) fn cpu(id: u32) -> Result<Duration> {
    let stat = stat(&id.to_string())?;
    Ok((stat.ticks(13) + stat.ticks(14)) * TICK)
}

/// CPU time that the process uses while it has nothing to do, in a second; finer than ticks, from all its threads.
pub(super) fn idle_cpu(id: u32) -> Result<Duration> {
    const TIME: Duration = Duration::from_secs(10);
    let before = scheduled(id)?;
    clock::idle(TIME);
    let used = scheduled(id)?.saturating_sub(before);
    Ok(used * 1000 / u32::try_from(TIME.as_millis())?)
}

/// Time on a processor: the first number in `schedstat` of each thread, in ns.
fn scheduled(id: u32) -> Result<Duration> {
    let mut sum = Duration::ZERO;
    for task in fs::read_dir(format!("/proc/{id}/task")).context("failed to list the threads")? {
        // a thread may end while we look
        let Ok(text) = fs::read_to_string(task?.path().join("schedstat")) else { continue };
        let first = text.split(' ').next().and_then(|number| number.parse().ok());
        sum += Duration::from_nanos(first.context("a thread's times are no numbers")?);
    }
    Ok(sum)
}

/// Memory and threads of a process.
#[derive(Debug)]
pub(super) struct Memory {
    /// KiB in memory, shared pages included.
    pub resident: u64,
    pub threads: u64,
}

pub(super) fn memory(id: u32) -> Result<Memory> {
    let text = fs::read_to_string(format!("/proc/{id}/status")).context("failed to read the process' status")?;
    let number = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).and_then(|line| line.strip_prefix(':'));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        number.with_context(|| format!("the process' status has no `{name}`"))
    };
    Ok(Memory { resident: number("VmRSS")?, threads: number("Threads")? })
}

/// A process and its descendants: what they have cost so far.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// User and system, also of those that have ended and were waited for.
    pub cpu: Duration,
    /// KiB in memory; what several of them share counts for each.
    pub resident: u64,
}

pub(super) fn tree(id: u32) -> Result<Tree> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc").context("failed to list the processes")? {
        let name = entry?.file_name();
        // a process may end while we look
        let Some(process) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        if let Ok(stat) = stat(&process.to_string()) {
            parents.push((process, stat.ticks(3)));
        }
    }
    let mut family = vec![id];
    let mut at = 0;
    while let Some(parent) = family.get(at).copied() {
        family.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(process, _)| *process));
        at += 1;
    }
    let mut tree = Tree::default();
    for process in family {
        let stat = stat(&process.to_string())?;
        tree.cpu += (13..=16).map(|index| stat.ticks(index)).sum::<u32>() * TICK;
        tree.resident += memory(process)?.resident;
    }
    Ok(tree)
}

struct Stat(Vec<u32>);

impl Stat {
    fn ticks(&self, index: usize) -> u32 {
        self.0.get(index).copied().unwrap_or_default()
    }
}

/// The numbers of `/proc/PID/stat`, at the index that they have in proc(5), counted from 0.
fn stat(id: &str) -> Result<Stat> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).context("failed to read the process' times")?;
    // the second field is a name in parentheses, with whatever in it
    let (_, rest) = text.rsplit_once(") ").context("the process' times are cut off")?;
    let numbers = rest.split_whitespace().map(|number| number.parse().unwrap_or_default());
    Ok(Stat([0, 0].into_iter().chain(numbers).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_read() {
        let here = std::process::id();
        assert!(memory(here).unwrap().resident > 100);
        assert!(memory(here).unwrap().threads >= 1);
        assert!(scheduled(here).unwrap() > Duration::ZERO);
        cpu(here).unwrap();
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let tree = tree(here).unwrap();
        assert!(tree.resident > memory(here).unwrap().resident / 2);
        child.kill().unwrap();
        child.wait().unwrap();
        cpu_of_run(|| Command::new("true"), 1).unwrap();
    }
}
