//! The JavaScript packages of the tests, in `target/node` of the checkout, with a Node.js of their own from a wheel: which
//! one a machine has, if any, says nothing about the clients that people use.
use super::packages::{NODE, NODE_PACKAGES};
use super::python::environment;
use crate::process;
use crate::repo::Repo;
use anyhow::{Context, Result};
use std::fs;
use std::process::Command;

/// Written last, so that a half-made folder has none.
const STAMP: &str = "made-of";

/// Fetches them unless they are there. None of their scripts is run.
pub(super) fn packages(repo: &Repo) -> Result<()> {
    let (venv, folder) = (repo.made("venv-node"), repo.made("node"));
    environment(&venv, &[NODE])?;
    let wanted = [&[NODE], NODE_PACKAGES].concat().join("\n");
    if fs::read_to_string(folder.join(STAMP)).is_ok_and(|made| made == wanted) {
        return Ok(());
    }
    println!("JavaScript packages: {}", NODE_PACKAGES.join(", "));
    fs::create_dir_all(&folder).context("failed to make a folder for JavaScript packages")?;
    let mut install = Command::new(venv.join("bin/npm"));
    install.args(["install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--prefix"]);
    process::run(install.arg(&folder).args(NODE_PACKAGES))?;
    fs::write(folder.join(STAMP), wanted).context("failed to note what the JavaScript packages are")
}
