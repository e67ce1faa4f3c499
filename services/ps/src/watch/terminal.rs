//! The terminal while it is ours: taken, given back, waited for.
//!
//! crossterm sets the terminal and draws; waiting and reading are done here (see `input`).

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ratatui::{DefaultTerminal, Frame};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Signal, getpid, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGWINCH};

use super::input::{Input, Key};

/// The longest wait without a look at what else has happened.
const SLICE: Duration = Duration::from_secs(1);
/// How long the rest of a key may take: a terminal sends it in one go, a slow line does not.
const REST: Duration = Duration::from_millis(50);

/// Why the view is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// By a key, or because nobody can see it any more.
    Told,
    /// By a signal.
    Signal(i32),
}

/// What ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Woken {
    /// Time, or a new size of the terminal.
    Time,
    Key(Key),
    Signal(i32),
    /// The terminal has hung up.
    Gone,
}

/// Signals that end a program, noted instead of obeyed at once.
#[derive(Debug)]
pub(crate) struct Signals(Vec<(i32, Arc<AtomicBool>)>);

impl Signals {
    pub(crate) fn new() -> io::Result<Self> {
        let note = |signal| {
            let noted = Arc::new(AtomicBool::new(false));
            signal_hook::flag::register(signal, Arc::clone(&noted))?;
            Ok((signal, noted))
        };
        // a new size only has to end a wait: drawing asks for it
        note(SIGWINCH)?;
        Ok(Self([SIGHUP, SIGINT, SIGQUIT, SIGTERM].into_iter().map(note).collect::<io::Result<_>>()?))
    }

    fn noted(&self) -> Option<i32> {
        self.0.iter().find(|(_, noted)| noted.load(Ordering::Relaxed)).map(|(signal, _)| *signal)
    }
}

/// The terminal, taken.
#[derive(Debug)]
pub(crate) struct Terminal {
    inner: Option<DefaultTerminal>,
    /// Where keys come from, if standard input is something else.
    tty: Option<std::fs::File>,
    input: Input,
}

impl Terminal {
    /// Takes the terminal: no echo, another screen. A panic gives it back before it says what happened.
    pub(crate) fn open() -> io::Result<Self> {
        let tty = if io::stdin().is_terminal() { None } else { Some(std::fs::File::open("/dev/tty")?) };
        Ok(Self { inner: Some(ratatui::try_init()?), tty, input: Input::default() })
    }

    /// Gives it back.
    pub(crate) fn close(&mut self) -> io::Result<()> {
        match self.inner.take() {
            Some(mut inner) => {
                // the cursor was hidden while drawing
                inner.show_cursor()?;
                ratatui::try_restore()
            }
            None => Ok(()),
        }
    }

    pub(crate) fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        match &mut self.inner {
            Some(inner) => inner.draw(draw).map(drop),
            None => Ok(()),
        }
    }

    /// Forgets what is on the screen: the next drawing draws all of it.
    pub(crate) fn clear(&mut self) -> io::Result<()> {
        self.inner.as_mut().map_or(Ok(()), |inner| inner.clear())
    }

    /// Stops, as Ctrl-Z stops any program, and goes on when the shell says so.
    pub(crate) fn suspend(&mut self) -> io::Result<()> {
        self.close()?;
        kill_process(getpid(), Signal::TSTP)?;
        self.inner = Some(ratatui::try_init()?);
        Ok(())
    }

    /// Waits for a key, a new size, a signal or the end of `limit`.
    pub(crate) fn wait(&mut self, limit: Duration, signals: &Signals) -> io::Result<Woken> {
        if let Some(key) = self.input.next(false) {
            return Ok(Woken::Key(key));
        }
        // a signal that comes before the wait begins is seen when it ends: a second is not felt
        let limit = limit.min(if self.input.is_pending() { REST } else { SLICE });
        let timeout = Timespec::try_from(limit).unwrap_or(Timespec { tv_sec: 0, tv_nsec: 0 });
        let ready = self.poll(&timeout);
        if let Some(signal) = signals.noted() {
            return Ok(Woken::Signal(signal));
        }
        match ready {
            Ok((0, _)) => Ok(self.input.next(true).map_or(Woken::Time, Woken::Key)),
            Err(Errno::INTR) => Ok(Woken::Time),
            Ok((_, flags)) if flags.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) => Ok(Woken::Gone),
            Ok(_) => self.read(),
            Err(error) => Err(error.into()),
        }
    }

    fn poll(&self, timeout: &Timespec) -> Result<(usize, PollFlags), Errno> {
        let stdin = io::stdin();
        let mut fds = [match &self.tty {
            Some(tty) => PollFd::new(tty, PollFlags::IN),
            None => PollFd::new(&stdin, PollFlags::IN),
        }];
        let ready = poll(&mut fds, Some(timeout))?;
        let [fd] = &fds;
        Ok((ready, fd.revents()))
    }

    fn read(&mut self) -> io::Result<Woken> {
        let mut bytes = [0; 256];
        let read = match &self.tty {
            Some(tty) => rustix::io::read(tty, &mut bytes),
            None => rustix::io::read(io::stdin(), &mut bytes),
        };
        match read {
            Ok(0) => return Ok(Woken::Gone),
            Ok(read) => self.input.feed(bytes.get(..read).unwrap_or_default()),
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(self.input.next(false).map_or(Woken::Time, Woken::Key))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // whatever went wrong is said by the error that brought us here
        let _ = self.close();
    }
}
