//! What `opsctl encoder` can do besides serving.

mod encode;
mod fsck;
mod hooks;
mod jobs;
mod parts;
mod probe;
mod prove;
mod run;
mod sign;
mod worker;

use std::process::ExitCode;

use opsctl_host::VerbContext;

use crate::config::Config;

/// What `opsctl encoder` can do besides serving.
#[derive(Debug, clap::Subcommand)]
pub enum Verbs {
    /// Transcode a video into files or a folder, without a server
    Encode(encode::Args),
    /// Do the jobs of a server on another machine, with the same database and the same bucket
    Worker(worker::Args),
    /// Show what is encoded, waits, or was done
    Jobs(jobs::Args),
    /// Show what of their hooks accounts have not been told yet, or try it again
    Hooks(hooks::Args),
    /// Compare the files in the store with what the database says of them
    Fsck(fsck::Args),
    /// Remove files that nothing needs any more, now
    Gc,
    /// Print an address that is good for a while, for an account whose results are shown at signed ones only
    Sign(sign::Args),
    /// Say what a video is
    Probe(probe::Args),
    /// Say what this kernel keeps an upload that takes over its worker from, by trying
    Isolation,
}

/// Does one of them.
///
/// # Errors
/// Whatever kept it from being done.
pub(crate) fn run(verb: Verbs, config: Config, cx: &VerbContext) -> anyhow::Result<ExitCode> {
    match verb {
        Verbs::Encode(args) => encode::encode(&args, &config),
        Verbs::Worker(args) => worker::run(&args, &config, cx),
        Verbs::Jobs(args) => jobs::run(&args, cx, &mut std::io::stdout().lock()),
        Verbs::Hooks(args) => hooks::run(&args, cx, &mut std::io::stdout().lock()),
        Verbs::Fsck(args) => fsck::run(&args, cx, &mut std::io::stdout().lock()),
        Verbs::Gc => fsck::gc(cx, &mut std::io::stdout().lock()),
        Verbs::Sign(args) => sign::run(&args, &config, &mut std::io::stdout().lock()),
        Verbs::Probe(args) => probe::probe(&args),
        Verbs::Isolation => prove::prove(),
    }
}
