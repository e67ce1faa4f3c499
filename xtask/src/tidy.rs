//! `cargo xtask tidy`: what no compiler looks at. The visible root, the shape of files, words that must not be there.
//!
//! A check is a function from the tree to its faults and one line in `CHECKS`. Long files are a ratchet: those that are
//! there may stay, none may grow, none may come.
mod code;
mod layout;
mod migrations;
mod services;
mod words;

use crate::repo::{Repo, Tree};
use crate::source;
use anyhow::{Result, bail};

/// A check: what holds, and who says where it does not, as `path:line: fault` or `path: fault`.
type Check = (&'static str, fn(&Tree) -> Vec<String>);

const CHECKS: &[Check] = &[
    ("the visible root is the list in the README", layout::root),
    ("module files are foo.rs, never foo/mod.rs", layout::no_mod_rs),
    ("every source file is a module of something", layout::no_forgotten_files),
    ("crates take their lints from the workspace", layout::lints),
    ("every crate says what it is", layout::described),
    ("a service has all its lines", services::lines),
    ("a migration is there for both databases and compiled in", migrations::both_and_used),
    ("files open with //!", code::opens_with_words),
    ("files are short", code::short),
    ("no test is switched off or expects a panic", code::no_idle_tests),
    ("nothing is left to do", code::nothing_to_do),
    ("tests wait for conditions, not for time", code::no_sleep),
    ("white space", words::white_space),
    ("no registry's host, no machine's path", words::no_places),
    ("links lead somewhere", words::links),
    ("the README names the two commands", words::front_door),
];

pub(crate) fn run(repo: &Repo) -> Result<()> {
    let tree = repo.tree()?;
    let mut count = 0;
    for (name, check) in CHECKS {
        let faults = check(&tree);
        if !faults.is_empty() {
            println!("{name}:");
        }
        faults.iter().for_each(|fault| println!("  {fault}"));
        count += faults.len();
    }
    println!("{}", shape(&tree));
    if count > 0 {
        bail!("{count} faults");
    }
    Ok(())
}

/// The sizes of the source files, in lines of code.
fn shape(tree: &Tree) -> String {
    let mut sizes: Vec<_> = tree.rust().map(|file| source::code_lines(&file.text)).collect();
    sizes.sort_unstable();
    let rank =
        |percent: usize| sizes.get((sizes.len() * percent / 100).min(sizes.len().saturating_sub(1))).unwrap_or(&0);
    let total: usize = sizes.iter().sum();
    let (files, median, p90, most) = (sizes.len(), rank(50), rank(90), rank(100));
    format!("{files} source files, {total} lines of code; a file: median {median}, 90 % under {p90}, longest {most}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_is_counted_in_lines_of_code() {
        let tree = Tree::of(&[("a.rs", "//! a\nfn a() {}\n"), ("b.rs", "fn a() {}\nfn b() {}\n"), ("c.md", "x")]);
        assert_eq!(shape(&tree), "2 source files, 3 lines of code; a file: median 2, 90 % under 2, longest 2");
        assert!(shape(&Tree::of(&[])).starts_with("0 source files"));
    }
}
