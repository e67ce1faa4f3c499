//! Is the file what it is called, and what the form says of it?

use opsctl_dist::{Distribution, Level, Limits};

use super::{Error, Received, Spooled};
use crate::folder::Facts;

/// Looks into the file, and compares it with what its sender says. Blocks on the disk.
///
/// # Errors
/// It is no distribution, or not an acceptable one, or another than the form says.
pub(crate) fn check(received: &Received, level: Level) -> Result<(Box<str>, Facts), Error> {
    let Received { claims, filename, spooled } = received;
    let file = inspect(filename, spooled, level)?;
    file.agrees_with(&claims.claim())?;
    Ok((file.file_name.text().into(), Facts::of(file)))
}

/// Looks into a file of which nobody says anything but its name. Blocks on the disk.
///
/// # Errors
/// It is no distribution, or not an acceptable one.
pub(crate) fn check_file(filename: &str, spooled: &Spooled, level: Level) -> Result<(Box<str>, Facts), Error> {
    let file = inspect(filename, spooled, level)?;
    Ok((file.file_name.text().into(), Facts::of(file)))
}

fn inspect(filename: &str, spooled: &Spooled, level: Level) -> Result<Distribution, Error> {
    Ok(Distribution::inspect(&spooled.file, filename, spooled.digests, level, &Limits::default())?)
}
