//! The bot's side of one connection to an IRC server: lines in, lines out, no socket and no clock.
//!
//! It takes a nick, answers `PING`, and answers a private message with the status of the user that it names. It joins
//! no channel and answers neither channels, notices, servers, CTCP nor itself: a bot that answers these ends in an
//! endless talk with the next bot. Answers are rationed for the same reason.

use std::time::{Duration, Instant};

use super::line::{Line, line};

/// The nick length that every server grants: RFC 1459 section 1.2.
const NICK_SURE: usize = 9;
/// Other nicks that are tried in turn.
const NICKS_MAX: usize = 5;
/// RFC 1459 section 8.10: a message each two seconds, ten seconds ahead.
const ANSWER_COST: Duration = Duration::from_secs(2);
const ANSWERS_AHEAD: Duration = Duration::from_secs(10);

/// Why a session is over. All but the last two may be better the next time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Ended {
    #[error("the server closed the connection: {0}")]
    Error(String),
    #[error("no nick is free: `{0}` and others like it are in use")]
    NickInUse(String),
    #[error("the server takes no nick `{0}`")]
    BadNick(String),
    #[error("the server refuses us: {0}")]
    Refused(String),
}

/// What came of one line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Nothing to be told, but there may be something to send.
    None,
    /// The server took us in under this nick.
    Registered(String),
    /// Somebody asked for this user; there is no answer when the rations are used up.
    Asked { by: String, user: String, is_answered: bool },
}

/// One connection's state.
#[derive(Debug)]
pub(crate) struct Session {
    wanted: String,
    /// The nick that we have, or have asked for.
    nick: String,
    tries: usize,
    /// Characters that a nick may have, as far as we know.
    room: usize,
    registered: bool,
    /// RFC 1459's message timer: answers are paid for up to then.
    paid: Option<Instant>,
}

impl Session {
    /// A session, and what is to be sent first.
    pub(crate) fn new(nick: &str, password: Option<&str>) -> (Session, Vec<u8>) {
        let (wanted, nick) = (nick.to_owned(), nick.to_owned());
        let mut out = password.map(|password| line("PASS", password)).unwrap_or_default();
        out.extend(line("NICK", &nick));
        out.extend(line("USER fingerbot 0 *", "finger service"));
        (Session { wanted, nick, tries: 0, room: usize::MAX, registered: false, paid: None }, out)
    }

    /// Deals with one line at the time `now`; appends to `out` what is to be sent.
    pub(crate) fn receive(
        &mut self,
        received: &[u8],
        now: Instant,
        status: impl FnOnce(&str) -> String,
        out: &mut Vec<u8>,
    ) -> Result<Event, Ended> {
        let Some(received) = Line::parse(received) else { return Ok(Event::None) };
        match &*received.command {
            "PING" => {
                out.extend(line("PONG", received.params.last().map(String::as_str).unwrap_or_default()));
                if self.registered && self.nick != self.wanted {
                    out.extend(line("NICK", &self.wanted)); // perhaps it is free by now
                }
            }
            "001" => {
                self.registered = true;
                if !received.param(0).is_empty() {
                    self.nick = received.param(0).to_owned();
                }
                return Ok(Event::Registered(self.nick.clone()));
            }
            "432" | "433" | "436" | "437" if !self.registered => {
                self.nick = self.next_nick(received.command == "432")?;
                out.extend(line("NICK", &self.nick));
            }
            "NICK" if self.is_us(&received) => self.nick = received.param(0).to_owned(),
            "464" | "465" => return Err(Ended::Refused(received.params.last().cloned().unwrap_or_default())),
            "ERROR" => return Err(Ended::Error(received.param(0).to_owned())),
            "PRIVMSG" if self.registered => return Ok(self.message(&received, now, status, out)),
            _ => {}
        }
        Ok(Event::None)
    }

    /// `wanted_`, `wanted__`, …; `refused` says that the last one was not taken but malformed, perhaps by its length.
    fn next_nick(&mut self, refused: bool) -> Result<String, Ended> {
        if refused && self.nick.chars().count() <= NICK_SURE {
            return Err(Ended::BadNick(self.nick.clone()));
        }
        if refused {
            self.room = NICK_SURE;
        }
        self.tries += 1;
        if self.tries > NICKS_MAX {
            return Err(Ended::NickInUse(self.wanted.clone()));
        }
        Ok(self.wanted.chars().take(self.room - self.tries).collect::<String>() + &"_".repeat(self.tries))
    }

    fn is_us(&self, line: &Line) -> bool {
        line.from.as_ref().is_some_and(|from| from.eq_ignore_ascii_case(&self.nick))
    }

    fn message(
        &mut self,
        received: &Line,
        now: Instant,
        status: impl FnOnce(&str) -> String,
        out: &mut Vec<u8>,
    ) -> Event {
        let private = received.param(0).eq_ignore_ascii_case(&self.nick);
        let user = received.param(1).trim();
        let from = received.from.as_deref().filter(|nick| received.is_person && is_nick(nick) && !self.is_us(received));
        let Some(by) = from.filter(|_| private && !user.is_empty() && !user.starts_with('\x01')) else {
            return Event::None;
        };
        let (by, user) = (by.to_owned(), user.to_owned());
        let paid = self.paid.map_or(now, |paid| paid.max(now));
        if paid > now + ANSWERS_AHEAD {
            return Event::Asked { by, user, is_answered: false };
        }
        self.paid = Some(paid + ANSWER_COST);
        out.extend(line(&format!("PRIVMSG {by}"), &format!("Status of {user}: {}", status(&user))));
        Event::Asked { by, user, is_answered: true }
    }
}

