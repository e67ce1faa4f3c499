//! The pages in a real browser: they show what they should, wide and small, light and dark.

use opsctl_testkit::{Chromium, Tab};

use crate::harness::{Running, Setup};

fn start() -> Running {
    let config = "[finger]\nenabled = true\nlisten = []\nweb = '127.0.0.1:0'\nfile = 'users'\n";
    Setup::run(config).file("users", "moshez: happy and well\nlong: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n").start()
}

/// Every page, and a word on it.
fn pages(running: &Running) -> [(String, &'static str); 3] {
    let web = running.address("finger web");
    [
        (format!("http://{}/", running.address("host status")), "all well"),
        (format!("http://{web}/"), "happy and well"),
        (format!("http://{web}/long"), "aaaaaaaa"),
    ]
}

fn check(tab: &mut Tab<'_>, url: &str, word: &str) -> Vec<u8> {
    tab.open(url);
    assert_eq!(tab.look(), "", "{url}");
    assert!(tab.text("main").contains(word), "{url}: {}", tab.text("main"));
    let picture = tab.picture();
    assert!(picture.starts_with(b"\x89PNG\r\n") && picture.len() > 5000, "{url}: {}", picture.len());
    picture
}

#[test]
fn every_page_is_well_formed_and_fits_small_and_large_light_and_dark() {
    let running = start();
    let mut browser = Chromium::start();
    let mut tab = browser.tab(1200);
    for width in [1200, 360] {
        tab.width(width);
        for (url, word) in pages(&running) {
            let pictures = ["light", "dark"].map(|scheme| {
                tab.scheme(scheme);
                check(&mut tab, &url, word)
            });
            assert_ne!(pictures[0], pictures[1], "{url}: the style sheet knows light and dark");
        }
    }
    running.stop();
}

#[test]
fn errors_are_pages_too() {
    let running = start();
    let mut browser = Chromium::start();
    let mut tab = browser.tab(360);
    tab.open(&format!("http://{}/nobody", running.address("finger web")));
    assert!(tab.text("h1").starts_with("404"), "{}", tab.text("h1"));
    // that it is an error is what the browser complains about
    assert!(tab.faults().iter().all(|fault| fault.contains("404")));
    assert_eq!(tab.look(), "");
    running.stop();
}

/// The status page looks again by itself: what has changed is seen without a reload.
#[test]
fn the_status_page_refreshes() {
    let running = start();
    let mut browser = Chromium::start();
    let mut tab = browser.tab(1200);
    tab.open(&format!("http://{}/", running.address("host status")));
    tab.eval("document.querySelector('#status td').textContent = 'gone by'");
    tab.until("!document.querySelector('#status').textContent.includes('gone by')");
    assert_eq!(tab.look(), "");
    running.stop();
}
