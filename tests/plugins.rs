//! The table of plug-ins, and plug-ins on `PATH`.

use std::os::unix::fs::PermissionsExt;

use crate::harness::{Ran, opsctl, run};

#[test]
fn help_lists_every_kind_with_a_line_each() {
    let help = run(["--help"]).ok();
    for line in ["Services:\n", "\n  finger ", "Host:\n", "\n  run ", "\n  status "] {
        assert!(help.contains(line), "no {line:?} in:\n{help}");
    }
    assert!(help.lines().all(|line| line.chars().count() <= 110), "{help}");
}

#[test]
fn plugins_as_json() {
    let plugins = run(["plugins", "--json"]).ok();
    assert!(plugins.contains("\"name\": \"finger\""), "{plugins}");
    assert!(plugins.contains("\"kind\": \"service\""), "{plugins}");
}

#[test]
fn executables_on_path_are_commands_but_never_from_the_current_folder() {
    let dir = tempfile::tempdir().unwrap();
    let place = |name: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, "#!/bin/sh\necho \"outside: $*\"\nexit 7\n").unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    place("opsctl-hello");
    place("opsctl-run");
    let with_path = |args: &[&str]| Ran::of(opsctl(args).env("PATH", dir.path()));

    let ran = with_path(&["hello", "--help", "x y"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(7), "outside: --help x y\n"));
    assert!(with_path(&["--help"]).ok().contains("hello"), "listed in the help");
    assert!(with_path(&["plugins"]).ok().contains("opsctl-hello"));
    assert!(with_path(&["run", "--help"]).ok().contains("--pid-file"), "what is built in wins");

    let ran = Ran::of(opsctl(["hello"]).current_dir(dir.path()).env("PATH", ".:"));
    assert!(ran.fails(2).contains("hello"));
}

#[test]
fn mistakes_are_usage_errors_with_a_suggestion() {
    assert!(run(["fingre"]).fails(2).contains("finger"));
    assert!(run(["run", "--demon"]).fails(2).contains("--daemon"));
}
