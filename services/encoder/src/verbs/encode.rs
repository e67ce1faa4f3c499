//! `opsctl encoder encode`: one video into files or a folder.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::ValueHint;
use indicatif::{ProgressBar, ProgressStyle};

use super::parts;
use super::run::{report, run};
use crate::asset::Asset;
use crate::config::Config;
use crate::event::Event;
use crate::job::Outcome;
use crate::profile::{self, Output, Profile, Profiles};
use crate::task::Order;

/// What to make of what.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The video
    #[arg(value_name = "IN", value_hint = ValueHint::FilePath)]
    input: PathBuf,
    /// Files, their kind by their ending: mp4, flv, m4a, jpg; or a folder, `dir/`, for everything that the profile has
    #[arg(value_name = "OUT", required = true, value_hint = ValueHint::AnyPath)]
    outputs: Vec<PathBuf>,
    /// Profile [default: web for a folder, plain for files]
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// File with profiles, instead of those that are built in or configured
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    profiles: Option<PathBuf>,
    /// Pixels of the shorter side, at most
    #[arg(long, value_name = "PIXELS")]
    size: Option<u32>,
    /// Encode in parts of about so many seconds, several at once: for long videos on machines with many processors
    #[arg(long, value_name = "SECONDS")]
    parts: Option<f64>,
    /// For programs: the events of the work, a line of JSON each, on standard output
    #[arg(long)]
    json: bool,
}

