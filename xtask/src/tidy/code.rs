//! Checks of the Rust sources: opening words, length, and what tests must not do.
use crate::repo::{File, Tree};
use crate::source;

/// Lines of code from which a file has to be on the list.
const LONG: usize = 500;
/// The files over that, and how long they may be. The list only ever gets shorter, the numbers smaller.
const LONG_FILES: &[(&str, usize)] = &[];

pub(super) fn opens_with_words(tree: &Tree) -> Vec<String> {
    let silent = tree.rust().filter(|file| !file.text.starts_with("//! "));
    silent.map(|file| format!("{}:1: does not open with `//!` and what the file is", file.path)).collect()
}

pub(super) fn short(tree: &Tree) -> Vec<String> {
    ratchet(tree, LONG_FILES)
}

fn ratchet(tree: &Tree, listed: &[(&str, usize)]) -> Vec<String> {
    let mut faults = Vec::new();
    let allowed = |path: &str| listed.iter().find(|(name, _)| *name == path).map(|(_, most)| *most);
    for File { path, text } in tree.rust() {
        let lines = source::code_lines(text);
        match allowed(path) {
            None if lines > LONG => faults.push(format!("{path}: {lines} lines of code; look twice over {LONG}")),
            Some(most) if lines > most => faults.push(format!("{path}: grew from {most} to {lines} lines of code")),
            Some(_) if lines <= LONG => {
                faults.push(format!("{path}: is short now and can leave the list of long files"))
            }
            _ => {}
        }
    }
    let gone = listed.iter().filter(|(path, _)| tree.get(path).is_none());
    faults.extend(gone.map(|(path, _)| format!("{path}: is on the list of long files, but not there")));
    faults
}

pub(super) fn no_idle_tests(tree: &Tree) -> Vec<String> {
    search(tree, |line| {
        let banned = ["#[ignore", "#[should_panic"].into_iter().find(|banned| line.contains(banned))?;
        Some(format!("`{banned}]`; assert what happens instead"))
    })
}

pub(super) fn nothing_to_do(tree: &Tree) -> Vec<String> {
    search(tree, |line| {
        let banned = ["todo!(", "unimplemented!("].into_iter().find(|banned| line.contains(banned))?;
        Some(format!("`{banned})`"))
    })
}

/// Only the one helper that waits for a condition may sleep; a test on tokio's paused clock does not really.
pub(super) fn no_sleep(tree: &Tree) -> Vec<String> {
    tree.rust().flat_map(sleeps).collect()
}

fn sleeps(file: &File) -> Vec<String> {
    let code = source::code(&file.text);
    if ["start_paused = true", "time::pause()"].iter().any(|pause| code.contains(pause)) {
        return Vec::new();
    }
    let mut function = "";
    let mut faults = Vec::new();
    for ((number, line), of_tests) in code.lines().enumerate().zip(source::test_lines(&file.path, &code)) {
        function = function_opened(line).unwrap_or(function);
        let sleeps = line.match_indices("sleep(").any(|(at, _)| line[..at].ends_with("::"));
        if of_tests && sleeps && !function.starts_with("eventually") {
            faults.push(format!("{}:{}: a test sleeps; wait for a condition with `eventually`", file.path, number + 1));
        }
    }
    faults
}

/// The name of the function that `line` opens.
fn function_opened(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("fn ")?;
    let starts = before.is_empty() || before.ends_with(' ');
    starts.then(|| after.split(|c: char| !c.is_alphanumeric() && c != '_').next()).flatten()
}

/// The faults that `find` sees in lines of code.
fn search(tree: &Tree, find: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut faults = Vec::new();
    for file in tree.rust() {
        for (number, line) in source::code(&file.text).lines().enumerate() {
            faults.extend(find(line).map(|fault| format!("{}:{}: {fault}", file.path, number + 1)));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: fn(&Tree) -> Vec<String>, path: &str, text: &str, expected: &[&str]) {
        assert_eq!(rule(&Tree::of(&[(path, text)])), expected, "{path}: {text}");
    }

    #[test]
    fn words_come_first() {
        check(opens_with_words, "tests/main.rs", "//! All of it.\n", &[]);
        check(opens_with_words, "a.rs", "// no\n", &["a.rs:1: does not open with `//!` and what the file is"]);
        check(opens_with_words, "a.rs", "", &["a.rs:1: does not open with `//!` and what the file is"]);
    }

    fn check_length(lines: usize, listed: &[(&str, usize)], expected: &str) {
        let tree = Tree::of(&[("a.rs", &"x();\n".repeat(lines))]);
        let faults = ratchet(&tree, listed).join("\n");
        assert!(if expected.is_empty() { faults.is_empty() } else { faults.contains(expected) }, "{faults}");
    }

    #[test]
    fn long_files_can_only_shrink() {
        check_length(500, &[], "");
        check_length(501, &[], "look twice");
        check_length(501, &[("a.rs", 600)], "");
        check_length(601, &[("a.rs", 600)], "grew");
        check_length(500, &[("a.rs", 600)], "can leave");
        check_length(9, &[("b.rs", 600)], "not there");
    }

    #[test]
    fn tests_run_and_do_not_panic() {
        check(
            no_idle_tests,
            "a.rs",
            "#[test]\n#[ignore = \"slow\"]",
            &["a.rs:2: `#[ignore]`; assert what happens instead"],
        );
        check(no_idle_tests, "a.rs", "#[should_panic]", &["a.rs:1: `#[should_panic]`; assert what happens instead"]);
        check(no_idle_tests, "a.rs", "// #[ignore]\n\"#[ignore]\"", &[]);
    }

    #[test]
    fn unfinished_code_is_seen() {
        check(nothing_to_do, "a.rs", "fn a() { todo!() }", &["a.rs:1: `todo!()`"]);
        check(nothing_to_do, "a.rs", "// todo!()", &[]);
    }

    #[test]
    fn only_eventually_sleeps() {
        let fault = "a test sleeps; wait for a condition with `eventually`";
        check(no_sleep, "tests/a.rs", "fn a() {\n std::thread::sleep(x);\n}", &[&format!("tests/a.rs:2: {fault}")]);
        check(
            no_sleep,
            "tests/a.rs",
            "async fn a() {\n tokio::time::sleep(x);\n}",
            &[&format!("tests/a.rs:2: {fault}")],
        );
        check(no_sleep, "tests/a.rs", "fn eventually() {\n thread::sleep(x);\n}", &[]);
        check(no_sleep, "libs/a/src/lib.rs", "fn a() {\n thread::sleep(x);\n}", &[]);
        let unit = "#[cfg(test)]\nmod tests {\n fn a() { thread::sleep(x); }\n}";
        check(no_sleep, "libs/a/src/lib.rs", unit, &[&format!("libs/a/src/lib.rs:3: {fault}")]);
        check(no_sleep, "tests/a.rs", "#[tokio::test(start_paused = true)]\nasync fn a() { time::sleep(x); }", &[]);
    }
}
