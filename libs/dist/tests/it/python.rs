//! What PyPA's own library says of the same names, and real wheels. `cargo xtask setup` installs both.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use opsctl_dist::{Distribution, FileName, Level, Limits, ProjectName, Version};

fn venv() -> PathBuf {
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/venv");
    assert!(venv.join("bin/python3").exists(), "there is no {}: run `cargo xtask setup`", venv.display());
    venv
}

/// A line of JSON for each line of `texts`: name and version of the file, tags and build; the text as a project's name and
/// as a version, each in normal spelling; null where it is none.
const SCRIPT: &str = r#"
import json, sys
from packaging.utils import InvalidName, canonicalize_name, canonicalize_version, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version
def tried(work):
    try:
        return work()
    except (ValueError, InvalidName):
        return None
def file(text):
    if text.endswith(".whl"):
        _, version, build, tags = parse_wheel_filename(text)
        # which takes what no project can be called
        name = canonicalize_name(text.split("-")[0], validate=True)
        return [name, str(version), sorted(str(tag) for tag in tags), list(build)]
    _, version = parse_sdist_filename(text)
    return [canonicalize_name(text.rpartition("-")[0], validate=True), str(version), [], []]
for text in json.load(sys.stdin):
    print(json.dumps([
        tried(lambda: file(text)),
        tried(lambda: canonicalize_name(text, validate=True)),
        tried(lambda: [str(Version(text)), canonicalize_version(text)]),
    ]))
"#;

