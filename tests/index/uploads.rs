//! Uploads: the tools that people have, what they are told, and what becomes of a file that is sent twice, at once, or
//! as another.

use std::ops::Deref;
use std::path::Path;
use std::process::{Command, Stdio};

use super::access::{bob, token};
use super::clients::{Install, clean, newest_pip, tool};
use super::packages::Package;
use super::{JSON, folder, get, start, url};
use crate::harness::{Ran, Running, eventually, program};

/// A running index, and what opens it.
pub(super) struct Index {
    running: Running,
    pub(super) token: String,
    /// The token, as curl takes it.
    user: String,
}

impl Deref for Index {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.running
    }
}

impl Index {
    pub(super) fn stop(self) -> String {
        self.running.stop()
    }
}

pub(super) fn index() -> Index {
    let running = start(&[], "");
    let token = publisher_token(&running);
    let user = format!("__token__:{token}");
    Index { running, token, user }
}

/// A token that may upload to `main`.
pub(super) fn publisher_token(running: &Running) -> String {
    bob(&running.path("data"));
    token(&running.path("data"), "index/main:upload")
}

fn twine(running: &Running, home: &Path, password: &str, files: &[&Path]) -> Ran {
    let mut command = Command::new(tool("twine"));
    clean(&mut command, home).args(["upload", "--non-interactive", "--disable-progress-bar", "--repository-url"]);
    command.arg(url(running, "/legacy/")).args(["-u", "__token__", "-p", password]);
    Ran::of(command.args(files).stdin(Stdio::null()))
}

pub(super) fn uv_publish(running: &Running, home: &Path, token: &str, files: &[&Path], args: &[&str]) -> Ran {
    let mut command = Command::new(tool("uv"));
    clean(&mut command, home).args(["publish", "--publish-url"]).arg(url(running, "/legacy/"));
    command.args(["--trusted-publishing", "never"]);
    if !token.is_empty() {
        command.args(["--token", token]);
    }
    Ran::of(command.args(args).args(files).stdin(Stdio::null()))
}

#[test]
fn twine_uploads_and_pip_installs_the_very_bytes() {
    let running = index();
    let home = tempfile::tempdir().unwrap();
    let wheel = Package::wheel("twined", "1.0").make(home.path());
    let sdist = Package::sdist("twined", "1.0").make(home.path());
    twine(&running, home.path(), &running.token, &[&wheel, &sdist]).ok();
    let stored = folder(&running).join("twined");
    for file in [&wheel, &sdist] {
        assert_eq!(std::fs::read(stored.join(file.file_name().unwrap())).unwrap(), std::fs::read(file).unwrap());
    }
    let install = Install::new();
    install.pip(&newest_pip(), &["--index-url", &url(&running, "/simple/"), "twined"]).ok();
    assert!(install.module("twined").starts_with("version = '1.0'"));
    twine(&running, home.path(), &running.token, &[&wheel]).ok();

    let changed = tempfile::tempdir().unwrap();
    let other = Package::wheel("twined", "1.0").padding(9).make(changed.path());
    let said = twine(&running, home.path(), &running.token, &[&other]);
    // it folds lines at 80 characters
    let words = said.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.code == Some(1) && words.contains("File already exists ('twined-1.0"), "{said:?}");
    let said = twine(&running, home.path(), "wrong", &[&wheel]);
    assert!(said.code == Some(1) && said.stdout.contains("403"), "{said:?}");
    let token = running.token.clone();
    let log = running.stop();
    assert!(!log.contains(&token), "the token is in the log");
}

#[test]
pub(super) fn uv_publishes_and_installs() {
    let running = index();
    let home = tempfile::tempdir().unwrap();
    let wheel = Package::wheel("uved", "1.0").make(home.path());
    let check = url(&running, "/simple/");
    uv_publish(&running, home.path(), &running.token, &[&wheel], &["--check-url", &check]).ok();
    uv_publish(&running, home.path(), &running.token, &[&wheel], &[]).ok();
    let again = uv_publish(&running, home.path(), &running.token, &[&wheel], &["--check-url", &check]);
    assert!(again.code == Some(0) && again.stderr.contains("already exists"), "{again:?}");
    let install = Install::new();
    install.uv(&["--default-index", &check, "uved"]).ok();
    assert!(install.module("uved").starts_with("version = '1.0'"));

    let changed = tempfile::tempdir().unwrap();
    let other = Package::wheel("uved", "1.0").padding(9).make(changed.path());
    let said = uv_publish(&running, home.path(), &running.token, &[&other], &[]);
    assert!(said.code != Some(0) && said.stderr.contains("File already exists"), "{said:?}");
    let said = uv_publish(&running, home.path(), "wrong", &[&wheel], &[]);
    assert!(said.code != Some(0) && said.stderr.contains("403"), "{said:?}");
    running.stop();
}

/// A form by curl: `fields` are `name=value` or `content=@file`.
pub(super) struct Form<'a> {
    running: &'a Running,
    path: &'a str,
    user: &'a str,
    fields: Vec<String>,
}

