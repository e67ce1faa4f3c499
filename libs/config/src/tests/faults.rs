//! Every fault as it is printed.

use super::Layers;

#[track_caller]
fn check(layers: Layers<'_>, expected: &str) {
    let faults = layers.read().map(|_| ()).expect_err("no fault");
    let found = faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n");
    assert_eq!(format!("\n{found}\n"), expected, "found:\n{found}\n");
}

#[track_caller]
fn check_file(file: &str, expected: &str) {
    check(Layers { file, ..Layers::default() }, expected);
}

#[test]
fn unknown_key() {
    check_file(
        "[finger]\nlisen = \"127.0.0.1:8000\"\n",
        r#"
error: unknown key `lisen`
 --> /etc/opsctl.toml:2:1
  |
2 | lisen = "127.0.0.1:8000"
  | ^^^^^
  = help: did you mean `listen`?
"#,
    );
}
