//! The libav that the encoder links, built once per machine from Debian's own source package.
//!
//! Debian's shared build would cost every sub-command 119 ms and 48 MB, so ours is static and has only what
//! `xtask/libav/options` names. It lies in the user's cache, where `xtask/libav/folder` says; a build that was cut
//! short leaves nothing there, since the folder gets its name last. Apt vouches for the source: it is fetched from the
//! archives that this machine trusts, by their signed indexes.
use crate::process;
use crate::repo::Repo;
use anyhow::{Context, Result, bail, ensure};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use crate::cargo::cargo;

/// Where the scripts and the options are, from the root.
const HERE: &str = "xtask/libav";
/// Says where the result belongs.
pub(super) const FOLDER: &str = "xtask/libav/folder";
/// Notes which build the checkout's last compilation used.
const USED: &str = "libav-used";
/// What apt checks signatures with, where the machine's own entries name a keyring each; those that are there.
const KEYRINGS: &[&str] = &[
    "/usr/share/keyrings/debian-archive-keyring.gpg",
    "/usr/share/keyrings/debian-archive-keyring.pgp",
    "/usr/share/keyrings/ubuntu-archive-keyring.gpg",
];

/// Builds it unless it is there.
pub(super) fn build(repo: &Repo) -> Result<()> {
    let folder = process::capture(&mut Command::new(repo.root.join(FOLDER)))?;
    let folder = PathBuf::from(folder.trim_end());
    let parent = folder.parent().context("libav has no folder")?;
    if !folder.is_dir() {
        fs::create_dir_all(parent).with_context(|| format!("failed to make `{}`", parent.display()))?;
        let lock = File::create(parent.join("lock")).context("failed to make the lock")?;
        lock.lock().context("failed to wait for another build")?;
        if !folder.is_dir() {
            make(&repo.read(&format!("{HERE}/options"))?, parent, &folder)?;
        }
    }
    forget_old(repo, &folder)
}

/// What cargo has compiled holds a copy of the libraries, and nothing tells it that they have changed.
fn forget_old(repo: &Repo, folder: &Path) -> Result<()> {
    let note = repo.made(USED);
    let (used, now) = (fs::read_to_string(&note).ok(), folder.display().to_string());
    if used.as_ref() == Some(&now) {
        return Ok(());
    }
    if used.is_some() {
        process::run(&mut cargo(repo, "clean --quiet --package ffmpeg-sys-next"))?;
    }
    fs::create_dir_all(repo.made(""))?;
    fs::write(note, now).context("failed to note which libav is used")
}

/// Fetches, unpacks, configures, compiles, and gives the result its name.
fn make(options: &str, parent: &Path, folder: &Path) -> Result<()> {
    println!("libav for the encoder, once per machine, some ten minutes:");
    let scratch = parent.join("building");
    if scratch.exists() {
        fs::remove_dir_all(&scratch).context("failed to remove a build that was cut short")?;
    }
    fs::create_dir_all(scratch.join("lists/partial"))?;
    fetch(&scratch)?;
    let description = find(&scratch, ".dsc")?;
    let source = scratch.join("source");
    process::run(Command::new("dpkg-source").args(["--no-check", "--extract"]).arg(&description).arg(&source))?;
    let nice = |program: &str| {
        let mut command = Command::new("nice");
        command.arg(program).current_dir(&source);
        command
    };
    let mut configure = nice("./configure");
    configure.arg(format!("--prefix={}", folder.display())).args(arguments(options));
    check(&process::capture(&mut configure)?)?;
    let jobs = thread::available_parallelism().map_or(2, usize::from);
    println!("$ make -j{jobs}");
    process::capture(nice("make").arg(format!("-j{jobs}")))?;
    let staged = scratch.join("installed");
    process::capture(nice("make").arg("install").arg(format!("DESTDIR={}", staged.display())))?;
    let made = staged.join(folder.strip_prefix("/").unwrap_or(folder));
    for name in words(options, "static") {
        let file = format!("lib{name}.a");
        let path = process::capture(Command::new("gcc").arg(format!("-print-file-name={file}")))?;
        fs::copy(path.trim_end(), made.join("lib").join(&file)).with_context(|| format!("failed to copy `{file}`"))?;
    }
    fs::rename(&made, folder).with_context(|| format!("failed to make `{}`", folder.display()))?;
    fs::remove_dir_all(&scratch).context("failed to remove the sources")
}

