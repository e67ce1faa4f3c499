//! Encoder: makes what browsers play of whatever video people have.
//!
//! Where to look: `profile` is what can be asked for, `facts` what an upload is, `plan` what is done with it: all data,
//! no video. `transcode` does it, and alone knows libav. `worker` is a process that transcodes one upload behind the
//! fences of `isolation`; `job` starts and watches it. `tool` is the command line.
//!
//! Invariants: hostile bytes are read in a worker, never in the process that serves. A worker reads one file, writes one
//! folder, and knows no network. What a worker says is not trusted. An upload is never made larger, and what it is
//! refused for is said in words that its owner understands.

mod asset;
mod colours;
mod event;
mod facts;
mod isolation;
mod job;
mod limits;
mod plan;
mod profile;
mod refusal;
mod task;
mod tool;
mod transcode;
mod worker;

pub use asset::{Asset, Kind};
pub use colours::Colours;
pub use event::{Event, Progress, Warning};
pub use facts::{AudioFacts, Facts, Orientation, Size, VideoFacts};
pub use isolation::{Attempt, Grant, Isolation};
pub use job::{Cancel, End, Job, Outcome, Program};
pub use limits::Limits;
pub use profile::{
    DEFAULTS, Fault, Flv, FlvCodec, Output, Picture, Preset, Profile, Profiles, Remux, Rendition, parse,
};
pub use refusal::Refusal;
pub use task::Order;
pub use tool::{Encoder, EncoderArgs};
pub use worker::{Worker, WorkerArgs};
