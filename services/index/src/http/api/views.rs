//! What the API shows and takes. Times are of RFC 3339.

use opsctl_dist::ProjectName;
use opsctl_dist::simple::{ProjectStatus, State, UploadTime};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::records::{self, Loaded, Recorded};

/// An index that has files of its own.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Index")]
pub(super) struct Index {
    pub(super) name: String,
    /// Projects that offer files.
    pub(super) projects: usize,
    pub(super) files: usize,
    pub(super) bytes: u64,
}

/// Some projects.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ProjectPage {
    pub(super) projects: Vec<ProjectRow>,
    /// Behind which name the next page begins; none on the last.
    pub(super) next: Option<String>,
}

/// A project in a list.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ProjectRow {
    /// Normalised.
    pub(super) name: String,
    /// As its author writes it.
    pub(super) display_name: String,
    /// Without one it is active.
    pub(super) status: Option<Status>,
    pub(super) files: usize,
}

/// A project.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Project {
    /// Normalised.
    pub(super) name: String,
    /// As its author writes it.
    pub(super) display_name: String,
    pub(super) index: String,
    pub(super) status: Status,
    /// By version, then by name.
    pub(super) files: Vec<File>,
}

/// Files of a project.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Files {
    pub(super) files: Vec<File>,
}

/// A file.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct File {
    pub(super) filename: String,
    pub(super) version: String,
    pub(super) sha256: String,
    /// Bytes.
    pub(super) size: u64,
    pub(super) uploaded_at: Option<String>,
    /// Who brought it; none if it was put into the folder. Only shown to those who have said who they are.
    pub(super) uploaded_by: Option<String>,
    pub(super) requires_python: Option<String>,
    pub(super) is_yanked: bool,
    /// Why, if somebody said.
    pub(super) yanked_reason: Option<String>,
}

/// Why something is withdrawn.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Yank {
    /// Shown to everybody who installs it; one line of 500 characters at most.
    #[serde(default)]
    pub(super) reason: String,
}

/// The files that are not as they were.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Yanked {
    pub(super) changed: Vec<String>,
}

/// The files that are gone.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Removed {
    pub(super) removed: Vec<String>,
}

/// Where a release is to be copied.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Promote {
    /// An index.
    pub(super) to: String,
}

/// The files that are new there.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Promoted {
    pub(super) promoted: Vec<String>,
}

/// How a project is (PEP 792).
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Status {
    pub(super) state: ProjectState,
    /// One line of 500 characters at most.
    #[serde(default)]
    pub(super) reason: Option<String>,
}

/// The states of PEP 792.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum ProjectState {
    /// Like any other.
    Active,
    /// Nothing new will come; it takes no uploads.
    Archived,
    /// Suspected of harm: it offers no files and takes none.
    Quarantined,
    /// Another should be used.
    Deprecated,
}

/// Where a name comes from.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Origin {
    pub(super) origin: OriginWord,
}

/// Where names can come from.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum OriginWord {
    /// From here alone.
    Internal,
    /// From the upstream alone.
    Upstream,
    /// From both.
    Merge,
    /// From nowhere.
    Blocked,
}

/// Some decisions.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Decisions {
    pub(super) decisions: Vec<records::Decision>,
    /// How many there are in all.
    pub(super) total: u64,
}

/// Some changes.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ChangePage {
    pub(super) changes: Vec<Recorded>,
    /// Behind which number the next page begins; none on the last.
    pub(super) next: Option<String>,
}

impl File {
    pub(super) fn of(loaded: Loaded, uploader: Option<String>) -> File {
        File {
            filename: loaded.filename.into(),
            version: loaded.version.into(),
            sha256: loaded.sha256.to_string(),
            size: loaded.stamp.size,
            uploaded_at: UploadTime::from_micros(loaded.first_seen).ok().map(|time| time.to_string()),
            uploaded_by: uploader,
            requires_python: loaded.requires_python.map(Into::into),
            is_yanked: loaded.yanked.is_some(),
            yanked_reason: loaded.yanked.map(String::from).filter(|reason| !reason.is_empty()),
        }
    }
}

impl ProjectRow {
    pub(super) fn of(name: &ProjectName, status: Option<&ProjectStatus>, files: usize) -> ProjectRow {
        ProjectRow {
            name: name.normalized().to_owned(),
            display_name: name.display().to_owned(),
            status: status.map(Status::from),
            files,
        }
    }
}

impl From<&ProjectStatus> for Status {
    fn from(status: &ProjectStatus) -> Status {
        let state = match status.state {
            State::Archived => ProjectState::Archived,
            State::Quarantined => ProjectState::Quarantined,
            State::Deprecated => ProjectState::Deprecated,
            State::Active => ProjectState::Active,
        };
        Status { state, reason: status.reason.clone() }
    }
}

impl From<Status> for ProjectStatus {
    fn from(status: Status) -> ProjectStatus {
        let state = match status.state {
            ProjectState::Archived => State::Archived,
            ProjectState::Quarantined => State::Quarantined,
            ProjectState::Deprecated => State::Deprecated,
            ProjectState::Active => State::Active,
        };
        ProjectStatus { state, reason: status.reason }
    }
}

impl From<OriginWord> for crate::origins::Origin {
    fn from(word: OriginWord) -> crate::origins::Origin {
        match word {
            OriginWord::Internal => crate::origins::Origin::Internal,
            OriginWord::Upstream => crate::origins::Origin::Upstream,
            OriginWord::Merge => crate::origins::Origin::Merge,
            OriginWord::Blocked => crate::origins::Origin::Blocked,
        }
    }
}
