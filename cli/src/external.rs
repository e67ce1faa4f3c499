//! Plug-ins from outside: an executable `opsctl-NAME` on `PATH` is the sub-command NAME, as with cargo and git.
//!
//! What is built in wins. The current folder is never searched: an empty or relative entry of `PATH` is passed over.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const PREFIX: &str = "opsctl-";

/// A plug-in found on `PATH`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
}

/// The executable for sub-command `name`.
pub(crate) fn find(name: &OsStr, path: Option<&OsStr>) -> Option<PathBuf> {
    let bytes = name.as_bytes();
    if bytes.is_empty() || bytes.starts_with(b"-") || bytes.contains(&b'/') {
        return None;
    }
    let mut file = OsString::from(PREFIX);
    file.push(name);
    folders(path?).map(|folder| folder.join(&file)).find(|program| is_executable(program))
}

/// All there are, by name; of two with one name the first on `PATH`.
pub(crate) fn list(path: Option<&OsStr>) -> Vec<Found> {
    let mut found = BTreeMap::new();
    for folder in path.into_iter().flat_map(folders) {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let file = entry.file_name();
            let Some(name) = file.to_str().and_then(|file| file.strip_prefix(PREFIX)) else { continue };
            if !name.is_empty() && !found.contains_key(name) && is_executable(&entry.path()) {
                found.insert(name.to_owned(), entry.path());
            }
        }
    }
    found.into_iter().map(|(name, path)| Found { name, path }).collect()
}

/// Becomes `program`. Returns only if that fails.
pub(crate) fn replace_by(program: &Path, arguments: &[OsString]) -> ExitCode {
    let error = Command::new(program).args(arguments).exec();
    eprintln!("error: failed to run `{}`: {error}", program.display());
    ExitCode::FAILURE
}

fn folders(path: &OsStr) -> impl Iterator<Item = PathBuf> {
    std::env::split_paths(path).filter(|folder| folder.is_absolute())
}

fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(folder: &Path, name: &str, mode: u32) -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn the_first_executable_on_an_absolute_path_wins() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        place(one.path(), "opsctl-plain", 0o644);
        let hello = place(one.path(), "opsctl-hello", 0o755);
        place(two.path(), "opsctl-hello", 0o755);
        let plain = place(two.path(), "opsctl-plain", 0o755);
        let path = std::env::join_paths([Path::new("."), Path::new(""), one.path(), two.path()]).unwrap();
        let path = Some(path.as_os_str());

        assert_eq!(find(OsStr::new("hello"), path), Some(hello.clone()));
        assert_eq!(find(OsStr::new("plain"), path), Some(plain.clone()));
        assert_eq!(find(OsStr::new("../hello"), path), None);
        assert_eq!(find(OsStr::new(""), path), None);
        let expected = [("hello", hello), ("plain", plain)];
        assert_eq!(list(path), expected.map(|(name, path)| Found { name: name.to_owned(), path }));
    }
}
