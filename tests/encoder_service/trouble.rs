//! No room, no database, no folder: it is said, nothing is half there, and afterwards everything goes on.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use opsctl_testkit::Postgres;

use super::Service;
use crate::encoder::clip;
use crate::harness::{Setup, eventually, is_root, program};

const SMALL: &str = "[encoder]\nenabled = true\nlisten = '127.0.0.1:0'\nprofile = 'small'\n\
                     profiles.small.output.h264 = { kind = 'mp4', short_side = 144 }\n";

/// The command of `setup`, run by a shell after `before`, which finds the folder of the data in `$DATA`.
fn after(setup: Setup, before: &str) -> Setup {
    let Setup { dir, command, .. } = setup;
    let mut shell = Command::new(program("unshare", "util-linux"));
    if !is_root() {
        shell.args(["--map-root-user", "--map-auto"]);
    }
    shell.args(["--mount", "--propagation", "private", "sh", "-euc"]).arg(format!("{before}\nexec \"$@\"")).arg("sh");
    shell.arg(command.get_program()).args(command.get_args()).env("DATA", dir.path().join("data"));
    Setup::of(dir, shell, SMALL)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn a_full_disk_takes_what_fits() {
    let mount = format!(
        "mkdir -p \"$DATA\"; mount -t tmpfs -o size=2500k,mode=777 t \"$DATA\"; echo '{}' | \"$1\" user add acme \
         --role publisher@encoder/acme --password-file - --data-dir \"$DATA\" --set host.allow_root=true",
        super::PASSWORD
    );
    let running = after(Setup::run(SMALL), &mount).start();
    // from here the folder is another one
    let data = PathBuf::from(format!("/proc/{}/root{}", running.pid(), running.path("data").display()));
    let service = Service { running };
    let answer = service.put("large", &clip("VID_20191220_170832.mp4"), &[]).is(507);
    assert!(answer.text().contains("no room left"), "{answer:?}");
    service.acme("/api/v1/media/large", &[]).is(404);
    service.put("small", &clip("carphone_pristine.mp4"), &[]).is(201);
    service.done("small");
    let kept = files(&data.join("encoder/blobs"));
    let kept: Vec<_> = kept.iter().filter(|path| path.file_name().is_some_and(|name| name != "lock")).collect();
    assert_eq!(kept.len(), 2, "upload and result alone: {kept:?}");
    service.running.stop();
}

#[test]
fn a_bound_on_the_size_of_files_ends_nobody() {
    let setup = Setup::run(SMALL);
    let running = after(setup, "ulimit -f 2000").start(); // of 512 bytes each
    let service = Service::of(running);
    service.put("large", &clip("VID_20191220_170832.mp4"), &[]).is(507);
    service.put("small", &clip("carphone_pristine.mp4"), &[]).is(201);
    service.done("small");
    service.running.stop();
}

#[test]
fn a_folder_that_is_gone_is_made_again_or_said() {
    let service = Service::of(Setup::run(SMALL).start());
    service.put("first", &clip("carphone_pristine.mp4"), &[]).is(201);
    service.done("first");
    std::fs::remove_dir_all(service.running.path("data/encoder/blobs")).unwrap();
    service.curl("/media/acme/h264/first.mp4", &[]).is(404);
    let answer = service.put("second", &clip("carphone_pristine.mp4"), &[]);
    assert!([201, 500, 503].contains(&answer.status), "{answer:?}");
    let said = service.opsctl(&["encoder", "fsck"]).fails_with_output(1);
    assert!(said.contains("is missing"), "{said}");
    service.running.stop();
}

/// Leads to a unix socket, unless it is cut.
struct Line {
    address: String,
    cut: Arc<AtomicBool>,
}

impl Line {
    fn to(socket: PathBuf) -> Line {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, cut) = (listener.local_addr().unwrap().to_string(), Arc::new(AtomicBool::new(false)));
        let is_cut = Arc::clone(&cut);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if is_cut.load(Ordering::SeqCst) {
                    continue;
                }
                let server = UnixStream::connect(&socket).unwrap();
                let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let shut = move |client: &TcpStream, server: &UnixStream| {
                    let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
                };
                let (one, other) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut to);
                    shut(&one, &other);
                });
                let (is_cut, mut client, mut server) = (Arc::clone(&is_cut), client, server);
                thread::spawn(move || {
                    let mut piece = [0; 4096];
                    while let Ok(read @ 1..) = server.read(&mut piece) {
                        if is_cut.load(Ordering::SeqCst) || client.write_all(&piece[..read]).is_err() {
                            break;
                        }
                    }
                    shut(&client, &server);
                });
            }
        });
        Line { address, cut }
    }
}

#[test]
fn a_database_that_is_away_is_waited_for() {
    let postgres = Postgres::start();
    let url = postgres.url();
    let (start, socket) = url.split_once("?host=").unwrap();
    let line = Line::to(Path::new(socket).join(".s.PGSQL.5432"));
    let url = start.replace("@localhost/", &format!("@{}/", line.address));
    let config = format!("[host]\ndatabase = '{url}'\n{SMALL}");
    let service = Service::of(Setup::run(&config).start());
    service.put("first", &clip("carphone_pristine.mp4"), &[]).is(201);
    service.done("first");
    service.curl("/media/acme/h264/first.mp4", &[]).is(200);
    line.cut.store(true, Ordering::SeqCst);
    postgres.cut_connections();
    let answer = service.put("second", &clip("carphone_pristine.mp4"), &[]).is(503);
    assert!(answer.header("retry-after").is_some(), "{answer:?}");
    // what is shown is shown, without asking
    service.curl("/media/acme/h264/first.mp4", &[]).is(200);
    line.cut.store(false, Ordering::SeqCst);
    eventually("it goes on", || {
        (service.put("second", &clip("carphone_pristine.mp4"), &[]).status == 201).then_some(())
    });
    service.done("second");
    service.running.stop();
}
