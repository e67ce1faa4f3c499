//! Verbs by their command lines, on real files and a real database, each as if it was called by itself.

use std::path::Path;

use clap::{Parser, Subcommand};
use tempfile::TempDir;

use super::*;
use crate::changes::tests::{sdist, sdist_saying};
use crate::config::tests::config;

#[derive(Parser)]
struct Line {
    #[command(subcommand)]
    verb: Verbs,
}

struct Scene(TempDir);

impl Scene {
    fn new() -> Scene {
        Scene(tempfile::tempdir().unwrap())
    }

    fn path(&self, path: &str) -> std::path::PathBuf {
        self.0.path().join(path)
    }

    /// Calls a verb; `DIR` in it is the scene's folder. What it says, and its error if there is one.
    fn call(&self, line: &str) -> (bool, String) {
        let dir = self.0.path().display();
        let set = format!("root={dir}/main\nindexes.dev.root={dir}/dev");
        let line = line.replace("DIR", &dir.to_string());
        let words = shell_words(&line);
        let verb = Line::try_parse_from(std::iter::once("index".to_owned()).chain(words))
            .unwrap_or_else(|error| panic!("{error}"));
        let cx = VerbContext::local("index", self.path("data"));
        let mut out = Vec::new();
        let ended = run_to(verb.verb, config(&set).unwrap(), &cx, &mut out);
        let mut said = String::from_utf8(out).unwrap().replace(&dir.to_string(), "DIR");
        if let Err(error) = &ended {
            said.push_str(&format!("{error:#}"));
        }
        (ended.is_ok_and(|code| code == ExitCode::SUCCESS), said)
    }

    #[track_caller]
    fn check(&self, line: &str, good: bool, said: &[&str]) {
        let (ended, text) = self.call(line);
        assert_eq!(ended, good, "{line}: {text}");
        for said in said {
            assert!(text.contains(said), "{line}: no {said:?} in {text}");
        }
    }

