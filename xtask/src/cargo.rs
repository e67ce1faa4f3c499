//! Calling cargo, and reading what it knows about the workspace.
//!
//! A cargo called from under `cargo run` inherits the variables of xtask's own package; build scripts that watch them
//! (ring's does) would run again, and with them half of the build, each time a person and the workshop take turns.
use crate::process;
use crate::repo::Repo;
use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What `cargo run` sets for the program it starts.
const INHERITED: &[&str] = &[
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_LINKS",
    "CARGO_MANIFEST_PATH",
    "CARGO_PKG_AUTHORS",
    "CARGO_PKG_DESCRIPTION",
    "CARGO_PKG_HOMEPAGE",
    "CARGO_PKG_LICENSE",
    "CARGO_PKG_LICENSE_FILE",
    "CARGO_PKG_NAME",
    "CARGO_PKG_README",
    "CARGO_PKG_REPOSITORY",
    "CARGO_PKG_RUST_VERSION",
    "CARGO_PKG_VERSION",
    "CARGO_PKG_VERSION_MAJOR",
    "CARGO_PKG_VERSION_MINOR",
    "CARGO_PKG_VERSION_PATCH",
    "CARGO_PKG_VERSION_PRE",
];

/// `cargo` with `words`, separated by spaces, in the checkout.
pub(crate) fn cargo(repo: &Repo, words: &str) -> Command {
    let mut command = clean(&repo.root);
    command.env("CARGO_TARGET_DIR", &repo.target).args(words.split(' '));
    command
}

fn clean(root: &Path) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root);
    for name in INHERITED {
        command.env_remove(name);
    }
    command
}

/// Builds the release binary and says where it is.
pub(crate) fn release_binary(repo: &Repo) -> Result<PathBuf> {
    process::run(&mut cargo(repo, "build --release --package opsctl"))?;
    Ok(repo.target.join("release/opsctl"))
}

/// Builds all tests, and with them the debug binary, which is where it says.
///
/// Not `cargo build`: that selects other features (no dev-dependencies) and half of the build would be done twice.
pub(crate) fn debug_binary(repo: &Repo) -> Result<PathBuf> {
    process::run(&mut cargo(repo, "test --workspace --no-run --quiet"))?;
    Ok(repo.target.join("debug/opsctl"))
}

pub(crate) fn target_dir(root: &Path) -> Result<PathBuf> {
    let metadata = metadata(root, &["--no-deps"])?;
    Ok(metadata["target_directory"].as_str().context("cargo names no target directory")?.into())
}

fn metadata(root: &Path, more: &[&str]) -> Result<Value> {
    let text = process::capture(clean(root).args(["metadata", "--format-version", "1"]).args(more))?;
    serde_json::from_str(&text).context("failed to read what `cargo metadata` printed")
}

/// A dependency written in a manifest.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    pub name: String,
    /// The folder from the root, if it is a crate of ours.
    pub folder: Option<String>,
    pub only_tests: bool,
}

/// A crate of the workspace.
#[derive(Debug)]
pub(crate) struct Crate {
    pub name: String,
    /// From the root, with `/`.
    pub folder: String,
    pub uses: Vec<Edge>,
}

/// The workspace as cargo sees it.
#[derive(Debug)]
pub(crate) struct Graph {
    pub crates: Vec<Crate>,
    /// Package name -> names of the packages it uses when built (neither for tests nor as build script), of all
    /// packages in the lock file.
    pub links: BTreeMap<String, Vec<String>>,
}

impl Graph {
    pub(crate) fn load(repo: &Repo) -> Result<Self> {
        Self::read(&metadata(&repo.root, &["--all-features"])?)
    }

