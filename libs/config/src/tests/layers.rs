//! Which layer wins, and what a text means where.

use super::{Address, Finger, Kind, Layers};
use crate::{Mode, Secret, Size};
use std::path::Path;

#[track_caller]
fn finger(layers: &Layers<'_>) -> Finger {
    match layers.read() {
        Ok((_, finger, _)) => finger,
        Err(faults) => panic!("{}", faults[0]),
    }
}

#[track_caller]
fn check_set<T: PartialEq + std::fmt::Debug>(set: &[&str], value: impl Fn(Finger) -> T, expected: T) {
    assert_eq!(value(finger(&Layers { set, ..Layers::default() })), expected, "{set:?}");
}

#[test]
fn precedence() {
    let mut layers = Layers::default();
    let max = |layers: &Layers<'_>| finger(layers).max;
    assert_eq!(max(&layers), 100);
    layers.file = "[finger]\nmax = 1";
    assert_eq!(max(&layers), 1);
    layers.env = &[("OPSCTL_FINGER__MAX", "2")];
    assert_eq!(max(&layers), 2);
    layers.set = &["finger.max=3", "finger.max=4"];
    assert_eq!(max(&layers), 4);
    layers.options = &[("finger.max", "--max", &["5"])];
    assert_eq!(max(&layers), 5);
}

#[test]
fn tables_merge_and_lists_do_not() {
    let layers = Layers {
        file: "[finger]\nforward = ['a', 'b']\n[finger.irc]\nport = 1\n[finger.indexes.a]\nurl = 'x'\n",
        env: &[("OPSCTL_FINGER__INDEXES__B__URL", "y"), ("OPSCTL_FINGER__IRC", "{ password = 'p' }")],
        set: &["finger.forward=[\"c\"]", "finger.indexes.\"C.d\".url=z", "finger.indexes.a.timeout=1s"],
        ..Layers::default()
    };
    let finger = finger(&layers);
    assert_eq!(finger.forward, ["c"]);
    assert_eq!((finger.irc.nick.as_str(), finger.irc.port), ("fingerbot", 1));
    assert_eq!(finger.irc.password, Some(Secret::new("p")));
    let indexes: Vec<_> = finger.indexes.iter().map(|(name, index)| (name.as_str(), index.url.as_str())).collect();
    assert_eq!(indexes, [("C.d", "z"), ("a", "x"), ("b", "y")]);
    assert!(finger.indexes["a"].timeout.is_some());
}

#[test]
fn texts() {
    let address = |text: &str| Address(text.parse().unwrap());
    check_set(&["finger.listen=8000"], |finger| finger.listen.0, vec![address("[::]:8000")]);
    check_set(&["finger.listen=[::1]:79"], |finger| finger.listen.0, vec![address("[::1]:79")]);
    check_set(
        &["finger.listen=[\"[::1]:79\", 80]"],
        |finger| finger.listen.0,
        vec![address("[::1]:79"), address("[::]:80")],
    );
    check_set(&["finger.listen="], |finger| finger.listen.0, vec![]);
    check_set(&["finger.max=0x10"], |finger| finger.max, 16);
    check_set(&["finger.ratio=2"], |finger| finger.ratio, 2.0);
    check_set(&["finger.list= false "], |finger| finger.list, false);
    check_set(&["finger.limit=4096"], |finger| finger.limit, Size::new(4096));
    check_set(&["finger.mode=640"], |finger| finger.mode, Some(Mode::new(0o640)));
    check_set(&["finger.kind=very-fancy"], |finger| finger.kind, Kind::VeryFancy);
    check_set(&["finger.kind={ custom.name = 'x' }"], |finger| finger.kind, Kind::Custom { name: "x".into() });
    check_set(&["finger.irc.nick=true"], |finger| finger.irc.nick, "true".to_owned());
    check_set(&["finger.irc.nick=\"a\\tb\""], |finger| finger.irc.nick, "a\tb".to_owned());
    check_set(&["finger.irc.nick=[a]"], |finger| finger.irc.nick, "[a]".to_owned());
    check_set(&["finger.irc.nick=a=b"], |finger| finger.irc.nick, "a=b".to_owned());
    check_set(&["finger.password=\"'quoted'\""], |finger| finger.password, Some(Secret::new("'quoted'")));
    check_set(&["finger.forward=a, b"], |finger| finger.forward, vec!["a, b".to_owned()]);
}

