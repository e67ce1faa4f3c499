//! Forwarding along a chain of three servers, asked by Debian's finger client, which knows no port but 79.

use std::process::Command;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::harness::{Ran, Running, Setup, is_root, program};

/// An address that no other test uses.
fn address() -> String {
    static NEXT: AtomicU8 = AtomicU8::new(81);
    let pid = std::process::id();
    format!("127.{}.{}.{}", NEXT.fetch_add(1, Ordering::Relaxed), pid >> 8 & 0xff, (pid & 0xff).clamp(1, 254))
}

/// The server at `host`, where moshez has this status; it passes queries on to `allowed`.
fn start(host: &str, allowed: &[&str], status: &str) -> Running {
    let config = format!(
        "[finger]\nenabled = true\nlisten = '{host}:79'\nfile = 'users'\nforward = {allowed:?}\nforward_hops = 3\n"
    );
    Setup::run(&config).file("users", &format!("moshez: {status}\nshawn: well\n")).start()
}

#[test]
fn a_chain_of_servers() {
    if !is_root() {
        return crate::privileges::in_a_namespace("finger_forwarding::a_chain_of_servers");
    }
    let [a, b, c] = [address(), address(), address()];
    let first = start(&a, &[&b], "at a");
    let second = start(&b, &[&a, &c], "at b");
    let third = start(&c, &[], "at c, \u{e9}");
    let client = program("finger", "finger");
    let check = |words: &str, said: &str| {
        let named = |text: &str| text.replace("{a}", &a).replace("{b}", &b).replace("{c}", &c);
        let mut finger = Command::new(&client);
        assert_eq!(Ran::of(finger.args(named(words).split(' '))).ok(), named(said), "{words}");
    };
    check("moshez@{b}@{a}", "at b\n");
    check("moshez@{c}@{b}@{a}", "at c, ?\n");
    check("-l moshez@{c}@{b}@{a}", "Login: moshez\nStatus: at c, ?\n");
    check("@{c}@{b}@{a}", "moshez\nshawn\n");
    check("-l @{c}@{b}@{a}", "moshez: at c, ?\nshawn: well\n");
    check("nobody@{c}@{b}@{a}", "No such user\n");
    // each server goes by its own list, whoever asks
    check("moshez@{c}@{a}", "Finger forwarding service denied\n");
    check("moshez@{b}@{c}", "Finger forwarding service denied\n");
    check("moshez@{c}@{a}@{b}@{a}", "Finger forwarding service denied\n");
    // to and fro between two that trust each other
    check("moshez@{a}@{b}@{a}", "at a\n");
    check("moshez@{b}@{a}@{b}@{a}", "Finger forwarding service denied: `{b}` stands twice in the query\n");
    check("moshez@{b}@{b}@{a}", "Finger forwarding service denied: `{b}` stands twice in the query\n");
    check("moshez@{c}@{b}@{a}@{b}@{a}", "Finger forwarding service denied: more than 3 hosts\n");
    third.stop();
    check("moshez@{c}@{b}@{a}", "No answer from `{c}`\n");
    second.stop();
    first.stop();
}
