//! Pages as they are written, as upstreams write theirs, and back and forth.

use proptest::prelude::*;

use super::*;

const SHA: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn full() -> File {
    File {
        filename: "foo-1.0-py3-none-any.whl".into(),
        url: "/files/a&b/foo-1.0-py3-none-any.whl".into(),
        hashes: vec![("md5".into(), "00".repeat(16)), ("sha256".into(), SHA.into())],
        requires_python: Some(">=3.9,<4".into()),
        core_metadata: CoreMetadata::Hashes(vec![("sha256".into(), SHA.into())]),
        gpg_sig: Some(false),
        yanked: Yanked::Because("\"><script>".into()),
        size: Some(1234),
        upload_time: UploadTime::from_micros(1_785_585_000_000_001).ok(),
        provenance: Some("https://example.org/p?a&b".into()),
    }
}

fn plain(filename: &str) -> File {
    File { filename: filename.into(), url: format!("../{filename}"), size: Some(1), ..File::default() }
}

fn page() -> Page {
    let files = [
        ("1.0", full()),
        ("1.10", plain("foo-1.10.tar.gz")),
        ("1.9", plain("foo-1.9.tar.gz")),
        ("v1.9.0", plain("foo-1.9.0.zip")),
    ];
    let status = ProjectStatus { state: State::Archived, reason: Some("done & <dusted>".into()) };
    let versioned = files.into_iter().rev().map(|(version, file)| (Version::parse(version).unwrap(), file));
    Page::new("foo", Some(status), versioned.collect())
}

#[test]
fn a_page_in_html() {
    let expected = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"pypi:repository-version\" content=\"1.4\">\n\
         <meta name=\"pypi:project-status\" content=\"archived\">\n\
         <meta name=\"pypi:project-status-reason\" content=\"done &amp; &lt;dusted&gt;\">\n\
         <title>Links for foo</title>\n</head>\n<body>\n<h1>Links for foo</h1>\n\
         <a href=\"/files/a&amp;b/foo-1.0-py3-none-any.whl#sha256={SHA}\" data-requires-python=\"&gt;=3.9,&lt;4\" \
         data-core-metadata=\"sha256={SHA}\" data-dist-info-metadata=\"sha256={SHA}\" \
         data-yanked=\"&quot;&gt;&lt;script&gt;\" data-gpg-sig=\"false\" \
         data-provenance=\"https://example.org/p?a&amp;b\">foo-1.0-py3-none-any.whl</a><br>\n\
         <a href=\"../foo-1.9.0.zip\">foo-1.9.0.zip</a><br>\n\
         <a href=\"../foo-1.9.tar.gz\">foo-1.9.tar.gz</a><br>\n\
         <a href=\"../foo-1.10.tar.gz\">foo-1.10.tar.gz</a><br>\n</body>\n</html>\n"
    );
    assert_eq!(String::from_utf8(page().to_html()).unwrap(), expected);
}

#[test]
fn a_page_in_json() {
    let expected = format!(
        r#"{{"meta":{{"api-version":"1.4"}},"name":"foo","project-status":{{"status":"archived","reason":"done & <dusted>"}},"versions":["1.0","1.9.0","1.10"],"files":[{{"filename":"foo-1.0-py3-none-any.whl","url":"/files/a&b/foo-1.0-py3-none-any.whl","hashes":{{"md5":"{}","sha256":"{SHA}"}},"requires-python":">=3.9,<4","size":1234,"upload-time":"2026-08-01T11:50:00.000001Z","core-metadata":{{"sha256":"{SHA}"}},"yanked":"\"><script>","gpg-sig":false,"provenance":"https://example.org/p?a&b"}},{{"filename":"foo-1.9.0.zip","url":"../foo-1.9.0.zip","hashes":{{}},"size":1,"yanked":false}},{{"filename":"foo-1.9.tar.gz","url":"../foo-1.9.tar.gz","hashes":{{}},"size":1,"yanked":false}},{{"filename":"foo-1.10.tar.gz","url":"../foo-1.10.tar.gz","hashes":{{}},"size":1,"yanked":false}}]}}
"#,
        "00".repeat(16)
    );
    assert_eq!(String::from_utf8(page().to_json()).unwrap(), expected);
}

#[test]
fn an_answer_has_the_format_that_was_agreed_on() {
    let list = List { projects: vec![ProjectName::parse("foo").unwrap()] };
    for (format, html) in [(Format::Json, false), (Format::Html, true), (Format::Text, true)] {
        assert_eq!(page().render(format), if html { page().to_html() } else { page().to_json() });
        assert_eq!(list.render(format), if html { list.to_html() } else { list.to_json() });
    }
}

