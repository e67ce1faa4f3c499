//! Limits of the process, setrlimit(2). What goes over them ends the worker alone.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::Grant;
use crate::limits::Limits;

/// Files open at once: the upload, each result, the pipes.
const FILES: u64 = 256;

/// `seconds` of processor time are for all threads together.
pub(super) fn apply(limits: &Limits, seconds: u64) -> Result<Grant, String> {
    let bounds = [
        (Resource::Core, 0),
        (Resource::Nofile, FILES),
        (Resource::Fsize, limits.file_size),
        // what is written to, rather than what is reserved: allocators and threads reserve much and use little
        (Resource::Data, limits.memory),
        (Resource::As, limits.memory.saturating_mul(4)),
        (Resource::Cpu, seconds),
    ];
    for (resource, most) in bounds {
        // whoever started us may have set less
        let most = getrlimit(resource).maximum.map_or(most, |given| most.min(given));
        let limit = Rlimit { current: Some(most), maximum: Some(most) };
        setrlimit(resource, limit).map_err(|error| format!("{resource:?}: {error}"))?;
    }
    Ok(Grant::Full)
}
