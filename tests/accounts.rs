//! Users, tokens and their pages: `opsctl user` and `opsctl token` beside a running service, and the way from the first
//! start's link to an administrator.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::harness::{PATIENCE, Ran, Running, Setup, is_root, opsctl};

const PASSWORD: &str = "correct horse battery";

/// `opsctl <args>` on the data in `dir`.
fn on(dir: &Path, args: &[&str]) -> Command {
    let mut command = opsctl(args);
    command.arg("--data-dir").arg(dir);
    if is_root() {
        command.args(["--set", "host.allow_root=true"]);
    }
    command
}

#[track_caller]
fn run(dir: &Path, args: &[&str]) -> String {
    Ran::of(&mut on(dir, args)).ok()
}

/// The same with something to read on standard input.
fn fed(dir: &Path, args: &[&str], input: &str) -> Ran {
    let mut child = on(dir, args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    Ran::from(child.wait_with_output().unwrap())
}

/// A service with the pages of the user base.
fn start(set: &str) -> Running {
    Setup::run(&format!("{set}[lab]\nenabled = true\nweb = '127.0.0.1:0'\n")).start()
}

/// One request: status, head and body.
#[track_caller]
fn ask(running: &Running, method: &str, path: &str, headers: &str, body: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(running.address("lab web")).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n{kind}Content-Length: {length}\r\n{headers}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head in {answer:?}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
    (status, head.to_owned(), body.to_owned())
}

/// What a browser keeps of an answer.
fn cookie(head: &str) -> String {
    let lines = head.lines().filter_map(|line| line.strip_prefix("set-cookie: "));
    lines.map(|line| line.split(';').next().unwrap()).collect::<Vec<_>>().join("; ")
}

fn token_of_form(page: &str) -> &str {
    page.split("name=\"_csrf\" value=\"")
        .nth(1)
        .unwrap_or_else(|| panic!("no form in {page}"))
        .split('"')
        .next()
        .unwrap()
}

#[test]
fn users_come_and_go() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let short = fed(dir, &["user", "add", "alice", "--admin", "--password-file", "-"], "short\n").fails(1);
    assert!(short.contains("at least 12 characters"), "{short}");
    fed(dir, &["user", "add", "Alice", "--admin", "--password-file", "-"], &format!("{PASSWORD}\n")).ok();
    let file = dir.join("password");
    std::fs::write(&file, PASSWORD).unwrap();
    run(dir, &["user", "add", "bob", "--role", "publisher@index/main", "--password-file", file.to_str().unwrap()]);
    let again = Ran::of(&mut on(dir, &["user", "add", "bob", "--no-password"])).fails(1);
    assert!(again.contains("there is a user `bob` already"), "{again}");
    let list = run(dir, &["user", "list"]);
    let lines: Vec<_> = list.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        lines,
        ["name state last login roles", "alice administrator never", "bob user never publisher@index/main"]
    );
    assert_eq!(run(dir, &["user", "role", "bob", "--role", "reader@zones", "--take", "index/main"]), "reader@zones\n");
    run(dir, &["user", "disable", "bob"]);
    assert!(run(dir, &["user", "list", "--json"]).contains("\"disabled\": true"));
    run(dir, &["user", "enable", "bob"]);
    for (args, said) in [
        (&["user", "disable", "alice"][..], "last administrator"),
        (&["user", "remove", "alice"], "last administrator"),
        (&["user", "role", "alice", "--no-admin"], "last administrator"),
        (&["user", "invite"], "name one to invite"),
        (&["user", "passwd", "carol", "--remove"], "there is no user `carol`"),
    ] {
        let said_so = Ran::of(&mut on(dir, args)).fails(1);
        assert!(said_so.contains(said), "{args:?}: {said_so}");
    }
    for args in [&["user", "add", "b b"][..], &["user", "role", "bob", "--role", "owner"], &["token", "create", "bob"]]
    {
        Ran::of(&mut on(dir, args)).fails(2);
    }
    run(dir, &["user", "remove", "bob"]);
    assert!(!run(dir, &["user", "list"]).contains("bob"));
}

#[test]
fn a_password_is_never_asked_for_where_nobody_can_answer() {
    let dir = tempfile::tempdir().unwrap();
    let mut alone = Command::new("setsid");
    let command = on(dir.path(), &["user", "add", "alice"]);
    alone.arg("--wait").arg(command.get_program()).args(command.get_args()).stdin(Stdio::null());
    let said = Ran::of(&mut alone).fails(1);
    assert!(said.contains("--password-file"), "{said}");
}

#[test]
fn a_terminal_shows_nothing_of_a_password() {
    let dir = tempfile::tempdir().unwrap();
    let command = on(dir.path(), &["user", "add", "alice", "--admin"]);
    let words: Vec<_> = std::iter::once(command.get_program()).chain(command.get_args()).collect();
    let words = words.iter().map(|word| format!("'{}'", word.to_str().unwrap())).collect::<Vec<_>>().join(" ");
    // script(1) gives it a terminal; what it shows there comes back
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &words, "/dev/null"]);
    let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut keys = child.stdin.take().unwrap();
    let mut seen = String::new();
    let mut screen = child.stdout.take().unwrap();
    let mut wait_for = |text: &str| {
        let mut byte = [0];
        while !seen.contains(text) && screen.read(&mut byte).unwrap() == 1 {
            seen.push(char::from(byte[0]));
        }
        seen.clone()
    };
    wait_for("Password for alice: ");
    // a slip, taken back
    keys.write_all(format!("x\u{7f}{PASSWORD}\r").as_bytes()).unwrap();
    wait_for("The same again: ");
    keys.write_all(format!("{PASSWORD}\r").as_bytes()).unwrap();
    let seen = wait_for("never comes");
    drop(keys);
    assert!(child.wait().unwrap().success(), "{seen}");
    assert!(!seen.contains("correct"), "{seen}");
    assert!(run(dir.path(), &["user", "list"]).contains("alice  administrator"));
}

