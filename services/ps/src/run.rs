//! From the command line to the answer: which look is taken, what is written, and what is said when there is nothing.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::error::ErrorKind;
use opsctl_host::Shell;
use psi::{Fields, System};

use crate::args::{Args, Kind, Query, Verb, wrong};
use crate::columns::{ALL, Shape};
use crate::detail::Detail;
use crate::filter::Ready;
use crate::look::{self, Look, Needs};
use crate::order::{self, Placed};
use crate::report::Part;
use crate::screen::{self, Screen};
use crate::sheet::Room;
use crate::value::Value;
use crate::{json, list, style, system, watch};

/// What JSON always has of a process, whatever the columns are: its members do not change with the look of the list.
const JSON: Needs = Needs::fields(Fields::LIST.and(Fields::CGROUP));

pub(crate) fn run(args: Args, shell: &Shell) -> anyhow::Result<ExitCode> {
    let screen = Screen::new(&args.form, shell);
    let machine = look::system(args.place.proc_root.as_deref(), args.place.sys_root.as_deref());
    if args.verb.is_some() {
        args.only_verb()?;
    }
    match args.verb {
        Some(Verb::System { parts }) => write(|out| system::write(&machine, &parts, &screen, out)),
        Some(Verb::Columns) => write(|out| columns(&screen, out)),
        Some(Verb::Debug(debug)) => debug.run(),
        None => {
            let query = args.query()?;
            match query.kind {
                Kind::List => list(&machine, &query, &screen),
                Kind::Detail => details(&machine, &query, &screen),
                Kind::Watch(interval) if screen.terminal && !shell.dumb => {
                    watch::run(machine, query, &screen, interval)
                }
                Kind::Watch(_) => {
                    let text = "--watch needs a terminal that can do more than lines";
                    Err(wrong(ErrorKind::ArgumentConflict, text).into())
                }
            }
        }
    }
}

fn write(work: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<ExitCode> {
    let mut out = screen::output();
    work(&mut out)?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// A line for whoever called, apart from the answer. Whether it can be said changes nothing.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// What has to be read for a list.
pub(crate) fn needs(query: &Query) -> Needs {
    let columns = query.columns.iter().copied().chain([query.sort]);
    columns.fold(query.filter.needs(), |needs, column| needs.and(column.needs))
}

/// Looks once, or twice if shares of a processor shall be those of a while.
fn look(system: &System, needs: Needs, interval: Option<Duration>) -> Result<Look, psi::Error> {
    let Some(interval) = interval else { return Look::new(system, needs) };
    let earlier = Look::new(system, Needs::NONE)?;
    std::thread::sleep(interval);
    Ok(Look::new(system, needs)?.since(&earlier))
}

fn list(system: &System, query: &Query, screen: &Screen) -> anyhow::Result<ExitCode> {
    let mut needs = needs(query);
    if screen.json {
        needs = needs.and(JSON);
    }
    let look = look(system, needs, query.interval)?;
    let ready = query.filter.on(&look, query.own)?;
    let placed = order::arrange(&look, query, &ready);
    let mut out = screen::output();
    if screen.json {
        json::write(placed.iter().map(|placed| json::process(placed.row)), &mut out)?;
    } else {
        let mut screen = screen.clone();
        screen.room.width = screen.room.width.filter(|_| !query.wide);
        let laid_out = list::sheet(&look, query, &placed, &screen.drawing()).lay_out(screen.room);
        style::write(&laid_out.head, screen.color, &mut out)?;
        style::write_all(&laid_out.lines, screen.color, &mut out)?;
    }
    out.flush()?;
    if screen.terminal && look.table.hidden > 0 {
        say(&format!("{} processes are hidden from this account", look.table.hidden));
    }
    Ok(verdict(&look, query, &ready, &placed))
}

/// Says what is missing: numbers that nobody has, and why nothing fits.
fn verdict(look: &Look, query: &Query, ready: &Ready<'_>, placed: &[Placed<'_>]) -> ExitCode {
    let absent = |pid: &&String| pid.parse().ok().and_then(|pid| look.table.get(pid)).is_none();
    let absent: Vec<_> = query.filter.pids.iter().filter(absent).collect();
    absent.iter().for_each(|pid| say(&format!("no process `{pid}`")));
    if placed.is_empty() && absent.is_empty() && query.limit > 0 {
        say(&nothing(look, query, ready));
    }
    let found = !placed.is_empty() || query.limit == 0;
    if found && absent.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn nothing(look: &Look, query: &Query, ready: &Ready<'_>) -> String {
    if look.table.processes.iter().any(|process| ready.hides(process)) {
        return "no process fits but threads of the kernel, which -k shows".to_owned();
    }
    let open = if query.filter.ports.is_empty() { Vec::new() } else { look.system.sockets_alone().unwrap_or_default() };
    let held = open.iter().find(|socket| socket.is_listening() && query.filter.ports.contains(&socket.local.port()));
    match held {
        Some(socket) => format!(
            "no process fits: `{}` is listened on by a process of `{}` that cannot be seen from here",
            socket.local,
            look.user(socket.uid).display()
        ),
        None => "no process fits".to_owned(),
    }
}

fn details(system: &System, query: &Query, screen: &Screen) -> anyhow::Result<ExitCode> {
    let earlier = match query.interval {
        Some(interval) => {
            let earlier = Look::new(system, Needs::NONE)?;
            std::thread::sleep(interval);
            Some(earlier)
        }
        None => None,
    };
    let mut out = screen::output();
    let mut code = ExitCode::SUCCESS;
    let mut found = Vec::new();
    for pid in &query.filter.pids {
        let none = psi::Error::NoSuchProcess { pid: u32::MAX };
        match pid.parse().map_or(Err(none), |pid| Detail::new(system, pid, earlier.as_ref())) {
            Ok(detail) => found.push(detail),
            Err(psi::Error::NoSuchProcess { .. }) => {
                say(&format!("no process `{pid}`"));
                code = ExitCode::FAILURE;
            }
            Err(error) => return Err(error.into()),
        }
    }
    if screen.json {
        json::write(found.iter().map(Detail::json), &mut out)?;
    } else {
        for (at, detail) in found.iter().enumerate() {
            if at > 0 {
                writeln!(out, "\n")?;
            }
            style::write_all(&detail.lines(&screen.form, screen.room), screen.color, &mut out)?;
        }
    }
    out.flush()?;
    Ok(code)
}

/// The table of columns.
fn columns(screen: &Screen, out: &mut dyn Write) -> io::Result<()> {
    let rows = ALL.iter().map(|column| {
        let short = column.short.iter().map(|name| Value::Word(name)).collect();
        let head =
            if column.shape == Shape::Never { Value::Nothing(psi::Missing::Absent) } else { Value::Word(column.head) };
        vec![Value::Word(column.name), Value::List(short), head, Value::Word(column.about)]
    });
    let part = Part::table("columns", &["name", "short", "heading", "about"], rows.collect());
    if screen.json {
        serde_json::to_writer_pretty(&mut *out, &part.json())?;
        return writeln!(out);
    }
    // what they mean is read to the end
    style::write_all(&part.lines(&screen.form, Room { width: None, ..screen.room }), screen.color, out)
}
