//! Where blobs are written before they have their name: a folder of this process alone, on the store's file system.
//!
//! Each opener holds a lock on its own folder for life; a folder that nobody holds is what a crash left, and goes.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::{Error, Result, lock};

/// Its name in the store's root; no key begins with a dot.
pub(super) const NAME: &str = ".incoming";
/// In the staging folder: held while openers come and sweep. In each opener's folder: held for the opener's life.
const LOCK: &str = "lock";

/// Makes names of folders differ within a process.
static OPENED: AtomicU64 = AtomicU64::new(0);

#[derive(Debug)]
pub(super) struct Staging {
    folder: PathBuf,
    files: AtomicU64,
    _held: File,
}

impl Staging {
    /// Makes a folder under `<root>/.incoming`, and `root` if there is none; sweeps those of processes that are gone.
    pub(super) async fn open(root: &Path) -> Result<Self> {
        let all = root.join(NAME);
        super::folder::blocking(move || {
            Self::open_blocking(&all).map_err(|source| Error::io("use folder", &all, source))
        })
        .await
    }

    fn open_blocking(all: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o750).create(all)?;
        let _alone = lock::hold(&all.join(LOCK))?;
        sweep(all)?;
        loop {
            let number = OPENED.fetch_add(1, Ordering::Relaxed);
            let folder = all.join(format!("{}-{number}", std::process::id()));
            match DirBuilder::new().mode(0o700).create(&folder) {
                Ok(()) => {
                    let held = lock::hold(&folder.join(LOCK))?;
                    return Ok(Self { folder, files: AtomicU64::default(), _held: held });
                }
                // of a process of another container, with its own numbers
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub(super) fn temp(&self) -> Temp {
        let number = self.files.fetch_add(1, Ordering::Relaxed);
        Temp(self.folder.join(number.to_string()))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // whoever opens next does it otherwise
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Removes what processes that are gone left behind.
fn sweep(all: &Path) -> io::Result<()> {
    for entry in fs::read_dir(all)? {
        let folder = entry?.path();
        if !folder.is_dir() {
            continue;
        }
        match lock::try_hold(&folder.join(LOCK)) {
            // not even its lock was made: the maker holds the outer lock while making it, and is gone
            Err(error) if error.kind() == io::ErrorKind::NotFound => fs::remove_dir_all(&folder)?,
            Err(error) => return Err(error),
            Ok(Some(_held)) => {
                fs::remove_dir_all(&folder)?;
                tracing::info!(folder = %folder.display(), "removed what a crash left behind");
            }
            Ok(None) => {}
        }
    }
    Ok(())
}

/// The name of a file that shall become a blob. Removed when dropped.
#[derive(Debug)]
pub struct Temp(PathBuf);

impl Temp {
    /// The path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Makes the file, for reading and writing.
    ///
    /// # Errors
    /// What the system says.
    pub fn create(&self) -> Result<File> {
        let made = OpenOptions::new().read(true).write(true).create_new(true).mode(0o640).open(&self.0);
        made.map_err(|source| Error::io("create", &self.0, source))
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        // moved to its place, as a rule
        let _ = fs::remove_file(&self.0);
    }
}
