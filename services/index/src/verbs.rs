//! What `opsctl index` can do besides serving. A verb works on the same database and folders as a server does that may be
//! running at the same time, and which takes on what it changes.

mod fsck;

use std::process::ExitCode;

use opsctl_host::VerbContext;

use crate::config::Config;
use crate::open::open;
use crate::records::MIGRATIONS;

/// What `opsctl index` can do besides serving.
#[derive(Debug, clap::Subcommand)]
pub enum Verbs {
    /// Read every file again and compare it with what is known of it
    Fsck,
}

/// Does one of them.
///
/// # Errors
/// Whatever kept it from being done.
pub(crate) fn run(verb: Verbs, config: Config, cx: &VerbContext) -> anyhow::Result<ExitCode> {
    cx.block_on(async {
        let Config { root, indexes, max_file, .. } = config;
        let database = cx.database(&MIGRATIONS).await?;
        let opened = open(root, indexes, max_file.bytes(), &cx.data_dir()?, database).await?;
        match verb {
            Verbs::Fsck => fsck::fsck(&opened, std::io::stdout()).await,
        }
    })
}
