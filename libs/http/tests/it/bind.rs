//! From an endpoint to a socket, and what can go wrong on the way.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Barrier;
use std::thread;

use opsctl_http::{Error, Peer};

use crate::support::{address, bind, in_time, try_bind};

#[track_caller]
fn refused(text: &str, expected: &str) -> Error {
    let error = try_bind(text).unwrap_err();
    assert_eq!(error.to_string(), expected);
    error
}

#[tokio::test]
async fn tcp() {
    for (host_part, host) in [("127.0.0.1:", "127.0.0.1"), ("[::1]:", "::1"), ("", "127.0.0.1"), ("", "::1")] {
        let socket = bind(&format!("{host_part}0"));
        let local = socket.local();
        let port = local.socket_addr().unwrap().port();
        assert_ne!(port, 0);
        assert_eq!(local.to_string(), format!("{host_part}{port}"));
        let client = TcpStream::connect((host, port)).unwrap();
        let (_, peer) = in_time(socket.listener().unwrap().accept()).await.unwrap();
        assert_eq!(peer, Peer::Tcp(client.local_addr().unwrap()), "also of IPv4 clients on IPv6 sockets");
    }
}

#[test]
fn ipv6_leaves_ipv4_to_others() {
    let socket = bind("[::]:0");
    let port = socket.local().socket_addr().unwrap().port();
    bind(&format!("0.0.0.0:{port}"));
}

#[test]
fn in_use() {
    let socket = bind("127.0.0.1:0");
    let text = address(&socket).to_string();
    assert!(matches!(refused(&text, &format!("`{text}` is already in use")), Error::InUse { .. }));
    drop(socket);
    bind(&text);
}

#[test]
fn an_address_of_somebody_else() {
    refused("192.0.2.1:80", "failed to listen on `192.0.2.1:80`");
}

#[test]
fn unix_mode() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    for mode in [0o600, 0o660, 0o777, 0] {
        let socket = bind(&format!("unix:{}?mode={mode:o}", path.display()));
        let found = fs::metadata(&path).unwrap();
        assert!(found.file_type().is_socket());
        assert_eq!(found.permissions().mode() & 0o777, mode);
        assert_eq!(socket.local().to_string(), format!("unix:{}?mode={mode:o}", path.display()));
    }
}

#[tokio::test]
async fn unix_peer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let socket = bind(&format!("unix:{}", path.display()));
    let _client = UnixStream::connect(&path).unwrap();
    let (_, peer) = in_time(socket.listener().unwrap().accept()).await.unwrap();
    assert_eq!(peer.to_string(), format!("unix:pid={}", std::process::id()));
}

#[test]
fn a_stale_unix_socket_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let _socket = bind(&format!("unix:{}", path.display()));
    UnixStream::connect(&path).unwrap();
}

#[test]
fn a_live_unix_socket_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let text = format!("unix:{}", path.display());
    let _live = UnixListener::bind(&path).unwrap();
    assert!(matches!(refused(&text, &format!("`{text}` is already in use")), Error::InUse { .. }));
    UnixStream::connect(&path).unwrap();
}

#[test]
fn a_file_that_is_no_socket_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "precious").unwrap();
    let text = format!("unix:{}", path.display());
    refused(&text, &format!("failed to listen on `{text}`: there is a file of that name, and it is no socket"));
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
}

#[test]
fn paths_that_cannot_be() {
    refused("unix:/nonexistent/socket", "failed to listen on `unix:/nonexistent/socket`");
    let long = format!("unix:/tmp/{}", "x".repeat(108));
    refused(&long, &format!("failed to listen on `{long}`"));
}

#[tokio::test]
async fn the_file_goes_with_the_last_listener() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let socket = bind(&format!("unix:{}", path.display()));
    let listener = socket.listener().unwrap();
    drop(socket);
    let _client = UnixStream::connect(&path).unwrap();
    drop(listener);
    assert!(!path.exists());
}

#[test]
fn the_file_of_a_successor_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let socket = bind(&format!("unix:{}", path.display()));
    fs::remove_file(&path).unwrap();
    let _successor = UnixListener::bind(&path).unwrap();
    drop(socket);
    UnixStream::connect(&path).unwrap();
}

/// As after a fork: the parent ends, and the child goes on listening.
#[test]
fn the_file_stays_while_another_process_listens() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let socket = bind(&format!("unix:{}", path.display()));
    let fd = duplicate(&path);
    drop(socket);
    assert!(path.exists());
    drop(fd);
}

/// A duplicate of the descriptor that listens on `path`, from outside.
fn duplicate(path: &Path) -> std::os::fd::OwnedFd {
    let listens = |fd: &fs::DirEntry| {
        let number = fd.file_name().to_string_lossy().into_owned();
        let mut stat = fs::read_link(fd.path()).ok()?.to_str()?.strip_prefix("socket:[")?.to_owned();
        stat.pop();
        let table = fs::read_to_string("/proc/self/net/unix").ok()?;
        let found = table.lines().any(|line| {
            let mut fields = line.split_whitespace().skip(6);
            fields.next() == Some(stat.as_str()) && fields.next() == path.to_str()
        });
        found.then(|| number.parse().ok()).flatten()
    };
    let number: i32 = fs::read_dir("/proc/self/fd").unwrap().flatten().find_map(|fd| listens(&fd)).unwrap();
    let pidfd = rustix::process::pidfd_open(rustix::process::getpid(), rustix::process::PidfdFlags::empty()).unwrap();
    rustix::process::pidfd_getfd(pidfd, number, rustix::process::PidfdGetfdFlags::empty()).unwrap()
}

/// Each of them finds the same stale file; the second must not remove the first one's new socket.
#[test]
fn of_two_that_bind_at_once_one_wins() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..50 {
        let path = folder.path().join(format!("socket{round}"));
        drop(UnixListener::bind(&path).unwrap());
        let text = format!("unix:{}", path.display());
        let barrier = Barrier::new(2);
        let start = || {
            barrier.wait();
            try_bind(&text)
        };
        let results =
            thread::scope(|scope| [scope.spawn(start), scope.spawn(start)].map(|thread| thread.join().unwrap()));
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
        UnixStream::connect(&path).unwrap();
    }
}
