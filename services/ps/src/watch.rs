//! `opsctl ps --watch`: the list on a full screen, again and again, with the machine's figures above it and the keys below.
//!
//! One thread and no runtime: it waits for the terminal until the next look is due. The terminal is given back as it was
//! found however this ends: a key, an error, a panic, a signal, Ctrl-Z and back. A terminal that is gone ends it.

mod draw;
mod input;
mod keys;
mod machine;
mod state;
mod terminal;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use self::keys::Action;
use self::machine::Machine;
use self::state::State;
use self::terminal::{Ended, Signals, Terminal, Woken};
use crate::args::Query;
use crate::look::{Look, Needs, SHORTEST};
use crate::run::needs;
use crate::screen::Screen;
use anyhow::Context;
use psi::{Scanner, System};

/// When the first look is taken that can tell what happens now.
const FIRST: Duration = Duration::from_millis(500);

/// Runs until it is told to stop.
///
/// # Errors
/// Where the proc file system cannot be read, or the terminal not be drawn on.
pub(crate) fn run(system: System, query: Query, screen: &Screen, interval: Duration) -> anyhow::Result<ExitCode> {
    // whatever is wrong with the filter is said before the screen is taken
    let first = Look::new(&system, needs(&query))?;
    query.filter.on(&first, query.own)?;
    let mut eye = Eye::new(system, needs(&query), first)?;
    let mut state = State::new(query, interval);
    let signals = Signals::new()?;
    let mut terminal = Terminal::open().context("failed to take the terminal")?;
    let ended = watch(&mut eye, &mut state, screen, &mut terminal, &signals);
    terminal.close()?;
    match ended? {
        Ended::Told => Ok(ExitCode::SUCCESS),
        // as if it had never been caught: whoever waits for us sees why we ended
        Ended::Signal(signal) => {
            signal_hook::low_level::emulate_default_handler(signal)?;
            Ok(ExitCode::FAILURE)
        }
    }
}

fn watch(
    eye: &mut Eye,
    state: &mut State,
    screen: &Screen,
    terminal: &mut Terminal,
    signals: &Signals,
) -> anyhow::Result<Ended> {
    // the first screen is there at once, with shares since each process began; the second soon after
    let mut due = Instant::now() + state.interval.min(FIRST);
    loop {
        if Instant::now() >= due && !state.paused {
            eye.look_again(state)?;
            due = Instant::now() + state.interval;
        }
        terminal.draw(|frame| draw::draw(frame, eye, state, screen))?;
        let wait = if state.paused { state.interval } else { due.saturating_duration_since(Instant::now()) };
        match terminal.wait(wait, signals)? {
            Woken::Signal(signal) => return Ok(Ended::Signal(signal)),
            Woken::Gone => return Ok(Ended::Told),
            Woken::Time => {}
            Woken::Key(key) => match keys::press(state, eye, key) {
                Action::Nothing => {}
                Action::Quit => return Ok(Ended::Told),
                Action::Look => due = Instant::now(),
                Action::Redraw => terminal.clear()?,
                Action::Suspend => terminal.suspend()?,
            },
        }
    }
}

/// What looks, and what it has seen last.
#[derive(Debug)]
pub(crate) struct Eye {
    pub(crate) system: System,
    pub(crate) look: Look,
    /// The look before, from which shares of a processor are counted.
    pub(crate) earlier: Look,
    pub(crate) machine: Machine,
    needs: Needs,
    scanner: Scanner,
}

impl Eye {
    fn new(system: System, needs: Needs, look: Look) -> Result<Self, psi::Error> {
        let scanner = system.scanner(needs.fields)?;
        let machine = Machine::new(&system)?;
        Ok(Self { system, earlier: look.clone(), look, machine, needs, scanner })
    }

