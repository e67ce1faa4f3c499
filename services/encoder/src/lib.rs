//! Encoder: the video web service. People upload whatever video they have; it is stored, made into what browsers play,
//! and delivered.
//!
//! # Where to look
//! `service` puts everything together; `config` and `options` are what can be set, `accounts` what that means. `ingest`
//! takes uploads in, `records` is the database, `queue` does jobs, `delivery` knows what is shown, `http` has one endpoint
//! in each file, `verbs` are the command line's.
//!
//! Transcoding knows nothing of all that: `profile` is what can be asked for, `facts` what an upload is, `plan` what is done
//! with it: all data, no video. `transcode` does it, and alone knows libav. `worker` is a process that transcodes one
//! upload behind the fences of `isolation`; `job` starts and watches it.
//!
//! # Invariants
//! Hostile bytes are read in a worker, never in the process that serves. A worker reads one file, writes one folder, and
//! knows no network. What a worker says is not trusted. An upload is never changed and never shown to others than its
//! owners; what it is refused for is said in words that they understand. Each blob is named by a row, before it is written
//! and until it is gone. Whatever ends at any moment: of a job there is one result or none.

mod accounts;
mod asset;
mod captions;
mod clock;
mod colours;
mod config;
mod delivery;
mod error;
mod event;
mod facts;
mod hex;
mod hooks;
mod http;
mod ingest;
mod isolation;
mod job;
mod limits;
mod name;
mod options;
mod part;
mod plan;
mod profile;
mod queue;
mod records;
mod refusal;
mod service;
mod task;
mod transcode;
mod uploads;
mod verbs;
mod worker;

pub use asset::{Asset, Kind};
pub use colours::Colours;
pub use config::{AccountConfig, Config};
pub use event::{Event, Progress, Warning};
pub use facts::{AudioFacts, Facts, Orientation, Size, VideoFacts};
pub use isolation::{Attempt, Grant, Isolation};
pub use job::{Cancel, End, Job, Outcome, Program};
pub use limits::Limits;
pub use options::Options;
pub use part::{Part, Piece};
pub use profile::{
    DEFAULTS, Fault, Flv, FlvCodec, Output, Picture, Preset, Profile, Profiles, Remux, Rendition, parse,
};
pub use refusal::Refusal;
pub use service::Encoder;
pub use task::Order;
pub use verbs::Verbs;
pub use worker::{Worker, WorkerArgs};
