//! What people change in a browser: with and without scripts, wide and small, light and dark.

use std::path::Path;

use opsctl_testkit::{Chromium, Tab};

use super::access::{PASSWORD, accounts, bob};
use super::packages::Package;
use super::pages::{check, shows};
use super::{JSON, get, start, url};
use crate::harness::{Running, eventually};

/// An administrator besides bob, who publishes.
fn root(data: &Path) {
    let file = data.with_extension("password");
    let file = file.to_str().unwrap();
    accounts(data, &["user", "add", "root", "--admin", "--password-file", file]);
}

fn index() -> Running {
    let running = start(
        &[
            Package::wheel("demo", "1.0"),
            Package::wheel("demo", "1.1"),
            Package::wheel("demo", "1.2").padding(40_000),
            Package::sdist("demo", "1.2"),
            Package::wheel("other", "0.1"),
        ],
        "",
    );
    eventually("the packages are there", || get(&running, "/simple/", "").1.contains("other").then_some(()));
    bob(&running.path("data"));
    root(&running.path("data"));
    running
}

/// Fills in a field, as one types.
fn fill(tab: &mut Tab<'_>, selector: &str, text: &str) {
    tab.eval(&format!("document.querySelector({selector:?}).value = {text:?}"));
}

/// Sends the form that has this in its action, and waits for the page that answers.
fn send(tab: &mut Tab<'_>, action: &str) {
    tab.click(&format!("form[action*='{action}'] button[type=submit]"));
    tab.loaded();
}

/// From what asks for a login, through it.
fn log_in(tab: &mut Tab<'_>, page: &str, name: &str) {
    tab.open(page);
    if tab.eval("!document.querySelector('input[type=password]')") == true {
        tab.click("a[href*='/_/login']");
        tab.loaded();
    }
    fill(tab, "input[name=name]", name);
    fill(tab, "input[type=password]", PASSWORD);
    send(tab, "/_/login");
}

/// What is done at one width, with or without scripts.
fn withdraw(running: &Running, tab: &mut Tab<'_>) {
    let simple = |path: &str| get(running, path, JSON).1;
    check(tab, &url(running, "/project/demo/1.1/"), &["demo 1.1", "Yank 1.1"]);
    fill(tab, "input[name=reason]", "broken \"on\" <ARM>");
    send(tab, "yanked");
    shows(tab, &["demo 1.1 is yanked.", "This release is yanked: broken \"on\" <ARM>", "Un-yank 1.1"]);
    assert!(simple("/simple/demo/").contains("\"yanked\":\"broken \\\"on\\\" <ARM>\""), "{}", simple("/simple/demo/"));
    send(tab, "yanked");
    shows(tab, &["demo 1.1 is not yanked any more.", "Yank 1.1"]);
    // shown once
    tab.open(&url(running, "/project/demo/1.1/"));
    assert!(!tab.text("body").contains("any more."), "{}", tab.text("body"));

    let sdist = "/project/demo/1.2/demo-1.2.tar.gz";
    check(tab, &url(running, sdist), &["source distribution", "Yank"]);
    send(tab, "yanked");
    shows(tab, &["demo-1.2.tar.gz is yanked.", "This file is yanked. Tools"]);
    assert_eq!(simple("/simple/demo/").matches("\"yanked\":true").count(), 1);
    send(tab, "yanked");
    shows(tab, &["demo-1.2.tar.gz is not yanked any more."]);
    assert!(!simple("/simple/demo/").contains("\"yanked\":true"));
}

#[test]
fn a_publisher_withdraws_and_an_administrator_says_how_a_project_is() {
    let running = index();
    let mut browser = Chromium::start();
    let mut tab = browser.tab(1200);
    check(&mut tab, &url(&running, "/project/demo/"), &["demo 1.2", "details"]);
    assert!(!tab.text("main").contains("Yank"), "nobody is logged in");
    log_in(&mut tab, &url(&running, "/project/demo/"), "bob");
    withdraw(&running, &mut tab);
    assert!(!tab.text("main").contains("State of the project"), "bob is no administrator");
    tab.scripts(false);
    tab.width(360);
    tab.scheme("dark");
    withdraw(&running, &mut tab);
    tab.scripts(true);
    tab.width(1200);
    tab.scheme("light");
    tab.open(&url(&running, "/"));
    tab.eval("document.querySelector('form[action=\"/_/logout\"]').closest('details').open = true");
    send(&mut tab, "/_/logout");

    log_in(&mut tab, &url(&running, "/project/demo/"), "root");
    shows(&mut tab, &["State of the project"]);
    tab.eval("document.querySelector('select[name=state]').value = 'archived'");
    fill(&mut tab, "[id=status-reason]", "no longer needed");
    send(&mut tab, "status");
    shows(&mut tab, &["demo is archived now.", "This project is archived: no longer needed."]);
    assert!(get(&running, "/simple/demo/", JSON).1.contains("\"status\":\"archived\""));
    let log = running.stop();
    assert!(!log.contains("panicked"), "{log}");
}

