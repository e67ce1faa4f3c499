//! The gallery in a real browser: wide and at 360 px, light and dark, with scripts and without.

use std::net::SocketAddr;

use opsctl_testkit::Chromium;
use tokio::runtime::Runtime;

use crate::gallery::{self, ADDRESSES};

struct Site {
    _runtime: Runtime,
    address: SocketAddr,
}

impl Site {
    fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let address = gallery::start(runtime.handle());
        Self { _runtime: runtime, address }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

#[test]
fn every_page_fits_small_and_large_light_and_dark() {
    let site = Site::start();
    let mut browser = Chromium::start();
    let mut tab = browser.tab(1200);
    for path in ADDRESSES {
        let mut pictures = Vec::new();
        for (width, scheme) in [(1200, "light"), (1200, "dark"), (360, "light"), (360, "dark")] {
            tab.width(width);
            tab.scheme(scheme);
            tab.open(&site.url(path));
            assert_eq!(tab.look(), "", "{path} at {width} in {scheme}");
            assert_ne!(tab.text("h1"), "", "{path}");
            let picture = tab.picture();
            if let Some(folder) = option_env!("OPSCTL_PICTURES") {
                let name = path.replace(['/', '?', '='], "_");
                std::fs::write(format!("{folder}/{name}-{width}-{scheme}.png"), &picture).unwrap();
            }
            assert!(picture.starts_with(b"\x89PNG") && picture.len() > 10_000, "{path}: {}", picture.len());
            pictures.push(picture);
        }
        assert_ne!(pictures[0], pictures[1], "{path}");
        assert_ne!(pictures[2], pictures[3], "{path}");
    }
}

/// What is typed, sent, refused, mended and saved, with the page's own scripts or without.
fn fill_in(scripts: bool) {
    let site = Site::start();
    let mut browser = Chromium::start();
    let mut tab = browser.tab(360);
    tab.scripts(scripts);
    tab.open(&site.url("/forms"));
    assert_eq!(tab.eval("document.documentElement.className"), if scripts { "scripted" } else { "" });
    tab.click("#f-name");
    tab.type_text("taken");
    tab.click("#f-keep_days");
    tab.type_text("30");
    tab.click("#f-notes");
    tab.type_text("one\n<two> & ]]>");
    tab.click("#f-volatile");
    tab.click("form[action='/forms'] button[type=submit]");
    tab.loaded();
    assert_eq!(tab.text(".summary a"), "Name");
    assert_eq!(tab.text("#f-name-error"), "Name is taken by another project");
    assert_eq!(tab.eval("document.querySelector('#f-keep_days').value"), "30");
    assert_eq!(tab.eval("document.querySelector('#f-notes').value"), "one\n<two> & ]]>");
    assert_eq!(tab.eval("document.querySelector('#f-volatile').checked"), true);
    assert_eq!(tab.eval("document.querySelector('#f-kind').value"), "merge");
    assert_eq!(tab.eval("document.activeElement.className"), if scripts { "summary" } else { "" });
    tab.faults();
    assert_eq!(tab.look(), "");
    // the summary leads to the field
    tab.click(".summary a");
    tab.until("location.hash === '#f-name'");
    tab.click("#f-name");
    tab.eval("document.querySelector('#f-name').select()");
    tab.type_text("zope");
    tab.key("Enter");
    tab.loaded();
    assert_eq!(tab.eval("location.pathname"), "/table");
    assert_eq!(tab.text(".message.ok"), "zope was saved by PUT");
    tab.open(&site.url("/table"));
    assert_eq!(tab.text(".message"), "", "once");
    tab.faults();
    // the token of an anonymous browser
    tab.open(&site.url("/login"));
    tab.click("#f-user");
    tab.type_text("ada");
    tab.click("#f-password");
    tab.type_text("secret");
    tab.key("Enter");
    tab.loaded();
    assert_eq!(tab.text(".message"), "welcome, ada, with 6 characters");
    assert_eq!(tab.faults(), [""; 0]);
}

#[test]
fn forms_with_scripts() {
    fill_in(true);
}

#[test]
fn forms_without_scripts() {
    fill_in(false);
}

/// A file is sent in the way of the browser, or with a bar that shows how far it is.
#[test]
fn uploads() {
    let site = Site::start();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.whl");
    std::fs::write(&file, vec![b'x'; 300_000]).unwrap();
    let mut browser = Chromium::start();
    let mut tab = browser.tab(1200);
    for scripts in [false, true] {
        tab.scripts(scripts);
        tab.open(&site.url("/forms"));
        tab.choose("#f-content", &file);
        if scripts {
            assert_eq!(tab.text("[data-drop] li"), "a.whl, 293 KiB");
        }
        tab.click("form[action='/upload'] button");
        tab.until("location.pathname === '/table' && document.querySelector('.message')");
        assert!(tab.text(".message").starts_with("300") && tab.text(".message").ends_with(" bytes came"));
        assert_eq!(tab.look(), "");
        // what the script put there is a page like any other
        assert_eq!(tab.text("title"), "Files · gallery · opsctl");
    }
}

/// A part of a page is fetched again by itself; what was opened stays open, and messages are not used up.
#[test]
fn a_part_that_refreshes() {
    let site = Site::start();
    let mut browser = Chromium::start();
    let mut tab = browser.tab(1200);
    tab.open(&site.url("/jobs"));
    tab.click("#jobs summary");
    tab.eval("document.activeElement.blur()");
    let first: u64 = tab.text(".asked").parse().unwrap();
    tab.until(&format!("Number(document.querySelector('.asked').textContent) > {}", first + 2));
    assert_eq!(tab.eval("document.querySelector('#jobs details').open"), true);
    assert_eq!(tab.eval("document.querySelectorAll('#jobs .copy').length"), 1);
    assert_eq!(tab.faults(), [""; 0]);
    tab.scripts(false);
    tab.open(&site.url("/jobs"));
    assert_ne!(tab.text(".asked"), "");
}

#[test]
fn copying_and_menus_and_keys() {
    let site = Site::start();
    let mut browser = Chromium::start();
    let mut tab = browser.tab(1200);
    tab.open(&site.url("/"));
    let grant = serde_json::json!({ "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"] });
    tab.call("Browser.grantPermissions", grant);
    tab.click(".copy");
    tab.until("document.querySelector('.copy').textContent === 'Copied'");
    assert!(tab.eval("navigator.clipboard.readText()").as_str().unwrap().starts_with("pip install"));
    tab.click("details.user summary");
    tab.until("document.querySelector('details.user').open");
    tab.key("Escape");
    tab.until("!document.querySelector('details.user').open");
    // the first stop is the way past the header, and where one is can be seen
    tab.open(&site.url("/"));
    tab.key("Tab");
    assert_eq!(tab.eval("document.activeElement.className"), "skip");
    assert_ne!(tab.eval("getComputedStyle(document.activeElement).outlineStyle"), "none");
    tab.key("Enter");
    tab.until("location.hash === '#main'");
}