#[test]
fn a_quarantined_project_offers_no_files() {
    let status = Some(ProjectStatus { state: State::Quarantined, reason: None });
    let page = Page { status, ..page() };
    let (html, json) = (String::from_utf8(page.to_html()).unwrap(), String::from_utf8(page.to_json()).unwrap());
    assert!(!html.contains("<a ") && html.contains("content=\"quarantined\""), "{html}");
    assert!(json.contains(r#""files":[]"#) && json.contains(r#"{"status":"quarantined"}"#), "{json}");
}

#[test]
fn states_have_markers() {
    for (state, marker) in State::ALL {
        assert_eq!((State::from_marker(marker), state.marker()), (Some(state), marker));
        assert_eq!(state.takes_uploads(), matches!(marker, "active" | "deprecated"));
    }
    assert_eq!(State::from_marker("Active"), None);
}

#[test]
fn lists_and_links() {
    let list = List { projects: ["Foo.Bar", "zope"].map(|name| ProjectName::parse(name).unwrap()).into() };
    let html = String::from_utf8(list.to_html()).unwrap();
    assert!(
        html.contains("<body>\n<a href=\"foo-bar/\">Foo.Bar</a><br>\n<a href=\"zope/\">zope</a><br>\n</body>"),
        "{html}"
    );
    let json = String::from_utf8(list.to_json()).unwrap();
    assert_eq!(
        json,
        "{\"meta\":{\"api-version\":\"1.4\"},\"projects\":[{\"name\":\"Foo.Bar\"},{\"name\":\"zope\"}]}\n"
    );
    for (bytes, kind) in [(list.to_html(), TEXT), (list.to_json(), JSON)] {
        let read = List::parse(&bytes, kind, "https://e/simple/").unwrap();
        assert_eq!(read.projects.iter().map(ProjectName::display).collect::<Vec<_>>(), ["Foo.Bar", "zope"]);
    }
    let links = String::from_utf8(find_links("All <files>", [&full(), &plain("foo-1.0-py2.5.egg")])).unwrap();
    assert!(links.contains("<title>All &lt;files&gt;</title>") && links.matches("<a href").count() == 2, "{links}");
}

/// `said` has a line for each file: `name url hashes python metadata yanked size time`.
fn check(body: &str, kind: &str, said: &[&str]) {
    let page = Page::parse(body.as_bytes(), kind, "https://e.org/simple/foo/", "foo").unwrap();
    let line = |file: &File| {
        let hashes: Vec<_> = file.hashes.iter().map(|(name, digest)| format!("{name}={digest}")).collect();
        let File { filename, url, requires_python: python, core_metadata, yanked, size, upload_time, .. } = file;
        let time = upload_time.map(|time| time.to_string()).unwrap_or_default();
        let (python, size) = (python.as_deref().unwrap_or("-"), size.map_or(-1, |size| size as i64));
        format!("{filename} {url} {} {python} {core_metadata:?} {yanked:?} {size} {time}", hashes.join(","))
    };
    assert_eq!(page.files.iter().map(line).collect::<Vec<_>>(), said, "{body}");
}

#[test]
fn pages_of_upstreams_in_html() {
    check(
        "<!DOCTYPE html><html><head><meta name='pypi:repository-version' content='1.1'></head><body>\n\
         <a href=\"https://f.e.org/p/foo-1.0.tar.gz#md5=0123456789ABCDEF\" data-requires-python=\"&gt;=3\">x</a><br/>\n\
         <a data-yanked href='../../packages/foo-2.0.zip#egg=foo&amp;sha256=00112233'>foo-2.0.zip</a>\n\
         <A HREF=foo-3.0%2Blocal.tar.gz data-dist-info-metadata=true data-yanked='bad &lt;'>foo</A>",
        "text/html; charset=UTF-8",
        &[
            "foo-1.0.tar.gz https://f.e.org/p/foo-1.0.tar.gz md5=0123456789abcdef >=3 Unknown No -1 ",
            "foo-2.0.zip https://e.org/packages/foo-2.0.zip  - Unknown Yes -1 ",
            "foo-3.0+local.tar.gz https://e.org/simple/foo/foo-3.0%2Blocal.tar.gz  - Present Because(\"bad <\") -1 ",
        ],
    );
    check(
        "<base href='/b/'><a href=foo-1.zip data-core-metadata='sha256=0011223344'></a><base href='/c/'>",
        HTML,
        &["foo-1.zip https://e.org/b/foo-1.zip  - Hashes([(\"sha256\", \"0011223344\")]) No -1 "],
    );
}

#[test]
fn pages_of_upstreams_in_json() {
    check(
        r#"{"meta":{"api-version":"1.9","_x":1},"name":"Foo","versions":["1.0"],"more":[],"files":[
        {"filename":"foo-1.0.tar.gz","url":"https://f.e.org/foo-1.0.tar.gz","hashes":{"sha256":"0011223344","SHA1":"55667788","bad":"x"},
         "requires-python":null,"size":5,"upload-time":"2026-01-02T03:04:05Z","yanked":true,"core-metadata":false},
        {"filename":"foo-2.0.zip","url":"../x/foo-2.0.zip#frag","hashes":{},"yanked":"why","dist-info-metadata":{"sha256":"aabbccdd"},
         "upload-time":"yesterday","size":"big","gpg-sig":"?"},
        {"filename":"foo-3.0.zip","url":"foo-3.0.zip","yanked":false,"core-metadata":true,"data-dist-info-metadata":false},
        {"filename":"foo-4.0.zip"}, 7, null]}"#,
        JSON,
        &[
            "foo-1.0.tar.gz https://f.e.org/foo-1.0.tar.gz sha1=55667788,sha256=0011223344 - Absent Yes 5 2026-01-02T03:04:05.000000Z",
            "foo-2.0.zip https://e.org/simple/x/foo-2.0.zip  - Hashes([(\"sha256\", \"aabbccdd\")]) Because(\"why\") -1 ",
            "foo-3.0.zip https://e.org/simple/foo/foo-3.0.zip  - Present No -1 ",
        ],
    );
}

