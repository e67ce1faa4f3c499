//! What `devpi-server --export` writes: `dataindex.json` names the indexes, and of each the files by their paths within
//! the folder. Mirrors have none; documentation and test results are left out.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, bail};
use serde::Deserialize;

use super::{Item, within};

/// The file that says what is in the folder.
pub(super) const NAME: &str = "dataindex.json";
/// The kind of files that are distributions.
const RELEASE: &str = "releasefile";

#[derive(Deserialize)]
struct Export {
    indexes: BTreeMap<String, Index>,
}

#[derive(Deserialize)]
struct Index {
    #[serde(default)]
    files: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    r#type: String,
    relpath: String,
    #[serde(default)]
    entrymapping: Mapping,
}

/// Digests: `sha256=…` in older exports, a table in newer ones.
#[derive(Default, Deserialize)]
struct Mapping {
    #[serde(default)]
    hash_spec: Option<String>,
    #[serde(default)]
    hashes: Option<BTreeMap<String, String>>,
}

/// The files of the indexes in `only`, such as `team/dev`, or of all.
pub(super) fn items(folder: &Path, text: &[u8], only: &[String]) -> anyhow::Result<Vec<Item>> {
    let Export { indexes } = serde_json::from_slice(text)?;
    if let Some(unknown) = only.iter().find(|only| !indexes.contains_key(*only)) {
        let known: Vec<_> = indexes.keys().map(String::as_str).collect();
        bail!("there is no index `{unknown}` in it, but {}", known.join(", "));
    }
    let wanted = indexes.iter().filter(|(name, _)| only.is_empty() || only.contains(name));
    let files = wanted.flat_map(|(_, index)| &index.files).filter(|file| file.r#type == RELEASE);
    files.map(|file| item(folder, file)).collect()
}

fn item(folder: &Path, file: &File) -> anyhow::Result<Item> {
    let Mapping { hash_spec, hashes } = &file.entrymapping;
    let spec = hash_spec.as_deref().and_then(|spec| spec.strip_prefix("sha256="));
    let sha256 = hashes.as_ref().and_then(|hashes| hashes.get("sha256")).map(String::as_str).or(spec);
    let sha256 = sha256.map(str::parse).transpose();
    let sha256 = sha256.with_context(|| format!("`{}` has no good digest", file.relpath.escape_debug()))?;
    Ok(Item { path: within(folder, &file.relpath)?, sha256, ..Item::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPORT: &str = r#"{"dumpversion": "2", "indexes": {
        "root/pypi": {"indexconfig": {"type": "mirror"}, "projects": {}, "files": []},
        "team/dev": {"files": [
            {"type": "releasefile", "projectname": "demo", "version": "1.0", "relpath": "team/dev/demo/demo-1.0.tar.gz",
             "entrymapping": {"hash_spec": "sha256=0101010101010101010101010101010101010101010101010101010101010101"}},
            {"type": "doczip", "relpath": "team/dev/demo/demo-1.0.doc.zip"}]},
        "team/prod": {"files": [
            {"type": "releasefile", "relpath": "team/prod/demo/demo-0.9.tar.gz", "entrymapping": {"hash_spec": "md5=x"}}]}}}"#;

    fn check(only: &[&str], expected: Result<&[&str], &str>) {
        let only: Vec<_> = only.iter().map(ToString::to_string).collect();
        match (items(Path::new("/x"), EXPORT.as_bytes(), &only), expected) {
            (Ok(items), Ok(expected)) => {
                let paths: Vec<_> = items.iter().map(|item| item.path.to_str().unwrap()).collect();
                assert_eq!(paths, expected);
            }
            (Err(error), Err(said)) => assert!(error.to_string().contains(said), "{error}"),
            (items, expected) => panic!("{items:?} {expected:?}"),
        }
    }

    #[test]
    fn files_of_indexes() {
        let (dev, prod) = ("/x/team/dev/demo/demo-1.0.tar.gz", "/x/team/prod/demo/demo-0.9.tar.gz");
        check(&[], Ok(&[dev, prod]));
        check(&["team/prod"], Ok(&[prod]));
        check(&["root/pypi"], Ok(&[]));
        check(&["team/x"], Err("no index `team/x` in it, but root/pypi, team/dev, team/prod"));
        let items = items(Path::new("/x"), EXPORT.as_bytes(), &[]).unwrap();
        assert_eq!(items[0].sha256, Some(opsctl_dist::Digest([1; 32])));
        assert_eq!(items[1].sha256, None);
    }

    #[test]
    fn what_leads_out_is_refused() {
        let text = EXPORT.replace("team/dev/demo/demo-1.0.tar.gz", "../../etc/demo-1.0.tar.gz");
        assert!(items(Path::new("/x"), text.as_bytes(), &[]).is_err());
        assert!(items(Path::new("/x"), b"{}", &[]).is_err());
    }
}
