//! `opsctl reference` (hidden): every command's help as Markdown, for the README.

use std::io::Write;
use std::process::ExitCode;

use clap::Command;

use crate::args;

/// The command's name.
pub(crate) const NAME: &str = "reference";

pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let mut root = args::command(&[]).disable_help_subcommand(true).term_width(100);
    root.build();
    let mut text = String::new();
    describe(&mut root, &mut text);
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn describe(command: &mut Command, text: &mut String) {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name()).to_owned();
    let help = command.render_help().to_string();
    let help = help.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    text.push_str(&format!("### {name}\n\n```text\n{}\n```\n\n", help.trim_end()));
    for sub in command.get_subcommands_mut().filter(|sub| !sub.is_hide_set()) {
        describe(sub, text);
    }
}
