//! The worker: this program, executed again for one upload, alone with it in one folder.
//!
//! It reads its task, gives up what it does not need, and only then looks at the upload. What it has to say goes to
//! standard output, a line per event; libav's complaints go to standard error. It decides nothing about other jobs, and
//! knows of no configuration, database or network.

use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, bail};
use opsctl_host::{Shell, Tool};
use rustix::process::{Signal, getppid, set_parent_process_death_signal};

use crate::event::Event;
use crate::isolation;
use crate::refusal::Refusal;
use crate::task::{LARGEST, Order, SOURCE, Task};
use crate::transcode::{self, Error};

/// The hidden command that a worker is started by.
#[derive(Debug)]
pub struct Worker;

/// It has none: the task comes on standard input.
#[derive(Debug, clap::Args)]
pub struct WorkerArgs {}

impl Tool for Worker {
    const NAME: &'static str = "encoder-worker";
    const ABOUT: &'static str = "Transcodes one upload; started by the encoder itself";
    type Args = WorkerArgs;

    fn run(_args: WorkerArgs, _shell: &Shell) -> anyhow::Result<ExitCode> {
        let task = read(io::stdin().lock())?;
        tie(task.parent)?;
        let out = Mutex::new(io::stdout());
        let emit = move |event: Event| {
            // whoever reads may be gone, and then the kernel ends us
            let _ = write(&mut *out.lock().unwrap_or_else(PoisonError::into_inner), &event);
        };
        let folder = Path::new(".");
        emit(Event::Isolation(isolation::apply(Path::new(SOURCE), folder, &task.limits, task.seconds)));
        Ok(finish(work(&task, folder, &emit), &emit))
    }
}

fn read(input: impl Read) -> anyhow::Result<Task> {
    let mut text = Vec::new();
    input.take(LARGEST).read_to_end(&mut text).context("failed to read the task")?;
    serde_json::from_slice(&text).context("the task on standard input is none: this is started by the encoder itself")
}

/// Ends with whoever started this.
fn tie(parent: u32) -> anyhow::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL)).context("failed to tie the worker to its parent")?;
    // it may have ended before the tie was there
    match getppid() {
        Some(id) if id.as_raw_pid().unsigned_abs() == parent => Ok(()),
        _ => bail!("whoever started the worker is gone"),
    }
}

fn write(out: &mut impl Write, event: &Event) -> io::Result<()> {
    let mut line = serde_json::to_vec(event)?;
    line.push(b'\n');
    out.write_all(&line)?;
    out.flush()
}

fn work(task: &Task, folder: &Path, emit: transcode::Emit<'_>) -> Result<(), Error> {
    let source = Path::new(SOURCE);
    match &task.order {
        Order::Probe => {
            emit(Event::Facts(Box::new(transcode::probe(source, &task.limits)?)));
            Ok(())
        }
        Order::Encode(profile) => transcode::encode(source, folder, profile, &task.limits, emit),
        Order::Cut { profile, seconds } => transcode::cut(source, profile, *seconds, &task.limits, emit),
        Order::Part { profile, part } => transcode::part(source, folder, profile, *part, &task.limits, emit),
        Order::Join { profile, parts } => transcode::join(source, folder, profile, *parts, &task.limits, emit),
        Order::Prove { other, port } => {
            emit(Event::Proof { attempts: isolation::proof::attempts(Path::new(other), *port) });
            Ok(())
        }
    }
}

fn finish(result: Result<(), Error>, emit: transcode::Emit<'_>) -> ExitCode {
    let (event, code) = match result {
        Ok(()) => (Event::Done, ExitCode::SUCCESS),
        Err(Error::Refused(refusal)) => (Event::Refused(refusal), ExitCode::SUCCESS),
        Err(error) if error.no_memory() => {
            (Event::Refused(Refusal::TooCostly { of: "memory".to_owned() }), ExitCode::SUCCESS)
        }
        Err(error) if error.too_large() => {
            (Event::Refused(Refusal::TooCostly { of: "disk space".to_owned() }), ExitCode::SUCCESS)
        }
        Err(error) => {
            let no_space = error.no_space();
            (Event::Failed { no_space, text: format!("{:#}", anyhow::Error::from(error)) }, ExitCode::FAILURE)
        }
    };
    emit(event);
    code
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    #[test]
    fn a_task_is_read_whole_or_not_at_all() {
        let task = Task { parent: 1, limits: Limits::default(), seconds: 9, order: Order::Probe };
        let text = serde_json::to_vec(&task).unwrap();
        assert_eq!(read(text.as_slice()).unwrap(), task);
        read(&text[1..]).unwrap_err();
        read([text.as_slice(), b"x"].concat().as_slice()).unwrap_err();
    }

    #[test]
    fn an_event_is_a_line() {
        let mut out = Vec::new();
        write(&mut out, &Event::Failed { no_space: false, text: "a\nb".to_owned() }).unwrap();
        assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 1);
        assert_eq!(
            serde_json::from_slice::<Event>(&out).unwrap(),
            Event::Failed { no_space: false, text: "a\nb".into() }
        );
    }
}