/// TOML has no null: an empty word takes away what a file set.
#[test]
fn nothing() {
    let layers = Layers {
        file: "[finger]\nmode = 0o600\npassword = 'x'\n",
        env: &[("OPSCTL_FINGER__PASSWORD", "")],
        set: &["finger.mode="],
        ..Layers::default()
    };
    let finger = finger(&layers);
    assert_eq!((finger.mode, finger.password), (None, None));
}

/// An environment variable is a text as it is: quotes belong to the password.
#[test]
fn quotes_in_the_environment() {
    let layers = Layers { env: &[("OPSCTL_FINGER__PASSWORD", "\"x\"")], ..Layers::default() };
    assert_eq!(finger(&layers).password, Some(Secret::new("\"x\"")));
}

#[test]
fn folders() {
    let layers = Layers { file: "[finger]\ntemplates = 'pages'\nfile = 'users'", ..Layers::default() };
    let (_, finger, _) = layers.read().unwrap();
    assert_eq!(finger.file.as_path(), Path::new("/etc/users"));
    assert_eq!(finger.templates.as_deref(), Some(Path::new("/etc/pages")));
    let layers = Layers {
        env: &[("OPSCTL_FINGER__FILE", "users")],
        options: &[("finger.templates", "-t", &["../pages"])],
        ..Layers::default()
    };
    let (_, finger, _) = layers.read().unwrap();
    assert_eq!(finger.file.as_path(), Path::new("/srv/users"));
    assert_eq!(finger.templates.as_deref(), Some(Path::new("/srv/../pages")));
    let relative = crate::Sources::new(super::DEFAULTS, Path::new("/srv"));
    let relative = relative.file(Path::new("conf/a.toml"), "[finger]\nfile = 'users'");
    assert_eq!(super::read(relative).unwrap().1.file.as_path(), Path::new("/srv/conf/users"));
}

#[test]
fn parts() {
    let layers = Layers { file: "[finger]\nwrong = 1\nmax = 'x'", ..Layers::default() };
    let (document, _) = layers.sources().read();
    #[derive(Debug, serde::Deserialize)]
    struct Part {
        list: bool,
    }
    assert!(document.part::<Part>("finger").unwrap().list);
    let faults = document.table::<Part>("finger", &["max"]).unwrap_err();
    assert!(faults.iter().any(|fault| fault.message() == "unknown key `wrong`"));
    assert!(faults.iter().all(|fault| fault.message() != "unknown key `max`"));
}

#[test]
fn same() {
    let read = |layers: &Layers<'_>| layers.sources().read().0;
    let check = |a: &Layers<'_>, b: &Layers<'_>, expected| {
        assert_eq!(read(a).same(&read(b), "finger"), expected, "{a:?} {b:?}");
        assert!(read(a).same(&read(b), "host") && read(a).same(&read(b), "nobody"));
    };
    let file = |file| Layers { file, ..Layers::default() };
    check(&file(""), &file(""), true);
    check(&file(""), &file("[finger]\nmax = 100\nfile = '/etc/users' # the same\n"), true);
    check(&file("[finger]\nmode = 0o640"), &file("[finger]\nmode = 416"), true);
    check(&file(""), &file("[finger]\nmax = 99"), false);
    check(&file(""), &file("[finger]\nmode = 1"), false);
    check(&file("[finger]\nfile = 'users'"), &Layers { set: &["finger.file='users'"], ..Layers::default() }, false);
    check(&file("[finger.indexes.a]"), &file("[finger.indexes.b]"), false);
}

#[test]
fn is_set() {
    let layers = Layers { file: "[finger]\nmax = 100", env: &[("OPSCTL_FINGER__IRC__PORT", "1")], ..Layers::default() };
    let (document, _) = layers.sources().read();
    for (key, expected) in [("finger.max", true), ("finger.irc.port", true), ("finger.list", false), ("a.b", false)] {
        assert_eq!(document.is_set(key), expected, "{key}");
    }
}
