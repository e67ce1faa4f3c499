//! What becomes of workers that misbehave, played by small shell scripts.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::*;
use crate::profile;

/// The end of a worker that is this script.
fn run(script: &str, limits: Limits, order: Order) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join(SOURCE);
    fs::write(&source, "x").unwrap();
    let job = Job { folder: folder.path().to_owned(), source, order, limits };
    let program = Program { path: "/bin/sh".into(), arguments: vec!["-c".into(), script.into()] };
    job.run_here(&program, &Cancel::new().unwrap(), &mut |_| {}).unwrap()
}

fn check(script: &str, expected: End) {
    let outcome = run(script, Limits::default(), Order::Probe);
    assert_eq!(outcome.end, expected, "{script}: {outcome:?}");
}

fn costly(of: &str) -> End {
    End::Refused(Refusal::TooCostly { of: of.to_owned() })
}

#[test]
fn the_last_word_counts() {
    check(r#"echo '{"event":"done"}'"#, End::Done);
    check(r#"echo 'noise'; echo '{"event":"refused","reason":"picture"}'"#, End::Refused(Refusal::Picture));
    let text = "no room".to_owned();
    check(r#"echo '{"event":"failed","no_space":true,"text":"no room"}'; exit 1"#, End::Failed { again: true, text });
    check(r#"echo '{"event":"done"}'; exit 1"#, failed(true, "the worker ended without a result: exit status: 1"));
}

fn failed(again: bool, text: &str) -> End {
    End::Failed { again, text: text.to_owned() }
}

#[test]
fn signals_have_a_meaning() {
    check("kill -XCPU $$", costly("time"));
    check("kill -XFSZ $$", costly("disk space"));
    check("kill -KILL $$", failed(true, "the worker was killed"));
    check("kill -SEGV $$", failed(false, "the worker crashed with signal 11"));
    let text = r#"echo "x264 [error]: malloc of size 3569077 failed" >&2; exit 1"#;
    check(text, costly("memory"));
}

#[test]
fn it_gets_no_environment_and_its_folder() {
    let outcome = run("env >&2; pwd >&2; cat >&2; ls >&2", Limits::default(), Order::Probe);
    assert!(outcome.log.contains("MALLOC_ARENA_MAX=2") && outcome.log.contains(r#""order":"probe""#), "{outcome:?}");
    assert!(!outcome.log.contains("HOME=") && !outcome.log.contains("PATH="), "{outcome:?}");
}

#[test]
fn time_runs_out_whatever_it_says() {
    let limits = |time_base, silence| Limits { time_base, silence, duration: 0, ..Limits::default() };
    let begin = Instant::now();
    assert_eq!(run("exec sleep 600", limits(0, 300), Order::Probe).end, costly("time"));
    assert_eq!(run("exec sleep 600", limits(600, 0), Order::Probe).end, costly("time"));
    let long = r#"{"event":"facts","container":"x","duration":1e300,"size":1,"streams":1,"left_out":[]}"#;
    let outcome = run(&format!("echo '{long}'; exec sleep 600"), limits(1, 300), Order::Probe);
    assert_eq!(outcome.end, costly("time"));
    assert!(begin.elapsed() < Duration::from_secs(60));
}

#[test]
fn too_many_words_are_an_end() {
    let outcome = run("exec tr '\\0' x </dev/zero", Limits::default(), Order::Probe);
    assert_eq!(outcome.end, failed(false, "the worker talks too much"));
}

#[test]
fn files_of_others_are_no_results() {
    let profile = profile::parse("[p.output.a]\nkind = 'm4a'\nbit_rate = 64000\n").unwrap().remove("p").unwrap();
    let made = |name: &str, file: &str, script: &str| {
        let asset =
            format!(r#"{{"event":"asset","name":"{name}","kind":"m4a","files":["{file}"],"bytes":1,"copied":false}}"#);
        let script = format!("{script}; echo '{asset}'; echo '{{\"event\":\"done\"}}'");
        run(&script, Limits::default(), Order::Encode(profile.clone())).end
    };
    assert_eq!(made("a", "a.m4a", "echo > a.m4a"), End::Done);
    for (name, file, script) in [
        ("b", "b.m4a", "echo > b.m4a"),
        ("a", "a.m4a", "ln -s /etc/passwd a.m4a"),
        ("a", "a/../source", "mkdir a"),
        ("a", "/etc/passwd", "true"),
        ("a", "a.m4a", "true"),
        ("a", "a/x", "mkdir b; echo > b/x; ln -s b a"),
        ("a", "source", "true"),
    ] {
        assert!(matches!(made(name, file, script), End::Failed { again: false, .. }), "{file}, {script}");
    }
}

#[test]
fn it_ends_when_nobody_wants_it() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("upload");
    fs::write(&source, "x").unwrap();
    let job = Job { folder: folder.path().to_owned(), source, order: Order::Probe, limits: Limits::default() };
    let script = r#"echo '{"event":"proof","attempts":[]}'; exec sleep 600"#;
    let program = Program { path: "/bin/sh".into(), arguments: vec!["-c".into(), script.into()] };
    let cancel = Cancel::new().unwrap();
    let (sender, heard) = mpsc::channel();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let stop = cancel.clone();
    let canceller = std::thread::spawn(move || {
        heard.recv().unwrap();
        stop.cancel();
    });
    let outcome = runtime
        .block_on(job.run(program, cancel, move |_| {
            let _ = sender.send(());
        }))
        .unwrap();
    canceller.join().unwrap();
    assert_eq!(outcome.end, End::Cancelled);
    assert!(!folder.path().join(SOURCE).exists());
}
