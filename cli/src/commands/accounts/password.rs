//! Where a password comes from: a terminal that does not show it, a file, or standard input; never the command line,
//! which everybody on the machine can read.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;

use anyhow::{Context, bail};
use rustix::termios::{self, LocalModes, OptionalActions, SpecialCodeIndex, Termios};

/// Bytes of a password at most, and of a file that holds one.
const LONGEST: usize = 4096;

/// Reads a new password: from `file` (`-` is standard input), else twice from the terminal.
pub(crate) fn new(file: Option<&Path>, name: &str) -> anyhow::Result<String> {
    match file {
        Some(path) if path == Path::new("-") => first_line(io::stdin().lock(), "standard input"),
        Some(path) => {
            let what = format!("`{}`", path.display());
            first_line(File::open(path).with_context(|| format!("failed to open {what}"))?, &what)
        }
        None => from_terminal(name),
    }
}

/// The first line of a file that holds a password.
fn first_line(file: impl Read, what: &str) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    let most = u64::try_from(LONGEST).unwrap_or(u64::MAX);
    file.take(most).read_to_end(&mut bytes).with_context(|| format!("failed to read {what}"))?;
    let text = String::from_utf8(bytes).ok().with_context(|| format!("{what} is not UTF-8 text"))?;
    let line = text.split('\n').next().unwrap_or_default();
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        bail!("{what} holds no password");
    }
    Ok(line.to_owned())
}

fn from_terminal(name: &str) -> anyhow::Result<String> {
    let open = OpenOptions::new().read(true).write(true).open("/dev/tty").ok();
    let Some(mut terminal) = open.filter(|file| file.is_terminal()) else {
        bail!("there is no terminal to ask for a password: name a file with --password-file, `-` for standard input");
    };
    let first = ask(&mut terminal, &format!("Password for {name}: "))?;
    let second = ask(&mut terminal, "The same again: ")?;
    if first != second {
        bail!("these are two different passwords");
    }
    Ok(first)
}

/// Asks on a terminal and shows nothing of the answer.
fn ask(terminal: &mut File, question: &str) -> anyhow::Result<String> {
    let quiet = Quiet::new(terminal)?;
    write!(terminal, "{question}")?;
    terminal.flush()?;
    let answer = read_line(terminal);
    drop(quiet);
    writeln!(terminal)?;
    answer?.context("given up")
}

/// Reads to the end of the line; None if the user gives up with ^C or ^D.
fn read_line(terminal: &mut File) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    let mut byte = [0];
    loop {
        if terminal.read(&mut byte)? == 0 {
            return Ok(None);
        }
        match byte {
            [b'\r' | b'\n'] => return Ok(Some(String::from_utf8_lossy(&line).into_owned())),
            [0x03] => return Ok(None),
            [0x04] if line.is_empty() => return Ok(None),
            // backspace takes a whole character
            [0x08 | 0x7f] => while line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {},
            // ^U begins anew
            [0x15] => line.clear(),
            [byte] if line.len() < LONGEST => line.push(byte),
            _ => {}
        }
    }
}

/// A terminal that shows nothing and hands over each key, ^C as well, until this is dropped: whatever happens, it does
/// not stay that way.
struct Quiet {
    terminal: File,
    before: Termios,
}

impl Quiet {
    fn new(terminal: &File) -> anyhow::Result<Self> {
        let failed = || "failed to quieten the terminal";
        let before = termios::tcgetattr(terminal).with_context(failed)?;
        let mut quiet = before.clone();
        quiet.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
        quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
        let terminal = terminal.try_clone().with_context(failed)?;
        termios::tcsetattr(&terminal, OptionalActions::Flush, &quiet).with_context(failed)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // nothing can be done about a terminal that is gone
        let _ = termios::tcsetattr(&self.terminal, OptionalActions::Flush, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(content: &[u8], expected: Result<&str, &str>) {
        let found = first_line(content, "`file`").map_err(|error| error.to_string());
        assert_eq!(found.as_deref().map_err(String::as_str), expected);
    }

    #[test]
    fn files() {
        check(b"correct horse\n", Ok("correct horse"));
        check(b"correct horse\r\nmore", Ok("correct horse"));
        check(b" spaces count ", Ok(" spaces count "));
        check(b"", Err("`file` holds no password"));
        check(b"\nsecond line", Err("`file` holds no password"));
        check(b"\xff", Err("`file` is not UTF-8 text"));
    }
}
