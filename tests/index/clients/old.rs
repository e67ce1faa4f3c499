//! Clients of long ago: Python 2.7's `setup.py register` and `upload`, and easy_install.
//!
//! Debian has no Python 2.7. So what it sends was recorded, and is sent here byte for byte; where there is one, it does
//! the same itself.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::super::packages::Package;
use super::super::uploads::{index, md5};
use super::super::{JSON, folder, get, start, url};
use super::{Install, clean, easy_install_folder};
use crate::harness::{Ran, Running, ask, eventually, program};

const BOUNDARY: &str = "--------------GHSKFJDLGDS7543FJKLFHRE75642756743254";

/// Sends what was recorded, with `head` lines of a header more; returns what is said.
fn send(running: &Running, kind: &str, authorization: &str, body: &[u8]) -> String {
    use std::io::{Read, Write};
    let address = running.address("index index");
    let mut stream = std::net::TcpStream::connect(&address).unwrap();
    stream.set_read_timeout(Some(crate::harness::PATIENCE)).unwrap();
    let head = format!(
        "POST /legacy/ HTTP/1.1\r\nAccept-Encoding: identity\r\nContent-Length: {}\r\nConnection: close\r\n\
         User-Agent: Python-urllib/2.7\r\nHost: {address}\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}{kind}\r\n\
         {authorization}\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    // refused before it is read, it may be cut off
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// `Authorization` as Python 2.7 sends it.
fn basic(token: &str) -> String {
    let code = "import base64, sys; print(base64.b64encode(sys.argv[1].encode()).decode())";
    let mut python = Command::new(program("python3", "python3"));
    let said = Ran::of(python.args(["-c", code]).arg(format!("__token__:{token}"))).ok();
    format!("Authorization: Basic {}\r\n", said.trim())
}

/// The form of `upload` in the order of its dictionary: the file in the middle, the digest and the action after it.
fn upload(path: &Path, filetype: &str, pyversion: &str, digest: &str) -> Vec<u8> {
    let filename = path.file_name().unwrap().to_str().unwrap();
    let file = format!("content\"; filename=\"{filename}");
    let content = std::fs::read(path).unwrap();
    let text = |text: &'static str| text.as_bytes().to_vec();
    let fields: [(&str, Vec<u8>); 20] = [
        ("comment", text("")),
        ("metadata_version", text("1.1")),
        ("filetype", filetype.as_bytes().to_vec()),
        ("author", text("A")),
        ("home_page", text("http://example.org/")),
        ("download_url", text("UNKNOWN")),
        (&file, content),
        ("platform", text("UNKNOWN")),
        ("version", text("1.0")),
        // its own spelling
        ("protcol_version", text("1")),
        ("description", text("first\n\nsecond")),
        ("md5_digest", digest.as_bytes().to_vec()),
        (":action", text("file_upload")),
        ("classifiers", text("Programming Language :: Python")),
        ("classifiers", text("Programming Language :: Python :: 2.7")),
        ("name", text("old.thing")),
        ("license", text("MIT")),
        ("pyversion", pyversion.as_bytes().to_vec()),
        ("summary", text("what it is")),
        ("author_email", text("a@example.org")),
    ];
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend_from_slice(
            format!("\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n").as_bytes(),
        );
        body.extend_from_slice(&value);
    }
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    body
}

/// The form of `register`, with the ends of lines that it has.
fn register() -> String {
    let fields = [
        ("license", "MIT"),
        ("name", "old.thing"),
        ("metadata_version", "1.0"),
        ("author", "A"),
        ("home_page", "http://example.org/"),
        (":action", "submit"),
        ("download_url", "UNKNOWN"),
        ("summary", "what it is"),
        ("version", "1.0"),
        ("description", "first\n\nsecond"),
    ];
    let part = |(name, value)| format!("\n--{BOUNDARY}\nContent-Disposition: form-data; name=\"{name}\"\n\n{value}");
    format!("{}\n--{BOUNDARY}--\n", fields.map(part).concat())
}

#[test]
fn what_setup_py_sent_is_taken() {
    let running = index();
    let home = tempfile::tempdir().unwrap();
    let known = basic(&running.token);
    // nothing is registered any more, and nobody needs to log in to be told so
    for authorization in ["", &known] {
        let said = send(&running, "; charset=utf-8", authorization, register().as_bytes());
        assert!(said.starts_with("HTTP/1.1 410 Project pre-registration is no longer required"), "{said}");
    }

    let sdist = home.path().join("old.thing-1.0.tar.gz");
    Package::sdist("old.thing", "1.0").make_at(&sdist);
    let egg = home.path().join("old.thing-1.0-py2.7.egg");
    Package::egg("old.thing", "1.0").make_at(&egg);
    for (path, filetype, pyversion) in [(&sdist, "sdist", ""), (&egg, "bdist_egg", "2.7")] {
        let body = upload(path, filetype, pyversion, &md5(path));
        let said = send(&running, "", &basic("wrong"), &body);
        assert!(said.starts_with("HTTP/1.1 403 "), "{said}");
        for _ in 0..2 {
            let said = send(&running, "", &known, &body);
            assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
        }
        let there = folder(&running).join("old-thing").join(path.file_name().unwrap());
        assert!(std::fs::read(there).unwrap() == std::fs::read(path).unwrap());
    }
    let said = send(&running, "", &known, &upload(&sdist, "sdist", "", &md5(&egg)));
    assert!(said.starts_with("HTTP/1.1 400 The digest supplied does not match"), "{said}");
    running.stop();
}

/// Python 2.7, if there is one: on the search path, or where pyenv puts it.
fn python2() -> Option<PathBuf> {
    let folders = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect::<Vec<_>>();
    let on_path = folders.iter().map(|folder| folder.join("python2.7"));
    let pyenv = PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".pyenv/versions");
    let of_pyenv =
        std::fs::read_dir(pyenv).into_iter().flatten().flatten().map(|entry| entry.path().join("bin/python2.7"));
    let works = |path: &PathBuf| {
        // pyenv's stand-ins for versions that are not chosen fail
        let output = Command::new(path).arg("--version").stdin(Stdio::null()).output();
        output.is_ok_and(|output| output.status.success())
    };
    on_path.chain(of_pyenv).find(works)
}

