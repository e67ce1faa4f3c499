//! An account with no home on a read-only root with one writable folder: every sub-command there is must run, and
//! nothing is unpacked or cached anywhere.

use std::process::Command;

use crate::harness::{OPSCTL, Ran, is_root, program, run};

/// Runs a script of `opsctl` calls as nobody, with a read-only root and only `/mnt` to write to.
#[track_caller]
fn confined(home: &str, script: &str) -> String {
    let prepare = format!(
        "mount --make-rprivate / && mount --rbind / / && mount -o remount,bind,ro / && mount -t tmpfs -o mode=1777 t /mnt \
         && mkdir /mnt/bin && touch /mnt/bin/opsctl && mount --bind {OPSCTL} /mnt/bin/opsctl && for at in /tmp /var/tmp /dev/shm /run; do if [ -w $at ]; then mount -o ro -t tmpfs t $at; fi; done; \
         cd / && exec setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs \
         env -i {home} PATH=/mnt/bin:/usr/bin:/bin sh -euc \"$SCRIPT\""
    );
    let mut command = Command::new(program("unshare", "util-linux"));
    if !is_root() {
        command.args(["--map-root-user", "--map-auto"]);
    }
    command.args(["--mount", "sh", "-c", &prepare]).env("SCRIPT", script);
    let ran = Ran::of(&mut command);
    assert_eq!(ran.code, Some(0), "{home} {script}\n{}{}", ran.stdout, ran.stderr);
    ran.stdout
}

/// The commands of the binary, by its own word.
fn commands() -> Vec<String> {
    let reference = run(["reference"]).ok();
    let commands: Vec<_> =
        reference.lines().filter_map(|line| line.strip_prefix("### opsctl ")).map(str::to_owned).collect();
    assert!(commands.len() > 10, "{reference}");
    commands
}

#[test]
fn every_command_shows_its_help() {
    for home in ["", "HOME=/"] {
        let script: String =
            commands().iter().map(|command| format!("opsctl {command} --help > /dev/null\n")).collect();
        confined(home, &script);
    }
}

#[test]
fn every_command_that_ends_by_itself_does_its_job() {
    let script = "
        opsctl plugins
        opsctl config check
        opsctl config show > /dev/null
        opsctl config init /mnt/opsctl.toml
        opsctl config schema > /dev/null
        opsctl completions bash > /dev/null
        opsctl man /mnt/man
        opsctl systemd > /dev/null
        opsctl ps > /dev/null
        opsctl ps 1 > /dev/null
        opsctl ps system --json > /dev/null
        echo 'moshez: happy' > /mnt/users
        opsctl finger --file /mnt/users check
        opsctl lab --data-dir /mnt/data keep one
        opsctl lab --data-dir /mnt/data keep two
        opsctl lab --data-dir /mnt/data kept
    ";
    for home in ["", "HOME=/"] {
        confined(home, script);
    }
}

#[test]
fn services_run_reload_and_stop() {
    let script = "
        echo 'moshez: happy' > /mnt/users
        printf '[finger]\\nenabled = true\\nlisten = \"127.0.0.1:0\"\\nfile = \"/mnt/users\"\\n' > /mnt/opsctl.toml
        for how in run finger; do
            opsctl $how --config /mnt/opsctl.toml --set host.listen=127.0.0.1:0 --data-dir /mnt/data \\
                --ready-file /mnt/ready --daemon --pid-file /mnt/pid
            opsctl status --config /mnt/opsctl.toml --data-dir /mnt/data
            opsctl reload --config /mnt/opsctl.toml --data-dir /mnt/data
            pid=$(cat /mnt/pid)
            kill $pid
            while [ -e /mnt/pid ]; do :; done
        done
    ";
    for home in ["", "HOME=/"] {
        assert!(confined(home, script).contains("finger"));
    }
}

#[test]
fn without_a_writable_place_the_option_that_mends_it_is_named() {
    let said = confined("HOME=/", "opsctl finger --listen 127.0.0.1:0 2>&1 && exit 1 || true");
    assert!(said.contains("--data-dir"), "{said}");
}
