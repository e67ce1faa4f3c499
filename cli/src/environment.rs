//! The only place that reads the environment. Everybody else is handed what they need.

#![expect(clippy::disallowed_methods, reason = "this is the one place")]

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use opsctl_host::{Environment, Shell};

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
        account: account(),
    }
}

/// What a tool needs to know of it.
pub(crate) fn shell() -> Shell {
    let filled = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    let locale = filled("LC_ALL").or_else(|| filled("LC_CTYPE")).or_else(|| filled("LANG"));
    Shell {
        no_color: filled("NO_COLOR").is_some(),
        dumb: filled("TERM").is_none_or(|term| term == "dumb"),
        utf8: locale.is_some_and(|locale| is_utf8(&locale)),
        columns: env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).filter(|columns| *columns > 0),
        time_zone: env::var_os("TZ"),
    }
}

/// Whether a locale's name ends in its character set, and that is UTF-8: `de_DE.UTF-8@euro`, `C.utf8`.
fn is_utf8(locale: &OsStr) -> bool {
    let charset = locale.to_str().and_then(|locale| locale.split(['.', '@']).nth(1));
    charset.is_some_and(|charset| ["utf-8", "utf8"].contains(&charset.to_ascii_lowercase().as_str()))
}

/// Who runs this: the account, and with sudo(8) the one behind it.
pub(crate) fn account() -> String {
    let uid = nix::unistd::Uid::current();
    let user = nix::unistd::User::from_uid(uid).ok().flatten();
    let name = user.map_or_else(|| format!("uid {uid}"), |user| user.name);
    let behind = env::var("SUDO_USER").ok().filter(|sudo| !sudo.is_empty() && *sudo != name);
    behind.map_or_else(|| name.clone(), |sudo| format!("{name} for {sudo}"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_names_its_character_set() {
        let check = |locale: &str, expected: bool| assert_eq!(is_utf8(OsStr::new(locale)), expected, "{locale}");
        check("C.UTF-8", true);
        check("de_DE.utf8@euro", true);
        check("de_DE@euro", false);
        check("C", false);
        check("en_US.ISO-8859-1", false);
    }
}
