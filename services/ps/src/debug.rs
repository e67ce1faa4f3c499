//! `opsctl ps debug`: two calls of a compiler and a debugger whose options nobody remembers. The programs do the work and
//! write to our terminal themselves.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::Context;
use psi::{Fields, System};

/// What a reader that has seen enough ends a writer with: SIGPIPE, signal(7).
const PIPE: i32 = 13;

/// The two.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Debug {
    /// Print the macros that a C compiler defines by itself, for this machine and these options
    Macros {
        /// The compiler
        #[arg(long, value_name = "PROGRAM", default_value = "gcc")]
        compiler: OsString,
        /// Options that change them, as in `-- -O2 -march=native`
        #[arg(last = true, value_name = "OPTIONS")]
        options: Vec<OsString>,
    },
    /// Print the stack of every thread of a process, and of its Python functions where gdb knows Python; the process
    /// stands still meanwhile
    Stack {
        /// The process
        #[arg(value_name = "PID")]
        pid: u32,
    },
}

impl Debug {
    /// Runs the program. Its failure is ours.
    ///
    /// # Errors
    /// Where there is no such process, or the program cannot be started.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Macros { compiler, options } => {
                let mut command = Command::new(compiler);
                start(command.args(options).args(["-E", "-dM", "-x", "c", "/dev/null"]), "gcc")
            }
            Self::Stack { pid } => {
                System::new().process(pid, Fields::NONE)?;
                let mut command = Command::new("gdb");
                // -s: a gdb without Python's commands, and a thread without Python, say nothing
                let steps = ["set pagination off", "thread apply all backtrace", "thread apply all -s py-bt"];
                command.args(["-batch", "-p", &pid.to_string()]);
                start(command.args(steps.iter().flat_map(|step| ["-ex", step])), "gdb")
            }
        }
    }
}

fn start(command: &mut Command, package: &str) -> anyhow::Result<ExitCode> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = || format!("failed to start `{program}`, which Debian has in the package `{package}`");
    Ok(code(command.status().with_context(failed)?))
}

fn code(status: ExitStatus) -> ExitCode {
    if status.success() || status.signal() == Some(PIPE) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_has_seen_enough_is_no_failure() {
        let check = |raw: i32, expected: ExitCode| assert_eq!(code(ExitStatus::from_raw(raw)), expected);
        check(0, ExitCode::SUCCESS);
        check(1 << 8, ExitCode::FAILURE);
        check(PIPE, ExitCode::SUCCESS);
        check(9, ExitCode::FAILURE);
    }
}
