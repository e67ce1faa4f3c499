//! What is written to: a terminal, with its width and colours, or a pipe, which gets plain lines.

use std::io::{BufWriter, IsTerminal, StdoutLock};
use std::time::SystemTime;

use clap::ColorChoice;
use opsctl_host::Shell;

use crate::args::FormOptions;
use crate::list::Drawing;
use crate::sheet::Room;
use crate::units::Clock;
use crate::value::Form;
use crate::zone;

/// The width of a terminal that does not know its own.
const WIDTH: u16 = 80;

/// Standard output, and how it is written to.
#[derive(Clone, Debug)]
pub(crate) struct Screen {
    pub(crate) room: Room,
    pub(crate) color: bool,
    pub(crate) form: Form,
    pub(crate) terminal: bool,
    pub(crate) json: bool,
}

impl Screen {
    pub(crate) fn new(options: &FormOptions, shell: &Shell) -> Self {
        let terminal = std::io::stdout().is_terminal();
        let color = match options.color {
            ColorChoice::Auto => terminal && !shell.no_color && !shell.dumb,
            ColorChoice::Always => true,
            ColorChoice::Never => false,
        };
        let width = terminal.then(|| usize::from(columns().or(shell.columns).unwrap_or(WIDTH)));
        let clock = Clock { zone: zone::find(shell.time_zone.as_deref()), now: SystemTime::now() };
        Self {
            room: Room { width, utf8: shell.utf8 },
            color,
            form: Form { clock, exact: options.exact, long: false },
            terminal,
            json: options.json,
        }
    }

    /// With what lists are drawn on it.
    pub(crate) fn drawing(&self) -> Drawing {
        let uid = rustix::process::geteuid().as_raw();
        let Room { width, utf8 } = self.room;
        let most = width.map_or(usize::MAX, |width| width.saturating_mul(16));
        Drawing { form: self.form.clone(), utf8, narrow: self.room.is_narrow(), most, uid }
    }
}

/// What the terminal says that it has.
fn columns() -> Option<u16> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    (size.ws_col > 0).then_some(size.ws_col)
}

/// Standard output, in few writes. Whoever fills it flushes it: an error at the end is one, too.
pub(crate) fn output() -> BufWriter<StdoutLock<'static>> {
    BufWriter::with_capacity(64 << 10, std::io::stdout().lock())
}
