//! What people and their tools see beside the Simple API: pages in a browser, feeds, JSON, and `pip search`.

use std::process::Command;

use opsctl_testkit::{Chromium, Tab};

use super::clients::{clean, pips};
use super::packages::Package;
use super::{get, start, url};
use crate::harness::{Ran, Running, eventually, program};

fn index() -> Running {
    let running = start(
        &[
            Package::wheel("demo", "1.0").python(">=3.8").summary("<b>A demonstration</b> & more"),
            Package::sdist("demo", "1.1").python(">=3.8").summary("<b>A demonstration</b> & more"),
            Package::wheel("other", "0.1"),
        ],
        "",
    );
    eventually("the packages are there", || get(&running, "/simple/", "").1.contains("other").then_some(()));
    running
}

/// What Python says, given what is at `path`.
fn python(running: &Running, path: &str, code: &str) -> String {
    let code = format!(
        "import json, sys, urllib.request, xml.etree.ElementTree as ET\n\
         body = urllib.request.urlopen(sys.argv[1]).read()\n{code}"
    );
    Ran::of(Command::new(program("python3", "python3")).args(["-c", &code]).arg(url(running, path))).ok()
}

#[test]
fn pip_searches() {
    let running = index();
    let home = tempfile::tempdir().unwrap();
    let pip = pips().into_iter().find(|pip| pip.to_string_lossy().contains("pip-20.3.4")).unwrap();
    for path in ["", "/pypi", "/main/RPC2"] {
        let mut command = Command::new(program("python3", "python3"));
        clean(&mut command, home.path()).arg(pip.join("pip")).args(["search", "--index", &url(&running, path), "DEM"]);
        let said = Ran::of(&mut command).ok();
        assert!(said.contains("demo (1.1)") && said.contains("<b>A demonstration</b> & more"), "{said}");
        assert!(!said.contains("other"), "{said}");
    }
    running.stop();
}

#[test]
fn python_reads_feeds_and_json() {
    let running = index();
    let titles = "print(sorted(item.findtext('title') + '|' + item.findtext('description') for item in ET.fromstring(body).iter('item')))";
    let said = python(&running, "/rss/updates.xml", titles);
    assert_eq!(
        said.trim(),
        "['demo 1.0|<b>A demonstration</b> & more', 'demo 1.1|<b>A demonstration</b> & more', 'other 0.1|']"
    );
    assert!(python(&running, "/rss/packages.xml", titles).contains("'other added|'"));
    assert!(python(&running, "/rss/project/demo/releases.xml", titles).starts_with("['1.0|"));
    let fetch = "import hashlib\nproject = json.loads(body)\nfile = project['urls'][0]\n\
                 bytes = urllib.request.urlopen(file['url']).read()\n\
                 assert hashlib.sha256(bytes).hexdigest() == file['digests']['sha256'] and len(bytes) == file['size']\n\
                 print(project['info']['version'], file['filename'], file['requires_python'], *project['releases'])";
    assert_eq!(python(&running, "/pypi/demo/json", fetch).trim(), "1.1 demo-1.1.tar.gz >=3.8 1.0 1.1");
    let version = python(&running, "/pypi/demo/1.0/json", "print(json.loads(body)['info']['summary'])");
    assert_eq!(version.trim(), "<b>A demonstration</b> & more");
    running.stop();
}

/// Opens a page, finds nothing wrong with it, and these words on it; `OPSCTL_PICTURES` is a folder for pictures.
pub(crate) fn check(tab: &mut Tab<'_>, url: &str, words: &[&str]) {
    tab.open(url);
    shows(tab, words);
}

/// The same of the page that is open.
pub(crate) fn shows(tab: &mut Tab<'_>, words: &[&str]) {
    let url = tab.eval("location.pathname");
    let url = url.as_str().unwrap();
    assert_eq!(tab.look(), "", "{url}");
    let text = tab.text("body");
    words.iter().for_each(|word| assert!(text.contains(word), "{url}: no {word} in {text}"));
    if let Some(folder) = std::env::var_os("OPSCTL_PICTURES") {
        let width = tab.eval("`${innerWidth}${matchMedia('(prefers-color-scheme: dark)').matches ? '-dark' : ''}`");
        let width = width.as_str().unwrap();
        let name: String = url.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
        std::fs::write(std::path::Path::new(&folder).join(format!("{width}{name}.png")), tab.picture()).unwrap();
    }
}

#[test]
fn browsers_see_pages_wide_and_small() {
    let running = index();
    let mut browser = Chromium::start();
    let mut tab = browser.tab(1200);
    let home = url(&running, "/");
    for width in [1200, 360] {
        tab.width(width);
        check(&mut tab, &home, &["demo", "1.1", "<b>A demonstration</b> & more", &format!("{home}simple/"), "twine"]);
        check(&mut tab, &url(&running, "/search?q=dem"), &["demo", "<b>A demonstration</b>"]);
        check(&mut tab, &url(&running, "/search?q=DEMONSTRATION+more"), &["demo", "<b>A demonstration</b>"]);
        check(&mut tab, &url(&running, "/search?q=%22%3E%3Cscript%3E"), &["Nothing is called or described like this"]);
        let file = ["demo-1.1.tar.gz", ">=3.8", &format!("pip install --index-url {home}simple/ demo==1.1")];
        check(&mut tab, &url(&running, "/project/demo/"), &file);
        check(&mut tab, &url(&running, "/project/demo/1.0/"), &["demo-1.0-py2.py3-none-any.whl"]);
        let wheel = "/project/demo/1.0/demo-1.0-py2.py3-none-any.whl";
        check(&mut tab, &url(&running, wheel), &["sha256", ">=3.8", "<b>A demonstration</b>", "Download"]);
    }
    // from page to page, and to the file
    check(&mut tab, &home, &[]);
    let link = tab.eval("document.querySelector('a[href=\"project/demo/\"]').href");
    check(&mut tab, link.as_str().unwrap(), &["demo-1.1.tar.gz"]);
    let file = tab.eval("document.querySelector('th a[href*=\"files/\"]').href");
    assert_eq!(get(&running, file.as_str().unwrap().strip_prefix(home.trim_end_matches('/')).unwrap(), "").0, 200);
    running.stop();
}
