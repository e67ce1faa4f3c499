//! What was made of an upload: named results, each a file or several.

use serde::{Deserialize, Serialize};

use crate::facts::Size;

/// One result, under the name that the profile gives it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Asset {
    /// The output's name in the profile.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Its files, from the job's folder, the one to begin with first.
    pub files: Vec<String>,
    /// Bytes of all files.
    pub bytes: u64,
    /// Of a frame or picture.
    pub size: Option<Size>,
    /// Seconds.
    pub duration: Option<f64>,
    /// Whether picture, sound or both were copied from the upload as they were.
    pub copied: bool,
}

/// Kinds of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Something to play.
    Mp4,
    /// Something to play, with an index that players seek by.
    Flv,
    /// Something to listen to.
    M4a,
    /// A playlist of playlists with their segments.
    Hls,
    /// A picture that stands for the whole.
    Poster,
    /// Pictures at equal distances.
    Thumbs,
    /// Sheets of small pictures with a WebVTT file that says which is when.
    Storyboard,
}

impl Kind {
    /// Its word, in the database and in answers.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Mp4 => "mp4",
            Self::Flv => "flv",
            Self::M4a => "m4a",
            Self::Hls => "hls",
            Self::Poster => "poster",
            Self::Thumbs => "thumbs",
            Self::Storyboard => "storyboard",
        }
    }
}
