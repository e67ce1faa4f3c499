//! Everything that can be wrong with a distribution, in words that an uploader understands.

use crate::{BadEgg, BadFileName, BadMetadata, BadSdist, BadTar, BadWheel, BadZip, Disagreement, Kind};

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
    /// It is, or should be, a tar archive.
    #[error("tar archive not accepted: {0}")]
    Tar(BadTar),
    /// Readers of either find something else.
    #[error("file is both a zip and a tar file")]
    ZipAndTar,
    /// A wheel.
    #[error(transparent)]
    Wheel(#[from] BadWheel),
    /// A source distribution.
    #[error(transparent)]
    Sdist(#[from] BadSdist),
    /// An egg.
    #[error(transparent)]
    Egg(#[from] BadEgg),
    /// A licence that the metadata name is not in the archive (PEP 639).
    #[error("License-File `{file}` does not exist in the distribution at `{path}`")]
    NoLicence {
        /// As in the metadata.
        file: String,
        /// Where it should be.
        path: String,
    },
    /// A kind of file that is not taken at this level.
    #[error("files of type `{0}` are not taken: use wheels and source distributions (PEP 527, PEP 715)")]
    Kind(Kind),
    /// A kind of file that cannot be looked into, and so not be checked.
    #[error("`{0}` cannot be checked and is not taken")]
    Opaque(String),
    /// A new upload with a file name of before.
    #[error("filename `{file}` is invalid, should be `{expected}`")]
    Spelling {
        /// The file name.
        file: String,
        /// How it, or its beginning, has to be spelled (PEP 427, PEP 625).
        expected: String,
    },
    /// The form of the upload says something else.
    #[error(transparent)]
    Form(#[from] Disagreement),
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

impl From<BadTar> for Fault {
    fn from(bad: BadTar) -> Self {
        Fault::Tar(bad)
    }
}