/// The source package of the machine's own version, or the newest where the archive has that one no more.
fn fetch(scratch: &Path) -> Result<()> {
    let mut list = sources()?;
    if list.is_empty() {
        super::update()?;
        list = sources()?;
    }
    ensure!(!list.is_empty(), "apt knows no archive of this distribution");
    fs::write(scratch.join("sources.list"), list).context("failed to write the list of sources")?;
    let apt = |words: &[&str]| {
        let mut command = Command::new("apt-get");
        let place = |option: &str, name: &str| format!("{option}={}", scratch.join(name).display());
        command.current_dir(scratch).args(["-qq", "-o", "Dir::Etc::sourceparts=-", "-o", "APT::Sandbox::User=root"]);
        command.args([
            "-o",
            &place("Dir::Etc::sourcelist", "sources.list"),
            "-o",
            &place("Dir::State::lists", "lists"),
        ]);
        command.args(["-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache="]).args(words);
        command
    };
    process::run(&mut apt(&["update"]))?;
    let version = process::capture(Command::new("dpkg-query").args(["-W", "-f", "${source:Version}", "ffmpeg"]))?;
    if process::works(&mut apt(&["source", "--download-only", &format!("ffmpeg={version}")])) {
        return Ok(());
    }
    process::run(&mut apt(&["source", "--download-only", "ffmpeg"]))
}

/// `deb-src` lines for the archives that the machine installs its distribution from, in whichever of apt's two formats
/// it names them.
fn sources() -> Result<String> {
    let release = fs::read_to_string("/etc/os-release").context("failed to read `/etc/os-release`")?;
    let id = release.lines().find_map(|line| line.strip_prefix("ID=")).unwrap_or("debian").trim_matches('"');
    let mut list = Command::new("apt-get");
    list.args(["indextargets", "Created-By: Packages", "--format", "$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)"]);
    let keyrings: Vec<_> = KEYRINGS.iter().copied().filter(|path| Path::new(path).exists()).collect();
    Ok(source_lines(&process::capture(&mut list)?, id, &keyrings))
}

fn source_lines(targets: &str, id: &str, keyrings: &[&str]) -> String {
    let signed = if keyrings.is_empty() { String::new() } else { format!("[signed-by={}] ", keyrings.join(",")) };
    let line = |target: &str| {
        let fields: Vec<_> = target.split('|').collect();
        let [origin, place, release, component] = fields[..] else { return None };
        origin.eq_ignore_ascii_case(id).then(|| format!("deb-src {signed}{place} {release} {component}\n"))
    };
    let mut lines: Vec<_> = targets.lines().filter_map(line).collect();
    lines.sort_unstable();
    lines.dedup();
    lines.concat()
}

fn find(folder: &Path, ending: &str) -> Result<PathBuf> {
    for entry in fs::read_dir(folder).with_context(|| format!("failed to list `{}`", folder.display()))? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(ending) {
            return Ok(path);
        }
    }
    bail!("apt fetched no `{ending}` file")
}

/// The words after `kind:`, of all such lines.
fn words<'a>(options: &'a str, kind: &str) -> Vec<&'a str> {
    let of_kind = options.lines().filter_map(|line| line.strip_prefix(kind)?.strip_prefix(':'));
    of_kind.flat_map(str::split_whitespace).collect()
}

/// The arguments of `configure` that the options stand for.
fn arguments(options: &str) -> Vec<String> {
    let mut arguments = Vec::new();
    for line in options.lines().filter(|line| !line.starts_with('#')) {
        match line.split_once(": ") {
            Some(("package" | "static", _)) => {}
            Some((kind, names)) => {
                arguments.extend(names.split_whitespace().map(|name| format!("--enable-{kind}={name}")));
            }
            None => arguments.extend(line.split_whitespace().map(str::to_owned)),
        }
    }
    arguments
}

/// `configure` takes a name that it does not know, with a warning.
fn check(said: &str) -> Result<()> {
    let unknown: Vec<_> = said.lines().filter(|line| line.contains("did not match anything")).collect();
    ensure!(unknown.is_empty(), "{HERE}/options: {}", unknown.join("; "));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_become_arguments() {
        let options =
            "# words: no\n\npackage: libx-dev\nstatic: x z\n--enable-gpl --a=b\ndecoder: h264 pcm_*\nparser: *\n";
        let expected =
            ["--enable-gpl", "--a=b", "--enable-decoder=h264", "--enable-decoder=pcm_*", "--enable-parser=*"];
        assert_eq!(arguments(options), expected);
        assert_eq!(words(options, "static"), ["x", "z"]);
    }

    #[test]
    fn every_package_is_installed() {
        let options = include_str!("../../libav/options");
        for name in words(options, "package") {
            assert!(super::super::packages::NEEDED.iter().any(|package| package.name == name), "{name}");
        }
        check("WARNING: Option --enable-decoder=h266 did not match anything\n").unwrap_err();
        check("License: GPL\n").unwrap();
    }

    #[test]
    fn sources_come_from_the_distribution_only() {
        let targets = "Debian|http://a/debian/|bookworm|main\nDebian|http://a/debian/|bookworm|main\n\
                       Node|http://b/|x|main\n$(ORIGIN)|http://c/|x|main\n";
        assert_eq!(source_lines(targets, "debian", &[]), "deb-src http://a/debian/ bookworm main\n");
        let signed = "deb-src [signed-by=/k1,/k2] http://a/debian/ bookworm main\n";
        assert_eq!(source_lines(targets, "debian", &["/k1", "/k2"]), signed);
        assert_eq!(source_lines(targets, "ubuntu", &[]), "");
    }
}