#[test]
fn links_that_harm_are_left_out() {
    for url in ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "ftp://e/foo-1.0.zip", "http://[", ""]
    {
        check(&format!("<a href=\"{url}\">foo-1.0.zip</a>"), TEXT, &[]);
        let json = serde_json::json!({"files": [{"filename": "foo-1.0.zip", "url": url}]}).to_string();
        check(&json, JSON, &[]);
    }
    for name in ["..", "a/b-1.zip", "..%2ffoo-1.zip", "foo\\-1.zip", "foo\n-1.zip", "<b>-1.zip", ""] {
        let json = serde_json::json!({"files": [{"filename": name, "url": "foo-1.0.zip"}]}).to_string();
        check(&json, JSON, &[]);
    }
    for path in ["..%2f..%2fpasswd", "%00", "%0d%0aX", "%3Cb%3E", "a%5cb", "%2e%2e", "%ff"] {
        check(&format!("<a href=\"/x/{path}\">f</a>"), TEXT, &[]);
    }
}

fn check_bad(body: &[u8], kind: &str, url: &str, said: &str) {
    for seen in [Page::parse(body, kind, url, "foo").err(), List::parse(body, kind, url).err()] {
        let seen = seen.map(|bad| bad.to_string()).unwrap_or_default();
        assert!(seen.contains(said), "{seen}");
    }
}

