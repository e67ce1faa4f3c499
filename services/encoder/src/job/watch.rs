//! Watching one worker until it ends: its words, its log, its time.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::lines::{Lines, Tail};
use super::{Cancel, End, Outcome};
use crate::event::Event;
use crate::limits::Limits;
use crate::refusal::Refusal;

/// Bytes that a worker may say, at most.
const WORDS: u64 = 256 << 20;

/// Why a worker was ended from here.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Ended {
    Time,
    Silence,
    Talk,
    Cancelled,
}

struct Watch<'a> {
    limits: &'a Limits,
    began: Instant,
    deadline: Instant,
    heard: Instant,
    said: u64,
    last: Option<Event>,
    outcome: Outcome,
    each: &'a mut dyn FnMut(&Event),
}

/// Watches `child` until it has ended and is gone.
pub(super) fn watch(
    child: &mut Child,
    limits: &Limits,
    cancel: &Cancel,
    each: &mut dyn FnMut(&Event),
) -> io::Result<Outcome> {
    let now = Instant::now();
    let outcome = Outcome {
        end: End::Cancelled,
        facts: None,
        assets: Vec::new(),
        parts: Vec::new(),
        piece: None,
        warnings: Vec::new(),
        isolation: None,
        attempts: Vec::new(),
        log: String::new(),
    };
    let mut watch =
        Watch { limits, began: now, deadline: now + limits.time(None), heard: now, said: 0, last: None, outcome, each };
    let (watched, tail) = watch.run(child, cancel);
    // whatever happened to us, the worker is not left behind
    if !matches!(watched, Ok(None)) {
        child.kill()?;
    }
    let status = child.wait()?;
    let mut outcome = watch.outcome;
    outcome.log = tail.text();
    outcome.end = end(watched?, watch.last, status);
    // x264 only says that something failed, and the rest on standard error
    if matches!(outcome.end, End::Failed { .. }) && outcome.log.contains("malloc of size") {
        outcome.end = costly("memory");
    }
    Ok(outcome)
}

impl Watch<'_> {
    /// Reads until both pipes are closed or the worker is to be ended.
    fn run(&mut self, child: &mut Child, cancel: &Cancel) -> (io::Result<Option<Ended>>, Tail) {
        let mut tail = Tail::default();
        let result = self.read(child, cancel, &mut tail);
        (result, tail)
    }

    fn read(&mut self, child: &mut Child, cancel: &Cancel, tail: &mut Tail) -> io::Result<Option<Ended>> {
        let (mut stdout, mut stderr) = (child.stdout.take(), child.stderr.take());
        let mut lines = Lines::default();
        let mut buffer = vec![0; 64 << 10];
        while stdout.is_some() || stderr.is_some() {
            let (talks, complains, cancelled) = {
                let mut fds = vec![PollFd::from_borrowed_fd(cancel.fd(), PollFlags::IN)];
                fds.extend(stdout.iter().map(|pipe| PollFd::from_borrowed_fd(pipe.as_fd(), PollFlags::IN)));
                fds.extend(stderr.iter().map(|pipe| PollFd::from_borrowed_fd(pipe.as_fd(), PollFlags::IN)));
                wait(&mut fds, self.until())?;
                let ready = |at: usize| fds.get(at).is_some_and(|fd| !fd.revents().is_empty());
                let at = usize::from(stdout.is_some());
                (stdout.is_some() && ready(1), stderr.is_some() && ready(1 + at), ready(0))
            };
            if cancelled {
                return Ok(Some(Ended::Cancelled));
            }
            if talks && let Some(pipe) = &mut stdout {
                match pipe.read(&mut buffer)? {
                    0 => stdout = None,
                    count => {
                        self.said += count as u64;
                        let fits = lines.push(&buffer[..count], &mut |line| self.hear(line));
                        if !fits || self.said > WORDS {
                            return Ok(Some(Ended::Talk));
                        }
                    }
                }
            }
            if complains && let Some(pipe) = &mut stderr {
                match pipe.read(&mut buffer)? {
                    0 => stderr = None,
                    count => tail.push(&buffer[..count]),
                }
            }
            let now = Instant::now();
            if now >= self.deadline {
                return Ok(Some(Ended::Time));
            }
            if now >= self.heard + Duration::from_secs(self.limits.silence) {
                return Ok(Some(Ended::Silence));
            }
        }
        Ok(None)
    }

    /// When something is to be done without a word.
    fn until(&self) -> Duration {
        let silent = self.heard + Duration::from_secs(self.limits.silence);
        self.deadline.min(silent).saturating_duration_since(Instant::now())
    }

    fn hear(&mut self, line: &[u8]) {
        // what is no event is no news
        let Ok(event) = serde_json::from_slice::<Event>(line) else { return };
        self.heard = Instant::now();
        (self.each)(&event);
        let outcome = &mut self.outcome;
        match event {
            Event::Isolation(isolation) => outcome.isolation = Some(isolation),
            Event::Facts(facts) => {
                self.deadline = self.began + self.limits.time(facts.duration);
                outcome.facts = Some(*facts);
            }
            Event::Warning(warning) if outcome.warnings.len() < 100 => outcome.warnings.push(warning),
            Event::Asset(asset) if outcome.assets.len() < 1000 => outcome.assets.push(asset),
            Event::Parts { parts } => outcome.parts = parts.into_iter().take(crate::part::MOST).collect(),
            Event::Piece(piece) => outcome.piece = Some(piece),
            Event::Proof { attempts } => outcome.attempts = attempts,
            Event::Warning(_) | Event::Asset(_) | Event::Progress(_) => {}
            last @ (Event::Refused(_) | Event::Failed { .. } | Event::Done) => self.last = Some(last),
        }
    }
}

fn wait(fds: &mut [PollFd<'_>], most: Duration) -> io::Result<()> {
    let seconds = i64::try_from(most.as_secs()).unwrap_or(i64::MAX);
    let most = Timespec { tv_sec: seconds, tv_nsec: most.subsec_nanos().into() };
    match poll(fds, Some(&most)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// What the end of a worker means.
fn end(ended: Option<Ended>, last: Option<Event>, status: ExitStatus) -> End {
    match (ended, last) {
        (Some(Ended::Cancelled), _) => End::Cancelled,
        (Some(Ended::Time | Ended::Silence), _) => costly("time"),
        (Some(Ended::Talk), _) => failed(false, "the worker talks too much"),
        (None, Some(Event::Done)) if status.success() => End::Done,
        (None, Some(Event::Refused(refusal))) if status.success() => End::Refused(refusal),
        (None, Some(Event::Failed { no_space, text })) => End::Failed { again: no_space, text },
        (None, _) => match status.signal() {
            Some(libc::SIGXCPU) => costly("time"),
            Some(libc::SIGXFSZ) => costly("disk space"),
            // the kernel's when memory is short, or a person's
            Some(libc::SIGKILL) => failed(true, "the worker was killed"),
            Some(signal) => failed(false, &format!("the worker crashed with signal {signal}")),
            None => failed(true, &format!("the worker ended without a result: {status}")),
        },
    }
}

fn costly(of: &str) -> End {
    End::Refused(Refusal::TooCostly { of: of.to_owned() })
}

fn failed(again: bool, text: &str) -> End {
    End::Failed { again, text: text.to_owned() }
}
