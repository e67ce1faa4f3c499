//! Finger's other doors: web, XML-RPC, TLS, Perspective Broker by Twisted's own client, and the IRC bot on a real server.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::harness::{Ran, Running, Setup, eventually, http_get, program};

const USERS: &str = "moshez: happy and well\n<script>: & \"evil\"\nsplit: one\\r\\ntwo\n";

fn start(more: &str) -> Running {
    let config = format!("[finger]\nenabled = true\nlisten = []\nfile = 'users'\n{more}\n");
    Setup::run(&config).file("users", USERS).start()
}

fn python(program: &Path, script: &str, args: &[&str]) -> String {
    Ran::of(Command::new(program).arg("-c").arg(script).args(args)).ok()
}

#[test]
fn web_pages_escape_what_they_show() {
    let running = start("web = '127.0.0.1:0'");
    let web = running.address("finger web");
    let (code, list) = http_get(&web, "/", "application/xhtml+xml");
    assert_eq!(code, 200);
    assert!(list.contains("moshez") && list.contains("&lt;script&gt;") && !list.contains("<script>"), "{list}");
    let (code, page) = http_get(&web, "/moshez", "");
    assert!(code == 200 && page.contains("happy and well"), "{page}");
    let (code, page) = http_get(&web, "/%3Cscript%3E", "");
    assert!(code == 200 && page.contains("&amp; ") && !page.contains("<script>"), "{page}");
    assert_eq!(http_get(&web, "/nobody", "").0, 404);
    assert_eq!(http_get(&web, "/../users", "").0, 404);

    // a browser's parser takes it for XML
    let python3 = program("python3", "python3");
    let parse = "import sys, urllib.request as u, xml.dom.minidom as m\n\
                 r = u.Request(sys.argv[1], headers={'Accept': 'application/xhtml+xml'})\n\
                 a = u.urlopen(r); print(a.headers['content-type']); m.parseString(a.read())";
    assert!(python(&python3, parse, &[&format!("http://{web}/")]).starts_with("application/xhtml+xml"));
    running.stop();
}

#[test]
fn templates_of_ones_own() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("user.html"), "<p>Mine: {{ name }} is {{ status }}</p>").unwrap();
    let running = start(&format!("web = '127.0.0.1:0'\ntemplates = '{}'", dir.path().display()));
    let web = running.address("finger web");
    assert_eq!(http_get(&web, "/moshez", "").1, "<p>Mine: moshez is happy and well</p>");
    assert!(http_get(&web, "/", "").1.contains("<h1>Users</h1>"), "the other is the built-in one");
    running.stop();
}

#[test]
fn xml_rpc() {
    let running = start("web = '127.0.0.1:0'");
    let script = "import sys, xmlrpc.client as x\n\
                  s = x.ServerProxy(sys.argv[1])\n\
                  print(s.getUser('moshez'))\n\
                  print(sorted(s.getUsers()))\n\
                  for call in (lambda: s.nosuch(), lambda: s.getUser(1, 2)):\n\
                  \x20   try: call()\n\
                  \x20   except x.Fault as f: print('fault', f.faultString != '')";
    let url = format!("http://{}/RPC2", running.address("finger web"));
    let said = python(&program("python3", "python3"), script, &[&url]);
    assert_eq!(said, "happy and well\n['<script>', 'moshez', 'split']\nfault True\nfault True\n");
    running.stop();
}

