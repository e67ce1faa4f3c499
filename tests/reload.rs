//! A new configuration while everything runs: all or nothing, and no connection is refused meanwhile.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::harness::{Running, Setup, ask, eventually, read};

fn config(greeting: &str, more: &str) -> String {
    format!("[lab]\nenabled = true\nlisten = '127.0.0.1:0'\ngreeting = '{greeting}'\n{more}\n")
}

fn with_finger(greeting: &str, more: &str) -> String {
    format!("[finger]\nenabled = true\nlisten = '127.0.0.1:0'\nfile = 'users'\n{}", config(greeting, more))
}

fn start(config: &str) -> Running {
    Setup::run(config).file("users", "moshez: happy\n").start()
}

fn greets(running: &Running, greeting: &str) {
    let address = running.address("lab lab");
    let expected = format!("{greeting}\n");
    eventually(greeting, || ask(&address, "hello\n").ok().filter(|answer| *answer == expected));
}

#[test]
fn sighup_takes_the_file_on() {
    let running = start(&config("one", ""));
    greets(&running, "one");
    running.configure(&config("two", ""));
    running.signal("HUP");
    greets(&running, "two");
    running.logs("lab changed");
    running.stop();
}

#[test]
fn reload_answers_when_it_is_done_and_says_what_changed() {
    let running = start(&config("one", ""));
    assert_eq!(running.control("reload").ok(), "nothing changed\n");
    running.configure(&with_finger("two", ""));
    assert_eq!(running.control("reload").ok(), "lab changed, finger started\n");
    greets(&running, "two");
    assert!(running.status().contains("\"finger\""));
    running.configure(&config("two", "").replace("enabled = true", "enabled = false"));
    assert_eq!(running.control("reload").ok(), "lab stopped, finger stopped\n");
    running.configure(&with_finger("two", ""));
    assert_eq!(running.control("reload").ok(), "finger started, lab started\n");
    running.stop();
}

#[test]
fn a_bad_file_keeps_the_old_configuration_and_says_where() {
    let running = start(&config("one", ""));
    running.configure("[lab]\nenabled = true\n  greting = 'two'\nlisten = 5e9\n[host]\ngrace = 'soon'\n");
    let said = running.control("reload").fails(1);
    let file = running.path("opsctl.toml").display().to_string();
    for place in ["3:3", "4:10", "6:9"] {
        assert!(said.contains(&format!("{file}:{place}")), "no {place} in:\n{said}");
    }
    assert!(said.contains("did you mean `greeting`?"), "{said}");
    greets(&running, "one");
    running.signal("HUP");
    running.logs("configuration refused, the old one stays in use");
    greets(&running, "one");
    running.stop();
}

#[test]
fn one_refusal_keeps_every_service_as_it_was() {
    let running = start(&with_finger("one", ""));
    let finger = running.address("finger finger");
    // finger would take this, lab refuses: neither changes
    for refusal in ["refuse_reload = 'not now'", "refuse = 'does not open'"] {
        let config = with_finger("two", refusal).replace("'users'", "'other'");
        std::fs::write(running.path("other"), "moshez: sad\n").unwrap();
        running.configure(&config);
        let said = running.control("reload").fails(1);
        assert!(said.contains("not now") || said.contains("does not open"), "{said}");
        greets(&running, "one");
        assert_eq!(ask(&finger, "moshez\r\n").unwrap(), "happy\r\n");
    }
    running.stop();
}

#[test]
fn a_taken_address_is_refused_before_anything_changes() {
    let running = start(&config("one", ""));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    running.configure(&config("two", "").replace("127.0.0.1:0", &address));
    let said = running.control("reload").fails(1);
    assert!(said.contains(&address), "{said}");
    greets(&running, "one");
    drop(taken);
    assert_eq!(running.control("reload").ok(), "lab changed\n");
    assert_eq!(ask(&address, "hello\n").unwrap(), "two\n");
    running.stop();
}

/// Clients ask, one after another, while the configuration is reloaded `rounds` times; `ask` fails when one is refused.
pub(crate) fn under_load(rounds: usize, ask: impl Fn() + Sync, reload: impl Fn(usize)) {
    let (done, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    ask();
                    asked.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| (0..rounds).for_each(&reload)));
        done.store(true, Ordering::Relaxed);
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    });
    assert!(asked.load(Ordering::Relaxed) > rounds, "there was load: {asked:?}");
}

#[test]
fn no_connection_is_refused_in_a_thousand_reloads() {
    let running = start(&config("one", ""));
    let address = running.address("lab lab");
    let ask = || {
        let answer = ask(&address, "hello\n").expect("nobody is refused");
        assert!(answer == "one\n" || answer == "two\n", "{answer:?}");
    };
    under_load(1000, ask, |round| {
        running.configure(&config(if round % 2 == 0 { "two" } else { "one" }, ""));
        assert_eq!(crate::harness::post(&running.path("data/opsctl.sock"), "/reload"), "lab changed");
    });
    assert_eq!(running.control("status").code, Some(0));
    running.stop();
}

#[test]
fn the_log_level_changes_with_a_reload() {
    let quiet = format!("{}[log]\nlevel = 'info'\n", config("one", ""));
    let logs = tempfile::tempdir().unwrap();
    let log = logs.path().join("log");
    let running = Setup::run(&quiet).args(["--log-file".as_ref(), log.as_os_str()]).start();
    let louder = quiet.replace("'info'", "'trace'").replace("'one'", "'two'");
    running.configure(&louder);
    // --log-level on the command line wins over the file
    assert_eq!(running.control("reload").ok(), "lab changed\n");
    running.stop();
    assert!(read(log).contains("lab changed"));
}
