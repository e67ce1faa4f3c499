//! Which folder each index is served from, in a file `root-INDEX` of the data folder. A verb with another one, for want
//! of `--config` or `--root`, would find that all files are gone, and tell the server so.
//!
//! The server says which it is, and may move; a verb only compares.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::config::IndexName;

/// Notes that `index` is served from `root`.
///
/// # Errors
/// The disk's.
pub(crate) fn note(data_dir: &Path, index: &IndexName, root: &Path) -> anyhow::Result<()> {
    let (file, root) = (file(data_dir, index), real(root));
    if fs::read(&file).is_ok_and(|noted| noted == root.as_os_str().as_bytes()) {
        return Ok(());
    }
    let new = file.with_extension("new");
    let written = fs::write(&new, root.as_os_str().as_bytes()).and_then(|()| fs::rename(&new, &file));
    written.with_context(|| format!("failed to write `{}`", file.display()))
}

/// Refuses another folder than the one that is served, while that is there.
///
/// # Errors
/// It is another one.
pub(crate) fn check(data_dir: &Path, index: &IndexName, root: &Path) -> anyhow::Result<()> {
    let file = file(data_dir, index);
    let noted = match fs::read(&file) {
        Ok(noted) => PathBuf::from(std::ffi::OsStr::from_bytes(&noted)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("failed to read `{}`", file.display())),
    };
    if noted != real(root) && noted.is_dir() {
        bail!(
            "the index `{index}` is served from `{}`, and not from `{}`: give the server's `--config` or `--root`",
            noted.display(),
            root.display()
        );
    }
    Ok(())
}

fn file(data_dir: &Path, index: &IndexName) -> PathBuf {
    data_dir.join(format!("root-{index}"))
}

fn real(root: &Path) -> PathBuf {
    root.canonicalize().unwrap_or_else(|_| root.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_folder_is_refused_while_the_served_one_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let (one, other) = (dir.path().join("one"), dir.path().join("other"));
        [&one, &other].into_iter().for_each(|folder| fs::create_dir(folder).unwrap());
        let main = IndexName::main();
        check(dir.path(), &main, &other).unwrap();
        note(dir.path(), &main, &one).unwrap();
        check(dir.path(), &main, &one).unwrap();
        let said = check(dir.path(), &main, &other).unwrap_err().to_string();
        assert!(said.contains("the index `main` is served from"), "{said}");
        note(dir.path(), &main, &other).unwrap();
        check(dir.path(), &main, &other).unwrap();
        fs::remove_dir(&other).unwrap();
        check(dir.path(), &main, &one).unwrap();
    }
}
