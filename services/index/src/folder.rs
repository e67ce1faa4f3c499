//! Keeps what is served in step with a folder that is the master: files appear, change and go, by whoever's hand.
//!
//! The kernel tells what happens (`watch`), and the whole tree is looked at from time to time, more often when the
//! kernel does not tell. A look compares stamps (`scan`), new files are read once they are complete (`settle`, `read`),
//! what became of them is noted in the database, and the catalogue serves it. Nothing that somebody put into the folder
//! is ever moved, changed or removed here: what cannot be served is set aside by not serving it, and reported.

mod keep;
mod read;
mod scan;
mod settle;
mod stamp;
mod walk;
mod watch;

use opsctl_dist::{Distribution, ProjectName};

pub(crate) use self::keep::{Keeper, Kept, TWIN};
pub(crate) use self::stamp::Stamp;
use crate::catalog::Digest;

/// What was read in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    /// The project, as its author writes it.
    pub(crate) name: ProjectName,
    /// As its author writes it.
    pub(crate) version: Box<str>,
    pub(crate) sha256: Digest,
    pub(crate) requires_python: Option<Box<str>>,
    /// Of the metadata, if it can be served by itself.
    pub(crate) metadata: Option<Digest>,
    pub(crate) summary: Option<Box<str>>,
}

/// Characters of a summary that are kept.
const SUMMARY_MAX: usize = 512;

impl Facts {
    /// The facts about a file that was read.
    pub(crate) fn of(file: Distribution) -> Facts {
        let summary = file.metadata.as_ref().and_then(|metadata| metadata.summary.as_deref());
        Facts {
            requires_python: file.requires_python().map(Box::from),
            metadata: file.core_metadata().map(|(_, digest)| digest),
            summary: summary.map(|summary| summary.chars().take(SUMMARY_MAX).collect()),
            version: file.version.text().into(),
            sha256: file.digests.sha256,
            name: file.project,
        }
    }
}

/// A file that can be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// Within the root.
    pub(crate) path: Box<str>,
    pub(crate) filename: Box<str>,
    pub(crate) stamp: Stamp,
    /// Its upload time if it is new, in microseconds since 1970.
    pub(crate) first_seen: i64,
    pub(crate) facts: Facts,
}

/// A file that cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    /// Within the root.
    pub(crate) path: Box<str>,
    pub(crate) stamp: Stamp,
    /// For the operator.
    pub(crate) reason: Box<str>,
}
