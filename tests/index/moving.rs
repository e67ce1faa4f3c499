//! Moving here from what others run: a real devpi-server's export is imported, and a real pypiserver's folder is taken
//! over as it is.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::clients::{Install, clean, newest_pip, peer, tool};
use super::packages::Package;
use super::uploads::sha256;
use super::verbs::verb;
use super::{JSON, get, start, url};
use crate::harness::{Ran, eventually, http_get};

/// Somebody else's server; ends with the test, however that ends.
struct Peer {
    child: Child,
    address: String,
}

impl Peer {
    /// Starts `command`, which gets a free port as its last argument.
    fn start(command: &[&str], home: &Path) -> Peer {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let mut tied = Command::new("setpriv");
        clean(&mut tied, home).args(["--pdeathsig", "KILL"]).args(command).arg(port.to_string());
        let child = tied.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let address = format!("127.0.0.1:{port}");
        eventually("it listens", || TcpStream::connect(&address).ok());
        Peer { child, address }
    }

    /// Ends it in order: what it holds is on the disk then.
    fn stop(mut self) {
        Ran::of(Command::new("kill").arg(self.child.id().to_string())).ok();
        self.child.wait().unwrap();
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // it may have ended by itself
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The user `team` with the index `dev`.
const MAKE: &str = r#"
import base64, json, sys, urllib.request
def put(path, what, headers={}):
    headers = {"Content-Type": "application/json", "Accept": "application/json", **headers}
    method = "POST" if path == "/+login" else "PUT"
    request = urllib.request.Request(sys.argv[1] + path, json.dumps(what).encode(), headers, method=method)
    return json.load(urllib.request.urlopen(request, timeout=60))
put("/team", {"password": "secret"})
token = put("/+login", {"user": "team", "password": "secret"})["result"]["password"]
known = {"X-Devpi-Auth": base64.b64encode(f"team:{token}".encode()).decode()}
put("/team/dev", {"type": "stage", "bases": [], "volatile": True}, known)
"#;

fn twine(home: &Path, address: &str, user: &str, password: &str, files: &[&Path]) {
    let mut twine = Command::new(tool("twine"));
    clean(&mut twine, home).args([
        "upload",
        "--non-interactive",
        "--disable-progress-bar",
        "--repository-url",
        address,
    ]);
    Ran::of(twine.args(["-u", user, "-p", password]).args(files).stdin(Stdio::null())).ok();
}

#[test]
fn from_devpi() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name).display().to_string();
    let (state, export) = (path("server"), path("export"));
    let run = |program: &str, args: &[&str]| {
        Ran::of(clean(&mut Command::new(peer(program)), home.path()).args(args).stdin(Stdio::null())).ok();
    };
    run("devpi-init", &["--serverdir", &state, "--no-root-pypi"]);
    let server = peer("devpi-server").display().to_string();
    let devpi = Peer::start(&[&server, "--serverdir", &state, "--host", "127.0.0.1", "--port"], home.path());
    let top = format!("http://{}", devpi.address);
    Ran::of(Command::new("/usr/bin/python3").args(["-c", MAKE, &top])).ok();
    let wheel = Package::wheel("demo", "1.0").needs("Demo_Dep").make(home.path());
    let sdist = Package::sdist("demo", "1.0").make(home.path());
    let other = Package::wheel("demo.dep", "2.0").make(home.path());
    twine(home.path(), &format!("{top}/team/dev/"), "team", "secret", &[&wheel, &sdist, &other]);
    devpi.stop();
    run("devpi-export", &["--serverdir", &state, &export]);

    let running = start(&[], "");
    let import = |more: &str| Ran::of(&mut verb(running.dir.path(), &format!("import {export}{more}")));
    assert!(import(" --only team/dev").ok().contains("3 files added, 0 were there, 0 refused"));
    assert!(import("").ok().contains("0 files added, 3 were there, 0 refused"));
    eventually("all is served", || get(&running, "/simple/demo/", JSON).1.contains("demo-1.0.tar.gz").then_some(()));
    let page = get(&running, "/simple/demo/", JSON).1;
    assert!(page.contains(&sha256(&wheel)) && page.contains(&sha256(&sdist)), "{page}");
    let install = Install::new();
    install.pip(&newest_pip(), &["--index-url", &url(&running, "/simple/"), "demo"]).ok();
    assert!(install.module("demo_dep").starts_with("version = '2.0'"));
    running.stop();
}

#[test]
fn from_pypiserver() {
    let home = tempfile::tempdir().unwrap();
    let packages = home.path().join("packages");
    std::fs::create_dir(&packages).unwrap();
    let server = peer("pypi-server").display().to_string();
    let root = packages.display().to_string();
    let words = [&server, "run", "--disable-fallback", "-P", ".", "-a", ".", "-i", "127.0.0.1", &root, "-p"];
    let pypiserver = Peer::start(&words, home.path());
    let wheel = Package::wheel("demo", "1.0").make(home.path());
    let sdist = Package::sdist("demo", "0.9").make(home.path());
    twine(home.path(), &format!("http://{}/", pypiserver.address), "a", "b", &[&wheel, &sdist]);
    // its page has the same files with the same digests as ours of the same folder
    let running = start(&[], &format!("[index.indexes.old]\nroot = '{root}'"));
    let ours = eventually("both are served", || {
        let page = get(&running, "/old/simple/demo/", "text/html").1;
        (page.matches("</a>").count() == 2).then_some(page)
    });
    let theirs = http_get(&pypiserver.address, "/simple/demo/", "text/html").1;
    for file in [&wheel, &sdist] {
        let (name, digest) = (file.file_name().unwrap().to_str().unwrap(), format!("#sha256={}", sha256(file)));
        for page in [&ours, &theirs] {
            assert!(page.contains(name) && page.contains(&digest), "{page}");
        }
    }
    pypiserver.stop();
    // or what it had is copied
    let import = Ran::of(&mut verb(running.dir.path(), &format!("import {root}"))).ok();
    assert!(import.contains("2 files added"), "{import}");
    let install = Install::new();
    install.pip(&newest_pip(), &["--index-url", &url(&running, "/simple/"), "demo"]).ok();
    assert!(install.module("demo").starts_with("version = '1.0'"));
    running.stop();
}
