//! Completions load in the shells that they are for, and man pages render without a warning.

use std::process::Command;

use crate::harness::{Ran, program, run};

fn completions(shell: &str) -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("_opsctl");
    std::fs::write(&path, run(["completions", shell]).ok()).unwrap();
    let path = path.display().to_string();
    (dir, path)
}

#[test]
fn bash() {
    let (_dir, path) = completions("bash");
    let script = format!(
        "source '{path}' && COMP_WORDS=(opsctl fin) COMP_CWORD=1 && _opsctl opsctl fin opsctl && echo \"${{COMPREPLY[@]}}\""
    );
    let mut bash = Command::new(program("bash", "bash"));
    assert_eq!(Ran::of(bash.args(["--norc", "-c", &script])).ok(), "finger\n");
}

#[test]
fn zsh() {
    let (_dir, path) = completions("zsh");
    let script = format!("autoload -Uz compinit && compinit -u -D && source '{path}' && whence -w _opsctl");
    let mut zsh = Command::new(program("zsh", "zsh"));
    assert_eq!(Ran::of(zsh.args(["-f", "-c", &script])).ok(), "_opsctl: function\n");
}

/// zsh completes only where somebody types: in a terminal, which zpty makes.
#[test]
fn zsh_completes() {
    let (_dir, path) = completions("zsh");
    let script = format!(
        "zmodload zsh/zpty && zpty typed zsh -f -i && zpty -w typed \
         \"PS1=; autoload -Uz compinit && compinit -u -D; source '{path}'; cd /; print load''ed\" && \
         zpty -r -m typed text '*loaded*' && zpty -w -n typed $'opsctl fin\\t' && zpty -r -m typed text '*opsctl finger *' && \
         print completed"
    );
    // what is never typed would be waited for
    let mut zsh = Command::new(program("timeout", "coreutils"));
    zsh.arg("60").arg(program("zsh", "zsh")).args(["-f", "-c", &script]).env("TERM", "dumb");
    let said = Ran::of(&mut zsh).ok();
    assert_eq!(said, "completed\n");
}

#[test]
fn fish() {
    let (dir, path) = completions("fish");
    let script = format!("source '{path}'; complete -C 'opsctl fin'");
    let mut fish = Command::new(program("fish", "fish"));
    let said = Ran::of(fish.args(["--no-config", "-c", &script]).env("HOME", dir.path())).ok();
    assert!(said.starts_with("finger\t"), "{said}");
}

#[test]
fn man_pages() {
    let man = program("man", "man-db");
    let dir = tempfile::tempdir().unwrap();
    run(["man".as_ref(), dir.path().as_os_str()]).ok();
    let mut pages = 0;
    for page in std::fs::read_dir(dir.path()).unwrap() {
        let page = page.unwrap().path();
        let mut command = Command::new(&man);
        command.args(["--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z"]).arg(&page).env("LC_ALL", "C.UTF-8");
        let ran = Ran::of(&mut command);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{}", page.display());
        pages += 1;
    }
    assert!(pages > 10, "{pages}");
    assert!(dir.path().join("opsctl-finger.1").exists());
}
