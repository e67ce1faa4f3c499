//! Into the background, so that the caller still learns how the start ended.
//!
//! The caller's process stays until the daemon says *ready* or *failed*, and ends with that exit code: a shell, a
//! script or an init system sees a taken port exactly as it would in the foreground. What the daemon reports goes
//! through a pipe whole, however long it is (twistd cuts it at 100 bytes). Until *ready* the daemon also keeps the
//! caller's standard streams, so that anything written there on the way is seen.
//!
//! The working folder and the umask are left alone; the host sets them from its own options. This must never be called
//! once a second thread exists, and refuses to be.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};

use nix::sys::wait::waitpid;
use nix::unistd;

use super::fork::{self, Side};
use super::threads;

/// The exit code of a daemon that ended without a word, and of one that could not be started.
const FAILED: u8 = 1;

/// Which side of the fork this is.
#[derive(Debug)]
pub enum Detached {
    /// The caller's process: the daemon has spoken (or died), its text is on stderr, and this is the exit code to end
    /// with. 0 means that the daemon runs.
    Parent(u8),
    /// The daemon, in its own session. It owes its caller a word.
    Child(Reporter),
}

/// The daemon's end of the pipe to its caller.
///
/// Dropping it without a word, or dying, is a failure: the caller says so and ends with 1.
#[derive(Debug)]
#[must_use = "dropping it tells the caller that the start failed"]
pub struct Reporter {
    pipe: File,
    /// Opened at once: in a chroot there may be no `/dev/null`.
    null: File,
}

/// Forks twice, so that the daemon leads no session and can never acquire a terminal.
///
/// In the caller's process this returns only when the daemon is ready, has failed or has died.
///
/// # Errors
/// A second thread exists, `/dev/null` cannot be opened, or the system has no process or pipe left.
pub fn detach() -> io::Result<Detached> {
    threads::alone()?;
    // A buffer that is not empty would be written by both processes.
    io::stdout().flush()?;
    let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    let (reader, writer) = io::pipe()?;
    match fork::fork()? {
        Side::Parent(child) => {
            drop(writer);
            let code = listen(reader, &mut io::stderr());
            // The one between: it has ended or is about to, and must not stay a zombie.
            let _ = waitpid(child, None);
            Ok(Detached::Parent(code))
        }
        Side::Child => {
            drop(reader);
            let reporter = Reporter { pipe: File::from(std::os::fd::OwnedFd::from(writer)), null };
            if let Err(error) = second_fork() {
                reporter.failed(FAILED, &format!("error: failed to detach: {error}\n"));
                fork::leave(FAILED);
            }
            Ok(Detached::Child(reporter))
        }
    }
}

/// Leads a new session, then leaves it to a child that does not lead it. Returns in that child only.
fn second_fork() -> io::Result<()> {
    unistd::setsid()?;
    match fork::fork()? {
        Side::Parent(_) => fork::leave(0),
        Side::Child => Ok(()),
    }
}

/// Waits for the daemon's word: one byte, the exit code, then its text to the end of the stream.
fn listen(mut pipe: impl Read, stderr: &mut impl Write) -> u8 {
    let mut code = [FAILED];
    match pipe.read_exact(&mut code) {
        Ok(()) if code == [0] => return 0,
        Ok(()) => {
            let _ = io::copy(&mut pipe, stderr);
        }
        Err(_) => {
            let _ = stderr.write_all(b"error: the daemon ended before it was ready\n");
        }
    }
    let _ = stderr.flush();
    code[0]
}

impl Reporter {
    /// The daemon serves: lets go of the caller's standard streams, then lets the caller end with 0.
    ///
    /// A caller that has gone meanwhile does not matter.
    pub fn ready(mut self) {
        let _ = io::stdout().flush();
        let _ = unistd::dup2_stdin(&self.null);
        let _ = unistd::dup2_stdout(&self.null);
        let _ = unistd::dup2_stderr(&self.null);
        let _ = self.pipe.write_all(&[0]);
    }

    /// The start failed: the caller writes `text` as it is to its stderr and ends with `code` (0 is taken as 1).
    pub fn failed(mut self, code: u8, text: &str) {
        let code = if code == 0 { FAILED } else { code };
        let _ = self.pipe.write_all(&[code]).and_then(|()| self.pipe.write_all(text.as_bytes()));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::net::UnixDatagram;
    use std::path::Path;
    use std::process::Output;
    use std::time::Duration;

    use super::super::testing;
    use super::*;

    /// Detaches in a process of its own; `daemon` is what the background side does with its reporter.
    fn check(test: &str, argument: &Path, daemon: impl FnOnce(Reporter, &Path)) -> Output {
        testing::alone(test, argument, |argument| match detach().unwrap() {
            Detached::Parent(code) => code,
            Detached::Child(reporter) => {
                daemon(reporter, argument);
                fork::leave(0)
            }
        })
    }

    #[test]
    fn a_long_error_reaches_the_caller_whole() {
        let text = "0123456789abcde\n".repeat(20_000);
        let name = concat!(module_path!(), "::a_long_error_reaches_the_caller_whole");
        let output = check(name, Path::new("-"), |reporter, _| reporter.failed(78, &text));
        assert_eq!(output.status.code(), Some(78));
        assert_eq!(String::from_utf8(output.stderr).unwrap(), text);
    }

    #[test]
    fn an_end_without_a_word_is_a_failure() {
        let name = concat!(module_path!(), "::an_end_without_a_word_is_a_failure");
        let output = check(name, Path::new("-"), |reporter, _| drop(reporter));
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "error: the daemon ended before it was ready\n");
    }

    #[test]
    fn what_was_written_before_ready_is_seen() {
        let name = concat!(module_path!(), "::what_was_written_before_ready_is_seen");
        let output = check(name, Path::new("-"), |reporter, _| {
            io::stderr().write_all(b"warning: on the way\n").unwrap();
            reporter.ready();
            io::stderr().write_all(b"nobody hears this\n").unwrap();
        });
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "warning: on the way\n");
    }

    #[test]
    fn ready_is_in_the_background() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let name = concat!(module_path!(), "::ready_is_in_the_background");
        let output = check(name, &path, |reporter, path| {
            reporter.ready();
            let stdio = [0, 1, 2].map(|fd| fs::read_link(format!("/proc/self/fd/{fd}")).unwrap());
            let leads = unistd::getsid(None).unwrap() == unistd::getpid();
            let text = format!("{} {leads} {stdio:?}", unistd::getsid(None).unwrap());
            UnixDatagram::unbound().unwrap().send_to(text.as_bytes(), path).unwrap();
        });
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let mut buffer = [0; 1000];
        let length = socket.recv(&mut buffer).unwrap();
        let text = String::from_utf8_lossy(&buffer[..length]);
        let (session, rest) = text.split_once(' ').unwrap();
        assert_ne!(session, unistd::getsid(None).unwrap().to_string());
        assert_eq!(rest, r#"false ["/dev/null", "/dev/null", "/dev/null"]"#);
    }

    #[test]
    fn a_process_with_threads_is_refused() {
        let (hold, held) = std::sync::mpsc::channel::<()>();
        let other = std::thread::spawn(move || held.recv());
        let error = detach().unwrap_err().to_string();
        drop(hold);
        assert!(error.contains("must have one"), "{error}");
        other.join().unwrap().unwrap_err();
    }
}