#[test]
fn the_first_start_prints_a_link_to_the_administrator() {
    let running = start("");
    running.logs("open this link to become the administrator");
    let log = running.log();
    let link = log.split("/_/invite/").nth(1).unwrap().split('"').next().unwrap();
    let web = running.address("lab web");
    assert!(log.contains(&format!("http://{web}/_/invite/{link}")), "{log}");
    let path = format!("/_/invite/{link}");
    let (status, head, page) = ask(&running, "GET", &path, "", "");
    assert_eq!(status, 200, "{page}");
    let form = |page: &str| {
        format!("_csrf={}&name=root&password=correct+horse+battery&again=correct+horse+battery", token_of_form(page))
    };
    assert_eq!(ask(&running, "POST", &path, "", &form(&page)).0, 403, "without the cookie it is somebody else's form");
    let held = format!("Cookie: {}\r\n", cookie(&head));
    let (status, head, _) = ask(&running, "POST", &path, &held, &form(&page));
    assert_eq!(status, 303, "{head}");
    assert!(head.contains("HttpOnly") && head.contains("SameSite=Lax"), "{head}");
    let session = format!("Cookie: {}\r\n", cookie(&head));
    let (status, _, page) = ask(&running, "GET", "/_/users", &session, "");
    assert!(status == 200 && page.contains("<summary>root</summary>"), "{page}");
    assert_eq!(ask(&running, "GET", &path, "", "").0, 410, "the link is used up");
    // the next start has nothing to say
    running.stop();
}

#[test]
fn the_link_is_made_anew_on_the_command_line() {
    let running = start("[auth]\nurl = 'https://ops.example.org'\n");
    running.logs("https://ops.example.org/_/invite/");
    let old = running.log().split("/_/invite/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let config = running.path("opsctl.toml");
    let data = running.path("data");
    let new = run(&data, &["user", "invite", "--config", config.to_str().unwrap()]);
    let new = new.trim().strip_prefix("https://ops.example.org").unwrap();
    assert_eq!(ask(&running, "GET", &format!("/_/invite/{old}"), "", "").0, 410);
    let (status, head, page) = ask(&running, "GET", new, "", "");
    assert_eq!(status, 200, "{page}");
    fed(&data, &["user", "add", "root", "--admin", "--password-file", "-"], PASSWORD).ok();
    let form = format!("_csrf={}&name=evil&password={p}&again={p}", token_of_form(&page), p = "correct+horse+battery");
    let held = format!("Cookie: {}\r\n", cookie(&head));
    assert_eq!(ask(&running, "POST", new, &held, &form).0, 410, "there is somebody already");
    assert_eq!(ask(&running, "GET", new, "", "").0, 410);
    running.stop();
}

#[test]
fn tokens_made_beside_a_running_service_work_at_once() {
    let running = start("[auth]\ncache = '0s'\n");
    let data = running.path("data");
    fed(&data, &["user", "add", "root", "--admin", "--password-file", "-"], PASSWORD).ok();
    let token = run(&data, &["token", "create", "root", "--scope", "*:read", "--for", "looking", "--expires", "1d"]);
    let token = token.trim();
    assert!(token.len() == 53 && token.starts_with("opx_"), "{token}");
    let bearer = format!("Authorization: Bearer {token}\r\nAccept: application/json\r\n");
    let (status, _, said) = ask(&running, "GET", "/_/account", &bearer, "");
    assert_eq!(status, 403);
    assert!(said.contains("a token may not do this"), "{said}");
    let basic = "Authorization: Basic cm9vdDpjb3JyZWN0IGhvcnNlIGJhdHRlcnk=\r\nAccept: application/json\r\n";
    let (status, _, said) = ask(&running, "GET", "/_/account", basic, "");
    assert!(status == 200 && said.contains("\"label\":\"looking\""), "{said}");
    let list = run(&data, &["token", "list", "root"]);
    let number = list.lines().nth(1).unwrap().split(' ').next().unwrap().to_owned();
    run(&data, &["token", "revoke", &number]);
    let (status, _, said) = ask(&running, "GET", "/_/account", &bearer, "");
    assert!(status == 403 && said.contains("revoked"), "{said}");
    run(&data, &["user", "passwd", "root", "--remove"]);
    let (status, _, said) = ask(&running, "GET", "/_/account", basic, "");
    assert!(status == 403 && said.contains("wrong name or password"), "{said}");
    let (_, _, trail) = ask(&running, "GET", "/_/audit", basic, "");
    assert!(!trail.contains("token revoke"), "nobody reads it without a password");
    running.stop();
}

#[test]
fn the_configuration_of_accounts_is_checked_with_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("opsctl.toml"), "[auth]\nanonymous = [\"index:write\"]\nurl = \"example.org\"\n")
        .unwrap();
    let file = dir.path().join("opsctl.toml");
    let said = Ran::of(&mut opsctl(["config", "check", "--config", file.to_str().unwrap()])).fails(78);
    assert!(said.contains("`write` is no action") && said.contains("expected scheme and host"), "{said}");
    let said = Ran::of(&mut on(dir.path(), &["user", "list", "--config", file.to_str().unwrap()])).fails(78);
    assert!(said.contains("`write` is no action"), "{said}");
}