#[test]
fn tls_by_the_ssl_switch() {
    let dir = tempfile::tempdir().unwrap();
    let (cert, key) = certificate(dir.path());
    let https = format!("https = 'tls:127.0.0.1:0?cert={}&key={}'", cert.display(), key.display());
    let running = start(&format!("{https}\nssl = true"));
    let address = running.address("finger https");
    let address = address.strip_prefix("tls:").unwrap().split('?').next().unwrap().to_owned();
    let mut curl = Command::new(program("curl", "curl"));
    curl.args(["-sSf", "--cacert"]).arg(&cert).arg(format!("https://{address}/moshez"));
    assert!(Ran::of(&mut curl).ok().contains("happy and well"));
    let mut openssl = Command::new(program("openssl", "openssl"));
    openssl.args(["s_client", "-brief", "-connect", &address, "-CAfile"]).arg(&cert).stdin(Stdio::null());
    assert!(Ran::of(&mut openssl).stderr.contains("TLSv1.3"));
    running.stop();

    let running = start(&https);
    assert!(!running.addresses().contains_key("finger https"), "off without --ssl");
    running.stop();
}

fn certificate(dir: &Path) -> (PathBuf, PathBuf) {
    let (cert, key) = (dir.join("cert.pem"), dir.join("key.pem"));
    let mut openssl = Command::new(program("openssl", "openssl"));
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]);
    openssl.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout"]).arg(&key);
    assert_eq!(Ran::of(openssl.arg("-out").arg(&cert)).code, Some(0));
    (cert, key)
}

/// The Python that has Twisted: `cargo xtask setup` makes it in the checkout, wherever cargo builds.
fn twisted() -> PathBuf {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("target").join("venv/bin/python3");
    assert!(python.exists(), "there is no {}: run `cargo xtask setup`", python.display());
    python
}

#[test]
fn perspective_broker_by_twisteds_client() {
    let running = start("pbport = '127.0.0.1:0'");
    let script = "
import sys
from twisted.internet import reactor, defer
from twisted.spread import pb
host, port = sys.argv[1].rsplit(':', 1)
factory = pb.PBClientFactory()
reactor.connectTCP(host, int(port), factory)
@defer.inlineCallbacks
def talk():
    try:
        root = yield factory.getRootObject()
        print((yield root.callRemote('getUser', 'moshez')))
        print((yield root.callRemote('getUser', b'moshez')))
        print(sorted((yield root.callRemote('getUsers'))))
        for call in (('nosuch',), ('getUser',), ('getUser', 1, 2)):
            try:
                yield root.callRemote(*call)
            except Exception as error:
                print(getattr(error, 'remoteType', type(error)))
    finally:
        reactor.stop()
talk()
reactor.run()
";
    let said = python(&twisted(), script, &[&running.address("finger pb")]);
    let lines: Vec<_> = said.lines().collect();
    assert!(lines[0].contains("happy and well") && lines[1].contains("happy and well"), "{said}");
    assert!(lines[2].contains("moshez"), "{said}");
    assert!(lines[3].contains("NoSuchMethod") && lines[4].contains("TypeError"), "{said}");
    running.stop();
}

/// A real IRC server, ended with the test.
struct Ircd {
    child: Child,
    port: u16,
    dir: tempfile::TempDir,
}

impl Ircd {
    fn start() -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let dir = tempfile::tempdir().unwrap();
        let config = format!(
            "[Global]\nName = irc.example.net\nInfo = test\nListen = 127.0.0.1\nPorts = {port}\n\
             [Limits]\nMaxConnectionsIP = 0\n[Options]\nPAM = no\nDNS = no\nIdent = no\n"
        );
        std::fs::write(dir.path().join("ngircd.conf"), config).unwrap();
        Self { child: Self::spawn(&dir), port, dir }
    }

    fn spawn(dir: &tempfile::TempDir) -> Child {
        let mut command = Command::new(program("ngircd", "ngircd"));
        command.arg("--nodaemon").arg("--config").arg(dir.path().join("ngircd.conf"));
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    fn restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = Self::spawn(&self.dir);
    }

    /// Asks `bot` over a new connection, until it is there: a question on each line of `words`, and as many answers.
    fn ask(&self, nick: &str, bot: &str, words: &str) -> String {
        let script = "
import socket, sys
port, nick, bot, words = int(sys.argv[1]), *sys.argv[2:5]
s = socket.create_connection(('127.0.0.1', port), timeout=10)
words = words.split('\\n')
say = lambda line: s.sendall((line + '\\r\\n').encode())
say('NICK ' + nick); say('USER a 0 * :a')
for line in s.makefile('r', newline='\\r\\n'):
    parts = line.rstrip('\\r\\n').split(' ', 3)
    if parts[0] == 'PING': say('PONG ' + parts[1])
    elif parts[1] == '001': [say('PRIVMSG %s :%s' % (bot, word)) for word in words]
    elif parts[1] in ('401', 'ERROR', '433'): sys.exit(1)
    elif parts[1] in ('PRIVMSG', 'NOTICE') and parts[0].startswith(':' + bot + '!'):
        print(parts[3][1:]); words.pop()
        if not words: say('QUIT'); break
";
        let python3 = program("python3", "python3");
        eventually("the bot answers", || {
            let mut command = Command::new(&python3);
            command.args(["-c", script, &self.port.to_string(), nick, bot, words]);
            let ran = Ran::of(&mut command);
            (ran.code == Some(0)).then_some(ran.stdout)
        })
    }
}

