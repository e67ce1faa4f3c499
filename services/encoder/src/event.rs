//! What a worker says while it works: a line of JSON per event on its standard output.
//!
//! Whoever reads must not trust it: an upload may have taken the worker over. Lines are bounded by the reader, names of
//! files are compared with what was asked for, and numbers are only shown.

use serde::{Deserialize, Serialize};

use crate::asset::Asset;
use crate::facts::Facts;
use crate::isolation::{Attempt, Isolation};
use crate::part::{Part, Piece};
use crate::refusal::Refusal;

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// What the kernel keeps the worker from; comes first, before the upload is opened.
    Isolation(Isolation),
    /// What the upload is.
    Facts(Box<Facts>),
    /// How far it is.
    Progress(Progress),
    /// Something to know about a result that is there all the same.
    Warning(Warning),
    /// A result is complete.
    Asset(Asset),
    /// Where the picture can be cut.
    Parts {
        /// All of it; empty if it is to be encoded as a whole.
        parts: Vec<Part>,
    },
    /// A part of the picture is encoded.
    Piece(Piece),
    /// How attempts to break out went.
    Proof {
        /// Each of them.
        attempts: Vec<Attempt>,
    },
    /// The upload is at fault; nothing follows.
    Refused(Refusal),
    /// Something else is; nothing follows.
    Failed {
        /// Whether there was no room on the disk.
        no_space: bool,
        /// The chain of causes.
        text: String,
    },
    /// All is done; nothing follows.
    Done,
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Of 100, where the length of the upload is known.
    pub percent: Option<f64>,
    /// Seconds of the upload that are done.
    pub position: f64,
    /// Frames that are done.
    pub frames: u64,
    /// Seconds that it will probably take from now.
    pub eta: Option<f64>,
}

/// What went not quite well, typed for programs, with words for people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "warning", rename_all = "snake_case")]
pub enum Warning {
    /// Some of it could not be decoded.
    #[error("{failed} of {packets} {medium} packets are damaged and were left out")]
    DamagedPackets {
        /// `video` or `audio`.
        medium: String,
        /// That could not be decoded.
        failed: u64,
        /// Altogether.
        packets: u64,
    },
    /// Decoded, with holes.
    #[error("{frames} frames are damaged")]
    DamagedFrames {
        /// That the decoder says so of.
        frames: u64,
    },
    /// Ends long before its container says.
    #[error("the upload ends after {found:.1} of {expected:.1} seconds")]
    EndsEarly {
        /// Seconds that are there.
        found: f64,
        /// Seconds that the container promises.
        expected: f64,
    },
    /// A stream was left out.
    #[error("a stream with the codec `{codec}` cannot be decoded and was left out")]
    LeftOut {
        /// libav's name for it.
        codec: String,
    },
    /// The picture changed its size on the way.
    #[error("the picture changes its size on the way")]
    SizeChanges,
    /// Times that jump were put in order.
    #[error("times in the upload jump and were put in order")]
    TimesJump,
}
