//! A user's own templates.

use std::fs;
use std::path::Path;

use opsctl_web::Pages;
use serde::Serialize;

#[derive(Serialize)]
struct Context {
    name: &'static str,
}

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn pages(folder: &Path) -> Pages {
    Pages::new()
        .add("finger/list.html", "built in {{ name }}")
        .add("finger/user.html", "built in {{ name }}")
        .override_dir(Some(folder.into()))
}

/// What `finger/list.html` gives with `files` in the folder.
#[track_caller]
fn check(files: &[(&str, &str)], expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), files);
    let pages = pages(folder.path());
    assert_eq!(pages.faults(), []);
    assert_eq!(pages.render("finger/list.html", Context { name: "<x>" }).unwrap().as_str(), expected);
    let other = pages.render("finger/user.html", Context { name: "y" }).unwrap();
    assert_eq!(other.as_str(), "built in y", "the others stay");
}

#[test]
fn own_ones_win() {
    check(&[], "built in &lt;x&gt;");
    check(&[("list.html", "own {{ name }}")], "own &lt;x&gt;");
    check(&[("finger/list.html", "own {{ name }}")], "own &lt;x&gt;");
    check(
        &[("list.html", "{% include 'more/part.html' %}"), ("more/part.html", "part of {{ name }}")],
        "part of &lt;x&gt;",
    );
    check(&[("list.htm", "no template"), ("notes.txt", "{{"), ("other.html", "other")], "built in &lt;x&gt;");
    // by its path rather than by its name alone
    check(&[("list.html", "by name"), ("finger/list.html", "by path")], "by path");
}

#[test]
fn faults_have_a_place() {
    let folder = tempfile::tempdir().unwrap();
    let [bad, worse] = ["list.html", "more/user.html"].map(|name| folder.path().join(name));
    write(folder.path(), &[("list.html", "one\n  {{ name ]"), ("more/user.html", "{% if %}")]);
    fs::write(folder.path().join("latin.html"), b"\xe4").unwrap();
    let pages = pages(folder.path());
    let faults: Vec<String> = pages.faults().iter().map(ToString::to_string).collect();
    let expect =
        |start: String| assert!(faults.iter().any(|fault| fault.starts_with(&start)), "{start} in {faults:#?}");
    expect(format!("{}:2:11: ", bad.display()));
    expect(format!("{}:1:7: ", worse.display()));
    expect(format!("{}: failed to read the template", folder.path().join("latin.html").display()));
    assert_eq!(faults.len(), 3);
    let page = pages.render("finger/list.html", Context { name: "x" }).unwrap();
    assert_eq!(page.as_str(), "built in x", "a faulty one replaces nothing");
}

#[test]
fn a_folder_that_is_not_there() {
    let pages = pages(Path::new("/nonexistent"));
    assert_eq!(pages.faults().len(), 1);
    assert!(pages.faults()[0].to_string().starts_with("/nonexistent: failed to read the template"));
    assert_eq!(Pages::new().override_dir(None).faults(), []);
}

/// A wrong path must not read a whole disk.
#[test]
fn bounds() {
    let folder = tempfile::tempdir().unwrap();
    let long = "x".repeat(1024 * 1024 + 1);
    write(folder.path(), &[("long.html", &long), ("1/2/3/4/5/deep.html", "{{"), ("1/2/3/4/fine.html", "fine")]);
    std::os::unix::fs::symlink(folder.path(), folder.path().join("loop")).unwrap();
    let pages = pages(folder.path());
    assert!(pages.faults().iter().all(|fault| fault.to_string().contains("long.html: ")), "{:#?}", pages.faults());
    assert_eq!(pages.render("1/2/3/4/fine.html", Context { name: "" }).unwrap().as_str(), "fine");

    let folder = tempfile::tempdir().unwrap();
    (0..1100).for_each(|number| fs::write(folder.path().join(format!("{number}.html")), "x").unwrap());
    let faults: Vec<_> = Pages::new().override_dir(Some(folder.path().into())).faults().to_vec();
    assert_eq!(faults.len(), 1);
    assert!(faults[0].message.contains("more than 1000"), "{}", faults[0]);
}
