//! From an upload to its results, in one process that decodes it once. The only place that knows libav.
//!
//! Shape: this thread reads, decodes and brings each picture into the form of the largest result (`front`); each
//! different encode of the picture has a thread (`branch`), the sound has one (`sound`), pictures as files have one
//! (`pictures`). Between them are channels of a few frames, so that memory is bounded by the slowest; frames are shared,
//! not copied. libav's decoders and x264 have threads of their own, which is where the processors' time goes. A stream
//! that already fits is copied past all of this.
//!
//! Nothing here decides what is made: that is the plan's. Nothing here trusts the upload: see `open`.

mod av;
mod branch;
mod clock;
mod codecs;
mod copy;
mod decode;
mod describe;
mod error;
mod feed;
mod flv;
mod front;
mod graph;
mod hls;
mod join;
mod jpeg;
mod mux;
mod open;
mod outputs;
mod parcel;
mod parts;
mod pictures;
mod pipeline;
mod sniff;
mod sound;
mod storyboard;

use std::path::Path;

use crate::event::Event;
use crate::facts::Facts;
use crate::limits::Limits;
use crate::part::Part;
use crate::plan::Plan;
use crate::profile::Profile;

use error::Doing as _;

pub(crate) use error::Error;

/// Where events go; called from several threads.
pub(crate) type Emit<'a> = &'a (dyn Fn(Event) + Sync);

/// Facts about the file at `source`.
pub(crate) fn probe(source: &Path, limits: &Limits) -> Result<Facts, Error> {
    begin()?;
    let mut source = open::open(source, limits)?;
    open::check_first(&mut source.input)?;
    Ok(source.facts)
}

/// Makes what `profile` says of the file at `source`, in `folder`.
pub(crate) fn encode(
    source: &Path,
    folder: &Path,
    profile: &Profile,
    limits: &Limits,
    emit: Emit<'_>,
) -> Result<(), Error> {
    let (source, plan) = planned(source, profile, limits, emit)?;
    pipeline::run(source, &plan, profile, folder, None, limits, emit)
}

/// Where the picture of the file at `source` can be cut, to parts of about so many seconds.
pub(crate) fn cut(
    source: &Path,
    profile: &Profile,
    seconds: f64,
    limits: &Limits,
    emit: Emit<'_>,
) -> Result<(), Error> {
    let (source, plan) = planned(source, profile, limits, emit)?;
    emit(Event::Parts { parts: parts::find(source, &plan, profile, seconds)? });
    Ok(())
}

/// Encodes one part of the picture of the file at `source`.
pub(crate) fn part(
    source: &Path,
    folder: &Path,
    profile: &Profile,
    part: Part,
    limits: &Limits,
    emit: Emit<'_>,
) -> Result<(), Error> {
    let (source, plan) = planned(source, profile, limits, emit)?;
    parts::encode(source, &plan, profile, folder, part, limits, emit)
}

/// Makes what `profile` says of the file at `source`, but for pictures, from so many parts that are in `folder`.
pub(crate) fn join(
    source: &Path,
    folder: &Path,
    profile: &Profile,
    parts: u32,
    limits: &Limits,
    emit: Emit<'_>,
) -> Result<(), Error> {
    let (source, mut plan) = planned(source, profile, limits, emit)?;
    plan.pictures.clear();
    pipeline::run(source, &plan, profile, folder, Some(parts), limits, emit)
}

fn planned(source: &Path, profile: &Profile, limits: &Limits, emit: Emit<'_>) -> Result<(open::Source, Plan), Error> {
    begin()?;
    let source = open::open(source, limits)?;
    emit(Event::Facts(Box::new(source.facts.clone())));
    let plan = Plan::new(&source.facts, profile)?;
    Ok((source, plan))
}

fn begin() -> Result<(), Error> {
    ffmpeg_next::init().doing(|| "set libav up".to_owned())?;
    // what it says goes to standard error, and its end into the job's log
    ffmpeg_next::log::set_level(ffmpeg_next::log::Level::Error);
    Ok(())
}
