//! In the background: the caller learns how the start went, and the pid file tells who runs.

use std::path::Path;
use std::process::Command;

use crate::harness::{Ran, Setup, eventually, read};

fn lab(refuse: &str) -> Setup {
    let config = format!("[lab]\nenabled = true\nlisten = '127.0.0.1:0'\n{refuse}\n");
    let setup = Setup::run(&config).arg("--daemon");
    let pid_file = setup.path("pid");
    setup.args(["--pid-file".as_ref(), pid_file.as_os_str()])
}

/// Starts a daemon and returns its folder and pid.
fn start() -> (tempfile::TempDir, u32) {
    let setup = lab("");
    std::fs::write(setup.path("opsctl.toml"), "[lab]\nenabled = true\nlisten = '127.0.0.1:0'\n").unwrap();
    let mut command = setup.command;
    assert_eq!(Ran::of(&mut command).code, Some(0), "{}", read(setup.dir.path().join("data/opsctl.log")));
    let pid = read(setup.dir.path().join("pid")).trim().parse().unwrap();
    (setup.dir, pid)
}

fn kill(pid: u32) {
    assert!(Command::new("kill").arg(pid.to_string()).status().unwrap().success());
    eventually("the daemon ends", || (!Path::new(&format!("/proc/{pid}")).exists()).then_some(()));
}

fn lab_answers(dir: &Path) -> bool {
    let ready = read(dir.join("ready"));
    let address = ready.lines().find_map(|line| line.strip_prefix("lab lab ")).unwrap();
    crate::harness::ask(address, "hello\n").is_ok_and(|answer| answer == "hello\n")
}

#[test]
fn the_caller_returns_when_all_accept() {
    let (dir, pid) = start();
    assert!(lab_answers(dir.path()));
    let stat = read(format!("/proc/{pid}/stat"));
    let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    assert_ne!(fields[3], read("/proc/self/stat").rsplit(')').next().unwrap().split_whitespace().nth(3).unwrap());
    for fd in 0..3 {
        assert_eq!(std::fs::read_link(format!("/proc/{pid}/fd/{fd}")).unwrap(), Path::new("/dev/null"));
    }
    assert_eq!(std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap(), Path::new("/"));
    kill(pid);
    assert!(!dir.path().join("pid").exists(), "the pid file is gone");
    assert!(read(dir.path().join("data/opsctl.log")).contains("stopped"));
}

#[test]
fn a_failed_start_reaches_the_caller_whole() {
    let text = "not today ".repeat(20_000);
    let ran = lab(&format!("refuse = '{text}'")).ran();
    let said = ran.fails(1);
    assert!(said.contains(&text), "all {} bytes, not {}", text.len(), said.len());

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ran = lab("").args(["--set", &format!("lab.listen={address}")]).ran();
    assert!(ran.fails(1).contains(&address));

    assert!(lab("greting = 'x'").ran().fails(78).contains("did you mean `greeting`?"));
}

#[test]
fn a_pid_file_is_held_for_life_and_a_stale_one_never_blocks() {
    // a live stranger's pid, garbage, and nothing
    for stale in [std::process::id().to_string(), "garbage".to_owned(), String::new()] {
        let setup = lab("").file("pid", &stale);
        std::fs::write(setup.path("opsctl.toml"), "[lab]\nenabled = true\nlisten = '127.0.0.1:0'\n").unwrap();
        let mut command = setup.command;
        assert_eq!(Ran::of(&mut command).code, Some(0));
        let pid: u32 = read(setup.dir.path().join("pid")).trim().parse().unwrap();
        kill(pid);
    }

    let (dir, pid) = start();
    let pid_file = dir.path().join("pid");
    let another = || Setup::run("[lab]\nenabled = true\n").args(["--pid-file".as_ref(), pid_file.as_os_str()]);
    assert!(another().ran().fails(1).contains(&pid.to_string()));

    // killed hard, it leaves its pid file behind, which blocks nobody
    assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
    eventually("the lock is free", || std::fs::File::open(&pid_file).unwrap().try_lock().ok());
    another().start().stop();
}
