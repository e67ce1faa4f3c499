//! `opsctl encoder probe`: what a video is, found out in a worker as for any upload.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::ValueHint;

use super::run::{report, run};
use crate::facts::Facts;
use crate::task::Order;

/// What to look at.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The video
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// For programs: one JSON object
    #[arg(long)]
    json: bool,
}

fn write_facts(args: &Args, out: &mut impl Write, err: &mut impl Write) -> Result<ExitCode> {
    let folder = tempfile::tempdir()?;
    let outcome = run(&args.file, folder.path(), Order::Probe, |_| {})?;
    let done = report(&outcome, err)?;
    match &outcome.facts {
        Some(facts) if done && args.json => {
            serde_json::to_writer_pretty(&mut *out, facts)?;
            writeln!(out)?;
        }
        Some(facts) if done => write!(out, "{}", text(facts))?,
        _ => return Ok(ExitCode::FAILURE),
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn probe(args: &Args) -> Result<ExitCode> {
    write_facts(args, &mut io::stdout(), &mut io::stderr())
}

/// A line per stream.
fn text(facts: &Facts) -> String {
    let length = facts.duration.map_or_else(|| "of unknown length".to_owned(), |seconds| format!("{seconds:.2} s"));
    let mut lines = vec![format!("container  {}, {length}, {} bytes", facts.container, facts.size)];
    if let Some(video) = &facts.video {
        let mut words =
            vec![format!("{} {}", video.codec, video.profile.as_deref().unwrap_or_default()).trim().to_owned()];
        words.push(video.shown.to_string());
        if video.shown != video.stored {
            words.push(format!("stored as {}, {:?}", video.stored, video.orientation).to_lowercase());
        }
        words.push(format!("{:.3} frames/s", video.rate));
        words.push(video.pixels.clone());
        words.extend(video.hdr.then(|| "high dynamic range".to_owned()));
        words.extend(video.interlaced.then(|| "interlaced".to_owned()));
        lines.push(format!("video      {}", words.join(", ")));
    }
    if let Some(audio) = &facts.audio {
        lines.push(format!("audio      {}, {} Hz, {} channels", audio.codec, audio.rate, audio.channels));
    }
    lines.extend(facts.left_out.iter().map(|codec| format!("left out   {codec}")));
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::facts;

    #[test]
    fn facts_are_a_line_per_stream() {
        let text = text(&facts(1280, 720));
        let expected = "container  mov,mp4,m4a,3gp,3g2,mj2, 60.00 s, 10000000 bytes\n\
                        video      hevc, 1280x720, 30.000 frames/s, yuv420p\n\
                        audio      aac, 44100 Hz, 2 channels\n";
        assert_eq!(text, expected);
    }
}