impl Drop for Ircd {
    fn drop(&mut self) {
        // it may have ended by itself
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_irc_bot_answers_comes_back_and_takes_another_nick() {
    let mut ircd = Ircd::start();
    let config = format!("ircserver = '127.0.0.1:{}'\nircnick = 'bot'", ircd.port);
    let first = start(&config);
    assert_eq!(ircd.ask("asker", "bot", "moshez"), "Status of moshez: happy and well\n");
    let second = start(&config);
    assert_eq!(ircd.ask("asker", "bot_", "moshez"), "Status of moshez: happy and well\n");
    second.stop();
    ircd.restart();
    let answer = ircd.ask("asker", "bot", "moshez");
    assert_eq!(answer, "Status of moshez: happy and well\n");
    first.stop();
}

/// Neither a question nor a status makes the bot say more than one line, or anything but what was asked.
#[test]
fn the_irc_bot_says_one_line_for_each_question() {
    let ircd = Ircd::start();
    let running = start(&format!("ircserver = '127.0.0.1:{}'\nircnick = 'bot'", ircd.port));
    // as many bytes as fit the users file's longest line
    let long = "\u{e9}".repeat(2000);
    std::fs::write(running.path("users"), format!("moshez: happy\nlong: {long}\ntab:\ta\tb\n")).unwrap();
    running.logs("users file read again");
    let said = ircd.ask("asker", "bot", "long\nx\u{2}\u{3}y\nsplit\\r\\nQUIT\nmoshez");
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines.len(), 4, "{said}");
    assert!(lines[0].starts_with("Status of long: \u{e9}\u{e9}") && lines[0].len() < 512, "{said}");
    assert!(!lines[0].contains(char::REPLACEMENT_CHARACTER), "cut between characters: {said}");
    assert_eq!(
        lines[1..],
        ["Status of x  y: No such user", "Status of split\\r\\nQUIT: No such user", "Status of moshez: happy"]
    );
    running.stop();
}

#[test]
fn xml_rpc_of_a_closed_list() {
    let running = start("web = '127.0.0.1:0'\nlist = false");
    let script = "import sys, xmlrpc.client as x\n\
                  s = x.ServerProxy(sys.argv[1])\n\
                  print(s.getUser('nobody'), s.getUser('<script>'))\n\
                  print(s.system.listMethods()[:2], s.system.methodSignature('getUser'))\n\
                  try: s.getUsers()\n\
                  except x.Fault as f: print(f.faultString)";
    let url = format!("http://{}/RPC2", running.address("finger web"));
    let said = python(&program("python3", "python3"), script, &[&url]);
    let expected = "No such user & \"evil\"\n['getUser', 'getUsers'] [['string', 'string']]\n\
                    Finger online user list denied\n";
    assert_eq!(said, expected);
    running.stop();
}
