//! Tries what a worker must not be able to do, and says what happened: an upload that has taken the worker over would do
//! the same.

use std::fs::{self, File};
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;

use serde::{Deserialize, Serialize};

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// What was tried.
    pub what: String,
    /// Whether it worked, which it should not.
    pub worked: bool,
    /// What the kernel said.
    pub said: String,
}

/// Tries everything, in the folder that may be written. `other` is a file that exists and may not be read, `port` one of
/// loopback on which somebody listens: without isolation all of it works, given the rights.
pub(crate) fn attempts(other: &Path, port: u16) -> Vec<Attempt> {
    let attempt = |what: &str, result: std::io::Result<()>| Attempt {
        what: what.to_owned(),
        worked: result.is_ok(),
        said: result.err().map_or_else(|| "nothing".to_owned(), |error| error.to_string()),
    };
    vec![
        attempt("read a file of somebody else", fs::read(other).map(drop)),
        attempt("list the root folder", fs::read_dir("/").map(drop)),
        attempt("write into the system's temporary folder", temporary()),
        attempt("write beside its own folder", File::create("../beside").map(drop)),
        attempt("connect over TCP", TcpStream::connect(("127.0.0.1", port)).map(drop)),
        attempt("make a socket", UnixDatagram::unbound().map(drop)),
        attempt("start a program", Command::new("/bin/true").status().map(drop)),
        attempt("start itself", Command::new("/proc/self/exe").arg("--version").status().map(drop)),
        attempt("read another process' memory", File::open("/proc/1/mem").map(drop)),
    ]
}

fn temporary() -> std::io::Result<()> {
    let path = std::env::temp_dir().join(format!("opsctl-proof-{}", std::process::id()));
    File::create(&path)?;
    fs::remove_file(path)
}
