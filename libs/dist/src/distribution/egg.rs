//! Eggs: a zip archive with `EGG-INFO/PKG-INFO`.

use super::METADATA_LIMIT;
use crate::archive::source::Source;
use crate::archive::zip::Zip;
use crate::level::Findings;
use crate::{Error, Limits};

/// What is wrong with an egg.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the egg has no `{PKG_INFO}`")]
pub struct BadEgg;

const PKG_INFO: &str = "EGG-INFO/PKG-INFO";

/// The bytes of PKG-INFO; an egg without is no egg to anybody, but its file name says enough.
pub(super) fn metadata(source: Source<'_>, limits: &Limits, findings: &mut Findings) -> Result<Option<Vec<u8>>, Error> {
    let zip = Zip::open(source, limits)?;
    match zip.entries.iter().find(|entry| entry.name == PKG_INFO) {
        Some(entry) => zip.read(entry, METADATA_LIMIT).map(Some),
        None => {
            findings.object(BadEgg)?;
            Ok(None)
        }
    }
}
