//! The command line of `opsctl encoder`: each option overrides the key of the table that its id names.

use std::ffi::OsString;

/// Options of `opsctl encoder`.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Encoder")]
pub struct Options {
    /// Where to serve; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    listen: Vec<OsString>,
    /// Jobs at a time
    #[arg(long, value_name = "NUMBER")]
    jobs: Option<OsString>,
    /// What is made of uploads that say nothing else
    #[arg(long, value_name = "NAME")]
    profile: Option<OsString>,
}

#[cfg(test)]
mod tests {
    use clap::{Args, Command};

    use super::*;
    use crate::config::Config;

    #[test]
    fn every_option_is_a_key() {
        let command = Options::augment_args(Command::new("encoder"));
        command.clone().debug_assert();
        let schema = schemars::schema_for!(Config);
        let keys = schema.get("properties").unwrap().as_object().unwrap();
        for arg in command.get_arguments() {
            assert!(keys.contains_key(arg.get_id().as_str()), "`{}` is no key", arg.get_id());
        }
    }
}
