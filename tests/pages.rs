//! The pages in a real browser: they are well-formed, show what they should, and fit a small screen.

use std::path::Path;
use std::process::Command;

use crate::harness::{Ran, Running, Setup, program};

fn start() -> Running {
    let config = "[finger]\nenabled = true\nlisten = []\nweb = '127.0.0.1:0'\nfile = 'users'\n";
    Setup::run(config).file("users", "moshez: happy and well\nlong: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n").start()
}

fn browser(dir: &Path, args: &[&str], url: &str) -> String {
    let mut chromium = Command::new(program("chromium", "chromium"));
    chromium.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]);
    chromium.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
    chromium.args(["--disable-dev-shm-usage", "--hide-scrollbars"]);
    chromium.arg(format!("--user-data-dir={}", dir.display())).args(args).arg(url);
    Ran::of(&mut chromium).ok()
}

#[test]
fn the_browser_shows_every_page() {
    let running = start();
    let dir = tempfile::tempdir().unwrap();
    let dom = |url: &str| browser(dir.path(), &["--dump-dom"], url);
    let status = dom(&format!("http://{}/", running.address("host status")));
    assert!(status.contains("all well") && !status.contains("parsererror"), "{status}");
    let list = dom(&format!("http://{}/", running.address("finger web")));
    assert!(list.contains("happy and well") && !list.contains("parsererror"), "{list}");
    let nobody = dom(&format!("http://{}/nobody", running.address("finger web")));
    assert!(nobody.contains("404") && !nobody.contains("parsererror"), "{nobody}");
    running.stop();
}

/// A page of our own frames the one under test at 360 px and writes down how wide its content is.
#[test]
fn pages_fit_360_pixels() {
    let running = start();
    let dir = tempfile::tempdir().unwrap();
    for url in
        [format!("http://{}/", running.address("host status")), format!("http://{}/", running.address("finger web"))]
    {
        let dom = browser(dir.path(), &["--dump-dom"], &url);
        let style = dom.split("href=\"").find(|part| part.starts_with("/_/style")).unwrap().split('"').next().unwrap();
        let css = crate::harness::http_get(url.trim_start_matches("http://").trim_end_matches('/'), style, "").1;
        // the same document with its style inside, in a frame of 360 px, measured by a script
        let body = dom.split("<body>").nth(1).unwrap().split("</body>").next().unwrap();
        let inner =
            format!("<!DOCTYPE html><meta name='viewport' content='width=device-width'><style>{css}</style>{body}");
        std::fs::write(dir.path().join("inner.html"), inner).unwrap();
        let outer = "<!DOCTYPE html><body><iframe id=f width=360 height=800 style='border:0' src=inner.html></iframe>\
                     <script>onload = () => { const d = f.contentDocument.documentElement;\
                     document.title = `width ${d.scrollWidth} of ${d.clientWidth}` }</script>";
        std::fs::write(dir.path().join("outer.html"), outer).unwrap();
        let file = format!("file://{}/outer.html", dir.path().display());
        let args = ["--dump-dom", "--allow-file-access-from-files", "--window-size=800,900"];
        let measured = browser(dir.path(), &args, &file);
        assert!(measured.contains("<title>width 360 of 360</title>"), "{url}: {}", measured.lines().next().unwrap());
    }
    running.stop();
}

/// Width and height of a PNG file.
fn size(path: &Path) -> (u32, u32) {
    let bytes = std::fs::read(path).unwrap();
    assert!(bytes.starts_with(b"\x89PNG\r\n"), "{}", path.display());
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

#[test]
fn pictures_of_every_page_small_and_large_light_and_dark() {
    let running = start();
    let dir = tempfile::tempdir().unwrap();
    let web = running.address("finger web");
    for (page, url) in [
        ("status", format!("http://{}/", running.address("host status"))),
        ("list", format!("http://{web}/")),
        ("user", format!("http://{web}/long")),
    ] {
        let mut pictures = Vec::new();
        for (width, scheme) in [(360, 1), (1200, 1), (1200, 0)] {
            let picture = dir.path().join(format!("{page}-{width}-{scheme}.png"));
            let args = [
                format!("--window-size={width},800"),
                format!("--blink-settings=preferredColorScheme={scheme}"),
                format!("--screenshot={}", picture.display()),
            ];
            browser(dir.path(), &args.each_ref().map(String::as_str), &url);
            assert_eq!(size(&picture), (width, 800), "{page}");
            pictures.push(std::fs::read(picture).unwrap());
        }
        assert_ne!(pictures[1], pictures[2], "{page}: the style sheet knows light and dark");
    }
    running.stop();
}
