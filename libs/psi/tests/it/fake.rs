//! Proc file systems made by hand: another root, files that are missing, and which files a scan opens.

use std::collections::BTreeSet;
use std::fs;
use std::mem::MaybeUninit;
use std::path::Path;

use psi::{Error, Fields, Missing, State, System};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use tempfile::TempDir;

const STAT: &str = "S 1 7 7 0 -1 0 0 0 0 0 150 50 0 0 20 5 2 0 4711 8192 3 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1 0 0\n";

/// A root with the processes 7 and 8.
fn root() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for pid in ["7", "8"] {
        let folder = root.path().join(pid);
        fs::create_dir(&folder).unwrap();
        let file = |name: &str, text: &[u8]| fs::write(folder.join(name), text).unwrap();
        file("stat", format!("{pid} (a) b) {STAT}").as_bytes());
        file("status", format!("Name:\ta\nTgid:\t{pid}\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\n").as_bytes());
        file("cmdline", b"one\0t\xff\0");
        file("environ", b"A=1\0=junk\0");
        file("cgroup", b"0::/system.slice/a.service\n");
        file("io", b"read_bytes: 5\n");
        file("smaps_rollup", b"Pss: 4 kB\n");
        fs::create_dir(folder.join("fd")).unwrap();
        std::os::unix::fs::symlink("/bin/a", folder.join("exe")).unwrap();
        std::os::unix::fs::symlink("/tmp", folder.join("cwd")).unwrap();
    }
    for name in ["version", "self", "12x"] {
        fs::create_dir(root.path().join(name)).unwrap();
    }
    root
}

fn system(root: &TempDir) -> System {
    System::new().proc_root(root.path())
}

