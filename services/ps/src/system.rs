//! `opsctl ps system`: the machine, in parts. Each part is one question to psi; one that has no answer here says so and
//! costs the others nothing.

mod machine;
mod network;
mod storage;

use std::io::{self, Write};

use clap::ValueEnum;
use clap::builder::PossibleValue;
use psi::{Error, System};

use crate::json::Object;
use crate::report::{self, Body, Part};
use crate::screen::Screen;
use crate::style;
use crate::value::Form;

/// A part of the report.
pub(crate) struct Question {
    /// Its name on the command line and in JSON.
    name: &'static str,
    /// For the help.
    about: &'static str,
    /// Whether it is told without being named: what has a hundred lines is not.
    usual: bool,
    ask: fn(&System) -> Result<Part<'static>, Error>,
}

/// All parts, in their order.
const ALL: &[Question] = &[
    Question { name: "machine", about: "system, release, boot, load, processes", usual: true, ask: machine::machine },
    Question { name: "cpu", about: "processors and where their time went", usual: true, ask: machine::cpu },
    Question { name: "memory", about: "memory, swap and paging", usual: true, ask: machine::memory },
    Question {
        name: "pressure",
        about: "time lost waiting for processors, memory and storage",
        usual: true,
        ask: machine::pressure,
    },
    Question {
        name: "limits",
        about: "limits of the control group that this program is in",
        usual: true,
        ask: machine::limits,
    },
    Question { name: "mounts", about: "file systems with a size", usual: true, ask: storage::mounts },
    Question { name: "disks", about: "what block devices have done", usual: true, ask: storage::disks },
    Question {
        name: "interfaces",
        about: "network interfaces, their addresses and traffic",
        usual: true,
        ask: network::interfaces,
    },
    Question {
        name: "protocols",
        about: "what the network's protocols have counted",
        usual: false,
        ask: network::protocols,
    },
    Question { name: "sockets", about: "who listens where", usual: true, ask: network::sockets },
    Question { name: "connections", about: "who talks to whom", usual: false, ask: network::connections },
    Question { name: "unix", about: "unix sockets that have a name", usual: false, ask: network::unix },
    Question { name: "logins", about: "who is logged in", usual: true, ask: machine::logins },
    Question { name: "sensors", about: "temperatures, fans, voltages", usual: true, ask: machine::sensors },
];

/// A part that was named on the command line.
#[derive(Clone, Copy)]
pub(crate) struct Section(&'static Question);

impl std::fmt::Debug for Section {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.name)
    }
}

impl ValueEnum for Section {
    fn value_variants<'a>() -> &'a [Self] {
        const SECTIONS: [Section; ALL.len()] = {
            let mut sections = [Section(&ALL[0]); ALL.len()];
            let mut at = 0;
            while at < ALL.len() {
                sections[at] = Section(&ALL[at]);
                at += 1;
            }
            sections
        };
        &SECTIONS
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.name).help(self.0.about))
    }
}

/// Writes the parts that were named, or all.
///
/// # Errors
/// What the writer says.
pub(crate) fn write(system: &System, sections: &[Section], screen: &Screen, out: &mut dyn Write) -> io::Result<()> {
    let named = |question: &Question| sections.iter().any(|section| section.0.name == question.name);
    let wanted = |question: &&Question| if sections.is_empty() { question.usual } else { named(question) };
    let parts = ALL
        .iter()
        .filter(wanted)
        .map(|question| (question.ask)(system).unwrap_or_else(|error| missing(question.name, &error)));
    if screen.json {
        let object = Object(parts.map(|part| (part.name, part.json())).collect());
        serde_json::to_writer_pretty(&mut *out, &object)?;
        return writeln!(out);
    }
    let form = Form { long: true, ..screen.form.clone() };
    style::write_all(&report::lines(parts, &form, screen.room), screen.color, out)
}

/// A part that cannot be told.
pub(crate) fn missing(name: &'static str, error: &Error) -> Part<'static> {
    Part { name, body: Body::Missing(why(error)), note: None }
}

/// The error and what is behind it.
pub(crate) fn why(error: &Error) -> String {
    let chain = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
