//! The command line of `opsctl index`: each option overrides the key of the table that its id names.

use std::ffi::OsString;

use clap::ValueHint::DirPath;

/// Options of `opsctl index`.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Index")]
pub struct Options {
    /// Folder with the packages
    #[arg(short, long, global = true, value_name = "DIR", value_hint = DirPath)]
    root: Option<OsString>,
    /// Where to serve the index; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    listen: Vec<OsString>,
}

#[cfg(test)]
mod tests {
    use clap::{Args, Command};

    use super::*;
    use crate::config::Config;

    #[test]
    fn every_option_is_a_key() {
        let command = Options::augment_args(Command::new("index"));
        command.clone().debug_assert();
        let schema = schemars::schema_for!(Config);
        let keys = schema.get("properties").unwrap().as_object().unwrap();
        for arg in command.get_arguments() {
            assert!(keys.contains_key(arg.get_id().as_str()), "`{}` is no key", arg.get_id());
        }
    }
}
