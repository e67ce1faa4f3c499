//! THE table of what can be told of a process: its name in JSON, in `--columns` and in `--sort`, its heading, its unit,
//! what has to be read for it, and where it comes from. Lists, `opsctl ps PID` and JSON are all made from it, so that a
//! line here is a column everywhere.
//!
//! Names are psi's names of the attributes; the shorter ones are those that users of ps know.

use std::path::Path;
use std::time::Duration;

use psi::{Attr, Fields, Process, Protocol, Socket, Strings};

use crate::look::{Busy, Look, Needs};
use crate::value::Value;

/// One process in one look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    pub(crate) look: &'a Look,
    pub(crate) process: &'a Process,
}

/// Where a column stands in `opsctl ps PID`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Who,
    What,
    Cpu,
    Memory,
    Files,
    Place,
    Env,
}

/// How a column is laid out in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// To the right: figures.
    Figure,
    /// To the left, and cut at so many columns on a terminal.
    Word(usize),
    /// To the left, as wide as there is room.
    Wide,
    /// Not for lists: JSON and `opsctl ps PID` only.
    Never,
}

/// What can be told of a process.
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) short: &'static [&'static str],
    pub(crate) head: &'static str,
    pub(crate) about: &'static str,
    pub(crate) needs: Needs,
    pub(crate) group: Group,
    pub(crate) shape: Shape,
    pub(crate) get: for<'a> fn(Row<'a>) -> Value<'a>,
}

impl std::fmt::Debug for Column {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Column {
    /// The heading. A share of a processor says over which time: `CPU%LIFE`, `CPU%2s`.
    pub(crate) fn heading(&self, busy: &Busy) -> String {
        match busy {
            _ if self.name != "cpu_percent" => self.head.to_owned(),
            Busy::Life => format!("{}LIFE", self.head),
            Busy::Over(passed, _) => format!("{}{}", self.head, seconds(*passed)),
        }
    }
}

/// `2s`, `0.5s`: the interval that was asked for, not what the machine made of it.
fn seconds(passed: Duration) -> String {
    let tenths = (passed.as_secs_f64() * 10.0).round();
    if tenths % 10.0 == 0.0 { format!("{:.0}s", tenths / 10.0) } else { format!("{:.1}s", tenths / 10.0) }
}

/// The columns of a list unless others are asked for.
pub(crate) const LIST: &[&str] =
    &["pid", "user", "state", "cpu_percent", "resident_size", "start_time", "cpu_time", "command"];

/// The column of that name, long or short.
pub(crate) fn find(name: &str) -> Option<&'static Column> {
    ALL.iter().find(|column| column.name == name || column.short.contains(&name))
}

const NONE: Needs = Needs::NONE;
const OWNER: Needs = Needs::fields(Fields::OWNER);
const IDS: Needs = Needs::fields(Fields::IDS);
const ARGS: Needs = Needs::fields(Fields::ARGS);
const ENV: Needs = Needs::fields(Fields::ENV);
const EXE: Needs = Needs::fields(Fields::EXE);
const CWD: Needs = Needs::fields(Fields::CWD);
const CGROUP: Needs = Needs::fields(Fields::CGROUP);
const IO: Needs = Needs::fields(Fields::IO);
const FILES: Needs = Needs::fields(Fields::FILES);
const MEMORY: Needs = Needs::fields(Fields::MEMORY);
const PORTS: Needs = Needs { fields: Fields::NONE, ports: true };

macro_rules! columns {
    ($($name:literal $short:expr, $head:literal, $needs:ident, $group:ident, $shape:expr, $about:literal, $get:expr;)*) => {
        /// All of them, in the order of `opsctl ps PID` and JSON.
        pub(crate) const ALL: &[Column] = &[$(Column {
            name: $name, short: &$short, head: $head, about: $about, needs: $needs, group: Group::$group, shape: $shape,
            get: $get,
        }),*];
    };
}

use Shape::{Figure, Never, Wide, Word};

