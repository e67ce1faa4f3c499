//! File names by table, and any text.

use proptest::prelude::*;

use super::*;

/// `said` is `normalised-project version kind python`, tags and build tag of a wheel, or a part of the reason against it.
fn check_at(level: Level, project: Option<&str>, text: &str, said: &str) {
    let project = project.map(|project| ProjectName::parse(project).unwrap());
    let seen = match FileName::parse(text, project.as_ref(), level) {
        Err(bad) => bad.to_string(),
        Ok(name) => {
            let facts = format!(
                "{} {} {} {}",
                name.project().normalized(),
                name.version().normalized(),
                name.kind(),
                name.python()
            );
            let build = name.build().map(|build| format!(" {}/{}", build.number, build.suffix));
            let tags = name.tags().map(|tags| {
                let count = tags.python().count() * tags.abi().count() * tags.platform().count();
                format!(" {tags} {count}")
            });
            facts + &tags.unwrap_or_default() + &build.unwrap_or_default()
        }
    };
    let refused = ["is no", "has the", "names no", "has more", "ends like", "characters", "not `"];
    assert!(seen == said || refused.iter().any(|word| said.contains(word)) && seen.contains(said), "{text:?}: {seen}");
}

fn check(text: &str, said: &str) {
    check_at(Level::Strict, None, text, said);
}

fn check_legacy(text: &str, said: &str) {
    check_at(Level::Legacy, None, text, said);
}

fn check_of(project: &str, text: &str, said: &str) {
    check_at(Level::Lenient, Some(project), text, said);
}

#[test]
fn wheels() {
    check("foo-1.0-py3-none-any.whl", "foo 1.0 bdist_wheel py3 py3-none-any 1");
    check("some_PACKAGE-1.0-py2.py3-none-any.whl", "some-package 1.0 bdist_wheel py2.py3 py2.py3-none-any 2");
    check("foo-1.0-1000abc-py3-none-any.whl", "foo 1.0 bdist_wheel py3 py3-none-any 1 1000/abc");
    check(
        "a.b-2!1.0rc1+up.1-cp310-cp310-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
        "a-b 2!1.0rc1+up.1 bdist_wheel cp310 cp310-cp310-manylinux2014_x86_64.manylinux_2_17_x86_64 2",
    );
    // locally built ones are the very thing that a private index is for
    check("foo-1.0-cp311-cp311-linux_x86_64.whl", "foo 1.0 bdist_wheel cp311 cp311-cp311-linux_x86_64 1");
}

#[test]
fn what_is_no_wheel() {
    check("foo-1.0.whl", "`foo-1.0.whl` is no file name of a wheel");
    check("foo__bar-1.0-py3-none-any.whl", "is no file name of a wheel");
    check("foo-1.0-200-py3-none-any-junk.whl", "is no file name of a wheel");
    check("foobar-1.x-py3-none-any.whl", "names no version");
    check("foo_-1.0-py3-none-any.whl", "names no project");
    check("foo-1.0-abc-py3-none-any.whl", "has the build tag `abc`");
    check("foo-1.0-99999999999999999999-py3-none-any.whl", "has the build tag");
    check("foo-1.0--none-any.whl", "has the compatibility tags `-none-any`");
    check("foo-1.0-py3-none-.whl", "has the compatibility tags");
    check("foo-1.0-py3.-none-any.whl", "has the compatibility tags");
    check("playlyfe-0.1.1-2.7.6-none-any.whl", "has the compatibility tags");
    check("foo-1.0-py3-none-any.wheel", "ends like no distribution");
    check("foo-1.0-py3-none-any.WHL", "ends like no distribution");
}

#[test]
fn source_distributions() {
    check("foo-1.0.tar.gz", "foo 1.0 sdist source");
    check("Foo-Bar-1.0.tar.gz", "foo-bar 1.0 sdist source");
    check("foo-1.0.zip", "foo 1.0 sdist source");
    check("foo-1.0.tar.bz2", "foo 1.0 sdist source");
    check("foo-1.0.tgz", "foo 1.0 sdist source");
    check("foo-1.0-1.tar.gz", "foo-1-0 1 sdist source");
    check("foo1.0.tar.gz", "is no file name of a source distribution");
    check("foo-1.x.tar.gz", "names no version");
    check("-1.0.tar.gz", "characters");
    check("foo-1.0.xz", "ends like no distribution");
    check("foo-1.0.exe.txt", "ends like no distribution");
}

#[test]
fn the_project_says_where_a_name_ends() {
    check_of("foo", "foo-1.0-1.tar.gz", "foo 1.0.post1 sdist source");
    check_of("foo-1.0", "foo-1.0-1.tar.gz", "foo-1-0 1 sdist source");
    check_of("foo.bar", "Foo-Bar-1.0.zip", "foo-bar 1.0 sdist source");
    check_of("foo", "foo-0.9.6dev-r1234.tar.gz", "foo 0.9.6dev-r1234 sdist source");
    check_of("a2-b", "a2-b-3-4.tar.gz", "a2-b 3.post4 sdist source");
    check_of("foo", "foo_bar-1.0.tar.gz", "start the file name for `foo` with `foo`, not `foo_bar-1.0.tar.gz`");
    check_of("Foo.Bar", "baz-1.0-py3-none-any.whl", "start the file name for `Foo.Bar` with `foo_bar`, not `baz");
}

