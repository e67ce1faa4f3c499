//! The finger port and its files in the hands of the careless and the hostile: what a terminal is spared, how much room
//! one client gets, and what is said of a file that cannot be used.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::harness::{PATIENCE, Ran, Running, Setup, ask, eventually, opsctl};

const USERS: &str = "# who is who\nmoshez: happy and well\nshawn: caf\u{e9}: \u{202e}open\nglyph:\n";
const TABLE: &str = "[finger]\nenabled = true\nlisten = '127.0.0.1:0'\nfile = 'users'\n";

fn start(more: &str) -> Running {
    Setup::run(&format!("{TABLE}{more}\n")).file("users", USERS).start()
}

#[test]
fn exact_answers() {
    let running = start("");
    let check = |query: &str, said: &str| assert_eq!(running.ask("finger finger", query), said, "{query:?}");
    check("glyph\r\n", "\r\n");
    check("shawn\r\n", "caf?: ?open\r\n");
    check("\r\n", "moshez\r\nshawn\r\nglyph\r\n");
    // what Debian's `finger -l @host` sends
    check("/W \r\n", "moshez: happy and well\r\nshawn: caf?: ?open\r\nglyph: \r\n");
    let overlong = "malformed query: a query has at most 1024 bytes\r\n";
    check(&format!("{}\r\n", "x".repeat(20_000)), overlong);
    check(&"x".repeat(20_000), overlong);
    check("mos\0hez\r\n", "malformed query: control character in the query\r\n");
    check("moshez@\r\n", "malformed query: `@` without a host name\r\n");
    running.stop();
}

#[test]
fn a_closed_field_is_not_told() {
    let running = start("detail = []");
    assert_eq!(running.ask("finger finger", "/W moshez\r\n"), "happy and well\r\n");
    assert_eq!(running.ask("finger finger", "/W\r\n"), "moshez\r\nshawn\r\nglyph\r\n");
    running.stop();
}

#[test]
fn plans_reach_no_terminal_raw_and_no_other_file_does() {
    let setup = Setup::run(&format!("{TABLE}plans = 'plans'\n")).file("users", "moshez: well\n../users: sly\n");
    std::fs::create_dir(setup.path("plans")).unwrap();
    std::fs::write(setup.path("plans/moshez"), b"world\x1b[2J\r\n\x9b31m\0 domination\rover\x07\n").unwrap();
    let running = setup.start();
    let plan = running.ask("finger finger", "/W moshez\r\n");
    assert!(plan.contains("world?[2J") && plan.contains("domination"), "{plan:?}");
    assert!(plan.ends_with("\r\n"), "{plan:?}");
    assert!(plan.replace("\r\n", "").chars().all(|c| c == '\t' || matches!(c, ' '..='~')), "{plan:?}");
    let sly = running.ask("finger finger", "/W ../users\r\n");
    assert!(sly.contains("sly") && !sly.contains("well"), "{sly:?}");
    running.stop();
}

/// Who says nothing keeps a place until the time is up; who speaks is served all the same.
#[test]
fn silent_clients_do_not_shut_others_out_for_long() {
    let running = start("timeout = '300ms'\nmax_connections = 2");
    let address = running.address("finger finger");
    let mut silent = [(); 2].map(|()| TcpStream::connect(&address).unwrap());
    for stream in &mut silent {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(b"mosh").unwrap();
    }
    let detail = "Login: moshez\r\nStatus: happy and well\r\n";
    eventually("a place is free", || ask(&address, "/W moshez\r\n").ok().filter(|answer| answer == detail));
    for stream in &mut silent {
        let mut said = String::new();
        stream.read_to_string(&mut said).unwrap();
        assert_eq!(said, "", "hung up on, not answered");
    }
    running.stop();
}

#[test]
fn each_kind_of_bad_users_file_keeps_the_last_good_one() {
    let running = start("");
    let put = |bytes: &[u8]| {
        std::fs::write(running.path("users.new"), bytes).unwrap();
        std::fs::rename(running.path("users.new"), running.path("users")).unwrap();
    };
    let refused: [(&[u8], &str); 4] = [
        (b"moshez: bad\n\nno colon\n", "users:3:9: no `:` between user and status"),
        (b"moshez: \x1b[2J\n", "users:1:9: control character U+001B"),
        (b"moshez: bad\nmoshez: worse\n", "users:2:1: user `moshez` stands already on line 1"),
        (b"a@b: bad\n\xef\xbb\xbf: nobody\n", "users:1:2: `@` in a user's name"),
    ];
    for (bytes, fault) in refused {
        put(bytes);
        eventually(fault, || running.status().contains(fault).then_some(()));
        assert_eq!(running.ask("finger finger", "moshez\r\n"), "happy and well\r\n", "{fault}");
        let status = running.control("status");
        assert_eq!(status.code, Some(1));
        assert!(status.stdout.contains("degraded") && status.stdout.contains(fault), "{}", status.stdout);
    }
    put(b"\xef\xbb\xbfmoshez : with: a mark, and \"rename\" \r\n\r\nshawn:caf\xe9");
    let mended = "with: a mark, and \"rename\"\r\n";
    eventually(mended, || (running.ask("finger finger", "moshez\r\n") == mended).then_some(()));
    assert_eq!(running.ask("finger finger", "shawn\r\n"), "caf?\r\n", "Latin-1");
    running.stop();
}

#[test]
fn check_reports_users_and_templates_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let check = || {
        let mut command = opsctl(["finger", "check", "--file"]);
        Ran::of(command.arg(path("users")).arg("--templates").arg(dir.path()))
    };
    std::fs::write(path("users"), USERS).unwrap();
    assert!(check().ok().contains("users: 3 users"));

    std::fs::write(path("users"), "no colon\nmoshez: well\n: nobody\nmoshez: again\na@b: c\nbell:\x07\n").unwrap();
    std::fs::write(path("list.html"), "<p>\n{% for user in %}</p>\n").unwrap();
    let said = check().fails(1);
    let places = [
        ("users", "1:9:"),
        ("users", "3:1:"),
        ("users", "4:1:"),
        ("users", "5:2:"),
        ("users", "6:6:"),
        ("list.html", "2:"),
    ];
    for (file, place) in places {
        let place = format!("{}:{place}", path(file).display());
        assert_eq!(said.matches(&place).count(), 1, "no {place} in:\n{said}");
    }
    assert_eq!(said.lines().count(), places.len(), "{said}");

    std::fs::remove_file(path("users")).unwrap();
    let said = check().fails(1);
    assert!(said.contains(&path("users").display().to_string()), "{said}");
}

#[test]
fn a_bad_users_file_stops_the_start() {
    let said = Setup::run(TABLE).file("users", "moshez\nshawn\n").ran().fails(1);
    assert!(said.contains("users:1:7") && said.contains("users:2:6"), "{said}");
}
