//! Logs: formats, and files that are rotated under load.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::harness::{Setup, read, run};

const LAB: &str = "[lab]\nenabled = true\nlisten = '127.0.0.1:0'\n";

#[test]
fn json_is_an_object_a_line_with_the_bound_address_as_a_field() {
    let running = Setup::run(LAB).start();
    let address = running.address("lab lab");
    let log = running.stop();
    let line = log.lines().find(|line| line.contains("listening") && line.contains("\"lab\"")).unwrap();
    assert!(line.contains(&format!("\"address\":\"{address}\"")), "{line}");
    assert!(log.lines().all(|line| line.starts_with('{') && line.ends_with('}')), "{log}");
}

#[test]
fn text_is_a_line_for_people() {
    // the later of two options wins
    let log = Setup::run(LAB).args(["--log-format", "text"]).args(["--log-file", "-"]).start().stop();
    assert!(log.lines().any(|line| line.contains(" INFO lab: listening") || line.contains("INFO")), "{log}");
    assert!(!log.contains("{\""), "{log}");
}

#[test]
fn levels_are_checked_where_they_were_written() {
    let said = run(["run", "--log-level", "loud"]).fails(78);
    assert!(said.contains("--log-level") && said.contains("loud") && said.contains('^'), "{said}");
}

#[test]
fn sigusr1_reopens_the_file_and_loses_no_line() {
    let logs = tempfile::tempdir().unwrap();
    let log = logs.path().join("log");
    let running = Setup::run(LAB).args(["--log-file".as_ref(), log.as_os_str()]).start();
    let (address, done) = (running.address("lab lab"), AtomicBool::new(false));
    const ROTATIONS: usize = 20;
    let asked: usize = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut asked = 0;
                    while !done.load(Ordering::Relaxed) {
                        crate::harness::ask(&address, "log\n").unwrap();
                        asked += 1;
                    }
                    asked
                })
            })
            .collect();
        for rotation in 0..ROTATIONS {
            std::fs::rename(&log, log.with_extension(rotation.to_string())).unwrap();
            running.signal("USR1");
            crate::harness::eventually("the log is there again", || log.exists().then_some(()));
        }
        done.store(true, Ordering::Relaxed);
        clients.into_iter().map(|client| client.join().unwrap()).sum()
    });
    running.stop();
    let files = (0..ROTATIONS).map(|rotation| log.with_extension(rotation.to_string())).chain([log.clone()]);
    let text: String = files.map(read).collect();
    let lines = text.lines().filter(|line| line.contains("told to log")).count();
    assert_eq!(lines, asked, "every line is in one of the files, once");
    assert!(text.lines().all(|line| line.starts_with('{') && line.ends_with('}')), "no line is torn");
}
