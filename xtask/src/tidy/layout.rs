//! Checks of where files are: the root, modules, crates.
use crate::repo::{File, Tree};
use std::collections::BTreeSet;

/// What one sees in the root. Settings of tools are dot files, manuals are the crates' READMEs.
const ROOT: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "cli",
    "config",
    "libs",
    "migrations",
    "services",
    "tests",
    "xtask",
];

pub(super) fn root(tree: &Tree) -> Vec<String> {
    let names: BTreeSet<_> = tree.files.iter().filter_map(|file| file.path.split('/').next()).collect();
    let extra = names.iter().filter(|name| !name.starts_with('.') && !ROOT.contains(name));
    let missing =
        ROOT.iter().filter(|name| name.contains('.') || **name == "LICENSE").filter(|name| !names.contains(*name));
    let extra = extra.map(|name| format!("{name}: does not belong into the root"));
    extra.chain(missing.map(|name| format!("{name}: is missing in the root"))).collect()
}

pub(super) fn no_mod_rs(tree: &Tree) -> Vec<String> {
    let named = tree.files.iter().filter(|file| file.name() == "mod.rs");
    named.map(|file| format!("{}: move it to `{}.rs`", file.path, file.path.trim_end_matches("/mod.rs"))).collect()
}

/// A file that nobody declares is compiled by nobody, and its tests never run.
pub(super) fn no_forgotten_files(tree: &Tree) -> Vec<String> {
    let is_root = |file: &File| {
        let parent = file.folders().last().unwrap_or_default();
        matches!(file.name(), "main.rs" | "lib.rs" | "build.rs") || matches!(parent, "bin" | "examples" | "benches")
    };
    let forgotten = |file: &&File| {
        let module = file.name().trim_end_matches(".rs");
        let folder = file.path.strip_suffix(file.name()).unwrap_or_default().trim_end_matches('/');
        let parents = [format!("{folder}.rs"), format!("{folder}/lib.rs"), format!("{folder}/main.rs")];
        let declares = |path: &String| tree.get(path).is_some_and(|text| declares(text, module));
        !is_root(file) && !parents.iter().any(declares)
    };
    tree.rust().filter(forgotten).map(|file| format!("{}: no file says `mod` for it", file.path)).collect()
}

fn declares(text: &str, module: &str) -> bool {
    text.lines().any(|line| {
        let line = line.trim();
        let rest = line.strip_suffix(';').and_then(|line| line.strip_suffix(module)).unwrap_or_default();
        rest == "mod " || rest.ends_with(" mod ")
    })
}

pub(super) fn lints(tree: &Tree) -> Vec<String> {
    let manifests = tree.files.iter().filter(|file| file.name() == "Cargo.toml" && file.path.contains('/'));
    let own = manifests.filter(|file| !file.text.contains("[lints]\nworkspace = true\n"));
    own.map(|file| format!("{}: lacks `[lints] workspace = true`", file.path)).collect()
}

pub(super) fn described(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    for file in tree.files.iter().filter(|file| file.name() == "Cargo.toml" && file.path.contains('/')) {
        let folder = file.path.trim_end_matches("/Cargo.toml");
        let has_doc =
            |root: &str| tree.get(&format!("{folder}/src/{root}")).is_some_and(|text| text.starts_with("//! "));
        if !has_doc("lib.rs") && !has_doc("main.rs") && !tree.has(&format!("{folder}/README.md")) {
            faults.push(format!("{folder}: has neither a README nor words at the top of the crate"));
        }
        if !file.text.contains("\ndescription = \"") {
            faults.push(format!("{}: has no description", file.path));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: fn(&Tree) -> Vec<String>, files: &[(&str, &str)], expected: &[&str]) {
        assert_eq!(rule(&Tree::of(files)), expected);
    }

    const FILES: [(&str, &str); 4] = [("Cargo.lock", ""), ("Cargo.toml", ""), ("LICENSE", ""), ("README.md", "")];

    #[test]
    fn the_root_is_the_list() {
        check(root, &FILES, &[]);
        check(root, &[&FILES[..], &[(".ci/run", ""), ("libs/a/b", "")]].concat(), &[]);
        check(root, &[&FILES[..], &[("docs/a", "")]].concat(), &["docs: does not belong into the root"]);
        check(root, &FILES[1..], &["Cargo.lock: is missing in the root"]);
    }

    #[test]
    fn modules_are_declared_files() {
        check(no_mod_rs, &[("libs/a/src/b/mod.rs", "")], &["libs/a/src/b/mod.rs: move it to `libs/a/src/b.rs`"]);
        let fault = "libs/a/src/b/c.rs: no file says `mod` for it";
        for (parent, faults) in
            [("mod c;", &[][..]), ("pub(crate) mod c;", &[]), ("mod cc;", &[fault]), ("mod c {}", &[fault])]
        {
            let files = [("libs/a/src/lib.rs", "mod b;"), ("libs/a/src/b.rs", parent), ("libs/a/src/b/c.rs", "")];
            check(no_forgotten_files, &files, faults);
        }
        check(
            no_forgotten_files,
            &[("tests/main.rs", "mod a;"), ("tests/a.rs", ""), ("libs/a/examples/b.rs", "")],
            &[],
        );
        check(
            no_forgotten_files,
            &[("tests/main.rs", ""), ("tests/a.rs", "")],
            &["tests/a.rs: no file says `mod` for it"],
        );
    }

    #[test]
    fn crates_share_lints_and_say_what_they_are() {
        let manifest = "[package]\ndescription = \"A.\"\n\n[lints]\nworkspace = true\n";
        let good = [("libs/a/Cargo.toml", manifest), ("libs/a/src/lib.rs", "//! A.\n")];
        check(lints, &good, &[]);
        check(described, &good, &[]);
        check(lints, &[("libs/a/Cargo.toml", "")], &["libs/a/Cargo.toml: lacks `[lints] workspace = true`"]);
        let faults =
            ["libs/a: has neither a README nor words at the top of the crate", "libs/a/Cargo.toml: has no description"];
        check(described, &[("libs/a/Cargo.toml", "")], &faults);
    }
}
