//! The command line of `opsctl ps`: what can be said, and what is meant by it.
//!
//! Everything that can be wrong with it is found here, before anything is looked at: exit code 2.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::ValueHint::{CommandName, DirPath, Username};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{ColorChoice, Error};
use opsctl_config::Duration;

use crate::columns::{self, ALL, Column, LIST, Shape};
use crate::filter::Filter;
use crate::system::Section;

/// A shorter interval says nothing: processor time is counted in hundredths of a second.
const SHORTEST: std::time::Duration = std::time::Duration::from_millis(100);
const LONGEST: std::time::Duration = std::time::Duration::from_secs(3600);
/// How often the full-screen view looks, unless it is told.
const WATCHED: std::time::Duration = std::time::Duration::from_secs(2);

/// The command line.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Processes that fit one value of each kind of filter are listed: `-u www-data -u root --port 80` is either user, and that port. \
Threads of the kernel are left out without -k.

Exit code: 0, 1 if there is no such process or none that fits, 2 for a wrong command line.")]
pub struct Args {
    /// Number of a process to tell everything of; any other word filters like --command
    #[arg(value_name = "PID|WORD")]
    what: Vec<OsString>,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    pub(crate) form: FormOptions,
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(subcommand)]
    pub(crate) verb: Option<Verb>,
}

/// Which processes.
#[derive(Debug, Default, PartialEq, clap::Args)]
#[command(next_help_heading = "Which processes")]
struct Which {
    /// Of this user, by name or number
    #[arg(short, long, value_name = "USER", value_hint = Username)]
    user: Vec<OsString>,
    /// With this text in the command line; capital letters count if there are any
    #[arg(short, long, value_name = "TEXT", value_hint = CommandName)]
    command: Vec<OsString>,
    /// That listen on this port, TCP or UDP
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    port: Vec<u16>,
    /// Of this unit of the service manager: `cron` or `cron.service`
    #[arg(long, value_name = "UNIT")]
    unit: Vec<OsString>,
    /// In this control group or below it
    #[arg(long, value_name = "PATH")]
    cgroup: Vec<PathBuf>,
    /// Threads of the kernel as well
    #[arg(short, long)]
    kernel: bool,
}

/// How a list looks.
#[derive(Clone, Debug, Default, PartialEq, clap::Args)]
#[command(next_help_heading = "List")]
struct How {
    /// Columns, with commas between them; `+NAME` adds to the usual ones
    #[arg(short = 'o', long, value_name = "NAMES", allow_hyphen_values = true)]
    columns: Vec<String>,
    /// Sort by this column (`opsctl ps columns` lists all): most first, youngest first, names by the alphabet
    #[arg(short, long, value_name = "COLUMN", value_parser = column_parser(), hide_possible_values = true)]
    sort: Option<&'static str>,
    /// The other way round
    #[arg(short, long)]
    reverse: bool,
    /// The first so many only
    #[arg(short = 'n', long, value_name = "COUNT")]
    limit: Option<usize>,
    /// As a tree of parents and children
    #[arg(short, long)]
    tree: bool,
    /// Lines as long as they are, also on a terminal
    #[arg(short, long)]
    wide: bool,
    /// Count shares of a processor over this time, and not since each process began
    #[arg(short, long, value_name = "TIME")]
    interval: Option<Duration>,
    /// Full screen, again and again
    #[arg(long, conflicts_with_all = ["json", "wide", "limit"])]
    watch: bool,
}

/// How anything looks.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Form")]
pub(crate) struct FormOptions {
    /// As JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Bytes and seconds as they are, not 1.5M and 0:03.25
    #[arg(long, global = true)]
    pub(crate) exact: bool,
    /// Colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorChoice,
}

/// Which machine.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Machine")]
pub(crate) struct Place {
    /// Another proc file system: the host's, mounted in a container
    #[arg(long, global = true, value_name = "DIR", value_hint = DirPath)]
    pub(crate) proc_root: Option<PathBuf>,
    /// Another sys file system
    #[arg(long, global = true, value_name = "DIR", value_hint = DirPath)]
    pub(crate) sys_root: Option<PathBuf>,
}

/// What can be asked besides processes.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    /// Tell of the machine: what it is, load, memory, mounts, disks, interfaces, sockets, limits
    System {
        /// These parts only
        #[arg(value_name = "PART")]
        parts: Vec<Section>,
    },
    /// List the columns with their meanings
    Columns,
    /// Call compiler or debugger with the options that nobody remembers
    #[command(subcommand)]
    Debug(crate::debug::Debug),
}