#[test]
fn what_is_no_page() {
    const URL: &str = "https://e/";
    check_bad(b"{}", JSON, URL, "is no JSON of the Simple API");
    check_bad(b"[", JSON, URL, "is no JSON of the Simple API");
    check_bad(b"\xff", TEXT, URL, "is not UTF-8");
    check_bad(b"", "text/plain", URL, "`text/plain` is no type of pages");
    check_bad(b"", "", URL, "`` is no type of pages");
    check_bad(b"", TEXT, "foo/bar", "`foo/bar` is no URL of a page");
    check_bad(b"", TEXT, "mailto:a@b", "is no URL of a page");
    check_bad(b"<meta name=pypi:repository-version content='2.0'>", TEXT, URL, "version `2.0`");
    check_bad(br#"{"meta":{"api-version":"10.0"},"files":[],"projects":[]}"#, JSON, URL, "version `10.0`");
    check_bad(&vec![b' '; PAGE_MAX + 1], JSON, URL, "more than 67108864 bytes");
}

#[test]
fn pages_have_an_end() {
    let many = |link: &str, count: usize| link.repeat(count);
    for (body, kind) in [
        (many("<a href=foo-1.zip></a>", 200_001), TEXT),
        (format!(r#"{{"files":[{}{{}}]}}"#, many(r#"{"filename":"a","url":"b"},"#, 200_001)), JSON),
    ] {
        let bad = Page::parse(body.as_bytes(), kind, "https://e/", "foo").unwrap_err();
        assert_eq!(bad.to_string(), "the page has more than 200000 links");
    }
}

fn hashes() -> impl Strategy<Value = Vec<(String, String)>> {
    let both = ("[0-9a-f]{32}", "[0-9a-f]{64}");
    prop_oneof![
        Just(Vec::new()),
        both.prop_map(|(_, sha)| vec![("sha256".to_owned(), sha)]),
        both.prop_map(|(md5, sha)| vec![("md5".to_owned(), md5), ("sha256".to_owned(), sha)]),
    ]
}

fn file() -> impl Strategy<Value = File> {
    let text = "[a-zA-Z0-9 <>&\"'\u{e9}\u{1f600}]{0,8}x";
    let metadata = prop_oneof![
        Just(CoreMetadata::Unknown),
        Just(CoreMetadata::Absent),
        Just(CoreMetadata::Present),
        "[0-9a-f]{64}".prop_map(|sha| CoreMetadata::Hashes(vec![("sha256".to_owned(), sha)])),
    ];
    let yanked = prop_oneof![Just(Yanked::No), Just(Yanked::Yes), text.prop_map(Yanked::Because)];
    let time = proptest::option::of(
        (0..253_000_000_000_000_000_i64).prop_map(|micros| UploadTime::from_micros(micros).unwrap()),
    );
    let rest = (proptest::option::of(text), proptest::option::of(any::<bool>()), proptest::option::of(any::<u64>()));
    ("[a-z]{1,5}-[0-9.]{1,3}(\\+l)?\\.zip", hashes(), metadata, yanked, time, rest).prop_map(
        |(filename, hashes, core_metadata, yanked, upload_time, (requires_python, gpg_sig, size))| File {
            url: format!("https://e.org/f/{filename}"),
            filename,
            hashes,
            requires_python,
            core_metadata,
            gpg_sig,
            yanked,
            size,
            upload_time,
            provenance: gpg_sig.map(|_| "https://e.org/p?x&y=\"".to_owned()),
        },
    )
}

fn pages() -> impl Strategy<Value = Page> {
    let state = proptest::sample::select(vec![State::Active, State::Archived, State::Deprecated]);
    let status = proptest::option::of((state, proptest::option::of("[a-z<&\"]{1,5}")));
    let status = status.prop_map(|status| status.map(|(state, reason)| ProjectStatus { state, reason }));
    ("[a-z]{1,5}", status, proptest::collection::vec("[0-9]{1,3}", 0..3), proptest::collection::vec(file(), 0..4))
        .prop_map(|(name, status, versions, files)| Page { name, status, versions, files })
}

/// What HTML has no place for is lost on the way.
fn through_html(page: &Page) -> Page {
    let files = page.files.iter().cloned().map(|file| File {
        hashes: file.link_hash().map(|(name, digest)| (name.to_owned(), digest.to_owned())).into_iter().collect(),
        core_metadata: Some(file.core_metadata).filter(|it| *it != CoreMetadata::Absent).unwrap_or_default(),
        size: None,
        upload_time: None,
        ..file
    });
    Page { versions: Vec::new(), files: files.collect(), ..page.clone() }
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(page in pages()) {
        let url = "https://e.org/simple/x/";
        prop_assert_eq!(&Page::parse(&page.to_json(), JSON, url, &page.name).unwrap(), &page);
        prop_assert_eq!(&Page::parse(&page.to_html(), TEXT, url, &page.name).unwrap(), &through_html(&page));
    }

    #[test]
    fn any_page_is_read_or_refused(
        bytes in any::<Vec<u8>>(),
        html in "(<a href=|<base href=|<meta |'|\"|>|</a>|#sha256=0|https://|%2f|\\.\\./|foo-1.zip|\u{e9}| ){0,30}",
        json in "(\\{|\\}|\\[|\\]|,|:|\"files\"|\"filename\"|\"url\"|\"x\"|1|null){0,30}",
    ) {
        for (body, kind) in [(bytes.as_slice(), TEXT), (&bytes, JSON), (html.as_bytes(), TEXT), (json.as_bytes(), JSON)] {
            let _ = List::parse(body, kind, "https://e/");
            if let Ok(page) = Page::parse(body, kind, "https://e/", "foo") {
                for file in page.files {
                    prop_assert!(file.url.starts_with("http") && !file.url.contains('#'), "{:?}", file);
                    prop_assert!(!file.filename.contains(['/', '\\', '\n', '<', '"']) && !file.filename.starts_with('.'));
                }
            }
        }
    }
}
