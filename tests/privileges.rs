//! Sockets first, then the account: port 79 stays served after root is gone, over restarts and reloads.
//!
//! Needs root; another account gets it in a user and network namespace of its own.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::harness::{OPSCTL, Ran, Running, Setup, is_root, opsctl, program, read};

/// An address that no other test uses: port 79 can only be had as root.
fn address() -> String {
    let pid = std::process::id();
    format!("127.79.{}.{}:79", pid >> 8 & 0xff, (pid & 0xff).clamp(1, 254))
}

fn config(status: &str) -> String {
    format!(
        "[finger]\nenabled = true\nlisten = '{}'\nfile = 'users'\n[lab]\nenabled = true\nlisten = '127.0.0.1:0'\n\
         greeting = '{status}'\nrestart = 'always'\n[host]\nrestart_delay = '1ms'\n",
        address()
    )
}

fn start() -> Option<Running> {
    if !is_root() {
        return None;
    }
    let mut setup = Setup::run(&config("one")).file("users", "moshez: happy\n");
    std::fs::set_permissions(setup.dir.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    setup.command.args(["--user", "nobody"]);
    Some(setup.start())
}

#[test]
fn every_thread_is_unprivileged_and_port_79_is_kept() {
    let Some(running) = start() else {
        return in_a_namespace("privileges::every_thread_is_unprivileged_and_port_79_is_kept");
    };
    for task in std::fs::read_dir(format!("/proc/{}/task", running.pid())).unwrap() {
        let status = read(task.unwrap().path().join("status"));
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            line.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(field("Uid:"), "65534 65534 65534 65534");
        assert_eq!(field("Gid:"), "65534 65534 65534 65534");
        assert_eq!(field("Groups:"), "65534");
        for set in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
            assert_eq!(field(set), "0000000000000000", "{set}");
        }
        assert_eq!(field("NoNewPrivs:"), "1");
    }
    // bound as root, and not again since
    let ask = || assert_eq!(crate::harness::ask(&address(), "moshez\r\n").expect("nobody is refused"), "happy\r\n");
    crate::reload::under_load(1000, ask, |round| {
        running.configure(&config("one").replace("'users'", if round % 2 == 0 { "'./users'" } else { "'users'" }));
        assert_eq!(crate::harness::post(&running.path("data/opsctl.sock"), "/reload"), "finger changed");
    });
    running.stop();
}

#[test]
fn a_chroot_confines_and_keeps_what_was_bound() {
    if !is_root() {
        return in_a_namespace("privileges::a_chroot_confines_and_keeps_what_was_bound");
    }
    let jail = tempfile::tempdir().unwrap();
    std::fs::write(jail.path().join("users"), "moshez: in jail\n").unwrap();
    std::fs::set_permissions(jail.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let config = "[finger]\nenabled = true\nlisten = '127.0.0.1:0'\nfile = '/users'\n";
    let setup = Setup::run(config).args(["--chroot".as_ref(), jail.path().as_os_str()]);
    let setup = setup.args(["--user", "nobody", "--data-dir", "/data", "--ready-file", "/ready", "--umask", "077"]);
    let running = setup.spawn();
    running.logs("\"ready\"");
    let root = std::fs::read_link(format!("/proc/{}/root", running.pid())).unwrap();
    assert_eq!(root, jail.path().canonicalize().unwrap());
    let ready = read(jail.path().join("ready"));
    let address = ready.lines().find_map(|line| line.strip_prefix("finger finger ")).unwrap();
    assert_eq!(crate::harness::ask(address, "moshez\r\n").unwrap(), "in jail\r\n");
    let mode = std::fs::metadata(jail.path().join("ready")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "the umask holds");
    let status = Ran::of(opsctl(["status", "--data-dir"]).arg(jail.path().join("data")));
    assert!(status.ok().contains("finger"));
    running.stop();
}

#[test]
fn root_must_be_asked_for() {
    if !is_root() {
        return in_a_namespace("privileges::root_must_be_asked_for");
    }
    let said = Ran::of(&mut opsctl(["run"])).fails(2);
    assert!(said.contains("--user") && said.contains("--allow-root"), "{said}");
}

#[test]
fn an_unknown_account_is_named_before_anything_is_touched() {
    let setup = Setup::run("[lab]\nenabled = true\n").args(["--user", "nosuchuser"]);
    let data = setup.path("data");
    let said = setup.ran().fails(1);
    assert!(said.contains("nosuchuser"), "{said}");
    assert!(!data.exists());
}

#[test]
fn a_port_below_1024_without_rights_says_what_helps() {
    let mut command = if is_root() {
        let mut command = Command::new(program("setpriv", "util-linux"));
        // still root by name, but without what makes it one; the binary may be where nobody else can go
        command.args(["--bounding-set=-all", "--inh-caps=-all", OPSCTL]);
        command
    } else {
        Command::new(OPSCTL)
    };
    let unprivileged = read("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    if unprivileged.trim().parse::<u32>().unwrap() <= 79 {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    command.args(["finger", "--allow-root", "--listen", &address(), "--data-dir"]).arg(dir.path().join("data"));
    let said = Ran::of(&mut command).fails(1);
    assert!(said.contains("CAP_NET_BIND_SERVICE"), "{said}");
}

/// Runs this test again as root of a namespace.
pub(crate) fn in_a_namespace(test: &str) {
    let this = std::env::current_exe().unwrap();
    let script = format!("ip link set lo up && exec '{}' --exact {test}", this.display());
    let mut command = Command::new(program("unshare", "util-linux"));
    command.args(["--map-root-user", "--map-auto", "--net", "sh", "-c", &script]);
    let ran = Ran::of(&mut command);
    let passed = ran.code == Some(0) && ran.stdout.contains("1 passed");
    assert!(passed, "{}{}", ran.stdout, ran.stderr);
}