impl Form<'_> {
    pub(super) fn new<'a>(running: &'a Running, user: &'a str, file: &Path, digest: &str) -> Form<'a> {
        let fields =
            [":action=file_upload", "protocol_version=1", "name=curled", "version=1.0", "filetype=bdist_wheel"];
        let mut fields: Vec<String> = fields.map(str::to_owned).into();
        fields.push(format!("sha256_digest={digest}"));
        fields.push(format!("content=@{}", file.display()));
        Form { running, path: "/legacy/", user, fields }
    }

    pub(super) fn with(mut self, field: &str) -> Self {
        let name = field.split('=').next().unwrap().to_owned() + "=";
        self.fields.retain(|field| !field.starts_with(&name));
        self.fields.push(field.to_owned());
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.fields.retain(|field| !field.starts_with(&format!("{name}=")));
        self
    }

    /// The body and the status of the answer.
    fn send(&self) -> (String, String) {
        let mut curl = Command::new(program("curl", "curl"));
        curl.args(["-sS", "-H", "Accept: application/json", "-w", "\n%{http_code}"]);
        if !self.user.is_empty() {
            curl.args(["-u", self.user]);
        }
        for field in &self.fields {
            curl.arg("-F").arg(field);
        }
        let said = Ran::of(curl.arg(url(self.running, self.path))).ok();
        let (body, status) = said.rsplit_once('\n').unwrap();
        (body.to_owned(), status.to_owned())
    }

    #[track_caller]
    pub(super) fn check(&self, status: &str, said: &str) {
        let (body, got) = self.send();
        assert!(got == status && body.contains(said), "{got} {body}");
    }
}

pub(super) fn sha256(path: &Path) -> String {
    digest("sha256sum", path)
}

pub(super) fn md5(path: &Path) -> String {
    digest("md5sum", path)
}

fn digest(by: &str, path: &Path) -> String {
    let said = Ran::of(Command::new(program(by, "coreutils")).arg(path)).ok();
    said.split(' ').next().unwrap().to_owned()
}

#[test]
fn what_is_wrong_with_a_form_is_said() {
    let running = index();
    let home = tempfile::tempdir().unwrap();
    let wheel = Package::wheel("curled", "1.0").make(home.path());
    let digest = sha256(&wheel);
    let form = || Form::new(&running, &running.user, &wheel, &digest);
    let other = "0".repeat(64);
    form().without("sha256_digest").check("400", "nclude at least one message digest");
    form().with(&format!("sha256_digest={other}")).check("400", "The digest supplied does not match");
    form().with("md5_digest=00000000000000000000000000000000").check("400", "The digest supplied does not match");
    form().with("name=other").check("400", "other");
    form().with("version=2.0").check("400", "2.0");
    form().with("filetype=sdist").check("400", "filetype");
    form().without("content").check("400", "does not have a file");
    form().with(":action=doc_upload").check("410", "no longer supported");
    form().with(":action=dance").check("400", "Unknown :action");
    form().with(&format!("content=@{};filename=../../evil-1.0-py3-none-any.whl", wheel.display())).check("400", "");
    form().with(&format!("content=@{};filename=curled-1.0-py3-none-any.exe", wheel.display())).check("400", "");
    let text = home.path().join("text");
    std::fs::write(&text, "not a zip").unwrap();
    let fake = format!("content=@{};filename=curled-1.0-py3-none-any.whl", text.display());
    form().with(&fake).with(&format!("sha256_digest={}", sha256(&text))).check("400", "ZIP");
    Form { user: "", ..form() }.check("401", "token");
    Form { user: "", ..form().without("content").with(":action=submit") }.check("410", "Project pre-registration");
    Form { user: "a:wrong", ..form() }.check("403", "");
    Form { path: "/simple/", ..form() }.check("405", "legacy");
    Form { path: "/nowhere/legacy/", ..form() }.check("404", "");
    assert_eq!(get(&running, "/simple/curled/", JSON).0, 404, "nothing of it was stored");
    let left = std::fs::read_dir(folder(&running).join(".opsctl/spool")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "the spool is empty");
    for path in ["/", "/pypi/", "/legacy/", "/main/", "/main/legacy/"] {
        Form { path, ..form() }.check("200", "");
    }
    assert_eq!(get(&running, "/simple/curled/", JSON).0, 200);
    running.stop();
}

#[test]
fn of_many_that_send_one_file_at_once_all_succeed() {
    let running = index();
    let home = tempfile::tempdir().unwrap();
    let wheel = Package::wheel("curled", "1.0").make(home.path());
    let digest = sha256(&wheel);
    let statuses: Vec<String> = std::thread::scope(|scope| {
        let send = || Form::new(&running, &running.user, &wheel, &digest).send().1;
        let clients: Vec<_> = (0..16).map(|_| scope.spawn(send)).collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    assert!(statuses.iter().all(|status| status == "200"), "{statuses:?}");
    running.stop();
}

#[test]
fn a_name_keeps_its_bytes() {
    let running = index();
    let home = tempfile::tempdir().unwrap();
    let wheel = Package::wheel("curled", "1.0").make(home.path());
    Form::new(&running, &running.user, &wheel, &sha256(&wheel)).check("200", "");
    // put into the folder: other bytes under the name of an upload
    let stored = folder(&running).join("curled").join(wheel.file_name().unwrap());
    let other = home.path().join("other");
    Package::wheel("curled", "1.0").padding(9).make_at(&other);
    std::fs::rename(&other, &stored).unwrap();
    eventually("the file is set aside", || (get(&running, "/simple/curled/", JSON).0 == 404).then_some(()));
    eventually("the status tells of it", || running.status().contains("belongs to other bytes").then_some(()));
    // gone: the name is still taken
    std::fs::remove_file(&stored).unwrap();
    eventually("the status is well", || (!running.status().contains("belongs to other bytes")).then_some(()));
    Package::wheel("curled", "1.0").padding(9).make(home.path());
    Form::new(&running, &running.user, &wheel, &sha256(&wheel))
        .check("400", "previously used by a file that has since been deleted");
    // the very bytes may come back
    Package::wheel("curled", "1.0").make(home.path());
    Form::new(&running, &running.user, &wheel, &sha256(&wheel)).check("200", "");
    assert_eq!(get(&running, "/simple/curled/", JSON).0, 200);
    running.stop();
}