#[test]
fn setup_py_of_python_2_7_itself() {
    let Some(python) = python2() else { return eprintln!("there is no Python 2.7: what it sends was recorded") };
    let running = index();
    let home = tempfile::tempdir().unwrap();
    let setup = "from setuptools import setup\nsetup(name='old.thing', version='1.0', py_modules=['old_thing'])\n";
    std::fs::write(home.path().join("setup.py"), setup).unwrap();
    std::fs::write(home.path().join("old_thing.py"), "version = '1.0'\n").unwrap();
    let known = format!(
        "[distutils]\nindex-servers = here\n[here]\nrepository = {}\nusername = __token__\npassword = {}\n",
        url(&running, "/legacy/"),
        running.token
    );
    std::fs::write(home.path().join(".pypirc"), known).unwrap();
    let setup = |words: &[&str]| {
        let mut command = Command::new(&python);
        clean(&mut command, home.path()).current_dir(home.path()).arg("setup.py").args(words);
        Ran::of(command.env("PYTHONDONTWRITEBYTECODE", "1").stdin(Stdio::null()))
    };
    let said = setup(&["register", "-r", "here"]);
    assert!(format!("{said:?}").contains("410"), "{said:?}");
    setup(&["sdist", "upload", "-r", "here"]).ok();
    setup(&["bdist_egg", "upload", "-r", "here"]).ok();
    let page = get(&running, "/simple/old-thing/", JSON).1;
    assert!(page.contains("old.thing-1.0.tar.gz") && page.contains("old.thing-1.0-py2.7.egg"), "{page}");
    running.stop();
}