#[test]
fn what_came_before_wheels() {
    check("foo-1.0-py2.5.egg", "foo 1.0 bdist_egg 2.5");
    check("foo_bar-1.0_1-py2.7-linux-x86_64.egg", "foo-bar 1.0.post1 bdist_egg 2.7");
    check_legacy("FLVio-0.9dev_r23-py2.5.egg", "flvio 0.9dev-r23 bdist_egg 2.5");
    check("foo-1.0.egg", "foo 1.0 bdist_egg any");
    check("foo.egg", "is no file name of an egg");
    check("foo-1.0-2.5.egg", "is no file name of an egg");
    check("foo-1.0.win32.exe", "foo 1.0 bdist_wininst any");
    check("Foo-Bar-1.0.win-amd64-py2.7.exe", "foo-bar 1.0 bdist_wininst 2.7");
    check("foo-1.0.win32-py2.7.msi", "foo 1.0 bdist_msi 2.7");
    check("foo-1.0.exe", "is no file name of an installer");
    check("foo-bar-1.0-1.noarch.rpm", "foo-bar 1.0 bdist_rpm any");
    check("foo.rpm", "is no file name of an RPM");
    check("foo-1.0.linux-x86_64.tar.gz", "foo 1.0 bdist_dumb any");
    check("foo-1.0.macosx-10.4-i386.tar.gz", "foo 1.0 bdist_dumb any");
    check_legacy("foo-0.9.6dev-r1234.tar.gz", "foo 0.9.6dev-r1234 sdist source");
    check_legacy("foo-bar-final.tar.gz", "foo-bar final sdist source");
}

#[test]
fn names_that_harm() {
    for text in [
        "../foo-1.0.tar.gz",
        "a/foo-1.0.tar.gz",
        "a\\foo-1.0.tar.gz",
        "foo-1.0\0.tar.gz",
        "foo-1.0\n.tar.gz",
        "foo\r\nX: y-1.0.tar.gz",
        "foo-1.0\x7f.tar.gz",
        "foo 1.0.tar.gz",
        "f\u{f6}o-1.0.tar.gz",
        "foo-1.0%2f.tar.gz",
        "foo\"-1.0.tar.gz",
        "<foo>-1.0.tar.gz",
        ".foo-1.0.tar.gz",
        "",
    ] {
        check(text, "characters");
    }
    check(&format!("{}-1.0.tar.gz", "a".repeat(244)), "has more than 200");
    check(&format!("{}-1.0.tar.gz", "a".repeat(245)), "has more than 255");
}

#[test]
fn kinds_have_the_names_of_uploads() {
    for (kind, name) in Kind::ALL {
        assert_eq!(Kind::from_filetype(name), Some(kind));
        assert_eq!(kind.filetype(), name);
    }
    assert_eq!(Kind::from_filetype("bdist_deb"), None);
    assert_eq!(FileName::kind_of("x.linux-x.tar.gz"), Some((Kind::Sdist, Container::TarGz)));
    assert_eq!(FileName::kind_of("x-1.linux-x.tar.gz"), Some((Kind::Dumb, Container::Opaque)));
    assert_eq!(FileName::kind_of("x.part"), None);
}

proptest! {
    #[test]
    fn any_text_is_refused_or_harmless(text in prop_oneof![
        any::<String>(),
        "[a-zA-Z0-9._-]{1,5}-[0-9.a-z_+-]{1,6}(-py3|-py2.5|-none|-any|.linux-x){0,4}(.whl|.egg|.zip|.tar.gz|.exe|.rpm)",
    ]) {
        for level in [Level::Strict, Level::Legacy, Level::Lenient] {
            if let Ok(name) = FileName::parse(&text, None, level) {
                prop_assert_eq!(name.text(), &text);
                prop_assert!(!text.starts_with(['.', '-']) && text.len() <= FILE_NAME_MAX);
                prop_assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._+!~-".contains(&byte)));
                prop_assert!(level != Level::Strict || !name.version().is_legacy());
                // told the project, it is read the same
                let again = FileName::parse(&text, Some(name.project()), level);
                prop_assert_eq!(again.as_ref().map(FileName::project), Ok(name.project()));
            }
        }
    }

    #[test]
    fn a_normal_name_is_read_back(name in "[a-z]{1,4}(-[a-z0-9]{1,3}){0,2}", version in "[0-9]{1,3}(\\.[0-9]{1,3}){0,3}(rc1|\\.dev2|\\+l)?") {
        let project = ProjectName::parse(&name).unwrap();
        for text in [
            format!("{}-{version}.tar.gz", project.escaped()),
            format!("{}-{version}-py3-none-any.whl", project.escaped()),
            format!("{}-{version}-py2.7.egg", project.escaped()),
        ] {
            let read = FileName::parse(&text, None, Level::Strict).unwrap();
            prop_assert_eq!(read.project(), &project);
            prop_assert_eq!(read.version(), &Version::parse(&version).unwrap());
        }
    }
}
