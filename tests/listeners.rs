//! Every form of an endpoint, on the real binary.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::harness::{Ran, Running, Setup, ask, eventually, program};

fn start(listen: &str) -> Running {
    setup(listen).start()
}

fn setup(listen: &str) -> Setup {
    Setup::run(&format!("[lab]\nenabled = true\nlisten = '{listen}'\n"))
}

fn hello(address: &str) -> String {
    ask(address, "hello\n").unwrap()
}

#[test]
fn addresses() {
    for (listen, host) in [("127.0.0.1:0", "127.0.0.1"), ("[::1]:0", "[::1]")] {
        let running = start(listen);
        let address = running.address("lab lab");
        assert!(address.starts_with(&format!("{host}:")), "{address}");
        assert_eq!(hello(&address), "hello\n");
        running.stop();
    }
    // a bare port is every address, of both families
    let running = start("0");
    let port = running.address("lab lab");
    let port = port.rsplit(':').next().unwrap();
    for host in ["127.0.0.1", "[::1]"] {
        assert_eq!(hello(&format!("{host}:{port}")), "hello\n", "{host}");
    }
    running.stop();
}

fn hello_unix(path: &Path) -> String {
    let mut stream = UnixStream::connect(path).unwrap();
    stream.write_all(b"hello\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn unix_sockets_have_their_mode_and_leave_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lab.sock");
    let listen = format!("unix:{}?mode=620", path.display());
    let running = start(&listen);
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o620);
    assert_eq!(hello_unix(&path), "hello\n");
    let said = setup(&listen).ran().fails(1);
    assert!(said.contains("in use") && said.contains("lab.sock"), "{said}");
    assert_eq!(hello_unix(&path), "hello\n", "the first one still serves");
    running.stop();
    assert!(!path.exists());

    // what a killed program left behind is replaced, a file that is no socket is not
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(std::fs::metadata(&path).unwrap().file_type().is_socket());
    let running = start(&listen);
    assert_eq!(hello_unix(&path), "hello\n");
    running.stop();
    std::fs::write(&path, "precious").unwrap();
    assert!(setup(&listen).ran().fails(1).contains("no socket"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
}

#[test]
fn what_is_wrong_with_an_endpoint_is_shown_at_its_place() {
    for (listen, expected) in [
        ("localhost:80", "expected"),
        ("127.0.0.1:99999", "port"),
        ("unix:", "unix"),
        ("tls:127.0.0.1:0?cert=x", "key"),
        ("unix:/x?mod=660", "mod"),
    ] {
        let said = setup(listen).ran().fails(78);
        assert!(
            said.contains(expected) && said.contains("opsctl.toml:3:10") && said.contains('^'),
            "{listen}:\n{said}"
        );
    }
}

/// A certificate for `name` in `dir`, renamed into place as certbot does.
fn certify(dir: &Path, name: &str) {
    let (cert, key) = (dir.join("new.cert"), dir.join("new.key"));
    let mut openssl = Command::new(program("openssl", "openssl"));
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]);
    openssl.args(["-subj", &format!("/CN={name}"), "-keyout"]).arg(&key).arg("-out").arg(&cert);
    assert_eq!(Ran::of(&mut openssl).code, Some(0));
    std::fs::rename(key, dir.join("key.pem")).unwrap();
    std::fs::rename(cert, dir.join("cert.pem")).unwrap();
}

/// The name in the certificate that a new connection is shown.
fn shown(address: &str) -> String {
    let mut client = Command::new(program("openssl", "openssl"));
    client.args(["s_client", "-connect", address]).stdin(Stdio::null());
    let said = Ran::of(&mut client).stdout;
    let subject = said.lines().find_map(|line| line.strip_prefix("subject=")).unwrap_or_default();
    subject.trim_start_matches("CN").trim_start_matches([' ', '=']).to_owned()
}

#[test]
fn certificates_are_renewed_without_dropping_connections() {
    let dir = tempfile::tempdir().unwrap();
    certify(dir.path(), "first");
    let pair = format!("cert={0}/cert.pem&key={0}/key.pem", dir.path().display());
    let running = start(&format!("tls:127.0.0.1:0?{pair}"));
    let address = running.address("lab lab");
    let address = address.strip_prefix("tls:").unwrap().split('?').next().unwrap().to_owned();
    assert_eq!(shown(&address), "first");

    let mut open = Command::new(program("openssl", "openssl"));
    open.args(["s_client", "-quiet", "-connect", &address]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut open = open.stderr(Stdio::null()).spawn().unwrap();
    certify(dir.path(), "second");
    eventually("the new certificate", || (shown(&address) == "second").then_some(()));
    open.stdin.as_mut().unwrap().write_all(b"hello\n").unwrap();
    let mut line = String::new();
    BufReader::new(open.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "hello\n", "the old connection goes on");
    open.kill().unwrap();
    open.wait().unwrap();

    std::fs::write(dir.path().join("cert.pem"), "no certificate").unwrap();
    eventually("the fault is logged", || {
        assert_eq!(shown(&address), "second", "the last good one stays");
        running.log().contains("cert.pem").then_some(())
    });
    running.stop();
}
