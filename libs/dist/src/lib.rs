//! Python distributions: from the bytes of a file to checked facts, and from facts to the pages of the Simple API.
//!
//! A library of its own because a package index, a mirror, a checker of folders and a converter need the same of it, and
//! because none of it needs a runtime, a database or an HTTP framework: functions from bytes to values that can be tested
//! with nothing around them.
//!
//! Where to look: `name`, `version` and `filename` are what files are called; `metadata` and `dependency` are what they say
//! of themselves; `archive` opens them, and `distribution` puts the three together into a [`Distribution`]; `level` is how
//! much is asked, `fault` everything that can be wrong; [`simple`] makes pages of it, and reads those of others.
//!
//! Invariants: no byte is trusted. What is read is bounded before it is read, nothing is unpacked to a disk, nothing in an
//! archive is executed or imported, and no input panics. What a file says of itself comes from the file, never from who
//! brought it. Functions that touch a disk say so; everything else is pure.

mod agreement;
mod archive;
mod dependency;
mod digest;
mod distribution;
mod error;
mod fault;
mod filename;
mod level;
mod metadata;
mod name;
pub mod simple;
mod version;

pub use agreement::{Claim, Disagreement};
pub use archive::Limits;
pub use archive::tar::BadTar;
pub use archive::zip::BadZip;
pub use dependency::{Dependency, Source};
pub use digest::{BadDigest, Digest, Digests, Hasher, Wanted};
pub use distribution::{BadEgg, BadSdist, BadWheel, Distribution};
pub use error::Error;
pub use fault::Fault;
pub use filename::{BadFileName, BuildTag, Container, FILE_NAME_MAX, FileName, Kind, Tags};
pub use level::Level;
pub use metadata::{BadMetadata, METADATA_MAX, Metadata, SUMMARY_MAX};
pub use name::{BadName, NAME_MAX, ProjectName, normalize};
pub use version::{BadVersion, VERSION_MAX, Version};

/// The README's programs are compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
