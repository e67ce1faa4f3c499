//! A process is its number and its start: nothing is ever done to another one.

use std::time::Duration;

use psi::{Error, Fields, Id, State, System};

use crate::{Running, eventually};

const STOP: i32 = 19;
const TERMINATE: i32 = 15;

fn id(system: &System, running: &Running) -> Id {
    system.process(running.pid(), Fields::NONE).expect("is there").id
}

fn gone<T: std::fmt::Debug>(result: Result<T, Error>) {
    assert!(matches!(result, Err(Error::NoSuchProcess { .. })), "{result:?}");
}

#[test]
fn signals_reach_the_process() {
    let system = System::new();
    let mut child = Running::idle();
    let id = id(&system, &child);
    let handle = system.handle(id).unwrap();
    assert_eq!(handle.id(), id);
    handle.kill(0).unwrap();
    handle.kill(STOP).unwrap();
    let state = || system.process(id.pid, Fields::NONE).unwrap().state;
    eventually("a stop", || state() == State::Stopped);
    assert!(!handle.wait(Some(Duration::ZERO)).unwrap());
    // a real-time signal ends a process that does not expect it
    handle.kill(18).unwrap();
    handle.kill(40).unwrap();
    assert!(handle.wait(Some(Duration::from_secs(30))).unwrap());
    eventually("a zombie", || state() == State::Zombie);
    assert!(system.exists(id).unwrap(), "a zombie is there");
    assert!(matches!(handle.kill(99), Err(Error::NoSuchSignal { number: 99 })));
    assert!(matches!(handle.kill(33), Err(Error::NoSuchSignal { number: 33 })));
    child.0.wait().unwrap();
    assert!(!system.exists(id).unwrap());
    gone(handle.kill(TERMINATE));
    gone(system.kill(id, TERMINATE));
    assert!(system.wait(id, None).unwrap());
}

#[test]
fn another_start_is_another_process() {
    let system = System::new();
    let mut child = Running::idle();
    let mut id = id(&system, &child);
    id.start -= 1;
    gone(system.kill(id, TERMINATE));
    gone(system.handle(id));
    assert!(!system.exists(id).unwrap());
    assert!(system.wait(id, None).unwrap());
    assert!(child.0.try_wait().unwrap().is_none(), "it lives on");
}

/// The kernel hands out numbers in turn, and can be told where to go on. This needs root.
#[test]
fn a_number_that_is_used_again_is_not_hit() {
    const LAST: &str = "/proc/sys/kernel/ns_last_pid";
    if std::fs::write(LAST, std::fs::read(LAST).unwrap()).is_err() {
        assert!(!rustix::process::geteuid().is_root(), "root can set the last number");
        return;
    }
    let system = System::new();
    let mut scanner = system.scanner(Fields::OWNER).unwrap();
    let mut old = Running::idle();
    let old_id = id(&system, &old);
    assert!(scanner.scan().unwrap().get(old_id.pid).is_some());
    old.end();
    let mut again = None;
    eventually("the same number", || {
        std::fs::write(LAST, (old_id.pid - 1).to_string()).unwrap();
        let new = Running::idle();
        let hit = new.pid() == old_id.pid && id(&system, &new).start != old_id.start;
        again = hit.then_some(new);
        hit
    });
    let mut new = again.unwrap();
    gone(system.kill(old_id, TERMINATE));
    gone(system.handle(old_id));
    assert!(!system.exists(old_id).unwrap());
    assert!(system.wait(old_id, None).unwrap());
    assert!(new.0.try_wait().unwrap().is_none(), "the new one lives on");
    // a kept descriptor is the old one's and must not hide the new one
    let found = scanner.scan().unwrap();
    assert_eq!(found.get(old_id.pid).unwrap().id, id(&system, &new));
}

#[test]
fn a_threads_number_is_no_process() {
    let system = System::new();
    let (send, receive) = std::sync::mpsc::channel();
    let (stop, wait) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        send.send(rustix::thread::gettid().as_raw_nonzero().get()).unwrap();
        let _ = wait.recv();
    });
    let tid = u32::try_from(receive.recv().unwrap()).unwrap();
    gone(system.process(tid, Fields::NONE));
    assert!(!system.pids().unwrap().contains(&tid));
    drop(stop);
    thread.join().unwrap();
}

#[test]
fn impossible_numbers_are_no_processes() {
    let system = System::new();
    for pid in [0, i32::MAX as u32, u32::MAX] {
        gone(system.process(pid, Fields::ALL));
        gone(system.handle(Id { pid, start: 0 }));
    }
}
