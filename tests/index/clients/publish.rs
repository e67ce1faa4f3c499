//! flit, poetry and hatch publish; twine and uv are in `uploads`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::super::packages::Package;
use super::super::uploads::{Index, index};
use super::super::{folder, url};
use super::{clean, publisher, tool};
use crate::harness::Ran;

/// A wheel and a source distribution in `home/dist`, as the tools expect them.
fn dist(home: &Path, name: &str) -> Vec<PathBuf> {
    let dist = home.join("dist");
    vec![Package::wheel(name, "1.0").make(&dist), Package::sdist(name, "1.0").make(&dist)]
}

/// What was stored are the very bytes.
#[track_caller]
fn stored(running: &Index, project: &str, files: &[PathBuf]) {
    for file in files {
        let there = folder(running).join(project).join(file.file_name().unwrap());
        assert!(std::fs::read(&there).unwrap() == std::fs::read(file).unwrap(), "{}", there.display());
    }
}

fn run(command: &mut Command, home: &Path) -> Ran {
    Ran::of(clean(command, home).current_dir(home).stdin(Stdio::null()))
}

#[test]
fn flit() {
    let running = index();
    let home = tempfile::tempdir().unwrap();
    let project = "[build-system]\nrequires = ['flit_core']\nbuild-backend = 'flit_core.buildapi'\n[project]\n\
                   name = 'flitted'\ndynamic = ['version', 'description']\nauthors = [{ name = 'A' }]\n";
    std::fs::write(home.path().join("pyproject.toml"), project).unwrap();
    std::fs::write(home.path().join("flitted.py"), "'''What it is'''\n__version__ = '1.0'\n").unwrap();
    let publish = |token: &str| {
        let mut flit = Command::new(tool("flit"));
        clean(&mut flit, home.path()).current_dir(home.path()).arg("publish").stdin(Stdio::null());
        flit.env("FLIT_INDEX_URL", url(&running, "/legacy/")).env("FLIT_USERNAME", "__token__");
        Ran::of(flit.env("FLIT_PASSWORD", token).env("SOURCE_DATE_EPOCH", "1767225600"))
    };
    assert!(publish("wrong").stderr.contains("403"));
    publish(&running.token).ok();
    let made = std::fs::read_dir(home.path().join("dist")).unwrap().map(|entry| entry.unwrap().path());
    let made: Vec<_> = made.collect();
    assert_eq!(made.len(), 2, "{made:?}");
    stored(&running, "flitted", &made);
    publish(&running.token).ok();
    running.stop();
}

#[test]
fn poetry() {
    let running = index();
    let home = tempfile::tempdir().unwrap();
    let files = dist(home.path(), "poetic");
    let project = "[project]\nname = 'poetic'\nversion = '1.0'\ndescription = ''\n[build-system]\n\
                   requires = ['poetry-core']\nbuild-backend = 'poetry.core.masonry.api'\n";
    std::fs::write(home.path().join("pyproject.toml"), project).unwrap();
    let publish = |token: &str, more: &[&str]| {
        let mut poetry = Command::new(publisher("poetry"));
        clean(&mut poetry, home.path()).current_dir(home.path()).args(["publish", "--no-interaction", "-r", "here"]);
        poetry.env("POETRY_REPOSITORIES_HERE_URL", url(&running, "/legacy/")).env("POETRY_KEYRING_ENABLED", "false");
        poetry.args(["--username", "__token__", "--password", token]).args(more).stdin(Stdio::null());
        Ran::of(&mut poetry)
    };
    let refused = publish("wrong", &[]);
    assert!(refused.code != Some(0) && format!("{refused:?}").contains("403"), "{refused:?}");
    publish(&running.token, &[]).ok();
    stored(&running, "poetic", &files);
    publish(&running.token, &["--skip-existing"]).ok();
    running.stop();
}

#[test]
fn hatch() {
    let running = index();
    let home = tempfile::tempdir().unwrap();
    let files = dist(home.path(), "hatched");
    let publish = |token: &str| {
        let mut hatch = Command::new(publisher("hatch"));
        hatch.args(["--no-color", "publish", "--no-prompt", "--repo"]).arg(url(&running, "/legacy/"));
        run(hatch.args(["--user", "__token__", "--auth", token]).args(&files), home.path())
    };
    let refused = publish("wrong");
    assert!(refused.code != Some(0) && format!("{refused:?}").contains("403"), "{refused:?}");
    publish(&running.token).ok();
    stored(&running, "hatched", &files);
    // it asks the index first, in devpi's way, and passes over what is there
    publish(&running.token).ok();
    running.stop();
}
