//! The checkout as a value: where it is, where its build output goes, and all its text files.
//!
//! Checks work on a `Tree` of texts, never on the disk, so that each rule can be tried on a made-up tree. Nothing here
//! asks git: a checkout unpacked from an archive is as good as a clone.
use crate::cargo;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// What holds no sources, wherever it stands; `.git` is a file in a second work tree of git.
const SKIPPED: &[&str] = &[".git", "target", "node_modules", "__pycache__"];

/// Where the checkout and its build output are.
#[derive(Debug, Clone)]
pub(crate) struct Repo {
    pub root: PathBuf,
    /// Cargo's build output; elsewhere than `root/target` where the caller told cargo so.
    pub target: PathBuf,
}

impl Repo {
    /// The checkout that this program was built from.
    pub(crate) fn here() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask has no parent folder")?.to_owned();
        let target = cargo::target_dir(&root)?;
        Ok(Self { root, target })
    }

    /// What commands make beside cargo's output and may be thrown away: `target/<name>` in the checkout itself, where
    /// tests can find it by a relative path.
    pub(crate) fn made(&self, name: &str) -> PathBuf {
        self.root.join("target").join(name)
    }

    pub(crate) fn read(&self, path: &str) -> Result<String> {
        fs::read_to_string(self.root.join(path)).with_context(|| format!("failed to read `{path}`"))
    }

    pub(crate) fn write(&self, path: &str, text: &str) -> Result<()> {
        let full = self.root.join(path);
        if let Some(folder) = full.parent() {
            fs::create_dir_all(folder).with_context(|| format!("failed to make `{}`", folder.display()))?;
        }
        fs::write(full, text).with_context(|| format!("failed to write `{path}`"))
    }

    /// All files of the checkout; of those that hold no text, the names.
    pub(crate) fn tree(&self) -> Result<Tree> {
        let mut files = Vec::new();
        self.walk(Path::new(""), &mut |path| {
            let full = self.root.join(path);
            let bytes = fs::read(&full).with_context(|| format!("failed to read `{}`", full.display()))?;
            // a picture is there by its name alone: links lead to it
            files.push(File { path: path.to_owned(), text: String::from_utf8(bytes).unwrap_or_default() });
            Ok(())
        })?;
        Ok(Tree { files })
    }

    /// Calls `each` with the path, relative to the root and with `/`, of every file, in order.
    pub(crate) fn walk(&self, folder: &Path, each: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
        let full = self.root.join(folder);
        let wrong = || format!("failed to list `{}`", full.display());
        let mut entries =
            fs::read_dir(&full).with_context(wrong)?.collect::<Result<Vec<_>, _>>().with_context(wrong)?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name();
            let path = folder.join(&name);
            let kind = entry.file_type().with_context(wrong)?;
            if SKIPPED.iter().any(|skipped| name == *skipped) {
                continue;
            }
            if kind.is_file() {
                each(&path.to_string_lossy())?;
            } else if kind.is_dir() {
                self.walk(&path, each)?;
            }
        }
        Ok(())
    }
}

/// A file: its path from the root, with `/`, and its text.
#[derive(Debug)]
pub(crate) struct File {
    pub path: String,
    pub text: String,
}

impl File {
    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    pub(crate) fn folders(&self) -> impl Iterator<Item = &str> {
        self.path.rsplit_once('/').map_or("", |(folders, _)| folders).split('/').filter(|name| !name.is_empty())
    }

    /// The path's last part.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit_once('/').map_or(self.path.as_str(), |(_, name)| name)
    }
}

/// Files, sorted by path.
#[derive(Debug)]
pub(crate) struct Tree {
    pub files: Vec<File>,
}

impl Tree {
    pub(crate) fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.is_rust())
    }

    pub(crate) fn get(&self, path: &str) -> Option<&str> {
        self.files.iter().find(|file| file.path == path).map(|file| file.text.as_str())
    }

    /// Whether `path` is a file or a folder with a file in it.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.files
            .iter()
            .any(|file| file.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    }

    /// The names of the crates' folders right under `folder`.
    pub(crate) fn crates_in(&self, folder: &str) -> Vec<&str> {
        let inside = |file: &'_ File| -> Option<(usize, usize)> {
            let rest = file.path.strip_prefix(folder)?.strip_prefix('/')?;
            let name = rest.strip_suffix("/Cargo.toml").filter(|name| !name.contains('/'))?;
            Some((folder.len() + 1, folder.len() + 1 + name.len()))
        };
        self.files.iter().filter_map(|file| inside(file).map(|(from, to)| &file.path[from..to])).collect()
    }

    /// A made-up tree.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        Self { files: files.iter().map(|(path, text)| File { path: (*path).into(), text: (*text).into() }).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_knows_its_folders_and_crates() {
        let tree = Tree::of(&[("libs/web/Cargo.toml", ""), ("libs/web/src/lib.rs", ""), ("libs/web/x/Cargo.toml", "")]);
        assert_eq!(tree.crates_in("libs"), ["web"]);
        assert!(tree.has("libs/web") && tree.has("libs/web/src/lib.rs") && !tree.has("libs/we"));
        assert_eq!(tree.files[1].folders().collect::<Vec<_>>(), ["libs", "web", "src"]);
        assert_eq!(tree.files[1].name(), "lib.rs");
    }
}
