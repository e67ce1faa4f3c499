//! Accepting: nothing lost, nothing refused, no turning in circles.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::pin::pin;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use opsctl_http::{Activated, Listener, Socket};
use rustix::process::{Resource, getrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::support::{PATIENCE, address, bind, endpoint, eventually, in_time, spawn};

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Asks once, and gets the answer of an [`instance`].
fn ask(address: SocketAddr) -> String {
    let mut stream = connect(address);
    stream.write_all(b"?").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// An instance of a service: answers `!` to each connection's `?`, until told to stop; then finishes those it accepted.
struct Instance {
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

impl Instance {
    fn start(socket: &Socket) -> Self {
        let listener = socket.listener().unwrap();
        let (stop, mut stopped) = oneshot::channel();
        let running = spawn(async move {
            let mut connections = Vec::new();
            loop {
                let accepted = tokio::select! {
                    _ = &mut stopped => break,
                    accepted = listener.accept() => accepted.unwrap(),
                };
                connections.push(spawn(async move {
                    let (mut stream, _) = accepted;
                    assert_eq!(stream.read_u8().await.unwrap(), b'?');
                    stream.write_all(b"!").await.unwrap();
                }));
                connections.retain(|connection| !connection.is_finished());
            }
            drop(listener);
            for connection in connections {
                connection.await.unwrap();
            }
        });
        Self { stop, running }
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        in_time(self.running).await.unwrap();
    }
}

/// Replaces a running instance `reloads` times while clients ask without pause: each of them has to get its answer.
async fn reload_under_load(endpoint: &str, reloads: usize, overlap: bool) {
    let socket = bind(endpoint);
    let address = address(&socket);
    let done = Arc::new(AtomicBool::new(false));
    let answers = Arc::new(AtomicUsize::new(0));
    let clients = [(); 4].map(|()| {
        let (done, answers) = (Arc::clone(&done), Arc::clone(&answers));
        thread::spawn(move || {
            while !done.load(Ordering::Relaxed) {
                assert_eq!(ask(address), "!");
                answers.fetch_add(1, Ordering::Relaxed);
            }
        })
    });
    let mut current = Instance::start(&socket);
    for reload in 0..reloads {
        let before = answers.load(Ordering::Relaxed);
        if overlap {
            let next = Instance::start(&socket);
            std::mem::replace(&mut current, next).stop().await;
        } else {
            current.stop().await;
            current = Instance::start(&socket);
        }
        // every tenth one is at work for a while
        if reload % 10 == 0 {
            eventually(async || (answers.load(Ordering::Relaxed) > before).then_some(())).await;
        }
    }
    done.store(true, Ordering::Relaxed);
    for client in clients {
        eventually(async || client.is_finished().then_some(())).await;
        client.join().unwrap();
    }
    assert!(answers.load(Ordering::Relaxed) > reloads / 10);
    current.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_reloads_side_by_side() {
    reload_under_load("127.0.0.1:0", 1000, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_restarts_one_after_the_other() {
    reload_under_load("0", 1000, false).await;
}

/// Polls `accept` of all listeners as a runtime would, and counts: an idle listener must not be woken without need.
#[tokio::test]
async fn two_listeners_do_not_turn_in_circles() {
    const CONNECTIONS: usize = 100;
    let socket = bind("127.0.0.1:0");
    let polls = Arc::new(AtomicUsize::new(0));
    let accepted = Arc::new(AtomicUsize::new(0));
    let listeners = [(); 2].map(|()| {
        let (listener, polls, accepted) = (socket.listener().unwrap(), Arc::clone(&polls), Arc::clone(&accepted));
        spawn(async move { accept_counting(&listener, &polls, &accepted).await })
    });
    for number in 1..=CONNECTIONS {
        let _client = connect(address(&socket));
        eventually(async || (accepted.load(Ordering::Relaxed) == number).then_some(())).await;
    }
    let polls = polls.load(Ordering::Relaxed);
    // for each connection one poll of each that finds it or not, one that waits again
    assert!(polls <= 4 * CONNECTIONS + 4, "{polls} polls");
    listeners.iter().for_each(JoinHandle::abort);
}

async fn accept_counting(listener: &Listener, polls: &AtomicUsize, accepted: &AtomicUsize) {
    loop {
        let mut accept = pin!(listener.accept());
        std::future::poll_fn(|cx| {
            polls.fetch_add(1, Ordering::Relaxed);
            accept.as_mut().poll(cx)
        })
        .await
        .unwrap();
        accepted.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn what_one_listener_left_another_one_takes() {
    let socket = bind("127.0.0.1:0");
    let first = socket.listener().unwrap();
    let clients: Vec<_> = (0..10).map(|_| connect(address(&socket))).collect();
    in_time(first.accept()).await.unwrap();
    let second = socket.listener().unwrap();
    drop(first);
    for _ in 1..clients.len() {
        in_time(second.accept()).await.unwrap();
    }
}

#[tokio::test]
async fn cancelling_loses_nothing() {
    let socket = bind("127.0.0.1:0");
    let listener = socket.listener().unwrap();
    for _ in 0..100 {
        let client = connect(address(&socket));
        let mut accepted = None;
        while accepted.is_none() {
            tokio::select! {
                biased;
                () = tokio::task::yield_now() => {}
                next = listener.accept() => accepted = Some(next.unwrap()),
            }
        }
        assert_eq!(accepted.unwrap().1.to_string(), client.local_addr().unwrap().to_string());
    }
}

#[tokio::test]
async fn before_the_runtime_knows_it() {
    let socket = bind("127.0.0.1:0");
    let listener = socket.listener().unwrap();
    let mut client = connect(address(&socket));
    let mut accepted = in_time(listener.accept_ready()).await.unwrap();
    let mut buffer = [0; 8];
    assert_eq!(accepted.try_read(&mut buffer).unwrap_err().kind(), ErrorKind::WouldBlock);
    client.write_all(b"abc").unwrap();
    let read = eventually(async || accepted.try_read(&mut buffer).ok()).await;
    assert_eq!(&buffer[..read], b"abc");
    assert_eq!(accepted.try_write(b"def").unwrap(), 3);
    let mut stream = accepted.into_stream().unwrap();
    client.write_all(b"x").unwrap();
    assert_eq!(in_time(stream.read_u8()).await.unwrap(), b'x');
    stream.write_all(b"ghi").await.unwrap();
    drop(stream);
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "defghi");
}

/// Small answers go out at once, and no connection costs a system call for it.
#[tokio::test]
async fn options_are_inherited() {
    let socket = bind("127.0.0.1:0");
    let _client = connect(address(&socket));
    let accepted = in_time(socket.listener().unwrap().accept_ready()).await.unwrap();
    assert!(rustix::net::sockopt::tcp_nodelay(&accepted).unwrap());
}

#[tokio::test]
async fn with_defer_silent_clients_wait_in_the_kernel() {
    let socket = endpoint("127.0.0.1:0").bind_with(&Activated::none(), 30).unwrap();
    let listener = socket.listener().unwrap();
    let mut silent = connect(address(&socket));
    let mut second = connect(address(&socket));
    for client in [&mut second, &mut silent] {
        client.write_all(b"hello").unwrap();
        let mut accepted = in_time(listener.accept_ready()).await.unwrap();
        assert_eq!(accepted.peer().to_string(), client.local_addr().unwrap().to_string());
        assert_eq!(accepted.try_read(&mut [0; 8]).unwrap(), 5, "the bytes are there with the connection");
    }
}

/// Starts itself again with few descriptors to use up.
#[test]
fn without_descriptors_clients_wait() {
    if getrlimit(Resource::Nofile).current.is_some_and(|limit| limit <= 64) {
        return wait_for_descriptors();
    }
    let status = Command::new("sh")
        .args(["-c", "ulimit -n 64 && exec \"$0\" --exact listener::without_descriptors_clients_wait"])
        .arg(std::env::current_exe().unwrap())
        .status();
    assert!(status.unwrap().success());
}

#[tokio::main(flavor = "current_thread")]
async fn wait_for_descriptors() {
    let socket = bind("127.0.0.1:0");
    let listener = socket.listener().unwrap();
    let client = connect(address(&socket));
    let mut files: Vec<_> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    let mut accept = pin!(listener.accept());
    // ready with an error, or with a connection there is no descriptor for, would be wrong
    std::future::poll_fn(|cx| {
        assert!(accept.as_mut().poll(cx).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
    eventually(async || tokio::time::timeout(std::time::Duration::from_millis(1), &mut accept).await.err()).await;
    files.truncate(files.len() - 2);
    let (_, peer) = in_time(accept).await.unwrap();
    assert_eq!(peer.to_string(), client.local_addr().unwrap().to_string());
}
