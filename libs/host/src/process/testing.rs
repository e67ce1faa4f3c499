//! For tests that need a process with one thread: this test binary is run again for the one test, and forks there.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use nix::sys::wait::{WaitStatus, waitpid};

use super::fork::{self, Side};

/// Carries the argument to the second run, and tells it what it is.
const MARK: &str = "OPSCTL_TEST_ALONE";

/// Runs `body(argument)` in a process with one thread and returns what that wrote and its exit code.
///
/// `test` is `concat!(module_path!(), "::name")` of the test that calls, since the second run must arrive here again.
#[expect(clippy::disallowed_methods, reason = "the mark of the second run")]
pub(super) fn alone(test: &str, argument: &Path, body: impl FnOnce(&Path) -> u8) -> Output {
    if let Some(argument) = std::env::var_os(MARK) {
        fork_and_leave(|| body(Path::new(&argument)));
    }
    let (_crate, test) = test.split_once("::").unwrap();
    let mut output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(MARK, argument)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    // libtest's own head line
    let text = String::from_utf8_lossy(&output.stdout);
    output.stdout = text.trim_start_matches("\nrunning 1 test\n").as_bytes().to_vec();
    output
}

fn fork_and_leave(body: impl FnOnce() -> u8) -> ! {
    match fork::split().unwrap() {
        Side::Child => fork::leave(catch_unwind(AssertUnwindSafe(body)).unwrap_or(101)),
        Side::Parent(child) => match waitpid(child, None).unwrap() {
            WaitStatus::Exited(_, code) => fork::leave(u8::try_from(code).unwrap()),
            _ => fork::leave(102),
        },
    }
}

/// Text as a path, for [`alone`]'s argument.
pub(super) fn text(argument: &str) -> &Path {
    Path::new(OsStr::from_bytes(argument.as_bytes()))
}
