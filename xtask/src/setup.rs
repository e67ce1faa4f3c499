//! `cargo xtask setup`: what the tests and the demo need of the machine, and nothing when all is there.
//!
//! A test never looks for a reason not to run: what is missing is installed here, and a test that still misses it fails
//! and names the package.
mod clips;
mod libav;
mod node;
pub(crate) mod packages;
mod python;

use crate::process;
use crate::repo::Repo;
use anyhow::{Context, Result, bail};
use packages::Package;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) use python::{environment, program as python_program, python};

/// Everything that tests and demo need.
pub(crate) fn everything(repo: &Repo) -> Result<()> {
    install(packages::NEEDED)?;
    libav::build(repo)?;
    python::venvs(repo)?;
    node::packages(repo)?;
    clips::fetch(repo)
}

/// Where things lie that are made once for all checkouts of this user.
fn user_cache(repo: &Repo) -> Result<PathBuf> {
    let folder = process::capture(&mut Command::new(repo.root.join(libav::FOLDER)))?;
    let cache = Path::new(folder.trim_end()).ancestors().nth(2);
    Ok(cache.context("the user's cache has no folder")?.to_owned())
}

/// Installs those of `packages` that are not there.
pub(crate) fn install(packages: &[Package]) -> Result<()> {
    let missing = missing(packages)?;
    if missing.is_empty() {
        return Ok(());
    }
    println!("{} Debian packages are missing:", missing.len());
    for package in &missing {
        println!("  {:18} {}", package.name, package.why);
    }
    let root = is_root()?;
    let mut commands = commands(&missing, root);
    if Path::new("/run/systemd/system").exists() {
        let daemons = packages::DAEMONS.iter().filter(|daemon| missing.iter().any(|package| package.name == **daemon));
        commands.extend(daemons.map(|daemon| quiet(daemon, root)));
    }
    if !root && !process::works(Command::new("sudo").arg("--version")) {
        let lines: Vec<_> = commands.iter().map(process::line).collect();
        bail!("this is not root and there is no `sudo`; as root, run\n{}", lines.join("\n").replace("sudo ", ""));
    }
    commands.iter_mut().try_for_each(process::run)
}

/// Brings apt's lists up to date: a machine may have its packages and have thrown the lists away.
fn update() -> Result<()> {
    let root = is_root()?;
    commands(&[], root).iter_mut().take(1).try_for_each(process::run)
}

fn is_root() -> Result<bool> {
    Ok(process::capture(Command::new("id").arg("-u"))?.trim() == "0")
}

/// Undoes what Debian does with a daemon's package where systemd runs: it is on at once, and for everybody.
fn quiet(daemon: &str, root: bool) -> Command {
    let mut command = Command::new(if root { "systemctl" } else { "sudo" });
    command.args((!root).then_some("systemctl")).args(["disable", "--quiet", "--now", daemon]);
    command
}

fn missing(packages: &[Package]) -> Result<Vec<&Package>> {
    let mut query = Command::new("dpkg-query");
    query.args(["-W", "-f", "${db:Status-Abbrev}${Package}\\n"]).args(packages.iter().map(|package| package.name));
    // it fails when it has never heard of one of them, and tells of the others all the same
    let output = query.stdin(std::process::Stdio::null()).output().map_err(|error| {
        anyhow::anyhow!("failed to start `dpkg-query`: {error}; `setup` knows Debian and its kin only")
    })?;
    let there = String::from_utf8_lossy(&output.stdout);
    Ok(packages.iter().filter(|package| !is_installed(&there, package.name)).collect())
}

fn is_installed(listed: &str, name: &str) -> bool {
    listed.lines().any(|line| line.strip_prefix("ii ").is_some_and(|rest| rest.trim() == name))
}

/// `apt-get update` comes first because a fresh machine has no lists, or old ones.
fn commands(missing: &[&Package], root: bool) -> Vec<Command> {
    let apt = |words: &[&str]| {
        let mut command = Command::new(if root { "env" } else { "sudo" });
        if !root {
            command.arg("env");
        }
        command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=500"]);
        command.args(["-o", "Dpkg::Use-Pty=0"]).args(words);
        command
    };
    let mut install = apt(&["install", "-y", "-qq", "--no-install-recommends", "--no-upgrade"]);
    install.args(missing.iter().map(|package| package.name));
    vec![apt(&["update", "-qq"]), install]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn installed_means_installed_and_configured() {
        let listed = "ii curl\nrc finger\nun zsh\niU fish\n";
        assert!(is_installed(listed, "curl"));
        for name in ["finger", "zsh", "fish", "cur", "ngircd"] {
            assert!(!is_installed(listed, name), "{name}");
        }
    }

    fn check(root: bool, expected: &[&str]) {
        let finger = Package { name: "finger", why: "" };
        let lines: Vec<_> = commands(&[&finger], root).iter().map(process::line).collect();
        assert_eq!(lines, expected);
    }

    #[test]
    fn only_a_user_asks_sudo() {
        let options = "DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=500 -o Dpkg::Use-Pty=0";
        let install = "install -y -qq --no-install-recommends --no-upgrade finger";
        assert_eq!(process::line(&quiet("ngircd", true)), "systemctl disable --quiet --now ngircd");
        assert_eq!(process::line(&quiet("ngircd", false)), "sudo systemctl disable --quiet --now ngircd");
        check(true, &[&format!("env {options} update -qq"), &format!("env {options} {install}")]);
        check(false, &[&format!("sudo env {options} update -qq"), &format!("sudo env {options} {install}")]);
    }
}
