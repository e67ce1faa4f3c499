//! Pages in JSON (PEP 691, 700, 740, 792): how the model is written. How it is read is `parse`'s matter.

use serde::ser::{SerializeMap, SerializeStruct};
use serde::{Serialize, Serializer};

use super::{API_VERSION, CoreMetadata, File, List, Page, ProjectStatus, Yanked};
use crate::ProjectName;

impl List {
    /// The page in JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Wire<'a> {
            meta: Meta,
            projects: Vec<Name<'a>>,
        }
        #[derive(Serialize)]
        struct Name<'a> {
            name: &'a str,
        }
        let projects = self.projects.iter().map(ProjectName::display).map(|name| Name { name }).collect();
        write(&Wire { meta: META, projects })
    }
}

impl Page {
    /// The page in JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        #[derive(Serialize)]
        #[serde(rename_all = "kebab-case")]
        struct Wire<'a> {
            meta: Meta,
            name: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            project_status: Option<&'a ProjectStatus>,
            versions: &'a [String],
            files: &'a [File],
        }
        let Page { name, status, versions, files: _ } = self;
        write(&Wire { meta: META, name, project_status: status.as_ref(), versions, files: self.offered() })
    }
}

#[derive(Serialize)]
struct Meta {
    #[serde(rename = "api-version")]
    api_version: &'static str,
}

const META: Meta = Meta { api_version: API_VERSION };

fn write(page: &impl Serialize) -> Vec<u8> {
    // fails only on maps with keys that are no text, and on writers: neither is here
    let mut bytes = serde_json::to_vec(page).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

impl Serialize for ProjectStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ProjectStatus { state, reason } = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("status", state.marker())?;
        if let Some(reason) = reason {
            map.serialize_entry("reason", reason)?;
        }
        map.end()
    }
}

impl Serialize for File {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let File {
            filename,
            url,
            hashes,
            requires_python,
            core_metadata,
            gpg_sig,
            yanked,
            size,
            upload_time,
            provenance,
        } = self;
        let mut file = serializer.serialize_struct("File", 10)?;
        file.serialize_field("filename", filename)?;
        file.serialize_field("url", url)?;
        file.serialize_field("hashes", &Hashes(hashes))?;
        if let Some(specifier) = requires_python {
            file.serialize_field("requires-python", specifier)?;
        }
        if let Some(size) = size {
            file.serialize_field("size", size)?;
        }
        if let Some(time) = upload_time {
            file.serialize_field("upload-time", &time.to_string())?;
        }
        // only under this name: old clients take a table under the former name for a fault
        match core_metadata {
            CoreMetadata::Unknown => {}
            CoreMetadata::Absent => file.serialize_field("core-metadata", &false)?,
            CoreMetadata::Present => file.serialize_field("core-metadata", &true)?,
            CoreMetadata::Hashes(hashes) => file.serialize_field("core-metadata", &Hashes(hashes))?,
        }
        match yanked {
            Yanked::No => file.serialize_field("yanked", &false)?,
            Yanked::Yes => file.serialize_field("yanked", &true)?,
            Yanked::Because(reason) => file.serialize_field("yanked", reason)?,
        }
        if let Some(signed) = gpg_sig {
            file.serialize_field("gpg-sig", signed)?;
        }
        if let Some(url) = provenance {
            file.serialize_field("provenance", url)?;
        }
        file.end()
    }
}

/// A table of digests.
struct Hashes<'a>(&'a [(String, String)]);

impl Serialize for Hashes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(algorithm, digest)| (algorithm, digest)))
    }
}
