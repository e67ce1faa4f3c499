//! Upstreams that lie, change their mind, or have just been broken into: a server of files that the tests edit.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::clients::{Install, newest_pip};
use super::packages::Package;
use super::uploads::sha256;
use super::{JSON, get, start, url};
use crate::harness::{Ran, Running, program};

/// A folder that is served as it is.
struct Upstream {
    dir: tempfile::TempDir,
    child: Child,
    url: String,
}

impl Upstream {
    fn start() -> Upstream {
        let dir = tempfile::tempdir().unwrap();
        let mut server = Command::new("setpriv");
        server.args(["--pdeathsig", "KILL"]).arg(program("python3", "python3"));
        server.args(["-u", "-m", "http.server", "--bind", "127.0.0.1", "0", "--directory"]).arg(dir.path());
        let mut child = server.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.split("port ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap().to_owned();
        Upstream { dir, child, url: format!("http://127.0.0.1:{port}/simple/") }
    }

    /// The page of `project` has this file, with the digest of whatever.
    fn page(&self, project: &str, file: &Path, digest: &str) {
        let folder = self.dir.path().join("simple").join(project);
        std::fs::create_dir_all(&folder).unwrap();
        let name = file.file_name().unwrap().to_str().unwrap();
        std::fs::copy(file, folder.join(name)).unwrap();
        let page = format!("<!DOCTYPE html><a href=\"{name}#sha256={digest}\">{name}</a>\n");
        std::fs::write(folder.join("index.html"), page).unwrap();
    }

    fn mirror(&self, more: &str) -> Running {
        let tables = format!(
            "[index.indexes.main]\nbases = ['public']\n[index.indexes.public]\nurl = '{}'\nfresh = '0s'\nretry = '0s'\n\
             missing = '0s'\n{more}",
            self.url
        );
        start(&[], &tables)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        // it may have ended by itself
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn install(running: &Running, want: &str) -> Ran {
    Install::new().pip(&newest_pip(), &["--no-deps", "--index-url", &url(running, "/simple/"), want])
}

#[test]
fn bytes_that_are_not_what_the_page_says_are_not_kept() {
    let upstream = Upstream::start();
    let (good, bad) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let real = Package::wheel("demo", "1.0").make(good.path());
    let fake = Package::wheel("demo", "1.0").padding(7).make(bad.path());
    upstream.page("demo", &fake, &sha256(&real));
    let running = upstream.mirror("");
    for _ in 0..2 {
        let refused = install(&running, "demo");
        assert!(refused.code != Some(0), "{refused:?}");
    }
    // nothing of it was kept: as soon as the upstream is well, so are we
    upstream.page("demo", &real, &sha256(&real));
    install(&running, "demo").ok();
    running.stop();
}

#[test]
fn a_file_name_of_the_upstream_keeps_its_bytes() {
    let upstream = Upstream::start();
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = Package::wheel("demo", "1.0").make(first.path());
    let second = Package::wheel("demo", "1.0").padding(7).make(second.path());
    upstream.page("demo", &first, &sha256(&first));
    let running = upstream.mirror("");
    install(&running, "demo").ok();
    upstream.page("demo", &second, &sha256(&second));
    let page = get(&running, "/simple/demo/", JSON).1;
    assert!(!page.contains(&sha256(&second)), "other bytes under a known name: {page}");
    running.stop();
}

#[test]
fn what_is_too_young_or_of_unknown_age_does_not_exist() {
    // this one tells no times
    let silent = Upstream::start();
    let dir = tempfile::tempdir().unwrap();
    let wheel = Package::wheel("demo", "1.0").make(dir.path());
    silent.page("demo", &wheel, &sha256(&wheel));
    let running = silent.mirror("min_release_age = '72h'");
    for form in [JSON, "text/html"] {
        assert!(!get(&running, "/simple/demo/", form).1.contains("demo-1.0"), "{form}");
    }
    assert!(install(&running, "demo").code != Some(0));
    running.stop();

    // and this one does
    let packages = tempfile::tempdir().unwrap();
    let old = Package::wheel("demo", "1.0").make(packages.path());
    Ran::of(Command::new("touch").args(["-d", "2020-01-01"]).arg(&old)).ok();
    Package::wheel("demo", "2.0").make(packages.path());
    let told = start(&[], &format!("[index.indexes.old]\nroot = '{}'", packages.path().display()));
    let tables = format!(
        "[index.indexes.main]\nbases = ['public']\n[index.indexes.public]\nurl = '{}'\nmin_release_age = '72h'",
        url(&told, "/old/simple")
    );
    let running = start(&[], &tables);
    for form in [JSON, "text/html"] {
        let page = get(&running, "/simple/demo/", form).1;
        assert!(page.contains("demo-1.0") && !page.contains("demo-2.0"), "{form}: {page}");
    }
    let young = get(&told, "/old/simple/demo/", JSON).1;
    let mut urls = young.split("\"url\":\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    let young = urls.find(|url| url.contains("demo-2.0")).unwrap();
    let path = young.replace("../../", "/");
    assert_eq!(get(&told, &format!("/old{path}"), "").0, 200);
    assert_eq!(get(&running, &path, "").0, 404, "by its address as well");
    running.stop();
    told.stop();
}

#[test]
fn what_an_upstream_says_is_not_believed() {
    let upstream = Upstream::start();
    let folder = upstream.dir.path().join("simple/demo");
    std::fs::create_dir_all(&folder).unwrap();
    let digest = "0".repeat(64);
    let page = format!(
        "<!DOCTYPE html><a href=\"file:///etc/passwd#sha256={digest}\">demo-1.0-py3-none-any.whl</a>\
         <a href=\"http://127.0.0.1:1/demo-1.1-py3-none-any.whl#sha256={digest}\">demo-1.1-py3-none-any.whl</a>\
         <a href=\"demo-1.2-py3-none-any.whl#sha256={digest}\">../../demo-1.2-py3-none-any.whl</a>\
         <a href=\"x.whl#sha256={digest}\" data-yanked=\"&lt;script&gt;alert(1)&lt;/script&gt;\">demo-1.3-py3-none-any.whl</a>"
    );
    std::fs::write(folder.join("index.html"), page).unwrap();
    let running = upstream.mirror("");
    let (status, page) = get(&running, "/simple/demo/", "text/html");
    assert_eq!(status, 200);
    assert!(!page.contains("file:///") && !page.contains("<script>") && !page.contains("../../demo-"), "{page}");
    let page = get(&running, "/simple/demo/", JSON).1;
    for url in page.split("\"url\":\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        let (status, said) = get(&running, &url.replace("../../", "/"), "");
        assert!(status >= 400, "nothing of this machine is fetched: {url} {status} {said}");
    }
    assert!(install(&running, "demo").code != Some(0));
    running.stop();
}
