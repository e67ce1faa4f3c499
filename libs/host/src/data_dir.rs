//! Where things are kept: the folder that is configured, else the first place that this account can write to.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, chown};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use nix::fcntl::{Flock, FlockArg};

use crate::process::privileges::Identity;

/// Makes the data folder, for `identity` if the program will become somebody else.
///
/// # Errors
/// When there is no writable place; the text says which option mends it.
pub(crate) fn prepare(
    configured: Option<&Path>,
    candidates: &[PathBuf],
    identity: Option<&Identity>,
) -> anyhow::Result<PathBuf> {
    if let Some(dir) = configured {
        make(dir, identity).with_context(|| format!("failed to create data folder `{}`", dir.display()))?;
        return Ok(dir.to_owned());
    }
    for dir in candidates {
        if make(dir, identity).is_ok() && writable(dir) {
            return Ok(dir.clone());
        }
    }
    let tried = candidates.iter().map(|dir| format!("`{}`", dir.display())).collect::<Vec<_>>().join(", ");
    anyhow::bail!("no writable place for data (tried {tried}); name one with --data-dir")
}

/// Makes one folder, and gives it to `identity` if it had to be made.
pub(crate) fn make(dir: &Path, identity: Option<&Identity>) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o750).create(dir)?;
    match identity {
        Some(identity) => chown(dir, identity.uid(), identity.gid()),
        None => Ok(()),
    }
}

fn writable(dir: &Path) -> bool {
    nix::unistd::access(dir, nix::unistd::AccessFlags::W_OK | nix::unistd::AccessFlags::X_OK).is_ok()
}

/// Holds a service's folder for the life of the process, so that no two write to it.
///
/// # Errors
/// When another process holds it.
pub(crate) fn hold(dir: &Path, identity: Option<&Identity>) -> anyhow::Result<Flock<File>> {
    make(dir, identity).with_context(|| format!("failed to create folder `{}`", dir.display()))?;
    let folder = File::open(dir).with_context(|| format!("failed to open folder `{}`", dir.display()))?;
    Flock::lock(folder, FlockArg::LockExclusiveNonblock).map_err(|(_, errno)| {
        let error = anyhow::Error::new(io::Error::from(errno));
        if errno == nix::errno::Errno::EWOULDBLOCK {
            error.context(format!(
                "another process uses folder `{}`: stop it, or choose another with --data-dir",
                dir.display()
            ))
        } else {
            error.context(format!("failed to lock folder `{}`", dir.display()))
        }
    })
}
