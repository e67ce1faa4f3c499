//! What verbs list: a table for people, JSON for programs.

use std::io::{self, Write};

use serde::Serialize;

/// Writes rows under their titles, each column as wide as it needs; nothing without a row.
pub(super) fn table<const N: usize>(out: &mut impl Write, titles: [&str; N], rows: &[[String; N]]) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let width = |text: &str| text.chars().count();
    let widths: [usize; N] = std::array::from_fn(|column| {
        rows.iter().map(|row| width(&row[column])).chain([width(titles[column])]).max().unwrap_or(0)
    });
    let mut line = |cells: [&str; N]| {
        let padded = cells.iter().zip(widths).map(|(cell, wide)| format!("{cell:wide$}"));
        writeln!(out, "{}", padded.collect::<Vec<_>>().join("  ").trim_end())
    };
    line(titles)?;
    rows.iter().try_for_each(|row| line(std::array::from_fn(|column| &*row[column])))
}

/// Writes JSON, for people as well.
pub(super) fn json(out: &mut impl Write, value: &impl Serialize) -> anyhow::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    Ok(writeln!(out)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other() {
        let mut out = Vec::new();
        let rows = [["a".to_owned(), String::new()], ["größer".to_owned(), "x".to_owned()]];
        table(&mut out, ["NAME", "B"], &rows).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "NAME    B\na\ngrößer  x\n");
        let mut nothing = Vec::new();
        table::<1>(&mut nothing, ["NAME"], &[]).unwrap();
        assert!(nothing.is_empty());
    }
}
