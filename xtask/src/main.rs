//! The workshop: what a person or a machine does with this checkout, as sub-commands of `cargo xtask`.
//!
//! Every command is one line in `COMMANDS` and one module. It must stay quick to build on a machine that has nothing
//! but the toolchain, so it uses none of our crates and only a handful of others, and it reads no environment.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a workshop talks to the terminal")]

mod bench;
mod cargo;
mod ci;
mod clock;
mod demo;
mod dist;
mod docs;
mod floors;
mod markdown;
mod new_service;
mod ports;
mod process;
mod repo;
mod setup;
mod source;
mod tally;
mod test;
mod tidy;

use anyhow::{Result, bail};
use lexopt::Arg;
use repo::Repo;
use std::process::ExitCode;

/// One sub-command.
struct Command {
    name: &'static str,
    /// What may follow the name, as shown in the help.
    usage: &'static str,
    about: &'static str,
    run: fn(&Repo, Given) -> Result<()>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "setup",
        usage: "",
        about: "install what building, tests and demo need: Debian and Python packages, libav",
        run: |repo, given| given.nothing().and_then(|()| setup::everything(repo)),
    },
    Command {
        name: "demo",
        usage: "[--check]",
        about: "build, start every service on loopback and say what to try; --check tries it",
        run: demo::run,
    },
    Command {
        name: "test",
        usage: "[FILTER]",
        about: "run all tests, or those whose name contains FILTER",
        run: test::run,
    },
    Command {
        name: "ci",
        usage: "[--keep-going]",
        about: "everything that must hold before a change lands, cheap checks first",
        run: ci::run,
    },
    Command {
        name: "floors",
        usage: "",
        about: "check which crate may use which",
        run: |repo, given| given.nothing().and_then(|()| floors::run(repo)),
    },
    Command {
        name: "tidy",
        usage: "",
        about: "check the sources for what no compiler looks at",
        run: |repo, given| given.nothing().and_then(|()| tidy::run(repo)),
    },
    Command {
        name: "docs",
        usage: "[--check]",
        about: "regenerate the command and configuration references in the READMEs",
        run: docs::run,
    },
    Command {
        name: "bench",
        usage: "NAME",
        about: "measure ourselves and a peer in one run; the table goes into a README",
        run: bench::run,
    },
    Command {
        name: "new-service",
        usage: "NAME | --check",
        about: "make a compiling, tested service crate and put its lines in place",
        run: new_service::run,
    },
    Command {
        name: "dist",
        usage: "",
        about: "pack the release binary with its units, completions, man pages and configuration",
        run: |repo, given| given.nothing().and_then(|()| dist::run(repo)),
    },
];

/// What stood on the command line after the sub-command.
#[derive(Debug, Default)]
pub(crate) struct Given {
    /// The one free argument, if any.
    word: Option<String>,
    /// The one option, with its dashes, if any.
    option: Option<String>,
}

impl Given {
    fn parse(parser: &mut lexopt::Parser) -> Result<Self> {
        let mut given = Self::default();
        while let Some(arg) = parser.next()? {
            let place = match &arg {
                Arg::Long(_) | Arg::Short(_) => &mut given.option,
                Arg::Value(_) => &mut given.word,
            };
            let text = match arg {
                Arg::Long(name) => format!("--{name}"),
                Arg::Short(letter) => format!("-{letter}"),
                Arg::Value(value) => value.to_string_lossy().into_owned(),
            };
            if let Some(before) = place.replace(text.clone()) {
                bail!("`{before}` and `{text}`: one of them is too much");
            }
        }
        Ok(given)
    }

    fn nothing(self) -> Result<()> {
        self.flag("").map(|_| ())
    }

    /// Only `name` or nothing may have been given: says which.
    fn flag(self, name: &str) -> Result<bool> {
        match (self.word, self.option) {
            (None, None) => Ok(false),
            (None, Some(option)) if option == name => Ok(true),
            (Some(other), _) | (None, Some(other)) => bail!("unexpected `{other}`"),
        }
    }

    /// Only a free argument may have been given.
    fn word(self) -> Result<Option<String>> {
        match self.option {
            Some(option) => bail!("unexpected `{option}`"),
            None => Ok(self.word),
        }
    }
}

fn main() -> ExitCode {
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            if let Some(tally::Failed { closing, .. }) = error.downcast_ref() {
                closing.print();
            }
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<()> {
    let mut parser = lexopt::Parser::from_env();
    let name = match parser.next()? {
        Some(Arg::Value(name)) => name.to_string_lossy().into_owned(),
        None | Some(Arg::Long("help") | Arg::Short('h')) => {
            help();
            return Ok(());
        }
        Some(other) => return Err(other.unexpected().into()),
    };
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        help();
        bail!("there is no command `{name}`");
    };
    (command.run)(&Repo::here()?, Given::parse(&mut parser)?)
}

fn help() {
    println!("cargo xtask COMMAND\n");
    for Command { name, usage, about, .. } in COMMANDS {
        println!("  {:27} {about}", format!("{name} {usage}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(words: &[&str], flag: &str, expected: Option<bool>) {
        let given = Given::parse(&mut lexopt::Parser::from_args(words));
        assert_eq!(given.and_then(|given| given.flag(flag)).ok(), expected, "{words:?}");
    }

    #[test]
    fn an_option_is_taken_only_where_it_belongs() {
        check(&[], "--check", Some(false));
        check(&["--check"], "--check", Some(true));
        check(&["--chek"], "--check", None);
        check(&["x"], "--check", None);
        check(&["--check", "--check"], "--check", None);
        check(&["--check"], "", None);
    }

    #[test]
    fn command_names_are_unique_and_described() {
        let mut names: Vec<_> = COMMANDS.iter().map(|command| command.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), COMMANDS.len());
        assert!(COMMANDS.iter().all(|command| !command.about.is_empty()));
    }
}
