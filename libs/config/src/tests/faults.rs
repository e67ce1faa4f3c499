//! Values that are no good, as they are printed.

use super::{Layers, check_faults};

#[track_caller]
fn check(file: &str, expected: &str) {
    check_faults(&Layers { file, ..Layers::default() }, expected);
}

/// What the host promises: a file with two, an environment variable with one and a `--set` with one are four carets.
#[test]
fn all_layers_at_once() {
    let layers = Layers {
        file: "[host]\nuser = 1\n[finger]\nlisen = \"127.0.0.1:8000\"\n",
        env: &[("OPSCTL_FINGER__TIMEOUT", "soon")],
        set: &["finger.max=lots"],
        options: &[("finger.file", "--file", &[""])],
    };
    let expected = r#"
error: wrong type for `host.user`
 --> /etc/opsctl.toml:2:8
  |
2 | user = 1
  |        ^ expected a string, found an integer

error: unknown key `lisen`
 --> /etc/opsctl.toml:4:1
  |
4 | lisen = "127.0.0.1:8000"
  | ^^^^^
  = help: did you mean `listen`?

error: bad value for `finger.timeout`
 --> environment variable
  |
  | OPSCTL_FINGER__TIMEOUT=soon
  |                        ^^^^ expected a duration such as `30s`, `5m`, `1h30m` or `250ms`, found `soon`

error: wrong type for `finger.max`
 --> command line
  |
  | --set finger.max=lots
  |                  ^^^^ expected an integer from 0 to 65535, found `lots`

error: bad value for `finger.file`
 --> command line
  |
  | --file=
  |        ^ expected a path, found an empty string
"#;
    check_faults(&layers, expected);
    let faults = layers.read().unwrap_err();
    let lines: Vec<_> = faults.iter().map(crate::Fault::one_line).collect();
    let expected = [
        "/etc/opsctl.toml:2:8: wrong type for `host.user`: expected a string, found an integer",
        "/etc/opsctl.toml:4:1: unknown key `lisen` (did you mean `listen`?)",
        "environment OPSCTL_FINGER__TIMEOUT: bad value for `finger.timeout`: expected a duration such as `30s`, `5m`, \
         `1h30m` or `250ms`, found `soon`",
        "--set: wrong type for `finger.max`: expected an integer from 0 to 65535, found `lots`",
        "--file: bad value for `finger.file`: expected a path, found an empty string",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn types_and_values() {
    check(
        "[finger]\ntimeout = 5\nlist = \"yes\"\nmax = 70000\nratio = true\nforward = \"x\"\n\tlimit = '1Gi'\nmode = 640\n",
        r#"
error: wrong type for `finger.timeout`
 --> /etc/opsctl.toml:2:11
  |
2 | timeout = 5
  |           ^ expected a duration such as `30s`, found an integer

error: wrong type for `finger.list`
 --> /etc/opsctl.toml:3:8
  |
3 | list = "yes"
  |        ^^^^^ expected `true` or `false`, found a string

error: bad value for `finger.max`
 --> /etc/opsctl.toml:4:7
  |
4 | max = 70000
  |       ^^^^^ expected an integer from 0 to 65535, found `70000`

error: wrong type for `finger.ratio`
 --> /etc/opsctl.toml:5:9
  |
5 | ratio = true
  |         ^^^^ expected a number, found `true`

error: wrong type for `finger.forward`
 --> /etc/opsctl.toml:6:11
  |
6 | forward = "x"
  |           ^^^ expected a list, found a string

error: bad value for `finger.limit`
 --> /etc/opsctl.toml:7:10
  |
7 |     limit = '1Gi'
  |             ^^^^^ expected a size such as `512KiB`, `10MB`, `2GiB` or a number of bytes, found `1Gi`

error: wrong type for `finger.mode`
 --> /etc/opsctl.toml:8:8
  |
8 | mode = 640
  |        ^^^ expected an octal number such as `0o640`, found a decimal one
"#,
    );
}

#[test]
fn elements_of_a_list() {
    check(
        "[finger]\nlisten = [\"a\", 80, \"b\"]\nforward = [\n  'a',\n  5,\n]\n",
        r#"
error: bad value for `finger.listen`
 --> /etc/opsctl.toml:2:11
  |
2 | listen = ["a", 80, "b"]
  |           ^^^ expected an address, found `a`

error: bad value for `finger.listen`
 --> /etc/opsctl.toml:2:20
  |
2 | listen = ["a", 80, "b"]
  |                    ^^^ expected an address, found `b`

error: wrong type for `finger.forward`
 --> /etc/opsctl.toml:5:3
  |
5 |   5,
  |   ^ expected a string, found an integer
"#,
    );
}

#[test]
fn names_of_an_enum() {
    check(
        "[finger]\nkind = \"very-fanzy\"",
        r#"
error: bad value for `finger.kind`
 --> /etc/opsctl.toml:2:8
  |
2 | kind = "very-fanzy"
  |        ^^^^^^^^^^^^ expected `custom`, `plain` or `very-fancy`
  = help: did you mean `very-fancy`?
"#,
    );
    check(
        "[finger]\nkind = { custom = { nam = 'x' } }",
        r#"
error: unknown key `nam`
 --> /etc/opsctl.toml:2:21
  |
2 | kind = { custom = { nam = 'x' } }
  |                     ^^^
  = help: did you mean `name`?
"#,
    );
    check(
        "[finger]\nkind = { custom = 5 }",
        r#"
error: wrong type for `finger.kind.custom`
 --> /etc/opsctl.toml:2:19
  |
2 | kind = { custom = 5 }
  |                   ^ expected a table, found an integer
"#,
    );
    check(
        "[finger]\nkind = {}",
        r#"
error: wrong type for `finger.kind`
 --> /etc/opsctl.toml:2:8
  |
2 | kind = {}
  |        ^^ expected a name or a table with one key, found a table with 0 keys
"#,
    );
}

#[test]
fn nested_tables() {
    check(
        "[finger.indexes.a]\nul = 'x'\n[finger.indexes.\"b.c\"]\ntimeout = 'z'\n[finger.indexes.d]\nurl = 5\n[finger]\nirc = 5",
        r#"
error: unknown key `ul`
 --> /etc/opsctl.toml:2:1
  |
2 | ul = 'x'
  | ^^
  = help: did you mean `url`?

error: missing key `finger.indexes."b.c".url`
 --> /etc/opsctl.toml:3:1
  |
3 | [finger.indexes."b.c"]
  | ^^^^^^^^^^^^^^^^^^^^^^ `url` must stand here

error: bad value for `finger.indexes."b.c".timeout`
 --> /etc/opsctl.toml:4:11
  |
4 | timeout = 'z'
  |           ^^^ expected a duration such as `30s`, `5m`, `1h30m` or `250ms`, found `z`

error: wrong type for `finger.indexes.d.url`
 --> /etc/opsctl.toml:6:7
  |
6 | url = 5
  |       ^ expected a string, found an integer

error: wrong type for `finger.irc`
 --> /etc/opsctl.toml:8:7
  |
8 | irc = 5
  |       ^ expected a table, found an integer
"#,
    );
}

#[test]
fn unknown_tables() {
    check(
        "listen = 5\n[fingr]\nfoo = 1\n[web]\n",
        r#"
error: unknown key `listen`
 --> /etc/opsctl.toml:1:1
  |
1 | listen = 5
  | ^^^^^^
  = help: a key stands in a table, such as `[host]`

error: unknown table `fingr`
 --> /etc/opsctl.toml:2:2
  |
2 | [fingr]
  |  ^^^^^
  = help: did you mean `finger`?

error: unknown table `web`
 --> /etc/opsctl.toml:4:2
  |
4 | [web]
  |  ^^^
  = help: known are `finger` and `host`
"#,
    );
}

#[test]
fn a_value_for_a_table() {
    check(
        "finger = 5\n[host]\nuser = 5",
        r#"
error: wrong type for `host.user`
 --> /etc/opsctl.toml:3:8
  |
3 | user = 5
  |        ^ expected a string, found an integer

error: wrong type for `finger`
 --> /etc/opsctl.toml:1:10
  |
1 | finger = 5
  |          ^ expected a table, found an integer
"#,
    );
}

#[test]
fn a_table_that_nobody_wrote() {
    let (document, _) = Layers::default().sources().read();
    let faults = document.table::<super::Host>("web", &[]).unwrap_err();
    assert_eq!(faults[0].to_string(), "error: missing key `web.user`: `user` must stand here");
}

#[test]
fn faults_found_later() {
    let layers = Layers { file: "[host]\nuser = 'nobodyy'", ..Layers::default() };
    let (_, _, document) = layers.read().unwrap();
    let fault = document.fault("host.user", "there is no account `nobodyy`").with_help("see passwd(5)");
    let expected = r#"
error: bad value for `host.user`
 --> /etc/opsctl.toml:2:8
  |
2 | user = 'nobodyy'
  |        ^^^^^^^^^ there is no account `nobodyy`
  = help: see passwd(5)
"#;
    assert_eq!(fault.to_string(), expected.trim());
    let nowhere = document.fault("host.group", "there is none");
    assert_eq!(nowhere.to_string(), "error: bad value for `host.group`: there is none");
    assert_eq!(crate::Fault::plain("a\nb").to_string(), "error: a\\nb");
}
