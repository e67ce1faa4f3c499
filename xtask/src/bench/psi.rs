//! System information against its peers, by the program that stands beside the Python module: it starts idle processes,
//! and measures the kernel's floor, ours, the peers and the original in one run.
use crate::process;
use crate::repo::Repo;
use anyhow::{Result, bail};
use std::process::Command;

const PROGRAM: &str = "libs/psi-python/benches/bench.py";

/// The table that the program prints.
pub(super) fn run(_repo: &Repo) -> Result<String> {
    let said = process::capture(Command::new("python3").arg(PROGRAM))?;
    table(&said)
}

fn table(said: &str) -> Result<String> {
    let table: String = said.lines().filter(|line| line.starts_with('|')).map(|line| format!("{line}\n")).collect();
    if table.is_empty() {
        bail!("`{PROGRAM}` printed no table");
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_what_begins_with_bars() {
        assert_eq!(
            table("warming up\n| a | b |\n|---|--:|\n| c | 1 |\ndone").unwrap(),
            "| a | b |\n|---|--:|\n| c | 1 |\n"
        );
        assert!(table("nothing").is_err());
    }
}
