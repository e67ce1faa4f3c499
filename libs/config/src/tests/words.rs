//! Faults of words from outside the file: environment, `--set`, options.

use super::{Layers, check_faults, check_sources};
use crate::MAX_TEXT;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

#[track_caller]
fn check_env(env: &[(&str, &str)], expected: &str) {
    check_faults(&Layers { env, ..Layers::default() }, expected);
}

#[track_caller]
fn check_set(set: &[&str], expected: &str) {
    check_faults(&Layers { set, ..Layers::default() }, expected);
}

#[test]
fn names_of_variables() {
    check_env(
        &[
            ("OPSCTL_FINGER__LISEN", "foo"),
            ("OPSCTL_FINGR__LISTEN", "foo"),
            ("OPSCTL_FOO", "1"),
            ("OPSCTL_FINGER__", "1"),
            ("OPSCTL_CONFIG", "x"),
            ("HOME", "x"),
        ],
        "
error: unknown key `OPSCTL_FINGER__`
 --> environment variable
  |
  | OPSCTL_FINGER__=1
  | ^^^^^^^^^^^^^^^
  = help: a key's environment variable is written `OPSCTL_TABLE__KEY`

error: unknown key `OPSCTL_FOO`
 --> environment variable
  |
  | OPSCTL_FOO=1
  | ^^^^^^^^^^
  = help: a key's environment variable is written `OPSCTL_TABLE__KEY`

error: unknown table `fingr`
 --> environment variable
  |
  | OPSCTL_FINGR__LISTEN=foo
  |        ^^^^^
  = help: did you mean `finger`?

error: unknown key `lisen`
 --> environment variable
  |
  | OPSCTL_FINGER__LISEN=foo
  |                ^^^^^
  = help: did you mean `listen`?
",
    );
}

#[test]
fn values_of_variables() {
    check_env(
        &[
            ("OPSCTL_FINGER__FORWARD", "[\"a\", 5]"),
            ("OPSCTL_FINGER__INDEXES", " { a = { url = 5 } }"),
            ("OPSCTL_FINGER__LISTEN", "foo"),
            ("OPSCTL_FINGER__LIST", "yes"),
            ("OPSCTL_FINGER__TIMEOUT", "a\n\tb"),
        ],
        r#"
error: wrong type for `finger.forward`
 --> environment variable
  |
  | OPSCTL_FINGER__FORWARD=["a", 5]
  |                              ^ expected a string, found an integer

error: wrong type for `finger.indexes.a.url`
 --> environment variable
  |
  | OPSCTL_FINGER__INDEXES= { a = { url = 5 } }
  |                                       ^ expected a string, found an integer

error: wrong type for `finger.list`
 --> environment variable
  |
  | OPSCTL_FINGER__LIST=yes
  |                     ^^^ expected `true` or `false`, found `yes`

error: bad value for `finger.listen`
 --> environment variable
  |
  | OPSCTL_FINGER__LISTEN=foo
  |                       ^^^ expected an address, found `foo`

error: bad value for `finger.timeout`
 --> environment variable
  |
  | OPSCTL_FINGER__TIMEOUT=a\n    b
  |                        ^^^^^^^^ expected a duration such as `30s`, `5m`, `1h30m` or `250ms`, found `a\n b`
"#,
    );
}

/// What is wrong in each layer is said of each.
#[test]
fn the_same_in_two_layers() {
    let layers = Layers {
        file: "[finger]\nlisen = 1\n[fingr]\nx = 1",
        env: &[("OPSCTL_FINGR__X", "2")],
        set: &["finger.lisen=2"],
        ..Layers::default()
    };
    check_faults(
        &layers,
        "
error: unknown table `fingr`
 --> /etc/opsctl.toml:3:2
  |
3 | [fingr]
  |  ^^^^^
  = help: did you mean `finger`?

error: unknown table `fingr`
 --> environment variable
  |
  | OPSCTL_FINGR__X=2
  |        ^^^^^
  = help: did you mean `finger`?

error: unknown key `lisen`
 --> /etc/opsctl.toml:2:1
  |
2 | lisen = 1
  | ^^^^^
  = help: did you mean `listen`?

error: unknown key `lisen`
 --> command line
  |
  | --set finger.lisen=2
  |              ^^^^^
  = help: did you mean `listen`?
",
    );
}