#[rustfmt::skip]
columns! {
    "pid" [], "PID", NONE, Who, Figure, "process number", |row| Value::Number(row.process.pid().into());
    "start" [], "TICKS", NONE, Who, Figure, "start in clock ticks after boot; with the number it names a process for ever", |row| Value::Count(row.process.id.start);
    "name" ["comm"], "NAME", NONE, Who, Word(20), "accounting name, at most 15 bytes", |row| text(row.process.name.as_os_str());
    "state" ["s", "stat"], "S", NONE, Who, Word(1), "R runs, S sleeps, D waits for a device, T stopped, t traced, Z ended, I idle", |row| Value::owned(row.process.state.letter().to_string());
    "kernel" [], "KERNEL", NONE, Who, Word(6), "whether it is a thread of the kernel", |row| Value::Flag(row.process.kernel);
    "parent" ["ppid"], "PPID", NONE, Who, Figure, "number of the parent", |row| Value::Number(row.process.parent.into());
    "group" ["pgrp", "pgid"], "PGRP", NONE, Who, Figure, "process group", |row| Value::Number(row.process.group.into());
    "session" ["sid"], "SID", NONE, Who, Figure, "session", |row| Value::Number(row.process.session.into());
    "terminal" ["tty"], "TTY", NONE, Who, Word(10), "controlling terminal", terminal;
    "user" [], "USER", OWNER, Who, Word(16), "effective user", |row| Value::of(row.process.uid(), |uid| Value::owned(row.look.user(uid)));
    "uid" ["euid"], "UID", OWNER, Who, Figure, "effective user number", |row| Value::of(row.process.uid(), id);
    "gid" ["egid"], "GID", OWNER, Who, Figure, "effective group number", |row| Value::of(row.process.gid(), id);
    "real_user" ["ruser"], "RUSER", IDS, Who, Word(16), "real user", |row| Value::of(row.process.ids, |ids| Value::owned(row.look.user(ids.real_uid)));
    "real_uid" ["ruid"], "RUID", IDS, Who, Figure, "real user number", |row| Value::of(row.process.ids, |ids| id(ids.real_uid));
    "real_gid" ["rgid"], "RGID", IDS, Who, Figure, "real group number", |row| Value::of(row.process.ids, |ids| id(ids.real_gid));
    "saved_uid" ["suid"], "SUID", IDS, Who, Figure, "saved user number", |row| Value::of(row.process.ids, |ids| id(ids.saved_uid));
    "saved_gid" ["sgid"], "SGID", IDS, Who, Figure, "saved group number", |row| Value::of(row.process.ids, |ids| id(ids.saved_gid));

    "command" ["cmd"], "COMMAND", ARGS, What, Wide, "command line, or the name where there is none", |row| Value::owned(row.process.command());
    "args" [], "ARGS", ARGS, What, Never, "command line as a list", |row| strings(&row.process.args);
    "exe" [], "EXE", EXE, What, Wide, "executable", |row| path(&row.process.exe);
    "cwd" [], "CWD", CWD, What, Wide, "current folder", |row| path(&row.process.cwd);
    "start_time" ["lstart"], "START", NONE, What, Word(26), "when it began", |row| Value::Moment(row.look.start(row.process));
    "age" ["etime"], "AGE", NONE, What, Figure, "time since it began, seconds", |row| Value::Span(row.look.age(row.process));
    "flags" [], "FLAGS", NONE, What, Figure, "the kernel's PF_ flags", |row| Value::Count(row.process.flags);

    "cpu_percent" ["cpu"], "CPU%", NONE, Cpu, Figure, "share of one processor, per cent: since it began, or over --interval", |row| Value::Percent(row.look.cpu_percent(row.process));
    "cpu_seconds" [], "OVER", NONE, Cpu, Figure, "the time over which cpu_percent was counted, seconds", |row| Value::Span(row.look.cpu_seconds(row.process));
    "cpu_time" ["time"], "TIME", NONE, Cpu, Figure, "processor time, user_time and system_time, seconds", |row| Value::Time(row.process.cpu_time());
    "user_time" ["utime"], "UTIME", NONE, Cpu, Figure, "time in its own code, seconds", |row| Value::Time(row.process.user_time);
    "system_time" ["stime"], "STIME", NONE, Cpu, Figure, "time in the kernel for it, seconds", |row| Value::Time(row.process.system_time);
    "children_time" ["ctime"], "CTIME", NONE, Cpu, Figure, "both, of children that have ended, seconds", |row| Value::Time(row.process.children_time);
    "threads" ["thr", "nlwp"], "THR", NONE, Cpu, Figure, "threads", |row| Value::Count(row.process.threads.into());
    "nice" ["ni"], "NI", NONE, Cpu, Figure, "-20 (favoured) to 19", |row| Value::Number(row.process.nice.into());
    "priority" ["pri"], "PRI", NONE, Cpu, Figure, "the scheduler's priority, below 0 for real-time processes", |row| Value::Number(row.process.priority.into());
    "realtime" ["rtprio"], "RTPRIO", NONE, Cpu, Figure, "real-time priority, 0 for ordinary processes", |row| Value::Count(row.process.realtime.into());
    "processor" ["psr"], "PSR", NONE, Cpu, Figure, "the processor it last ran on", |row| Value::Number(row.process.processor.into());
    "voluntary_switches" ["vcsw"], "VCSW", IDS, Cpu, Figure, "times that it gave the processor up to wait", |row| Value::of(row.process.switches, |switches| Value::Count(switches.voluntary));
    "involuntary_switches" ["icsw"], "ICSW", IDS, Cpu, Figure, "times that its time on the processor was up", |row| Value::of(row.process.switches, |switches| Value::Count(switches.involuntary));

    "resident_size" ["rss"], "RSS", NONE, Memory, Figure, "memory in use, bytes", |row| Value::Size(row.process.resident_size);
    "memory_percent" ["mem"], "MEM%", NONE, Memory, Figure, "the same, per cent of the machine's memory", memory_percent;
    "virtual_size" ["vsz"], "VSZ", NONE, Memory, Figure, "address space, bytes", |row| Value::Size(row.process.virtual_size);
    "swap" [], "SWAP", IDS, Memory, Figure, "swapped out, bytes", |row| Value::of(row.process.swap, Value::Size);
    "proportional" ["pss"], "PSS", MEMORY, Memory, Figure, "memory, shared pages divided by their users, bytes; dear to find out", |row| Value::of(row.process.memory, |memory| Value::Size(memory.proportional));
    "unique" ["uss"], "USS", MEMORY, Memory, Figure, "memory that nobody shares, bytes; dear to find out", |row| Value::of(row.process.memory, |memory| Value::Size(memory.unique));
    "minor_faults" ["minflt"], "MINFLT", NONE, Memory, Figure, "page faults that needed no storage", |row| Value::Count(row.process.faults.0);
    "major_faults" ["majflt"], "MAJFLT", NONE, Memory, Figure, "page faults that did", |row| Value::Count(row.process.faults.1);

    "files" ["fds"], "FILES", FILES, Files, Figure, "open descriptors", |row| Value::of(row.process.files, |files| Value::Count(files.into()));
    "read_bytes" ["read"], "READ", IO, Files, Figure, "read from storage, bytes", |row| Value::of(row.process.io, |io| Value::Size(io.read_bytes));
    "written_bytes" ["write"], "WRITE", IO, Files, Figure, "written to storage, bytes", |row| Value::of(row.process.io, |io| Value::Size(io.written_bytes));
    "read_chars" ["rchar"], "RCHAR", IO, Files, Figure, "read through calls from anywhere, bytes", |row| Value::of(row.process.io, |io| Value::Size(io.read_chars));
    "written_chars" ["wchar"], "WCHAR", IO, Files, Figure, "written through calls to anywhere, bytes", |row| Value::of(row.process.io, |io| Value::Size(io.written_chars));
    "read_calls" ["syscr"], "SYSCR", IO, Files, Figure, "read calls", |row| Value::of(row.process.io, |io| Value::Count(io.read_calls));
    "write_calls" ["syscw"], "SYSCW", IO, Files, Figure, "write calls", |row| Value::of(row.process.io, |io| Value::Count(io.write_calls));
    "ports" ["port", "listen"], "LISTENS", PORTS, Files, Word(24), "ports it listens on; asks for every descriptor of every process", |row| Value::List(row.look.listens(row.process.pid()).iter().map(port).collect());

    "cgroup" [], "CGROUP", CGROUP, Place, Wide, "control group", |row| path(&row.process.cgroup);
    "unit" [], "UNIT", CGROUP, Place, Word(28), "the service manager's unit that the control group is of", unit;

    "env" [], "ENV", ENV, Env, Never, "environment as it was begun with", |row| strings(&row.process.env);
}

