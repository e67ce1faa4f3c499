//! What is served of packages whose authors mean ill: through the real router, read by a parser of XML.

use std::collections::BTreeSet;
use std::path::Path;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderValue, Request};
use opsctl_auth::{Auth, Clock, Settings};
use opsctl_config::Sources;
use opsctl_store::Location;
use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::Value;
use tempfile::TempDir;
use tower_service::Service;

use super::*;
use crate::changes::tests::{open, sdist_saying};
use crate::changes::{By, Selection};
use crate::routes::{chains, order};
use crate::upload::{Sender, check_file};

/// What a browser says that it takes.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
const HOSTILE: &str = "Summary: </title><script>alert(1)</script>&amp;]]>\u{1}\u{fffe}\n\
    Author: <img src=x onerror=alert(1)>\n\
    Home-page: javascript:alert(1)\n\
    Project-URL: \"><b>Docs, https://example.org/?a=1&b=\"<x>\n\
    Project-URL: Evil, JaVaScRiPt:alert(1)\n\
    Requires-Python: >=3.8\n\
    Requires-Dist: other>=1\n\
    Description-Content-Type: text/markdown\n\n\
    # A readme\n\n<script>alert(2)</script> [click](javascript:alert(3)) &lt;ok&gt;\n";

fn settings() -> Settings {
    let defaults = include_str!("../../../../config/opsctl.toml");
    let (document, faults) = Sources::new(defaults, Path::new("/")).read();
    assert!(faults.is_empty(), "{faults:?}");
    document.table("auth", &[]).unwrap()
}

struct Scene {
    _dir: TempDir,
    site: Arc<Site>,
    auth: Auth,
}

impl Scene {
    /// `main` has two hostile releases, of which the newer is withdrawn, and many others; `stage` has one.
    async fn new() -> Scene {
        let dir = tempfile::tempdir().unwrap();
        let (_, origins, catalog, stores) = open(dir.path()).await;
        let upload = async |index: &str, name: &str, version: &str, more: &str| {
            let path = sdist_saying(&dir.path().join("made"), name, version, more);
            let store = &stores[index];
            let spooled = store.spool.copy(&path, 1 << 20).unwrap();
            let filename = path.file_name().unwrap().to_str().unwrap();
            let (filename, facts) = check_file(filename, &spooled, opsctl_dist::Level::Legacy).unwrap();
            let sender = Sender { actor: "admin".to_owned(), address: String::new(), attestations: None };
            store.store(&filename, facts, spooled, sender).await.unwrap();
        };
        upload("main", "Demo", "1.0", HOSTILE).await;
        upload("main", "Demo", "2.0", HOSTILE).await;
        for nth in 0..45 {
            upload("main", "many", &format!("0.{nth}"), "").await;
        }
        upload("stage", "staged", "1.0", "").await;
        let names = ["main", "stage"].map(|name| name.parse::<IndexName>().unwrap());
        let bases = names.iter().map(|name| (name.clone(), Vec::new())).collect();
        let folders: BTreeSet<IndexName> = names.iter().cloned().collect();
        let chains = chains(order(&bases).unwrap(), &BTreeMap::new(), &folders);
        let changes = Changes::new(Arc::clone(&catalog), Arc::clone(&origins), Arc::clone(&stores));
        let yanked = Selection::Version(
            opsctl_dist::ProjectName::parse("demo").unwrap(),
            opsctl_dist::Version::parse("2.0").unwrap(),
        );
        changes.yank("main", &yanked, Some("</td><b>broken & \"bad\""), &By::test(5)).await.unwrap();
        let site = Site {
            public: None,
            routes: Routes::new(Arc::clone(&catalog), origins, chains),
            catalog,
            access: Access::new(true),
            stores,
            changes,
            max_file: 1 << 20,
            pages: pages::pages(),
            page_cache: "max-age=0",
            spawn: Arc::new(|_| ()),
        };
        let location = Location::local(dir.path());
        let auth = Auth::open(&location, settings(), Clock::system()).await.unwrap();
        Scene { _dir: dir, site: Arc::new(site), auth }
    }

