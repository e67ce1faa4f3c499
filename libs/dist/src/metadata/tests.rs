//! Metadata by table: every field, every fault, any bytes.

use proptest::prelude::*;

use super::*;

const HEAD: &str = "Metadata-Version: 2.4\nName: foo\nVersion: 1.0\n";

/// `said` is a part of the first fault, or of the only warning, or empty.
fn check(level: Level, text: &str, said: &str) {
    let seen = match Metadata::parse(text.as_bytes(), level) {
        Err(fault) => fault.to_string(),
        Ok((_, warnings)) => warnings.iter().map(|warning| format!("warning: {warning}")).collect(),
    };
    assert!(seen == said || !said.is_empty() && seen.contains(said), "{text}: {seen}");
}

fn check_strict(fields: &str, said: &str) {
    check(Level::Strict, &format!("{HEAD}{fields}"), said);
}

#[test]
fn every_field_has_its_place() {
    let text = "\
Metadata-Version: 2.6\nName: Foo.Bar\nVersion: 1.0rc1\nDynamic: Requires-Dist\nPlatform: any\nPlatform: UNKNOWN
Supported-Platform: linux\nSummary: One\n   line\nDescription-Content-Type: text/markdown\nKeywords: a, b c,,d
Home-page: https://h\nDownload-URL: https://d\nAuthor: A\nAuthor-email: A <a@b>\nMaintainer: UNKNOWN
Maintainer-email: m@b\nLicense-Expression: MIT\nLicense-File: LICENSE\nLicense-File: b/LICENSE
Classifier: X :: Y\nRequires-Dist: x>=1; python_version < '3'\nRequires-Python: >=3.9, <4\nRequires-External: C
Project-URL: Docs, https://docs/a,b\nProject-URL: https://bare\nProvides-Extra: test\nProvides-Dist: p\nObsoletes-Dist: o
Import-Name: foo\nImport-Namespace: ns\nRequires: r\nProvides: q\nObsoletes: s\nX-Private: ignored\n
# Title\n\nText\n";
    let (metadata, warnings) = Metadata::parse(text.as_bytes(), Level::Strict).unwrap();
    assert_eq!(warnings, []);
    let owned = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
    let some = |text: &str| Some(text.to_owned());
    let expected = Metadata {
        metadata_version: "2.6".into(),
        name: "Foo.Bar".into(),
        version: "1.0rc1".into(),
        dynamic: owned(&["requires-dist"]),
        platforms: owned(&["any"]),
        supported_platforms: owned(&["linux"]),
        summary: some("One line"),
        description: some("# Title\n\nText\n"),
        description_content_type: some("text/markdown"),
        keywords: owned(&["a", "b c", "d"]),
        home_page: some("https://h"),
        download_url: some("https://d"),
        author: some("A"),
        author_email: some("A <a@b>"),
        maintainer: None,
        maintainer_email: some("m@b"),
        license: None,
        license_expression: some("MIT"),
        license_files: owned(&["LICENSE", "b/LICENSE"]),
        classifiers: owned(&["X :: Y"]),
        requires_dist: owned(&["x>=1; python_version < '3'"]),
        requires_python: some(">=3.9, <4"),
        requires_external: owned(&["C"]),
        project_urls: vec![("Docs".into(), "https://docs/a,b".into()), (String::new(), "https://bare".into())],
        provides_extra: owned(&["test"]),
        provides_dist: owned(&["p"]),
        obsoletes_dist: owned(&["o"]),
        import_names: owned(&["foo"]),
        import_namespaces: owned(&["ns"]),
        requires: owned(&["r"]),
        provides: owned(&["q"]),
        obsoletes: owned(&["s"]),
    };
    assert_eq!(metadata, expected);
}

#[test]
fn texts_in_the_header_lose_their_indentation() {
    let text =
        format!("{HEAD}License: MIT\n        and\n       |  more\n       |\nDescription: T\n        =\n          x\n");
    let (metadata, _) = Metadata::parse(text.as_bytes(), Level::Strict).unwrap();
    assert_eq!(metadata.license.as_deref(), Some("MIT\nand\n  more"));
    assert_eq!(metadata.description.as_deref(), Some("T\n=\n  x"));
}

