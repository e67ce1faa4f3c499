//! The package index, with the clients that people have.

mod access;
mod api;
pub(crate) mod clients;
mod crash;
mod disk;
mod folder;
mod forms;
mod hostile_upstream;
mod mirror;
mod moving;
mod nodes;
mod packages;
pub(crate) mod pages;
mod provenance;
mod uploads;
mod verbs;

use std::path::PathBuf;

use self::clients::{Install, newest_pip, pips};
use self::packages::Package;
use crate::harness::{Running, Setup, eventually, http_get};

/// An index whose folder has these packages, each in the folder of its project.
fn start(packages: &[Package], more: &str) -> Running {
    let config = format!("[index]\nenabled = true\nlisten = '127.0.0.1:0'\nroot = 'packages'\n{more}\n");
    let setup = Setup::run(&config);
    for package in packages {
        package.make(&setup.path("packages"));
    }
    std::fs::create_dir_all(setup.path("packages")).unwrap();
    setup.start()
}

fn url(running: &Running, path: &str) -> String {
    format!("http://{}{path}", running.address("index index"))
}

fn folder(running: &Running) -> PathBuf {
    running.path("packages")
}

/// A program's answer to GET.
fn get(running: &Running, path: &str, accept: &str) -> (u16, String) {
    http_get(&running.address("index index"), path, accept)
}

const JSON: &str = "application/vnd.pypi.simple.v1+json";

fn demo() -> Vec<Package> {
    vec![
        Package::wheel("demo", "1.0").needs("Demo_Dep>=2"),
        Package::wheel("demo", "0.9"),
        Package::wheel("demo", "2.0").python(">=99"),
        Package::sdist("demo", "2.1").python(">=99"),
        Package::wheel("demo.dep", "2.5"),
        Package::wheel("demo.dep", "1.5"),
    ]
}

#[test]
fn every_pip_installs_from_a_folder() {
    let running = start(&demo(), "");
    let index = url(&running, "/simple/");
    for pip in pips() {
        let install = Install::new();
        install.pip(&pip, &["--index-url", &index, "demo"]).ok();
        assert!(install.module("demo").starts_with("version = '1.0'"), "{}", pip.display());
        assert!(install.module("demo_dep").starts_with("version = '2.5'"), "{}", pip.display());
    }
    running.stop();
}

#[test]
fn pip_and_uv_install_from_the_page_of_links() {
    let running = start(&demo(), "");
    for page in ["/find-links/", "/pypi/"] {
        let links = url(&running, page);
        let install = Install::new();
        install.pip(&newest_pip(), &["--no-index", "--find-links", &links, "demo"]).ok();
        assert!(install.module("demo").starts_with("version = '1.0'"));
        let install = Install::new();
        install.uv(&["--no-index", "--find-links", &links, "demo"]).ok();
        assert!(install.module("demo").starts_with("version = '1.0'"));
    }
    running.stop();
}

#[test]
fn uv_installs_and_resolves_by_metadata_alone() {
    let running = start(&demo(), "");
    let install = Install::new();
    let index = url(&running, "/simple/");
    install.uv(&["--default-index", &index, "demo==0.9", "demo-dep"]).ok();
    assert!(install.module("demo").starts_with("version = '0.9'"));
    assert!(install.module("demo_dep").starts_with("version = '2.5'"));
    running.stop();
}

#[test]
fn what_is_put_into_the_folder_appears_and_what_is_taken_out_goes() {
    let running = start(&[], "");
    assert_eq!(get(&running, "/simple/late/", JSON).0, 404);
    let path = Package::wheel("late", "1.0").make(&folder(&running));
    eventually("the file appears", || (get(&running, "/simple/late/", JSON).0 == 200).then_some(()));
    let deep = Package::wheel("late", "1.1").make(&folder(&running).join("a/b/c"));
    eventually("the other appears", || get(&running, "/simple/late/", JSON).1.contains("late-1.1").then_some(()));
    std::fs::remove_file(path).unwrap();
    eventually("the file goes", || (!get(&running, "/simple/late/", JSON).1.contains("late-1.0")).then_some(()));
    std::fs::remove_dir_all(deep.parent().unwrap()).unwrap();
    eventually("the project goes", || (get(&running, "/simple/late/", JSON).0 == 404).then_some(()));
    running.stop();
}

#[test]
fn the_page_of_links_has_eggs_and_their_metadata_decides_whose_they_are() {
    let running = start(&[Package::egg("Old.Thing", "1.0")], "");
    let (status, page) = get(&running, "/find-links/", "*/*");
    assert!(status == 200 && page.contains(">old_thing-1.0-py2.7.egg</a>"), "{page}");
    let (status, page) = get(&running, "/simple/old-thing/", JSON);
    assert!(status == 200 && page.contains("\"versions\":[\"1.0\"]"), "{page}");
    running.stop();
}

#[test]
fn addresses_lead_to_what_is_served_and_nowhere_else() {
    let running = start(&demo(), "");
    eventually("it is there", || (get(&running, "/simple/demo/", JSON).0 == 200).then_some(()));
    std::fs::write(running.path("secret-1.0.tar.gz"), "secret").unwrap();
    let digest = "0".repeat(64);
    for path in [
        "/files/../../secret-1.0.tar.gz",
        "/files/..%2f..%2fsecret-1.0.tar.gz",
        "/files/%2e%2e/%2e%2e/x/secret-1.0.tar.gz",
        "/files/..%252f..%252fsecret-1.0.tar.gz",
        &format!("/files/00/00/{digest}/..%2f..%2fsecret-1.0.tar.gz"),
        &format!("/files/00/00/{digest}/%00"),
        "/files/of/demo/..%2f..%2fsecret-1.0.tar.gz",
        "/simple/..%2f..%2f/",
        "/simple/demo%0a/",
        "/simple/demo%0d%0aSet-Cookie:%20a=b/",
        "/simple/-demo/",
        "/simple/d%C3%A9mo/",
        &format!("/simple/{}/", "x".repeat(5000)),
    ] {
        let (status, body) = get(&running, path, "");
        assert!((400..500).contains(&status), "{path}: {status}");
        assert!(!body.contains("secret\n") && !body.to_lowercase().contains("set-cookie: a"), "{path}: {body}");
    }
    // another spelling is sent to the right one, with nothing of the client's in the header
    assert_eq!(get(&running, "/simple/Demo.Dep/", "").0, 301);
    running.stop();
}
