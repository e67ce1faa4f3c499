//! Eggs: a zip archive with `EGG-INFO/PKG-INFO`.

use super::METADATA_LIMIT;
use super::contents::Contents;
use crate::archive::source::Source;
use crate::archive::zip::Zip;
use crate::level::Findings;
use crate::{Error, Level, Limits};

/// An egg without metadata.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the egg does not contain `{PKG_INFO}`")]
pub struct BadEgg;

const PKG_INFO: &str = "EGG-INFO/PKG-INFO";

pub(super) fn read(source: Source<'_>, limits: &Limits, findings: &mut Findings) -> Result<Contents, Error> {
    let zip = Zip::open(source, limits)?;
    if findings.level() != Level::Lenient {
        zip.check(limits)?;
        zip.check_members()?;
    }
    match zip.find(PKG_INFO) {
        Some(entry) => Ok(Contents::only(Some(zip.read(entry, METADATA_LIMIT)?))),
        None => {
            // to setuptools it is no egg, but its name says enough
            findings.object(BadEgg)?;
            Ok(Contents::default())
        }
    }
}