    /// An older export by devpi, and a file that is none.
    fn devpi(&self) {
        sdist(&self.path("devpi/team/dev/x"), "fromdevpi", "1.0");
        let file = r#"{"type": "releasefile", "relpath": "team/dev/x/fromdevpi-1.0.tar.gz"}"#;
        let text = format!(r#"{{"indexes": {{"team/dev": {{"files": [{file}]}}}}}}"#);
        std::fs::write(self.path("devpi/dataindex.json"), text).unwrap();
    }
}

/// Words, of which `'…'` is one.
fn shell_words(line: &str) -> Vec<String> {
    let quoted = line.split('\'').enumerate();
    let words = quoted.flat_map(|(at, part)| match at % 2 {
        0 => part.split_whitespace().map(ToOwned::to_owned).collect(),
        _ => vec![part.to_owned()],
    });
    words.collect()
}

fn listed(folder: &Path) -> Vec<String> {
    let all = files::below(folder).unwrap();
    all.iter().map(|path| path.strip_prefix(folder).unwrap().display().to_string()).collect()
}

#[test]
fn the_command_line_is_sound() {
    Verbs::augment_subcommands(clap::Command::new("index")).debug_assert();
    assert!(Line::try_parse_from(["index", "retain"]).is_err(), "a rule is needed");
}

#[test]
fn files_come_are_withdrawn_and_go() {
    let scene = Scene::new();
    for version in ["1.0", "1.1", "2.0a1"] {
        sdist(&scene.path("new"), "demo", version);
    }
    std::fs::write(scene.path("new/broken-1.0.tar.gz"), "nothing").unwrap();
    scene.check("add DIR/new/demo-1.0.tar.gz DIR/new/demo-1.1.tar.gz", true, &["demo-1.1.tar.gz: added to `main`"]);
    scene.check("add DIR/new/demo-1.0.tar.gz", true, &["is in `main` already"]);
    scene.check("add DIR/new/broken-1.0.tar.gz DIR/new/demo-2.0a1.tar.gz", false, &["refused", "2.0a1.tar.gz: added"]);
    scene.check("add DIR/new/none-1.0.tar.gz", false, &["refused"]);
    scene.check("add DIR/new/demo-1.0.tar.gz -i other", false, &["no index `other`"]);
    // put there by hand, and never seen by a server
    sdist(&scene.path("main/byhand"), "byhand", "1.0");
    scene.check("yank byhand-1.0.tar.gz --reason 'too old'", true, &["byhand-1.0.tar.gz: withdrawn"]);
    scene.check("yank demo==1 demo==1.1", true, &["demo-1.0.tar.gz: withdrawn"]);
    scene.check("yank demo==1", true, &["nothing to do"]);
    scene.check("unyank demo", true, &["demo-1.1.tar.gz: no longer withdrawn"]);
    scene.check("yank demo==7", false, &["there is no version `7` of `demo` in the index `main`"]);
    scene.check("retain --keep 1 --dry-run --match demo", true, &["demo-1.0.tar.gz", "1 files", "would be removed"]);
    assert_eq!(listed(&scene.path("main")).len(), 4);
    scene.check("retain --keep 1", true, &["1 files", "removed"]);
    scene.check("add DIR/new/demo-1.1.tar.gz", true, &["already"]);
    assert_eq!(
        listed(&scene.path("main")),
        ["byhand/byhand-1.0.tar.gz", "demo/demo-1.1.tar.gz", "demo/demo-2.0a1.tar.gz"]
    );
    scene.check("fsck", true, &["3 files, 0 faults"]);
    // the same file twice: one is served, and neither stays
    for folder in ["main/a", "main/b"] {
        sdist(&scene.path(folder), "twice", "1.0");
    }
    sdist(&scene.path("main/a"), "twice", "1.1");
    scene.check("retain --keep 1 --match twice", true, &["1 files"]);
    scene.check("fsck", true, &["4 files, 0 faults"]);
    assert_eq!(listed(&scene.path("main")).iter().filter(|path| path.contains("twice-1.0")).count(), 0);
}

#[test]
fn decisions() {
    let scene = Scene::new();
    sdist(&scene.path("dev/demo"), "demo", "1.0");
    scene.check("status demo archived --reason done -i dev", true, &["demo: archived"]);
    scene.check("status --json", true, &[r#""status": "archived""#, r#""reason": "done""#]);
    scene.check("status", true, &["INDEX  PROJECT  STATUS    REASON\ndev    demo     archived  done"]);
    scene.check("promote demo==1.0 --from dev", true, &["demo-1.0.tar.gz: copied to `main`"]);
    scene.check("promote demo==1.0 --from dev", true, &["in `main` already"]);
    scene.check("promote demo==2.0 --from dev", false, &["there is no version `2.0`"]);
    scene.check("origin flask internal", true, &["flask: internal, was undecided"]);
    scene.check("origin", true, &["flask    internal"]);
    scene.check("origin flask clear", true, &["flask: undecided, was internal"]);
    scene.check("reserve acme-* acme", true, &["acme-*: reserved\nacme: reserved"]);
    scene.check("reserve --json", true, &[r#""acme-*""#]);
    scene.check("unreserve acme", true, &["no longer"]);
    scene.check("unreserve acme", false, &["was not reserved"]);
    scene.check("audit confusion", true, &["1 private names, 0 of them upstream"]);
}

#[test]
fn what_is_exported_is_imported() {
    let scene = Scene::new();
    sdist(&scene.path("main/demo"), "demo", "1.0");
    sdist(&scene.path("dev/other"), "other", "1.0");
    scene.check("yank demo --reason why", true, &[]);
    scene.check("status other deprecated -i dev", true, &[]);
    scene.check("reserve acme-*", true, &[]);
    scene.check("export DIR/out", true, &["2 files"]);
    scene.check("export DIR/out", true, &["2 files"]);
    let second = Scene::new();
    let out = scene.path("out").display().to_string();
    let import = format!("import {out}");
    second.check(&import, true, &["2 files added, 0 were there, 0 refused"]);
    second.check(&import, true, &["0 files added, 2 were there, 0 refused"]);
    second.check("yank demo --reason why", true, &["nothing to do"]);
    second.check("status --json", true, &["deprecated", "other", "dev"]);
    second.check("reserve", true, &["acme-*"]);
    // what came with a file goes along, and names that were removed stay taken
    let dump = scene.path("out/opsctl-index.json");
    let text = std::fs::read_to_string(&dump).unwrap();
    assert_eq!(text.matches(r#""attestations": null"#).count(), 2, "{text}");
    std::fs::write(&dump, text.replace(r#""attestations": null"#, r#""attestations": "[{}]""#)).unwrap();
    let proven = Scene::new();
    proven.check(&import, true, &["2 files added"]);
    sdist(&scene.path("newer"), "demo", "2.0");
    proven.check(&format!("add {}/demo-2.0.tar.gz", scene.path("newer").display()), true, &["added"]);
    proven.check("retain --keep 1 --match demo", true, &["demo-1.0.tar.gz", "1 files"]);
    proven.check("export DIR/out", true, &["2 files"]);
    let text = std::fs::read_to_string(proven.path("out/opsctl-index.json")).unwrap();
    assert_eq!(text.matches(r#""attestations": "[{}]""#).count(), 1, "{text}");
    assert!(text.contains(r#""filename": "demo-1.0.tar.gz""#), "{text}");
    let last = Scene::new();
    last.check(&format!("import {}", proven.path("out").display()), true, &["2 files added"]);
    sdist_saying(&scene.path("other"), "demo", "1.0", "Summary: other bytes\n");
    let other = format!("add {}/demo-1.0.tar.gz", scene.path("other").display());
    last.check(&other, false, &["there was another file `demo-1.0.tar.gz`"]);
    std::fs::write(scene.path("out/main/demo/demo-1.0.tar.gz"), "damaged").unwrap();
    let third = Scene::new();
    third.check(&import, false, &["demo-1.0.tar.gz: refused: it is damaged", "1 files added"]);
}

#[test]
fn folders_and_devpi_are_imported() {
    let scene = Scene::new();
    sdist(&scene.path("old/deep/er"), "demo", "1.0");
    sdist(&scene.path("old"), "demo", "1.1");
    std::fs::write(scene.path("old/readme.txt"), "x").unwrap();
    std::fs::write(scene.path("old/broken-1.0.tar.gz"), "x").unwrap();
    scene.check("import DIR/old", false, &["broken-1.0.tar.gz: refused: ", "2 files added, 0 were there, 1 refused"]);
    scene.devpi();
    scene.check("import DIR/devpi -i dev", true, &["1 files added"]);
    assert_eq!(listed(&scene.path("dev")), ["fromdevpi/fromdevpi-1.0.tar.gz"]);
    scene.check("import DIR/devpi --only team/x", false, &["no index `team/x`"]);
    scene.check("import DIR/nowhere", false, &["failed to list"]);
}

#[test]
fn what_was_changed_by_hand_is_found_and_mended() {
    let scene = Scene::new();
    let path = sdist(&scene.path("main/demo"), "demo", "1.0");
    scene.check("yank demo", true, &[]);
    let times = std::fs::metadata(&path).unwrap().modified().unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[4] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(times).unwrap();
    std::fs::create_dir_all(scene.path("main/.opsctl/spool")).unwrap();
    std::fs::write(scene.path("main/.opsctl/spool/left.part"), "x").unwrap();
    scene.check("fsck", false, &["has the sha256", "was left behind", "2 faults"]);
    scene.check("fsck --repair", true, &["is read again", "0 faults"]);
}
