//! Services that end, panic, hang and fall ill: what the host makes of them. `lab` misbehaves, `finger` serves on.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::harness::{Running, Setup, ask, eventually};

const BOTH: &str = "
[host]
restart_delay = '1ms'
restart_delay_max = '2ms'
[finger]
enabled = true
listen = '127.0.0.1:0'
file = 'users'
[lab]
enabled = true
listen = '127.0.0.1:0'
";

fn both(policy: &str) -> Setup {
    Setup::run(&format!("{BOTH}\n{policy}\n")).file("users", "moshez: happy and well\n")
}

fn finger_serves(running: &Running) {
    assert_eq!(running.ask("finger finger", "moshez\r\n"), "happy and well\r\n");
}

fn lab_serves(running: &Running) {
    let address = running.address("lab lab");
    eventually("lab answers", || ask(&address, "hello\n").ok().filter(|answer| answer == "hello\n"));
}

#[test]
fn a_panic_restarts_the_service_and_leaves_the_others_serving() {
    let running = both("restart = 'on-failure'").start();
    for restarts in 1..=3 {
        assert_eq!(running.ask("lab lab", "panic\n"), "panics\n");
        finger_serves(&running);
        let count = format!("\"restarts\":{restarts}");
        eventually("lab is back", || running.status().contains(&count).then_some(()));
        lab_serves(&running);
    }
    assert!(running.status().contains("panicked: as told"), "{}", running.status());
    running.stop();
}

#[test]
fn a_panic_in_one_connection_ends_only_that_connection() {
    let running = both("").start();
    assert_eq!(running.ask("lab lab", "panic here\n"), "");
    lab_serves(&running);
    let log = running.stop();
    assert!(log.contains("in the connection, as told"), "{log}");
}

#[test]
fn an_error_stops_the_program_unless_the_table_says_otherwise() {
    let running = both("").start();
    assert_eq!(running.ask("lab lab", "fail\n"), "fails\n");
    let log = running.wait().fails(1);
    assert!(log.contains("service `lab` ended: failed as told"), "{log}");
}

#[test]
fn an_orderly_end_is_no_failure_to_restart_after() {
    let running = both("restart = 'on-failure'").start();
    assert_eq!(running.ask("lab lab", "end\n"), "ends\n");
    let log = running.wait().fails(1);
    assert!(log.contains("service `lab` ended: ended by itself"), "{log}");

    let running = both("restart = 'always'").start();
    assert_eq!(running.ask("lab lab", "end\n"), "ends\n");
    lab_serves(&running);
    running.stop();
}

#[test]
fn a_restart_storm_is_given_up() {
    let running = both("restart = 'always'").args(["--set", "host.restart_limit=3"]).start();
    let address = running.address("lab lab");
    for restarts in 1..=3 {
        assert_eq!(ask(&address, "fail\n").unwrap(), "fails\n");
        let count = format!("\"restarts\":{restarts}");
        eventually("lab is back", || running.status().contains(&count).then_some(()));
    }
    assert_eq!(ask(&address, "fail\n").unwrap(), "fails\n");
    let log = running.wait().fails(1);
    assert!(log.contains("restarted too often within `host.restart_window`"), "{log}");
}

#[test]
fn stopping_finishes_what_was_begun() {
    let running = both("").start();
    let mut slow = TcpStream::connect(running.address("lab lab")).unwrap();
    slow.write_all(b"slow\n").unwrap();
    // the connection has been accepted once a later one has been answered
    lab_serves(&running);
    running.signal("TERM");
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "slow\n");
    let mut running = running;
    let log = running.wait_keeping().fails(0);
    assert!(log.contains("stopped"), "{log}");
    assert!(!running.path("data/opsctl.sock").exists(), "the control socket is gone");
}

#[test]
fn a_second_signal_cuts_off() {
    let running = both("").start();
    let mut hang = TcpStream::connect(running.address("lab lab")).unwrap();
    hang.write_all(b"hang\n").unwrap();
    lab_serves(&running);
    running.signal("INT");
    running.logs("stopping");
    running.signal("INT");
    let log = running.wait().fails(1);
    assert!(log.contains("cut off by a second signal"), "{log}");
}

#[test]
fn the_grace_period_cuts_off() {
    let running = both("").args(["--grace", "50ms"]).start();
    let mut hang = TcpStream::connect(running.address("lab lab")).unwrap();
    hang.write_all(b"hang\n").unwrap();
    lab_serves(&running);
    running.signal("TERM");
    let log = running.wait().fails(1);
    assert!(log.contains("cut off by the end of the grace period"), "{log}");
}

#[test]
fn services_start_in_the_order_of_the_table_and_stop_in_reverse() {
    let running = both("").start();
    let status = running.status();
    let place = |text: &str| status.find(text).unwrap_or_else(|| panic!("no {text} in {status}"));
    assert!(place("\"host\"") < place("\"finger\"") && place("\"finger\"") < place("\"lab\""), "{status}");
    let log = running.stop();
    let place = |service: &str| {
        let line = log.lines().position(|line| line.contains("service stopped") && line.contains(service));
        line.unwrap_or_else(|| panic!("{service} did not stop:\n{log}"))
    };
    assert!(place("\"lab\"") < place("\"finger\"") && place("\"finger\"") < place("\"host\""), "{log}");
}

#[test]
fn a_service_that_does_not_open_stops_the_start() {
    let log = both("refuse = 'not today'").ran().fails(1);
    assert!(log.contains("failed to open service `lab`: not today"), "{log}");
}

#[test]
fn a_taken_port_stops_the_start_before_anything_was_touched() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let setup = both("").args(["--set", &format!("lab.listen={address}")]);
    let mut running = setup.spawn();
    let log = running.wait_keeping().fails(1);
    assert!(log.contains(&address) && log.contains("in use"), "{log}");
    assert!(!running.path("data").exists());
}

#[test]
fn health_shows_on_every_page() {
    let running = both("").start();
    assert_eq!(running.get("/readyz", "").0, 200);
    assert_eq!(running.get("/healthz", "").0, 200);
    assert_eq!(running.control("status").code, Some(0));

    assert_eq!(running.ask("lab lab", "weak\n"), "weak\n");
    assert_eq!(running.get("/readyz", "").0, 200, "it still serves");
    let status = running.control("status");
    assert_eq!(status.code, Some(1));
    assert!(status.stdout.contains("weak as told"), "{}", status.stdout);

    assert_eq!(running.ask("lab lab", "ill\n"), "ill\n");
    assert_eq!(running.get("/readyz", "").0, 503);
    assert_eq!(running.get("/healthz", "").0, 503);
    let (_, metrics) = running.get("/metrics", "");
    assert!(metrics.contains("opsctl_service_healthy{service=\"lab\"} 0"), "{metrics}");
    assert!(metrics.contains("opsctl_service_healthy{service=\"finger\"} 1"), "{metrics}");

    assert_eq!(running.ask("lab lab", "well\n"), "well\n");
    assert_eq!(running.get("/healthz", "").0, 200);
    running.stop();
}
