//! `cargo xtask docs`: the references in the READMEs, made from what they describe, so that they cannot be wrong.
//!
//! The commands come from the binary itself, the configuration from the comments of the defaults that are compiled in.
mod configuration;

use crate::cargo;
use crate::process;
use crate::repo::Repo;
use crate::{Given, markdown};
use anyhow::{Context, Result, bail};
use std::process::Command;

/// A generated part: its file, its name in the markers, and where it comes from.
type Part = (&'static str, &'static str, fn(&Repo) -> Result<String>);

const PARTS: &[Part] = &[
    ("config/README.md", "keys", |repo| Ok(configuration::reference(&repo.read("config/opsctl.toml")?))),
    ("cli/README.md", "commands", |repo| process::capture(Command::new(cargo::debug_binary(repo)?).arg("reference"))),
];

pub(crate) fn run(repo: &Repo, given: Given) -> Result<()> {
    if given.flag("--check")? { check(repo) } else { generate(repo) }
}

pub(crate) fn generate(repo: &Repo) -> Result<()> {
    for (path, old, new) in documents(repo)? {
        if old != new {
            repo.write(path, &new)?;
            println!("{path}: brought up to date");
        }
    }
    Ok(())
}

/// Fails if generating would change anything.
pub(crate) fn check(repo: &Repo) -> Result<()> {
    let stale: Vec<_> =
        documents(repo)?.into_iter().filter(|(_, old, new)| old != new).map(|(path, ..)| path).collect();
    if !stale.is_empty() {
        bail!("out of date: {}; run `cargo xtask docs`", stale.join(", "));
    }
    println!("{} references are up to date", PARTS.len());
    Ok(())
}

/// Path, present text, and text as it should be.
fn documents(repo: &Repo) -> Result<Vec<(&'static str, String, String)>> {
    let document = |(path, name, make): &Part| {
        let old = repo.read(path)?;
        let new = markdown::replace(&old, name, &make(repo)?).with_context(|| format!("in `{path}`"))?;
        Ok((*path, old, new))
    };
    PARTS.iter().map(document).collect()
}
