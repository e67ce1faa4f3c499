//! Files of a cgroup v2 folder, as `Documentation/admin-guide/cgroup-v2.rst` has them, and `/proc/pressure`.

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use super::bytes::{cut, decimal, lines, number, small, table, words};
use super::{read, status};
use crate::{Cgroup, CgroupCpu, CgroupIo, CgroupMemory, Error, Pressure, Stall, System};

pub(crate) fn pressure(system: &System, resource: &str) -> Result<Pressure, Error> {
    let path = system.proc("pressure").join(resource);
    parse_pressure(&read::feature(&path, "pressure")?).ok_or_else(|| read::malformed(&path, "averages"))
}

/// The path of a process's group.
pub(crate) fn cgroup_of(system: &System, process: &str) -> Result<PathBuf, Error> {
    use std::os::unix::ffi::OsStrExt;
    let path = system.proc(process).join("cgroup");
    let text = read::feature(&path, "control groups")?;
    let found = status::cgroup(&text).ok_or(Error::NotHere { what: "control groups" })?;
    Ok(PathBuf::from(std::ffi::OsStr::from_bytes(found)))
}

pub(crate) fn cgroup(system: &System, path: &Path) -> Result<Cgroup, Error> {
    let folder = folder(system, path)?;
    let file = |name: &str| read::optional(&folder.join(name));
    if !folder.join("cgroup.procs").exists() {
        return Err(Error::NotHere { what: "this control group" });
    }
    let value = |name: &str| file(name).and_then(|text| number(words(&text).next()?));
    let pressure = |name: &str| file(name).and_then(|text| parse_pressure(&text));
    let mut cgroup = Cgroup {
        path: path.to_owned(),
        io: file("io.stat").map(|text| lines(&text).filter_map(parse_io).collect()).unwrap_or_default(),
        tasks: value("pids.current"),
        tasks_max: value("pids.max"),
        cpu_pressure: pressure("cpu.pressure"),
        memory_pressure: pressure("memory.pressure"),
        io_pressure: pressure("io.pressure"),
        ..Cgroup::default()
    };
    cpu(&mut cgroup.cpu, file("cpu.stat").as_deref(), file("cpu.max").as_deref(), value("cpu.weight"));
    let memory = &mut cgroup.memory;
    memory.current = value("memory.current");
    memory.peak = value("memory.peak");
    // `max` is no number, so no limit is none
    memory.max = value("memory.max");
    memory.high = value("memory.high");
    memory.low = value("memory.low");
    memory.swap = value("memory.swap.current");
    memory.swap_max = value("memory.swap.max");
    detail(memory, file("memory.stat").as_deref(), file("memory.events").as_deref());
    Ok(cgroup)
}

/// The group with the limits that hold for it: of its own and all above it, the tightest.
pub(crate) fn effective_cgroup(system: &System, path: &Path) -> Result<Cgroup, Error> {
    let mut effective = cgroup(system, path)?;
    for above in path.ancestors().skip(1) {
        let Ok(above) = cgroup(system, above) else { continue };
        let least = |own: &mut Option<u64>, other: Option<u64>| *own = own.iter().copied().chain(other).min();
        least(&mut effective.memory.max, above.memory.max);
        least(&mut effective.memory.high, above.memory.high);
        least(&mut effective.memory.swap_max, above.memory.swap_max);
        least(&mut effective.tasks_max, above.tasks_max);
        let tighter = match (effective.cpu.processors(), above.cpu.processors()) {
            (Some(own), Some(other)) => other < own,
            (None, other) => other.is_some(),
            (Some(_), None) => false,
        };
        if tighter {
            effective.cpu.quota = above.cpu.quota;
        }
    }
    Ok(effective)
}

/// The folder of a group: below wherever the unified hierarchy is mounted.
fn folder(system: &System, path: &Path) -> Result<PathBuf, Error> {
    let outside = path.components().any(|part| matches!(part, Component::ParentDir));
    if outside {
        return Err(Error::NotHere { what: "a control group outside of what is mounted" });
    }
    let mounts = super::mounts(system)?;
    let hierarchy = mounts.iter().find(|mount| mount.kind == "cgroup2");
    let hierarchy = hierarchy.ok_or(Error::NotHere { what: "the unified control group hierarchy" })?;
    Ok(system.seen(&hierarchy.point).join(path.strip_prefix("/").unwrap_or(path)))
}

