//! `cargo xtask dist`: one archive with what a machine needs to run opsctl and nothing else.
//!
//! The same sources make the same archive: names in order, no owner, no time of day.
use crate::repo::Repo;
use crate::{cargo, process};
use anyhow::{Context, Result};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the units expect the binary; the archive says so in its folders' names.
const INSTALLED: &str = "/usr/local/bin/opsctl";

/// A shell, and where its completions go under `share`.
const SHELLS: &[(&str, &str)] = &[
    ("bash", "bash-completion/completions/opsctl"),
    ("zsh", "zsh/site-functions/_opsctl"),
    ("fish", "fish/vendor_completions.d/opsctl.fish"),
];

/// Copied as they are: from, to.
const COPIED: &[(&str, &str)] = &[
    ("LICENSE", "share/doc/opsctl/LICENSE"),
    ("README.md", "share/doc/opsctl/README.md"),
    ("cli/README.md", "share/doc/opsctl/commands.md"),
    ("config/README.md", "share/doc/opsctl/configuration.md"),
    ("config/opsctl.toml", "etc/opsctl/opsctl.toml"),
];

pub(crate) fn run(repo: &Repo) -> Result<()> {
    let program = cargo::release_binary(repo)?;
    let name = name(&program)?;
    let folder = repo.made("dist").join(&name);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("failed to remove `{}`", folder.display()))?;
    }
    let content = Content { folder: folder.clone(), program };
    content.fill(repo)?;
    let archive = folder.with_file_name(format!("{name}.tar.gz"));
    pack(&folder, &name, &archive)?;
    let size = fs::metadata(&archive)?.len();
    let shown = archive.strip_prefix(&repo.root).unwrap_or(&archive);
    println!("{}: {}.{} MB", shown.display(), size / 1_000_000, size / 100_000 % 10);
    Ok(())
}

/// `opsctl-VERSION-TARGET`.
fn name(program: &Path) -> Result<String> {
    let version = process::capture(Command::new(program).arg("--version"))?;
    let version = version.split_whitespace().nth(1).context("`opsctl --version` names no version")?;
    let compiler = process::capture(Command::new("rustc").arg("-vV"))?;
    let host = compiler.lines().find_map(|line| line.strip_prefix("host: ")).context("`rustc -vV` names no host")?;
    Ok(format!("opsctl-{version}-{host}"))
}

struct Content {
    folder: PathBuf,
    program: PathBuf,
}

impl Content {
    fn fill(&self, repo: &Repo) -> Result<()> {
        fs::copy(&self.program, self.place("bin/opsctl")?).context("failed to copy the binary")?;
        for (from, to) in COPIED {
            fs::copy(repo.root.join(from), self.place(to)?).with_context(|| format!("failed to copy `{from}`"))?;
        }
        for (shell, to) in SHELLS {
            self.say(&["completions", shell], &format!("share/{to}"))?;
        }
        let pages = self.place("share/man/man1/opsctl.1")?;
        process::capture(self.opsctl().arg("man").args(pages.parent()))?;
        self.unit(&[], "opsctl.service")?;
        for service in self.services()? {
            self.unit(&[&service], &format!("opsctl-{service}.service"))?;
        }
        Ok(())
    }

    fn opsctl(&self) -> Command {
        Command::new(&self.program)
    }

    /// The full path of `name`, its folder made.
    fn place(&self, name: &str) -> Result<PathBuf> {
        let path = self.folder.join(name);
        let folder = path.parent().context("a file has a folder")?;
        fs::create_dir_all(folder).with_context(|| format!("failed to make `{}`", folder.display()))?;
        Ok(path)
    }

    /// Writes what opsctl prints.
    fn say(&self, words: &[&str], to: &str) -> Result<()> {
        let text = process::capture(self.opsctl().args(words))?;
        fs::write(self.place(to)?, text).with_context(|| format!("failed to write `{to}`"))
    }

    /// A unit names the binary that printed it; ours will lie elsewhere.
    fn unit(&self, words: &[&str], to: &str) -> Result<()> {
        let text = process::capture(self.opsctl().arg("systemd").args(words))?;
        let to = format!("lib/systemd/system/{to}");
        fs::write(self.place(&to)?, installed(&text)?).with_context(|| format!("failed to write `{to}`"))
    }

    fn services(&self) -> Result<Vec<String>> {
        let plugins: Value = serde_json::from_str(&process::capture(self.opsctl().args(["plugins", "--json"]))?)?;
        let plugins = plugins.as_array().context("`opsctl plugins --json` prints no list")?;
        let services = plugins.iter().filter(|plugin| plugin["kind"] == "service");
        Ok(services.filter_map(|plugin| Some(plugin["name"].as_str()?.to_owned())).collect())
    }
}

/// `unit` with the installed binary in `ExecStart`.
fn installed(unit: &str) -> Result<String> {
    let line = unit.lines().find(|line| line.starts_with("ExecStart=")).context("the unit has no `ExecStart`")?;
    // a path with spaces is in quotes
    let program = match line["ExecStart=".len()..].strip_prefix('"') {
        Some(quoted) => quoted.split_once("\" ").map(|(path, _)| format!("\"{path}\"")),
        None => line["ExecStart=".len()..].split_once(' ').map(|(path, _)| path.to_owned()),
    };
    let program = program.context("the unit's `ExecStart` has no arguments")?;
    Ok(unit.replace(&format!("ExecStart={program} "), &format!("ExecStart={INSTALLED} ")))
}

fn pack(folder: &Path, name: &str, archive: &Path) -> Result<()> {
    let tar = archive.with_extension("");
    let mut command = Command::new("tar");
    command.args(["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--mode=u+rw,go+r,go-w"]);
    let parent = folder.parent().context("a folder has a parent")?;
    process::capture(command.arg("--create").arg("--file").arg(&tar).arg("--directory").arg(parent).arg(name))?;
    process::capture(Command::new("gzip").args(["--force", "--no-name", "-9"]).arg(&tar))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(start: &str, expected: &str) {
        let unit = installed(&format!("[Service]\nExecStart={start}\nRestart=no\n")).unwrap();
        assert_eq!(unit, format!("[Service]\nExecStart={expected}\nRestart=no\n"));
    }

    #[test]
    fn units_name_the_installed_binary() {
        check("/x/target/release/opsctl run", "/usr/local/bin/opsctl run");
        check("\"/x y/opsctl\" finger --log-format journald", "/usr/local/bin/opsctl finger --log-format journald");
        assert!(installed("[Service]\n").is_err());
    }
}