/// Sort by a heading, go to another page: the links of a table.
#[test]
fn tables() {
    let site = Site::start();
    let mut browser = Chromium::start();
    let mut tab = browser.tab(1200);
    tab.scripts(false);
    tab.open(&site.url("/table?q=a&page=2"));
    tab.click("th.number a");
    tab.loaded();
    assert_eq!(tab.eval("location.search"), "?q=a&sort=-size");
    assert_eq!(tab.eval("document.querySelector('th.number').ariaSort"), "descending");
    tab.click("a[rel=next]");
    tab.loaded();
    assert_eq!(tab.eval("location.search"), "?q=a&sort=-size&page=2");
    assert_eq!(tab.text(".pager p"), "11–20 of 47");
    tab.click("th.number a");
    tab.loaded();
    assert_eq!(tab.eval("location.search"), "?q=a&sort=size");
    assert_eq!(tab.eval("document.querySelector('.search input').value"), "a");
}

/// What the pages are measured by finds faults.
#[test]
fn measures_find_faults() {
    let site = Site::start();
    let mut browser = Chromium::start();
    let mut tab = browser.tab(360);
    let mut check = |change: &str, expected: &str| {
        tab.open(&site.url("/forms"));
        tab.eval(change);
        let look = tab.look();
        assert!(look.contains(expected) && look.lines().count() == 1, "{change}: {look}");
    };
    check("document.querySelector('h1').style.width = '400px'", "; h1  416");
    check(
        "Object.assign(document.querySelector('main button').style, { minHeight: 0, padding: 0 })",
        "too small: button",
    );
    check("document.querySelector('h1').style.color = '#888'", "too pale: ");
    let image =
        "new Promise((done) => { const i = document.createElement('img'); i.onerror = done; i.src = '/none.png'; })";
    check(image, "none.png");
    check("setTimeout(() => nothing.there), new Promise((done) => setTimeout(done))", "ReferenceError");
}

/// What is destroyed was asked for, on a page and by a word.
#[test]
fn questions() {
    let site = Site::start();
    let mut browser = Chromium::start();
    let mut tab = browser.tab(360);
    tab.scripts(false);
    tab.open(&site.url("/delete"));
    tab.click("#f-typed");
    tab.type_text("zope");
    tab.key("Enter");
    tab.loaded();
    assert_eq!(tab.text("#f-typed-error"), "Confirmation must be zope.interface");
    tab.click("#f-typed");
    tab.type_text(".interface");
    tab.click("button.danger");
    tab.loaded();
    assert_eq!(tab.text(".message"), "zope.interface was deleted");
}
