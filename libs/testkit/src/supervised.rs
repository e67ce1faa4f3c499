//! A server that cannot outlive the process that started it.
//!
//! A shell stands between: it starts the server and reads a pipe whose other end only this process has. However this
//! process ends, the pipe closes; then the shell ends the server and removes its folder.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// `nobody` and `nogroup` of Debian: servers that refuse to run as root run as these.
const NOBODY: u32 = 65534;

/// $1 is the folder, $2 the signal that ends the server, the rest is the server.
const SHELL: &str = r#"
trap '' INT TERM HUP
dir=$1 signal=$2
shift 2
"$@" >"$dir/log" 2>&1 </dev/null 3<&- &
server=$!
cat <&3 >/dev/null
kill -s "$signal" "$server"
wait "$server"
rm -rf "$dir"
"#;

/// A running server and its folder; ends when dropped.
#[derive(Debug)]
pub struct Supervised {
    dir: PathBuf,
    shell: Child,
}

impl Supervised {
    /// A new folder under the system's temporary one, for a server that shall run in it.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn folder(name: &str) -> PathBuf {
        let dir =
            tempfile::Builder::new().prefix(&format!("opsctl-{name}-")).tempdir().expect("a temporary folder").keep();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&dir, mode).expect("a folder to be ours");
        if is_root() {
            std::os::unix::fs::chown(&dir, Some(NOBODY), Some(NOBODY)).expect("root to give a folder away");
        }
        dir
    }

    /// A command that runs as who the server will be: `nobody` where the tests run as root.
    #[must_use]
    pub fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        if is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command.current_dir("/");
        command
    }

    /// Starts `server` in `dir`, a [`Supervised::folder`]; what it prints goes to `<dir>/log`. `signal` ends it: `TERM`.
    ///
    /// # Panics
    /// When there is no shell.
    #[must_use]
    pub fn start(dir: PathBuf, signal: &str, server: &Command) -> Self {
        // the pipe comes as standard input and is moved away, so that the server does not have it
        let script = format!("exec 3<&0\n{SHELL}");
        let mut command = Self::command("/bin/sh");
        command.args(["-c", &script, "sh"]).arg(&dir).arg(signal).arg(server.get_program()).args(server.get_args());
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // what ends the tests as a group, a terminal or a runner, leaves the shell its time to clean up
        command.process_group(0);
        let shell = command.spawn().expect("/bin/sh");
        Self { dir, shell }
    }

    /// Its folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What it printed.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|itself| itself.uid() == 0)
}