#[test]
fn what_is_removed_is_asked_for_first() {
    let running = index();
    let mut browser = Chromium::start();
    let mut tab = browser.tab(360);
    tab.scripts(false);
    log_in(&mut tab, &url(&running, "/project/demo/"), "bob");
    let file = |name: &str| running.path(&format!("packages/{name}"));
    assert!(file("demo-1.2.tar.gz").exists());

    check(&mut tab, &url(&running, "/project/demo/1.2/demo-1.2.tar.gz/remove"), &["Remove demo-1.2.tar.gz?", "Cancel"]);
    tab.click("main a.button");
    tab.loaded();
    shows(&mut tab, &["source distribution"]);
    tab.open(&url(&running, "/project/demo/1.2/demo-1.2.tar.gz/remove"));
    tab.click("main button");
    tab.loaded();
    shows(&mut tab, &["demo-1.2.tar.gz is removed.", "demo 1.2", "demo-1.2-py2.py3-none-any.whl"]);
    assert!(!file("demo-1.2.tar.gz").exists());

    tab.open(&url(&running, "/project/demo/1.2/remove"));
    shows(&mut tab, &["Remove demo 1.2?"]);
    tab.click("main button");
    tab.loaded();
    shows(&mut tab, &["demo 1.2 is removed.", "demo 1.1"]);
    assert!(!get(&running, "/simple/demo/", JSON).1.contains("demo-1.2"));

    tab.open(&url(&running, "/project/demo/remove"));
    shows(&mut tab, &["Type demo to go on", "2 files are deleted"]);
    fill(&mut tab, "input[name=typed]", "other");
    tab.click("main button");
    tab.loaded();
    assert!(tab.faults().iter().all(|fault| fault.contains("422")));
    shows(&mut tab, &["Confirmation must be demo"]);
    assert!(file("demo-1.1-py2.py3-none-any.whl").exists());
    fill(&mut tab, "input[name=typed]", "demo");
    tab.click("main button");
    tab.loaded();
    shows(&mut tab, &["demo is removed.", "Newest releases", "other"]);
    assert_eq!(get(&running, "/simple/demo/", JSON).0, 404);
    running.stop();
}

/// Sends the files. A script does it by itself, and changes the page when they are there.
fn sent(tab: &mut Tab<'_>, scripts: bool, words: &str) {
    if !scripts {
        return send(tab, "upload");
    }
    tab.click("form[action*=upload] button[type=submit]");
    tab.until(&format!("document.body.textContent.includes({words:?})"));
}

#[test]
fn files_are_uploaded_by_a_form() {
    let running = index();
    let made = tempfile::tempdir().unwrap();
    let wheel = Package::wheel("brought", "1.0").make(made.path());
    let broken = made.path().join("broken-1.0-py3-none-any.whl");
    std::fs::write(&broken, "no wheel at all").unwrap();
    let mut browser = Chromium::start();
    let mut tab = browser.tab(1200);
    // who is not logged in is led to the login, and back
    log_in(&mut tab, &url(&running, "/upload"), "bob");
    for scripts in [true, false] {
        tab.scripts(scripts);
        tab.width(if scripts { 1200 } else { 360 });
        tab.scheme(if scripts { "light" } else { "dark" });
        check(&mut tab, &url(&running, "/upload"), &["Upload", "Wheels and source distributions"]);
        tab.choose("input[name=content]", &broken);
        sent(&mut tab, scripts, "What became of them");
        assert!(tab.faults().iter().all(|fault| fault.contains("422")));
        shows(&mut tab, &["What became of them", "refused", "broken-1.0-py3-none-any.whl"]);
        tab.choose("input[name=content]", &wheel);
        let said = if scripts { "is uploaded" } else { "was here already, the very same" };
        sent(&mut tab, scripts, said);
        shows(&mut tab, &[&format!("brought-1.0-py2.py3-none-any.whl {said}."), "brought 1.0"]);
    }
    assert_eq!(
        std::fs::read(running.path("packages/brought").join(wheel.file_name().unwrap())).unwrap(),
        std::fs::read(&wheel).unwrap()
    );
    check(&mut tab, &url(&running, "/project/brought/1.0/brought-1.0-py2.py3-none-any.whl"), &["bob"]);
    running.stop();
}

#[test]
fn an_administrator_decides_about_names_and_reads_what_happened() {
    let running = index();
    let mut browser = Chromium::start();
    let mut tab = browser.tab(1200);
    log_in(&mut tab, &url(&running, "/origins"), "root");
    for (width, scheme, name) in [(1200, "light", "acme"), (360, "dark", "umbrella")] {
        tab.width(width);
        tab.scheme(scheme);
        tab.scripts(width > 500);
        check(&mut tab, &url(&running, "/origins"), &["Where names come from"]);
        fill(&mut tab, "input[name=pattern]", &format!("{name}-*"));
        send(&mut tab, "reservations");
        shows(&mut tab, &[&format!("{name}-* is reserved."), "root"]);
        fill(&mut tab, "input[name=project]", &format!("{name}.Lib"));
        tab.eval("document.querySelector('select[name=origin]').value = 'blocked'");
        tab.click("form[action='origins'] button[type=submit]");
        tab.loaded();
        shows(&mut tab, &[&format!("{name}-lib: blocked.")]);
        assert_eq!(get(&running, &format!("/simple/{name}-lib/"), JSON).0, 403);
        send(&mut tab, &format!("origins/{name}-lib"));
        shows(&mut tab, &[&format!("{name}-lib: undecided")]);
        send(&mut tab, &format!("reservations/{name}-"));
        shows(&mut tab, &[&format!("{name}-* is not reserved any more.")]);
        fill(&mut tab, "input[name=pattern]", "*");
        send(&mut tab, "reservations");
        assert!(tab.faults().iter().all(|fault| fault.contains("422")));
        shows(&mut tab, &["reserves nothing"]);

        check(&mut tab, &url(&running, "/changes"), &["unreserve", "blocked", "127.0.0.1", "appear", "demo-1.0"]);
        check(&mut tab, &url(&running, "/changes?action=reserve&actor=root"), &[&format!("{name}-*")]);
        assert!(!tab.text("table").contains("appear"));
        check(&mut tab, &url(&running, "/"), &["Account and tokens", "Changes", "Origins", "Upload", "Users"]);
    }
    running.stop();
}
