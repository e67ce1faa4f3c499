//! The same figures as the tools that people trust, over all processes and mounts of the machine.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use psi::{Fields, Process, System, Table};

use crate::output;

/// How `ps` calls an attribute, and what it must print for a process.
type Column = (&'static str, fn(&Process) -> String);

const COLUMNS: [Column; 16] = [
    ("ppid", |process| process.parent.to_string()),
    ("pgid", |process| process.group.to_string()),
    ("sid", |process| process.session.to_string()),
    ("euid", |process| process.ids.unwrap().effective_uid.to_string()),
    ("ruid", |process| process.ids.unwrap().real_uid.to_string()),
    ("suid", |process| process.ids.unwrap().saved_uid.to_string()),
    ("egid", |process| process.ids.unwrap().effective_gid.to_string()),
    ("rgid", |process| process.ids.unwrap().real_gid.to_string()),
    ("sgid", |process| process.ids.unwrap().saved_gid.to_string()),
    ("nlwp", |process| process.threads.to_string()),
    ("vsz", |process| (process.virtual_size / 1024).to_string()),
    ("rss", |process| (process.resident_size / 1024).to_string()),
    ("cputimes", |process| process.cpu_time().as_secs().to_string()),
    ("tty", |process| {
        let path = System::new().terminal(process.terminal);
        path.map_or("?".into(), |path| path.strip_prefix("/dev").unwrap().display().to_string())
    }),
    ("psr", |process| process.processor.to_string()),
    ("stat", |process| process.state.letter().to_string()),
];

/// Other processes do as they like while we look: only what differs in every one of several looks is wrong.
#[test]
fn ps_says_the_same() {
    let mut wrong = differences();
    for _ in 0..20 {
        if wrong.is_empty() {
            return;
        }
        let again = differences();
        wrong.retain(|place, _| again.contains_key(place));
    }
    panic!("{wrong:#?}");
}

/// Where `ps` says what was so neither before nor after it ran, nor in between, by process and column.
fn differences() -> BTreeMap<(u32, &'static str), String> {
    let system = System::new();
    let columns = COLUMNS.map(|(name, _)| name).join(",");
    let before = system.processes(Fields::ALL).unwrap();
    let said = output("ps", "procps", &["-e", "--no-headers", "-o", &format!("pid,{columns}")]);
    let after = system.processes(Fields::ALL).unwrap();
    let mut differences = BTreeMap::new();
    let mut compared = 0;
    for line in said.lines() {
        let mut words = line.split_whitespace();
        let pid = words.next().unwrap().parse().unwrap();
        let Some((before, after)) = same(&before, &after, pid) else { continue };
        for ((name, ours), said) in COLUMNS.iter().zip(words) {
            let said = if *name == "stat" { &said[..1] } else { said };
            let (early, late) = (ours(before), ours(after));
            if said != early && said != late && !between(name, &early, said, &late) {
                differences.insert((pid, *name), format!("`{said}`, not `{early}` or `{late}`"));
            }
            compared += 1;
        }
    }
    assert!(compared > 10, "{compared}");
    differences
}

fn between(name: &str, early: &str, said: &str, late: &str) -> bool {
    let number = |text: &str| text.parse::<i64>().ok();
    let (Some(early), Some(said), Some(late)) = (number(early), number(said), number(late)) else { return false };
    // the kernel sums up memory from counters that are late by some pages
    let slack = if name == "rss" { 1024 } else { 0 };
    (early.min(late) - slack..=early.max(late) + slack).contains(&said)
}

fn same<'a>(before: &'a Table, after: &'a Table, pid: u32) -> Option<(&'a Process, &'a Process)> {
    Some((before.get(pid)?, after.get(pid)?))
        .filter(|(before, after)| before.id == after.id && before.name == after.name)
}

#[test]
fn the_files_say_the_same() {
    let table = System::new().processes(Fields::ALL).unwrap();
    let mut compared = 0;
    for process in &table.processes {
        let folder = format!("/proc/{}", process.pid());
        let link = |name: &str| std::fs::read_link(format!("{folder}/{name}")).ok();
        let Ok(comm) = std::fs::read(format!("{folder}/comm")) else { continue };
        // a kernel worker's comm has no name for its work, its summary may have
        if !process.kernel {
            assert!(comm.starts_with(process.name.as_encoded_bytes()), "{process:?}");
        }
        if let Ok(exe) = &process.exe {
            assert!(link("exe").is_none_or(|other| other == *exe));
            compared += 1;
        }
        // the kernel's threads are children of its number 2; in a container that is an ordinary process, and there are none
        assert!(!process.kernel || process.pid() == 2 || process.parent == 2, "{process:?}");
        if process.kernel {
            assert!(process.env.is_err() && process.args.as_ref().unwrap().is_empty());
        }
    }
    assert!(compared > 2);
}

#[test]
fn findmnt_and_df_say_the_same() {
    let system = System::new();
    let mounts = system.mounts().unwrap();
    let said = output("findmnt", "util-linux", &["--kernel", "-rno", "TARGET,FSTYPE"]);
    assert_eq!(mounts.len(), said.lines().count());
    for (mount, line) in mounts.iter().zip(said.lines()) {
        let (target, kind) = line.split_once(' ').unwrap();
        assert_eq!((mount.point.to_str(), mount.kind.to_str()), (Some(target), Some(kind)));
    }
    let said = output("df", "coreutils", &["-aB1", "--output=target,size,itotal"]);
    let sizes: HashMap<_, _> = said.lines().skip(1).map(|line| line.split_once(' ').unwrap()).collect();
    let mut compared = 0;
    for mount in &mounts {
        let Some(size) = sizes.get(mount.point.to_str().unwrap()) else { continue };
        let space = system.space(mount).unwrap();
        let said: Vec<_> = size.split_whitespace().map(|word| word.parse::<u64>().unwrap_or(0)).collect();
        assert_eq!([space.total, space.inodes], said[..], "{mount:?}");
        assert!(space.available <= space.free && space.free <= space.total);
        compared += 1;
    }
    assert!(compared > 0);
    let root = mounts.iter().find(|mount| mount.point == Path::new("/")).unwrap();
    assert_eq!(system.mount(root).unwrap().point, root.point);
}

#[test]
fn ss_says_the_same() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let six = std::net::UdpSocket::bind("[::1]:0").unwrap();
    let sockets = System::new().sockets().unwrap();
    for (local, program) in [(listener.local_addr().unwrap(), "-Hltnp"), (six.local_addr().unwrap(), "-Hlunp")] {
        let ours: Vec<_> = sockets.iter().filter(|socket| socket.local == local).collect();
        assert_eq!(ours.len(), 1, "{local}");
        assert!(ours[0].is_listening());
        assert!(ours[0].owners.contains(&std::process::id()));
        assert_eq!(ours[0].uid, rustix::process::geteuid().as_raw());
        let said = output("ss", "iproute2", &[program]);
        let line = said.lines().find(|line| line.contains(&local.to_string())).unwrap();
        assert!(line.contains(&format!("pid={},", std::process::id())), "{line}");
    }
    let peer = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let found = System::new().sockets_alone().unwrap();
    let talk = found.iter().find(|socket| socket.local == peer.local_addr().unwrap()).unwrap();
    assert_eq!((talk.remote, talk.state), (peer.peer_addr().unwrap(), psi::SocketState::Established));
}
