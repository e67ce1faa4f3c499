//! Opening what the service and its verbs both work on: folders, database, catalogue.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use opsctl_config::ConfigPath;
use opsctl_store::Database;

use crate::catalog::Catalog;
use crate::config::{IndexConfig, IndexName};
use crate::folder::Folder;
use crate::mirror::{Mirror, MirrorConfig};
use crate::origins::Origins;
use crate::records::Records;
use crate::routes::{self, Routes};
use crate::upload::Store;

/// What is open.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) folders: BTreeMap<IndexName, Folder>,
    pub(crate) routes: Routes,
    pub(crate) origins: Arc<Origins>,
    /// Where uploads go, by index.
    pub(crate) stores: Arc<BTreeMap<IndexName, Store>>,
    /// By the index that each is.
    pub(crate) mirrors: BTreeMap<IndexName, Arc<Mirror>>,
    /// The number of the last change before all this was loaded.
    pub(crate) last: i64,
}

/// Opens the indexes of the configuration: `root` is that of `main`, and what has none gets a folder in `data_dir`;
/// `max_file` is the most bytes of a file that a mirror fetches.
///
/// # Errors
/// A folder cannot be made, the database not be read, or bases make no sense.
pub(crate) async fn open(
    root: Option<ConfigPath>,
    mut indexes: BTreeMap<IndexName, IndexConfig>,
    max_file: u64,
    data_dir: &Path,
    database: Database,
) -> anyhow::Result<Opened> {
    let bases = indexes.iter().map(|(name, index)| (name.clone(), index.bases.clone()));
    let mut bases: BTreeMap<_, _> = bases.collect();
    bases.entry(IndexName::main()).or_default();
    let orders = routes::order(&bases)?;
    let mirrors = mirrors(&mut indexes, max_file, data_dir);
    let folders = folders(root, indexes, data_dir)?;
    let records = Records::new(database);
    let roots = folders.iter().map(|(name, folder)| (name.clone(), Arc::clone(&folder.root))).collect();
    let last = records.last_serial().await?;
    let origins = Origins::open(records.clone()).await.context("failed to load where names come from")?;
    let origins = Arc::new(origins);
    let catalog = Catalog::open(records.clone(), roots, Arc::clone(&origins)).await;
    let catalog = Arc::new(catalog.context("failed to load the catalogue")?);
    let mirrors = open_mirrors(mirrors, &records).await?;
    let chains = routes::chains(orders, &mirrors, &folders.keys().cloned().collect());
    let routes = Routes::new(Arc::clone(&catalog), Arc::clone(&origins), chains);
    let store =
        |(name, folder): (&IndexName, &Folder)| (name.clone(), Store::new(name.clone(), folder, Arc::clone(&catalog)));
    let stores = Arc::new(folders.iter().map(store).collect());
    Ok(Opened { catalog, folders, routes, origins, stores, mirrors, last })
}

/// A mirror that is still to be opened.
struct Closed {
    config: MirrorConfig,
    max_file: u64,
    folder: PathBuf,
}

/// Takes the mirrors out of all indexes; those that are switched off are nowhere then.
fn mirrors(
    indexes: &mut BTreeMap<IndexName, IndexConfig>,
    max_file: u64,
    data_dir: &Path,
) -> BTreeMap<IndexName, Closed> {
    let mut mirrors = BTreeMap::new();
    for (name, config) in indexes.extract_if(.., |_, index| index.url.is_some()) {
        if let Some(config) = config.mirror() {
            let folder = data_dir.join("mirrors").join(&*name);
            mirrors.insert(name, Closed { config, max_file, folder });
        }
    }
    mirrors
}

/// Opens them: their caches are read, and pip is asked where that is wanted.
async fn open_mirrors(
    mirrors: BTreeMap<IndexName, Closed>,
    records: &Records,
) -> anyhow::Result<BTreeMap<IndexName, Arc<Mirror>>> {
    let mut open = BTreeMap::new();
    for (name, Closed { config, max_file, folder }) in mirrors {
        let (index, records) = (name.clone(), records.clone());
        let mirror = move || Mirror::open(index, config, max_file, &folder, records);
        let mirror = tokio::task::spawn_blocking(mirror).await?;
        open.insert(name.clone(), Arc::new(mirror.with_context(|| format!("failed to open the mirror `{name}`"))?));
    }
    Ok(open)
}

/// The folders of all indexes, made where they are missing.
fn folders(
    root: Option<ConfigPath>,
    mut indexes: BTreeMap<IndexName, IndexConfig>,
    data_dir: &Path,
) -> anyhow::Result<BTreeMap<IndexName, Folder>> {
    let main = IndexName::main();
    let configured = indexes.remove(&main).unwrap_or_default();
    let main_config = IndexConfig { root: configured.root.or(root), ..configured };
    let all = std::iter::once((main, main_config)).chain(indexes);
    let mut folders = BTreeMap::new();
    for (name, IndexConfig { root, volatile, strict, .. }) in all {
        let root = match root {
            Some(root) => root.into_path_buf(),
            None if name.is_main() => data_dir.join("packages"),
            None => data_dir.join(format!("packages-{name}")),
        };
        std::fs::create_dir_all(&root).with_context(|| format!("failed to create folder `{}`", root.display()))?;
        folders.insert(name, Folder { root: Arc::new(root), volatile, strict });
    }
    apart(&folders)?;
    Ok(folders)
}

/// A folder within another would be in two indexes.
fn apart(folders: &BTreeMap<IndexName, Folder>) -> anyhow::Result<()> {
    let real = |folder: &Folder| folder.root.canonicalize().unwrap_or_else(|_| folder.root.to_path_buf());
    let roots: Vec<_> = folders.iter().map(|(name, folder)| (name, real(folder))).collect();
    for (name, root) in &roots {
        let inner = roots.iter().find(|(other, inner)| other != name && inner.starts_with(root));
        if let Some((other, inner)) = inner {
            anyhow::bail!("the folder `{}` of index `{other}` lies in that of index `{name}`", inner.display());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(roots: &[(&str, &str)], expected: Result<&[&str], &str>) {
        let dir = tempfile::tempdir().unwrap();
        let config = |root: &str| IndexConfig { root: Some(dir.path().join(root).into()), ..IndexConfig::default() };
        let indexes = roots.iter().map(|(name, root)| (name.parse().unwrap(), config(root))).collect();
        let main = ConfigPath::from(dir.path().join("main"));
        let made = folders(Some(main), indexes, &dir.path().join("data"));
        match (made, expected) {
            (Ok(made), Ok(expected)) => {
                let roots = made.values().map(|folder| folder.root.strip_prefix(dir.path()).unwrap().to_str().unwrap());
                assert_eq!(roots.collect::<Vec<_>>(), expected);
                assert!(made.values().all(|folder| folder.root.is_dir()));
            }
            (Err(error), Err(said)) => assert!(error.to_string().contains(said), "{error}"),
            (made, expected) => panic!("{made:?} {expected:?}"),
        }
    }

    #[test]
    fn folders_are_made_and_lie_apart() {
        check(&[], Ok(&["main"]));
        check(&[("dev", "dev"), ("main", "other")], Ok(&["dev", "other"]));
        check(&[("dev", "main/dev")], Err("of index `dev` lies in that of index `main`"));
        check(&[("dev", ".")], Err("of index `main` lies in that of index `dev`"));
        check(&[("dev", "main")], Err("lies in that of index"));
    }
}
