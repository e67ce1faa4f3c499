//! The Python packages of the tests, in a virtual environment at `target/venv` of the checkout.
//!
//! It holds what `packages::PYTHON` lists, the wheels of `packages::PIPS` in `pips`, and `packages::EASY_INSTALL` unpacked in
//! `easy_install`; `target/venv-publishers` and `target/venv-peers` have what is large. Each is made anew when a list or the interpreter changes.
use super::packages::{EASY_INSTALL, PEERS, PIPS, PUBLISHERS, PYTHON};
use crate::process;
use crate::repo::Repo;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Debian's own interpreter: another one that comes first on `PATH` may lack the venv module, or change.
const INTERPRETER: &str = "/usr/bin/python3";
/// Written last, so that a half-made environment has none.
const STAMP: &str = "made-of";

/// The interpreter with the tests' packages.
pub(crate) fn python(repo: &Repo) -> PathBuf {
    repo.made("venv").join("bin/python3")
}

/// What `expression` of the module says, with `package` (`name==version`, the module's name with dashes) installed for
/// it: a program that only benches need.
pub(crate) fn program(repo: &Repo, package: &str, expression: &str) -> Result<String> {
    let module = expression.split('.').next().unwrap_or_default();
    let ask = || {
        let mut command = Command::new(python(repo));
        command.args(["-c", &format!("import {module}; print({expression})")]);
        command
    };
    if !process::works(&mut ask()) {
        let mut install = Command::new(python(repo));
        install.args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", package]);
        process::run(&mut install)?;
    }
    Ok(process::capture(&mut ask())?.trim_end().to_owned())
}

/// Makes the tests' environments unless they are there.
pub(super) fn venvs(repo: &Repo) -> Result<()> {
    let folder = repo.made("venv");
    let listed = [PIPS, &[EASY_INSTALL]].concat();
    make(&folder, PYTHON, &listed, || {
        for pip in PIPS {
            let mut download = pip_of(&folder, "download");
            process::run(download.args(["--no-deps", "--dest"]).arg(folder.join("pips")).arg(pip))?;
        }
        let mut unpack = pip_of(&folder, "install");
        process::run(unpack.args(["--no-deps", "--target"]).arg(folder.join("easy_install")).arg(EASY_INSTALL))
    })?;
    environment(&repo.made("venv-publishers"), PUBLISHERS)?;
    environment(&repo.made("venv-peers"), PEERS)
}

/// A virtual environment of its own in `folder`, with these packages: what must not come into the tests' one.
pub(crate) fn environment(folder: &Path, packages: &[&str]) -> Result<()> {
    make(folder, packages, &[], || Ok(()))
}

/// Makes an environment with `packages`, and then what `more` names by `finish`.
fn make(folder: &Path, packages: &[&str], more: &[&str], finish: impl FnOnce() -> Result<()>) -> Result<()> {
    let version = process::capture(Command::new(INTERPRETER).arg("--version"))?;
    let lines: Vec<_> = packages.iter().chain(more).map(|package| format!("{package}\n")).collect();
    let wanted = format!("{version}{}", lines.concat());
    if fs::read_to_string(folder.join(STAMP)).is_ok_and(|made| made == wanted) {
        return Ok(());
    }
    println!("a Python environment for {}:", packages.join(", "));
    process::run(Command::new(INTERPRETER).args(["-m", "venv", "--clear"]).arg(folder))?;
    process::run(pip_of(folder, "install").args(packages))?;
    finish()?;
    fs::write(folder.join(STAMP), wanted).context("failed to note what the Python environment is made of")
}

/// The environment's pip, without a word.
fn pip_of(folder: &Path, verb: &str) -> Command {
    let mut pip = Command::new(folder.join("bin/pip"));
    pip.args([verb, "--quiet", "--no-input", "--disable-pip-version-check"]);
    pip
}
