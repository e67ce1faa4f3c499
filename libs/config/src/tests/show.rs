//! The print of a document.

use super::{Finger, Host, Layers};
use crate::document_schema;
use schemars::{Schema, schema_for};

pub(crate) fn schema() -> Schema {
    document_schema([("host", vec![schema_for!(Host)]), ("finger", vec![schema_for!(Finger)])], None)
}

const LAYERS: Layers<'_> = Layers {
    file: "[finger]\nlist = false\nmode = 0o640\npassword = 'hunter2'\n[finger.indexes.\"a b\"]\nurl = \"x\\ty'\"\n",
    env: &[
        ("OPSCTL_FINGER__MAX", "7"),
        ("OPSCTL_FINGER__FORWARD", "a"),
        ("OPSCTL_FINGER__DSN", "hunter3"),
        ("OPSCTL_FINGER__TEMPLATES", ""),
    ],
    set: &["finger.irc.password=hunter4", "finger.kind={ custom = { name = 'x' } }"],
    options: &[("finger.listen", "--listen", &["80", "[::1]:79"]), ("finger.file", "-f", &["users"])],
};

#[test]
fn plain() {
    let (_, _, document) = LAYERS.read().unwrap();
    let expected = r#"[host]
user = "nobody"

[finger]
listen = ["80", "[::1]:79"]
file = "users"
timeout = "10s"
limit = "1MiB"
max = 7
ratio = 0.5
list = false
forward = ["a"]
mode = 0o640
password = "********"
dsn = "********"

[finger.kind.custom]
name = "x"

[finger.irc]
nick = "fingerbot"
port = 6667
password = "********"

[finger.indexes."a b"]
url = "x\ty'"
"#;
    assert_eq!(document.show(&schema(), false), expected);
}

#[test]
fn origin() {
    let (_, _, document) = LAYERS.read().unwrap();
    let expected = r#"[host]
user = "nobody"  # default

[finger]
listen = ["80", "[::1]:79"]  # --listen
file = "users"  # -f
timeout = "10s"  # default
limit = "1MiB"  # default
max = 7  # environment OPSCTL_FINGER__MAX
ratio = 0.5  # default
list = false  # /etc/opsctl.toml:2
forward = ["a"]  # environment OPSCTL_FINGER__FORWARD
mode = 0o640  # /etc/opsctl.toml:3
password = "********"  # /etc/opsctl.toml:4
dsn = "********"  # environment OPSCTL_FINGER__DSN

[finger.kind.custom]
name = "x"  # --set

[finger.irc]
nick = "fingerbot"  # default
port = 6667  # default
password = "********"  # --set

[finger.indexes."a b"]
url = "x\ty'"  # /etc/opsctl.toml:6
"#;
    assert_eq!(document.show(&schema(), true), expected);
}

/// What is shown is the configuration: every value reads back, but for the secrets.
#[test]
fn reads_back() {
    let (host, finger, document) = LAYERS.read().unwrap();
    let file = document.show(&schema(), true).replace("\"users\"", "\"/srv/users\"");
    let (again_host, again, _) = Layers { file: &file, ..Layers::default() }.read().unwrap();
    assert_eq!(host, again_host);
    let masked = super::Irc { password: again.irc.password.clone(), ..finger.irc };
    let expected = Finger { password: again.password.clone(), dsn: again.dsn.clone(), irc: masked, ..finger };
    assert_eq!(again, expected);
}

/// Without a schema the name of a key decides.
#[test]
fn unknown_secrets() {
    let layers = Layers { file: "[x]\ntoken = 'hunter2'\ntokens = ['hunter2']\nfile = 'a'\n", ..Layers::default() };
    let (document, _) = layers.sources().read();
    let shown = document.show(&Schema::default(), false);
    assert!(shown.ends_with("[x]\ntoken = \"********\"\ntokens = \"********\"\nfile = \"a\"\n"), "{shown}");
}
