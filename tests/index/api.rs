//! The API for programs: with curl, as the manual says it, and its document, as a validator of others reads it.

use std::path::Path;
use std::process::Command;

use opsctl_testkit::Chromium;
use serde_json::Value;

use super::access::{bob, token};
use super::clients::tool;
use super::packages::Package;
use super::pages::check;
use super::{JSON, folder, get, start, url};
use crate::harness::{Ran, Running, eventually, opsctl, program};

/// An index with a stage, and a token of somebody who may do everything there.
fn index() -> (Running, String) {
    let packages = [
        Package::wheel("demo", "1.0"),
        Package::wheel("demo", "1.1"),
        Package::wheel("demo", "1.2"),
        Package::wheel("other", "0.1"),
    ];
    let running = start(&packages, "[index.indexes.stable]\nroot = 'stable'");
    eventually("the packages are there", || get(&running, "/simple/", "").1.contains("other").then_some(()));
    let data = running.path("data");
    bob(&data);
    super::access::accounts(&data, &["user", "role", "bob", "--role", "admin@index"]);
    let token = token(&data, "index:read,upload,yank,admin");
    (running, token)
}

/// Status, head and body of an answer.
fn curl(running: &Running, token: &str, path: &str, args: &[&str]) -> (u16, String, Value) {
    let mut curl = Command::new(program("curl", "curl"));
    curl.args(["-sS", "-i"]).args(args);
    if !token.is_empty() {
        curl.args(["-u", &format!("__token__:{token}")]);
    }
    let answer = Ran::of(curl.arg(url(running, path))).ok();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_lowercase(), serde_json::from_str(body).unwrap_or_default())
}

