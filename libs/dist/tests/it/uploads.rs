//! Uploads: wheels whose parts have to agree, levels, and the form.

use opsctl_dist::{Claim, Digest, Digests, Distribution, Level, Limits, Wanted};

use crate::build::{metadata, record, sdist, wheel, wheel_with, zip};

const FOLDER: &str = "foo-1.0.dist-info";
const NAME: &str = "foo-1.0-py3-none-any.whl";

/// Empty: it is taken, without a warning.
fn check_at(level: Level, name: &str, bytes: &[u8], said: &str) {
    let seen = match Distribution::from_bytes(bytes, name, level, &Limits::default()) {
        Err(error) => error.to_string(),
        Ok(read) => read.warnings.iter().map(|warning| format!("warning: {warning}")).collect(),
    };
    assert!(seen == said || !said.is_empty() && seen.contains(said), "{name}: {seen}");
}

fn check(more: &[(&str, &[u8])], said: &str) {
    check_at(Level::Strict, NAME, &wheel_with(FOLDER, &metadata("foo", "1.0", ""), more), said);
}

#[test]
fn a_wheel_has_one_folder_with_three_files() {
    check(&[], "");
    check(&[("bar-1.0.dist-info/METADATA", b"x")], "more than one folder for metadata, among them `");
    check(&[("foo-1.0.data/scripts/x", b"#!python")], "");
    let text = metadata("foo", "1.0", "");
    for missing in ["METADATA", "WHEEL", "RECORD"] {
        let names = ["METADATA", "WHEEL", "RECORD"].map(|name| format!("{FOLDER}/{name}"));
        let contents = [text.as_bytes(), b"Wheel-Version: 1.0\nTag: py3-none-any\n", b""];
        let files: Vec<_> =
            names.iter().map(String::as_str).zip(contents).filter(|(name, _)| !name.ends_with(missing)).collect();
        check_at(
            Level::Strict,
            NAME,
            &zip(&files),
            &format!("does not contain the required file `{FOLDER}/{missing}`"),
        );
    }
    check_at(Level::Strict, NAME, &zip(&[("foo.py", b"")]), "does not contain the folder `foo-1.0.dist-info`");
}

#[test]
fn wheel_names_its_format_and_tags() {
    let wheel = format!("{FOLDER}/WHEEL");
    let name = wheel.as_str();
    check(&[(name, b"Tag: py3-none-any\n")], "WHEEL is malformed");
    check(&[(name, b"\xff")], "WHEEL is malformed");
    check(&[(name, b"Wheel-Version: 2.0\nTag: py3-none-any\n")], "version `2.0` of the format");
    check(&[(name, b"Wheel-Version: 1.9\nTag: py3-none-any\n")], "");
    check(
        &[(name, b"Wheel-Version: 1.0\nTag: py2-none-any\n")],
        "warning: the wheel's tags `py2-none-any` are not those",
    );
}

#[test]
fn record_lists_what_is_there() {
    let text = metadata("foo", "1.0", "");
    let path = format!("{FOLDER}/RECORD");
    let with = |change: &dyn Fn(String) -> String, said: &str| {
        let wheel = b"Wheel-Version: 1.0\nTag: py3-none-any\n".as_slice();
        let names = ["METADATA", "WHEEL"].map(|name| format!("{FOLDER}/{name}"));
        let files = [("foo.py", b"x = 1\n".as_slice()), (&names[0], text.as_bytes()), (&names[1], wheel)];
        let record = change(record(FOLDER, &files));
        check(&[(&names[1], wheel), (&path, record.as_bytes())], said);
    };
    with(&|record| record, "");
    with(&|record| record + "bar.py,,\n", "RECORD lists `bar.py`, which is not in the wheel");
    with(&|record| record.lines().skip(1).collect::<Vec<_>>().join("\n"), "RECORD does not list `foo.py`");
    with(&|record| record.replacen("sha256=", "sha256=A", 1), "`foo.py` has another digest than RECORD says");
    with(
        &|record| record.replacen("sha256=", "md5=", 1),
        "warning: RECORD has no SHA-256, SHA-384 or SHA-512 of `foo.py`",
    );
    with(&|record| record + "\"", "RECORD is malformed in line 5");
    check(&[(&format!("{FOLDER}/RECORD.jws"), b"signed")], "");
}

#[test]
fn record_may_be_wrong_in_a_folder() {
    let path = format!("{FOLDER}/RECORD");
    let bytes = wheel_with(FOLDER, &metadata("foo", "1.0", ""), &[(&path, b"bar.py,,\n")]);
    check_at(Level::Lenient, NAME, &bytes, "warning: RECORD lists `bar.py`, which is not in the wheel");
    check_at(Level::Lenient, NAME, &wheel(FOLDER, &metadata("foo", "1.0", "")), "");
}

