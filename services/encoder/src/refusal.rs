//! Why an upload cannot be made into anything, in words that help whoever uploaded it.

use serde::{Deserialize, Serialize};

/// A typed reason. The upload is at fault, not this program: trying again changes nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Refusal {
    /// No bytes at all.
    #[error("the upload is empty")]
    Empty,
    /// The end is missing, and with it what is needed to read the rest.
    #[error("the upload looks truncated: its end is missing; upload it again")]
    Truncated,
    /// No container that is known.
    #[error("this is no video or audio file of a known kind")]
    NotMedia,
    /// A list of addresses.
    #[error("this is a playlist, not a video: upload the video itself")]
    Playlist,
    /// A photograph or drawing.
    #[error("this is a picture, not a video")]
    Picture,
    /// A container with neither picture nor sound.
    #[error("there is no video and no sound in it")]
    NoStream,
    /// Digital rights management.
    #[error("the video is encrypted (DRM) and cannot be read")]
    Encrypted,
    /// Streams that no decoder is there for.
    #[error("its codec `{codec}` is not supported")]
    UnknownCodec {
        /// libav's name for it.
        codec: String,
    },
    /// More pixels than are allowed.
    #[error("the picture is too large: {width}x{height}, at most {most} pixels are allowed")]
    TooLarge {
        /// Of a frame.
        width: u32,
        /// Of a frame.
        height: u32,
        /// Of a frame, in pixels.
        most: u64,
    },
    /// Takes more time to watch than is allowed.
    #[error("the video is too long: at most {most} seconds are allowed")]
    TooLong {
        /// Seconds.
        most: u64,
    },
    /// More streams than any real file has.
    #[error("there are too many streams in it: {count}")]
    TooManyStreams {
        /// As many as there are.
        count: u32,
    },
    /// Nothing of it could be decoded.
    #[error("the file is damaged: no frame of it can be decoded")]
    Damaged,
    /// The profile asks for nothing that can be made of this.
    #[error("nothing that is asked for can be made of it")]
    NothingToDo,
    /// The kernel ended the worker, or its memory or time ran out: this upload is more than is allowed, or made to harm.
    #[error("it took more {of} than is allowed")]
    TooCostly {
        /// `time`, `memory` or `disk space`.
        of: String,
    },
}
