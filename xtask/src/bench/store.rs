//! What the store costs, by the program that stands in its crate.
use crate::cargo::cargo;
use crate::process;
use crate::repo::Repo;
use anyhow::{Result, bail};

/// The table that the program prints.
pub(super) fn run(repo: &Repo) -> Result<String> {
    let said = process::capture(&mut cargo(repo, "bench -q -p opsctl-store --bench costs"))?;
    let table: String = said.lines().filter(|line| line.starts_with('|')).map(|line| format!("{line}\n")).collect();
    if table.is_empty() {
        bail!("the bench of opsctl-store printed no table");
    }
    Ok(table)
}
