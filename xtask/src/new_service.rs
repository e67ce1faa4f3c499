//! `cargo xtask new-service NAME`: a crate in the shape of finger, small, with its tests and all its lines in place.
//!
//! What it makes is green at once, and `--check` proves it: in a copy of the checkout, with the same build output.
mod insert;

use crate::cargo::cargo;
use crate::repo::Repo;
use crate::{Given, docs, floors, process, tidy};
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::Path;

/// Files made, from the template's text, with `{{name}}` and `{{Name}}` replaced.
const FILES: &[(&str, &str)] = &[
    ("services/{{name}}/Cargo.toml", include_str!("../templates/service/Cargo.toml.in")),
    ("services/{{name}}/README.md", include_str!("../templates/service/README.md.in")),
    ("services/{{name}}/src/lib.rs", include_str!("../templates/service/lib.rs.in")),
    ("tests/{{name}}.rs", include_str!("../templates/service/test.rs.in")),
    ("xtask/src/demo/services/{{name}}.rs", include_str!("../templates/service/demo.rs.in")),
];

/// How a line gets into a file.
enum Place {
    /// In order among the lines that begin like this.
    Among(&'static str),
    /// After the last line that has this in it.
    AfterLast(&'static str),
    /// At the end, after an empty line.
    AtEnd,
}

/// Lines put into files that are there.
const LINES: &[(&str, Place, &str)] = &[
    ("Cargo.toml", Place::Among("opsctl-"), "opsctl-{{name}} = { path = \"services/{{name}}\" }"),
    ("cli/Cargo.toml", Place::Among("opsctl-"), "opsctl-{{name}}.workspace = true"),
    ("cli/src/plugins.rs", Place::AfterLast("::<opsctl_"), "    service::<opsctl_{{name}}::{{Name}}>(),"),
    ("config/opsctl.toml", Place::AtEnd, include_str!("../templates/service/table.toml.in")),
    ("tests/main.rs", Place::Among("mod "), "mod {{name}};"),
    ("xtask/src/demo/services.rs", Place::Among("mod "), "mod {{name}};"),
    ("xtask/src/demo/services.rs", Place::AfterLast("::SERVICE,"), "    {{name}}::SERVICE,"),
    ("README.md", Place::AfterLast("| [`"), include_str!("../templates/service/row.md.in")),
];

/// Words that cannot be a module, or that the configuration uses otherwise.
const TAKEN: &[&str] = &[
    "as",
    "async",
    "auth",
    "await",
    "break",
    "const",
    "continue",
    "crate",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "fn",
    "for",
    "gen",
    "harness",
    "help",
    "host",
    "if",
    "impl",
    "in",
    "let",
    "log",
    "loop",
    "main",
    "match",
    "mod",
    "move",
    "mut",
    "plugins",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "struct",
    "super",
    "supervisor",
    "test",
    "trait",
    "token",
    "true",
    "type",
    "unsafe",
    "use",
    "user",
    "where",
    "while",
    "xtask",
    "yield",
];

pub(crate) fn run(repo: &Repo, given: Given) -> Result<()> {
    match (given.word, given.option) {
        (Some(name), None) => create(repo, &name),
        (None, Some(option)) if option == "--check" => check(repo),
        (None, None) => bail!("which name shall it have?"),
        (_, Some(option)) => bail!("unexpected `{option}`"),
    }
}

fn create(repo: &Repo, name: &str) -> Result<()> {
    allowed(repo, name)?;
    // all edits are made before the first is written: a checkout that is not as expected stays as it is
    let mut files: Vec<(String, String)> =
        FILES.iter().map(|(path, text)| (filled(path, name), filled(text, name))).collect();
    for (path, place, line) in LINES {
        let at = files.iter().position(|(known, _)| known == path);
        let text = at.map_or_else(|| repo.read(path), |at| Ok(files[at].1.clone()))?;
        let text = insert::line(&text, place, &filled(line, name)).with_context(|| format!("in `{path}`"))?;
        match at {
            Some(at) => files[at].1 = text,
            None => files.push(((*path).into(), text)),
        }
    }
    for (path, text) in &files {
        repo.write(path, text)?;
        println!("{path}");
    }
    docs::generate(repo)
}

fn allowed(repo: &Repo, name: &str) -> Result<()> {
    // one word everywhere: in the configuration and its variables, in Rust, in the names of metrics
    let is_word = !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase());
    ensure!(is_word, "`{name}` is no name for a service: one word of lower-case letters");
    ensure!(!TAKEN.contains(&name), "`{name}` means something else already");
    let places = [format!("services/{name}"), format!("libs/{name}"), format!("cli/src/commands/{name}.rs")];
    match places.iter().find(|place| repo.root.join(place).exists()) {
        Some(place) => bail!("`{name}` is there already: `{place}`"),
        None => Ok(()),
    }
}

/// `text` with the name in it.
fn filled(text: &str, name: &str) -> String {
    let type_name = name[..1].to_uppercase() + &name[1..];
    text.replace("{{name}}", name).replace("{{Name}}", &type_name)
}

/// Makes a service in a copy of the checkout and has it checked there.
pub(crate) fn check(repo: &Repo) -> Result<()> {
    const NAME: &str = "tryout";
    let copy = Repo { root: repo.made("new-service"), target: repo.target.clone() };
    if copy.root.exists() {
        fs::remove_dir_all(&copy.root).context("failed to remove the copy of last time")?;
    }
    repo.walk(Path::new(""), &mut |path| copy_file(&repo.root.join(path), &copy.root.join(path)))?;
    create(&copy, NAME)?;
    process::run(&mut cargo(&copy, "fmt --all --check"))?;
    floors::run(&copy)?;
    tidy::run(&copy)?;
    process::run(&mut cargo(&copy, "clippy --workspace --all-targets --quiet -- -D warnings"))?;
    // its test over the wire, by its name, and the one beside the code
    process::run(cargo(&copy, "test --workspace --quiet --tests --").args([NAME, "one_line_comes_back"]))
}

/// Keeps the time of change, or cargo would build the copy anew each time.
fn copy_file(from: &Path, to: &Path) -> Result<()> {
    let copy = || {
        fs::create_dir_all(to.parent().unwrap_or(to))?;
        fs::copy(from, to)?;
        fs::File::options().write(true).open(to)?.set_modified(fs::metadata(from)?.modified()?)
    };
    copy().with_context(|| format!("failed to copy `{}`", from.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_in() {
        assert_eq!(filled("{{name}} opsctl_{{name}}::{{Name}}", "zones"), "zones opsctl_zones::Zones");
    }

    #[test]
    fn only_free_words_are_allowed() {
        let folder = std::env::temp_dir().join(format!("xtask-names-{}", std::process::id()));
        let repo = Repo { root: folder.clone(), target: folder.clone() };
        fs::create_dir_all(folder.join("libs/web")).unwrap();
        for (name, fine) in [
            ("zones", true),
            ("two-words", false),
            ("web", false),
            ("type", false),
            ("", false),
            ("X", false),
            ("../a", false),
            ("a1", false),
        ] {
            assert_eq!(allowed(&repo, name).is_ok(), fine, "{name}");
        }
        fs::remove_dir_all(folder).unwrap();
    }
}
