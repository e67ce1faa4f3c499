//! `opsctl index export DIR`: all files, and what is known of them that no file says, in a form that `import` reads back.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

use super::files::digest;
use super::progress;
use super::work::Work;
use crate::catalog::{self, Place};
use crate::config::IndexName;
use crate::records::Tombstone;

/// The file that says what is in the folder.
pub(super) const NAME: &str = "opsctl-index.json";
/// How it is written.
pub(super) const FORMAT: u32 = 1;

/// Where to.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder; made if there is none, and what is in it already is not copied again
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    folder: PathBuf,
    /// Only this index; may be repeated
    #[arg(short, long, value_name = "NAME")]
    index: Vec<IndexName>,
}

/// All that is known besides the bytes.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Dump {
    pub(super) format: u32,
    pub(super) files: Vec<Entry>,
    #[serde(default)]
    pub(super) removed: Vec<Removed>,
    pub(super) statuses: Vec<Status>,
    pub(super) origins: Vec<Decision>,
    pub(super) reservations: Vec<String>,
}

/// A file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) index: String,
    /// Within the folder.
    pub(super) path: String,
    pub(super) sha256: String,
    pub(super) size: u64,
    /// Microseconds since 1970.
    pub(super) first_seen: i64,
    /// Why it is withdrawn, if it is.
    #[serde(default)]
    pub(super) yanked: Option<String>,
    /// What came with it to prove where it was built: a JSON array, as it was sent.
    #[serde(default)]
    pub(super) attestations: Option<String>,
}

/// A file name that is not to be had any more: it belongs to a file that was removed.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Removed {
    pub(super) index: String,
    pub(super) filename: String,
    /// Normalised.
    pub(super) project: String,
    pub(super) version: String,
    pub(super) sha256: String,
    pub(super) size: u64,
    /// Microseconds since 1970.
    pub(super) first_seen: i64,
}

/// How a project is.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Status {
    pub(super) index: String,
    pub(super) project: String,
    pub(super) state: String,
    #[serde(default)]
    pub(super) reason: Option<String>,
}

/// Where a name comes from.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Decision {
    pub(super) project: String,
    pub(super) origin: String,
}

pub(super) async fn run(args: Args, work: &Work, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let Args { folder, index: only } = args;
    for index in &only {
        work.store(index)?;
    }
    work.look().await?;
    let (wanted, mut dump) = (|index: &str| only.is_empty() || only.iter().any(|only| **only == *index), Vec::new());
    let snapshot = work.opened.catalog.snapshot().clone();
    let indexes: Vec<_> = work.opened.stores.keys().filter(|index| wanted(index)).collect();
    let of = |index: &IndexName| snapshot.index(index).map_or_else(Vec::new, |index| index.projects());
    let files = indexes.iter().flat_map(|index| of(index)).flat_map(|project| &project.files);
    let bar = progress::bytes(files.map(|file| file.size).sum());
    for index in &indexes {
        for project in of(index) {
            for file in &project.files {
                let path = format!("{index}/{}/{}", project.name.normalized(), file.filename);
                copy(file, &folder.join(&path)).await?;
                bar.inc(file.size);
                let attestations = work.opened.catalog.records().attestations(index, &file.filename).await?;
                dump.push(Entry {
                    attestations: attestations.map(Into::into),
                    index: index.to_string(),
                    path,
                    sha256: file.sha256.to_string(),
                    size: file.size,
                    first_seen: file.first_seen,
                    yanked: file.yanked.as_deref().map(ToOwned::to_owned),
                });
            }
        }
    }
    bar.finish_and_clear();
    let count = dump.len();
    write(&folder, &known(work, dump, wanted).await?)?;
    writeln!(out, "{}: {count} files", folder.display())?;
    Ok(ExitCode::SUCCESS)
}

async fn known(work: &Work, files: Vec<Entry>, wanted: impl Fn(&str) -> bool) -> anyhow::Result<Dump> {
    let records = work.opened.catalog.records();
    let status = |((index, project), status): ((Box<str>, Box<str>), opsctl_dist::simple::ProjectStatus)| Status {
        index: index.into(),
        project: project.into(),
        state: status.state.marker().to_owned(),
        reason: status.reason,
    };
    let statuses = records.statuses().await?.into_iter().filter(|((index, _), _)| wanted(index)).map(status).collect();
    let removed = records.tombstones().await?.into_iter().filter(|file| wanted(&file.index)).map(removed).collect();
    let origins = records.origins().await?.into_iter();
    let origins = origins.map(|(name, origin)| Decision { project: name.into(), origin: origin.to_string() }).collect();
    let reservations = records.reservations().await?.iter().map(ToString::to_string).collect();
    Ok(Dump { format: FORMAT, files, removed, statuses, origins, reservations })
}

fn removed(file: Tombstone) -> Removed {
    let Tombstone { index, filename, project, version, sha256, size, first_seen } = file;
    Removed {
        index: index.into(),
        filename: filename.into(),
        project: project.into(),
        version: version.into(),
        sha256: sha256.to_string(),
        size,
        first_seen,
    }
}

/// Copies a file beside its place and gives it its name when it is whole.
async fn copy(file: &catalog::File, target: &Path) -> anyhow::Result<()> {
    if fs::metadata(target).is_ok_and(|there| there.len() == file.size) && digest(target)? == file.sha256 {
        return Ok(());
    }
    let part = target.with_extension("part");
    let failed = || format!("failed to copy `{}` to `{}`", file.filename, target.display());
    fs::create_dir_all(target.parent().unwrap_or(target)).with_context(failed)?;
    match &file.place {
        Place::Folder { root, path, .. } => drop(fs::copy(root.join(&**path), &part).with_context(failed)?),
        Place::Bucket { bucket, key, .. } => bucket.save(key, &part).await.with_context(failed)?,
    }
    if digest(&part)? != file.sha256 {
        bail!("`{}` is not any more what it was when it was read", file.filename);
    }
    fs::rename(&part, target).with_context(failed)
}

fn write(folder: &Path, dump: &Dump) -> anyhow::Result<()> {
    let (path, part) = (folder.join(NAME), folder.join(format!("{NAME}.part")));
    let written = || {
        fs::create_dir_all(folder)?;
        let mut file = BufWriter::new(File::create(&part)?);
        serde_json::to_writer_pretty(&mut file, dump)?;
        file.into_inner()?.sync_all()?;
        fs::rename(&part, &path)
    };
    written().with_context(|| format!("failed to write `{}`", path.display()))
}
