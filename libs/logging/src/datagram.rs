//! A connected datagram socket to a daemon that may be slow, restarted or gone.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::Error;

/// How long one message may wait for a daemon that does not read. After one such wait the next messages do not wait at
/// all until one is taken again, so that a hung daemon costs the program this much once, not with every line.
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Datagram {
    path: PathBuf,
    socket: UnixDatagram,
    patient: bool,
}

impl Datagram {
    pub(crate) fn connect(path: &Path) -> Result<Self, Error> {
        let socket = connected(path).map_err(|source| Error::Socket { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), socket, patient: true })
    }

    /// Sends by `send` (one message, to the socket it is given); to a new socket if the daemon has made one.
    pub(crate) fn send(&mut self, send: impl Fn(&UnixDatagram) -> io::Result<()>) -> io::Result<()> {
        let mut result = send(&self.socket);
        if result.as_ref().is_err_and(is_gone) {
            self.socket = connected(&self.path)?;
            self.patient = true;
            result = send(&self.socket);
        }
        match &result {
            Ok(()) if !self.patient => self.set_patient(true)?,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.set_patient(false)?,
            _ => {}
        }
        result
    }

    fn set_patient(&mut self, patient: bool) -> io::Result<()> {
        self.patient = patient;
        self.socket.set_nonblocking(!patient)
    }
}

fn connected(path: &Path) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.set_write_timeout(Some(PATIENCE))?;
    socket.connect(path)?;
    Ok(socket)
}

fn is_gone(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionRefused, ConnectionReset, NotConnected};
    matches!(error.kind(), BrokenPipe | ConnectionRefused | ConnectionReset | NotConnected)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A daemon at `path`.
    pub(crate) fn listen(path: &Path) -> UnixDatagram {
        let socket = UnixDatagram::bind(path).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        socket
    }

    fn send(datagram: &mut Datagram, text: &str) -> io::Result<()> {
        datagram.send(|socket| socket.send(text.as_bytes()).map(|_| ()))
    }

    #[test]
    fn a_restarted_daemon_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let daemon = listen(&path);
        let mut datagram = Datagram::connect(&path).unwrap();
        send(&mut datagram, "one").unwrap();
        drop(daemon);
        send(&mut datagram, "nobody is there").unwrap_err();
        std::fs::remove_file(&path).unwrap();
        send(&mut datagram, "nothing is there").unwrap_err();
        let daemon = listen(&path);
        send(&mut datagram, "two").unwrap();
        let mut buffer = [0; 100];
        let length = daemon.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..length], b"two");
    }

    #[test]
    fn a_hung_daemon_is_waited_for_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let daemon = listen(&path);
        let mut datagram = Datagram::connect(&path).unwrap();
        while send(&mut datagram, "x").is_ok() {}
        assert!(!datagram.patient);
        // Each of these would wait a second; together they would be noticed.
        for _ in 0..1000 {
            assert_eq!(send(&mut datagram, "x").unwrap_err().kind(), io::ErrorKind::WouldBlock);
        }
        daemon.recv(&mut [0; 10]).unwrap();
        send(&mut datagram, "y").unwrap();
        assert!(datagram.patient);
    }
}
