//! `opsctl encoder`: transcoding from the command line, without a server.

mod encode;
mod probe;
mod prove;
mod run;

use std::process::ExitCode;

use opsctl_host::{Shell, Tool};

/// The tool.
#[derive(Debug)]
pub struct Encoder;

/// Its command line.
#[derive(Debug, clap::Args)]
pub struct EncoderArgs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Transcode a video into files or a folder
    Encode(encode::Args),
    /// Say what a video is
    Probe(probe::Args),
    /// Say what this kernel keeps an upload that takes over its worker from, by trying
    Isolation,
}

impl Tool for Encoder {
    const NAME: &'static str = "encoder";
    const ABOUT: &'static str = "Video encoder: makes what browsers play of whatever video people have";
    type Args = EncoderArgs;

    fn run(args: EncoderArgs, shell: &Shell) -> anyhow::Result<ExitCode> {
        match args.verb {
            Verb::Encode(args) => encode::encode(&args, shell),
            Verb::Probe(args) => probe::probe(&args),
            Verb::Isolation => prove::prove(),
        }
    }
}
