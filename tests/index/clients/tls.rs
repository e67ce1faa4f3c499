//! The index over TLS: only there pip keeps pages, and asks whether they have changed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::super::demo;
use super::super::packages::Package;
use super::super::uploads::publisher_token;
use super::{Install, clean, newest_pip, pips, tool};
use crate::harness::{Ran, Running, Setup, eventually, program};

/// An authority, and a certificate of it for loopback: `ca.pem`, `cert.pem`, `key.pem`.
fn certificates(dir: &Path) -> (PathBuf, PathBuf, PathBuf) {
    let path = |name: &str| dir.join(name);
    let make = |out: &str, key: &str, more: &[&str]| {
        let mut openssl = Command::new(program("openssl", "openssl"));
        openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
        openssl.args(["-days", "2", "-keyout", key, "-out", out]).args(more).current_dir(dir);
        assert_eq!(Ran::of(&mut openssl).code, Some(0));
    };
    make("ca.pem", "ca.key", &["-subj", "/CN=test authority", "-addext", "keyUsage=critical,keyCertSign"]);
    let names = "subjectAltName=DNS:localhost,IP:127.0.0.1";
    let leaf = ["-subj", "/CN=localhost", "-CA", "ca.pem", "-CAkey", "ca.key", "-addext", names];
    make("cert.pem", "key.pem", &[&leaf[..], &["-addext", "basicConstraints=critical,CA:FALSE"]].concat());
    (path("ca.pem"), path("cert.pem"), path("key.pem"))
}

struct Secure {
    running: Running,
    ca: String,
    site: String,
    _dir: tempfile::TempDir,
}

fn secure(packages: &[Package]) -> Secure {
    let dir = tempfile::tempdir().unwrap();
    let (ca, cert, key) = certificates(dir.path());
    let listen = format!("tls:127.0.0.1:0?cert={}&key={}", cert.display(), key.display());
    let setup = Setup::run(&format!("[index]\nenabled = true\nlisten = '{listen}'\nroot = 'packages'\n"));
    std::fs::create_dir_all(setup.path("packages")).unwrap();
    for package in packages {
        package.make(&setup.path("packages"));
    }
    let running = setup.start();
    let address = running.address("index index");
    let address = address.strip_prefix("tls:").unwrap().split('?').next().unwrap();
    // some pips cannot check the certificate of an address
    let site = format!("https://{}", address.replace("127.0.0.1", "localhost"));
    Secure { ca: ca.display().to_string(), site, running, _dir: dir }
}

#[test]
fn pip_keeps_pages_and_takes_not_modified_for_an_answer() {
    let Secure { running, ca, site, _dir } = secure(&demo());
    let index = format!("{site}/simple/");
    for wheel in pips() {
        let install = Install::new();
        // some read no certificates while they are packed
        let pip = install.path().join("unpacked");
        Ran::of(Command::new("/usr/bin/python3").args(["-m", "zipfile", "-e"]).arg(&wheel).arg(&pip)).ok();
        let get = || {
            let args = ["download", "-vvv", "--no-deps", "--cert", &ca, "--index-url", &index, "--dest", "got", "demo"];
            let ran = install.run_pip(&pip, &args);
            assert_eq!(ran.code, Some(0), "{ran:?}");
            format!("{}{}", ran.stdout, ran.stderr)
        };
        let page = |said: &str, status: &str| said.contains(&format!("\"GET /simple/demo/ HTTP/1.1\" {status}"));
        let first = get();
        assert!(page(&first, "200"), "{first}");
        let second = get();
        assert!(page(&second, "304"), "{}: {second}", wheel.display());
        // the page in the cache is as good as it was
        assert!(second.contains("demo-1.0"), "{second}");
    }
    running.stop();
}

#[test]
fn what_is_new_is_seen_behind_the_cache() {
    let Secure { running, ca, site, _dir } = secure(&[Package::wheel("demo", "1.0")]);
    let index = format!("{site}/simple/");
    let install = Install::new();
    let newest = newest_pip();
    let versions =
        || install.run_pip(&newest, &["index", "versions", "--cert", &ca, "--index-url", &index, "demo"]).ok();
    assert!(versions().contains("demo (1.0)"));
    Package::wheel("demo", "1.1").make(&running.path("packages"));
    eventually("pip sees the new version", || versions().contains("demo (1.1)").then_some(()));
    running.stop();
}

#[test]
fn uv_and_twine_over_tls() {
    let Secure { running, ca, site, _dir } = secure(&demo());
    let token = publisher_token(&running);
    let install = Install::new();
    let wheel = Package::wheel("twined", "1.0").make(&install.path().join("dist"));
    let mut twine = Command::new(tool("twine"));
    clean(&mut twine, install.path()).args(["upload", "--non-interactive", "--disable-progress-bar", "--cert", &ca]);
    twine.args(["--repository-url", &format!("{site}/legacy/"), "-u", "__token__", "-p", &token]).arg(&wheel);
    Ran::of(twine.stdin(Stdio::null())).ok();
    let uv = |want: &str, ca: Option<&str>| {
        let mut uv = Command::new(tool("uv"));
        clean(&mut uv, install.path());
        uv.envs(ca.map(|ca| ("SSL_CERT_FILE", ca)));
        uv.args(["pip", "install", "--reinstall", "--refresh", "--python", "/usr/bin/python3", "--target"]);
        Ran::of(uv.arg(install.path().join("lib")).args(["--default-index", &format!("{site}/simple/"), want]))
    };
    for want in ["demo", "twined", "demo==0.9"] {
        uv(want, Some(&ca)).ok();
    }
    assert!(install.module("twined").starts_with("version = '1.0'"));
    assert!(install.module("demo").starts_with("version = '0.9'"));
    let refused = uv("demo", None);
    assert!(refused.code != Some(0) && refused.stderr.contains("certificate"), "nobody vouches for it: {refused:?}");
    running.stop();
}