/// What a list, or a look at one process, shall be.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) filter: Filter,
    pub(crate) columns: Vec<&'static Column>,
    pub(crate) sort: &'static Column,
    pub(crate) reverse: bool,
    pub(crate) limit: usize,
    pub(crate) tree: bool,
    pub(crate) wide: bool,
    pub(crate) interval: Option<std::time::Duration>,
    pub(crate) kind: Kind,
    /// Our own number, which no word means; none where numbers are another machine's.
    pub(crate) own: Option<u32>,
}

/// The three ways to look at processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    List,
    /// Everything of the processes that were named.
    Detail,
    Watch(std::time::Duration),
}

impl Args {
    /// What the command line means, if it is about processes.
    ///
    /// # Errors
    /// clap's, for what is wrong with it.
    pub(crate) fn query(self) -> Result<Query, Error> {
        let Self { what, which, how, form: _, place, verb: _ } = self;
        let Which { user, command, port, unit, cgroup, kernel } = which;
        // a number alone asks for everything; with a word on how the list shall look it chooses a line
        let asks_for_list = How { interval: None, ..how.clone() } != How::default();
        let How { columns, sort, reverse, limit, tree, wide, interval, watch } = how;
        let (pids, words): (Vec<_>, Vec<_>) = what.into_iter().partition(is_number);
        let pids: Vec<String> = pids.into_iter().filter_map(|pid| pid.into_string().ok()).collect();
        let mut filter = Filter {
            pids,
            users: user,
            words: command,
            ports: port,
            units: unit,
            cgroups: cgroup,
            kernel,
            typed: None,
        };
        filter.words.extend(words);
        let interval = interval.map(checked).transpose()?;
        let kind = match (watch, filter.pids.is_empty()) {
            (true, _) => Kind::Watch(interval.unwrap_or(WATCHED)),
            (false, false) if !asks_for_list => Kind::Detail,
            _ => Kind::List,
        };
        if kind == Kind::Detail && !filter.is_pids_only() {
            let text = "a process number asks for everything of that process and goes with no filter; \
                        with an option of the list it chooses a line";
            return Err(wrong(ErrorKind::ArgumentConflict, text));
        }
        let usual = if watch { "cpu_percent" } else { "pid" };
        let added = filter.columns();
        Ok(Query {
            columns: chosen(&columns, &added)?,
            filter,
            sort: column(sort.unwrap_or(usual))?,
            reverse,
            limit: limit.unwrap_or(usize::MAX),
            tree,
            wide,
            interval,
            kind,
            own: place.proc_root.is_none().then(std::process::id),
        })
    }

    /// Whether nothing is said that a verb would pass over.
    ///
    /// # Errors
    /// clap's, if something is.
    pub(crate) fn only_verb(&self) -> Result<(), Error> {
        let Self { what, which, how, form: _, place: _, verb: _ } = self;
        if what.is_empty() && *which == Which::default() && *how == How::default() {
            return Ok(());
        }
        Err(wrong(ErrorKind::ArgumentConflict, "filters and options of the list go with no other command"))
    }
}

fn is_number(word: &OsString) -> bool {
    !word.is_empty() && word.as_encoded_bytes().iter().all(u8::is_ascii_digit)
}

fn checked(interval: Duration) -> Result<std::time::Duration, Error> {
    let interval = interval.get();
    if (SHORTEST..=LONGEST).contains(&interval) {
        return Ok(interval);
    }
    Err(wrong(ErrorKind::ValueValidation, "an interval is between `100ms` and `1h`"))
}

/// The columns of the list: those that were named, or the usual ones and what the filters are about.
fn chosen(named: &[String], added: &[&'static str]) -> Result<Vec<&'static Column>, Error> {
    let names: Vec<&str> =
        named.iter().flat_map(|names| names.split([',', ' '])).filter(|name| !name.is_empty()).collect();
    let only = names.iter().any(|name| !name.starts_with('+'));
    let usual = LIST.iter().filter(|name| **name != "command").chain(added);
    let mut columns: Vec<&'static Column> = Vec::new();
    let before = if only { Vec::new() } else { usual.copied().collect() };
    let after = if only { None } else { Some("command") };
    for name in before.into_iter().chain(names.into_iter().map(|name| name.trim_start_matches('+'))).chain(after) {
        let column = column(name)?;
        if column.shape == Shape::Never {
            let text = format!("`{name}` is no column for a list; `opsctl ps PID` and --json have it");
            return Err(wrong(ErrorKind::InvalidValue, &text));
        }
        if !columns.iter().any(|known| known.name == column.name) {
            columns.push(column);
        }
    }
    Ok(columns)
}

fn column(name: &str) -> Result<&'static Column, Error> {
    columns::find(name).ok_or_else(|| {
        let near = ALL.iter().flat_map(|column| std::iter::once(&column.name).chain(column.short));
        let near = near.filter(|known| known.contains(name) || name.contains(**known)).max_by_key(|known| known.len());
        let hint = near.map_or_else(String::new, |near| format!(" (there is `{near}`)"));
        let text = format!("there is no column `{name}`{hint}; `opsctl ps columns` lists them");
        wrong(ErrorKind::InvalidValue, &text)
    })
}

/// Long names are offered, short ones taken as well.
fn column_parser() -> impl TypedValueParser<Value = &'static str> {
    let values = ALL
        .iter()
        .filter(|column| column.shape != Shape::Never)
        .map(|column| clap::builder::PossibleValue::new(column.name).aliases(column.short));
    PossibleValuesParser::new(values)
        .try_map(|name| columns::find(&name).map(|column| column.name).ok_or("there is no such column"))
}