    /// Looks, and counts from the look before. After a pause, or a change of what is read, that is a longer while.
    fn look_again(&mut self, state: &mut State) -> Result<(), psi::Error> {
        let wanted = needs(&state.query);
        if !self.needs.has(wanted) {
            self.needs = self.needs.and(wanted);
            self.scanner = self.system.scanner(self.needs.fields)?;
        }
        let look = Look::with(&self.system, self.needs, self.scanner.scan()?)?;
        // a key may ask for a look right after the last one: then that is passed over
        if look.uptime.saturating_sub(self.look.uptime) >= SHORTEST {
            self.earlier = self.look.clone();
        }
        self.look = look.since(&self.earlier);
        self.machine = self.machine.again(&self.system)?;
        state.seen(self);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ratatui::backend::TestBackend;
    use ratatui::style::Modifier;

    use crate::args::tests::query;
    use crate::screen::Screen;
    use crate::sheet::Room;
    use crate::testing::{Fake, look};
    use crate::value::tests::form;

    use super::input::Key;
    use super::state::Mode;
    use super::*;

    const SELF: &str = "this test";

    struct View {
        eye: Eye,
        state: State,
        screen: Screen,
    }

    impl View {
        /// The machine is real, the processes are made up; one of them has our number and not our start.
        fn new(line: &str) -> Self {
            let fake = |pid, parent, args, cpu| Fake { pid, parent, args, cpu, ..Fake::default() };
            let look = look(&[
                fake(1, 0, "/sbin/init", 100),
                fake(2, 1, "日本語 of two columns", 300),
                fake(3, 2, "third", 200),
                Fake { kernel: true, name: "kworker", ..fake(4, 0, "", 0) },
                Fake { name: SELF, ..fake(std::process::id(), 3, "own number", 0) },
            ]);
            let (system, needs) = (System::new(), look.needs);
            let eye = Eye::new(system, needs, look).unwrap();
            let room = Room { width: None, utf8: true };
            let screen = Screen { room, color: false, form: form(), terminal: true, json: false };
            Self { eye, state: State::new(query(line), Duration::from_secs(2)), screen }
        }

        /// The lines of the screen, the marked one with a `>`.
        fn shown(&mut self, width: u16, height: u16) -> Vec<String> {
            let mut terminal = ratatui::Terminal::new(TestBackend::new(width, height)).unwrap();
            terminal.draw(|frame| draw::draw(frame, &self.eye, &mut self.state, &self.screen)).unwrap();
            let buffer = terminal.backend().buffer();
            let line = |y| {
                let cells = (0..width).map(|x| &buffer[(x, y)]);
                // nothing is written into the second half of a wide character
                let text: String = cells.clone().map(|cell| cell.symbol()).collect();
                let marked = cells.clone().next_back().is_some_and(|cell| cell.modifier.contains(Modifier::REVERSED));
                format!("{}{}", if marked { ">" } else { "" }, text.trim_end())
            };
            (0..height).map(line).collect()
        }

        fn press(&mut self, keys: &[Key]) -> Action {
            keys.iter().map(|key| keys::press(&mut self.state, &self.eye, *key)).last().unwrap()
        }

        fn types(&mut self, text: &str) -> Action {
            self.press(&text.chars().map(Key::Char).collect::<Vec<_>>())
        }
    }

    #[test]
    fn the_screen_is_figures_list_and_keys() {
        let mut view = View::new("ps --watch -o pid,time,command");
        let lines = view.shown(60, 12);
        assert!(lines[0].starts_with("4 processes, 0 running   load "), "{lines:#?}");
        assert!(lines[1].starts_with("cpu ") && lines[1].contains("mem "), "{lines:#?}");
        assert_eq!(lines[2], "by cpu_percent, every 2s");
        assert_eq!(lines[3].split_whitespace().collect::<Vec<_>>(), ["PID", "TIME", "COMMAND"]);
        assert!(lines[4].starts_with('>') && lines[4].contains("0:03.00 日 本 語  of two columns"), "{lines:#?}");
        assert!(lines[5].contains("third") && lines[6].contains("/sbin/init") && lines[7].contains("own number"));
        assert!(lines[11].starts_with("q quit  ? help  / filter"), "{lines:#?}");
    }

    #[test]
    fn the_mark_stays_on_its_process() {
        let mut view = View::new("ps --watch");
        let marked = |view: &mut View| {
            let line = view.shown(80, 14).into_iter().find(|line| line.starts_with('>')).unwrap();
            line.rsplit(' ').next().unwrap().to_owned()
        };
        assert_eq!(marked(&mut view), "columns");
        view.press(&[Key::Down]);
        assert_eq!(marked(&mut view), "third");
        view.types("N");
        assert_eq!(marked(&mut view), "third");
        view.press(&[Key::End, Key::Down]);
        assert_eq!(marked(&mut view), "number");
        view.press(&[Key::Home, Key::Up]);
        assert_eq!(marked(&mut view), "/sbin/init");
        view.types("t");
        assert_eq!(marked(&mut view), "/sbin/init");
        view.press(&[Key::PageDown]);
        assert_eq!(marked(&mut view), "number");
        // gone with its line: the neighbour has the mark
        view.eye.look.table.processes.pop();
        assert_eq!(marked(&mut view), "third");
    }

    #[test]
    fn keys_change_what_is_shown() {
        let mut view = View::new("ps --watch");
        let status = |view: &mut View| view.shown(80, 14)[2].clone();
        view.types("r");
        assert_eq!(status(&mut view), "by cpu_percent, reversed, every 2s");
        view.types("M");
        view.types("<");
        assert_eq!(status(&mut view), "by cpu_percent, every 2s");
        view.types("<<<<<");
        assert_eq!(status(&mut view), "by pid, every 2s");
        view.types("--");
        assert_eq!(status(&mut view), "by pid, every 0.5s");
        view.types("+K ");
        assert_eq!(status(&mut view), "by pid, every 1s, kernel's too, paused");
        assert!(view.shown(80, 14).iter().any(|line| line.contains("[kworker]")));
        assert_eq!(view.types(" "), Action::Look);
        view.types("/THIRDx");
        view.press(&[Key::Backspace]);
        assert!(view.shown(80, 14)[13].starts_with("filter: THIRD_"));
        assert_eq!(view.press(&[Key::Enter]), Action::Look);
        assert_eq!(status(&mut view), "by pid, every 1s, with THIRD, kernel's too");
        assert!(view.shown(80, 14)[4].is_empty(), "capitals count, so nothing fits");
        assert_eq!(view.press(&[Key::Escape]), Action::Look);
        assert!(view.types("?") == Action::Nothing && matches!(view.state.mode, Mode::Help));
        assert!(view.types("q") == Action::Nothing && matches!(view.state.mode, Mode::List));
        assert_eq!(view.types("q"), Action::Quit);
        for key in ['c', 'z', 'l'] {
            assert_ne!(view.press(&[Key::Ctrl(key)]), Action::Nothing);
        }
    }

    #[test]
    fn a_signal_is_asked_for_and_goes_to_nobody_else() {
        let mut view = View::new("ps --watch");
        view.press(&[Key::End]);
        view.types("k");
        let own = std::process::id();
        assert!(view.shown(90, 14)[13].starts_with(&format!("end process {own} {SELF}? y: ask it to (SIGTERM)")));
        view.types("n");
        assert!(matches!(view.state.mode, Mode::List) && view.state.message.is_none());
        // our own number, but of a process that began at another time: it is gone, and we are still here
        view.types("ky");
        assert_eq!(view.state.message, Some(format!("no process `{own}`")));
    }

    #[test]
    fn one_process_is_told_of_and_ends() {
        let mut view = View::new("ps --watch");
        view.press(&[Key::End, Key::Enter]);
        let lines = view.shown(30, 14);
        assert_eq!((lines[0].as_str(), lines[1].starts_with("  command")), ("program", true), "{lines:#?}");
        view.press(&[Key::End]);
        assert_ne!(view.shown(30, 14)[0], "program");
        // what has this number now began at another time than the one that was chosen
        view.state.seen(&view.eye);
        assert_eq!(view.state.message, Some(format!("process {} has ended", std::process::id())));
        view.press(&[Key::Escape]);
        assert!(matches!(view.state.mode, Mode::List));
    }

    #[test]
    fn no_screen_is_too_small() {
        let mut view = View::new("ps --watch --tree");
        for keys in [
            &[][..],
            &[Key::Char('/'), Key::Char('日')],
            &[Key::Enter],
            &[Key::Escape],
            &[Key::Char('k')],
            &[Key::Other],
            &[Key::Char('?')],
            &[Key::Escape, Key::End, Key::Enter],
        ] {
            for key in keys {
                view.press(&[*key]);
            }
            for (width, height) in [0, 1, 2, 3, 5, 9, 14, 21, 40, 200]
                .into_iter()
                .flat_map(|width| (0..13).map(move |height| (width, height)))
            {
                let lines = view.shown(width, height);
                assert_eq!(lines.len(), usize::from(height));
            }
        }
        assert!(view.shown(20, 1)[0].starts_with("program"), "the one that was chosen last");
        view.press(&[Key::Escape]);
        let line = view.shown(40, 1)[0].clone();
        assert!(line.starts_with('>'), "the chosen process is what is left of the list: {line}");
    }
}
