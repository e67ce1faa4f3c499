//! Programs may be called anything.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use psi::{Fields, System};

use crate::{Running, eventually};

fn check(name: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join(OsStr::from_bytes(name));
    std::fs::copy("/bin/sleep", &program).unwrap();
    let argument = OsString::from("600");
    let running = Running::new(Command::new(&program).arg(&argument).env("ODD", OsStr::from_bytes(name)));
    let system = System::new();
    let read = || system.process(running.pid(), Fields::ALL).unwrap();
    // before exec it still has the test's name, and in the midst of it no arguments
    let named = || read().name.as_bytes() == &name[..name.len().min(15)];
    eventually("the program", || named() && !read().args.unwrap().is_empty());
    let process = read();
    assert_eq!(process.exe.as_deref(), Ok(program.as_path()), "{name:?}");
    assert_eq!(process.args.as_ref().unwrap().iter().collect::<Vec<_>>(), [program.as_os_str(), &argument]);
    assert_eq!(process.env.as_ref().unwrap().variable("ODD"), Some(OsStr::from_bytes(name)));
    assert_eq!((process.parent, process.threads), (std::process::id(), 1), "{name:?}");
    assert_eq!(process.uid(), Ok(rustix::process::geteuid().as_raw()));
    for fields in [Fields::NONE, Fields::ALL] {
        let table = system.processes(fields).unwrap();
        assert_eq!(table.get(running.pid()).unwrap().name, process.name);
        assert_eq!(table.get(running.pid()).unwrap().id, process.id);
    }
}

#[test]
fn odd_names_are_kept() {
    check(b":-) 1 2");
    check(b"a) R 1 (b");
    check(b"new\nline");
    check(b"\xff\xfe not utf-8");
    check(b" ");
    check(b")");
    check("a name of more than fifteen bytes: é".as_bytes());
}
