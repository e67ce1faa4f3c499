//! `opsctl encoder fsck` and `gc`: is every file there that an item names, and is there one that nothing names?

use std::io::Write;
use std::process::ExitCode;

use futures_util::TryStreamExt;
use opsctl_host::VerbContext;
use opsctl_store::Blobs;
use serde::Serialize;

use crate::queue::Queue;
use crate::records::{MIGRATIONS, Records};

/// What to do about what is found.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Remove files that nothing names
    #[arg(long)]
    repair: bool,
    /// For programs: a line of JSON for each fault
    #[arg(long)]
    json: bool,
}

/// What is wrong with a file.
#[derive(Debug, Serialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
enum Fault {
    Missing { key: String },
    Size { key: String, expected: u64, found: u64 },
    Unnamed { key: String, bytes: u64 },
}

impl Fault {
    fn text(&self) -> String {
        match self {
            Fault::Missing { key } => format!("`{key}` is missing"),
            Fault::Size { key, expected, found } => format!("`{key}` has {found} bytes instead of {expected}"),
            Fault::Unnamed { key, bytes } => format!("`{key}` ({bytes} bytes) is named by nothing"),
        }
    }
}

/// Fails if there is a fault.
pub(super) fn run(args: &Args, cx: &VerbContext, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    cx.block_on(async {
        let records = Records::new(cx.database(&MIGRATIONS).await?);
        let blobs = cx.blobs().await?;
        let faults = named(&records, &blobs).await?.into_iter().chain(unnamed(&records, &blobs).await?);
        let (mut left, mut mended) = (0_usize, 0_usize);
        for fault in faults {
            match args.json {
                true => writeln!(out, "{}", serde_json::to_string(&fault)?)?,
                false => writeln!(out, "{}", fault.text())?,
            }
            match &fault {
                Fault::Unnamed { key, .. } if args.repair => {
                    records.leave(key).await?;
                    mended += 1;
                }
                _ => left += 1,
            }
        }
        if mended > 0 {
            sweep(&records, &blobs).await?;
        }
        if !args.json {
            writeln!(
                out,
                "{left} faults{}",
                if mended > 0 { format!(", {mended} files removed") } else { String::new() }
            )?;
        }
        Ok(if left == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

/// Files that items name and that are not as they should be.
async fn named(records: &Records, blobs: &Blobs) -> anyhow::Result<Vec<Fault>> {
    let (mut faults, mut after) = (Vec::new(), String::new());
    loop {
        let page = records.named_after(&after).await?;
        let Some((last, _)) = page.last() else { return Ok(faults) };
        after.clone_from(last);
        for (key, expected) in page {
            match blobs.head(&key).await? {
                Some(meta) if meta.size == expected => {}
                Some(meta) => faults.push(Fault::Size { key, expected, found: meta.size }),
                // it may have been replaced since
                None if records.is_named(&key).await? => faults.push(Fault::Missing { key }),
                None => {}
            }
        }
    }
}

/// Files that nothing names; what is being written is named before it is there.
async fn unnamed(records: &Records, blobs: &Blobs) -> anyhow::Result<Vec<Fault>> {
    let mut faults = Vec::new();
    let mut all = blobs.list("");
    while let Some(entry) = all.try_next().await? {
        if !records.is_named(&entry.key).await? {
            faults.push(Fault::Unnamed { key: entry.key, bytes: entry.meta.size });
        }
    }
    Ok(faults)
}

async fn sweep(records: &Records, blobs: &Blobs) -> anyhow::Result<usize> {
    Ok(Queue::sweep_all(records, blobs).await?)
}

/// Removes what may go now.
pub(super) fn gc(cx: &VerbContext, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    cx.block_on(async {
        let records = Records::new(cx.database(&MIGRATIONS).await?);
        let removed = sweep(&records, &cx.blobs().await?).await?;
        writeln!(out, "{removed} files removed")?;
        Ok(ExitCode::SUCCESS)
    })
}
