//! What `opsctl index` can do besides serving. A verb works on the same database and folders as a server does that may be
//! running at the same time, and which takes on what it changes.

mod add;
mod audit;
mod export;
mod files;
mod fsck;
mod import;
mod listing;
mod origin;
mod progress;
mod promote;
mod retain;
mod status;
#[cfg(test)]
mod tests;
mod work;
mod yank;

use std::io::Write;
use std::process::ExitCode;

use opsctl_host::VerbContext;

use self::work::Work;
use crate::config::Config;

/// What `opsctl index` can do besides serving.
#[derive(Debug, clap::Subcommand)]
pub enum Verbs {
    /// Take files in, with the checks of an upload
    Add(add::Args),
    /// Take in what a folder, a pypiserver, a devpi export or an export of ours holds
    Import(import::Args),
    /// Withdraw files: installers take them only where exactly their version is asked for
    Yank(yank::Args),
    /// Take back that files were withdrawn
    Unyank(yank::Back),
    /// Say how a project is, or show what was said
    Status(status::Args),
    /// Copy a release from one index to another
    Promote(promote::Args),
    /// Decide where a name comes from, or show what was decided
    Origin(origin::Args),
    /// Reserve names: nothing of them ever comes from an upstream
    Reserve(origin::Reserve),
    /// Take reservations back
    Unreserve(origin::Unreserve),
    /// Remove old versions; their file names stay taken
    Retain(retain::Args),
    /// Read every file again and compare it with what is known of it
    Fsck(fsck::Args),
    /// Write all files and what is known of them into a folder, for `import`
    Export(export::Args),
    /// Look for what may go wrong
    Audit {
        /// What to look for
        #[command(subcommand)]
        what: audit::What,
    },
}

/// Does one of them.
///
/// # Errors
/// Whatever kept it from being done.
pub(crate) fn run(verb: Verbs, config: Config, cx: &VerbContext) -> anyhow::Result<ExitCode> {
    run_to(verb, config, cx, &mut std::io::stdout().lock())
}

fn run_to(verb: Verbs, config: Config, cx: &VerbContext, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    // before root becomes the account of the service
    let who = work::who();
    cx.block_on(async {
        let work = Work::open(who, config, cx).await?;
        match verb {
            Verbs::Add(args) => add::run(args, &work, out).await,
            Verbs::Import(args) => import::run(args, &work, out).await,
            Verbs::Yank(args) => yank::run(args, &work, out).await,
            Verbs::Unyank(args) => yank::back(args, &work, out).await,
            Verbs::Status(args) => status::run(args, &work, out).await,
            Verbs::Promote(args) => promote::run(args, &work, out).await,
            Verbs::Origin(args) => origin::run(args, &work, out).await,
            Verbs::Reserve(args) => origin::reserve(args, &work, out).await,
            Verbs::Unreserve(args) => origin::unreserve(args, &work, out).await,
            Verbs::Retain(args) => retain::run(args, &work, out).await,
            Verbs::Fsck(args) => fsck::run(args, &work, out).await,
            Verbs::Export(args) => export::run(args, &work, out).await,
            Verbs::Audit { what: audit::What::Confusion(args) } => audit::run(args, &work, out).await,
        }
    })
}
