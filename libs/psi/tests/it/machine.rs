//! The machine's own figures: there, plausible, and the same as the files'.

use std::time::{Duration, SystemTime};

use psi::{CpuTimes, Error, Fields, System};

use crate::{eventually, output};

#[test]
fn clocks_agree() {
    let system = System::new();
    let (boot, uptime) = (system.boot_time().unwrap(), system.uptime().unwrap());
    let now = boot + uptime;
    let off = now.duration_since(SystemTime::now()).unwrap_or_else(|error| error.duration());
    assert!(off < Duration::from_secs(2), "{off:?}");
    let own = system.process(std::process::id(), Fields::NONE).unwrap();
    let start = system.start_time(own.id).unwrap();
    assert!(boot < start && start < SystemTime::now() + Duration::from_secs(1));
    assert_eq!(system.start_time(own.id).unwrap(), start, "it does not move");
    assert_eq!(output("uname", "coreutils", &["-r"]).trim(), system.arch().release.to_str().unwrap());
}

#[test]
fn processors_work() {
    let system = System::new();
    let before = system.cpu().unwrap();
    let cores = output("nproc", "coreutils", &["--all"]);
    assert_eq!(before.cores.len().to_string(), cores.trim());
    let sum = |pick: fn(&CpuTimes) -> Duration| before.cores.iter().map(|core| pick(&core.times)).sum::<Duration>();
    let off = sum(|times| times.user).abs_diff(before.total.user);
    assert!(off <= Duration::from_millis(10 * 2 * u64::try_from(before.cores.len()).unwrap()), "{off:?}");
    eventually("time", || system.cpu().unwrap().total.since(&before.total).load().is_some());
    let load = system.load().unwrap();
    assert!(load.averages.iter().all(|average| *average >= 0.0) && load.entities > 1);
}

#[test]
fn memory_is_used() {
    let system = System::new();
    let memory = system.memory().unwrap();
    assert!(memory.total > memory.available && memory.available > 0 && memory.used() > 0);
    let said = output("free", "procps", &["-b"]);
    let total = said.lines().nth(1).unwrap().split_whitespace().nth(1).unwrap();
    assert_eq!(total, memory.total.to_string());
    let swaps = system.swaps().unwrap();
    // each device's first page is its label
    assert!(swaps.iter().map(|swap| swap.size).sum::<u64>().abs_diff(memory.swap_total) < 1 << 20);
    assert!(system.paging().unwrap().faults > 0);
}

#[test]
fn disks_are_counted() {
    let disks = System::new().disks().unwrap();
    let said = std::fs::read_to_string("/proc/diskstats").unwrap();
    assert_eq!(disks.len(), said.lines().count());
    for (disk, line) in disks.iter().zip(said.lines()) {
        let words: Vec<_> = line.split_whitespace().collect();
        assert_eq!(disk.name, words[2]);
        assert!(disk.reads <= words[3].parse().unwrap() && disk.read_bytes <= words[5].parse::<u64>().unwrap() * 512);
    }
}

#[test]
fn interfaces_have_addresses() {
    let system = System::new();
    let interfaces = system.interfaces().unwrap();
    let lo = interfaces.iter().find(|interface| interface.name == "lo").unwrap();
    assert_eq!(lo.up, Some(true));
    assert!(lo.mtu > Some(0) && lo.received_packets == lo.sent_packets);
    for interface in &interfaces {
        let said = output("ip", "iproute2", &["-o", "addr", "show", "dev", &interface.name]);
        let ours = interface.addresses.iter().map(|found| format!("{}/{}", found.address, found.prefix));
        let mut ours: Vec<_> = ours.collect();
        let mut theirs: Vec<_> = said.lines().map(|line| line.split_whitespace().nth(3).unwrap().to_owned()).collect();
        ours.sort();
        theirs.sort();
        assert_eq!(ours, theirs, "{}", interface.name);
    }
    let counters = system.counters().unwrap();
    assert!(counters.get("Tcp", "RtoMin").is_some() && counters.get("Udp", "InDatagrams").is_some());
    assert!(counters.get("TcpExt", "ListenDrops").is_some());
}

#[test]
fn unix_sockets_have_owners() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a socket");
    let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let sockets = System::new().unix_sockets().unwrap();
    let ours = sockets.iter().find(|socket| socket.path.as_deref() == Some(path.as_os_str())).unwrap();
    assert!(ours.listening && !ours.connected && ours.owners.contains(&std::process::id()));
}

#[test]
fn accounts_have_names() {
    let accounts = System::new().accounts().unwrap();
    assert_eq!(accounts.user(0).and_then(|name| name.to_str()), Some("root"));
    assert_eq!(accounts.group(0).and_then(|name| name.to_str()), Some("root"));
    assert_eq!(accounts.uid("root".as_ref()), Some(0));
    assert_eq!(accounts.user(u32::MAX - 7), None);
}

/// These depend on the kernel's configuration: they answer, or say that they cannot.
#[test]
fn the_rest_answers_or_says_not_here() {
    let system = System::new();
    let here = |result: Result<(), Error>| assert!(matches!(result, Ok(()) | Err(Error::NotHere { .. })), "{result:?}");
    for resource in ["cpu", "memory", "io", "irq"] {
        here(system.pressure(resource).map(drop));
    }
    here(system.logins().map(drop));
    let group = system.own_cgroup();
    here(group.as_ref().map(drop).map_err(|_| Error::NotHere { what: "" }));
    if let Ok(group) = group {
        here(system.cgroup(&group).map(drop));
        here(system.effective_cgroup(&group).map(drop));
    }
    let sensors = system.sensors().unwrap();
    assert!(sensors.iter().all(|sensor| sensor.value.is_finite()));
}
