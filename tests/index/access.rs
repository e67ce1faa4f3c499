//! Who may read and upload: tokens of the user base, as the tools that people have send them.

use std::path::Path;
use std::process::Command;

use super::clients::{Install, newest_pip};
use super::packages::Package;
use super::uploads::{Form, sha256, uv_publish};
use super::{JSON, demo, get, start, url};
use crate::harness::{Ran, Running, opsctl, program};

pub(super) const PASSWORD: &str = "correct horse battery";

/// `opsctl <args>` on the data of a program, running or not.
#[track_caller]
pub(super) fn accounts(data: &Path, args: &[&str]) -> String {
    let mut command = opsctl(args);
    command.arg("--data-dir").arg(data).args(["--set", "host.allow_root=true"]);
    Ran::of(&mut command).ok().trim().to_owned()
}

/// A user who may publish everything, with a password.
pub(super) fn bob(data: &Path) {
    let file = data.with_extension("password");
    std::fs::write(&file, PASSWORD).unwrap();
    let file = file.to_str().unwrap();
    accounts(data, &["user", "add", "bob", "--role", "publisher@index", "--password-file", file]);
}

pub(super) fn token(data: &Path, scope: &str) -> String {
    accounts(data, &["token", "create", "bob", "--scope", scope])
}

/// Status and head of an answer to `curl ARGS`.
fn curl(running: &Running, path: &str, args: &[&str]) -> (String, String) {
    let mut curl = Command::new(program("curl", "curl"));
    let head = Ran::of(curl.args(["-sS", "-o", "/dev/null", "-D", "-"]).args(args).arg(url(running, path))).ok();
    (head.split(' ').nth(1).unwrap().to_owned(), head.to_lowercase())
}

#[test]
fn tokens_and_passwords_upload_within_their_scopes() {
    let running = start(&[], "");
    bob(&running.path("data"));
    let upload = token(&running.path("data"), "index/main/cur*:upload");
    let home = tempfile::tempdir().unwrap();
    let wheel = Package::wheel("curled", "1.0").make(home.path());
    let other = Package::wheel("foreign", "1.0").make(home.path());
    uv_publish(&running, home.path(), &upload, &[&wheel], &[]).ok();
    assert_eq!(get(&running, "/simple/curled/", JSON).0, 200);

    let digest = sha256(&wheel);
    let sends = |user: &str, status, said| Form::new(&running, user, &wheel, &digest).check(status, said);
    sends(&format!("anybody:{upload}"), "200", "");
    sends(&format!("bob:{PASSWORD}"), "200", "");
    sends("", "401", "user or a token");
    sends("bob:wrong horse battery", "403", "");
    sends("__token__:opx_wrong", "403", "");
    let (status, head) = curl(&running, "/legacy/", &["-F", ":action=file_upload"]);
    assert!(status == "401" && head.contains("www-authenticate: basic"), "{head}");
    let bearer = format!("Authorization: Bearer {upload}");
    let (status, head) = curl(&running, "/legacy/", &["-F", ":action=dance", "-H", &bearer]);
    assert!(status == "400", "it is let in: {head}");

    // another project
    let said = uv_publish(&running, home.path(), &upload, &[&other], &[]);
    assert!(said.code != Some(0) && said.stderr.contains("403"), "{said:?}");
    assert_eq!(get(&running, "/simple/foreign/", JSON).0, 404);
    assert!(!running.path("packages/foreign").exists());
    // another index, another right
    let elsewhere = token(&running.path("data"), "index/dev:upload");
    sends(&format!("__token__:{elsewhere}"), "403", "");
    let reader = token(&running.path("data"), "index:read");
    sends(&format!("__token__:{reader}"), "403", "");
    let log = running.stop();
    assert!(log.contains("bob (token 1)"), "the log says who uploads");
    assert!(!log.contains(&upload), "the token is in the log");
}

