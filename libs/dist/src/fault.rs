//! Everything that can be wrong with a distribution, in words that an uploader understands.

use crate::{BadEgg, BadFileName, BadMetadata, BadSdist, BadWheel, BadZip};

/// What is wrong with a distribution. Reading stops at the first that matters; one that does not is a warning.
///
/// The message is a part of a sentence in the style of this program's errors; [`Fault::sentence`] makes one for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Its file name.
    #[error(transparent)]
    FileName(#[from] BadFileName),
    /// Its METADATA or PKG-INFO.
    #[error(transparent)]
    Metadata(#[from] BadMetadata),
    /// It is, or should be, a zip archive.
    #[error("ZIP archive not accepted: {0}")]
    Zip(BadZip),
    /// A wheel.
    #[error(transparent)]
    Wheel(#[from] BadWheel),
    /// A source distribution.
    #[error(transparent)]
    Sdist(#[from] BadSdist),
    /// An egg.
    #[error(transparent)]
    Egg(#[from] BadEgg),
    /// The metadata are those of another version.
    #[error("version in the file name should be `{metadata}`, as in the metadata, not `{file}`")]
    OtherVersion {
        /// In the file name.
        file: String,
        /// In the metadata.
        metadata: String,
    },
}

impl Fault {
    /// The message as a sentence of its own: a capital letter and a full stop.
    #[must_use]
    pub fn sentence(&self) -> String {
        let text = self.to_string();
        let mut letters = text.chars();
        let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
        format!("{first}{}.", letters.as_str())
    }
}

impl From<BadZip> for Fault {
    fn from(bad: BadZip) -> Self {
        Fault::Zip(bad)
    }
}
