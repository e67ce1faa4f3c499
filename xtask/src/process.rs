//! Running other programs: said before it is done, checked after, and never left behind.
use anyhow::{Context, Result, bail, ensure};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use crate::clock;

/// How long a program may take to end after it was asked to.
const STOP: Duration = Duration::from_secs(40);

/// The command as one would type it.
pub(crate) fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let quoted = words.map(|word| {
        let word = word.to_string_lossy();
        let plain = |c: char| c.is_alphanumeric() || "-_=+.,:/@%".contains(c);
        if !word.is_empty() && word.chars().all(plain) { word.into_owned() } else { format!("'{word}'") }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

fn say(command: &Command) {
    println!("$ {}", line(command));
}

fn check(command: &Command, status: ExitStatus) -> Result<()> {
    ensure!(status.success(), "`{}` failed: {status}", line(command));
    Ok(())
}

/// Runs `command` with its output on ours.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    say(command);
    let status =
        command.stdin(Stdio::null()).status().with_context(|| format!("failed to start `{}`", line(command)))?;
    check(command, status)
}

/// Runs `command` in silence and returns what it printed; what it had to say about a failure is in the error.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let output =
        command.stdin(Stdio::null()).output().with_context(|| format!("failed to start `{}`", line(command)))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` failed: {}\n{}", line(command), output.status, words.trim_end());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{}` printed something else than text", line(command)))
}

/// Whether `command` can be run and ends well; its output is nobody's business.
pub(crate) fn works(command: &mut Command) -> bool {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// Runs `command` with its output on ours, and returns its lines as well.
pub(crate) fn tee(command: &mut Command) -> Result<(ExitStatus, Vec<String>)> {
    say(command);
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("failed to start `{}`", line(command)))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let errors = thread::spawn(move || copy(stderr, &mut io::stderr()));
    let mut lines = copy(stdout, &mut io::stdout())?;
    lines.extend(errors.join().map_err(|_| anyhow::anyhow!("the reader of standard error died"))??);
    Ok((child.wait()?, lines))
}

fn copy(from: Option<impl io::Read>, to: &mut impl Write) -> Result<Vec<String>> {
    let mut from = BufReader::new(from.context("a pipe is missing")?);
    let (mut lines, mut raw) = (Vec::new(), Vec::new());
    while from.read_until(b'\n', &mut raw)? > 0 {
        to.write_all(&raw)?;
        to.flush()?;
        lines.push(String::from_utf8_lossy(&raw).trim_end().to_owned());
        raw.clear();
    }
    Ok(lines)
}

/// A command that the kernel ends (SIGTERM) when this process ends, however that happens.
///
/// `setpriv` is in util-linux, which every Debian has; it executes the program in its own place, so that the process id
/// is the program's.
pub(crate) fn tied(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM"]).arg(program).stdin(Stdio::null());
    command
}

/// The same for a program that changes its account, which makes the kernel forget the tie: a shell that does not is tied
/// instead, and passes the word on.
///
/// The trap stands before there is a program: between the start and a later trap the word would end the shell alone.
pub(crate) fn guarded(program: &str) -> Command {
    let mut command = tied(Path::new("sh"));
    command.args(["-c", r#"trap 'kill "$!" || exit 143' TERM; "$0" "$@" & wait "$!"; wait "$!""#, program]);
    command
}

/// A program that runs beside us, its output in a file; ended when dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    name: String,
}

impl Running {
    /// Starts `command` (one of `tied` or `guarded`) with its output in the file `log`.
    pub(crate) fn start(command: &mut Command, name: &str, log: &Path) -> Result<Self> {
        let file = File::create(log).with_context(|| format!("failed to create `{}`", log.display()))?;
        // in a group of its own: a Ctrl-C is for us, or for what we became, which then ends it in order
        let child = command.process_group(0).stdout(file.try_clone()?).stderr(file).spawn();
        Ok(Self { child: child.with_context(|| format!("failed to start `{name}`"))?, name: name.to_owned() })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Fails if the program has ended.
    pub(crate) fn alive(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("`{}` ended by itself: {status}", self.name),
        }
    }

    /// Asks the program to end and waits until it has.
    pub(crate) fn stop(&mut self) -> Result<ExitStatus> {
        if let Some(status) = self.child.try_wait()? {
            return Ok(status);
        }
        // std knows SIGKILL only, and a program shall be seen to end by itself
        capture(Command::new("sh").args(["-c", "kill -TERM \"$0\"", &self.id().to_string()]))?;
        clock::eventually(STOP, || Ok(self.child.try_wait()?)).with_context(|| format!("`{}` did not end", self.name))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.stop().is_err() {
            self.child.kill().ok();
            self.child.wait().ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_can_be_typed_again() {
        assert_eq!(line(Command::new("a").args(["--b=c", "d e", "", "f;g"])), "a --b=c 'd e' '' 'f;g'");
    }

    #[test]
    fn a_failure_carries_the_programs_own_words() {
        let error = capture(Command::new("sh").args(["-c", "echo because >&2; exit 3"])).unwrap_err().to_string();
        assert!(error.contains("because") && error.contains("exit status: 3"), "{error}");
    }

    #[test]
    fn output_is_kept_line_by_line() {
        let (status, lines) = tee(Command::new("sh").args(["-c", "echo one; echo two >&2"])).unwrap();
        assert!(status.success());
        assert_eq!(lines, ["one", "two"]);
    }

    /// Starts `command`, which prints a process id, stops it, and waits until that process is gone.
    fn check_end(name: &str, command: &mut Command) {
        let log = std::env::temp_dir().join(format!("xtask-{name}-{}", std::process::id()));
        let mut running = Running::start(command, name, &log).unwrap();
        let printed = || Ok(std::fs::read_to_string(&log)?.trim_end_matches(|c| c != '\n').trim().parse::<u32>().ok());
        let id = clock::eventually(STOP, printed).unwrap();
        running.alive().unwrap();
        assert!(!running.stop().unwrap().success());
        running.alive().unwrap_err();
        // one that nobody waits for stays as a name without a program
        let program =
            || Ok(std::fs::read(format!("/proc/{id}/cmdline")).map_or(true, |line| line.is_empty()).then_some(()));
        clock::eventually(STOP, program).unwrap();
        std::fs::remove_file(log).unwrap();
    }

    #[test]
    fn what_was_started_is_ended() {
        let script = "echo $$; exec sleep 600";
        check_end("tied", tied(Path::new("sh")).args(["-c", script]));
        check_end("guarded", guarded("sh").args(["-c", script]));
    }
}
