//! The only place that reads the environment. Everybody else is handed what they need.

#![expect(clippy::disallowed_methods, reason = "this is the one place")]

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use opsctl_host::Environment;

/// `PATH`.
pub(crate) fn path() -> Option<OsString> {
    env::var_os("PATH")
}

/// `OPSCTL_CONFIG`.
pub(crate) fn config() -> Option<PathBuf> {
    env::var_os("OPSCTL_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// The variables that are a layer of the configuration.
pub(crate) fn layer() -> Vec<(OsString, OsString)> {
    env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"OPSCTL_")).collect()
}

/// What the host needs to know of the environment.
pub(crate) fn host() -> Environment {
    let text = |name: &str| env::var(name).ok();
    Environment {
        listen_pid: text("LISTEN_PID"),
        listen_fds: text("LISTEN_FDS"),
        listen_fdnames: text("LISTEN_FDNAMES"),
        notify_socket: env::var_os("NOTIFY_SOCKET"),
        watchdog_usec: text("WATCHDOG_USEC"),
        watchdog_pid: text("WATCHDOG_PID"),
        data_dirs: data_dirs(),
    }
}

/// Where data may be kept, best first: systemd's choice, the system's place, the user's.
pub(crate) fn data_dirs() -> Vec<PathBuf> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let systemd = env::var_os("STATE_DIRECTORY").and_then(|dirs| first_of(&dirs));
    let state = absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
    let system = Path::new("/var/lib/opsctl").to_owned();
    [systemd, Some(system), state.map(|state| state.join("opsctl"))].into_iter().flatten().collect()
}

fn first_of(dirs: &OsStr) -> Option<PathBuf> {
    env::split_paths(dirs).next().filter(|path| path.is_absolute())
}
