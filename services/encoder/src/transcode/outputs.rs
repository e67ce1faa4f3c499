//! Everything that a job writes, opened before anything is decoded: a disk that is full or an encoder that refuses shows
//! at once.

use std::path::Path;
use std::sync::Arc;

use super::branch::Branch;
use super::codecs::Common;
use super::copy::Copy;
use super::error::Error;
use super::mux::Mux;
use super::open::Source;
use super::sound::Voice;
use crate::plan::{Plan, Track};

/// Files, and what fills them.
pub(super) struct Outputs {
    pub files: Vec<Arc<Mux>>,
    pub branches: Vec<Branch>,
    pub voices: Vec<Voice>,
    pub copies: Vec<Copy>,
}

impl Outputs {
    pub(super) fn open(source: &Source, plan: &Plan, common: &Common, folder: &Path) -> Result<Self, Error> {
        let branch = |encode| Branch::open(encode, plan.base.unwrap_or(crate::plan::SMALLEST), common);
        let mut outputs = Self {
            files: Vec::new(),
            branches: plan.video.iter().map(branch).collect::<Result<_, _>>()?,
            voices: plan.audio.iter().map(Voice::open).collect::<Result<_, _>>()?,
            copies: Vec::new(),
        };
        for file in &plan.files {
            let mux = Arc::new(Mux::create(&folder.join(&file.path), file.kind)?);
            match file.video {
                Some(Track::Encode(index)) => outputs.branches[index].add(&mux)?,
                Some(Track::Copy) => {
                    let stream = source.facts.video.as_ref().map(|video| video.stream);
                    outputs.copies.extend(Copy::open(source, stream, true, &mux)?);
                }
                None => {}
            }
            match file.audio {
                Some(Track::Encode(index)) => outputs.voices[index].add(&mux)?,
                Some(Track::Copy) => {
                    let stream = source.facts.audio.as_ref().map(|audio| audio.stream);
                    outputs.copies.extend(Copy::open(source, stream, false, &mux)?);
                }
                None => {}
            }
            mux.begin(file.kind)?;
            outputs.files.push(mux);
        }
        Ok(outputs)
    }
}
