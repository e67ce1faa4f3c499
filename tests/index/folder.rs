//! The folder that is the master: what is put into it by whoever's hand, slowly, in folders of folders, and where the
//! kernel does not tell what happens.
//!
//! Looks at regular times are a day apart here, so that what appears does so because it was told of, or because
//! nothing is.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use super::packages::Package;
use super::{JSON, folder, get, start};
use crate::harness::{OPSCTL, Ran, Running, Setup, eventually, program};

const RARELY: &str = "rescan = '24h'";

#[track_caller]
fn appears(running: &Running, project: &str, text: &str) {
    let path = format!("/simple/{project}/");
    eventually(&format!("{text} appears"), || get(running, &path, JSON).1.contains(text).then_some(()));
}

#[track_caller]
fn goes(running: &Running, project: &str) {
    let path = format!("/simple/{project}/");
    eventually(&format!("{project} goes"), || (get(running, &path, JSON).0 == 404).then_some(()));
}

#[test]
fn what_happens_in_folders_of_folders_is_told() {
    let running = start(&[], RARELY);
    let root = folder(&running);
    let elsewhere = tempfile::tempdir_in(running.dir.path()).unwrap();
    Package::wheel("deep", "1.0").make(&root.join("a/b/c/d"));
    appears(&running, "deep", "deep-1.0");
    // a folder that is moved in comes with what is in it
    Package::wheel("moved", "1.0").make(&elsewhere.path().join("in/side"));
    std::fs::rename(elsewhere.path().join("in"), root.join("a/in")).unwrap();
    appears(&running, "moved", "moved-1.0");
    // and is watched from then on
    Package::wheel("moved", "1.1").make(&root.join("a/in/side"));
    appears(&running, "moved", "moved-1.1");
    std::fs::rename(root.join("a/in"), root.join("renamed")).unwrap();
    Package::wheel("moved", "1.2").make(&root.join("renamed/side"));
    appears(&running, "moved", "moved-1.2");
    std::fs::rename(root.join("renamed"), elsewhere.path().join("out")).unwrap();
    goes(&running, "moved");
    std::fs::remove_dir_all(root.join("a")).unwrap();
    goes(&running, "deep");
    running.stop();
}

#[test]
fn a_file_in_a_folder_that_was_just_made_is_not_missed() {
    const FOLDERS: usize = 40;
    let running = start(&[], RARELY);
    let root = folder(&running);
    let made = tempfile::tempdir_in(running.dir.path()).unwrap();
    let packages: Vec<_> =
        (0..FOLDERS).map(|n| Package::wheel(&format!("quick{n}"), "1.0").make(made.path())).collect();
    // whoever watches has hardly heard of the folder when the file in it is already there, or not yet
    for (n, package) in packages.iter().enumerate() {
        let new = root.join(format!("new{n}"));
        std::fs::create_dir(&new).unwrap();
        if n % 2 == 0 {
            eventually("somebody has looked", || (get(&running, "/simple/", JSON).0 == 200).then_some(()));
        }
        std::fs::rename(package, new.join(package.file_name().unwrap())).unwrap();
    }
    for n in 0..FOLDERS {
        appears(&running, &format!("quick{n}"), "1.0");
    }
    running.stop();
}

/// Writes a file as a slow copy does: it is there at once, and grows.
struct Slow {
    file: std::fs::File,
    rest: Vec<u8>,
}

impl Slow {
    /// All but `left` bytes of it.
    fn begin(path: &Path, package: &Package, left: usize) -> Slow {
        let whole = tempfile::tempdir().unwrap();
        let mut bytes = std::fs::read(package.make(whole.path())).unwrap();
        let rest = bytes.split_off(bytes.len().saturating_sub(left));
        let mut file = std::fs::File::create(path).unwrap();
        file.write_all(&bytes).unwrap();
        Slow { file, rest }
    }

    fn finish(mut self) {
        self.file.write_all(&self.rest).unwrap();
    }
}

#[test]
fn half_a_file_is_no_file() {
    let running = start(&[], RARELY);
    let root = folder(&running);
    // in the middle, without the length and checksum at the end, and without the last byte
    let cuts = [("half", 200), ("unchecked", 8), ("almost", 1)];
    let mut writers = Vec::new();
    for (name, left) in cuts {
        for package in [Package::sdist(name, "1.0"), Package::wheel(&format!("{name}-wheel"), "1.0")] {
            let path = root.join(package.filename());
            writers.push(Slow::begin(&path, &package, left));
        }
    }
    // its writer takes its time: it was left alone for long enough to be looked into, and was found wanting
    eventually("all are set aside", || running.status().contains("and 5 more").then_some(()));
    let projects = || cuts.iter().flat_map(|(name, _)| [(*name).to_owned(), format!("{name}-wheel")]);
    for project in projects() {
        assert_eq!(get(&running, &format!("/simple/{project}/"), JSON).0, 404, "{project}");
    }
    writers.into_iter().for_each(Slow::finish);
    for project in projects() {
        appears(&running, &project, "1.0");
    }
    eventually("all is well", || (!running.status().contains("is not served")).then_some(()));
    running.stop();
}

/// An index in a user namespace where `limit` is so low that the folder cannot be watched.
fn without_events(limit: &str, value: u32) -> Running {
    let config = format!("[index]\nenabled = true\nlisten = '127.0.0.1:0'\nroot = 'packages'\n{RARELY}\n");
    let mut setup = Setup::run(&config);
    Package::wheel("demo", "1.0").make(&setup.path("packages/deep/er"));
    let mut command = Command::new(program("unshare", "util-linux"));
    let script = format!("echo {value} > /proc/sys/user/{limit} && exec \"$0\" \"$@\"");
    command.args(["--user", "--map-root-user", "sh", "-c", &script, OPSCTL]).args(setup.command.get_args());
    setup.command = command;
    setup.start()
}

#[test]
fn where_nothing_is_told_the_folder_is_looked_at() {
    for (limit, value) in [("max_inotify_instances", 0), ("max_inotify_watches", 1)] {
        let running = without_events(limit, value);
        running.logs("the folder is not watched, but looked at twice a second");
        appears(&running, "demo", "demo-1.0");
        let path = Package::wheel("late", "1.0").make(&folder(&running).join("an/other"));
        appears(&running, "late", "late-1.0");
        std::fs::remove_file(path).unwrap();
        goes(&running, "late");
        running.stop();
    }
}

#[test]
fn a_copy_that_keeps_its_date_is_seen_as_well() {
    let running = start(&[Package::wheel("demo", "1.0")], RARELY);
    appears(&running, "demo", "demo-1.0");
    let made = tempfile::tempdir().unwrap();
    let path = Package::wheel("old", "1.0").make(made.path());
    Ran::of(Command::new("touch").args(["-d", "2001-01-01"]).arg(&path)).ok();
    Ran::of(Command::new("cp").args(["-p"]).arg(&path).arg(folder(&running))).ok();
    appears(&running, "old", "old-1.0");
    // it came today, whatever its date
    assert!(!get(&running, "/simple/old/", JSON).1.contains("\"2001-"));
    running.stop();
}
