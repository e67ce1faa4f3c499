//! How installers choose and fetch: by metadata alone, by parts of files, by digests, by lock files, by dates.

use std::process::Command;

use super::super::packages::Package;
use super::super::uploads::sha256;
use super::super::verbs::{run, shows};
use super::super::{demo, start, url};
use super::tap::{Tap, asks, asks_for_a_wheel};
use super::{Install, clean, newest_pip, pip, pips, publisher};
use crate::harness::{Ran, read};

#[test]
fn uv_resolves_without_a_wheel_and_asks_again_for_what_has_changed_only() {
    let running = start(&demo(), "");
    let tap = Tap::before(&running);
    let install = Install::new();
    std::fs::write(install.path().join("needs"), "demo\n").unwrap();
    let index = tap.url("/simple/");
    let compile = ["pip", "compile", "--python", "/usr/bin/python3", "--no-header", "--default-index", &index, "needs"];
    let said = install.run_uv(&compile).ok();
    assert!(said.contains("demo==1.0") && said.contains("demo-dep==2.5"), "{said}");
    let requests = tap.take();
    assert!(asks(&requests, "GET", ".whl.metadata") && !asks_for_a_wheel(&requests), "{requests:#?}");
    assert!(!asks(&requests, "HEAD", "") && !requests.iter().any(|head| head.contains("\nrange:")), "{requests:#?}");
    install.run_uv(&[&compile[..], &["--refresh"]].concat()).ok();
    let requests = tap.take();
    assert!(requests.iter().any(|head| head.contains("/simple/demo/") && head.contains("\nif-none-match: \"")));
    running.stop();
}

#[test]
fn pip_resolves_by_metadata_and_fetches_what_it_chose() {
    let running = start(&demo(), "");
    let tap = Tap::before(&running);
    let install = Install::new();
    install.pip(&newest_pip(), &["--index-url", &tap.url("/simple/"), "demo"]).ok();
    let requests = tap.take();
    assert!(asks(&requests, "GET", "demo-1.0-py2.py3-none-any.whl.metadata"), "{requests:#?}");
    let wheels = requests.iter().filter(|head| head.lines().next().unwrap().ends_with(".whl"));
    assert_eq!(wheels.count(), 2, "one of each project: {requests:#?}");
    running.stop();
}

#[test]
fn an_old_pip_takes_parts_of_wheels() {
    let running = start(&demo(), "");
    let tap = Tap::before(&running);
    let install = Install::new();
    let index = tap.url("/simple/");
    install.pip(&pip("22.2.2"), &["--use-feature=fast-deps", "--index-url", &index, "demo"]).ok();
    assert!(install.module("demo_dep").starts_with("version = '2.5'"));
    let requests = tap.take();
    assert!(asks(&requests, "HEAD", ".whl"), "{requests:#?}");
    assert!(requests.iter().any(|head| head.contains("\nrange: bytes=")), "{requests:#?}");
    running.stop();
}

#[test]
fn pip_downloads_and_lists_versions() {
    let running = start(&demo(), "");
    let index = url(&running, "/simple/");
    let install = Install::new();
    let newest = newest_pip();
    install.run_pip(&newest, &["download", "--quiet", "--index-url", &index, "--dest", "got", "demo"]).ok();
    for name in ["demo-1.0-py2.py3-none-any.whl", "demo_dep-2.5-py2.py3-none-any.whl"] {
        let (got, there) = (install.path().join("got").join(name), running.path("packages").join(name));
        assert!(std::fs::read(got).unwrap() == std::fs::read(there).unwrap(), "{name}");
    }
    let versions = install.run_pip(&newest, &["index", "versions", "--index-url", &index, "demo-dep"]).ok();
    assert!(versions.contains("demo-dep (2.5)") && versions.contains("Available versions: 2.5, 1.5"), "{versions}");
    let no = install.run_pip(&newest, &["download", "--index-url", &index, "--dest", "got", "nowhere"]);
    assert!(no.code == Some(1) && no.stderr.contains("No matching distribution found for nowhere"), "{no:?}");
    running.stop();
}

#[test]
fn digests_are_held_against_what_comes() {
    let running = start(&demo(), "");
    let index = url(&running, "/simple/");
    let path = running.path("packages").join(Package::wheel("demo.dep", "2.5").filename());
    for pip in pips() {
        let needs = |digest: &str| {
            let install = Install::new();
            let file = install.path().join("needs");
            std::fs::write(&file, format!("demo-dep==2.5 --hash=sha256:{digest}\n")).unwrap();
            install.pip(&pip, &["--require-hashes", "--index-url", &index, "-r", file.to_str().unwrap()])
        };
        needs(&sha256(&path)).ok();
        let refused = needs(&"0".repeat(64));
        assert!(refused.code == Some(1) && refused.stderr.contains("DO NOT MATCH THE HASHES"), "{refused:?}");
    }
    running.stop();
}