    async fn ask(&self, method: &str, path: &str, accept: &str, body: &str) -> (u16, HeaderMap, String) {
        let request = Request::builder().method(method).uri(path).header("accept", accept);
        let kind = if body.starts_with('<') { "text/xml" } else { "application/x-www-form-urlencoded" };
        let request = request.header("host", "packages.example:81").header("content-type", kind);
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let (head, body) = self.auth.around(router(Arc::clone(&self.site))).call(request).await.unwrap().into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        (head.status.as_u16(), head.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn get(&self, path: &str) -> String {
        let (status, headers, body) = self.ask("GET", path, BROWSER, "").await;
        assert_eq!(status, 200, "{path}: {body}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        body
    }

    async fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.get(path).await).unwrap()
    }

    async fn status(&self, method: &str, path: &str, status: u16) {
        assert_eq!(self.ask(method, path, BROWSER, "").await.0, status, "{method} {path}");
    }
}

/// The names of all elements of a document that is well formed, and its text.
fn parse(document: &str) -> (Vec<String>, String) {
    let mut reader = Reader::from_str(document);
    let (mut names, mut text) = (Vec::new(), String::new());
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{error}: {document}")) {
            Event::Start(tag) | Event::Empty(tag) => {
                tag.attributes().for_each(|attribute| drop(attribute.unwrap()));
                names.push(String::from_utf8(tag.name().as_ref().to_vec()).unwrap());
            }
            Event::Text(part) => text.push_str(&part.xml10_content().unwrap()),
            Event::GeneralRef(name) => match name.resolve_char_ref().unwrap() {
                Some(c) => text.push(c),
                None => {
                    let name = String::from_utf8(name.to_vec()).unwrap();
                    text.push_str(quick_xml::escape::resolve_xml_entity(&name).unwrap());
                }
            },
            Event::Eof => return (names, text),
            _ => {}
        }
    }
}

#[tokio::test]
async fn json_of_projects() {
    let scene = Scene::new().await;
    let project = scene.json("/pypi/Demo/json").await;
    let info = &project["info"];
    // the newer one is withdrawn
    assert_eq!((&info["version"], &info["yanked"]), (&"1.0".into(), &false.into()));
    assert_eq!((&info["name"], &info["requires_python"]), (&"Demo".into(), &">=3.8".into()));
    assert_eq!(info["author"], "<img src=x onerror=alert(1)>");
    assert_eq!(info["requires_dist"][0], "other>=1");
    assert!(info["description"].as_str().unwrap().starts_with("# A readme"), "{info}");
    assert_eq!(info["project_url"], "http://packages.example:81/project/demo/");
    assert_eq!(project["vulnerabilities"], Value::Array(Vec::new()));
    assert_eq!(project["releases"].as_object().unwrap().len(), 2);
    let file = &project["urls"][0];
    let digest = file["digests"]["sha256"].as_str().unwrap();
    let url = format!("/files/{}/{}/{digest}/Demo-1.0.tar.gz", &digest[..2], &digest[2..4]);
    assert_eq!(file["url"], format!("http://packages.example:81{url}"));
    assert_eq!((&file["packagetype"], &file["python_version"]), (&"sdist".into(), &"source".into()));
    let (status, _, body) = scene.ask("HEAD", &url, "", "").await;
    assert_eq!((status, &*body), (200, ""));
    assert!(file["size"].as_u64().unwrap() > 100 && file["upload_time_iso_8601"].as_str().unwrap().ends_with('Z'));
    let two = scene.json("/main/pypi/demo/2/json").await;
    assert_eq!(two["info"]["yanked_reason"], "</td><b>broken & \"bad\"");
    assert_eq!((&two["urls"][0]["yanked"], &two["releases"]), (&true.into(), &Value::Null));
    assert!(two["urls"][0]["url"].as_str().unwrap().starts_with("http://packages.example:81/main/files/"));
    scene.json("/stage/pypi/staged/1.0/json").await;
    for path in ["/pypi/none/json", "/pypi/demo/3/json", "/pypi/%00/json", "/none/pypi/demo/json", "/pypi/staged/json"]
    {
        scene.status("GET", path, 404).await;
    }
}

#[tokio::test]
async fn feeds() {
    let scene = Scene::new().await;
    let check = async |path: &str, items: usize, words: &[&str]| {
        let (names, text) = parse(&scene.get(path).await);
        assert_eq!(names.iter().filter(|name| *name == "item").count(), items, "{path}");
        assert_eq!(names.iter().filter(|name| *name == "script").count(), 0, "{path}");
        words.iter().for_each(|word| assert!(text.contains(word), "{path}: no {word} in {text}"));
    };
    let hostile = "</title><script>alert(1)</script>&amp;]]>\u{fffd}";
    check("/rss/packages.xml", 2, &["Demo added", hostile, "many added", "http://packages.example:81/project/demo/"])
        .await;
    check("/rss/updates.xml", 40, &["many 0.44"]).await;
    check("/rss/project/demo/releases.xml", 2, &["Releases of Demo", "1.0", "2.0", hostile]).await;
    check("/stage/rss/updates.xml", 1, &["staged 1.0", "http://packages.example:81/stage/project/staged/"]).await;
    check("/rss/project/many/releases.xml", 40, &[]).await;
    scene.status("GET", "/rss/project/none/releases.xml", 404).await;
}