#[test]
fn reading_is_open_and_says_nothing_of_users() {
    let running = start(&demo(), "");
    for path in ["/simple/", "/simple/demo/", "/find-links/"] {
        let (status, head) = curl(&running, path, &[]);
        assert!(status == "200" && !head.contains("set-cookie") && !head.contains("private"), "{head}");
    }
    let (status, head) = curl(&running, "/_/login", &["-H", "Accept: text/html"]);
    assert_eq!(status, "200", "{head}");
    let (status, _) = curl(&running, "/_/users", &[]);
    assert_eq!(status, "401");
    running.stop();
}

#[test]
fn without_anonymous_readers_a_login_is_needed() {
    let running = start(&demo(), "anonymous = false");
    bob(&running.path("data"));
    let token = token(&running.path("data"), "index:read");
    let index = url(&running, "/simple/");
    let known = index.replace("://", &format!("://__token__:{token}@"));
    let install = Install::new();
    install.pip(&newest_pip(), &["--index-url", &known, "demo"]).ok();
    assert!(install.module("demo").starts_with("version = '1.0'"));
    let install = Install::new();
    install.uv(&["--default-index", &known, "demo"]).ok();
    assert!(install.module("demo").starts_with("version = '1.0'"));
    let refused = Install::new().pip(&newest_pip(), &["--no-input", "--index-url", &index, "demo"]);
    assert!(refused.code != Some(0), "{refused:?}");

    let page = get(&running, "/simple/demo/", JSON);
    assert_eq!(page.0, 401);
    let (status, head) = curl(&running, "/simple/demo/", &[]);
    assert!(status == "401" && head.contains("www-authenticate: basic"), "{head}");
    let user = format!("bob:{PASSWORD}");
    let (status, head) = curl(&running, "/simple/demo/", &["-u", &user]);
    assert!(status == "200" && head.contains("cache-control: private"), "{head}");
    running.stop();
}

#[test]
fn a_token_reads_its_projects_and_their_files() {
    let running = start(&demo(), "[auth]\nanonymous = []");
    bob(&running.path("data"));
    let part = token(&running.path("data"), "index/main/demo-dep:read");
    let whole = token(&running.path("data"), "index/main:read");
    let status = |token: &str, path: &str| curl(&running, path, &["-u", &format!("__token__:{token}")]).0;
    assert_eq!(status(&part, "/simple/demo-dep/"), "200");
    assert_eq!(status(&part, "/simple/demo/"), "403");
    let list = |token: &str| {
        let mut command = Command::new(program("curl", "curl"));
        command.args(["-sS", "-H", &format!("Accept: {JSON}"), "-u", &format!("__token__:{token}")]);
        Ran::of(command.arg(url(&running, "/simple/"))).ok()
    };
    // each sees what they may read, and nobody what was made for another
    for _ in 0..2 {
        assert!(list(&part).contains("\"demo.dep\"") && !list(&part).contains("\"demo\""), "{}", list(&part));
        assert!(list(&whole).contains("\"demo.dep\"") && list(&whole).contains("\"demo\""));
    }
    assert_eq!(status(&part, "/find-links/"), "403");
    assert_eq!(status(&whole, "/simple/"), "200");
    for (project, of_part) in [("demo-dep", "200"), ("demo", "404")] {
        let page = url(&running, &format!("/simple/{project}/"));
        let mut command = Command::new(program("curl", "curl"));
        let page = Ran::of(command.args(["-sS", "-u", &format!("__token__:{whole}"), &page])).ok();
        let link = page.split("href=\"../..").nth(1).unwrap().split(['"', '#']).next().unwrap();
        assert_eq!(status(&whole, link), "200", "{link}");
        assert_eq!(status(&part, link), of_part, "{link}");
        assert_eq!(status(&part, &format!("{link}.metadata")), of_part, "{link}");
        assert_eq!(curl(&running, link, &[]).0, "401");
    }
    running.stop();
}