#[test]
fn what_must_be_there_and_make_sense() {
    check(Level::Strict, "Name: foo\nVersion: 1", "has no `Metadata-Version`");
    check(Level::Strict, "Metadata-Version: 2.1\nVersion: 1", "has no `Name`");
    check(Level::Strict, "Metadata-Version: 2.1\nName: foo", "has no `Version`");
    check(Level::Strict, "Metadata-Version: 2.1\nName: -foo\nVersion: 1", "`-foo` is no name");
    check(Level::Strict, "Metadata-Version: 2.1\nName: foo\nVersion: 2004d", "`2004d` is no version");
    check(Level::Legacy, "Metadata-Version: 2.1\nName: foo\nVersion: 2004d", "");
    check(Level::Strict, "Metadata-Version: 3.0\nName: foo\nVersion: 1", "`3.0` is no known version");
    check(Level::Strict, "Metadata-Version: 2.x\nName: foo\nVersion: 1", "`2.x` is no known version");
    check(Level::Strict, "Metadata-Version: 2.99\nName: foo\nVersion: 1", "warning: metadata version `2.99` is newer");
    check(Level::Lenient, "Name: foo\nVersion: 1", "warning: the metadata has no `Metadata-Version`");
    check_strict("Name: bar\n", "more than one `name`");
    check_strict("Summary: a\nSummary: b\n", "more than one `summary`");
    check_strict("Description: a\n\nb", "more than one `description`");
    check_strict("Requires-Python: three\n", "`three` is no valid `Requires-Python`");
    check_strict("License: MIT\nLicense-Expression: MIT\n", "`License` and `License-Expression`");
    check_strict(&format!("Summary: {}\n", "x".repeat(512)), "");
    check_strict(&format!("Summary: {}\n", "x".repeat(513)), "more than 512 characters");
    check_strict(&format!("\n{}", "x".repeat(METADATA_MAX)), "more than 1048576 bytes");
    check(Level::Legacy, &format!("{HEAD}Requires-Python: three\n"), "warning: `three` is no valid");
}

#[test]
fn requires_python_as_it_is_found() {
    for fine in [">=3.9", ">=2.7,!=3.0.*,!=3.1.*", "~=3.6", "==3.*", ">= 3.5 , < 4", "<4,>=3.7.1", "!=3.9.7,>=3.8"] {
        check_strict(&format!("Requires-Python: {fine}\n"), "");
    }
}

#[test]
fn dependencies_are_read_where_they_make_sense() {
    let text = format!("{HEAD}Requires-Dist: Foo.Bar (>=1.0)\nRequires-Dist: ?\n");
    let (metadata, warnings) = Metadata::parse(text.as_bytes(), Level::Strict).unwrap();
    assert_eq!(warnings, [Fault::Metadata(BadMetadata::RequiresDist("?".to_owned()))]);
    let seen: Vec<_> = metadata.dependencies().map(|read| read.map(|it| it.name.normalized().to_owned())).collect();
    assert_eq!(seen, [Ok("foo-bar".to_owned()), Err(BadMetadata::RequiresDist("?".to_owned()))]);
}

#[test]
fn only_static_metadata_speaks_for_a_source_distribution() {
    for (version, dynamic, expected) in [
        ("2.1", "", false),
        ("2.2", "", true),
        ("2.10", "", true),
        ("3.0", "", true),
        ("2.2", "License-File", true),
        ("2.2", "REQUIRES-dist", false),
        ("2.2", "requires-python", false),
        ("2.2", "Provides-Extra", false),
        ("x", "", false),
    ] {
        let text = format!("Metadata-Version: {version}\nName: a\nVersion: 1\nDynamic: {dynamic}\n");
        let (metadata, _) = Metadata::parse(text.as_bytes(), Level::Lenient).unwrap();
        assert_eq!(metadata.is_static(), expected, "{text}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in any::<Vec<u8>>(), fields in "((Name|Version|Keywords|Project-URL|Requires-Dist|License): ?[a-z0-9.,>=\\[\\]; ]{0,9}\n( {0,8}\\|?[a-z]{0,3}\n)?){0,8}") {
        for level in [Level::Strict, Level::Legacy, Level::Lenient] {
            let _ = Metadata::parse(&bytes, level);
            if let Ok((metadata, _)) = Metadata::parse(fields.as_bytes(), level) {
                prop_assert_eq!(metadata.dependencies().count(), metadata.requires_dist.len());
            }
        }
    }
}
