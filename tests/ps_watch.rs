//! `opsctl ps` on a terminal: widths, colours, and the full screen driven by keys. The terminal is `script`'s; what it shows
//! is worked out here from the bytes that it is sent.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};

use crate::harness::{OPSCTL, PATIENCE, eventually_within, program};

/// A shell on a terminal, and all that it was sent.
struct Terminal {
    script: Child,
    keys: Option<ChildStdin>,
    sent: Arc<Mutex<Vec<u8>>>,
    reader: Option<std::thread::JoinHandle<()>>,
}

impl Terminal {
    /// Runs `line` in a shell, in which `$PS` is `opsctl ps`, on a terminal of that size.
    fn new(columns: u16, rows: u16, line: &str) -> Self {
        let line = format!("stty cols {columns} rows {rows}; PS='{OPSCTL} ps'; {line}");
        let mut command = Command::new(program("script", "bsdutils"));
        command
            .args(["-qec", &line, "/dev/null"])
            .env("SHELL", "/bin/sh")
            .env("LC_ALL", "C.UTF-8")
            .env("TERM", "xterm");
        command.env_remove("NO_COLOR").env_remove("COLUMNS").env_remove("LINES");
        let mut script = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (keys, mut out) = (script.stdin.take(), script.stdout.take().unwrap());
        let sent = Arc::new(Mutex::new(Vec::new()));
        let filled = Arc::clone(&sent);
        let reader = std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(count @ 1..) = out.read(&mut piece) {
                filled.lock().unwrap().extend_from_slice(&piece[..count]);
            }
        });
        Self { script, keys, sent, reader: Some(reader) }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.sent.lock().unwrap()).into_owned()
    }

    fn press(&mut self, keys: &str) {
        let mut terminal = self.keys.as_ref().unwrap();
        terminal.write_all(keys.as_bytes()).unwrap();
        terminal.flush().unwrap();
    }

    /// Waits for a screen that looks like this.
    #[track_caller]
    fn shows(&self, what: &str, looks: impl Fn(&[String]) -> bool) -> Vec<String> {
        let seen = eventually_within(PATIENCE, || Some(screen(&self.text())).filter(|lines| looks(lines)));
        seen.unwrap_or_else(|| panic!("never showed {what}:\n{}", screen(&self.text()).join("\n")))
    }

    #[track_caller]
    fn shows_line(&self, part: &str) -> Vec<String> {
        self.shows(part, |lines| lines.iter().any(|line| line.contains(part)))
    }

    /// Waits for the end: all that was sent, and the exit code.
    #[track_caller]
    fn end(mut self) -> (String, Option<i32>) {
        let ended = eventually_within(PATIENCE, || self.script.try_wait().unwrap());
        let status = ended.unwrap_or_else(|| panic!("never ended:\n{}", screen(&self.text()).join("\n")));
        drop(self.keys.take());
        self.reader.take().unwrap().join().unwrap();
        (self.text(), status.code())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.script.kill();
        let _ = self.script.wait();
    }
}

/// What a terminal shows that was sent these bytes: moves of the cursor, erasing, text. Colours are passed over.
fn screen(sent: &str) -> Vec<String> {
    let mut cells: BTreeMap<(usize, usize), char> = BTreeMap::new();
    let (mut row, mut column) = (0, 0);
    let mut chars = sent.chars();
    while let Some(c) = chars.next() {
        match c {
            '\r' => column = 0,
            '\n' => row += 1,
            '\x1b' => {
                let Some('[') = chars.next() else { continue };
                let mut numbers = String::new();
                let Some(last) = chars.by_ref().find(|c| {
                    let ends = ('\x40'..='\x7e').contains(c);
                    if !ends {
                        numbers.push(*c);
                    }
                    ends
                }) else {
                    break;
                };
                let number =
                    |at: usize, usual: usize| numbers.split(';').nth(at).and_then(|n| n.parse().ok()).unwrap_or(usual);
                match last {
                    'H' => (row, column) = (number(0, 1) - 1, number(1, 1) - 1),
                    'J' => cells.clear(),
                    'h' if numbers == "?1049" => cells.clear(),
                    _ => {}
                }
            }
            c => {
                cells.insert((row, column), c);
                column += 1;
            }
        }
    }
    let height = cells.keys().map(|(row, _)| row + 1).max().unwrap_or(0);
    let line = |row| {
        let of_row = || cells.range((row, 0)..(row + 1, 0));
        let width = of_row().map(|((_, column), _)| column + 1).max().unwrap_or(0);
        let text: String = (0..width).map(|column| cells.get(&(row, column)).copied().unwrap_or(' ')).collect();
        text.trim_end().to_owned()
    };
    (0..height).map(line).collect()
}