#[test]
fn scripts_stay_where_scripts_are() {
    let path = format!("{FOLDER}/entry_points.txt");
    check(&[(&path, b"[console_scripts]\nfoo = foo:main\n")], "");
    check(&[(&path, b"[console_scripts]\n../../bin/sh = foo:main\n")], "`../../bin/sh` in entry_points.txt is no name");
    check(&[(&path, b"\xff")], "entry_points.txt is malformed in line 1");
}

#[test]
fn licences_are_where_the_metadata_say() {
    let text = metadata("foo", "1.0", "License-File: LICENSE\n");
    let path = format!("{FOLDER}/licenses/LICENSE");
    check_at(Level::Strict, NAME, &wheel_with(FOLDER, &text, &[(&path, b"do")]), "");
    let missing = "License-File `LICENSE` does not exist in the distribution at `foo-1.0";
    check_at(Level::Strict, NAME, &wheel(FOLDER, &text), missing);
    check_at(Level::Strict, NAME, &wheel(FOLDER, &text.replace("2.4", "2.1")), "");
    check_at(Level::Strict, "foo-1.0.tar.gz", &sdist("foo-1.0", &text), missing);
    check_at(Level::Legacy, "foo-1.0.tar.gz", &sdist("foo-1.0", &text), missing);
    check_at(Level::Strict, "foo-1.0.tar.gz", &sdist("foo-1.0", &text.replace("LICENSE", "foo.py")), "");
}

#[test]
fn new_names_are_spelled_in_one_way() {
    let text = metadata("Foo.Bar", "1.0", "");
    let wheel = wheel("foo_bar-1.0.dist-info", &text);
    check_at(Level::Strict, "foo_bar-1.0-py3-none-any.whl", &wheel, "");
    check_at(Level::Strict, "foo_bar-1.0.0-py3-none-any.whl", &wheel, "");
    check_at(Level::Strict, "Foo.Bar-1.0-py3-none-any.whl", &wheel, "should be `foo_bar-1.0-py3-none-any.whl`");
    check_at(Level::Legacy, "Foo.Bar-1.0-py3-none-any.whl", &wheel, "");
    let sdist = sdist("Foo.Bar-1.0", &text);
    check_at(Level::Strict, "foo_bar-1.0.tar.gz", &sdist, "");
    for name in ["Foo.Bar-1.0.tar.gz", "foo-bar-1.0.tar.gz", "foo_bar-1.0.0.tar.gz", "foo_bar-1.0.tgz"] {
        check_at(Level::Strict, name, &sdist, "should be `foo_bar-1.0.tar.gz`");
        check_at(Level::Legacy, name, &sdist, "");
    }
    let zipped = zip(&[("foo-1.0/PKG-INFO", text.as_bytes())]);
    check_at(Level::Strict, "foo_bar-1.0.zip", &zipped, "should be `foo_bar-1.0.tar.gz`");
    check_at(Level::Legacy, "foo_bar-1.0.zip", &zipped, "");
    let scattered = zip(&[("foo-1.0/PKG-INFO", text.as_bytes()), ("x/y", b"")]);
    check_at(Level::Legacy, "foo_bar-1.0.zip", &scattered, "incorrect number of top-level directories");
}

#[test]
fn what_was_given_up() {
    let egg = zip(&[("EGG-INFO/PKG-INFO", metadata("foo", "1.0", "").as_bytes())]);
    check_at(Level::Strict, "foo-1.0-py2.5.egg", &egg, "files of type `bdist_egg` are not taken");
    check_at(Level::Legacy, "foo-1.0-py2.5.egg", &egg, "");
    check_at(Level::Legacy, "foo-1.0-py2.5.egg", &zip(&[("x", b"")]), "does not contain `EGG-INFO/PKG-INFO`");
    check_at(Level::Legacy, "foo-1.0.win32.exe", b"MZ", "`foo-1.0.win32.exe` cannot be checked");
    check_at(Level::Lenient, "foo-1.0.win32.exe", b"MZ", "");
    check_at(Level::Strict, "foo-1.0.tar.xz", b"", "`foo-1.0.tar.xz` cannot be checked");
}

