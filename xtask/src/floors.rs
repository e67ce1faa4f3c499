//! `cargo xtask floors`: which crate may use which. `cli` uses services, services use libs, and never the other way.
//!
//! The rules between crates are read from `cargo metadata`; those that hold inside a crate (who may say `axum`) from the
//! sources. A rule is one line in `RULES` or `PLACES`.
use crate::cargo::{Crate, Edge, Graph};
use crate::repo::{File, Repo, Tree};
use crate::source;
use anyhow::{Result, bail};

/// A rule over the crates, by name.
type Rule = (&'static str, fn(&Graph) -> Vec<String>);

const RULES: &[Rule] = &[
    ("a crate uses lower floors only", lower_only),
    ("a crate is named after its folder", named_after_folder),
    ("the tests' helpers are used by tests only", helpers_in_tests_only),
    ("psi stands alone", psi_alone),
];

/// A crate that only some files may name: its names, where, and in words.
struct Place {
    crates: &'static [&'static str],
    allowed: fn(&File) -> bool,
    place: &'static str,
}

const PLACES: &[Place] = &[
    Place {
        crates: &["sqlx"],
        allowed: |file| file.path.starts_with("libs/store/") || parts(file).any(|part| part.contains("store")),
        place: "libs/store and files named for a store",
    },
    Place {
        crates: &["axum"],
        allowed: |file| parts(file).any(|part| part.starts_with("http") || part == "web" || part == "web.rs"),
        place: "files and folders `http*` and `web`",
    },
    Place {
        crates: &["ffmpeg", "ffmpeg_next", "ffmpeg_sys_next"],
        allowed: |file| file.path.starts_with("services/encoder/src/transcode"),
        place: "services/encoder/src/transcode*",
    },
    Place { crates: &["pyo3"], allowed: |file| file.path.starts_with("libs/psi-python/"), place: "libs/psi-python" },
];

/// What makes a crate asynchronous.
const ASYNC: &[&str] = &["tokio", "async-std", "smol", "futures", "futures-util", "futures-core", "async-io"];

pub(crate) fn run(repo: &Repo) -> Result<()> {
    let graph = Graph::load(repo)?;
    let mut faults: Vec<String> = RULES.iter().flat_map(|(_, rule)| rule(&graph)).collect();
    faults.extend(places(&repo.tree()?));
    for fault in &faults {
        println!("{fault}");
    }
    if !faults.is_empty() {
        let rules: Vec<_> = RULES.iter().map(|(name, _)| *name).collect();
        bail!("{} faults against: {}; who may name what", faults.len(), rules.join("; "));
    }
    println!("{} crates, each above what it uses", graph.crates.len());
    Ok(())
}

/// Higher numbers stand above lower ones.
fn floor(folder: &str) -> Option<u8> {
    match folder.split_once('/') {
        None if folder == "cli" => Some(3),
        Some(("services", _)) => Some(2),
        Some(("libs", _)) => Some(1),
        _ => None,
    }
}

fn lower_only(graph: &Graph) -> Vec<String> {
    let mut faults = Vec::new();
    for Crate { folder, uses, .. } in &graph.crates {
        for used in uses.iter().filter_map(|edge| edge.folder.as_deref()) {
            let fine = match (floor(folder), floor(used)) {
                (Some(above), Some(below)) => above > below || (above, below) == (1, 1),
                // xtask, and whatever else stands beside the house
                (None, _) | (_, None) => false,
            };
            if !fine {
                faults.push(format!("{folder}/Cargo.toml: uses `{used}`, which is not on a lower floor"));
            }
        }
        if floor(folder).is_none() && folder != "xtask" {
            faults.push(format!("{folder}/Cargo.toml: a crate is `cli` or `xtask`, or lies in `services` or `libs`"));
        }
    }
    faults
}

fn named_after_folder(graph: &Graph) -> Vec<String> {
    let fault = |Crate { name, folder, .. }: &Crate| {
        let last = folder.rsplit('/').next().unwrap_or_default();
        let expected = match last {
            "cli" => "opsctl".to_owned(),
            // psi is a library in its own right
            "xtask" | "psi" | "psi-python" => last.to_owned(),
            _ => format!("opsctl-{last}"),
        };
        (*name != expected).then(|| format!("{folder}/Cargo.toml: the package is `{name}` and should be `{expected}`"))
    };
    graph.crates.iter().filter_map(fault).collect()
}

fn helpers_in_tests_only(graph: &Graph) -> Vec<String> {
    let is_fault = |edge: &Edge| edge.name == "opsctl-testkit" && !edge.only_tests;
    let guilty = graph.crates.iter().filter(|krate| krate.uses.iter().any(is_fault));
    guilty.map(|krate| format!("{}/Cargo.toml: `opsctl-testkit` is for dev-dependencies", krate.folder)).collect()
}

