//! Finger in the demo, with all its doors: finger, web, XML-RPC, HTTPS, Perspective Broker and an IRC bot.
use super::Service;
use crate::demo::scene::{Scene, Try};
use crate::demo::stage::Stage;
use crate::{ports, process, setup};
use anyhow::Result;

pub(super) const SERVICE: Service = Service { name: "finger", prepare, tries };

const USERS: &str = "\
moshez:happy and well
glyph:in a meeting <until noon>
exarkun:reading RFC 1288
";

/// The port that the finger client knows, and no other.
const FINGER: u16 = 79;

fn prepare(stage: &mut Stage) -> Result<String> {
    let irc = format!("127.0.0.1:{}", irc_server(stage)?);
    stage.file("users", USERS)?;
    stage.certificate()?;
    let known_port = if ports::may_bind(FINGER) { format!(", \"127.0.0.1:{FINGER}\"") } else { String::new() };
    Ok(format!(
        "[finger]
enabled = true
listen = [\"127.0.0.1:0\"{known_port}]
file = \"users\"
web = \"127.0.0.1:0\"
ssl = true
https = \"tls:127.0.0.1:0?cert=cert.pem&key=key.pem\"
pbport = \"127.0.0.1:0\"
ircserver = \"{irc}\"
ircnick = \"fingerbot\"
"
    ))
}

/// Starts an IRC server and says on which port.
fn irc_server(stage: &mut Stage) -> Result<u16> {
    let port = ports::free()?;
    let settings = format!(
        "[Global]\nName = irc.example.net\nInfo = demo\nListen = 127.0.0.1\nPorts = {port}\n\
         [Options]\nPAM = no\nDNS = no\nIdent = no\n"
    );
    let file = stage.file("ngircd.conf", &settings)?;
    // as root it becomes somebody else
    let mut ngircd = process::guarded("ngircd");
    stage.beside("finger", "irc", port, ngircd.arg("--nodaemon").arg("--config").arg(file))?;
    Ok(port)
}

fn tries(scene: &Scene<'_>) -> Result<Vec<Try>> {
    let mut tries = Vec::new();
    let mut add = |what, address: &str, line: String, expect| {
        tries.push(Try { service: "finger", what, address: address.to_owned(), line, expect });
    };
    for address in scene.addresses("finger", "finger") {
        let line = match address.strip_suffix(&format!(":{FINGER}")) {
            Some(host) => format!("finger moshez@{host}"),
            // a gopher's request is what a finger client sends, and its answer comes as it is
            None => format!("curl -sS gopher://{address}/0moshez"),
        };
        add("finger", &address, line, "happy and well");
    }
    let web = format!("http://{}", scene.address("finger", "web")?);
    let browser = scene.shown(&scene.folder.join("browser"));
    let chromium = format!("chromium --headless --no-sandbox --disable-gpu --no-first-run --user-data-dir={browser}");
    add("web", &format!("{web}/"), format!("{chromium} --dump-dom {web}/ 2>&1"), "moshez");
    let call = format!("from xmlrpc.client import ServerProxy as S; print(S(\"{web}/RPC2\").getUser(\"moshez\"))");
    add("XML-RPC", &format!("{web}/RPC2"), format!("python3 -c '{call}'"), "happy and well");
    let https = format!("https://{}", scene.address("finger", "https")?);
    let cert = scene.shown(&scene.folder.join("cert.pem"));
    add("https", &format!("{https}/"), format!("curl -sSf --cacert {cert} {https}/moshez"), "happy and well");
    let pb = scene.address("finger", "pb")?;
    let python = scene.shown(&setup::python(scene.repo));
    add("Perspective Broker", &pb, format!("{python} xtask/clients/pb.py {pb} moshez"), "happy and well");
    let irc = scene.address("finger", "irc")?;
    add("IRC", &irc, format!("python3 xtask/clients/irc.py {irc} fingerbot moshez"), "happy and well");
    Ok(tries)
}
