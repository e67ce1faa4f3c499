//! The same in a browser, with scripts and without; and for an XML parser, whatever titles hold.

use std::path::PathBuf;
use std::process::Command;

use opsctl_testkit::{Chromium, Tab};
use serde_json::json;

use super::{PASSWORD, Service};
use crate::encoder::clip;
use crate::harness::{Ran, eventually, program};
use crate::index::pages::{check, shows};

/// One video and pictures.
const SMALL: &str = "profile = 'small'\nprofiles.small.output.h264 = { kind = 'mp4', short_side = 144 }\n\
                     profiles.small.output.poster = { kind = 'poster', short_side = 144 }\n\
                     profiles.small.output.thumb = { kind = 'thumbs', count = 2, short_side = 90 }";

/// Titles that break what is put together carelessly.
const TITLES: [&str; 4] = [
    "<script>alert(1)</script> & \"it's\" ]]> {{ 7 * 7 }}",
    "\u{1F3AC} party \u{202E}gpj.eivom\u{202C} \u{feff}",
    "\u{5e9}\u{5dc}\u{5d5}\u{5dd} \u{0639}\u{0644}\u{064a}\u{0643}\u{0645} 50% off?#/../",
    "&amp;&lt;&#0;&bogus; \u{ffff} %00",
];

/// What Python says of files that are pages.
fn python(service: &Service, paths: &[String], code: &str) -> String {
    let code = format!(
        "import sys, xml.etree.ElementTree as ET\nX = '{{http://www.w3.org/1999/xhtml}}'\n\
         pages = [ET.parse(file).getroot() for file in sys.argv[1:]]\n\
         def by(page, tag, **wanted):\n    \
             return [e for e in page.iter(X + tag) if all(v in e.get(k.strip('_'), '').split() for k, v in wanted.items())]\n{code}"
    );
    let mut command = Command::new(program("python3", "python3"));
    command.args(["-c", &code]);
    for (at, path) in paths.iter().enumerate() {
        let answer = service.acme(path, &["-H", "Accept: application/xhtml+xml"]);
        assert_eq!(answer.header("content-type"), Some("application/xhtml+xml; charset=utf-8"), "{path}: {answer:?}");
        let file = service.running.path(&format!("page-{at}"));
        std::fs::write(&file, &answer.body).unwrap();
        command.arg(file);
    }
    Ran::of(&mut command).ok()
}