/// easy_install by an interpreter, with the page of links in the file that everybody had in 2007.
#[track_caller]
fn easy_install(running: &Running, interpreter: &[String], want: &[&str]) -> (Ran, Install) {
    let install = Install::new();
    let config = format!("[easy_install]\nfind_links = {}\n", url(running, "/pypi/"));
    std::fs::write(install.path().join(".pydistutils.cfg"), config).unwrap();
    let lib = install.path().join("lib");
    std::fs::create_dir(&lib).unwrap();
    let start = install.path().join("easy_install_main.py");
    let text =
        "import sys\nsys.path.insert(0, sys.argv.pop(1))\nfrom setuptools.command.easy_install import main\nmain()\n";
    std::fs::write(&start, text).unwrap();
    let mut command = Command::new(&interpreter[0]);
    clean(&mut command, install.path()).current_dir(install.path()).args(&interpreter[1..]);
    command.arg(&start).arg(easy_install_folder()).args(["--index-url", &url(running, "/simple/"), "--always-unzip"]);
    command.arg("--install-dir").arg(&lib).arg("--script-dir").arg(&lib).args(want);
    (Ran::of(command.env("PYTHONPATH", &lib).stdin(Stdio::null())), install)
}

#[test]
fn easy_install_finds_eggs_and_sources_by_the_old_configuration() {
    let packages =
        [Package::egg("Old.Thing", "1.0"), Package::sdist("sources", "2.0"), Package::wheel("wheeled", "3.0")];
    let running = start(&packages, "");
    eventually("the packages are there", || (get(&running, "/simple/wheeled/", JSON).0 == 200).then_some(()));
    // without its `site` this interpreter has no other setuptools; building is no part of an index, so it is left out
    let python3 = vec!["/usr/bin/python3".to_owned(), "-S".to_owned()];
    let python2 = python2().map(|path| vec![path.to_str().unwrap().to_owned()]);
    for python in std::iter::once(&python3).chain(&python2) {
        let (ran, install) = easy_install(&running, python, &["--editable", "--build-directory", "lib", "sources"]);
        assert!(install.path().join("lib/sources/sources.py").exists(), "{ran:?}");
    }
    let (ran, install) = easy_install(&running, &python3, &["wheeled"]);
    assert!(install.path().join("lib/wheeled-3.0-py3.11.egg").exists(), "{ran:?}");
    if let Some(python) = &python2 {
        let (ran, install) = easy_install(&running, python, &["old-thing"]);
        assert!(install.path().join("lib/old_thing-1.0-py2.7.egg").exists(), "{ran:?}");
    }
    running.stop();
}

#[test]
fn the_page_of_links_is_what_easy_install_asks_for() {
    let running = start(&[Package::egg("Old.Thing", "1.0")], "");
    eventually("the egg is there", || (get(&running, "/simple/old-thing/", JSON).0 == 200).then_some(()));
    // as setuptools 44 on Python 2.7 sent it
    let address = running.address("index index");
    let request = |path: &str| {
        let text = format!(
            "GET {path} HTTP/1.1\r\nAccept-Encoding: identity\r\nHost: {address}\r\nConnection: close\r\n\
             User-Agent: setuptools/44.1.1 Python-urllib/2.7\r\n\r\n"
        );
        ask(&address, &text).unwrap()
    };
    let page = request("/pypi/");
    assert!(page.starts_with("HTTP/1.1 200 ") && page.contains("content-type: text/html"), "{page}");
    let link = page.split("href=\"").find(|rest| rest.contains(".egg")).and_then(|rest| rest.split(['"', '#']).next());
    let file = request(&link.unwrap().replace("../", "/"));
    assert!(file.starts_with("HTTP/1.1 200 ") && file.contains("PK"), "{link:?}");
    assert!(request("/simple/Old.Thing/").starts_with("HTTP/1.1 301 "));
    assert!(request("/simple/old-thing/").contains(".egg"));
    running.stop();
}