#[test]
fn uv_locks_and_installs_what_was_locked() {
    let running = start(&demo(), "");
    let tap = Tap::before(&running);
    let install = Install::new();
    let project = format!(
        "[project]\nname = 'locked'\nversion = '1'\nrequires-python = '>=3.11'\ndependencies = ['demo']\n\
         [[tool.uv.index]]\nurl = '{}'\ndefault = true\n",
        tap.url("/simple/")
    );
    std::fs::write(install.path().join("pyproject.toml"), project).unwrap();
    // here its configuration is what the project says
    let uv = |words: &[&str]| {
        let mut command = Command::new(super::tool("uv"));
        clean(&mut command, install.path()).env_remove("UV_NO_CONFIG").current_dir(install.path());
        Ran::of(command.args(words).args(["--python", "/usr/bin/python3"]))
    };
    uv(&["lock"]).ok();
    let lock = read(install.path().join("uv.lock"));
    let digest = sha256(&running.path("packages").join(Package::wheel("demo", "1.0").filename()));
    assert!(lock.contains(&format!("sha256:{digest}")) && lock.contains("upload-time = ") && lock.contains("size = "));
    assert!(!asks_for_a_wheel(&tap.take()));
    std::fs::remove_dir_all(install.path().join("uv")).unwrap();
    uv(&["sync", "--frozen"]).ok();
    let requests = tap.take();
    assert!(
        asks_for_a_wheel(&requests) && !asks(&requests, "GET", "/simple/"),
        "by the addresses alone: {requests:#?}"
    );
    let module = install.path().join(".venv/lib/python3.11/site-packages/demo.py");
    assert!(read(module).starts_with("version = '1.0'"));
    running.stop();
}

#[test]
fn poetry_locks() {
    let running = start(&[Package::wheel("demo", "1.0").needs("Demo_Dep>=2"), Package::wheel("demo.dep", "2.5")], "");
    let home = tempfile::tempdir().unwrap();
    let project = format!(
        "[project]\nname = 'locked'\nversion = '1'\nrequires-python = '>=3.11,<4'\ndependencies = ['demo']\n\
         [tool.poetry]\npackage-mode = false\n[[tool.poetry.source]]\nname = 'here'\nurl = '{}'\n",
        url(&running, "/simple/")
    );
    std::fs::write(home.path().join("pyproject.toml"), project).unwrap();
    let mut poetry = Command::new(publisher("poetry"));
    clean(&mut poetry, home.path()).env("POETRY_KEYRING_ENABLED", "false").env("POETRY_VIRTUALENVS_CREATE", "false");
    Ran::of(poetry.current_dir(home.path()).args(["lock", "--no-interaction"])).ok();
    let lock = read(home.path().join("poetry.lock"));
    let digest = sha256(&running.path("packages").join(Package::wheel("demo", "1.0").filename()));
    assert!(lock.contains(&format!("sha256:{digest}")) && lock.contains("name = \"demo-dep\""), "{lock}");
    running.stop();
}

#[test]
fn what_was_yanked_comes_to_who_insists_only() {
    let running = start(&[Package::wheel("demo", "1.0"), Package::wheel("demo", "1.1")], "");
    run(&running, "yank demo==1.1 --reason broken").ok();
    shows(&running, "", "demo", r#""yanked":"broken""#, true);
    let index = url(&running, "/simple/");
    // the first that knows of it is 19.2
    for pip in pips() {
        let install = Install::new();
        install.pip(&pip, &["--index-url", &index, "demo"]).ok();
        assert!(install.module("demo").starts_with("version = '1.0'"), "{}", pip.display());
        let install = Install::new();
        let said = install.pip(&pip, &["--index-url", &index, "demo==1.1"]);
        assert!(said.stderr.contains("Reason for being yanked: broken"), "{said:?}");
        said.ok();
        assert!(install.module("demo").starts_with("version = '1.1'"), "{}", pip.display());
    }
    let install = Install::new();
    install.uv(&["--default-index", &index, "demo"]).ok();
    assert!(install.module("demo").starts_with("version = '1.0'"));
    let install = Install::new();
    let said = install.uv(&["--default-index", &index, "demo==1.1"]);
    assert!(said.stderr.contains("broken"), "{said:?}");
    assert!(install.module("demo").starts_with("version = '1.1'"));
    running.stop();
}

#[test]
fn dates_decide() {
    let running = start(&[Package::wheel("demo", "1.0")], "");
    let index = url(&running, "/simple/");
    let newest = newest_pip();
    for (date, is_there) in [("2020-01-01T00:00:00Z", false), ("2999-01-01T00:00:00Z", true)] {
        let by_pip = Install::new().pip(&newest, &["--uploaded-prior-to", date, "--index-url", &index, "demo"]);
        assert_eq!(by_pip.code == Some(0), is_there, "{by_pip:?}");
        assert!(!by_pip.stderr.contains("does not provide upload-time"), "{by_pip:?}");
        let by_uv = Install::new().uv(&["--exclude-newer", date, "--default-index", &index, "demo"]);
        assert_eq!(by_uv.code == Some(0), is_there, "{by_uv:?}");
    }
    running.stop();
}