#[test]
fn the_manuals_lines_do_what_they_say() {
    let (running, token) = index();
    let manual = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("services/index/README.md");
    let manual = std::fs::read_to_string(manual).unwrap();
    let part = manual.split("## The API").nth(1).unwrap().split("\n## ").next().unwrap();
    let lines: Vec<_> = part.lines().filter(|line| line.starts_with("curl ")).collect();
    assert!(lines.len() > 10, "{part}");
    let mut said = String::new();
    for line in lines {
        let mut shell = Command::new("sh");
        shell.args(["-c", line]).env("TOKEN", &token).env("INDEX", url(&running, "")).current_dir(running.path("data"));
        let ran = Ran::of(&mut shell);
        assert_eq!(ran.code, Some(0), "{line}: {ran:?}");
        said += &ran.stdout;
    }
    for words in ["broken on ARM", "\"promoted\":[\"demo-1.2-", "\"removed\":[\"demo-1.0-", "bob (token 1)", "3.1.0"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let page = get(&running, "/simple/demo/", JSON).1;
    assert!(page.contains("\"status\":\"deprecated\"") && !page.contains("demo-1.0"), "{page}");
    assert!(get(&running, "/stable/simple/demo/", JSON).1.contains("demo-1.2"));
    assert!(!folder(&running).join("demo-1.0-py2.py3-none-any.whl").exists());
    running.stop();
}

#[test]
fn a_validator_reads_the_document() {
    let (running, _) = index();
    let (status, document) = get(&running, "/openapi.json", "");
    assert_eq!(status, 200);
    let file = running.path("openapi.json");
    std::fs::write(&file, &document).unwrap();
    let said = Ran::of(Command::new(tool("openapi-spec-validator")).args(["--schema", "3.1"]).arg(&file));
    assert!(said.code == Some(0) && said.stdout.contains("OK"), "{said:?}");
    // a document that is wrong is told apart
    std::fs::write(&file, document.replace("operationId", "operationID")).unwrap();
    let said = Ran::of(Command::new(tool("openapi-spec-validator")).args(["--schema", "3.1"]).arg(&file));
    assert_ne!(said.code, Some(0), "{said:?}");
    running.stop();
}

#[test]
fn who_has_not_seen_the_last_change_changes_nothing() {
    let (running, token) = index();
    let project = "/api/v1/indexes/main/projects/demo";
    let tag = || {
        let (_, head, _) = curl(&running, &token, project, &[]);
        head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap().to_owned()
    };
    let seen = tag();
    let put = |path: &str, tag: &str, body: &str| {
        let path = format!("{project}{path}");
        curl(&running, &token, &path, &["-X", "PUT", "--json", body, "-H", &format!("If-Match: {tag}")])
    };
    assert_eq!(put("/releases/1.1/yanked", &seen, "{\"reason\":\"one\"}").0, 200);
    let (status, _, problem) = put("/releases/1.1/yanked", &seen, "{\"reason\":\"two\"}");
    assert_eq!((status, problem["title"].as_str()), (412, Some("Precondition Failed")));
    assert_eq!(put("/status", &seen, "{\"state\":\"archived\"}").0, 412);
    assert_eq!(put("/status", "\"nonsense\"", "{\"state\":\"archived\"}").0, 412);
    let (status, head, _) = curl(&running, &token, project, &["-X", "DELETE", "-H", &format!("If-Match: {seen}")]);
    assert!(status == 412 && head.contains("content-type: application/problem+json"), "{head}");
    let (_, _, now) = curl(&running, &token, project, &[]);
    assert_eq!(now["files"][1]["yanked_reason"], "one");
    // a verb beside the server counts as well
    let seen = tag();
    assert_ne!(seen, "\"0\"");
    let mut verb = opsctl(["index", "yank", "demo==1.2", "--reason", "verb"]);
    verb.arg("--config").arg(running.path("opsctl.toml")).arg("--data-dir").arg(running.path("data"));
    Ran::of(verb.args(["--set", "host.allow_root=true"])).ok();
    assert_eq!(put("/releases/1.1/yanked", &seen, "{\"reason\":\"two\"}").0, 412);
    assert_eq!(put("/releases/1.1/yanked", &tag(), "{\"reason\":\"two\"}").0, 200);
    assert_eq!(put("/status", "*", "{\"state\":\"archived\"}").0, 200);
    // who has it is not sent it again
    assert_eq!(curl(&running, &token, project, &["-H", &format!("If-None-Match: {}", tag())]).0, 304);

    let origin = "/api/v1/origins/flask";
    let set = |origin_word: &str, tag: &str| {
        let body = format!("{{\"origin\":\"{origin_word}\"}}");
        curl(&running, &token, origin, &["-X", "PUT", "--json", &body, "-H", &format!("If-Match: {tag}")]).0
    };
    assert_eq!(set("blocked", "\"0\""), 200);
    assert_eq!(set("merge", "\"0\""), 412);
    let (_, head, decision) = curl(&running, &token, origin, &[]);
    assert_eq!(decision["origin"], "blocked");
    let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap();
    assert_eq!(set("merge", tag), 200);
    running.stop();
}

#[test]
fn scopes_hold_and_nonsense_is_told() {
    let (running, all) = index();
    let data = running.path("data");
    let reader = token(&data, "index:read");
    let other = token(&data, "index/main/other:read,yank");
    let project = "/api/v1/indexes/main/projects/demo";
    let yanked = format!("{project}/releases/1.1/yanked");
    let put = ["-X", "PUT", "--json", "{}"];
    assert_eq!(curl(&running, "", &yanked, &put).0, 401);
    assert_eq!(curl(&running, &reader, &yanked, &put).0, 403);
    assert_eq!(curl(&running, &other, &yanked, &put).0, 403);
    assert_eq!(curl(&running, &other, "/api/v1/indexes/main/projects/other/releases/0.1/yanked", &put).0, 200);
    let archived = ["-X", "PUT", "--json", "{\"state\":\"archived\"}"];
    assert_eq!(curl(&running, &other, "/api/v1/indexes/main/projects/other/status", &archived).0, 403);
    for path in ["/api/v1/origins", "/api/v1/reservations", "/api/v1/indexes/main/changes"] {
        assert_eq!(curl(&running, &reader, path, &[]).0, 403, "{path}");
        assert_eq!(curl(&running, "", path, &[]).0, 401, "{path}");
        assert_eq!(curl(&running, &all, path, &[]).0, 200, "{path}");
    }
    // nobody is told who brings files before they say who they are
    assert_eq!(curl(&running, "", project, &[]).0, 200);

    let said = |path: &str, args: &[&str]| {
        let (status, _, problem) = curl(&running, &all, path, args);
        (status, problem["detail"].as_str().unwrap_or_default().to_owned())
    };
    let json = |body: &'static str| ["-X", "PUT", "--json", body];
    assert!(said(&yanked, &json("{\"why\":1}")).1.contains("unknown field `why`"));
    assert_eq!(
        said(&yanked, &json("{\"reason\":\"a\\nb\"}")),
        (400, "a reason is one line of 500 characters at most".into())
    );
    assert_eq!(said(&yanked, &json("[[[[")).0, 422);
    assert_eq!(said(&yanked, &["-X", "PUT", "-d", "reason=x"]).0, 415);
    assert_eq!(said(&format!("{project}/status"), &json("{\"state\":\"lost\"}")).0, 422);
    assert_eq!(said("/api/v1/indexes/main/projects/none", &[]).0, 404);
    assert_eq!(said("/api/v1/indexes/none/projects", &[]).0, 404);
    assert_eq!(said(&format!("{project}/files/..%2f..%2fx"), &["-X", "DELETE"]).0, 404);
    assert_eq!(said("/api/v1/reservations/%2A", &["-X", "PUT"]).0, 400);
    let promote = ["-X", "POST", "--json", "{\"to\":\"none\"}"];
    assert_eq!(said(&format!("{project}/releases/1.1/promote"), &promote).0, 404);

    let mut browser = Chromium::start();
    let mut tab = browser.tab(360);
    check(&mut tab, &url(&running, project), &["API", "\"display_name\": \"demo\"", "demo-1.2"]);
    running.stop();
}

#[test]
fn behind_a_proxy_addresses_are_its_own_and_the_trail_knows_the_client() {
    let more = "url = 'https://packages.example.org/sub/'\nproxies = ['127.0.0.1']";
    let running = start(&[Package::wheel("demo", "1.0")], more);
    eventually("the package is there", || get(&running, "/simple/", "").1.contains("demo").then_some(()));
    bob(&running.path("data"));
    let token = token(&running.path("data"), "index:read,yank");
    let (_, json) = get(&running, "/pypi/demo/json", "");
    assert!(json.contains("\"url\":\"https://packages.example.org/sub/files/"), "{json}");
    let (_, json) = get(&running, "/main/pypi/demo/json", "");
    assert!(json.contains("\"url\":\"https://packages.example.org/sub/main/files/"), "{json}");
    let (_, feed) = get(&running, "/rss/updates.xml", "");
    assert!(feed.contains("<link>https://packages.example.org/sub/project/demo/</link>"), "{feed}");
    // pages of the Simple API need no host
    assert!(get(&running, "/simple/demo/", JSON).1.contains("\"url\":\"../../files/"));

    let yank = "/api/v1/indexes/main/projects/demo/releases/1.0/yanked";
    let args = ["-X", "PUT", "--json", "{}", "-H", "X-Forwarded-For: 198.51.100.7, 203.0.113.9"];
    assert_eq!(curl(&running, &token, yank, &args).0, 200);
    let (_, _, changes) = {
        super::access::accounts(&running.path("data"), &["user", "role", "bob", "--role", "admin@index"]);
        let admin = super::access::token(&running.path("data"), "index:admin");
        curl(&running, &admin, "/api/v1/indexes/main/changes?action=yank", &[])
    };
    assert_eq!(changes["changes"][0]["address"], "203.0.113.9", "{changes}");
    running.stop();
}
