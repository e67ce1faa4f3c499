//! Strict readers of others: pypi-simple and mousebender parse every page of an index that has a bit of everything.

use std::process::Command;

use super::super::packages::Package;
use super::super::verbs::{run, shows};
use super::super::{JSON, get, start, url};
use super::{clean, tool};
use crate::harness::{Ran, eventually};

/// Prints a line for each file: what both readers make of both forms must be the same.
const READ: &str = r##"
import json, sys, urllib.request
from mousebender import simple
from packaging.utils import canonicalize_name
from pypi_simple import PyPISimple, ProjectPage, IndexPage
top = sys.argv[1]
def fetch(path, kind):
    request = urllib.request.Request(top + path, headers={"Accept": kind})
    with urllib.request.urlopen(request) as answer:
        return answer.read(), answer.headers["Content-Type"], answer.url
JSON, HTML = simple.ACCEPT_JSON_V1, "application/vnd.pypi.simple.v1+html"
lists = []
for kind in (JSON, HTML, "text/html"):
    body, said, _ = fetch("/simple/", kind)
    assert said.split(";")[0] == kind, said
    lists.append([p["name"] for p in simple.parse_project_index(body.decode(), said.split(";")[0])["projects"]])
client = PyPISimple(top + "/simple/")
lists.append(list(client.get_index_page().projects))
assert all(names == lists[0] for names in lists), lists
for name in lists[0]:
    name = canonicalize_name(name)
    body, said, where = fetch(f"/simple/{name}/", JSON)
    details = simple.parse_project_details(body.decode(), said, name)
    raw = json.loads(body)
    assert set(raw["versions"]) == set(details["versions"]) and raw["meta"]["api-version"] == "1.4", raw
    files = {f["filename"]: f for f in details["files"]}
    html, kind, where = fetch(f"/simple/{name}/", HTML)
    from_html = simple.from_project_details_html(html.decode(), name)
    pages = {
        "json": ProjectPage.from_json_data(raw, base_url=where),
        "html": ProjectPage.from_html(name, html, base_url=where),
        "client": client.get_project_page(name),
    }
    assert {f["filename"] for f in from_html["files"]} == set(files), name
    for f in from_html["files"]:
        other = files[f["filename"]]
        for key in ("hashes", "requires-python"):
            assert f.get(key) == other.get(key), (key, f, other)
        assert (f.get("yanked") or False) == (other.get("yanked") or False), (f, other)
        assert (f.get("core-metadata") or False) == (other.get("core-metadata") or False), (f, other)
    for form, page in pages.items():
        assert page.repository_version == "1.4", form
        assert {p.filename for p in page.packages} == set(files), (form, name)
        for p in page.packages:
            f = files[p.filename]
            assert p.digests == f["hashes"] and p.requires_python == f.get("requires-python"), (form, p)
            assert bool(p.is_yanked) == bool(f.get("yanked")), (form, p)
            reason = f.get("yanked") if isinstance(f.get("yanked"), str) else None
            assert (p.yanked_reason or None) == reason, (form, p)
            assert bool(p.has_metadata) == bool(f.get("core-metadata")), (form, p)
            if form != "html":
                assert p.size == f["size"] and p.upload_time is not None, (form, p)
            data = urllib.request.urlopen(p.url).read()
            import hashlib
            assert hashlib.sha256(data).hexdigest() == p.digests["sha256"] and len(data) == f["size"], p
            if p.has_metadata:
                metadata = urllib.request.urlopen(p.url.split("#")[0] + ".metadata").read()
                assert {"sha256": hashlib.sha256(metadata).hexdigest()} == f["core-metadata"], p
    status = raw.get("project-status", {}).get("status", "active")
    for filename, f in sorted(files.items()):
        print(name, status, filename, f.get("requires-python"), f.get("yanked") or "-")
    if not files:
        print(name, status)
"##;

#[test]
fn every_page_is_what_strict_readers_expect() {
    let packages = [
        Package::wheel("demo", "1.0").python(">=3.8,<4"),
        Package::wheel("demo", "1.1").summary("a \"quoted\" <summary> & more"),
        Package::sdist("demo", "1.1").python(">=3.8"),
        Package::wheel("demo", "2.0rc1"),
        Package::egg("Old.Thing", "1.0"),
        Package::sdist("old_thing", "1.1"),
        Package::wheel("kept-as-it-was", "1!2.0.post3"),
        Package::wheel("stolen", "1.0"),
    ];
    let running = start(&packages, "");
    eventually("all are there", || {
        ["/simple/demo/", "/simple/old-thing/", "/simple/kept-as-it-was/", "/simple/stolen/"]
            .iter()
            .all(|path| get(&running, path, JSON).0 == 200)
            .then_some(())
    });
    run(&running, "yank demo==1.0 --reason <b>\"broken\"</b>&amp;").ok();
    run(&running, "yank old-thing==1.1").ok();
    run(&running, "status kept-as-it-was archived --reason done").ok();
    run(&running, "status stolen quarantined").ok();
    shows(&running, "", "demo", "broken", true);
    shows(&running, "", "kept-as-it-was", "archived", true);
    shows(&running, "", "stolen", "quarantined", true);
    shows(&running, "", "old-thing", r#""yanked":true"#, true);
    let home = tempfile::tempdir().unwrap();
    let mut python = Command::new(tool("python3"));
    let said = Ran::of(clean(&mut python, home.path()).args(["-c", READ]).arg(url(&running, ""))).ok();
    let lines = [
        r#"demo active demo-1.0-py2.py3-none-any.whl >=3.8,<4 <b>"broken"</b>&amp;"#,
        "demo active demo-1.1-py2.py3-none-any.whl None -",
        "demo active demo-1.1.tar.gz >=3.8 -",
        "demo active demo-2.0rc1-py2.py3-none-any.whl None -",
        "kept-as-it-was archived kept_as_it_was-1!2.0.post3-py2.py3-none-any.whl None -",
        "old-thing active old_thing-1.0-py2.7.egg None -",
        "old-thing active old_thing-1.1.tar.gz None True",
    ];
    assert_eq!(said.lines().collect::<Vec<_>>(), lines, "quarantined ones are not in the list");
    running.stop();
}
