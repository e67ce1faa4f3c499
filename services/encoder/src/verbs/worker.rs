//! `opsctl encoder worker`: takes jobs, and serves nothing.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, ensure};
use opsctl_host::{HealthCell, Troubles, VerbContext};
use opsctl_store::{DatabaseUrl, StoreUrl};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::queue::Queue;
use crate::records::{MIGRATIONS, Records};
use crate::service::slots;

/// How much to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Jobs at a time [default: one for every two processors]
    #[arg(long = "at-once", value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=256))]
    at_once: Option<u32>,
}

pub(super) fn run(args: &Args, config: &Config, cx: &VerbContext) -> anyhow::Result<ExitCode> {
    let location = cx.location()?;
    let shared = matches!(location.store(), StoreUrl::S3(_)) == matches!(location.database(), DatabaseUrl::Postgres(_));
    ensure!(
        shared,
        "workers find uploads and results in one place: with PostgreSQL (`host.database`) in a bucket (`host.store`), with \
         SQLite in the folder of the same machine"
    );
    cx.block_on(async {
        let records = Records::new(cx.database(&MIGRATIONS).await?).purging(config.purge.is_some());
        let folder = cx.data_dir()?.join("work");
        let queue = Queue::open(records, cx.blobs().await?, &folder, config, &location).await?;
        let stop = CancellationToken::new();
        let troubles = Troubles::new(HealthCell::default());
        let mut running =
            std::pin::pin!(Arc::new(queue).run(args.at_once.unwrap_or_else(slots), stop.clone(), troubles));
        let interrupt = signal(SignalKind::interrupt()).context("failed to wait for signals");
        let terminate = signal(SignalKind::terminate()).context("failed to wait for signals");
        let (mut interrupt, mut terminate) = (interrupt?, terminate?);
        tracing::info!("takes jobs");
        loop {
            tokio::select! {
                () = &mut running => return Ok(ExitCode::SUCCESS),
                _ = interrupt.recv() => stop.cancel(),
                _ = terminate.recv() => stop.cancel(),
            }
        }
    })
}
