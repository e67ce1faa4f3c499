//! The folder in which jobs are done: one for each process, locked for its life, so that what a crash left is known and
//! removed.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{FlockOperation, flock};

const LOCK: &str = "lock";

/// This process's.
#[derive(Debug)]
pub(super) struct Workshop {
    folder: PathBuf,
    _held: File,
    count: AtomicU64,
}

/// A job's, removed when dropped.
#[derive(Debug)]
pub(super) struct Bench(PathBuf);

impl Workshop {
    pub(super) fn open(all: &Path) -> io::Result<Workshop> {
        DirBuilder::new().recursive(true).mode(0o750).create(all)?;
        let alone = File::create(all.join(LOCK))?;
        flock(&alone, FlockOperation::LockExclusive)?;
        for entry in fs::read_dir(all)? {
            let folder = entry?.path();
            if folder.is_dir() && !is_held(&folder) {
                fs::remove_dir_all(&folder)?;
            }
        }
        let folder = (0_u32..).map(|number| all.join(format!("{}-{number}", std::process::id())));
        for folder in folder {
            match DirBuilder::new().mode(0o700).create(&folder) {
                // of another container, with numbers of its own, or of another service of this process
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => {
                    made?;
                    let held = File::create(folder.join(LOCK))?;
                    flock(&held, FlockOperation::LockExclusive)?;
                    return Ok(Workshop { folder, _held: held, count: AtomicU64::new(0) });
                }
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Differs from those of all others on this machine.
    pub(super) fn name(&self) -> String {
        self.folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// An empty folder.
    pub(super) fn bench(&self) -> io::Result<Bench> {
        let folder = self.folder.join(self.count.fetch_add(1, Ordering::Relaxed).to_string());
        DirBuilder::new().mode(0o700).create(&folder)?;
        Ok(Bench(folder))
    }
}

fn is_held(folder: &Path) -> bool {
    let lock = File::open(folder.join(LOCK));
    lock.is_ok_and(|lock| flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err())
}

impl Drop for Workshop {
    fn drop(&mut self) {
        // whoever opens next does it otherwise
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Bench {
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_crash_left_goes_and_what_is_in_use_stays() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("1-0/7")).unwrap();
        fs::write(dir.path().join("1-0/lock"), "").unwrap();
        let one = Workshop::open(dir.path()).unwrap();
        assert!(!dir.path().join("1-0").exists());
        let bench = one.bench().unwrap();
        let two = Workshop::open(dir.path()).unwrap();
        assert!(bench.path().is_dir());
        assert_ne!(one.name(), two.name());
        let path = bench.path().to_owned();
        drop(bench);
        assert!(!path.exists());
        drop((one, two));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "the lock alone");
    }
}
