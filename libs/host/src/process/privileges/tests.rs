//! The drop, in processes of their own. What needs root says so where it has not got it, and checks the refusal.

use std::fs;
use std::io::Write;
use std::process::Output;
use std::sync::Barrier;

use super::super::testing;
use super::*;

const NOBODY: u32 = 65534;

fn check(user: Option<&str>, group: Option<&str>, expected: Result<(Option<u32>, Option<u32>), &str>) {
    let result = Identity::resolve(user, group).map(|identity| (identity.uid(), identity.gid()));
    assert_eq!(result.map_err(|error| error.to_string()), expected.map_err(str::to_owned), "{user:?} {group:?}");
}

#[test]
fn names_and_numbers_are_resolved() {
    check(None, None, Ok((None, None)));
    check(Some("nobody"), None, Ok((Some(NOBODY), Some(NOBODY))));
    check(Some("65534"), None, Ok((Some(NOBODY), Some(NOBODY))));
    check(Some("daemon"), Some("0"), Ok((Some(1), Some(0))));
    check(Some("daemon"), Some("root"), Ok((Some(1), Some(0))));
    check(Some("12345678"), Some("87654321"), Ok((Some(12_345_678), Some(87_654_321))));
    check(None, Some("daemon"), Ok((None, Some(1))));
    check(Some("no such user"), None, Err("there is no user `no such user`"));
    check(None, Some("no such group"), Err("there is no group `no such group`"));
    check(Some("-1"), None, Err("there is no user `-1`"));
    check(Some("4294967295"), Some("1"), Err("there is no user `4294967295`"));
    check(
        Some("12345678"),
        None,
        Err("user `12345678` has no entry in the account database, so a group must be given too"),
    );
}

/// Becomes `user`, starts two threads more, and writes every thread's status lines.
fn drop_to(test: &str, user: &str) -> Output {
    testing::alone(test, testing::text(user), |user| {
        let identity = Identity::resolve(user.to_str(), None).unwrap();
        if let Err(error) = identity.assume() {
            let source = std::error::Error::source(&error).unwrap();
            writeln!(io::stderr(), "{error}: {source}").unwrap();
            return 1;
        }
        let (started, done) = (Barrier::new(3), Barrier::new(3));
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    started.wait();
                    done.wait();
                });
            }
            started.wait();
            for task in fs::read_dir("/proc/self/task").unwrap() {
                let status = fs::read_to_string(task.unwrap().path().join("status")).unwrap();
                let status: Vec<&str> = status.lines().filter(|line| interesting(line)).collect();
                writeln!(io::stderr(), "{}", status.join("; ").replace('\t', " ")).unwrap();
            }
            done.wait();
        });
        0
    })
}

fn interesting(line: &str) -> bool {
    ["Uid:", "Gid:", "Groups:", "Cap", "NoNewPrivs:"].iter().any(|name| line.starts_with(name))
}

#[test]
fn every_thread_has_dropped_everything() {
    // Whoever is not root may not become root either.
    let user = if unistd::geteuid().is_root() { "nobody" } else { "root" };
    let output = drop_to(concat!(module_path!(), "::every_thread_has_dropped_everything"), user);
    let text = String::from_utf8(output.stderr).unwrap();
    if !unistd::geteuid().is_root() {
        writeln!(io::stderr(), "not root: checked only that the drop is refused").unwrap();
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.starts_with("failed to ") && text.ends_with(": Operation not permitted (os error 1)\n"), "{text}");
        return;
    }
    assert_eq!(output.status.code(), Some(0), "{text}");
    let none = "0000000000000000";
    let line = format!(
        "Uid: 65534 65534 65534 65534; Gid: 65534 65534 65534 65534; Groups: 65534 ; \
         CapInh: {none}; CapPrm: {none}; CapEff: {none}; CapBnd: {none}; CapAmb: {none}; NoNewPrivs: 1\n"
    );
    assert_eq!(text, line.repeat(3));
}

#[test]
fn the_account_one_has_already_is_accepted() {
    let test = concat!(module_path!(), "::the_account_one_has_already_is_accepted");
    let output = testing::alone(test, testing::text("nobody"), |user| {
        let user =
            if unistd::geteuid().is_root() { user.to_str().unwrap().to_owned() } else { unistd::geteuid().to_string() };
        let identity = Identity::resolve(Some(&user), Some(&unistd::getegid().to_string())).unwrap();
        identity.assume().unwrap();
        identity.assume().unwrap();
        0
    });
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn a_second_thread_is_refused() {
    let identity = Identity::resolve(Some("nobody"), None).unwrap();
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let other = std::thread::spawn(move || held.recv());
    let error = identity.assume().unwrap_err();
    drop(hold);
    assert_eq!(error.to_string(), "failed to change the account");
    other.join().unwrap().unwrap_err();
}

#[test]
fn nobody_named_nothing_changed() {
    Identity::resolve(None, None).unwrap().assume().unwrap();
}

#[test]
fn a_chroot_leaves_no_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let test = concat!(module_path!(), "::a_chroot_leaves_no_way_out");
    let output = testing::alone(test, folder.path(), |path| {
        fs::write(path.join("inside"), "").unwrap();
        let identity = Identity::resolve(Some("daemon"), None).unwrap();
        if let Err(error) = enter_chroot(path) {
            writeln!(io::stderr(), "{}", error.to_string().replace(path.to_str().unwrap(), "F")).unwrap();
            return 1;
        }
        // The account database is outside; it is not needed any more.
        identity.assume().unwrap();
        let seen: Vec<_> = fs::read_dir("..").unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(seen, ["inside"]);
        0
    });
    let text = String::from_utf8(output.stderr).unwrap();
    if unistd::geteuid().is_root() {
        assert_eq!((output.status.code(), text.as_str()), (Some(0), ""));
    } else {
        writeln!(io::stderr(), "not root: checked only that the chroot is refused").unwrap();
        assert_eq!((output.status.code(), text.as_str()), (Some(1), "failed to enter chroot `F`\n"));
    }
}
