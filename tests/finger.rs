//! The finger port: Debian's client, RFC 1288's forms, what is refused, hostile bytes, and a users file that changes.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Command;

use crate::harness::{PATIENCE, Ran, Running, Setup, ask, eventually, is_root, opsctl, program};

const USERS: &str = "moshez: happy and well\nshawn:  alive: and kicking \r\naccents: caf\u{e9} \u{1f600}\n";

fn start(more: &str) -> Running {
    start_at("127.0.0.1:0", more)
}

fn start_at(listen: &str, more: &str) -> Running {
    let config = format!("[finger]\nenabled = true\nlisten = '{listen}'\nfile = 'users'\n{more}\n");
    Setup::run(&config).file("users", USERS).start()
}

#[test]
fn the_forms_of_the_grammar() {
    let running = start("");
    let check = |query: &str, expected: &str| {
        assert_eq!(running.ask("finger finger", query), expected, "{query:?}");
    };
    check("moshez\r\n", "happy and well\r\n");
    check("moshez\n", "happy and well\r\n");
    check("  moshez  \r\n", "happy and well\r\n");
    check("shawn\r\n", "alive: and kicking\r\n");
    check("/W moshez\r\n", "Login: moshez\r\nStatus: happy and well\r\n");
    check("/w moshez\r\n", "Login: moshez\r\nStatus: happy and well\r\n");
    check("nobody\r\n", "No such user\r\n");
    check("moshez@elsewhere\r\n", "Finger forwarding service denied\r\n");
    check("@elsewhere\r\n", "Finger forwarding service denied\r\n");
    let list = running.ask("finger finger", "\r\n");
    assert!(list.contains("moshez") && list.contains("shawn"), "{list}");
    assert_eq!(running.ask("finger finger", "/W \r\n").lines().count(), list.lines().count());
    running.stop();
}

#[test]
fn nothing_reaches_a_terminal_that_could_move_it() {
    let running = start("");
    for query in ["accents\r\n", "/W accents\r\n", "\r\n", "\x1b[2J\r\n", "a\0b\r\n"] {
        let answer = running.ask("finger finger", query);
        assert!(answer.bytes().all(|b| matches!(b, b' '..=b'~' | b'\t' | b'\r' | b'\n')), "{query:?}: {answer:?}");
    }
    running.stop();
}

#[test]
fn hostile_clients_are_cut_off_and_the_others_served() {
    let running = start("timeout = '200ms'");
    let address = running.address("finger finger");
    // never says anything, and keeps its line open
    let mut silent = TcpStream::connect(&address).unwrap();
    silent.set_read_timeout(Some(PATIENCE)).unwrap();
    silent.write_all(b"mosh").unwrap();
    let mut long = TcpStream::connect(&address).unwrap();
    long.set_read_timeout(Some(PATIENCE)).unwrap();
    // the server may close before all of it is sent
    let _ = long.write_all(&[b'x'; 20_000]);
    let mut said = Vec::new();
    let _ = long.read_to_end(&mut said);
    assert!(said.len() < 1024, "{}", said.len());
    assert_eq!(running.ask("finger finger", "moshez\r\n"), "happy and well\r\n");
    let mut rest = String::new();
    silent.read_to_string(&mut rest).unwrap();
    // a query without its line end is one at the end of what the client sends
    let mut ended = TcpStream::connect(&address).unwrap();
    ended.write_all(b"moshez").unwrap();
    ended.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    ended.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "happy and well\r\n");
    running.stop();
}

#[test]
fn the_list_can_be_refused() {
    let running = start("list = false");
    assert_eq!(running.ask("finger finger", "\r\n"), "Finger online user list denied\r\n");
    assert_eq!(running.ask("finger finger", "moshez\r\n"), "happy and well\r\n");
    running.stop();
}

#[test]
fn queries_are_passed_on_to_whom_the_table_allows() {
    let far = start("");
    let far_address = far.address("finger finger");
    let near = start(&format!("forward = ['{far_address}']"));
    let denied = "Finger forwarding service denied\r\n";
    assert_eq!(near.ask("finger finger", "moshez@127.0.0.1\r\n"), "happy and well\r\n");
    assert_eq!(near.ask("finger finger", "moshez@127.0.0.2\r\n"), denied);
    // the far one passes nothing on, and says so through the near one
    assert_eq!(near.ask("finger finger", "moshez@a@127.0.0.1\r\n"), denied);
    assert_ne!(near.ask("finger finger", "moshez@127.0.0.1@127.0.0.1@127.0.0.1\r\n"), "happy and well\r\n");
    far.stop();
    let gone = near.ask("finger finger", "moshez@127.0.0.1\r\n");
    assert!(!gone.is_empty() && !gone.contains("happy"), "{gone}");
    near.stop();
}

#[test]
fn a_changed_users_file_is_read_and_a_bad_one_is_not() {
    let running = start("");
    let address = running.address("finger finger");
    let write = |text: &str| {
        std::fs::write(running.path("users.new"), text).unwrap();
        std::fs::rename(running.path("users.new"), running.path("users")).unwrap();
    };
    let answers = |expected: &str| {
        eventually(expected, || ask(&address, "moshez\r\n").ok().filter(|answer| answer == expected));
    };
    write("moshez: changed\n");
    answers("changed\r\n");
    write("moshez: bad\nno colon here\n");
    eventually("degraded", || running.status().contains("\"degraded\"").then_some(()));
    answers("changed\r\n");
    assert_eq!(running.get("/readyz", "").0, 200, "it serves");
    assert_eq!(running.control("status").code, Some(1), "somebody must act");
    running.logs("users:2:");
    std::fs::remove_file(running.path("users")).unwrap();
    answers("changed\r\n");
    write("moshez: mended\n");
    answers("mended\r\n");
    eventually("well again", || (running.control("status").code == Some(0)).then_some(()));
    running.stop();
}

#[test]
fn check_reports_every_fault_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let users = dir.path().join("users");
    std::fs::write(&users, "good: one\nbad one\n: nobody\nescape: \x1b[2J\n").unwrap();
    let check = || Ran::of(opsctl(["finger", "--file"]).arg(&users).arg("check"));
    let said = check().fails(1);
    for place in ["users:2:", "users:3:", "users:4:9: control character"] {
        assert!(said.contains(place), "no {place} in:\n{said}");
    }
    std::fs::write(&users, USERS).unwrap();
    check().ok();
}

#[test]
fn debian_client() {
    if !is_root() {
        return crate::privileges::in_a_namespace("finger::debian_client");
    }
    let client = program("finger", "finger");
    let pid = std::process::id();
    let host = format!("127.80.{}.{}", pid >> 8 & 0xff, (pid & 0xff).clamp(1, 254));
    let running = start_at(&format!("{host}:79"), "");
    let finger = |args: &[&str]| Ran::of(Command::new(&client).args(args)).ok().replace('\r', "");
    assert_eq!(finger(&[&format!("moshez@{host}")]), "happy and well\n");
    assert_eq!(finger(&["-l", &format!("moshez@{host}")]), "Login: moshez\nStatus: happy and well\n");
    assert_eq!(finger(&["-s", &format!("nobody@{host}")]), "No such user\n");
    assert_eq!(finger(&[&format!("a@h3@{host}")]), "Finger forwarding service denied\n");
    for list in [finger(&[&format!("@{host}")]), finger(&["-l", &format!("@{host}")])] {
        assert!(list.contains("moshez") && list.contains("shawn") && !list.contains('\x1b'), "{list:?}");
    }
    running.stop();
}