fn id(number: u32) -> Value<'static> {
    Value::Number(number.into())
}

fn text(text: &std::ffi::OsStr) -> Value<'_> {
    Value::text(text)
}

fn path<'a>(path: &'a Attr<impl AsRef<Path>>) -> Value<'a> {
    Value::of(path.as_ref().map_err(|missing| *missing), |path| Value::text(path.as_ref().as_os_str()))
}

/// A list of texts.
pub(crate) fn strings(strings: &Attr<Strings>) -> Value<'_> {
    let list = |strings: &'_ Strings| Value::List(strings.iter().map(Value::owned).collect());
    Value::of(strings.as_ref().map_err(|missing| *missing), list)
}

fn terminal(row: Row<'_>) -> Value<'_> {
    let file = row.look.system.terminal(row.process.terminal);
    Value::some(file, |file| Value::owned(file.strip_prefix("/dev").unwrap_or(&file)))
}

fn memory_percent(row: Row<'_>) -> Value<'_> {
    let total = row.look.memory.max(1) as f64;
    Value::Percent(row.process.resident_size as f64 / total * 100.0)
}

fn unit(row: Row<'_>) -> Value<'_> {
    match &row.process.cgroup {
        Ok(_) => Value::some(row.process.unit(), text),
        Err(missing) => Value::Nothing(*missing),
    }
}

/// `tcp:80`, `udp:[::1]:53`: the address only where it is not all.
pub(crate) fn port(socket: &Socket) -> Value<'static> {
    let protocol = protocol(socket.protocol);
    let place = if socket.local.ip().is_unspecified() {
        format!("{protocol}:{}", socket.local.port())
    } else {
        format!("{protocol}:{}", socket.local)
    };
    Value::owned(place)
}

/// The protocol's name.
pub(crate) fn protocol(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
        Protocol::Raw => "raw",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_described() {
        let mut names = BTreeSet::new();
        for column in ALL {
            for name in std::iter::once(&column.name).chain(column.short) {
                assert!(names.insert(*name), "`{name}` is there twice");
                assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
                assert_eq!(find(name).map(|found| found.name), Some(column.name));
            }
            assert!(!column.about.is_empty() && !column.about.ends_with('.'), "{}", column.name);
            assert!(!column.head.is_empty() && column.head.bytes().all(|byte| byte.is_ascii_graphic()));
        }
        assert!(LIST.iter().all(|name| find(name).is_some()));
    }

    #[test]
    fn groups_stand_together() {
        let mut seen = Vec::new();
        for column in ALL {
            if seen.last() != Some(&column.group) {
                assert!(!seen.contains(&column.group), "{}", column.name);
                seen.push(column.group);
            }
        }
    }

    #[test]
    fn every_column_is_in_the_manual() {
        let manual = include_str!("../README.md");
        for Column { name, short, about, .. } in ALL {
            let names = std::iter::once(name).chain(*short).map(|name| format!("`{name}`")).collect::<Vec<_>>();
            let row = format!("| {} | {about} |", names.join(", "));
            assert!(manual.contains(&row), "the manual has no line\n{row}");
        }
    }

    #[test]
    fn a_share_says_over_which_time() {
        let cpu = find("cpu").unwrap();
        assert_eq!(cpu.heading(&Busy::Life), "CPU%LIFE");
        let over = |milliseconds| cpu.heading(&Busy::Over(Duration::from_millis(milliseconds), [].into()));
        assert_eq!((over(2_004), over(498), over(1_940)), ("CPU%2s".into(), "CPU%0.5s".into(), "CPU%1.9s".into()));
        assert_eq!(find("pid").unwrap().heading(&Busy::Life), "PID");
    }
}