/// An error of the command line.
pub(crate) fn wrong(kind: ErrorKind, text: &str) -> Error {
    Error::raw(kind, format!("{text}\n"))
}

#[cfg(test)]
pub(crate) mod tests {
    use clap::{Command, FromArgMatches};

    use super::*;

    /// What a command line means.
    pub(crate) fn query(line: &str) -> Query {
        parse(line).unwrap()
    }

    fn parse(line: &str) -> Result<Query, Error> {
        let command = <Args as clap::Args>::augment_args(Command::new("ps"));
        let matches = command.try_get_matches_from(line.split(' '))?;
        Args::from_arg_matches(&matches)?.query()
    }

    fn names(query: &Query) -> String {
        query.columns.iter().map(|column| column.name).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_command_is_sound() {
        <Args as clap::Args>::augment_args(Command::new("ps")).debug_assert();
    }

    #[test]
    fn numbers_are_processes_and_words_are_filters() {
        let query = parse("ps nginx --port 80").unwrap();
        assert_eq!((query.kind, query.filter.words, query.filter.ports), (Kind::List, vec!["nginx".into()], vec![80]));
        let query = parse("ps 1 2").unwrap();
        assert_eq!((query.kind, query.filter.pids), (Kind::Detail, vec!["1".into(), "2".into()]));
        assert_eq!(parse("ps 1 -o pid,rss").unwrap().kind, Kind::List);
        assert_eq!(parse("ps 1 --tree").unwrap().kind, Kind::List);
        assert_eq!(parse("ps --watch").unwrap().kind, Kind::Watch(WATCHED));
        assert_eq!(parse("ps --watch -i 500ms").unwrap().kind, Kind::Watch(std::time::Duration::from_millis(500)));
        assert!(parse("ps 1 nginx").is_err());
        assert!(parse("ps 1 -u root").is_err());
    }

    #[test]
    fn columns_are_chosen_or_added() {
        let usual = "pid user state cpu_percent resident_size start_time cpu_time command";
        let check = |line: &str, expected: &str| assert_eq!(names(&parse(line).unwrap()), expected, "{line}");
        check("ps", usual);
        check("ps -o pid,comm -o rss", "pid name resident_size");
        check("ps -o +thr", "pid user state cpu_percent resident_size start_time cpu_time threads command");
        check("ps -o +pid", usual);
        check("ps --port 80", "pid user state cpu_percent resident_size start_time cpu_time ports command");
        check("ps --port 80 -o pid", "pid");
        check("ps --unit cron", "pid user state cpu_percent resident_size start_time cpu_time unit command");
    }

    #[test]
    fn mistakes_are_told() {
        let check = |line: &str, said: &str| {
            let error = parse(line).unwrap_err().to_string();
            assert!(error.contains(said), "{line}: {error}");
        };
        check("ps -o pid,nonsense", "no column `nonsense`");
        check("ps -o memory", "there is `memory_percent`");
        check("ps -o env", "no column for a list");
        check("ps --sort nonsense", "nonsense");
        check("ps --port 0", "0");
        check("ps --port x", "x");
        check("ps -i 1ms", "between `100ms` and `1h`");
        check("ps -i 5", "5");
        check("ps --watch --json", "--json");
    }

    #[test]
    fn a_verb_stands_alone() {
        let check = |line: &str, fine: bool| {
            let command = <Args as clap::Args>::augment_args(Command::new("ps"));
            let args = Args::from_arg_matches(&command.try_get_matches_from(line.split(' ')).unwrap()).unwrap();
            assert_eq!(args.only_verb().is_ok(), fine, "{line}");
        };
        check("ps system --json", true);
        check("ps --exact system memory", true);
        check("ps -u root system", false);
        check("ps --tree columns", false);
    }
}
