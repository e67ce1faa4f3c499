//! The IRC bot: joins one server, and tells the status of a user to whoever asks in a private message.
//!
//! It stays on: a connection that ends is made again after a while, sooner once it has worked. What is said to whom is
//! the session's business; here are the socket and the clock.

mod line;
mod session;

use std::io::{Error, ErrorKind};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use opsctl_config::Secret;
use opsctl_host::{Backoff, Context, Troubles};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use self::line::{Lines, line};
use self::session::{Event, Session};
use crate::answer::NO_SUCH_USER;
use crate::audit::{Door, Outcome};
use crate::remote::Remote;
use crate::site::Site;

/// The port of RFC 1459's servers.
const PORT: u16 = 6667;
/// After this long without a word we ask whether the server is still there.
const QUIET: Duration = Duration::from_secs(120);
/// Twisted's `ReconnectingClientFactory` and `ClientService` begin and end there, too.
const WAIT: Duration = Duration::from_secs(1);
const WAIT_MAX: Duration = Duration::from_secs(60);

/// What the bot is told by the configuration.
#[derive(Debug)]
pub(crate) struct Bot {
    pub(crate) server: Remote,
    pub(crate) nick: String,
    pub(crate) password: Option<Secret>,
}

/// Keeps the bot on the server until the service stops.
pub(crate) async fn run(bot: Arc<Bot>, site: Arc<Site>, troubles: Troubles, cx: Context) -> anyhow::Result<()> {
    let mut backoff = Backoff::new(WAIT, WAIT_MAX);
    loop {
        let joined = |nick: &str| {
            info!(server = %bot.server, nick, "irc bot is on the server");
            troubles.clear("irc");
            backoff.reset();
        };
        let Err(error) = visit(&bot, &site, joined, cx.stopping()).await else { return Ok(()) };
        let wait = backoff.wait();
        warn!(server = %bot.server, %error, ?wait, "irc bot is not on the server, trying again");
        troubles.set("irc", format!("the irc bot is not on `{}`: {error}", bot.server));
        tokio::select! {
            () = sleep(wait) => {}
            () = cx.stopping() => return Ok(()),
        }
    }
}

/// One connection; `Ok` is that we stopped.
async fn visit(
    bot: &Bot,
    site: &Site,
    joined: impl FnMut(&str),
    stopping: impl Future<Output = ()>,
) -> Result<(), Error> {
    let mut stopping = pin!(stopping);
    let stream = tokio::select! {
        stream = timeout(site.timeout, TcpStream::connect(bot.server.with_port(PORT))) => stream??,
        () = &mut stopping => return Ok(()),
    };
    stay(bot, site, stream, joined, stopping).await
}

/// Talks to the server until one of us stops.
async fn stay(
    bot: &Bot,
    site: &Site,
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    mut joined: impl FnMut(&str),
    stopping: impl Future<Output = ()>,
) -> Result<(), Error> {
    let (mut session, mut out) = Session::new(&bot.nick, bot.password.as_ref().map(Secret::expose));
    let (mut lines, mut received, mut asked) = (Lines::default(), vec![0; 4096], false);
    let mut stopping = pin!(stopping);
    loop {
        timeout(site.timeout, stream.write_all(&out)).await??;
        out.clear();
        let read = tokio::select! {
            read = timeout(QUIET, stream.read(&mut received)) => read,
            () = &mut stopping => {
                return timeout(site.timeout, stream.write_all(&line("QUIT", "service stopped"))).await?;
            }
        };
        let len = match read {
            Ok(len) => len?,
            Err(_) if asked => return Err(ErrorKind::TimedOut.into()),
            Err(_) => {
                asked = true;
                out.extend(line("PING", "finger"));
                continue;
            }
        };
        if len == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        asked = false;
        for line in lines.push(&received[..len]) {
            match session.receive(&line, Instant::now(), |user| status(site, user), &mut out) {
                Ok(Event::None) => {}
                Ok(Event::Registered(nick)) => joined(&nick),
                Ok(Event::Asked { by, user, is_answered }) => audit(site, &by, &user, is_answered),
                Err(ended) => return Err(Error::other(ended)),
            }
        }
    }
}

fn status(site: &Site, user: &str) -> String {
    site.directory.users().get(user).unwrap_or(NO_SUCH_USER).to_owned()
}

fn audit(site: &Site, by: &str, user: &str, is_answered: bool) {
    let outcome = match site.directory.users().get(user) {
        _ if !is_answered => Outcome::Refused,
        Some(_) => Outcome::Answered,
        None => Outcome::Unknown,
    };
    site.audit.record(Door::Irc, by, user, outcome);
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt, DuplexStream};
    use tokio::io::{BufReader, duplex};

    use super::*;
    use crate::site::tests::site;

    fn bot() -> Bot {
        Bot { server: "irc.example.org".parse().unwrap(), nick: "fingerbot".to_owned(), password: None }
    }

    /// Plays the server: `>` lines are sent, others are expected. At the end it hangs up.
    async fn play(server: DuplexStream, script: &str) {
        let mut server = BufReader::new(server);
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            match line.strip_prefix("> ") {
                Some(sent) => server.write_all(format!("{sent}\r\n").as_bytes()).await.unwrap(),
                None => {
                    let mut seen = String::new();
                    server.read_line(&mut seen).await.unwrap();
                    assert_eq!(seen, format!("{line}\r\n"));
                }
            }
        }
    }

    #[tokio::test]
    async fn a_visit() {
        let (client, server) = duplex(4096);
        let script = "NICK :fingerbot
            USER fingerbot 0 * :finger service
            > :irc 433 * fingerbot :Nickname is already in use
            NICK :fingerbot_
            > :irc 001 fingerbot_ :Welcome
            > :a!b@c PRIVMSG fingerbot_ :moshez
            PRIVMSG a :Status of moshez: happy and well
            > :a!b@c PRIVMSG fingerbot_ :nobody
            PRIVMSG a :Status of nobody: No such user
            > PING :cookie
            PONG :cookie
            NICK :fingerbot";
        let mut nicks = Vec::new();
        let site = site("moshez: happy and well\n");
        let joined = |nick: &str| nicks.push(nick.to_owned());
        let (bot, stopping) = (bot(), std::future::pending());
        let (ended, ()) = tokio::join!(stay(&bot, &site, client, joined, stopping), play(server, script));
        assert_eq!(ended.unwrap_err().kind(), ErrorKind::UnexpectedEof);
        assert_eq!(nicks, ["fingerbot_"]);
    }

    #[tokio::test]
    async fn a_stop_is_said() {
        let (client, server) = duplex(4096);
        let script = "NICK :fingerbot
            USER fingerbot 0 * :finger service
            QUIT :service stopped";
        let (bot, site) = (bot(), site(""));
        let (ended, ()) = tokio::join!(stay(&bot, &site, client, |_| (), std::future::ready(())), play(server, script));
        ended.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_is_silent_is_left() {
        let (client, server) = duplex(4096);
        let (bot, site) = (bot(), site(""));
        let ended = stay(&bot, &site, client, |_| (), std::future::pending()).await;
        assert_eq!(ended.unwrap_err().kind(), ErrorKind::TimedOut);
        let mut seen = String::new();
        BufReader::new(server).read_to_string(&mut seen).await.unwrap();
        assert!(seen.ends_with("PING :finger\r\n"), "{seen}");
    }
}
