//! Is the file what it is called, and what the form says of it?

use opsctl_dist::{Distribution, Level, Limits};

use super::{Error, Received};
use crate::folder::Facts;

/// Looks into the file. Blocks on the disk.
///
/// # Errors
/// It is no distribution, or not an acceptable one, or another than the form says.
pub(crate) fn check(received: &Received, level: Level) -> Result<(Box<str>, Facts), Error> {
    let Received { claims, filename, spooled } = received;
    let file = Distribution::inspect(&spooled.file, filename, spooled.digests, level, &Limits::default())?;
    file.agrees_with(&claims.claim())?;
    Ok((file.file_name.text().into(), Facts::of(file)))
}
