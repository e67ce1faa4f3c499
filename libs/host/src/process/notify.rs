//! sd_notify(3): telling the service manager how we are, and the watchdog that we are at all.
//!
//! The protocol is one datagram per message to the socket in `NOTIFY_SOCKET`; see sd_notify(3) and
//! sd_watchdog_enabled(3). The socket is connected at once, so that it still works after a chroot and a drop of
//! privileges. Without a socket every call does nothing. A message never fails the service and never holds it up for
//! longer than [`PATIENCE`]: a manager that does not listen is the manager's trouble.

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// How long a message waits for room in the manager's queue before it is given up.
pub const PATIENCE: Duration = Duration::from_millis(100);

/// The way to the service manager, if there is one.
#[derive(Debug)]
pub struct Notifier {
    manager: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

impl Notifier {
    /// Takes the values of `NOTIFY_SOCKET` (a path, or `@` and an abstract name), `WATCHDOG_USEC` and `WATCHDOG_PID`.
    ///
    /// To be made by the process that serves (after detaching), since the watchdog is meant for one pid. A socket that
    /// cannot be reached and a value that is no number count as absent.
    #[must_use]
    pub fn new(socket: Option<&OsStr>, watchdog_usec: Option<&str>, watchdog_pid: Option<&str>) -> Self {
        let manager = socket.and_then(address).and_then(|address| Some((connect(&address).ok()?, address)));
        let own = watchdog_pid.is_none_or(|pid| pid.parse() == Ok(std::process::id()));
        let watchdog = watchdog_usec
            .and_then(|text| text.parse().ok())
            .filter(|&usec| usec > 0 && own && manager.is_some())
            .map(Duration::from_micros);
        Self { manager, watchdog }
    }

    /// Every listener accepts: the start, or the reload, is done.
    pub fn ready(&self) {
        self.send("READY=1\n");
    }

    /// A reload begins, and ends with [`Notifier::ready`].
    ///
    /// Carries the monotonic time, without which `Type=notify-reload` takes an older `READY=1` for this one's end.
    pub fn reloading(&self) {
        let now = clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(Duration::ZERO, Duration::from);
        self.send(&format!("RELOADING=1\nMONOTONIC_USEC={}\n", now.as_micros()));
    }

    /// The stop begins.
    pub fn stopping(&self) {
        self.send("STOPPING=1\n");
    }

    /// One line for people, as `systemctl status` shows it. Control characters become spaces.
    pub fn status(&self, text: &str) {
        // A line break would begin another assignment.
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        self.send(&format!("STATUS={text}\n"));
    }

    /// We are alive: to be sent every [`Notifier::watchdog_interval`], by something that notices if we are not.
    pub fn watchdog(&self) {
        self.send("WATCHDOG=1\n");
    }

    /// How often the manager wants to hear [`Notifier::watchdog`]: half of its limit, as sd_watchdog_enabled(3) advises.
    #[must_use]
    pub fn watchdog_interval(&self) -> Option<Duration> {
        self.watchdog.map(|limit| limit / 2)
    }

    fn send(&self, message: &str) {
        let Some((socket, address)) = &self.manager else { return };
        match socket.send(message.as_bytes()) {
            // The manager has made its socket anew.
            Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotConnected) => {
                let _ = socket.connect_addr(address).and_then(|()| socket.send(message.as_bytes()));
            }
            _ => {}
        }
    }
}

fn address(name: &OsStr) -> Option<SocketAddr> {
    match name.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name).ok(),
        [b'/', ..] => SocketAddr::from_pathname(name).ok(),
        _ => None,
    }
}

fn connect(address: &SocketAddr) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.set_write_timeout(Some(PATIENCE))?;
    socket.connect_addr(address)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn receive(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 4096];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    fn listen(address: &SocketAddr) -> UnixDatagram {
        let socket = UnixDatagram::bind_addr(address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        socket
    }

    /// What a call sends to a manager that listens at `name`.
    fn check(name: &OsStr, call: impl Fn(&Notifier), expected: &str) {
        let manager = listen(&address(name).unwrap());
        call(&Notifier::new(Some(name), None, None));
        assert_eq!(receive(&manager), expected);
        if name.as_bytes()[0] == b'/' {
            std::fs::remove_file(Path::new(name)).unwrap();
        }
    }

    #[test]
    fn messages_arrive_at_both_kinds_of_socket() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify").into_os_string();
        let abstract_name = format!("@opsctl-test-{}", std::process::id());
        for name in [path.as_os_str(), OsStr::new(&abstract_name)] {
            check(name, Notifier::ready, "READY=1\n");
            check(name, Notifier::stopping, "STOPPING=1\n");
            check(name, Notifier::watchdog, "WATCHDOG=1\n");
            check(name, |notifier| notifier.status("two\nREADY=1"), "STATUS=two READY=1\n");
        }
    }

    #[test]
    fn reloading_carries_the_monotonic_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        let usec = || Duration::from(clock_gettime(ClockId::CLOCK_MONOTONIC).unwrap()).as_micros();
        let before = usec();
        Notifier::new(Some(path.as_os_str()), None, None).reloading();
        let text = receive(&manager);
        let sent = text.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap().trim_end().parse().unwrap();
        assert!((before..=usec()).contains(&sent), "{text}");
    }

    #[test]
    fn a_manager_that_is_gone_or_deaf_does_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        Notifier::new(Some(path.as_os_str()), None, None).ready();
        Notifier::new(Some(OsStr::new("relative")), None, None).ready();
        Notifier::new(None, None, None).ready();

        let manager = UnixDatagram::bind(&path).unwrap();
        let notifier = Notifier::new(Some(path.as_os_str()), None, None);
        // More than any queue holds (max_dgram_qlen) would block for ever; here one more than it holds.
        let mut sent = 0;
        let (socket, _) = notifier.manager.as_ref().unwrap();
        socket.set_nonblocking(true).unwrap();
        while socket.send(b"x").is_ok() {
            sent += 1;
        }
        assert!(sent > 0);
        socket.set_nonblocking(false).unwrap();
        notifier.ready();

        drop(manager);
        notifier.ready();
        std::fs::remove_file(&path).unwrap();
        let manager = listen(&SocketAddr::from_pathname(&path).unwrap());
        notifier.ready();
        assert_eq!(receive(&manager), "READY=1\n", "a new manager is found");
    }

    #[test]
    fn the_watchdog_is_for_one_pid() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let _manager = UnixDatagram::bind(&path).unwrap();
        let own = std::process::id().to_string();
        for (usec, pid, expected) in [
            (Some("3000000"), Some(own.as_str()), Some(Duration::from_millis(1500))),
            (Some("3000000"), None, Some(Duration::from_millis(1500))),
            (Some("3000000"), Some("1"), None),
            (Some("3000000"), Some("x"), None),
            (Some("0"), None, None),
            (Some("soon"), None, None),
            (None, Some(own.as_str()), None),
        ] {
            let notifier = Notifier::new(Some(path.as_os_str()), usec, pid);
            assert_eq!(notifier.watchdog_interval(), expected, "{usec:?} {pid:?}");
        }
        assert_eq!(Notifier::new(None, Some("3000000"), None).watchdog_interval(), None);
    }
}
