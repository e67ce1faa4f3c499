//! What the status page answers: representations, health, metrics, errors.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use crate::harness::{PATIENCE, Ran, Running, Setup, program};

fn start() -> Running {
    Setup::run("[lab]\nenabled = true\nlisten = '127.0.0.1:0'\n").start()
}

fn curl(running: &Running, args: &[&str], path: &str) -> String {
    let url = format!("http://{}{path}", running.address("host status"));
    Ran::of(Command::new(program("curl", "curl")).args(["-sS"]).args(args).arg(url)).ok()
}

#[test]
fn one_status_in_two_representations() {
    let running = start();
    let json = curl(&running, &["-i"], "/");
    assert!(json.contains("content-type: application/json") && json.contains("\"healthy\":true"), "{json}");
    let browser = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let page = curl(&running, &["-i", "-H", browser], "/");
    assert!(page.contains("content-type: application/xhtml+xml") && page.contains("all well"), "{page}");
    assert!(page.contains("content-security-policy: default-src 'self'"), "{page}");
    let style = page.split("href=\"").find_map(|part| part.strip_prefix("/_/style")).expect("a style sheet");
    let style = format!("/_/style{}", style.split('"').next().unwrap());
    assert!(curl(&running, &["-i"], &style).contains("immutable"));
    let head = curl(&running, &["--head"], "/");
    assert!(head.starts_with("HTTP/1.1 200") && !head.contains("healthy"), "{head}");
    let printed = running.control("status").ok();
    assert!(printed.contains("ok       lab"), "{printed}");
    running.stop();
}

#[test]
fn errors_in_both_representations_and_no_order_from_outside() {
    let running = start();
    let problem = curl(&running, &["-i"], "/nosuch");
    assert!(problem.contains("404") && problem.contains("application/problem+json"), "{problem}");
    let page = curl(&running, &["-i", "-H", "Accept: application/xhtml+xml"], "/nosuch");
    assert!(page.contains("404") && page.contains("<html"), "{page}");
    let order = curl(&running, &["-i", "-X", "POST"], "/reload");
    assert!(order.contains("404"), "orders come by the control socket only: {order}");
    running.stop();
}

#[test]
fn metrics_are_well_formed() {
    let running = start();
    let text = curl(&running, &[], "/metrics");
    assert!(text.contains("opsctl_service_up{service=\"lab\"} 1\n"), "{text}");
    assert!(text.contains("process_resident_memory_bytes "), "{text}");
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line:?}"));
        let plain = name.split('{').next().unwrap();
        assert!(plain.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'), "{line:?}");
        assert!(value.parse::<f64>().is_ok(), "{line:?}");
    }
    running.stop();
}

#[test]
fn a_slow_client_holds_nobody_up() {
    let running = start();
    let mut slow = TcpStream::connect(running.address("host status")).unwrap();
    slow.set_read_timeout(Some(PATIENCE)).unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n").unwrap();
    assert_eq!(running.get("/readyz", ""), (200, "ok\n".to_owned()));
    // the end closes it too: an unfinished request is none
    running.signal("TERM");
    let mut rest = Vec::new();
    let _ = slow.read_to_end(&mut rest);
    running.wait().fails(0);
}

#[test]
fn status_prints_what_the_page_has() {
    let running = start();
    let mut status = crate::harness::opsctl(["status", "--json", "--config"]);
    let status = status.arg(running.path("opsctl.toml")).arg("--data-dir").arg(running.path("data"));
    let printed = Ran::of(status).ok();
    let python = "import json, sys\n\
                  keys = lambda s: (s['pid'], s['healthy'], [(x['name'], x['state'], x['listeners']) for x in s['services']])\n\
                  one, two = map(json.loads, sys.argv[1:])\n\
                  assert keys(one) == keys(two), (one, two)\n\
                  print(one['pid'], *[x['name'] for x in one['services']])";
    let mut python3 = Command::new(program("python3", "python3"));
    let said = Ran::of(python3.args(["-c", python, &printed, &running.status()])).ok();
    assert_eq!(said, format!("{} host lab\n", running.pid()));
    running.stop();
}
