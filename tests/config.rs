//! The configuration's layers, and every fault of them in one go.

use crate::harness::{Ran, opsctl, run};

fn file(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("opsctl.toml");
    std::fs::write(&path, text).unwrap();
    (dir, path)
}

#[test]
fn four_faults_in_three_layers_are_four_carets() {
    let (_dir, path) = file("[finger]\nlisen = '127.0.0.1:79'\n\n[host]\ngrace = 'soon'\n");
    let mut command = opsctl(["config", "check", "--config"]);
    command.arg(&path).args(["--set", "finger.listen=nowhere:x"]).env("OPSCTL_LOG__LEVEL", "loud");
    let said = Ran::of(&mut command).fails(78);
    let carets = said.lines().filter(|line| line.trim_start_matches([' ', '|']).starts_with('^')).count();
    assert_eq!(carets, 4, "{said}");
    let path = path.display();
    for text in [
        format!("{path}:2:1"),
        "did you mean `listen`?".to_owned(),
        format!("{path}:5:9"),
        "OPSCTL_LOG__LEVEL=loud".to_owned(),
        "--set finger.listen=nowhere:x".to_owned(),
    ] {
        assert!(said.contains(&text), "no {text:?} in:\n{said}");
    }
}

#[test]
fn unknown_keys_are_found_in_every_layer() {
    let check = |command: &mut std::process::Command, expected: &str| {
        let said = Ran::of(command).fails(78);
        assert!(said.contains(expected), "no {expected:?} in:\n{said}");
    };
    check(opsctl(["config", "check"]).env("OPSCTL_FINGER__FIEL", "x"), "did you mean `file`?");
    check(opsctl(["config", "check"]).env("OPSCTL_FINGR__FILE", "x"), "did you mean `finger`?");
    check(opsctl(["config", "check"]).env("OPSCTL_GRACE", "x"), "OPSCTL_GRACE");
    check(&mut opsctl(["config", "check", "--set", "host.grase=1s"]), "did you mean `grace`?");
    check(&mut opsctl(["config", "check", "--set", "nonsense"]), "--set nonsense");
    check(&mut opsctl(["finger", "--listen", "here", "--allow-root"]), "--listen");
    check(&mut opsctl(["config", "check", "--config", "/nonexistent.toml"]), "/nonexistent.toml");
}

#[test]
fn each_layer_wins_over_the_one_before() {
    let (_dir, path) = file("[finger]\nfile = 'users'\nircnick = 'in_file'\n[host]\ngrace = '1s'\n");
    let mut command = opsctl(["config", "show", "--origin", "--set", "host.grace=3s", "--config"]);
    command.arg(&path).env("OPSCTL_HOST__GRACE", "2s").env("OPSCTL_FINGER__IRCNICK", "in_env");
    let shown = Ran::of(&mut command).ok();
    let line = |key: &str| {
        let found = shown.lines().find(|line| line.starts_with(key));
        found.unwrap_or_else(|| panic!("no {key} in:\n{shown}")).to_owned()
    };
    let check = |key: &str, value: &str, origin: &str| {
        let line = line(key);
        assert!(line.contains(value) && line.contains(origin), "{line}");
    };
    check("grace", "3s", "--set");
    check("ircnick", "in_env", "OPSCTL_FINGER__IRCNICK");
    check("file", "users", &format!("{}:2", path.display()));
}

#[test]
fn what_is_shown_reads_back_and_what_is_written_is_sound() {
    let dir = tempfile::tempdir().unwrap();
    let init = dir.path().join("init.toml");
    let mut command = opsctl(["config", "init"]);
    Ran::of(command.arg(&init)).ok();
    assert!(Ran::of(opsctl(["config", "init"]).arg(&init)).fails(1).contains("init.toml"), "never overwrites");
    let check = |path: &std::path::Path| Ran::of(opsctl(["config", "check", "--config"]).arg(path)).ok();
    check(&init);
    let show = |path: &std::path::Path| Ran::of(opsctl(["config", "show", "--config"]).arg(path)).ok();
    let shown = dir.path().join("shown.toml");
    std::fs::write(&shown, show(&init)).unwrap();
    check(&shown);
    assert_eq!(show(&shown), show(&init));
}

#[test]
fn secrets_are_masked_wherever_they_are_shown() {
    let (_dir, path) = file("[finger]\nircpassword = 'hunter2'\n");
    let shown = Ran::of(opsctl(["config", "show", "--origin", "--config"]).arg(&path)).ok();
    assert!(shown.contains("ircpassword") && !shown.contains("hunter2"), "{shown}");
    let (_dir, path) = file("[finger]\nircpassword = ['hunter2']\n");
    let said = Ran::of(opsctl(["config", "check", "--config"]).arg(&path)).fails(78);
    assert!(said.contains("ircpassword") && !said.contains("hunter2"), "{said}");
}

#[test]
fn the_schema_knows_every_table() {
    let schema = run(["config", "schema"]).ok();
    for text in ["\"$schema\"", "\"finger\"", "\"host\"", "\"restart\"", "\"grace\""] {
        assert!(schema.contains(text), "no {text} in:\n{schema}");
    }
}

#[test]
fn the_examples_are_configurations() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/examples");
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(!files.is_empty());
    for file in files {
        Ran::of(opsctl(["config", "check", "--config"]).arg(&file)).ok();
    }
}
