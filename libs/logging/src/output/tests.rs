//! The whole way from tracing's macros to a file, as the host uses it.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use tracing::{Dispatch, debug, error, info, info_span, warn};

use crate::{Error, Filter, Format, Handle, LogOptions, Target, build, service_span};

fn set_up(path: &Path, format: Format, filter: &str) -> (Dispatch, Handle) {
    let target = Target::File(path.to_owned());
    let (subscriber, handle) =
        build(LogOptions { target, format, color: false, filter: filter.parse::<Filter>().unwrap() }).unwrap();
    (Dispatch::new(subscriber), handle)
}

/// What `log` writes, without the times.
fn check(filter: &str, log: impl FnOnce(&Handle), expected: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    let (dispatch, handle) = set_up(&path, Format::Text, filter);
    tracing::dispatcher::with_default(&dispatch, || log(&handle));
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().map(|line| line.split_once("Z ").unwrap().1).collect();
    assert_eq!(lines, expected);
}

#[test]
fn events_carry_their_service() {
    let log = |_: &Handle| {
        info!("before");
        let service = service_span("finger");
        let _service = service.enter();
        info!(count = 3_u64, path = %"/a b", answer = ?Some(1), "asked");
        let connection = info_span!("connection", peer = tracing::field::Empty);
        let _connection = connection.enter();
        connection.record("peer", "127.0.0.1:5");
        let source = std::io::Error::other("no more");
        error!(error = &source as &dyn std::error::Error, "gave up");
    };
    check(
        "info",
        log,
        &[
            " INFO opsctl_logging::output::tests: before",
            r#" INFO finger: asked count=3 path="/a b" answer=Some(1)"#,
            r#"ERROR finger: gave up error="no more" peer=127.0.0.1:5"#,
        ],
    );
}

#[test]
fn the_filter_decides_and_can_be_changed() {
    let log = |handle: &Handle| {
        debug!("not wanted");
        debug!(target: "opsctl_finger::query", "wanted");
        handle.set_filter(&"error".parse().unwrap());
        warn!("not any more");
        let service = service_span("finger");
        service.in_scope(|| error!("named"));
    };
    check("info,finger=debug", log, &["DEBUG opsctl_finger::query: wanted", "ERROR finger: named"]);
}

/// A value whose `Debug` logs must neither lock up nor panic.
#[test]
fn a_value_may_log_while_it_is_logged() {
    struct Talkative;
    impl std::fmt::Debug for Talkative {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            info!("inner");
            f.write_str("value")
        }
    }
    let log = |_: &Handle| {
        let span = info_span!("span", a = tracing::field::Empty);
        let _span = span.enter();
        span.record("a", tracing::field::debug(Talkative));
        // tracing itself drops what is logged within an event to a subscriber that is not global.
        info!(b = ?Talkative, "outer");
    };
    let target = " INFO opsctl_logging::output::tests";
    check("info", log, &[&format!("{target}: inner"), &format!("{target}: outer b=value a=value")]);
}

#[test]
fn a_form_must_fit_its_place() {
    let options = |target, format| LogOptions { target, format, color: false, filter: Filter::default() };
    for (target, format) in [
        (Target::Stderr, Format::Journald),
        (Target::Stdout, Format::Syslog),
        (Target::Syslog("/none".into()), Format::Text),
        (Target::Journald("/none".into()), Format::Json),
    ] {
        let error = build(options(target, format)).map(|_| ()).unwrap_err();
        assert!(matches!(error, Error::Mismatch { .. }), "{error}");
    }
    let error = build(options(Target::Syslog("/none".into()), Format::Syslog)).map(|_| ()).unwrap_err();
    assert_eq!(
        crate::chain(&error).to_string(),
        "failed to connect to log socket `/none`: No such file or directory (os error 2)"
    );
}

#[test]
fn what_is_lost_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let daemon = crate::datagram::tests::listen(&path);
    let target = Target::Syslog(path.clone());
    let options = LogOptions { target, format: Format::Syslog, color: false, filter: Filter::default() };
    let (subscriber, _handle) = build(options).unwrap();
    let receive = |daemon: &std::os::unix::net::UnixDatagram| {
        let mut buffer = [0; 1000];
        let length = daemon.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).split_once("]: ").unwrap().1.to_owned()
    };
    tracing::subscriber::with_default(subscriber, || {
        drop(daemon);
        for _ in 0..3 {
            info!("nobody hears");
        }
        fs::remove_file(&path).unwrap();
        let daemon = crate::datagram::tests::listen(&path);
        info!("back");
        assert_eq!(receive(&daemon), "opsctl_logging::output::tests: back");
        assert_eq!(receive(&daemon), "opsctl_logging::output: log events could not be written and are lost count=3");
        info!("again");
        assert_eq!(receive(&daemon), "opsctl_logging::output::tests: again");
    });
}

/// Several threads log while the file is renamed and opened anew again and again: every line is there once, whole.
#[test]
fn reopening_loses_no_line_and_tears_none() {
    const WRITERS: usize = 4;
    const LINES: usize = 5000;
    for format in [Format::Text, Format::Json] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let (dispatch, handle) = set_up(&path, format, "info");
        let filling = "x".repeat(300);
        let (done, active) = (AtomicBool::new(false), AtomicUsize::new(WRITERS));
        let mut files = 0;
        std::thread::scope(|scope| {
            for writer in 0..WRITERS {
                let (dispatch, filling, done, active) = (dispatch.clone(), &filling, &done, &active);
                scope.spawn(move || {
                    tracing::dispatcher::with_default(&dispatch, || {
                        for line in 0..LINES {
                            info!(writer, line, filling, "full");
                        }
                    });
                    if active.fetch_sub(1, std::sync::atomic::Ordering::SeqCst) == 1 {
                        done.store(true, std::sync::atomic::Ordering::SeqCst);
                    }
                });
            }
            while !done.load(std::sync::atomic::Ordering::SeqCst) {
                fs::rename(&path, folder.path().join(format!("a.log.{files}"))).unwrap();
                handle.reopen().unwrap();
                files += 1;
            }
        });
        let mut seen = vec![0_u8; WRITERS * LINES];
        for entry in fs::read_dir(folder.path()).unwrap() {
            let text = fs::read_to_string(entry.unwrap().path()).unwrap();
            assert!(text.is_empty() || text.ends_with('\n'));
            for line in text.lines() {
                let (writer, line) = numbers(line, format, &filling);
                seen[writer * LINES + line] += 1;
            }
        }
        assert!(files > 1, "{files}");
        assert!(seen.iter().all(|&count| count == 1));
    }
}

/// The numbers in a line that must be whole.
fn numbers(line: &str, format: Format, filling: &str) -> (usize, usize) {
    let (head, mid, tail) = match format {
        Format::Json => ("\"message\":\"full\",\"writer\":", ",\"line\":", format!(",\"filling\":\"{filling}\"}}")),
        _ => (" INFO opsctl_logging::output::tests: full writer=", " line=", format!(" filling={filling}")),
    };
    let (time, rest) = line.split_once(head).unwrap();
    assert!(time.starts_with(if format == Format::Json { "{\"timestamp\":\"2" } else { "2" }), "{line}");
    let (writer, line) = rest.strip_suffix(&tail).unwrap().split_once(mid).unwrap();
    (writer.parse().unwrap(), line.parse().unwrap())
}
