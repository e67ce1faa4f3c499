//! `opsctl ps`: processes and the machine, for people to read and for programs to parse. A tool over psi.
//!
//! Where to look: `args` is the command line and what it means; `columns` is the table of all that can be told of a
//! process; `look` reads, `filter` and `order` choose, `list` and `sheet` lay out, `json` writes; `detail` is one process,
//! `system` the machine, `watch` the full screen. `value` is what all of them show.
//!
//! Invariants: text and JSON come from the same values. What is read is what was asked for and no more. Bytes of others
//! reach a terminal through `text::printable` only. A signal goes to the process that was pointed at, or to none.

mod args;
mod cgroup;
mod columns;
mod debug;
mod detail;
mod filter;
mod json;
mod list;
mod look;
mod order;
mod report;
mod run;
mod screen;
mod sheet;
mod sockets;
mod style;
mod system;
#[cfg(test)]
mod testing;
mod text;
mod units;
mod value;
mod watch;
mod zone;

use std::process::ExitCode;

use opsctl_host::{Shell, Tool};

pub use args::Args;

/// The tool.
#[derive(Debug)]
pub struct Ps;

impl Tool for Ps {
    const NAME: &'static str = "ps";
    const ABOUT: &'static str = "Processes and the machine: list, tree, full screen, JSON";
    type Args = Args;

    fn run(args: Args, shell: &Shell) -> anyhow::Result<ExitCode> {
        run::run(args, shell)
    }
}