#[test]
fn a_word_where_a_table_is() {
    check_env(
        &[("OPSCTL_FINGER__IRC", "x"), ("OPSCTL_FINGER__IRC__PORT", "y")],
        "
error: wrong type for `finger.irc`
 --> environment variable
  |
  | OPSCTL_FINGER__IRC=x
  |                    ^ expected a table

error: wrong type for `finger.irc.port`
 --> environment variable
  |
  | OPSCTL_FINGER__IRC__PORT=y
  |                          ^ expected an integer from 0 to 65535, found `y`
",
    );
    check_env(
        &[("OPSCTL_FINGER__IRC", "x")],
        "
error: wrong type for `finger.irc`
 --> environment variable
  |
  | OPSCTL_FINGER__IRC=x
  |                    ^ expected a table such as `{ key = \"value\" }`, found `x`
",
    );
}

#[test]
fn no_text() {
    let value = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
    let sources = Layers::default().sources().env([
        ("OPSCTL_FINGER__FILE".into(), value(b"caf\xe9")),
        ("OPSCTL_FINGER__IRC__NICK".into(), value(b"a\0b")),
        ("OPSCTL_FINGER__PASSWORD".into(), value(b"hunter\xff")),
        (value(b"OPSCTL_FINGER__\xff"), "x".into()),
    ]);
    check_sources(
        sources.option("finger.password", "-p", vec![value(b"hunter\xff")]),
        "
error: the value is not UTF-8
 --> environment variable
  |
  | OPSCTL_FINGER__FILE=caf\u{fffd}
  |                     ^^^^

error: the value is a text with a NUL in it
 --> environment variable
  |
  | OPSCTL_FINGER__IRC__NICK=a\\u{0}b
  |                          ^^^^^^^

error: the value is not UTF-8
 --> environment variable
  |
  | OPSCTL_FINGER__PASSWORD=********
  |                         ^^^^^^^^

error: the value is not UTF-8
 --> command line
  |
  | -p ********
  |    ^^^^^^^^

error: unknown key `\u{fffd}`
 --> environment variable
  |
  | OPSCTL_FINGER__\u{fffd}=x
  |                ^
  = help: known are `dsn`, `enabled`, `file`, `forward`, `indexes`, `irc`, `kind`, `limit`, `list`, `listen`, `max` and 5 others
",
    );
    let long = "x".repeat(MAX_TEXT + 1);
    let faults = Layers { env: &[("OPSCTL_FINGER__FILE", &long)], ..Layers::default() }.read().unwrap_err();
    assert_eq!(faults[0].message(), "the value is longer than 1 MiB");
    assert!(faults[0].to_string().len() < 1000);
}

#[test]
fn set() {
    let cases = [
        ("finger", 13, 1, "expected `.` and a key"),
        ("finger=5", 7, 6, "expected a table and a key"),
        ("finger.", 14, 1, "expected a key"),
        ("finger.max", 17, 1, "expected `=` and a value"),
        ("=x", 7, 1, "expected a key"),
        ("finger..max=x", 14, 1, "expected a key"),
        ("a b=c", 8, 1, "expected `.` and a key"),
        ("a.b c=d", 10, 1, "expected `=` and a value"),
        ("finger.\"x=5", 14, 4, "expected a closing quote"),
        ("", 7, 1, "expected a key"),
    ];
    for (item, column, width, expected) in cases {
        let (space, carets) = (" ".repeat(column - 1), "^".repeat(width));
        let text = format!(
            "error: bad `--set`\n --> command line\n  |\n  | --set {item}\n  | {space}{carets} {expected}\n  = help: write it as \
             `--set table.key=value`"
        );
        check_set(&[item], &text);
    }
}

#[test]
fn options() {
    let layers = Layers {
        options: &[
            ("finger.listen", "--listen", &["a", "80", "b"]),
            ("finger.max", "-m", &["x"]),
            ("finger.timeout", "--timeout", &[]),
        ],
        ..Layers::default()
    };
    check_faults(
        &layers,
        "
error: bad value for `finger.listen`
 --> command line
  |
  | --listen=a --listen=80 --listen=b
  |          ^ expected an address, found `a`

error: bad value for `finger.listen`
 --> command line
  |
  | --listen=a --listen=80 --listen=b
  |                                 ^ expected an address, found `b`

error: wrong type for `finger.max`
 --> command line
  |
  | -m x
  |    ^ expected an integer from 0 to 65535, found `x`

error: wrong type for `finger.timeout`
 --> command line
  |
  | --timeout
  | ^^^^^^^^^ expected a duration such as `30s`, found `true`
",
    );
}
