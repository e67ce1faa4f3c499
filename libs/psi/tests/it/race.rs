//! Processes come and go while they are looked at.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use psi::{Fields, System};

use crate::{Running, descriptors};

const CROWD: usize = 200;
const SCANS: usize = 1000;

/// Ends the crowd also where a scan has failed.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A crowd in which somebody is always being replaced.
fn crowd(stop: &AtomicBool) {
    let mut crowd: Vec<_> = (0..CROWD).map(|_| Running::idle()).collect();
    let mut next = 0;
    while !stop.load(Ordering::Relaxed) {
        crowd[next % CROWD].end();
        crowd[next % CROWD] = Running::new(Command::new("sleep").arg("600"));
        // and one that ends by itself, and is a zombie for a moment
        drop(Running::new(&mut Command::new("true")));
        next += 1;
    }
    assert!(next > 0);
}

#[test]
fn a_thousand_scans_of_a_crowd() {
    let stop = AtomicBool::new(false);
    let system = System::new();
    std::thread::scope(|scope| {
        let _stop = Stop(&stop);
        for _ in 0..2 {
            scope.spawn(|| crowd(&stop));
        }
        let mut scanners = [Fields::OWNER, Fields::ALL].map(|fields| system.scanner(fields).unwrap());
        // everything is dear, so it is asked for less often
        let mut scan = |number: usize| match number % 50 {
            0 => system.processes(Fields::ALL),
            1 => scanners[1].scan(),
            2..10 => system.processes(Fields::LIST),
            10..30 => system.processes(Fields::OWNER),
            _ => scanners[0].scan(),
        };
        for number in 0..SCANS {
            let table = scan(number).expect("no process's end is an error");
            assert!(table.processes.is_sorted_by_key(|process| process.pid()));
            assert!(table.get(std::process::id()).is_some());
        }
    });
}

#[test]
fn nothing_stays_open() {
    let system = System::new();
    let mut scanner = system.scanner(Fields::NONE).unwrap().keep(5);
    scanner.scan().unwrap();
    assert_eq!(scanner.kept(), 5);
    let before = descriptors();
    for fields in [Fields::NONE, Fields::OWNER, Fields::ALL] {
        system.processes(fields).unwrap();
        system.process(std::process::id(), fields).unwrap();
    }
    system.sockets().unwrap();
    scanner.scan().unwrap();
    // other tests of this program open files meanwhile
    crate::eventually("everything closed", || descriptors() <= before);
    assert!(scanner.scan().unwrap().processes.len() > 5, "what is not kept is read all the same");
}
