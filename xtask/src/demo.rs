//! `cargo xtask demo`: the front door. Everything there is, started on loopback, with a line to try for each part.
//!
//! `demo` ends as `opsctl` itself: it puts the program in its own place, so that Ctrl-C, a second Ctrl-C and the exit
//! code are those of the product, and nothing of the workshop is left running. The table of addresses is then printed by
//! a second copy of this program, which waits for the ready file. What runs beside opsctl is tied to it by the kernel.
//!
//! `demo --check` is the same with the lines tried by the machine: what the table tells a person to do is what it does.
mod scene;
mod services;
mod stage;

use crate::repo::Repo;
use crate::{Given, cargo, clock, process, setup};
use anyhow::{Context, Result, bail, ensure};
use process::Running;
use scene::{Scene, Try};
use stage::Stage;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// How long the services may take until all of them accept.
const START: Duration = Duration::from_secs(60);
/// The option by which the second copy is told from the first.
const ANNOUNCE: &str = "--announce";

pub(crate) fn run(repo: &Repo, given: Given) -> Result<()> {
    match given {
        Given { word: None, option: None } => foreground(repo),
        Given { word: None, option: Some(option) } if option == "--check" => {
            setup::everything(repo)?;
            check(repo)
        }
        Given { word: None, option: Some(option) } if option == ANNOUNCE => announce(repo),
        Given { word, option } => bail!("unexpected `{}`", word.or(option).unwrap_or_default()),
    }
}

fn foreground(repo: &Repo) -> Result<()> {
    setup::everything(repo)?;
    let program = cargo::release_binary(repo)?;
    let stage = Stage::build(repo, "demo")?;
    let this = std::env::current_exe().context("failed to find out where this program is")?;
    let helper = process::tied(&this).args(["demo", ANNOUNCE]).spawn();
    helper.context("failed to start a second copy of this program")?;
    // comes back only if it failed
    let error = stage.opsctl(&mut Command::new(program)).exec();
    Err(error).context("failed to start `opsctl`")
}

fn announce(repo: &Repo) -> Result<()> {
    let scene = clock::eventually(START, || Scene::load(repo, "demo"))?;
    println!("\nopsctl runs, Ctrl-C ends it. What it keeps is in `{}`.\n", scene.shown(&scene.folder));
    print!("{}", table(&tries(&scene)?));
    Ok(())
}

/// Starts everything, tries every line, and ends it again.
pub(crate) fn check(repo: &Repo) -> Result<()> {
    let program = cargo::release_binary(repo)?;
    let stage = Stage::build(repo, "demo-check")?;
    let log = stage.folder.join("opsctl.log");
    let mut opsctl = Running::start(stage.opsctl(&mut process::tied(&program)), "opsctl", &log)?;
    let outcome = tour(repo, &mut opsctl);
    let status = opsctl.stop();
    let outcome = outcome.and_then(|count| {
        let status = status?;
        ensure!(status.success(), "`opsctl` was asked to end and did so with {status}");
        println!("{count} lines tried, and opsctl ended as it was asked to");
        Ok(())
    });
    if outcome.is_err() {
        println!("the end of opsctl's log:\n{}", last_lines(&log));
    }
    outcome
}

fn tour(repo: &Repo, opsctl: &mut Running) -> Result<usize> {
    let scene = clock::eventually(START, || {
        opsctl.alive()?;
        Scene::load(repo, "demo-check")
    })?;
    let tries = tries(&scene)?;
    for each in &tries {
        let answer = scene.try_it(each)?;
        opsctl.alive()?;
        println!("{} {}: {}\n    {answer}", each.service, each.what, each.line);
    }
    Ok(tries.len())
}

fn tries(scene: &Scene<'_>) -> Result<Vec<Try>> {
    let mut all = Vec::new();
    for service in services::ALL {
        all.extend((service.tries)(scene).with_context(|| format!("in the demo of `{}`", service.name))?);
    }
    Ok(all)
}

fn table(tries: &[Try]) -> String {
    let width = |of: fn(&Try) -> &str| tries.iter().map(|each| of(each).chars().count()).max().unwrap_or(0);
    let (service, what) = (width(|each| each.service), width(|each| each.what));
    let line = |each: &Try| {
        let again = " ".repeat(service + what + 4);
        let Try { service: name, what: part, address, line, .. } = each;
        format!("{name:service$}  {part:what$}  {address}\n{again}{line}\n")
    };
    tries.iter().map(line).collect()
}

fn last_lines(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_aligned() {
        let each = |service, what| Try { service, what, address: "a:1".into(), line: "do it".into(), expect: "" };
        let expected = "host    page  a:1\n              do it\nfinger  x     a:1\n              do it\n";
        assert_eq!(table(&[each("host", "page"), each("finger", "x")]), expected);
    }
}
