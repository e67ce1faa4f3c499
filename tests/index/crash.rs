//! A server that is killed a hundred times while it takes uploads: what a client was told is there is there, whole, and
//! nothing else is.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::JSON;
use super::access::{bob, token};
use crate::harness::{PATIENCE, Ran, eventually, http_get, opsctl, program, read};

const KILLS: usize = 100;
/// Uploads that succeed before each kill, of two clients that do not wait for each other.
const BETWEEN: usize = 3;

/// Makes wheels `crash-0` to `crash-N` in a folder, and prints their digests.
const MAKE: &str = r#"
import base64, hashlib, sys, zipfile
for n in range(int(sys.argv[2])):
    info = f"crash-{n}.dist-info"
    files = {"crash.py": f"n = {n}\n" * 500, f"{info}/METADATA": f"Metadata-Version: 2.1\nName: crash\nVersion: {n}\n",
             f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}
    digest = lambda text: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
    record = "".join(f"{path},sha256={digest(text)},{len(text)}\n" for path, text in files.items())
    files[f"{info}/RECORD"] = record + f"{info}/RECORD,,\n"
    path = f"{sys.argv[1]}/crash-{n}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for file, text in files.items(): archive.writestr(zipfile.ZipInfo(file, (2026, 1, 1, 0, 0, 0)), text)
    print(hashlib.sha256(open(path, "rb").read()).hexdigest())
"#;

struct Wheel {
    version: usize,
    digest: String,
    bytes: Vec<u8>,
}

impl Wheel {
    fn filename(&self) -> String {
        format!("crash-{}-py3-none-any.whl", self.version)
    }

    /// Whether the server said that it is there.
    fn upload(&self, address: &str, token: &str) -> std::io::Result<bool> {
        let mut body = Vec::new();
        let version = self.version.to_string();
        let fields = [
            (":action", "file_upload"),
            ("name", "crash"),
            ("version", &version),
            ("filetype", "bdist_wheel"),
            ("sha256_digest", &self.digest),
        ];
        for (name, value) in fields {
            write!(body, "--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")?;
        }
        let content = format!("form-data; name=\"content\"; filename=\"{}\"", self.filename());
        write!(body, "--x\r\nContent-Disposition: {content}\r\n\r\n")?;
        body.extend_from_slice(&self.bytes);
        write!(body, "\r\n--x--\r\n")?;
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "POST /legacy/ HTTP/1.0\r\nHost: a\r\nAuthorization: Bearer {token}\r\n")?;
        write!(stream, "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {}\r\n\r\n", body.len())?;
        stream.write_all(&body)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.0 200 "), "{answer}");
        Ok(!answer.is_empty())
    }
}

fn wheels(dir: &Path) -> VecDeque<Wheel> {
    let count = KILLS * (BETWEEN + 2);
    let mut python = Command::new(program("python3", "python3"));
    let digests = Ran::of(python.args(["-c", MAKE]).arg(dir).arg(count.to_string())).ok();
    let wheel = |(version, digest): (usize, &str)| {
        let bytes = std::fs::read(dir.join(format!("crash-{version}-py3-none-any.whl"))).unwrap();
        Wheel { version, digest: digest.to_owned(), bytes }
    };
    digests.lines().enumerate().map(wheel).collect()
}

struct Server {
    child: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGKILL; it may have ended by itself
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(dir: &Path, verb: &[&str]) -> Command {
    let mut command = opsctl(["index"]);
    command.args(verb).arg("--root").arg(dir.join("packages")).arg("--data-dir").arg(dir.join("data"));
    command.args(["--set", "host.allow_root=true"]);
    command
}

fn start(dir: &Path) -> Server {
    let ready: PathBuf = dir.join("ready");
    // there is none before the first start
    let _ = std::fs::remove_file(&ready);
    let mut command = command(dir, &[]);
    command.args(["--listen", "127.0.0.1:0", "--ready-file"]).arg(&ready);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let text = eventually("the server is ready", || {
        assert!(child.try_wait().unwrap().is_none(), "the server ended at its start");
        ready.exists().then(|| read(&ready))
    });
    let address = text.lines().find_map(|line| line.strip_prefix("index index ")).unwrap().to_owned();
    Server { child, address }
}

#[test]
fn what_was_acknowledged_survives_a_hundred_kills() {
    let dir = tempfile::tempdir().unwrap();
    let made = tempfile::tempdir().unwrap();
    bob(&dir.path().join("data"));
    let token = token(&dir.path().join("data"), "index/main/crash:upload");
    let queue = Mutex::new(wheels(made.path()));
    let acknowledged: Mutex<Vec<Wheel>> = Mutex::default();
    for _ in 0..KILLS {
        let server = Mutex::new(Some(start(dir.path())));
        let address = server.lock().unwrap().as_ref().unwrap().address.clone();
        let done = AtomicUsize::new(0);
        let upload = || {
            while let Some(wheel) = { queue.lock().unwrap().pop_front() } {
                match wheel.upload(&address, &token) {
                    Ok(true) => acknowledged.lock().unwrap().push(wheel),
                    // cut off: to be sent again
                    Ok(false) | Err(_) => return queue.lock().unwrap().push_front(wheel),
                }
                if done.fetch_add(1, Ordering::Relaxed) + 1 == BETWEEN {
                    // kills, while the other client is somewhere in the middle
                    drop(server.lock().unwrap().take());
                    return;
                }
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(upload);
            scope.spawn(upload);
        });
    }
    let server = start(dir.path());
    let (_, page) = http_get(&server.address, "/simple/crash/", JSON);
    let acknowledged = acknowledged.into_inner().unwrap();
    assert!(acknowledged.len() >= KILLS * BETWEEN, "{}", acknowledged.len());
    for wheel in &acknowledged {
        let link = format!("/{}/{}\"", wheel.digest, wheel.filename());
        assert!(page.contains(&link), "{} is missing", wheel.filename());
    }
    let fsck = Ran::of(&mut command(dir.path(), &["fsck"])).ok();
    assert!(fsck.contains(" files, 0 faults"), "{fsck}");
    let left = std::fs::read_dir(dir.path().join("packages/.opsctl/spool")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "the spool is empty");

    // and fsck would have seen it, without a server that sets the file aside
    drop(server);
    let stored = dir.path().join("packages/crash").join(acknowledged[0].filename());
    std::fs::write(&stored, "something else").unwrap();
    let fsck = Ran::of(&mut command(dir.path(), &["fsck"]));
    assert!(
        fsck.code == Some(1) && fsck.stdout.contains("instead of") && fsck.stdout.contains(" 1 faults"),
        "{fsck:?}"
    );
}