fn cpu(cpu: &mut CgroupCpu, stat: Option<&[u8]>, max: Option<&[u8]>, weight: Option<u64>) {
    for (name, value) in stat.into_iter().flat_map(table) {
        let time = Some(Duration::from_micros(value));
        match name {
            b"usage_usec" => cpu.usage = time,
            b"user_usec" => cpu.user = time,
            b"system_usec" => cpu.system = time,
            b"throttled_usec" => cpu.throttled = time,
            b"nr_throttled" => cpu.throttled_periods = Some(value),
            _ => {}
        }
    }
    let mut words = max.into_iter().flat_map(words).map(number);
    if let (Some(Some(quota)), Some(Some(period))) = (words.next(), words.next()) {
        cpu.quota = Some((Duration::from_micros(quota), Duration::from_micros(period)));
    }
    cpu.weight = weight;
}

fn detail(memory: &mut CgroupMemory, stat: Option<&[u8]>, events: Option<&[u8]>) {
    for (name, value) in stat.into_iter().chain(events).flat_map(table) {
        match name {
            b"anon" => memory.anonymous = Some(value),
            b"file" => memory.file = Some(value),
            b"inactive_file" => memory.inactive_file = Some(value),
            b"oom_kill" => memory.oom_kills = Some(value),
            _ => {}
        }
    }
}

/// `8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0`.
fn parse_io(line: &[u8]) -> Option<CgroupIo> {
    let mut words = words(line);
    let (major, minor) = cut(words.next()?, b':')?;
    let mut io = CgroupIo { device: (small(major)?, small(minor)?), ..CgroupIo::default() };
    for (name, value) in words.filter_map(|word| cut(word, b'=')) {
        let Some(value) = number(value) else { continue };
        match name {
            b"rbytes" => io.read_bytes = value,
            b"wbytes" => io.written_bytes = value,
            b"rios" => io.reads = value,
            b"wios" => io.writes = value,
            _ => {}
        }
    }
    Some(io)
}

/// `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`, and the same with `full`.
fn parse_pressure(text: &[u8]) -> Option<Pressure> {
    let (mut some, mut full) = (None, None);
    for line in lines(text) {
        let mut words = words(line);
        match words.next() {
            Some(b"some") => some = stall(words),
            Some(b"full") => full = stall(words),
            _ => {}
        }
    }
    // interrupts have only `full`
    Some(Pressure { some: some.or(full)?, full })
}

fn stall<'a>(words: impl Iterator<Item = &'a [u8]>) -> Option<Stall> {
    let mut values = words.filter_map(|word| cut(word, b'=')).map(|(_, value)| value);
    let averages = [decimal(values.next()?)?, decimal(values.next()?)?, decimal(values.next()?)?];
    Some(Stall { averages, total: Duration::from_micros(number(values.next()?)?) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pressure_is_two_lines_or_one() {
        let text =
            b"some avg10=1.50 avg60=0.20 avg300=0.00 total=2000000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=5\n";
        let pressure = parse_pressure(text).unwrap();
        assert_eq!(pressure.some, Stall { averages: [1.5, 0.2, 0.0], total: Duration::from_secs(2) });
        assert_eq!(pressure.full.unwrap().total, Duration::from_micros(5));
        assert!(parse_pressure(b"some avg10=1\n").is_none());
    }

    #[test]
    fn no_limit_is_none() {
        let mut found = CgroupCpu::default();
        cpu(&mut found, Some(b"usage_usec 7\nnr_throttled 2\n"), Some(b"max 100000\n"), Some(100));
        assert_eq!((found.usage, found.quota, found.processors()), (Some(Duration::from_micros(7)), None, None));
        cpu(&mut found, None, Some(b"150000 100000\n"), None);
        assert_eq!(found.processors(), Some(1.5));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = (parse_pressure(&bytes), parse_io(&bytes));
            cpu(&mut CgroupCpu::default(), Some(&bytes), Some(&bytes), None);
            detail(&mut CgroupMemory::default(), Some(&bytes), None);
        }
    }
}