/// The files of process 7 that were opened while something was done.
fn opened(root: &Path, work: impl FnOnce()) -> BTreeSet<String> {
    let watch = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).unwrap();
    inotify::add_watch(&watch, root.join("7"), WatchFlags::OPEN).unwrap();
    work();
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut events = Reader::new(&watch, &mut buffer);
    let mut names = BTreeSet::new();
    while let Ok(event) = events.next() {
        if !event.events().contains(ReadFlags::ISDIR) {
            names.extend(event.file_name().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    names
}

#[test]
fn only_what_is_asked_for_is_opened() {
    let root = root();
    let system = system(&root);
    let check = |fields: Fields, expected: &[&str]| {
        let names = || expected.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(opened(root.path(), || drop(system.processes(fields).unwrap())), names(), "{fields:?}");
        let mut scanner = system.scanner(fields).unwrap();
        assert_eq!(opened(root.path(), || drop(scanner.scan().unwrap())), names(), "{fields:?}");
        let again = opened(root.path(), || drop(scanner.scan().unwrap()));
        let light = Fields::OWNER.has(fields);
        assert_eq!(again, if light { BTreeSet::new() } else { names() }, "a kept summary is not opened again");
    };
    check(Fields::NONE, &["stat"]);
    check(Fields::OWNER, &["stat"]);
    check(Fields::IDS, &["stat", "status"]);
    check(Fields::ARGS, &["stat", "cmdline"]);
    check(Fields::ENV, &["stat", "environ"]);
    check(Fields::EXE, &["stat"]);
    check(Fields::CWD, &["stat"]);
    check(Fields::CGROUP, &["stat", "cgroup"]);
    check(Fields::IO, &["stat", "io"]);
    check(Fields::FILES, &["stat"]);
    check(Fields::MEMORY, &["stat", "smaps_rollup"]);
    check(Fields::ALL, &["stat", "status", "cmdline", "environ", "cgroup", "io", "smaps_rollup"]);
    assert!(opened(root.path(), || drop(system.pids().unwrap())).is_empty());
}

#[test]
fn another_root_is_read() {
    let root = root();
    let system = system(&root);
    assert_eq!(system.pids().unwrap(), [7, 8]);
    let table = system.processes(Fields::ALL).unwrap();
    assert_eq!((table.processes.len(), table.vanished, table.hidden), (2, 0, 0));
    let process = table.get(7).unwrap();
    assert_eq!((process.name.to_str(), process.state, process.threads), (Some("a) b"), State::Sleeping, 2));
    assert_eq!((process.uid(), process.gid()), (Ok(2), Ok(6)));
    assert_eq!(process.command().as_encoded_bytes(), b"one t\xff");
    assert_eq!(process.unit().and_then(|unit| unit.to_str()), Some("a.service"));
    assert_eq!(process.exe.as_deref(), Ok(Path::new("/bin/a")));
    assert_eq!(process.io.map(|io| io.read_bytes), Ok(5));
    assert_eq!(process.memory.map(|memory| memory.proportional), Ok(4096));
    // numbers from there mean nothing to the system calls
    assert!(matches!(system.handle(process.id), Err(Error::OtherNamespace { .. })));
    assert!(system.exists(process.id).unwrap());
}

#[test]
fn what_was_not_asked_for_says_so() {
    let root = root();
    let process = system(&root).processes(Fields::NONE).unwrap().processes.remove(0);
    assert_eq!(process.uid(), Err(Missing::Unasked));
    assert_eq!(process.args.unwrap_err(), Missing::Unasked);
}

#[test]
fn files_that_a_kernel_does_not_have_are_missing_here() {
    let root = root();
    for name in ["io", "cgroup", "smaps_rollup"] {
        fs::remove_file(root.path().join("7").join(name)).unwrap();
    }
    let process = system(&root).process(7, Fields::ALL).unwrap();
    assert_eq!(process.io.unwrap_err(), Missing::Platform);
    assert_eq!(process.cgroup.unwrap_err(), Missing::Platform);
    assert_eq!(process.memory.unwrap_err(), Missing::Platform);
    assert!(process.args.is_ok());
    for (question, result) in [
        ("pressure", system(&root).pressure("cpu").map(drop)),
        ("disks", system(&root).disks().map(drop)),
        ("sockets", system(&root).unix_sockets().map(drop)),
    ] {
        assert!(matches!(result, Err(Error::NotHere { .. })), "{question}: {result:?}");
    }
}

#[test]
fn a_process_without_a_summary_has_vanished() {
    let root = root();
    fs::remove_file(root.path().join("7/stat")).unwrap();
    fs::write(root.path().join("8/stat"), "").unwrap();
    for fields in [Fields::NONE, Fields::ALL] {
        let table = system(&root).processes(fields).unwrap();
        assert_eq!((table.processes.len(), table.vanished), (0, 2));
    }
    fs::write(root.path().join("8/stat"), "nonsense").unwrap();
    let error = system(&root).processes(Fields::NONE).unwrap_err();
    assert!(matches!(error, Error::Malformed { .. }), "{error:?}");
}

#[test]
fn the_hosts_view_is_another_processes() {
    let root = root();
    let folder = root.path().join("1");
    fs::create_dir_all(folder.join("net")).unwrap();
    fs::create_dir_all(folder.join("root/data")).unwrap();
    fs::write(folder.join("mounts"), "/dev/x /data ext4 rw 0 0\nnone /cg cgroup2 rw 0 0\n").unwrap();
    fs::write(folder.join("net/dev"), "h1\nh2\n eth7: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n").unwrap();
    let group = folder.join("root/cg/a/b");
    fs::create_dir_all(&group).unwrap();
    for (at, limit) in [("a/b", "max"), ("a", "1000"), ("", "5000")] {
        let at = folder.join("root/cg").join(at);
        fs::write(at.join("cgroup.procs"), "").unwrap();
        fs::write(at.join("memory.max"), limit).unwrap();
        fs::write(at.join("memory.current"), "77\n").unwrap();
        fs::write(at.join("cpu.max"), "max 100000\n").unwrap();
    }
    let host = system(&root).through(1);
    let mounts = host.mounts().unwrap();
    assert!(host.space(&mounts[0]).unwrap().total > 0, "the room is that of the folder below the host's root");
    assert_eq!(host.interfaces().unwrap()[0].name, "eth7");
    let own = host.cgroup(Path::new("/a/b")).unwrap();
    assert_eq!((own.memory.max, own.memory.current, own.cpu.quota), (None, Some(77), None));
    let effective = host.effective_cgroup(Path::new("/a/b")).unwrap();
    assert_eq!(effective.memory.max, Some(1000), "the tightest above it");
    assert!(matches!(host.cgroup(Path::new("/../..")), Err(Error::NotHere { .. })));
    assert!(matches!(host.cgroup(Path::new("/none")), Err(Error::NotHere { .. })));
}
