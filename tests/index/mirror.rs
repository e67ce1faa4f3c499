//! An index in front of another one: private names first, then the upstream, which here is a second program.

use super::clients::{Install, newest_pip};
use super::packages::Package;
use super::{JSON, get, start, url};
use crate::harness::Running;

/// An index with these packages, upon a mirror of `upstream`.
fn in_front(upstream: &Running, packages: &[Package], more: &str) -> Running {
    let upstream = url(upstream, "/simple");
    let tables = format!(
        "[index.indexes.main]\nbases = ['public']\n[index.indexes.public]\nurl = '{upstream}'\nfresh = '0s'\n\
         retry = '0s'\n{more}"
    );
    start(packages, &tables)
}

/// The paths of the files on a project's page, from the top.
fn files(running: &Running, path: &str) -> Vec<String> {
    let (status, page) = get(running, path, JSON);
    assert_eq!(status, 200, "{page}");
    let urls = page.split("\"url\":\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    urls.map(|url| url.replace("../../", "/")).collect()
}

fn public() -> Vec<Package> {
    vec![Package::wheel("public.dep", "2.0"), Package::wheel("public.dep", "1.0"), Package::wheel("demo", "99.0")]
}

#[test]
fn private_names_come_from_here_and_others_from_the_upstream() {
    let upstream = start(&public(), "");
    let running = in_front(&upstream, &[Package::wheel("demo", "1.0").needs("public-dep<2")], "");
    let index = url(&running, "/simple/");
    let pip = Install::new();
    pip.pip(&newest_pip(), &["--index-url", &index, "demo"]).ok();
    let uv = Install::new();
    uv.uv(&["--default-index", &index, "demo"]).ok();
    for install in [&pip, &uv] {
        assert!(install.module("demo").starts_with("version = '1.0'"));
        assert!(install.module("public_dep").starts_with("version = '1.0'"));
    }
    assert_eq!(files(&running, "/simple/demo/").len(), 1);
    assert_eq!(files(&running, "/public/simple/public-dep/").len(), 2);
    // what was fetched is still there when the upstream is not
    upstream.stop();
    let again = Install::new();
    again.pip(&newest_pip(), &["--index-url", &index, "demo"]).ok();
    assert!(again.module("public_dep").starts_with("version = '1.0'"));
    assert_eq!(get(&running, "/simple/never-seen/", JSON).0, 502);
    assert_eq!(get(&running, "/simple/demo/", JSON).0, 200);
    running.stop();
}

#[test]
fn a_name_that_was_private_once_is_never_asked_for_elsewhere() {
    let upstream = start(&public(), "");
    let running = in_front(&upstream, &[Package::wheel("demo", "1.0")], "");
    for path in ["/simple/demo/", "/public/simple/demo/"] {
        assert!(!get(&running, path, JSON).1.contains("99.0"), "{path}");
    }
    for file in std::fs::read_dir(running.path("packages")).unwrap() {
        std::fs::remove_file(file.unwrap().path()).unwrap();
    }
    crate::harness::eventually("the file goes", || files(&running, "/simple/demo/").is_empty().then_some(()));
    // 404 would send a client to its next index
    assert_eq!(get(&running, "/simple/demo/", JSON).0, 200);
    running.stop();
    upstream.stop();
}

#[test]
fn an_address_from_a_lock_file_is_served_without_its_page() {
    let upstream = start(&public(), "");
    let running = in_front(&upstream, &[], "");
    let there = files(&upstream, "/simple/public-dep/");
    assert_eq!(there.len(), 2);
    for path in &there {
        assert_eq!(get(&running, &format!("{path}.metadata"), "*/*").0, 200, "{path}");
        assert_eq!(get(&running, path, "*/*").0, 200, "{path}");
        assert_eq!(get(&running, &format!("/public{path}"), "*/*").0, 200, "{path}");
    }
    assert_eq!(get(&running, &there[0].replace("public_dep-1.0", "public_dep-2.0"), "*/*").0, 404);
    running.stop();
    upstream.stop();
}

#[test]
fn redirect_and_off() {
    let upstream = start(&public(), "");
    let redirecting = in_front(&upstream, &[], "mode = 'redirect'");
    let base = url(&upstream, "");
    assert!(files(&redirecting, "/simple/public-dep/").iter().all(|url| url.starts_with(&base)));
    let path = &files(&upstream, "/simple/public-dep/")[0];
    assert_eq!(get(&redirecting, path, "*/*").0, 302);
    redirecting.stop();
    let off = in_front(&upstream, &[], "mode = 'off'");
    assert_eq!(get(&off, "/simple/public-dep/", JSON).0, 404);
    off.stop();
    upstream.stop();
}