/// Without colours.
fn plain(text: &str) -> Vec<String> {
    let mut plain = String::new();
    let mut parts = text.split('\x1b');
    plain.push_str(parts.next().unwrap_or_default());
    parts.for_each(|part| plain.push_str(part.split_once('m').map_or("", |(_, rest)| rest)));
    plain.lines().map(|line| line.trim_end_matches('\r').to_owned()).collect()
}

/// A process with a long command line, to be ended.
struct Long(Child);

impl Long {
    fn new() -> Self {
        // it sleeps for the sum of them
        Self(Command::new("sleep").args(["611"; 80]).stdin(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Long {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_terminal_gets_exact_widths_and_colours_and_a_pipe_neither() {
    let _long = Long::new();
    for width in [200, 80, 40, 20, 1] {
        let (sent, code) = Terminal::new(width, 24, "$PS '611 611'").end();
        assert_eq!(code, Some(0), "{sent}");
        let lines = plain(&sent);
        assert!(lines.iter().all(|line| line.chars().count() <= usize::from(width)), "{lines:#?}");
        assert!(lines[1].chars().count() == usize::from(width) && lines[1].ends_with('…'), "{lines:#?}");
        assert!(sent.contains("\x1b["), "{sent:?}");
    }
    let (narrow, _) = Terminal::new(40, 24, "$PS '611 611'").end();
    assert!(!narrow.contains("START") && narrow.contains("COMMAND"), "{narrow}");
    for line in ["NO_COLOR=1 $PS", "TERM=dumb $PS", "$PS --color never"] {
        assert!(!Terminal::new(80, 24, &format!("{line} '611 611'")).end().0.contains('\x1b'), "{line}");
    }
    let (wide, _) = Terminal::new(40, 24, "$PS -w '611 611'").end();
    assert!(plain(&wide)[1].ends_with("611 611"), "{wide}");
    let (piped, _) = Terminal::new(40, 24, "$PS '611 611' | cat").end();
    assert!(!piped.contains('\x1b') && plain(&piped)[1].ends_with("611 611"), "{piped}");
    let (forced, _) = Terminal::new(40, 24, "$PS --color always '611 611' | cat").end();
    assert!(forced.contains("\x1b[1m") && plain(&forced)[1].ends_with("611 611"), "{forced}");
}

/// Runs `line`, and says whether the terminal's settings are afterwards what they were.
fn around(line: &str) -> String {
    format!("before=$(stty -g); tty; {line}; echo \"code $?\"; test \"$before\" = \"$(stty -g)\" && echo restored")
}

#[track_caller]
fn is_restored(sent: &str, code: &str) {
    let (_, after) = sent.rsplit_once("\x1b[?1049l").unwrap_or_else(|| panic!("another screen was not left: {sent:?}"));
    assert!(after.contains(code) && after.contains("restored"), "{after:?}");
    assert!(sent.rfind("\x1b[?25h") > sent.rfind("\x1b[?25l"), "the cursor is there again");
}

#[test]
fn keys_drive_the_full_screen() {
    let long = Long::new();
    let mut terminal = Terminal::new(100, 20, &around("$PS --watch -i 250ms"));
    let lines = terminal.shows_line("q quit  ? help");
    assert_eq!(lines[2], "by cpu_percent, every 0.25s");
    assert!(
        lines[0].contains(" processes, ") && lines[1].starts_with("cpu ") && lines[3].contains("CPU%"),
        "{lines:#?}"
    );
    assert!(lines[19].starts_with("q quit  ? help"), "{lines:#?}");

    terminal.press("/611 611");
    terminal.shows_line("filter: 611 611_");
    terminal.press("\r");
    let pid = long.0.id().to_string();
    let own = |lines: &[String]| lines.get(4).is_some_and(|line| line.trim_start().starts_with(&format!("{pid} ")));
    let lines = terminal
        .shows("the process that was looked for", |lines| own(lines) && lines.get(5).is_some_and(String::is_empty));
    assert!(lines[4].contains(" sleep 611 611") && lines[4].ends_with('…'), "{lines:#?}");

    terminal.press("\r");
    terminal.shows("all of it", |lines| lines[0] == "program" && lines.iter().any(|line| line.contains("scroll")));
    terminal.press("\x1b[6~");
    // what is above depends on how long its paths and arguments are
    terminal.shows("more of it", |lines| lines[0] != "program" && lines.iter().any(|line| line.starts_with("  user ")));
    // an escape alone, and not the beginning of another key
    terminal.press("\x1b");
    terminal.shows_line("by cpu_percent");
    terminal.press("k");
    terminal.shows_line(&format!("end process {pid} sleep? y: ask it to"));
    terminal.press("n");
    terminal.shows_line("q quit");
    terminal.press("kq?");
    terminal.shows_line("any key");
    terminal.press(" Nrt");
    terminal.shows_line("by pid, reversed");
    terminal.press("k9");
    terminal.shows_line(&format!("signal 9 sent to {pid} sleep"));
    let mut long = long;
    assert!(!long.0.wait().unwrap().success());
    terminal.shows("that it has ended", |lines| !own(lines));
    terminal.press("q");
    let (sent, _) = terminal.end();
    is_restored(&sent, "code 0");
}

#[test]
fn a_terminal_may_change_its_size() {
    let mut terminal = Terminal::new(100, 20, &around("$PS --watch --tree"));
    terminal.shows_line("q quit");
    let tty = terminal.text().lines().find_map(|line| line.trim().strip_prefix("/dev/").map(str::to_owned)).unwrap();
    let resize = |columns: &str, rows: &str| {
        let stty = Command::new("stty").args(["-F", &format!("/dev/{tty}"), "cols", columns, "rows", rows]).status();
        assert!(stty.unwrap().success());
    };
    resize("40", "8");
    let lines = terminal.shows("a smaller list", |lines| lines.len() == 8 && lines[7].ends_with('…'));
    assert!(lines.iter().all(|line| line.chars().count() <= 40) && !lines[1].contains("START"), "{lines:#?}");
    // a key right after a change of size is not lost
    resize("3", "1");
    terminal.press("r");
    terminal.shows("next to nothing", |lines| lines.len() == 1 && lines[0].chars().count() <= 3);
    resize("100", "20");
    terminal.shows_line("by cpu_percent, reversed");
    terminal.press("\x03");
    let (sent, _) = terminal.end();
    is_restored(&sent, "code 0");
}

#[test]
fn a_signal_gives_the_terminal_back() {
    let terminal = Terminal::new(80, 24, &around("sh -c 'echo \"pid:$$:\"; exec $0 ps --watch' \"${PS% ps}\""));
    terminal.shows_line("q quit");
    let pid = terminal.text().split(':').nth(1).unwrap().to_owned();
    assert!(Command::new("kill").args(["-s", "TERM", &pid]).status().unwrap().success());
    let (sent, _) = terminal.end();
    // 128 and the signal's number, as from a program that never heard of it
    is_restored(&sent, "code 143");
}

#[test]
fn a_terminal_that_hangs_up_ends_it() {
    let terminal = Terminal::new(80, 24, "sh -c 'trap \"\" HUP; echo \"pid:$$:\"; exec $0 ps --watch' \"${PS% ps}\"");
    terminal.shows_line("q quit");
    let pid = terminal.text().split(':').nth(1).unwrap().to_owned();
    drop(terminal);
    let gone = eventually_within(PATIENCE, || {
        // a zombie has ended, too, whoever is to fetch it
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        (stat.is_empty() || stat.contains(") Z ")).then_some(())
    });
    assert!(gone.is_some(), "it is still there");
}

#[test]
fn it_stops_and_goes_on() {
    let mut terminal = Terminal::new(80, 24, &around("set -m; $PS --watch; echo stopped; fg"));
    terminal.shows_line("q quit");
    terminal.press("\x1a");
    let text = |part: &str| eventually_within(PATIENCE, || terminal.text().contains(part).then_some(()));
    assert!(text("stopped").is_some(), "{}", terminal.text());
    let again = eventually_within(PATIENCE, || {
        let text = terminal.text();
        let (_, after) = text.split_once("stopped")?;
        after.contains("quit").then_some(())
    });
    assert!(again.is_some(), "{}", terminal.text());
    terminal.press("q");
    let (sent, _) = terminal.end();
    is_restored(&sent, "code 0");
}