pub(super) fn encode(args: &Args, config: &Config) -> Result<ExitCode> {
    let profiles = match &args.profiles {
        Some(path) => {
            let text = fs::read_to_string(path).with_context(|| format!("failed to read `{}`", path.display()))?;
            profile::parse(&text)?
        }
        None => config.all_profiles()?,
    };
    let wanted = Wanted::new(args, &profiles)?;
    fs::create_dir_all(&wanted.folder).with_context(|| format!("failed to make `{}`", wanted.folder.display()))?;
    // beside the results, so that they get there by a new name alone
    let scratch = tempfile::Builder::new().prefix(".opsctl-encode-").tempdir_in(&wanted.folder);
    let scratch = scratch.with_context(|| format!("failed to make a folder in `{}`", wanted.folder.display()))?;
    let bar = bar(args.json);
    let (shown, json) = (bar.clone(), args.json);
    let each = move |event: &Event| show(event, &shown, json);
    let outcome = match args.parts {
        Some(seconds) => parts::encode(&args.input, scratch.path(), &wanted.profile, seconds, each)?,
        None => run(&args.input, scratch.path(), Order::Encode(wanted.profile.clone()), each)?,
    };
    bar.finish_and_clear();
    if !report(&outcome, &mut io::stderr())? {
        return Ok(ExitCode::FAILURE);
    }
    let moved = wanted.collect(&outcome, scratch.path())?;
    if !args.json {
        let mut out = io::stdout();
        moved.iter().try_for_each(|line| writeln!(out, "{line}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn bar(silent: bool) -> ProgressBar {
    if silent || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {pos:>3} %  {msg}");
    ProgressBar::new(100).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn show(event: &Event, bar: &ProgressBar, json: bool) {
    if json && let Ok(line) = serde_json::to_string(event) {
        // whoever reads may have seen enough
        let _ = writeln!(io::stdout(), "{line}");
    }
    match event {
        Event::Progress(progress) => {
            bar.set_position(progress.percent.unwrap_or(0.0) as u64);
            bar.set_message(match progress.eta {
                Some(eta) => format!("{:.0} s left", eta.ceil()),
                None => format!("{:.0} s done", progress.position),
            });
        }
        Event::Asset(asset) => bar.set_message(asset.name.clone()),
        _ => {}
    }
}

/// What is to be made, and where it is to be in the end.
struct Wanted {
    profile: Profile,
    folder: PathBuf,
    /// The output's name, and its file; empty if everything goes into the folder.
    files: Vec<(String, PathBuf)>,
}

impl Wanted {
    fn new(args: &Args, profiles: &Profiles) -> Result<Self> {
        let [first, ..] = args.outputs.as_slice() else { bail!("where to?") };
        let slash = first.as_os_str().as_encoded_bytes().ends_with(b"/");
        let many = slash || first.is_dir() || first.extension().is_none();
        let name = args.profile.as_deref().unwrap_or(if many { "web" } else { "plain" });
        let Some(profile) = profiles.get(name) else {
            let names: Vec<_> = profiles.keys().map(String::as_str).collect();
            bail!("there is no profile `{name}`; there are: {}", names.join(", "));
        };
        let mut profile = profile.clone();
        if let Some(size) = args.size {
            profile.output.values_mut().for_each(|output| bound(output, size));
            profile.check(name)?;
        }
        if many {
            if args.outputs.len() > 1 {
                bail!("`{}` is a folder: everything goes there", first.display());
            }
            return Ok(Self { profile, folder: first.clone(), files: Vec::new() });
        }
        let files: Vec<_> =
            args.outputs.iter().map(|path| Ok((choose(&profile, path)?, path.clone()))).collect::<Result<_>>()?;
        profile.output.retain(|name, _| files.iter().any(|(wanted, _)| wanted == name));
        let folder = first.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Ok(Self { profile, folder: folder.to_owned(), files })
    }

    /// Gives the results their names; returns what to say of each.
    fn collect(&self, outcome: &Outcome, scratch: &Path) -> Result<Vec<String>> {
        if self.files.is_empty() {
            let all = outcome.assets.iter().map(|asset| self.collect_asset(asset, scratch));
            return all.collect();
        }
        let mut lines = Vec::new();
        for (name, path) in &self.files {
            let made = outcome.assets.iter().find(|asset| asset.name == *name);
            let Some((asset, file)) = made.and_then(|asset| Some((asset, asset.files.first()?))) else {
                bail!("nothing can be made for `{}`: the video has no such stream", path.display());
            };
            fs::copy(scratch.join(file), path).with_context(|| format!("failed to write `{}`", path.display()))?;
            lines.push(line(&path.display().to_string(), asset));
        }
        Ok(lines)
    }

    fn collect_asset(&self, asset: &Asset, scratch: &Path) -> Result<String> {
        let first = asset.files.first().map(Path::new).unwrap_or(Path::new(""));
        let entry = first.components().next().map(|part| PathBuf::from(part.as_os_str())).unwrap_or_default();
        let to = self.folder.join(&entry);
        if to.is_dir() {
            fs::remove_dir_all(&to).with_context(|| format!("failed to replace `{}`", to.display()))?;
        }
        fs::rename(scratch.join(&entry), &to).with_context(|| format!("failed to write `{}`", to.display()))?;
        Ok(line(&self.folder.join(first).display().to_string(), asset))
    }
}

fn line(path: &str, asset: &Asset) -> String {
    let mut words = vec![path.to_owned()];
    words.extend(asset.size.map(|size| size.to_string()));
    words.extend(asset.duration.map(|seconds| format!("{seconds:.2} s")));
    words.push(format!("{} bytes", asset.bytes));
    words.extend(asset.copied.then(|| "copied".to_owned()));
    words.join("  ")
}

/// The output of the profile that a file of this ending is.
fn choose(profile: &Profile, path: &Path) -> Result<String> {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
    let worth = |output: &Output| match (ending.as_str(), output) {
        ("mp4" | "m4v", Output::Mp4(rendition)) => Some(rendition.short_side),
        ("flv", Output::Flv(flv)) => Some(flv.short_side),
        ("m4a", Output::M4a { bit_rate }) => Some(*bit_rate),
        ("jpg" | "jpeg", Output::Poster(picture)) => Some(picture.short_side),
        _ => None,
    };
    let outputs = profile.output.iter().filter_map(|(name, output)| Some((worth(output)?, name)));
    let Some((_, name)) = outputs.max() else {
        bail!("the profile has nothing for `{}`: the endings are mp4, flv, m4a and jpg", path.display());
    };
    Ok(name.clone())
}

fn bound(output: &mut Output, size: u32) {
    let short = match output {
        Output::Mp4(rendition) => &mut rendition.short_side,
        Output::Flv(flv) => &mut flv.short_side,
        Output::Poster(picture) => &mut picture.short_side,
        Output::M4a { .. } | Output::Hls { .. } | Output::Thumbs { .. } | Output::Storyboard { .. } => return,
    };
    *short = size.min(*short);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::DEFAULTS;

    fn check(path: &str, expected: Option<&str>) {
        let profile = &profile::parse(DEFAULTS).unwrap()["web"];
        assert_eq!(choose(profile, Path::new(path)).ok().as_deref(), expected, "{path}");
    }

    #[test]
    fn an_ending_is_an_output() {
        check("a.mp4", Some("h264"));
        check("dir.flv/A.M4V", Some("h264"));
        check("a.flv", Some("flv"));
        check("a.m4a", Some("audio"));
        check("a.jpeg", Some("poster"));
        check("a.avi", None);
        check("mp4", None);
    }
}