#[tokio::test]
async fn search_by_xml_rpc() {
    let scene = Scene::new().await;
    let check = async |path: &str, method: &str, word: &str, words: &[&str]| {
        let body = format!(
            "<methodCall><methodName>{method}</methodName><params><param><value><struct><member><name>name</name>\
             <value><array><data><value><string>{word}</string></value></data></array></value></member></struct></value>\
             </param><param><value><string>or</string></value></param></params></methodCall>"
        );
        let (status, _, body) = scene.ask("POST", path, "text/xml", &body).await;
        assert_eq!(status, 200, "{body}");
        let (_, text) = parse(&body);
        words.iter().for_each(|word| assert!(text.contains(word), "no {word} in {text}"));
        text
    };
    let found = check("/RPC2", "search", "DEM", &["nameDemo", "version1.0", "summary</title><script>"]).await;
    assert!(!found.contains("many"));
    assert_eq!(check("/pypi", "search", "nothing", &[]).await, "\n\n");
    check("/stage/RPC2", "search", "stage", &["namestaged"]).await;
    check("/RPC2", "&lt;list", "x", &["faultCode-32601", "no such method: `<list`"]).await;
    let (status, ..) = scene.ask("POST", "/RPC2", "", &"x".repeat(search::REQUEST_MAX + 1)).await;
    assert_eq!(status, 413);
    scene.status("GET", "/RPC2", 405).await;
    scene.status("GET", "/pypi", 307).await;
}

#[tokio::test]
async fn pages_for_browsers() {
    let scene = Scene::new().await;
    let check = async |path: &str, words: &[&str], absent: &[&str]| {
        let (status, headers, body) = scene.ask("GET", path, BROWSER, "").await;
        assert_eq!(status, 200, "{path}: {body}");
        assert!(headers["content-type"].to_str().unwrap().starts_with("application/xhtml+xml"), "{path}");
        assert!(headers["content-security-policy"].to_str().unwrap().contains("default-src"), "{path}");
        let (names, text) = parse(&body);
        // the shell's own script, and none besides
        assert_eq!(names.iter().filter(|name| *name == "script").count(), 1, "{path}: {body}");
        assert!(!names.iter().any(|name| name == "x" || name == "b"), "{path}: {body}");
        words.iter().for_each(|word| assert!(text.contains(word), "{path}: no {word} in {text}"));
        let body = body.to_lowercase();
        absent.iter().for_each(|word| assert!(!body.contains(word), "{path}: {word} in {body}"));
    };
    let script = "</title><script>alert(1)</script>&amp;]]>";
    check("/", &["many", "0.44", "http://packages.example:81/simple/", "twine upload"], &["0.10<"]).await;
    check("/stage/", &["staged", "http://packages.example:81/stage/legacy/"], &["many"]).await;
    check("/search?q=Dem", &["Demo", "1.0", script], &["many"]).await;
    check("/search?q=%22%3E%3Cscript%3E%00", &["Nothing is called or described like this"], &[]).await;
    check("/search", &["any part of its name"], &[]).await;
    let shown =
        ["Demo 1.0", script, "<img src=x onerror=alert(1)>", "\"><b>Docs", "A readme", ">=3.8", "Demo-1.0.tar.gz"];
    check("/project/Demo/", &shown, &["href=\"javascript", "evil"]).await;
    check("/project/demo/2.0/Demo-2.0.tar.gz", &["yanked: </td><b>broken", "source distribution", script], &[]).await;
    check("/project/demo/2.0/", &["This release is yanked: </td><b>broken", "Demo-2.0.tar.gz"], &[]).await;
    check("/main/project/demo/?page=9", &["Demo 1.0"], &[]).await;
    for path in [
        "/project/none/",
        "/project/demo/7/",
        "/project/demo/x%2F/",
        "/project/demo/1.0/x",
        "/none/",
        "/none/search",
        "/none/project/demo/",
    ] {
        scene.status("GET", path, 404).await;
    }
    let (status, headers, _) = scene.ask("GET", "/project/demo/?version=1.0%2B2", BROWSER, "").await;
    assert_eq!((status, &headers["location"]), (308, &HeaderValue::from_static("1.0%2B2/")));
    for (method, path) in [
        ("PUT", "/project/demo/1.0/yanked"),
        ("DELETE", "/project/demo/1.0/Demo-1.0.tar.gz/yanked"),
        ("PUT", "/project/demo/status"),
        ("DELETE", "/project/demo/"),
    ] {
        let (status, _, body) = scene.ask(method, path, BROWSER, "reason=x").await;
        assert_eq!(status, 401, "{method} {path}: {body}");
    }
    // old pip and easy_install take HTML, and this is none for them
    for accept in ["text/html", "*/*", "", "application/vnd.pypi.simple.v1+json"] {
        let (status, headers, _) = scene.ask("GET", "/", accept, "").await;
        assert_eq!((status, &headers["location"]), (307, &HeaderValue::from_static("simple/")), "{accept}");
    }
    scene.status("POST", "/", 401).await;
}

#[test]
fn what_is_for_one_client_only() {
    let check = |public: &str, expected: Option<&str>| {
        assert_eq!(private(public).as_ref().map(|value| value.to_str().unwrap()), expected, "{public}");
    };
    check(file::FOR_EVER, Some("private, max-age=31536000, immutable"));
    check("max-age=60, public", Some("private, max-age=60"));
    check("max-age=0, must-revalidate", Some("private, max-age=0, must-revalidate"));
    check("no-store", None);
    check("private, no-cache", None);
}
