//! `cargo xtask ci`: everything that must hold before a change lands, cheap checks first.
//!
//! It stops at the first fault, which is the quickest for a person; `--keep-going` is for a machine whose log is read
//! once. What the test runner said about itself is printed again as the last words, whatever came after it.
use crate::Given;
use crate::cargo::cargo;
use crate::clock;
use crate::repo::Repo;
use crate::tally::{Closing, Failed};
use crate::{demo, docs, floors, new_service, process, setup, test, tidy};
use anyhow::{Result, bail};
use std::time::Instant;

/// A step's name, and what it does; the tests' step has closing words.
type Step = (&'static str, fn(&Repo) -> Result<Option<Closing>>);

const STEPS: &[Step] = &[
    ("fmt", |repo| process::run(&mut cargo(repo, "fmt --all --check")).map(|()| None)),
    ("floors", |repo| floors::run(repo).map(|()| None)),
    ("tidy", |repo| tidy::run(repo).map(|()| None)),
    ("setup", |repo| setup::everything(repo).map(|()| None)),
    ("docs --check", |repo| docs::check(repo).map(|()| None)),
    ("clippy", |repo| {
        process::run(&mut cargo(repo, "clippy --workspace --all-targets --quiet -- -D warnings")).map(|()| None)
    }),
    ("doc", |repo| {
        let mut command = cargo(repo, "doc --workspace --no-deps --quiet");
        process::run(command.env("RUSTDOCFLAGS", "-D warnings")).map(|()| None)
    }),
    ("test", |repo| test::all(repo, None).map(Some)),
    ("new-service --check", |repo| new_service::check(repo).map(|()| None)),
    ("demo --check", |repo| demo::check(repo).map(|()| None)),
];

pub(crate) fn run(repo: &Repo, given: Given) -> Result<()> {
    let keep_going = given.flag("--keep-going")?;
    let start = Instant::now();
    let (mut closing, mut faults) = (None, Vec::new());
    for (name, step) in STEPS {
        println!("\n== {name}");
        let began = Instant::now();
        let result = step(repo);
        println!(
            "== {name}: {} after {}",
            if result.is_ok() { "done" } else { "FAILED" },
            clock::text(began.elapsed())
        );
        match result {
            Ok(words) => closing = words.or(closing),
            Err(error) => {
                closing = error.downcast_ref::<Failed>().map(|failed| failed.closing.clone()).or(closing);
                println!("error: {error:#}");
                faults.push(*name);
                if !keep_going {
                    break;
                }
            }
        }
    }
    println!("\n{} in {}", verdict(&faults), clock::text(start.elapsed()));
    match (faults.is_empty(), closing) {
        (true, Some(closing)) => closing.print(),
        (true, None) => bail!("no test was run"),
        (false, Some(closing)) => return Err(Failed { what: format!("failed: {}", faults.join(", ")), closing }.into()),
        (false, None) => bail!("failed: {}", faults.join(", ")),
    }
    Ok(())
}

fn verdict(faults: &[&str]) -> String {
    match faults.len() {
        0 => format!("all {} steps passed", STEPS.len()),
        count => format!("{count} of {} steps FAILED", STEPS.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_counts_steps() {
        assert_eq!(verdict(&[]), format!("all {} steps passed", STEPS.len()));
        assert_eq!(verdict(&["doc"]), format!("1 of {} steps FAILED", STEPS.len()));
    }
}
