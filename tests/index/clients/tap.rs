//! A door before an index that notes what comes through it: which requests a client makes, and which it does not.
//!
//! It understands requests without a body, which is what installers send.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use crate::harness::Running;

/// Runs until the test's process ends.
pub(crate) struct Tap {
    address: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Tap {
    pub(crate) fn before(running: &Running) -> Tap {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, to) = (listener.local_addr().unwrap().to_string(), running.address("index index"));
        let heads = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&heads);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(&to) else { return };
                let (back, front) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                let noted = Arc::clone(&noted);
                std::thread::spawn(move || copy(&client, &server, |bytes| note(bytes, &noted)));
                std::thread::spawn(move || copy(&back, &front, |_| {}));
            }
        });
        Tap { address, heads }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The requests since the last time, each as `METHOD path` and its lines, in lower case.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.heads.lock().unwrap())
    }
}

/// Until one of them ends; both are told.
fn copy(mut from: &TcpStream, mut to: &TcpStream, mut look: impl FnMut(&mut Vec<u8>)) {
    let (mut buffer, mut seen) = (vec![0; 64 * 1024], Vec::new());
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        seen.extend_from_slice(&buffer[..length]);
        look(&mut seen);
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    // one that is closed already is no trouble
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

fn note(bytes: &mut Vec<u8>, heads: &Mutex<Vec<String>>) {
    while let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
        let head: Vec<u8> = bytes.drain(..end + 4).collect();
        let head = String::from_utf8_lossy(&head).replace(" HTTP/1.1\r\n", "\n").replace("\r\n", "\n");
        let (line, rest) = head.split_once('\n').unwrap_or((&head, ""));
        heads.lock().unwrap().push(format!("{line}\n{}", rest.to_lowercase()));
    }
}

/// Whether one of the requests is for a path that contains `part`, by `method`.
pub(crate) fn asks(requests: &[String], method: &str, part: &str) -> bool {
    requests.iter().any(|head| {
        let line = head.lines().next().unwrap_or_default();
        line.strip_prefix(method).is_some_and(|path| path.contains(part))
    })
}

/// Whether a whole wheel was asked for.
pub(crate) fn asks_for_a_wheel(requests: &[String]) -> bool {
    requests.iter().any(|head| {
        let line = head.lines().next().unwrap_or_default();
        line.starts_with("GET ") && line.ends_with(".whl") && !head.contains("\nrange: bytes=")
    })
}
