//! `/proc/stat`.

use super::bytes::{lines, number, small, words};
use super::read;
use super::time::ticks;
use crate::{Core, Cpu, CpuTimes, Error, System};

pub(crate) fn cpu(system: &System) -> Result<Cpu, Error> {
    let path = system.proc("stat");
    parse(&read::file(&path)?).ok_or_else(|| read::malformed(&path, "processor"))
}

fn parse(text: &[u8]) -> Option<Cpu> {
    let mut cpu = Cpu::default();
    let mut found = false;
    for line in lines(text) {
        let mut words = words(line);
        let Some(name) = words.next() else { continue };
        if name == b"cpu" {
            cpu.total = times(words);
            found = true;
        } else if let Some(number) = name.strip_prefix(b"cpu").and_then(small) {
            cpu.cores.push(Core { number, times: times(words) });
        } else {
            let value = words.next().and_then(number).unwrap_or(0);
            match name {
                b"ctxt" => cpu.switches = value,
                b"intr" => cpu.interrupts = value,
                b"processes" => cpu.forks = value,
                b"procs_running" => cpu.running = value,
                b"procs_blocked" => cpu.blocked = value,
                _ => {}
            }
        }
    }
    found.then_some(cpu)
}

/// Older kernels have fewer columns.
fn times<'a>(mut words: impl Iterator<Item = &'a [u8]>) -> CpuTimes {
    let mut next = || ticks(words.next().and_then(number).unwrap_or(0));
    CpuTimes {
        user: next(),
        nice: next(),
        system: next(),
        idle: next(),
        iowait: next(),
        irq: next(),
        softirq: next(),
        steal: next(),
        guest: next(),
        guest_nice: next(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    #[test]
    fn cores_keep_their_numbers() {
        let text = b"cpu 100 0 50 800 50 0 0 0 10 0\ncpu0 1 2 3 4\ncpu3 5 6 7 8\nintr 12 0 0\nctxt 9\nbtime 1\nprocesses 7\nprocs_running 2\nprocs_blocked 1\nsoftirq 1 2\n";
        let cpu = parse(text).unwrap();
        assert_eq!(cpu.cores.iter().map(|core| core.number).collect::<Vec<_>>(), [0, 3]);
        assert_eq!((cpu.switches, cpu.interrupts, cpu.forks, cpu.running, cpu.blocked), (9, 12, 7, 2, 1));
        assert_eq!(cpu.total.total(), Duration::from_secs(10), "guests are users already");
        assert_eq!(cpu.total.load(), Some(0.15));
        assert_eq!(cpu.total.since(&cpu.total).load(), None);
        assert_eq!(parse(b"ctxt 9\n"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, rest: Vec<u64>) {
            let line = rest.iter().fold(String::from("cpu"), |line, number| format!("{line} {number}"));
            let _ = (parse(&bytes), parse(line.as_bytes()).map(|cpu| (cpu.total.load(), cpu.total.since(&cpu.total))));
        }
    }
}