/// One person: neither a channel nor a list of targets.
fn is_nick(text: &str) -> bool {
    let special = |c: char| "[]\\`_^{|}-".contains(c);
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || special(c))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Plays `lines` to a bot that wants to be `fingerbot`; `said` is what it sends, a line each, or why it ended.
    fn check(lines: &[&str], said: &[&str]) {
        let (mut session, _) = Session::new("fingerbot", None);
        let (now, mut out) = (Instant::now(), Vec::new());
        for line in lines {
            let status = |user: &str| if user == "moshez" { "happy\r\nQUIT".into() } else { "No such user".to_owned() };
            if let Err(ended) = session.receive(line.as_bytes(), now, status, &mut out) {
                out.extend_from_slice(ended.to_string().as_bytes());
            }
        }
        let seen = String::from_utf8(out).unwrap();
        assert_eq!(seen.lines().collect::<Vec<_>>(), said);
    }

    const WELCOME: &str = ":irc 001 fingerbot :Welcome";

    #[test]
    fn it_introduces_itself() {
        let (_, out) = Session::new("fingerbot", Some("s3cret"));
        assert_eq!(out, b"PASS :s3cret\r\nNICK :fingerbot\r\nUSER fingerbot 0 * :finger service\r\n");
    }

    #[test]
    fn private_messages_are_answered() {
        let moshez = "PRIVMSG a :Status of moshez: happy  QUIT";
        check(&[WELCOME, ":a!b@c PRIVMSG fingerbot :moshez"], &[moshez]);
        check(&[WELCOME, ":a!b@c PRIVMSG FingerBot :  moshez "], &[moshez]);
        check(&[WELCOME, ":a!b@c PRIVMSG fingerbot x"], &["PRIVMSG a :Status of x: No such user"]);
        check(&[WELCOME, ":a!b@c PRIVMSG fingerbot :x\x02\x03y"], &["PRIVMSG a :Status of x  y: No such user"]);
    }

    #[test]
    fn nothing_else_is() {
        check(&[":a!b@c PRIVMSG fingerbot :moshez"], &[]);
        for line in [
            ":a!b@c PRIVMSG #talk :moshez",
            ":a!b@c NOTICE fingerbot :moshez",
            ":irc PRIVMSG fingerbot :moshez",
            ":fingerbot!b@c PRIVMSG fingerbot :moshez",
            ":a!b@c PRIVMSG fingerbot :\x01VERSION\x01",
            ":a!b@c PRIVMSG fingerbot :",
            ":#talk!b@c PRIVMSG fingerbot :moshez",
            ":a,b!b@c PRIVMSG fingerbot :moshez",
            "PRIVMSG fingerbot :moshez",
            ":a!b@c KICK #talk fingerbot",
        ] {
            check(&[WELCOME, line], &[]);
        }
    }

    #[test]
    fn answers_are_rationed() {
        let ask = ":a!b@c PRIVMSG fingerbot :x";
        let lines: Vec<&str> = std::iter::once(WELCOME).chain(std::iter::repeat_n(ask, 50)).collect();
        check(&lines, &["PRIVMSG a :Status of x: No such user"; 6]);
    }

    #[test]
    fn nicks() {
        let clash = ":irc 433 * fingerbot :Nickname already in use";
        let long = ":irc 432 * fingerbot_ :Nickname too long";
        check(&[clash], &["NICK :fingerbot_"]);
        check(&[clash, clash], &["NICK :fingerbot_", "NICK :fingerbot__"]);
        check(&[clash, long], &["NICK :fingerbot_", "NICK :fingerb__"]);
        check(&[clash, long, clash], &["NICK :fingerbot_", "NICK :fingerb__", "NICK :finger___"]);
        check(&[long], &["the server takes no nick `fingerbot`"]);
        check(&[WELCOME, clash], &[]);
        let ended = "no nick is free: `fingerbot` and others like it are in use";
        let tried = ["NICK :fingerbot_", "NICK :fingerbot__", "NICK :fingerbot___"];
        let tried = [&tried[..], &["NICK :fingerbot____", "NICK :fingerbot_____", ended]].concat();
        check(&[clash; NICKS_MAX + 1], &tried);
    }

    #[test]
    fn the_nick_that_the_server_knows_counts() {
        let ask = ":a!b@c PRIVMSG fingerbot_ :x";
        let answer = "PRIVMSG a :Status of x: No such user";
        check(&[":irc 001 fingerbot_ :Welcome", ask, "PING :t"], &[answer, "PONG :t", "NICK :fingerbot"]);
        check(&[WELCOME, ":fingerbot!b@c NICK :fingerbot_", ask], &[answer]);
    }

    #[test]
    fn the_servers_own_words() {
        check(&["PING :cookie"], &["PONG :cookie"]);
        check(&["PING a b"], &["PONG :b"]);
        check(&["ERROR :Closing link"], &["the server closed the connection: Closing link"]);
        check(&[":irc 464 * :Password incorrect"], &["the server refuses us: Password incorrect"]);
    }

    proptest! {
        #[test]
        fn any_line_is_dealt_with(line in any::<Vec<u8>>(), text in "[ -~\r\n\0é]{0,20}") {
            let (mut session, mut out) = Session::new("fingerbot", None);
            out.clear();
            let now = Instant::now();
            for line in [&line[..], WELCOME.as_bytes(), &line, format!(":a!b@c PRIVMSG fingerbot :{text}").as_bytes()] {
                let _ = session.receive(line, now, |_| text.clone(), &mut out);
            }
            let out = String::from_utf8(out).unwrap();
            let lines: Vec<&str> = out.split_terminator("\r\n").collect();
            prop_assert!(lines.iter().all(|line| !line.contains(['\r', '\n', '\0'])));
        }
    }
}