/// What `script` prints, line by line.
fn python(script: &str, input: &str) -> Vec<serde_json::Value> {
    let mut command = Command::new(venv().join("bin/python3"));
    command.args(["-I", "-W", "ignore", "-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "packaging is missing or failed: run `cargo xtask setup`");
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn ours(text: &str) -> serde_json::Value {
    let file = FileName::parse(text, None, Level::Strict).ok().map(|file| {
        let mut tags = file.tags().map(opsctl_dist::Tags::expanded).unwrap_or_default();
        // `packaging` compares tags in lower case, and once each
        tags.iter_mut().for_each(|tag| tag.make_ascii_lowercase());
        tags.sort();
        tags.dedup();
        let build = file.build().map_or(serde_json::json!([]), |build| serde_json::json!([build.number, build.suffix]));
        serde_json::json!([file.project().normalized(), file.version().normalized(), tags, build])
    });
    let name = ProjectName::parse(text).ok().map(|name| name.normalized().to_owned());
    let version = Version::parse(text).ok().map(|version| [version.normalized(), version.canonical()]);
    serde_json::json!([file, name, version])
}

/// What follows name and version in the names of wheels.
const TAGS: &[&str] = &[
    "py3-none-any",
    "py2.py3-none-any",
    "cp311-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64",
    "1-py3-none-any",
    "1a-py3-none-any",
    "b-py3-none-any",
    "py3-none",
    "py3-none-any-more",
    "py3.-none-any",
    "-none-any",
    "3-none-any",
    "CP311-none-win_AMD64",
    "py3-none-any.any",
];

/// Names, versions and files of all kinds, right and wrong, in all combinations.
fn texts() -> Vec<String> {
    let names = [
        "foo", "Foo", "foo.bar", "Foo_Bar", "foo-bar", "foo__bar", "f", "2to3", "_foo", "foo_", "foo..bar", "fo o", "",
    ];
    let versions = [
        "1",
        "1.0",
        "1.0.0",
        "v1.0",
        "01.02",
        "1.0a1",
        "1.0.a.1",
        "1.0alpha",
        "1.0-beta_2",
        "1.0c1",
        "1.0rc",
        "1.0-preview3",
        "1.0.post1",
        "1.0-1",
        "1.0.rev2",
        "1.0r",
        "1.0.dev",
        "1.0dev3",
        "1.0a1.post2.dev3",
        "2!1.0",
        "1.0+local",
        "1.0+Ubuntu-1_2",
        "1.0+ub.01",
        "0",
        "0.0.0",
        "2004d",
        "1.x",
        "1.0.",
        "1..0",
        "1.0+",
        "1.0+a..b",
        "dev",
        "1.0-1-2",
        "1.0--1",
        "1.0a-1",
        "1_0",
        "99999999999",
        "1.0post",
        "1.0.post.1",
    ];
    let mut texts: Vec<String> = names.iter().chain(&versions).map(ToString::to_string).collect();
    for name in names {
        for version in versions {
            texts.extend([".tar.gz", ".zip", ".tar.bz2x"].map(|suffix| format!("{name}-{version}{suffix}")));
            texts.extend(TAGS.iter().map(|tags| format!("{name}-{version}-{tags}.whl")));
        }
    }
    texts.extend(
        ["foo\n", " foo", "foo-1.0.tar.gz\n", "foo.tar.gz", "foo-.zip", "-.zip", ".whl", "foo-1.0.TAR.GZ"]
            .map(str::to_owned),
    );
    texts
}

#[test]
fn names_are_read_as_pypas_library_reads_them() {
    let texts = texts();
    let theirs = python(SCRIPT, &serde_json::to_string(&texts).unwrap());
    assert_eq!(theirs.len(), texts.len());
    let mut taken = 0;
    for (text, theirs) in texts.iter().zip(theirs) {
        let ours = ours(text);
        assert_eq!(ours, theirs, "{text:?}: ours is left");
        taken += usize::from(!ours[0].is_null());
    }
    assert!(taken > 500, "only {taken} of {} are file names at all", texts.len());
}

#[test]
fn versions_are_sorted_as_pypas_library_sorts_them() {
    let versions: Vec<_> = texts().into_iter().filter(|text| Version::parse(text).is_ok()).collect();
    let script = "import json, sys\nfrom packaging.version import Version\nfor it in sorted(json.load(sys.stdin), key=Version): print(json.dumps(it))";
    let theirs = python(script, &serde_json::to_string(&versions).unwrap());
    let mut ours = versions;
    // both keep the order of equal ones
    ours.sort_by_key(|text| Version::parse(text).unwrap());
    assert!(ours.len() > 20);
    assert_eq!(serde_json::json!(ours), serde_json::json!(theirs));
}

#[test]
fn real_wheels_are_taken() {
    let mut folders = vec![venv().join("pips"), PathBuf::from("/usr/share/python-wheels")];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let bytes = std::fs::read(&path).unwrap();
            let read = Distribution::from_bytes(&bytes, &name, Level::Strict, &Limits::default());
            let read = read.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(read.warnings, [], "{name}");
            let lenient = Distribution::read(&path).unwrap();
            assert_eq!((lenient.metadata, &lenient.digests.sha256), (read.metadata, &read.digests.sha256), "{name}");
            assert!(lenient.metadata_bytes.is_some_and(|bytes| bytes.starts_with(b"Metadata-Version: 2.")), "{name}");
            seen += 1;
        }
    }
    assert!(seen >= 7, "{seen} wheels");
}

/// What two strict readers make of a page in each form: a line each of name, files and their facts.
const READERS: &str = r#"
import json, sys
from mousebender import simple
from pypi_simple import ProjectPage
html, text = json.load(sys.stdin)
url = "https://example.org/simple/foo-bar/"
def of_pypi_simple(page):
    files = [[p.filename, p.url, p.digests, p.requires_python, p.is_yanked, p.yanked_reason, p.size, p.metadata_digests,
        p.has_sig, p.provenance_url, p.upload_time and p.upload_time.isoformat()] for p in page.packages]
    return [page.project, page.repository_version, page.status, page.status_reason, page.versions, files]
print(json.dumps(of_pypi_simple(ProjectPage.from_json_data(json.loads(text), base_url=url))))
print(json.dumps(of_pypi_simple(ProjectPage.from_html("foo-bar", html, base_url=url))))
parsed = simple.parse_project_details(text, "application/vnd.pypi.simple.v1+json", "foo-bar")
print(json.dumps([parsed["name"], parsed["versions"], [[f["filename"], f["hashes"], f["size"], f["yanked"]] for f in parsed["files"]]]))
parsed = simple.parse_project_details(html, "text/html", "foo-bar")
print(json.dumps([parsed["name"], [[f["filename"], f["hashes"], f["yanked"], f.get("requires-python")] for f in parsed["files"]]]))
"#;

#[test]
fn pages_are_read_by_pypas_and_others_libraries() {
    use opsctl_dist::simple::{CoreMetadata, File, Page, ProjectStatus, State, UploadTime, Yanked};
    let sha = "0123456789abcdef".repeat(4);
    let hashes = vec![("sha256".to_owned(), sha.clone())];
    let file = File {
        filename: "foo_bar-1.0-py3-none-any.whl".to_owned(),
        url: "/files/foo_bar-1.0-py3-none-any.whl".to_owned(),
        hashes: hashes.clone(),
        requires_python: Some(">=3.9,<4".to_owned()),
        core_metadata: CoreMetadata::Hashes(hashes),
        gpg_sig: Some(false),
        yanked: Yanked::Because("<b>\"bad\" & 'worse'".to_owned()),
        size: Some(1234),
        upload_time: UploadTime::from_micros(1_785_585_000_000_001).ok(),
        provenance: Some("https://example.org/p?a&b".to_owned()),
    };
    let status = ProjectStatus { state: State::Deprecated, reason: Some("use <other>".to_owned()) };
    let page = Page::new("foo-bar", Some(status), vec![(Version::parse("1.0").unwrap(), file)]);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let input = serde_json::json!([text(page.to_html()), text(page.to_json())]).to_string();
    let seen = python(READERS, &input);
    let url = "https://example.org/files/foo_bar-1.0-py3-none-any.whl";
    let (wheel, reason) = ("foo_bar-1.0-py3-none-any.whl", "<b>\"bad\" & 'worse'");
    let hash = serde_json::json!({"sha256": sha});
    let package = |size: Option<u64>, time: Option<&str>| {
        serde_json::json!([
            wheel,
            url,
            hash,
            ">=3.9,<4",
            true,
            reason,
            size,
            hash,
            false,
            "https://example.org/p?a&b",
            time
        ])
    };
    let page = |versions: Option<[&str; 1]>, package: serde_json::Value| {
        serde_json::json!(["foo-bar", "1.4", "deprecated", "use <other>", versions, [package]])
    };
    assert_eq!(seen[0], page(Some(["1.0"]), package(Some(1234), Some("2026-08-01T11:50:00.000001+00:00"))));
    assert_eq!(seen[1], page(None, package(None, None)));
    assert_eq!(seen[2], serde_json::json!(["foo-bar", ["1.0"], [[wheel, hash, 1234, reason]]]));
    assert_eq!(seen[3], serde_json::json!(["foo-bar", [[wheel, hash, reason, ">=3.9,<4"]]]));
}