#[test]
fn pages_are_xml_whatever_they_show() {
    let service = Service::start(&format!("{SMALL}\njobs = 0\nquota = '1GiB'"));
    let clip = clip("carphone_pristine.mp4");
    for (at, title) in TITLES.iter().enumerate() {
        let header = format!("X-Flvio-Title: {title}");
        service
            .put(&format!("t{at}.json"), &clip, &["-H", &header, "-H", &header.replace("Title", "Filename")])
            .is(201);
    }
    service.put("control", &clip, &["-H", "X-Flvio-Title: a\u{1}b"]).is(400);
    service.acme("/api/v1/media/t0.json", &["-X", "PATCH", "-d", "title=a%01b"]).is(400);

    let paths = |path: &str| vec![format!("/api/v1/{path}")];
    let titles = python(
        &service,
        &paths("media"),
        "print(*[''.join(e.itertext()) for e in reversed(by(pages[0], 'bdi'))], sep='\\n')\n\
         assert by(pages[0], 'ul', _class='media-list')[0].findall(X + 'li/' + X + 'div')[0].get('id') == 'item-t3.json'\n\
         assert [e.text for e in by(pages[0], 'dd', _class='status')[0].iter(X + 'span')] == ['queued']\n\
         assert by(pages[0], 'link', rel='self') and len(by(pages[0], 'a', rel='item')) == 4",
    );
    let shown: Vec<String> = TITLES.iter().map(|title| title.replace('\u{ffff}', "\u{fffd}")).collect();
    assert_eq!(titles.trim_end_matches('\n').split('\n').collect::<Vec<_>>(), shown);
    let all: Vec<String> = (0..TITLES.len())
        .flat_map(|at| ["", "/delete", "/job", "/assets"].map(|rest| format!("/api/v1/media/t{at}.json{rest}")))
        .chain(
            ["jobs", "account", "media?q=%3C%22%26&status=%3E", "media?page=9", "media/none", "jobs?open=yes"]
                .map(|path| format!("/api/v1/{path}")),
        )
        .collect();
    let said = python(&service, &all, "print(len(pages), by(pages[0], 'input', name='title')[0].get('value'))");
    assert_eq!(said.trim_end(), format!("{} {}", all.len(), TITLES[0]));

    // an item may be called t0.json: what is wanted is said in the query
    let page = service.acme("/api/v1/media/t0.json?format=xhtml", &[]).is(200);
    assert_eq!(page.header("content-type"), Some("application/xhtml+xml; charset=utf-8"));
    let json = service.acme("/api/v1/media/t0.json?format=json", &["-H", "Accept: text/html"]).is(200).json();
    assert_eq!(json["title"], TITLES[0]);
    assert!(json["created"].as_str().unwrap().ends_with('Z'), "{json}");
    service.acme("/api/v1/media?format=yaml", &[]).is(400);
    // an old browser, that knows no XHTML
    let page = service.acme("/api/v1/media", &["-H", "Accept: text/html"]).is(200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let account = service.acme("/api/v1/account", &[]).is(200).json();
    assert_eq!((&account["usage"]["items"], &account["quota"]), (&4.into(), &(1_u64 << 30).into()));
    assert_eq!(service.acme("/api/v1/accounts/acme/account", &[]).is(200).json()["profile"], "small");
    let jobs = service.acme("/api/v1/jobs?rows=2", &[]).is(200);
    assert!(jobs.header("link").unwrap().contains("rel=\"next\""), "{jobs:?}");
    service.running.stop();
}

/// Through the login that the first page leads to.
fn log_in(tab: &mut Tab<'_>, service: &Service) {
    tab.open(&service.url("/"));
    fill(tab, "input[name=name]", "acme");
    fill(tab, "input[type=password]", PASSWORD);
    send(tab, "form[action*='/_/login']");
}

fn fill(tab: &mut Tab<'_>, selector: &str, text: &str) {
    tab.eval(&format!("document.querySelector({selector:?}).value = {text:?}"));
}

/// Sends a form, and waits for the page that answers.
fn send(tab: &mut Tab<'_>, form: &str) {
    tab.click(&format!("{form} button[type=submit]"));
    tab.loaded();
}

/// A clip by a path that browsers take: they send nothing that is below `..`.
fn chosen(name: &str) -> PathBuf {
    clip(name).canonicalize().unwrap()
}

/// The page of the item that is open, by its own address.
fn path(tab: &mut Tab<'_>) -> String {
    tab.eval("location.pathname").as_str().unwrap().to_owned()
}

#[test]
fn a_video_is_uploaded_in_a_browser_plays_and_is_deleted() {
    let service = Service::start("");
    let mut browser = Chromium::start();
    let mut tab = browser.tab(1200);
    log_in(&mut tab, &service);
    shows(&mut tab, &["Library", "No videos yet", "Upload"]);
    tab.choose("input[type=file]", &chosen("movie-hello.avi"));
    fill(&mut tab, "#f-title", "Hello from <us>");
    tab.click("form[aria-label=Upload] button[type=submit]");
    tab.until("location.pathname.startsWith('/api/v1/media/movie-hello-')");
    shows(&mut tab, &["Hello from <us>"]);
    // the page goes on by itself until there is something to play
    tab.until("document.querySelector('video source')");
    shows(&mut tab, &["published", "MP4 576p", "MP4 480p", "HLS", "FLV", "Sound alone", "Results"]);
    tab.eval("(() => { const v = document.querySelector('video'); v.muted = true; return v.play() })()");
    tab.until("document.querySelector('video').currentTime > 0.3");
    let video = tab.eval("(() => { const v = document.querySelector('video'); return `${v.videoHeight} ${new URL(v.currentSrc).pathname.split('/')[3]}` })()");
    assert_eq!(video, "576 h264");
    let item = path(&mut tab);
    tab.width(360);
    tab.scheme("dark");
    check(&mut tab, &service.url(&item), &["h264", "1024 × 576", "Sound"]);
    check(&mut tab, &service.url("/api/v1/media"), &["Hello from <us>", "0:08"]);
    check(&mut tab, &service.url("/api/v1/jobs"), &["movie-hello-", "web", "done"]);
    check(&mut tab, &service.url("/api/v1/account"), &["acme", "no bound", "storyboard"]);
    check(&mut tab, &service.url(&format!("{item}/assets/hls")), &["master.m3u8"]);
    change(&service, &mut tab, &item);
    service.running.stop();
}

/// Everything that its owner can do, without a script.
fn change(service: &Service, tab: &mut Tab<'_>, item: &str) {
    tab.scripts(false);
    tab.width(1200);
    tab.scheme("light");
    check(tab, &service.url("/api/v1/media"), &["Hello from <us>"]);
    check(tab, &service.url("/api/v1/jobs"), &["Took"]);
    check(tab, &service.url("/api/v1/account"), &["acme"]);
    check(tab, &service.url(item), &["Rename"]);
    fill(tab, "#f-title", "A party");
    send(tab, "form[aria-label=Rename]");
    shows(tab, &["A party", "saved"]);
    send(tab, "form[aria-label=Publish]");
    shows(tab, &["unpublished", "not published"]);
    // its owner sees it all the same
    assert_eq!(tab.eval("fetch(document.querySelector('video source').src).then((answer) => answer.status)"), 200);
    send(tab, "form[aria-label='Encode again']");
    shows(tab, &["it will be encoded once more", "Cancel the encoding"]);
    send(tab, "form[aria-label=Cancel]");
    shows(tab, &["cancelled"]);
    tab.click("a.danger");
    tab.loaded();
    shows(tab, &["Delete A party?", "everything that was made of it"]);
    tab.click("main button");
    tab.loaded();
    shows(tab, &["is deleted", "No videos yet"]);
    service.acme(item, &[]).is(404);
}

#[test]
fn what_is_wrong_with_an_upload_is_said_on_its_page() {
    let service = Service::start(SMALL);
    let text = service.running.path("no.mp4");
    std::fs::write(&text, "this is no video").unwrap();
    service.put("no", &text, &["-H", "X-Flvio-Title: no video at all"]).is(201);
    service.ended("no");
    service.put("sound", &clip("movie-hello.avi"), &[]).is(201);
    service.done("sound");
    let mut browser = Chromium::start();
    let mut tab = browser.tab(1200);
    log_in(&mut tab, &service);
    check(&mut tab, &service.url("/api/v1/media"), &["no video at all", "failed", "0:08"]);
    check(
        &mut tab,
        &service.url("/api/v1/media/no"),
        &["Nothing could be made of it", "not-media", "no video or audio"],
    );
    check(&mut tab, &service.url("/api/v1/media?status=failed"), &["no video at all", "1 video"]);
    check(&mut tab, &service.url("/api/v1/media?published=no"), &["Nothing is like this"]);
    tab.scripts(false);
    tab.open(&service.url("/api/v1/media"));
    tab.eval("document.querySelector('#status').value = 'done'");
    send(&mut tab, "form.filter");
    shows(&mut tab, &["1 video"]);
    assert_eq!(tab.eval("document.querySelector('#status').value"), "done");
    // without a script the form is sent as it is
    tab.open(&service.url("/api/v1/media"));
    tab.eval("document.querySelector('details:has([type=file])').open = true");
    tab.choose("input[type=file]", &chosen("carphone_pristine.mp4"));
    send(&mut tab, "form[aria-label=Upload]");
    shows(&mut tab, &["carphone_pristine.mp4", "is uploaded"]);
    // twice the same is no fault of anybody
    tab.open(&service.url("/api/v1/media"));
    tab.eval("document.querySelector('details:has([type=file])').open = true");
    tab.choose("input[type=file]", &chosen("carphone_pristine.mp4"));
    send(&mut tab, "form[aria-label=Upload]");
    shows(&mut tab, &["carphone_pristine.mp4", "is here already"]);
    let item = path(&mut tab);
    let id = item.rsplit('/').next().unwrap();
    eventually("it is encoded", || (service.item(id)["status"] == "done").then_some(()));
    service.running.stop();
}

#[test]
fn an_upload_in_a_browser_goes_on_after_a_reload() {
    let service = Service::start("jobs = 0");
    let mut browser = Chromium::start();
    let mut tab = browser.tab(1200);
    log_in(&mut tab, &service);
    let speed = |tab: &mut Tab<'_>, bytes: i64| {
        tab.call("Network.enable", json!({}));
        let conditions = json!({ "offline": false, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes });
        tab.call("Network.emulateNetworkConditions", conditions);
    };
    speed(&mut tab, 200_000);
    tab.choose("input[type=file]", &chosen("movie-hello.avi"));
    fill(&mut tab, "#f-title", "Slowly \u{1F422}");
    tab.click("form[aria-label=Upload] button[type=submit]");
    let begun = "Object.values(localStorage).find((value) => value.startsWith('/api/v1/tus/'))";
    tab.until(&format!("({begun}) && document.querySelector('form progress')?.value > 0.2"));
    let upload = tab.eval(begun);
    let id = upload.as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    tab.open(&service.url("/api/v1/media"));
    speed(&mut tab, -1);
    let head = ["-I", "-H", "Tus-Resumable: 1.0.0"];
    let offset = eventually("what has arrived is there", || {
        let answer = service.acme(upload.as_str().unwrap(), &head).is(200);
        answer.header("upload-offset")?.parse::<u64>().ok().filter(|offset| *offset > 0)
    });
    assert!(offset < std::fs::metadata(chosen("movie-hello.avi")).unwrap().len());
    tab.choose("input[type=file]", &chosen("movie-hello.avi"));
    tab.click("form[aria-label=Upload] button[type=submit]");
    tab.until("location.pathname.startsWith('/api/v1/media/movie-hello-') && document.querySelector('h1')");
    // a name that is made here ends with what the upload is called: it was the same one
    assert!(path(&mut tab).ends_with(id.get(..8).unwrap()), "{} {id}", path(&mut tab));
    shows(&mut tab, &["Slowly \u{1F422}"]);
    assert_eq!(tab.eval("localStorage.length"), 0);
    let source = service.acme(&format!("{}/source", path(&mut tab)), &[]).is(200);
    assert_eq!(source.body, std::fs::read(chosen("movie-hello.avi")).unwrap());
    service.running.stop();
}