fn check_form(change: impl Fn(Claim<'static>) -> Claim<'static>, said: &str) {
    let bytes = wheel(FOLDER, &metadata("Foo", "1.0", ""));
    let read = Distribution::from_bytes(&bytes, NAME, Level::Strict, &Limits::default()).unwrap();
    let sha256: &'static str = Digests::of(&bytes, Wanted::All).sha256.to_string().to_uppercase().leak();
    let claim = Claim {
        name: "Foo",
        version: "1.0",
        filetype: "bdist_wheel",
        pyversion: Some("py3"),
        sha256_digest: Some(sha256),
        ..Claim::default()
    };
    let seen = read.agrees_with(&change(claim)).err().map(|fault| fault.sentence()).unwrap_or_default();
    assert_eq!(seen, said);
}

#[test]
fn the_form_says_what_the_file_says() {
    check_form(|form| form, "");
    check_form(|form| Claim { name: "FOO", version: "v1", ..form }, "");
    check_form(|form| Claim { name: "bar", ..form }, "The form is for project `bar`, the file for `Foo`.");
    check_form(|form| Claim { name: "", ..form }, "The form is for project ``, the file for `Foo`.");
    check_form(|form| Claim { version: "1.1", ..form }, "The form is for version `1.1`, the file for `1.0`.");
    check_form(|form| Claim { version: "", ..form }, "The form is for version ``, the file for `1.0`.");
    check_form(
        |form| Claim { filetype: "sdist", ..form },
        "Invalid file extension: `foo-1.0-py3-none-any.whl` is invalid for filetype `sdist`.",
    );
    check_form(|form| Claim { filetype: "deb", ..form }, "`deb` is an unknown file type: use a known file type.");
}

#[test]
fn digests_are_compared() {
    const WRONG: &str = "00000000000000000000000000000000";
    const MISMATCH: &str = "The digest supplied does not match a digest calculated from the uploaded file.";
    check_form(|form| Claim { sha256_digest: None, ..form }, "Include at least one message digest.");
    check_form(|form| Claim { sha256_digest: Some(" "), ..form }, "Include at least one message digest.");
    check_form(|form| Claim { sha256_digest: Some("00"), ..form }, "Use a valid, hex-encoded, SHA256 message digest.");
    check_form(|form| Claim { md5_digest: Some("zz"), ..form }, "Use a valid, hex-encoded, MD5 message digest.");
    check_form(|form| Claim { md5_digest: Some(WRONG), ..form }, MISMATCH);
    check_form(|form| Claim { sha256_digest: Some(Box::leak(WRONG.repeat(2).into_boxed_str())), ..form }, MISMATCH);
    check_form(|form| Claim { blake2_256_digest: Some(Box::leak(WRONG.repeat(2).into_boxed_str())), ..form }, MISMATCH);
    // a digest that was not computed cannot be vouched for
    let bytes = wheel(FOLDER, &metadata("foo", "1.0", ""));
    let mut read = Distribution::from_bytes(&bytes, NAME, Level::Strict, &Limits::default()).unwrap();
    read.digests = Digests { md5: None, ..read.digests };
    let claim =
        Claim { name: "foo", version: "1", filetype: "bdist_wheel", md5_digest: Some(WRONG), ..Claim::default() };
    assert_eq!(read.agrees_with(&claim).unwrap_err().sentence(), MISMATCH);
    assert_eq!(Digest([0_u8; 16]).to_string(), WRONG);
}

#[test]
fn source_distributions_are_for_source() {
    let bytes = sdist("foo-1.0", &metadata("foo", "1.0", ""));
    let read = Distribution::from_bytes(&bytes, "foo-1.0.tar.gz", Level::Strict, &Limits::default()).unwrap();
    let md5 = read.digests.md5.unwrap().to_string();
    for (pyversion, said) in
        [(None, ""), (Some(""), ""), (Some("source"), ""), (Some("2.7"), "Use `source` as Python version")]
    {
        let claim = Claim {
            name: "foo",
            version: "1.0",
            filetype: "sdist",
            pyversion,
            md5_digest: Some(&md5),
            ..Claim::default()
        };
        let seen = read.agrees_with(&claim).err().map(|fault| fault.sentence()).unwrap_or_default();
        assert!(seen.starts_with(said) && seen.is_empty() == said.is_empty(), "{seen}");
    }
}

#[test]
fn an_upload_is_read_from_the_file_it_was_spooled_to() {
    let bytes = wheel(FOLDER, &metadata("foo", "1.0", "Requires-Python: >=3\n"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spool");
    std::fs::write(&path, &bytes).unwrap();
    let file = std::fs::File::open(&path).unwrap();
    let digests = Digests::of(&bytes, Wanted::All);
    let read = Distribution::inspect(&file, NAME, digests, Level::Strict, &Limits::default()).unwrap();
    assert_eq!(read, Distribution::from_bytes(&bytes, NAME, Level::Strict, &Limits::default()).unwrap());
    assert_eq!((read.requires_python(), read.size), (Some(">=3"), bytes.len() as u64));
    let (served, digest) = read.core_metadata().unwrap();
    assert_eq!(digest, Digests::of(served, Wanted::Sha256).sha256);
}