fn psi_alone(graph: &Graph) -> Vec<String> {
    let ours = |name: &str| graph.crates.iter().any(|krate| krate.name == name);
    let below = graph.below("psi");
    let guilty = below.iter().filter(|name| ASYNC.contains(name) || ours(name));
    guilty
        .map(|name| format!("libs/psi/Cargo.toml: `{name}` is linked in, but psi has no async and none of ours"))
        .collect()
}

fn parts(file: &File) -> impl Iterator<Item = &str> {
    file.path.split('/')
}

fn places(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    for file in tree.rust() {
        let code = source::code(&file.text);
        for Place { crates, allowed, place } in PLACES {
            if allowed(file) {
                continue;
            }
            for (number, line) in code.lines().enumerate() {
                if let Some(name) = crates.iter().find(|name| source::names_crate(line, name)) {
                    faults.push(format!("{}:{}: `{name}` may be named only in {place}", file.path, number + 1));
                }
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(crates: &[(&str, &str, &[&str])]) -> Graph {
        let edge =
            |name: &str, folder: &str| Edge { name: name.into(), folder: Some(folder.into()), only_tests: false };
        let make = |(name, folder, uses): &(&str, &str, &[&str])| Crate {
            name: (*name).into(),
            folder: (*folder).into(),
            uses: uses.iter().map(|used| edge(used, used)).collect(),
        };
        Graph { crates: crates.iter().map(make).collect(), links: [].into() }
    }

    fn check(folder: &str, uses: &[&str], faults: usize) {
        assert_eq!(lower_only(&graph(&[("x", folder, uses)])).len(), faults, "{folder} uses {uses:?}");
    }

    #[test]
    fn floors_go_down() {
        check("cli", &["services/finger", "libs/http"], 0);
        check("services/finger", &["libs/http"], 0);
        check("libs/host", &["libs/http"], 0);
        check("services/finger", &["services/zones"], 1);
        check("services/finger", &["cli", "xtask"], 2);
        check("libs/http", &["services/finger"], 1);
        check("xtask", &[], 0);
        check("xtask", &["libs/http"], 1);
        check("tools/x", &[], 1);
    }

    #[test]
    fn names_follow_folders() {
        let good: [(&str, &str, &[&str]); 4] = [
            ("opsctl", "cli", &[]),
            ("psi", "libs/psi", &[]),
            ("opsctl-web", "libs/web", &[]),
            ("xtask", "xtask", &[]),
        ];
        assert!(named_after_folder(&graph(&good)).is_empty());
        assert_eq!(named_after_folder(&graph(&[("web", "libs/web", &[])])).len(), 1);
    }

    #[test]
    fn helpers_stay_in_tests() {
        let mut graph = graph(&[("a", "libs/a", &["opsctl-testkit"])]);
        assert_eq!(helpers_in_tests_only(&graph).len(), 1);
        graph.crates[0].uses[0].only_tests = true;
        assert!(helpers_in_tests_only(&graph).is_empty());
    }

    #[test]
    fn psi_uses_nothing_of_ours_and_waits_for_nothing() {
        let mut graph = graph(&[("opsctl-http", "libs/http", &[]), ("psi", "libs/psi", &[])]);
        for (link, faults) in [("rustix", 0), ("tokio", 1), ("opsctl-http", 1)] {
            graph.links = [("psi".into(), vec!["between".into()]), ("between".into(), vec![link.into()])].into();
            assert_eq!(psi_alone(&graph).len(), faults, "{link}");
        }
    }

    fn check_place(path: &str, text: &str, faults: usize) {
        assert_eq!(places(&Tree::of(&[(path, text)])).len(), faults, "{path}: {text}");
    }

    #[test]
    fn crates_are_named_in_their_places() {
        check_place("services/zones/src/store.rs", "use sqlx::Row;", 0);
        check_place("services/zones/src/lib.rs", "use sqlx::Row;", 1);
        check_place("services/zones/src/lib.rs", "// use sqlx::Row;", 0);
        check_place("services/zones/src/http/edit.rs", "axum::Router::new()", 0);
        check_place("services/zones/src/web.rs", "axum::Router::new()", 0);
        check_place("libs/http/src/serve.rs", "use axum::Router;", 0);
        check_place("libs/host/src/admin.rs", "use axum::Router;", 1);
        check_place("services/encoder/src/transcode/x.rs", "use ffmpeg_next as f;", 0);
        check_place("services/encoder/src/lib.rs", "use ffmpeg_next as f;", 1);
        check_place("libs/psi/src/lib.rs", "use pyo3::prelude::PyAny;", 1);
    }
}
