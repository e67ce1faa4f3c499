//! The Python packages of the tests, in a virtual environment at `target/venv` of the checkout.
//!
//! It holds what `packages::PYTHON` lists, and the wheels of `packages::PIPS` in `pips`, and is made anew when a list or
//! the interpreter changes.
use super::packages::{PIPS, PYTHON};
use crate::process;
use crate::repo::Repo;
use anyhow::{Context, Result};
use std::fs;
use std::path::PathBuf;
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

/// Makes the environment unless it is there.
pub(super) fn venv(repo: &Repo) -> Result<()> {
    let folder = repo.made("venv");
    let version = process::capture(Command::new(INTERPRETER).arg("--version"))?;
    let wanted = format!("{version}{}\n{}\n", PYTHON.join("\n"), PIPS.join("\n"));
    if fs::read_to_string(folder.join(STAMP)).is_ok_and(|made| made == wanted) {
        return Ok(());
    }
    println!("a Python environment for {}:", PYTHON.join(", "));
    process::run(Command::new(INTERPRETER).args(["-m", "venv", "--clear"]).arg(&folder))?;
    let mut install = Command::new(folder.join("bin/pip"));
    process::run(install.args(["install", "--quiet", "--no-input", "--disable-pip-version-check"]).args(PYTHON))?;
    for pip in PIPS {
        let mut download = Command::new(folder.join("bin/pip"));
        download.args(["download", "--quiet", "--no-input", "--disable-pip-version-check", "--no-deps", "--dest"]);
        process::run(download.arg(folder.join("pips")).arg(pip))?;
    }
    fs::write(folder.join(STAMP), wanted).context("failed to note what the Python environment is made of")
}
