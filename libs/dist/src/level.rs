//! How much is asked of a file, and what was found on the way.

use crate::Fault;

/// How much is asked of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// Uploads by today's tools: normalised names, wheels and sdists only, every rule about archives.
    Strict,
    /// Uploads by tools of any age: old names, old versions and eggs pass; the rules about archives are those of
    /// [`Level::Strict`].
    Legacy,
    /// Files that the owner of a folder put there: read what an installer would read, and warn.
    Lenient,
}

/// Collects what is wrong with a file but does not keep it out.
#[derive(Debug)]
pub(crate) struct Findings {
    level: Level,
    warnings: Vec<Fault>,
}

/// Warnings that are kept of one file; a hostile one could have millions.
const WARNINGS_MAX: usize = 50;

impl Findings {
    pub(crate) fn new(level: Level) -> Findings {
        Findings { level, warnings: Vec::new() }
    }

    pub(crate) fn level(&self) -> Level {
        self.level
    }

    /// Refuses an upload, and warns about a file of the folder.
    pub(crate) fn object(&mut self, fault: impl Into<Fault>) -> Result<(), Fault> {
        match self.level {
            Level::Strict | Level::Legacy => Err(fault.into()),
            Level::Lenient => {
                self.warn(fault);
                Ok(())
            }
        }
    }

    /// Refuses what a tool of today would not do, and warns about everything else.
    pub(crate) fn object_to_new(&mut self, fault: impl Into<Fault>) -> Result<(), Fault> {
        match self.level {
            Level::Strict => Err(fault.into()),
            Level::Legacy | Level::Lenient => {
                self.warn(fault);
                Ok(())
            }
        }
    }

    pub(crate) fn warn(&mut self, fault: impl Into<Fault>) {
        if self.warnings.len() < WARNINGS_MAX {
            self.warnings.push(fault.into());
        }
    }

    pub(crate) fn into_warnings(self) -> Vec<Fault> {
        self.warnings
    }
}
