//! `cargo xtask test`: every test of the workspace, after everything that they need has been installed.
//!
//! One selection of packages and features, always: any other would compile half of the tree again.
use crate::Given;
use crate::cargo::cargo;
use crate::process;
use crate::repo::Repo;
use crate::setup;
use crate::tally::{Closing, Failed};
use anyhow::{Result, bail};
use std::io::{IsTerminal, stderr};
use std::process::Command;

/// Builds and tests the Python module.
const PYTHON_MODULE: &str = "libs/psi-python/tests/all.py";

pub(crate) fn run(repo: &Repo, given: Given) -> Result<()> {
    let filter = given.word()?;
    setup::everything(repo)?;
    all(repo, filter.as_deref())?.print();
    Ok(())
}

/// Runs the tests, the doc tests and the Python module's; all of them, also after a failure. A failure carries the closing words.
pub(crate) fn all(repo: &Repo, filter: Option<&str>) -> Result<Closing> {
    let (ran, tests) = tests(repo, filter)?;
    let (ran_docs, docs) = doc_tests(repo, filter)?;
    let (ran_python, python) = python_module(filter)?;
    let closing = python.then("Python module", docs.then("doc tests", tests));
    if closing.passed + closing.failed == 0 {
        bail!("there is no test whose name contains `{}`", filter.unwrap_or_default());
    }
    if !ran || !ran_docs || !ran_python || closing.failed > 0 {
        return Err(Failed { what: "not all tests passed".into(), closing }.into());
    }
    Ok(closing)
}

fn tests(repo: &Repo, filter: Option<&str>) -> Result<(bool, Closing)> {
    if process::works(&mut cargo(repo, "nextest --version")) {
        // a filter may match doc tests only, so that no test is no fault yet
        let mut command = cargo(repo, "nextest run --workspace --no-tests=warn");
        if stderr().is_terminal() {
            command.arg("--color=always");
        }
        let (status, lines) = process::tee(command.args(filter))?;
        return Ok((status.success(), Closing::nextest(&lines)?));
    }
    let mut command = cargo(repo, "test --workspace --tests --no-fail-fast");
    if let Some(filter) = filter {
        command.args(["--", filter]);
    }
    let (status, lines) = process::tee(&mut command)?;
    Ok((status.success(), Closing::libtest(&lines)))
}

fn doc_tests(repo: &Repo, filter: Option<&str>) -> Result<(bool, Closing)> {
    let mut command = cargo(repo, "test --workspace --doc --no-fail-fast");
    if let Some(filter) = filter {
        command.args(["--", filter]);
    }
    let (status, lines) = process::tee(&mut command)?;
    Ok((status.success(), Closing::libtest(&lines)))
}

/// The Python module `psi`, on every interpreter there is: a wheel, our tests, and the original's. A filter is for the
/// tests of the workspace.
fn python_module(filter: Option<&str>) -> Result<(bool, Closing)> {
    if filter.is_some() {
        return Ok((true, Closing::default()));
    }
    let (status, lines) = process::tee(Command::new("python3").arg(PYTHON_MODULE))?;
    Ok((status.success(), Closing::last_line(&lines)?))
}