    fn read(metadata: &Value) -> Result<Self> {
        let root = text(&metadata["workspace_root"])?;
        let members = list(&metadata["workspace_members"])?;
        let packages = list(&metadata["packages"])?;
        let mut names = BTreeMap::new();
        let mut crates = Vec::new();
        for package in packages {
            names.insert(text(&package["id"])?, text(&package["name"])?);
            if members.contains(&package["id"]) {
                crates.push(read_crate(package, root)?);
            }
        }
        let mut links: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for node in list(&metadata["resolve"]["nodes"])? {
            let name = names.get(text(&node["id"])?).context("a node without a package")?;
            let uses = links.entry((*name).to_owned()).or_default();
            for dep in list(&node["deps"])? {
                if list(&dep["dep_kinds"])?.iter().any(|kind| kind["kind"].is_null()) {
                    uses.push((*names.get(text(&dep["pkg"])?).context("a link without a package")?).to_owned());
                }
            }
        }
        Ok(Self { crates, links })
    }

    /// Everything that is linked into `name`, itself left out.
    pub(crate) fn below(&self, name: &str) -> Vec<&str> {
        let mut found: Vec<&str> = Vec::new();
        let mut open = vec![name];
        while let Some(next) = open.pop() {
            for link in self.links.get(next).into_iter().flatten() {
                if !found.contains(&link.as_str()) {
                    found.push(link);
                    open.push(link);
                }
            }
        }
        found
    }
}

fn read_crate(package: &Value, root: &str) -> Result<Crate> {
    let inside = |path: &str| path.strip_prefix(root).map(|rest| rest.trim_start_matches('/').to_owned());
    let manifest = inside(text(&package["manifest_path"])?).context("a crate outside the checkout")?;
    let uses = list(&package["dependencies"])?.iter().map(|dep| {
        Ok(Edge {
            name: text(&dep["name"])?.to_owned(),
            folder: dep["path"].as_str().and_then(inside),
            only_tests: dep["kind"] == "dev",
        })
    });
    Ok(Crate {
        name: text(&package["name"])?.to_owned(),
        folder: manifest.trim_end_matches("Cargo.toml").trim_end_matches('/').to_owned(),
        uses: uses.collect::<Result<_>>()?,
    })
}

fn text(value: &Value) -> Result<&str> {
    value.as_str().context("`cargo metadata` has no text where one is expected")
}

fn list(value: &Value) -> Result<&Vec<Value>> {
    value.as_array().context("`cargo metadata` has no list where one is expected")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn metadata_becomes_a_graph() {
        let metadata = json!({
            "workspace_root": "/w", "workspace_members": ["a"],
            "packages": [
                {"id": "a", "name": "opsctl-web", "manifest_path": "/w/libs/web/Cargo.toml", "dependencies": [
                    {"name": "tokio", "kind": null}, {"name": "opsctl-testkit", "kind": "dev", "path": "/w/libs/testkit"}]},
                {"id": "t", "name": "tokio", "manifest_path": "/r/tokio/Cargo.toml", "dependencies": []},
                {"id": "m", "name": "mio", "manifest_path": "/r/mio/Cargo.toml", "dependencies": []},
            ],
            "resolve": {"nodes": [
                {"id": "a", "deps": [{"pkg": "t", "dep_kinds": [{"kind": null}]}]},
                {"id": "t", "deps": [{"pkg": "m", "dep_kinds": [{"kind": null}, {"kind": "dev"}]}]},
                {"id": "m", "deps": [{"pkg": "a", "dep_kinds": [{"kind": "dev"}]}]},
            ]},
        });
        let graph = Graph::read(&metadata).unwrap();
        assert_eq!(graph.below("opsctl-web"), ["tokio", "mio"]);
        let [only] = &graph.crates[..] else { panic!("one crate") };
        assert_eq!((only.name.as_str(), only.folder.as_str()), ("opsctl-web", "libs/web"));
        let expected = Edge { name: "opsctl-testkit".into(), folder: Some("libs/testkit".into()), only_tests: true };
        assert_eq!(only.uses[1], expected);
        assert_eq!(only.uses[0].folder, None);
    }
}
