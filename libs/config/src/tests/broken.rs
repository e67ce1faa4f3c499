//! Texts that are not TOML, not text, too long or too deep.

use super::{Layers, check_faults, check_sources};
use crate::{MAX_TEXT, Sources};
use std::path::Path;

#[track_caller]
fn check(file: &str, expected: &str) {
    check_faults(&Layers { file, ..Layers::default() }, expected);
}

/// Each fault of the text is found, and those of the values beside them.
#[test]
fn syntax() {
    check(
        "[finger]\nfile = /etc/users # c\nmax 5\nlisten = 127.0.0.1:8000\nlist = True\nkind =\nratio = 0.5.5\n\
         forward = ['a' 'b']\nmode = 9223372036854775808\ntimeout = 5\n[host\nuser = 5\n[finger.irc]\nport = 0",
        r#"
error: text without quotes
 --> /etc/opsctl.toml:2:8
  |
2 | file = /etc/users # c
  |        ^^^^^^^^^^ expected a text in quotes

error: key with no value
 --> /etc/opsctl.toml:3:5
  |
3 | max 5
  |     ^ expected `=`

error: text without quotes
 --> /etc/opsctl.toml:4:10
  |
4 | listen = 127.0.0.1:8000
  |          ^^^^^^^^^^^^^^ expected a text in quotes

error: invalid boolean
 --> /etc/opsctl.toml:5:8
  |
5 | list = True
  |        ^^^^ expected `true`

error: key with no value
 --> /etc/opsctl.toml:6:7
  |
6 | kind =
  |       ^ expected a value

error: text without quotes
 --> /etc/opsctl.toml:7:9
  |
7 | ratio = 0.5.5
  |         ^^^^^ expected a text in quotes

error: missing comma between array elements
 --> /etc/opsctl.toml:8:16
  |
8 | forward = ['a' 'b']
  |                ^ expected `,`

error: bad number
 --> /etc/opsctl.toml:9:8
  |
9 | mode = 9223372036854775808
  |        ^^^^^^^^^^^^^^^^^^^ expected a number of at most 64 bits

error: unclosed table
  --> /etc/opsctl.toml:11:6
   |
11 | [host
   |      ^ expected `]`

error: wrong type for `finger.timeout`
  --> /etc/opsctl.toml:10:11
   |
10 | timeout = 5
   |           ^ expected a duration such as `30s`, found an integer
"#,
    );
}

#[test]
fn what_is_not_closed() {
    check(
        "[finger]\nfile = \"a\nlist = 5",
        r#"
error: invalid basic string
 --> /etc/opsctl.toml:2:10
  |
2 | file = "a
  |          ^ expected `"`

error: wrong type for `finger.list`
 --> /etc/opsctl.toml:3:8
  |
3 | list = 5
  |        ^ expected `true` or `false`, found an integer
"#,
    );
    check(
        "[finger]\nfile = '''a\nlist = 5\n",
        r#"
error: invalid multi-line literal string
 --> /etc/opsctl.toml:2:8
  |
2 | file = '''a
  |        ^^^^ expected `'` at its end
"#,
    );
    check(
        "[finger]\nforward = [\n  'a',\n  'b',\n",
        r#"
error: unclosed array
 --> /etc/opsctl.toml:2:11
  |
2 | forward = [
  |           ^ expected `]` at its end
"#,
    );
}

#[test]
fn twice() {
    check(
        "[finger]\nmax = 1\nmax = 2\n[finger]\nx = 1",
        r#"
error: duplicate key
 --> /etc/opsctl.toml:3:1
  |
3 | max = 2
  | ^^^ stands here a second time

error: duplicate key
 --> /etc/opsctl.toml:4:2
  |
4 | [finger]
  |  ^^^^^^ stands here a second time

error: unknown key `x`
 --> /etc/opsctl.toml:5:1
  |
5 | x = 1
  | ^
  = help: known are `dsn`, `enabled`, `file`, `forward`, `indexes`, `irc`, `kind`, `limit`, `list`, `listen`, `max` and 5 others
"#,
    );
}

/// Columns are characters; the caret goes by what a terminal shows.
#[test]
fn characters() {
    check(
        "\u{feff}[finger]\r\n\tirc = { '日本' = 1,\t\u{e9} = 2, nick = 5 } # \u{202e}\r\n",
        "
error: invalid unquoted key
 --> /etc/opsctl.toml:2:20
  |
2 |     irc = { '日本' = 1,    \u{e9} = 2, nick = 5 } # \\u{202e}
  |                            ^ expected one of letters, numbers, `-`, `_`
",
    );
    check(
        "[finger]\r\n\tirc = { '日本' = 1, nick = 5 }\r\n",
        "
error: unknown key `日本`
 --> /etc/opsctl.toml:2:10
  |
2 |     irc = { '日本' = 1, nick = 5 }
  |             ^^^^^^
  = help: known are `nick`, `password` and `port`

error: wrong type for `finger.irc.nick`
 --> /etc/opsctl.toml:2:27
  |
2 |     irc = { '日本' = 1, nick = 5 }
  |                                ^ expected a string, found an integer
",
    );
    check(
        "[finger]\nfile = '\u{1b}[31m\u{0}'",
        r#"
error: invalid literal string
 --> /etc/opsctl.toml:2:9
  |
2 | file = '\u{1b}[31m\u{0}'
  |         ^ expected non-single-quote visible characters
"#,
    );
}

#[test]
fn long_lines() {
    let items = "'a', ".repeat(60);
    check(
        &format!("[finger]\nforward = [{items}5, {items}]"),
        r#"
error: wrong type for `finger.forward`
 --> /etc/opsctl.toml:2:312
  |
2 | …'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 5, 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a…
  |                                          ^ expected a string, found an integer
"#,
    );
    let expected = format!(
        "
error: wrong type for `finger.list`
 --> /etc/opsctl.toml:2:8
  |
2 | list = '{}…
  |        {} expected `true` or `false`, found a string
",
        "x".repeat(112),
        "^".repeat(113),
    );
    check(&format!("[finger]\nlist = '{}'", "x".repeat(5000)), &expected);
}

#[test]
fn no_text() {
    let sources = |content: &[u8]| Sources::new(super::DEFAULTS, Path::new("/")).file(Path::new("a.toml"), content);
    check_sources(
        sources(b"[finger]\nfile = 'caf\xe9'\n"),
        "
error: the file is not UTF-8
 --> a.toml:2:12
  |
2 | file = 'caf\u{fffd}'
  |            ^ not a character
",
    );
    let long = "#".repeat(MAX_TEXT + 1);
    check_sources(sources(long.as_bytes()), "error: the file is longer than 1 MiB\n --> a.toml");
    assert!(super::read(sources(&long.as_bytes()[1..])).is_ok());
}

#[test]
fn depth() {
    let first = |file: &str| Layers { file, ..Layers::default() }.read().unwrap_err()[0].message();
    assert_eq!(first(&("a.".repeat(100_000) + "b = 1")), "nested too deep");
    assert_eq!(first(&format!("[{}b]", "a.".repeat(100_000))), "nested too deep");
    assert_eq!(first(&format!("a = {}", "[".repeat(100_000))), "nested too deep");
    assert_eq!(first(&format!("a = {}", "{a=".repeat(100_000))), "nested too deep");
    let inner = format!("a = {}{}", "[".repeat(70), "]".repeat(70));
    assert_eq!(first(&inner), "nested too deep: expected at most 64 levels");
    let set = format!("{}b=1", "a.".repeat(100));
    let faults = Layers { set: &[&set], ..Layers::default() }.read().unwrap_err();
    assert_eq!(faults[0].message(), "nested too deep: expected at most 64 levels");
}

/// A megabyte of nonsense takes no time that anyone would notice, and prints no megabyte.
#[test]
fn amount() {
    for line in
        ["[a\n", "[[x]]\n", "x\n", "a = [\n", "'\n", "finger.x = 5\n", "]]] = 5\n", "password = b\n", "a = \"\"\"\n"]
    {
        let file = line.repeat(MAX_TEXT / line.len() / 4);
        if let Err(faults) = (Layers { file: &file, ..Layers::default() }).read() {
            assert!(faults.len() <= 65, "{line} {}", faults.len());
        }
    }
    let keys: String = (0..20_000).map(|n| format!("k{n} = {n}\n")).collect();
    let faults = Layers { file: &format!("[finger]\n{keys}"), ..Layers::default() }.read().unwrap_err();
    assert_eq!(faults.len(), 64);
    let set = vec!["finger.max=1"; 50_000];
    assert!(Layers { set: &set, ..Layers::default() }.read().is_ok());
}
