//! What a worker is told, on its standard input, before it gives everything up.

use serde::{Deserialize, Serialize};

use crate::limits::Limits;
use crate::part::Part;
use crate::profile::Profile;

/// The upload's name in the job's folder: a link or the file itself, whatever it was called before.
pub(crate) const SOURCE: &str = "source";
/// Bytes of a task, at most.
pub(crate) const LARGEST: u64 = 1 << 20;

/// One order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Task {
    /// Whoever started the worker: when that is gone, nobody wants the results.
    pub parent: u32,
    pub limits: Limits,
    /// Seconds of the processor, of all threads together.
    pub seconds: u64,
    pub order: Order,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Find the facts.
    Probe,
    /// Make what the profile says.
    Encode(Profile),
    /// Find out where the picture can be cut; see [`Part`].
    Cut {
        /// What is to be made in the end.
        profile: Profile,
        /// How long a part is to be.
        seconds: f64,
    },
    /// Encode one part of the picture.
    Part {
        /// As it was when the parts were found.
        profile: Profile,
        /// Which part.
        part: Part,
    },
    /// Make what the profile says, but for pictures, from parts whose files are in the job's folder.
    Join {
        /// As it was when the parts were found.
        profile: Profile,
        /// How many there are.
        parts: u32,
    },
    /// Try to break out, and say how that went.
    Prove {
        /// A file that exists and may not be read.
        other: String,
        /// A port of loopback on which somebody listens.
        port: u16,
    },
}
