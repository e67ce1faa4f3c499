//! Sockets passed by the service manager.

use std::io::Read;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use opsctl_http::{Activated, Error, Listener};

use crate::support::{PATIENCE, endpoint, in_time};

/// The sockets under these names, in this order, and their ports in the same order.
fn passed(names: &[&str]) -> (Activated, Vec<u16>) {
    let sockets = names.iter().map(|name| ((*name).to_owned(), TcpListener::bind("127.0.0.1:0").unwrap()));
    let sockets: Vec<_> = sockets.collect();
    let ports = sockets.iter().map(|(_, socket)| socket.local_addr().unwrap().port()).collect();
    (Activated::new(sockets.into_iter().map(|(name, socket)| (name, socket.into()))), ports)
}

fn ports(activated: &Activated, text: &str) -> Result<Vec<u16>, Error> {
    let socket = endpoint(text).bind(activated)?;
    Ok(socket.locals().map(|local| local.socket_addr().unwrap().port()).collect())
}

#[test]
fn names_count_not_the_order() {
    let (activated, given) = passed(&["web", "finger"]);
    assert_eq!(ports(&activated, "systemd:finger").unwrap(), [given[1]]);
    assert_eq!(ports(&activated, "systemd:web").unwrap(), [given[0]]);
    assert_eq!(ports(&activated, "systemd:web").unwrap(), [given[0]], "once more, as after a reload");
    assert_eq!(activated.names().collect::<Vec<_>>(), ["web", "finger"]);
}

#[tokio::test]
async fn all_sockets_of_a_name_are_served() {
    let (activated, given) = passed(&["web", "finger", "web"]);
    let socket = endpoint("systemd:web").bind(&activated).unwrap();
    let listener = socket.listener().unwrap();
    for port in [given[0], given[2], given[2], given[0]] {
        reaches(&listener, port).await;
    }
    // from several tasks at once
    let clients = given.iter().map(|port| TcpStream::connect(("127.0.0.1", *port)).unwrap());
    let _clients: Vec<_> = clients.collect();
    let (first, second) = in_time(async { tokio::join!(listener.accept(), listener.accept()) }).await;
    assert_ne!(first.unwrap().1, second.unwrap().1);
}

async fn reaches(listener: &Listener, port: u16) {
    let client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let (_, peer) = in_time(listener.accept()).await.unwrap();
    assert_eq!(peer.to_string(), client.local_addr().unwrap().to_string());
}

#[test]
fn a_name_that_was_not_passed() {
    let (activated, _) = passed(&["a", "b"]);
    let error = ports(&activated, "systemd:c").unwrap_err();
    assert_eq!(error.to_string(), "no socket was passed for `systemd:c`, only for `a`, `b`");
    let error = ports(&Activated::none(), "systemd:c").unwrap_err();
    assert_eq!(error.to_string(), "no socket was passed for `systemd:c`, nor any other");
}

#[test]
fn something_else_than_a_listening_socket() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let connected = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
    let file = std::fs::File::open("/dev/null").unwrap();
    for fd in [OwnedFd::from(connected), datagrams.into(), file.into()] {
        let error = ports(&Activated::new([("x".to_owned(), fd)]), "systemd:x").unwrap_err();
        assert_eq!(error.to_string(), "what was passed for `systemd:x` is no listening stream socket");
    }
}

#[track_caller]
fn check_env(pid: Option<&str>, fds: Option<&str>, names: Option<&str>, expected: Result<usize, &str>) {
    let found = Activated::from_env(pid, fds, names, 42).map(|activated| activated.names().count());
    match (found, expected) {
        (Ok(found), Ok(expected)) => assert_eq!(found, expected),
        (Err(found), Err(part)) => assert!(found.to_string().contains(part), "{found}"),
        (found, expected) => panic!("{found:?} instead of {expected:?}"),
    }
}

#[test]
fn variables() {
    check_env(None, None, None, Ok(0));
    check_env(None, Some("1"), None, Ok(0));
    check_env(Some("42"), None, None, Ok(0));
    check_env(Some("41"), Some("2"), Some("a:b"), Ok(0));
    check_env(Some("41"), Some("nonsense"), None, Ok(0));
    check_env(Some("x"), Some("1"), None, Err("`LISTEN_PID` is no number: `x`"));
    for fds in ["x", "", "-1", "1025", "99999999999"] {
        check_env(Some("42"), Some(fds), None, Err("`LISTEN_FDS` is no number from 0 to 1024"));
    }
    check_env(Some("42"), Some("2"), Some("a"), Err("1 names for 2 descriptors"));
    check_env(Some("42"), Some("1"), Some("a:b"), Err("2 names for 1 descriptors"));
}

/// Starts this very test again as a process to which two sockets are passed: 3 is `web`, 4 is `finger`.
#[test]
fn as_a_process() {
    #[expect(clippy::disallowed_methods, reason = "this is the process that reads it")]
    let [pid, fds, names] = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"].map(|name| std::env::var(name).ok());
    if pid.is_some() {
        return activated(pid, fds, names);
    }
    let [web, finger] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let addresses = [&web, &finger].map(|socket| socket.local_addr().unwrap());
    let script = "LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=web:finger exec \"$0\" --exact activation::as_a_process \
                  3<&0 4<&2 0</dev/null 2>&1";
    let mut child = Command::new("sh")
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap())
        .stdin(Stdio::from(OwnedFd::from(web)))
        .stderr(Stdio::from(OwnedFd::from(finger)))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    for (address, expected) in addresses.iter().zip(["web", "finger"]) {
        let mut client = TcpStream::connect(address).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, expected);
    }
    let mut output = String::new();
    child.stdout.take().unwrap().read_to_string(&mut output).unwrap();
    assert!(child.wait().unwrap().success(), "{output}");
}

#[tokio::main(flavor = "current_thread")]
async fn activated(pid: Option<String>, fds: Option<String>, names: Option<String>) {
    let own = std::process::id();
    let take = || Activated::from_env(pid.as_deref(), fds.as_deref(), names.as_deref(), own);
    let activated = take().unwrap();
    for fd in [3, 4] {
        let flags = std::fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).unwrap();
        let flags = flags.lines().find_map(|line| line.strip_prefix("flags:")).unwrap().trim().to_owned();
        assert_eq!(u32::from_str_radix(&flags, 8).unwrap() & 0o2_000_000, 0o2_000_000, "closed in children: {flags}");
    }
    for name in ["web", "finger"] {
        let socket = endpoint(&format!("systemd:{name}")).bind(&activated).unwrap();
        let mut accepted = in_time(socket.listener().unwrap().accept_ready()).await.unwrap();
        assert_eq!(accepted.try_write(name.as_bytes()).unwrap(), name.len());
    }
    assert!(take().unwrap_err().to_string().contains("taken over before"));
}
