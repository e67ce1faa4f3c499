//! The library against a live kernel, the tools that people trust, and proc file systems made by hand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail as tests do")]

mod cross_check;
mod fake;
mod fake_machine;
mod identity;
mod machine;
mod names;
mod race;

use std::process::{Child, Command, Stdio};

/// A process that ends with the test.
struct Running(Child);

impl Running {
    fn new(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("a process"))
    }

    /// One that does nothing.
    fn idle() -> Self {
        Self::new(Command::new("sleep").arg("600"))
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Ends it and fetches its outcome, after which the number is free.
    fn end(&mut self) {
        self.0.kill().expect("can be ended");
        self.0.wait().expect("an outcome");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a program prints. It is missing: the package is named.
fn output(program: &str, package: &str, args: &[&str]) -> String {
    let run = Command::new(program).args(args).env("LC_ALL", "C").output();
    let output = run.unwrap_or_else(|error| panic!("cannot run `{program}`, install `{package}`: {error}"));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Waits for a condition.
fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !condition() {
        assert!(std::time::Instant::now() < end, "{what} did not happen");
        std::thread::yield_now();
    }
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("descriptors").count()
}
