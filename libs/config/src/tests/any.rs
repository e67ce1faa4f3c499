//! Whatever the text: no panic, and what is printed reads back.

use super::Layers;
use crate::{Document, Sources};
use proptest::prelude::*;
use schemars::Schema;
use std::path::Path;
use toml::{Table, Value};

fn read(file: &str) -> (Document, usize) {
    let (document, faults) = Sources::new("", Path::new("/")).file(Path::new("/a.toml"), file).read();
    (document, faults.len())
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(Value::Integer),
        any::<f64>().prop_map(Value::Float),
        any::<bool>().prop_map(Value::Boolean),
        any::<String>().prop_map(Value::String),
        Just(Value::Datetime("1979-05-27T07:32:00.5-07:00".parse().unwrap())),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            table(inner).prop_map(Value::Table),
        ]
    })
}

fn table(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Table> {
    prop::collection::btree_map(prop_oneof!["[a-z0-9_-]{0,4}", ".{0,4}"], inner, 0..5)
        .prop_map(|entries| entries.into_iter().collect())
}

/// Pieces of which TOML and its mistakes are made.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a",
        "b.",
        "finger",
        "[",
        "]",
        "[[",
        "]]",
        "{",
        "}",
        "=",
        " = ",
        "\n",
        "\r\n",
        "\"",
        "\"\"\"",
        "'",
        "'''",
        "#",
        ",",
        ".",
        "1",
        "0x",
        "1e5",
        "2020-01-01",
        "true",
        "\\",
        "\\u",
        "\t",
        "\u{0}",
        "\u{feff}",
        "日",
        "password",
        "_",
        "listen",
        "irc",
        "max",
        "[finger]\n",
        "[finger.irc]\n",
        "nan",
        "-",
        "+",
        ":",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_file(file in prop_oneof![pieces(), any::<String>()]) {
        if let Err(faults) = (Layers { file: &file, ..Layers::default() }).read() {
            for fault in faults {
                let text = fault.to_string();
                prop_assert!(text.starts_with("error: "));
                prop_assert!(!text.contains(|c: char| c.is_control() && c != '\n'));
                prop_assert!(!fault.one_line().contains('\n'));
            }
        }
    }

    #[test]
    fn any_bytes(content in prop::collection::vec(any::<u8>(), 0..60)) {
        let _ = super::read(Sources::new(super::DEFAULTS, Path::new("/")).file(Path::new("a"), content));
    }

    #[test]
    fn any_words(item in prop_oneof![pieces(), any::<String>()], name in "OPSCTL_[A-Z_]{0,12}") {
        let set = [item.as_str(), &format!("finger.irc={item}"), &format!("finger.listen={item}"), &format!("finger.{item}")];
        let options: [(_, _, &[&str]); 2] =
            [("finger.max", "-m", &[&item]), ("finger.forward", "--forward", &[&item, &item])];
        for set in set {
            let layers = Layers { set: &[set], env: &[(&name, &item), ("OPSCTL_FINGER__KIND", &item)], options: &options, ..Layers::default() };
            let _ = layers.read().map_err(|faults| faults.iter().map(ToString::to_string).collect::<String>());
        }
    }

    /// Every caret stands under what the line shows, or one behind it.
    #[test]
    fn carets(file in pieces()) {
        for fault in (Layers { file: &file, ..Layers::default() }).read().err().unwrap_or_default() {
            let text = fault.to_string();
            let lines: Vec<&str> = text.lines().collect();
            if let Some(caret) = lines.iter().position(|line| line.trim_start().starts_with("| ")) {
                let end = lines[caret].rfind("^").unwrap() - lines[caret].find('|').unwrap();
                let shown = lines[caret - 1].split_once('|').unwrap().1;
                let width: usize = shown.chars().map(|c| if c == '日' { 2 } else { 1 }).sum();
                prop_assert!(end <= width.max(1) + 1, "{text}");
            }
        }
    }

    #[test]
    fn shown_and_read(table in table(value())) {
        let (document, faults) = read(&toml::to_string(&table).unwrap());
        prop_assert_eq!(faults, 0);
        for origin in [false, true] {
            let shown = document.show(&Schema::default(), origin);
            let (again, faults) = read(&shown);
            prop_assert_eq!(faults, 0, "{}", shown);
            for name in document.root.entries.keys().chain(again.root.entries.keys()) {
                prop_assert!(document.same(&again, name), "{}", shown);
            }
        }
    }
}
