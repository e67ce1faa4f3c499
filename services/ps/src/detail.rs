//! `opsctl ps PID`: all there is to know of one process, from the table of columns, and what is around it: its parents and
//! children, its sockets, and the limits of its control group.

use std::ffi::OsStr;

use psi::{Cgroup, Error, Fields, Id, Process, Socket, System};

use crate::columns::{ALL, Column, Group, Row, strings};
use crate::json::{self, Object};
use crate::look::{Look, Needs, listeners};
use crate::report::{self, Part};
use crate::sheet::Room;
use crate::style::Line;
use crate::system::missing;
use crate::value::{Form, Value};
use crate::{cgroup, sockets};

/// Everything.
const NEEDS: Needs = Needs { fields: Fields::ALL, ports: true };

/// The parts in the order in which people ask, and which columns stand in them.
const PARTS: &[(Group, &str)] = &[
    (Group::What, "program"),
    (Group::Who, "process"),
    (Group::Cpu, "processor"),
    (Group::Memory, "memory"),
    (Group::Files, "files"),
    (Group::Place, "control group"),
    (Group::Env, "environment"),
];

/// One process with what is around it.
#[derive(Debug)]
pub(crate) struct Detail {
    look: Look,
    pid: u32,
    sockets: Result<Vec<Socket>, Error>,
    limits: Result<Cgroup, Error>,
}

impl Detail {
    /// Looks at everything of one process; the others are only looked at for who is whose child.
    ///
    /// # Errors
    /// Where there is no such process, or the proc file system cannot be read.
    pub(crate) fn new(system: &System, pid: u32, earlier: Option<&Look>) -> Result<Self, Error> {
        // the one that was asked for comes first: if it is not there nothing else matters
        let process = system.process(pid, Fields::ALL)?;
        let limits = match &process.cgroup {
            Ok(path) => system.effective_cgroup(path),
            Err(_) => Err(Error::NotHere { what: "control groups" }),
        };
        let mut table = system.processes(Fields::NONE)?;
        table.processes.retain(|other| other.pid() != pid);
        table.processes.push(process);
        table.processes.sort();
        let sockets = system.sockets().map(|mut sockets| {
            sockets.retain(|socket| socket.owners.contains(&pid));
            sockets
        });
        let mut look = Look::with(system, Needs::NONE, table)?;
        look.needs = NEEDS;
        look.ports = sockets.as_ref().map(|sockets| listeners(sockets.clone())).unwrap_or_default();
        let look = match earlier {
            Some(earlier) => look.since(earlier),
            None => look,
        };
        Ok(Self { look, pid, sockets, limits })
    }

    /// Which process it is.
    pub(crate) fn id(&self) -> Option<Id> {
        self.row().map(|row| row.process.id)
    }

    fn row(&self) -> Option<Row<'_>> {
        Some(Row { look: &self.look, process: self.look.table.get(self.pid)? })
    }

    /// As JSON: the same members as in a list, all of them, and four more.
    pub(crate) fn json(&self) -> Object {
        let Some(row) = self.row() else { return Object::default() };
        let mut object = json::process(row);
        let pids = |processes: Vec<&Process>| processes.iter().map(|process| process.pid()).collect::<Vec<_>>();
        object.0.push(("parents", pids(parents(row)).into()));
        object.0.push(("children", pids(children(row)).into()));
        object.0.push(("sockets", self.sockets().json()));
        object.0.push(("limits", cgroup::part("limits", &self.limits).json()));
        object
    }

    fn sockets(&self) -> Part<'static> {
        match &self.sockets {
            Ok(sockets) => sockets::of_process(sockets),
            Err(error) => missing("sockets", error),
        }
    }

    /// For a person, a line after the other.
    pub(crate) fn lines(&self, form: &Form, room: Room) -> Vec<Line> {
        let Some(row) = self.row() else { return Vec::new() };
        let form = Form { long: true, ..form.clone() };
        let mut parts = Vec::new();
        for (group, name) in PARTS {
            let of_group = |column: &&Column| column.group == *group && !["args", "env"].contains(&column.name);
            let mut facts: Vec<_> =
                ALL.iter().filter(of_group).map(|column| (column.name, (column.get)(row))).collect();
            match group {
                Group::What if !is_plain(row.process) => facts.insert(1, ("args", strings(&row.process.args))),
                Group::Who => facts.extend([("parents", names(parents(row))), ("children", names(children(row)))]),
                Group::Env => facts.push(("env", strings(&row.process.env))),
                _ => {}
            }
            parts.push(Part::facts(name, facts));
            match group {
                Group::Files => parts.push(self.sockets()),
                Group::Place => parts.push(cgroup::part("limits", &self.limits)),
                _ => {}
            }
        }
        report::lines(parts, &form, room)
    }
}

/// Whether the command line tells the arguments apart: none of them is empty or has a blank in it.
fn is_plain(process: &Process) -> bool {
    let plain = |arg: &OsStr| !arg.is_empty() && !arg.as_encoded_bytes().iter().any(u8::is_ascii_whitespace);
    process.args.as_ref().is_ok_and(|args| args.iter().all(plain))
}

/// The parent, its parent, and so on up to the first process.
fn parents(row: Row<'_>) -> Vec<&Process> {
    let children = row.look.table.children();
    let above = |pid: u32| {
        let found = children.iter().find(|(_, children)| children.iter().any(|child| child.pid() == pid));
        found.and_then(|(parent, _)| row.look.table.get(*parent))
    };
    // a parent is older than its child, so this ends
    std::iter::successors(above(row.process.pid()), |process| above(process.pid())).collect()
}

fn children(row: Row<'_>) -> Vec<&Process> {
    row.look.table.children().remove(&row.process.pid()).unwrap_or_default()
}

/// `1 systemd`, one a line.
fn names(processes: Vec<&Process>) -> Value<'static> {
    let name = |process: &&Process| {
        let mut text = std::ffi::OsString::from(format!("{} ", process.pid()));
        text.push(&process.name);
        Value::owned(text)
    };
    Value::List(processes.iter().map(name).collect())
}
