//! systemd's side: readiness, reload, stop and watchdog by sd_notify(3), sockets by activation, and the unit file.

use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::{OPSCTL, PATIENCE, Ran, Setup, ask, eventually, opsctl, program, run};

const LAB: &str = "[lab]\nenabled = true\nlisten = '127.0.0.1:0'\n";

/// A service manager's end of NOTIFY_SOCKET.
struct Manager(UnixDatagram);

impl Manager {
    fn new(setup: &mut Setup) -> Self {
        let path = setup.path("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        setup.command.env("NOTIFY_SOCKET", path);
        Self(socket)
    }

    fn next(&self) -> String {
        let mut buffer = [0; 4096];
        let length = self.0.recv(&mut buffer).expect("the host says something");
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    /// The next message that has `line`.
    fn hears(&self, line: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let message = self.next();
            if message.lines().any(|found| found == line) {
                return message;
            }
            assert!(Instant::now() < deadline, "never heard {line}");
        }
    }

    fn forget_what_was_said(&self) {
        self.0.set_nonblocking(true).unwrap();
        while self.0.recv(&mut [0; 4096]).is_ok() {}
        self.0.set_nonblocking(false).unwrap();
    }
}

#[test]
fn ready_reloading_stopping() {
    let mut setup = Setup::run(LAB);
    let manager = Manager::new(&mut setup);
    let running = setup.spawn();
    manager.hears("READY=1");
    assert_eq!(running.ask("lab lab", "hello\n"), "hello\n", "it serves when it says so");

    running.signal("HUP");
    let message = manager.hears("RELOADING=1");
    let stamp = message.lines().find_map(|line| line.strip_prefix("MONOTONIC_USEC=")).expect("a time stamp");
    assert!(stamp.parse::<u64>().unwrap() > 0);
    manager.hears("READY=1");

    running.signal("TERM");
    manager.hears("STOPPING=1");
    running.wait().fails(0);
}

#[test]
fn the_watchdog_is_pinged_unless_a_critical_service_fails() {
    let mut setup = Setup::run(LAB);
    let manager = Manager::new(&mut setup);
    setup.command.env("WATCHDOG_USEC", "40000");
    let running = setup.spawn();
    manager.hears("READY=1");
    manager.hears("WATCHDOG=1");
    manager.hears("WATCHDOG=1");

    running.ask("lab lab", "ill\n");
    // one that was under way may still come in
    eventually("no ping while it fails", || {
        manager.forget_what_was_said();
        manager.0.set_read_timeout(Some(Duration::from_millis(400))).unwrap();
        manager.0.recv(&mut [0; 4096]).is_err().then_some(())
    });
    manager.0.set_read_timeout(Some(PATIENCE)).unwrap();
    running.ask("lab lab", "weak\n");
    manager.hears("WATCHDOG=1");
    running.configure(&format!("{LAB}critical = false\n"));
    running.control("reload").ok();
    running.ask("lab lab", "ill\n");
    manager.hears("WATCHDOG=1");
    running.stop();
}

/// Starts the binary under systemd-socket-activate with two sockets, named in this order.
fn activated(names: &str) -> String {
    let activate = program("systemd-socket-activate", "systemd");
    let dir = tempfile::tempdir().unwrap();
    let config = "[lab]\nenabled = true\nlisten = 'systemd:lab'\n[host]\nlisten = 'systemd:status'\n";
    std::fs::write(dir.path().join("opsctl.toml"), config).unwrap();
    let ports = [free_port(), free_port()];
    let mut command = Command::new(activate);
    for port in ports {
        command.args(["--listen", &format!("127.0.0.1:{port}")]);
    }
    command.arg(format!("--fdname={names}")).arg(OPSCTL).arg("run");
    command.arg("--config").arg(dir.path().join("opsctl.toml")).arg("--data-dir").arg(dir.path().join("data"));
    command.arg("--allow-root").stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    // the first connection starts the program
    let answers = ports
        .map(|port| eventually("an answer", || ask(&format!("127.0.0.1:{port}"), "GET /readyz HTTP/1.0\r\n\r\n").ok()));
    child.kill().unwrap();
    child.wait().unwrap();
    answers.map(|answer| if answer.contains("unknown word") { "lab" } else { "status" }).join(" ")
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn activated_sockets_are_taken_by_name() {
    assert_eq!(activated("lab:status"), "lab status");
    assert_eq!(activated("status:lab"), "status lab");
}

#[test]
fn a_socket_that_was_not_passed_is_named() {
    let ran = Setup::run(&LAB.replace("127.0.0.1:0", "systemd:lab")).ran();
    assert!(ran.fails(1).contains("systemd:lab"));
    let mut setup = Setup::run(&LAB.replace("127.0.0.1:0", "systemd:lab"));
    setup.command.envs([("LISTEN_FDS", "1"), ("LISTEN_FDNAMES", "lab"), ("LISTEN_PID", "1")]);
    assert!(setup.ran().fails(1).contains("systemd:lab"), "sockets for another process are not ours");
}

#[test]
fn units_verify_and_are_hardened() {
    let analyze = program("systemd-analyze", "systemd");
    let dir = tempfile::tempdir().unwrap();
    for (unit, args) in [("opsctl.service", &["systemd"][..]), ("opsctl-finger.service", &["systemd", "finger"])] {
        let path = dir.path().join(unit);
        std::fs::write(&path, run(args).ok()).unwrap();
        let verify = Ran::of(Command::new(&analyze).args(["--man=no", "verify"]).arg(&path));
        assert_eq!((verify.code, verify.stderr.as_str()), (Some(0), ""), "{}", verify.stdout);
        let mut security = Command::new(&analyze);
        security.args(["security", "--offline=true", "--no-pager", "--threshold=20"]).arg(&path);
        let security = Ran::of(&mut security);
        assert_eq!(security.code, Some(0), "scores worse than 2.0:\n{}{}", security.stdout, security.stderr);
    }
    assert!(Ran::of(&mut opsctl(["systemd", "nosuch"])).fails(1).contains("nosuch"));
}
