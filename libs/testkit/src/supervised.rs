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
dir=$1 signal=$2
shift 2
"$@" >"$dir/log" 2>&1 </dev/null 3<&- &
server=$!
# only now: a program inherits what is ignored
trap '' INT TERM HUP
cat <&3 >/dev/null
kill -s "$signal" "$server"
tries=0
while kill -s 0 "$server" && [ $tries -lt 200 ]; do
    sleep 0.05
    tries=$((tries + 1))
done
kill -s KILL "$server"
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eventually;
    use std::io::{BufRead, BufReader};

    /// Tells the test below that it is the child.
    const CHILD: &str = "TESTKIT_SUPERVISED_CHILD";

    fn sleeper() -> Supervised {
        let dir = Supervised::folder("sleeper");
        let mut server = Command::new("/bin/sh");
        server.args(["-c", "echo $$ > \"$0/pid\"; exec sleep 1000"]).arg(&dir);
        let server = Supervised::start(dir, "TERM", &server);
        eventually("the server runs", || {
            std::fs::read_to_string(server.dir().join("pid")).ok().filter(|pid| pid.ends_with('\n'))
        });
        server
    }

    fn runs(pid: &str) -> bool {
        Path::new("/proc").join(pid.trim()).exists()
    }

    #[test]
    fn it_ends_when_dropped() {
        let server = sleeper();
        let (dir, pid) = (server.dir().to_owned(), std::fs::read_to_string(server.dir().join("pid")).unwrap());
        assert!(runs(&pid));
        drop(server);
        assert!(!runs(&pid) && !dir.exists());
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test that is its own child")]
    fn it_ends_with_a_process_that_is_killed() {
        if std::env::var_os(CHILD).is_some() {
            let server = sleeper();
            println!("\nfolder {}", server.dir().display());
            // until it is killed
            loop {
                std::thread::park();
            }
        }
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "--nocapture", "supervised::tests::it_ends_with_a_process_that_is_killed"]);
        let mut child = child.env(CHILD, "1").stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let dir = lines.into_iter().find_map(|line| line.strip_prefix("folder ").map(PathBuf::from)).unwrap();
        let pid = std::fs::read_to_string(dir.join("pid")).unwrap();
        assert!(runs(&pid));
        child.kill().unwrap();
        child.wait().unwrap();
        eventually("the server ended", || (!runs(&pid)).then_some(()));
        eventually("its folder is gone", || (!dir.exists()).then_some(()));
    }
}
