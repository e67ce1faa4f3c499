//! What is found in an archive of any form: the metadata, and for uploads the names of all files.

use std::collections::HashSet;

use crate::level::Findings;
use crate::{Fault, Metadata};

/// What an archive holds.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// METADATA or PKG-INFO.
    pub(super) metadata: Option<Vec<u8>>,
    /// What stands before the paths of licences, with a slash at the end.
    pub(super) licences: String,
    /// All files; only looked at for uploads.
    pub(super) names: Option<HashSet<String>>,
}

impl Contents {
    /// Only metadata: a file of a folder.
    pub(super) fn only(metadata: Option<Vec<u8>>) -> Contents {
        Contents { metadata, ..Contents::default() }
    }

    /// Is each `License-File` where PEP 639 wants it? Metadata from before have that field with another meaning.
    pub(super) fn check_licences(&self, metadata: &Metadata, findings: &mut Findings) -> Result<(), Fault> {
        let Some(names) = &self.names else { return Ok(()) };
        if !metadata.is_since(2, 4) {
            return Ok(());
        }
        for file in &metadata.license_files {
            let path = format!("{}{file}", self.licences);
            if !names.contains(&path) {
                findings.object_to_new(Fault::NoLicence { file: file.clone(), path })?;
            }
        }
        Ok(())
    }
}
