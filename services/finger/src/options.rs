//! The command line of `opsctl finger`: each option overrides the key of the table that its id names.
//!
//! Values stay text here: they are checked where those of the file are, and a fault is shown in the same way.

use std::ffi::OsString;

use clap::ValueHint::{DirPath, FilePath, Hostname};

/// Options of `opsctl finger`, those of the tutorial first.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Finger")]
pub struct Options {
    /// Users file, a line `user:status` each
    #[arg(short, long, global = true, value_name = "FILE", value_hint = FilePath)]
    file: Option<OsString>,
    /// Folder with templates of your own for the web pages: list.html, user.html
    #[arg(short, long, global = true, value_name = "DIR", value_hint = DirPath)]
    templates: Option<OsString>,
    /// Nick of the IRC bot
    #[arg(short = 'n', long, value_name = "NICK")]
    ircnick: Option<OsString>,
    /// IRC server for the bot to join, HOST or HOST:PORT; no bot without it
    #[arg(long, value_name = "SERVER", value_hint = Hostname)]
    ircserver: Option<OsString>,
    /// Serve Perspective Broker, on port 8889 unless an address is given
    #[arg(short, long, value_name = "ADDRESS", num_args = 0..=1, default_missing_value = "8889")]
    pbport: Option<OsString>,
    /// Serve the web pages with TLS as well, on what the key `https` says
    #[arg(short, long)]
    ssl: bool,
    /// Where to answer finger queries; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    listen: Vec<OsString>,
    /// Serve web pages and XML-RPC, on port 8000 unless an address is given; may be repeated
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, default_missing_value = "8000")]
    web: Vec<OsString>,
    /// Where to serve with TLS: tls:ADDRESS?cert=FILE&key=FILE; needs --ssl
    #[arg(long, value_name = "ADDRESS")]
    https: Vec<OsString>,
}

/// What `opsctl finger` can do besides serving.
#[derive(Debug, clap::Subcommand)]
pub enum Verbs {
    /// Check the users file and the templates, and report every fault
    Check,
}

#[cfg(test)]
mod tests {
    use clap::{Args, Command};

    use super::*;
    use crate::config::Config;

    #[test]
    fn every_option_is_a_key() {
        let command = Options::augment_args(Command::new("finger"));
        command.clone().debug_assert();
        let schema = schemars::schema_for!(Config);
        let keys = schema.get("properties").unwrap().as_object().unwrap();
        for arg in command.get_arguments() {
            assert!(keys.contains_key(arg.get_id().as_str()), "`{}` is no key", arg.get_id());
        }
    }

    #[test]
    fn standard_ports_where_none_is_given() {
        let check = |line: &str, id: &str, values: &[&str]| {
            let matches = Options::augment_args(Command::new("finger")).try_get_matches_from(line.split(' ')).unwrap();
            let seen: Vec<_> = matches.get_raw(id).into_iter().flatten().collect();
            assert_eq!(seen, values, "{line}");
        };
        check("finger -p", "pbport", &["8889"]);
        check("finger -p 127.0.0.1:9", "pbport", &["127.0.0.1:9"]);
        check("finger --web --ssl", "web", &["8000"]);
        check("finger --web 1 --web 2", "web", &["1", "2"]);
        check("finger -f users", "pbport", &[]);
    }
}
