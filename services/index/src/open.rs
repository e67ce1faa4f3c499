//! Opening what the service and its verbs both work on: folders, database, catalogue.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use opsctl_config::ConfigPath;
use opsctl_store::{Blobs, Database, Location, StoreUrl};

use crate::bucket::Bucket;
use crate::catalog::Catalog;
use crate::config::{IndexConfig, IndexName};
use crate::mirror::{Mirror, MirrorConfig};
use crate::origins::Origins;
use crate::records::{Home, Records};
use crate::routes::{self, Routes};
use crate::upload::{Shelf, Spool, Store, Terms};

/// What is open.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) routes: Routes,
    pub(crate) origins: Arc<Origins>,
    /// Where uploads go, by index.
    pub(crate) stores: Arc<BTreeMap<IndexName, Store>>,
    /// By the index that each is.
    pub(crate) mirrors: BTreeMap<IndexName, Arc<Mirror>>,
    /// The number of the last change before all this was loaded.
    pub(crate) last: i64,
}

/// What the indexes are opened with.
#[derive(Debug)]
pub(crate) struct Opening<'a> {
    /// The folder of `main`; what has none gets one in `data_dir`.
    pub(crate) root: Option<ConfigPath>,
    pub(crate) indexes: BTreeMap<IndexName, IndexConfig>,
    /// The most bytes of a file that a mirror fetches.
    pub(crate) max_file: u64,
    pub(crate) data_dir: &'a Path,
    pub(crate) database: Database,
    /// Where the files are, if not in folders.
    pub(crate) bucket: Option<Bucket>,
}

/// The bucket, if `location` says that files are in one; `blobs` opens it.
///
/// # Errors
/// Its own.
pub(crate) async fn bucket<F: Future<Output = anyhow::Result<Blobs>>>(
    location: &Location,
    blobs: impl FnOnce() -> F,
) -> anyhow::Result<Option<Bucket>> {
    match location.store() {
        StoreUrl::Folder => Ok(None),
        StoreUrl::S3(_) => Ok(Some(Bucket::new(blobs().await?))),
    }
}

/// Opens the indexes of the configuration.
///
/// # Errors
/// A folder cannot be made, the database not be read, or bases make no sense.
pub(crate) async fn open(opening: Opening<'_>) -> anyhow::Result<Opened> {
    let Opening { root, mut indexes, max_file, data_dir, database, bucket } = opening;
    let bases = indexes.iter().map(|(name, index)| (name.clone(), index.bases.clone()));
    let mut bases: BTreeMap<_, _> = bases.collect();
    bases.entry(IndexName::main()).or_default();
    let orders = routes::order(&bases)?;
    let mirrors = mirrors(&mut indexes, max_file, data_dir);
    let records = Records::new(database, if bucket.is_some() { Home::Bucket } else { Home::Folder });
    let terms = match bucket {
        Some(bucket) => in_bucket(bucket, root, indexes, data_dir),
        None => in_folders(root, indexes, data_dir)?,
    };
    let shelves = terms.iter().map(|(name, terms)| (name.clone(), terms.shelf.clone())).collect();
    let last = records.last_serial().await?;
    let origins = Origins::open(records.clone()).await.context("failed to load where names come from")?;
    let origins = Arc::new(origins);
    let catalog = Catalog::open(records.clone(), shelves, Arc::clone(&origins)).await;
    let catalog = Arc::new(catalog.context("failed to load the catalogue")?);
    let mirrors = open_mirrors(mirrors, &records).await?;
    let chains = routes::chains(orders, &mirrors, &terms.keys().cloned().collect());
    let routes = Routes::new(Arc::clone(&catalog), Arc::clone(&origins), chains);
    elsewhere(&records).await?;
    let store = |(name, terms): (IndexName, Terms)| (name.clone(), Store::new(name, terms, Arc::clone(&catalog)));
    let stores = Arc::new(terms.into_iter().map(store).collect());
    Ok(Opened { catalog, routes, origins, stores, mirrors, last })
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

/// Files that are where nobody looks: the operator has changed `[host] store`, and has still to bring them along.
async fn elsewhere(records: &Records) -> anyhow::Result<()> {
    let files = records.elsewhere().await?;
    if files > 0 {
        tracing::warn!(files, "files are where `host.store` said before: not served, until they are imported");
    }
    Ok(())
}

/// All indexes with files of their own, `main` among them also where nothing is said of it.
fn all(
    root: Option<ConfigPath>,
    mut indexes: BTreeMap<IndexName, IndexConfig>,
) -> impl Iterator<Item = (IndexName, IndexConfig)> {
    let main = IndexName::main();
    let configured = indexes.remove(&main).unwrap_or_default();
    let main_config = IndexConfig { root: configured.root.or(root), ..configured };
    std::iter::once((main, main_config)).chain(indexes)
}

/// All indexes in a bucket. What is on its way there lies in `data_dir`.
fn in_bucket(
    bucket: Bucket,
    root: Option<ConfigPath>,
    indexes: BTreeMap<IndexName, IndexConfig>,
    data_dir: &Path,
) -> BTreeMap<IndexName, Terms> {
    let terms = |(name, IndexConfig { root, volatile, strict, .. }): (IndexName, IndexConfig)| {
        if let Some(root) = root {
            let root = root.into_path_buf();
            tracing::warn!(index = %name, root = %root.display(), "the folder is not used: `host.store` is a bucket");
        }
        let spool = Spool::at(data_dir.join("spool").join(&*name));
        (name, Terms { shelf: Shelf::Bucket(bucket.clone()), spool, volatile, strict })
    };
    all(root, indexes).map(terms).collect()
}

/// The folders of all indexes, made where they are missing.
fn in_folders(
    root: Option<ConfigPath>,
    indexes: BTreeMap<IndexName, IndexConfig>,
    data_dir: &Path,
) -> anyhow::Result<BTreeMap<IndexName, Terms>> {
    let mut roots = BTreeMap::new();
    let mut terms = BTreeMap::new();
    for (name, IndexConfig { root, volatile, strict, .. }) in all(root, indexes) {
        let root = match root {
            Some(root) => root.into_path_buf(),
            None if name.is_main() => data_dir.join("packages"),
            None => data_dir.join(format!("packages-{name}")),
        };
        std::fs::create_dir_all(&root).with_context(|| format!("failed to create folder `{}`", root.display()))?;
        let root = Arc::new(root);
        let (shelf, spool) = (Shelf::Folder(Arc::clone(&root)), Spool::within(&root));
        terms.insert(name.clone(), Terms { shelf, spool, volatile, strict });
        roots.insert(name, root);
    }
    apart(&roots)?;
    Ok(terms)
}

/// A folder within another would be in two indexes.
fn apart(roots: &BTreeMap<IndexName, Arc<PathBuf>>) -> anyhow::Result<()> {
    let real = |root: &Arc<PathBuf>| root.canonicalize().unwrap_or_else(|_| root.to_path_buf());
    let roots: Vec<_> = roots.iter().map(|(name, root)| (name, real(root))).collect();
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
        let made = in_folders(Some(main), indexes, &dir.path().join("data"));
        match (made, expected) {
            (Ok(made), Ok(expected)) => {
                let root = |terms: &Terms| match &terms.shelf {
                    Shelf::Folder(root) => root.to_path_buf(),
                    Shelf::Bucket(_) => panic!("{terms:?}"),
                };
                let roots: Vec<_> = made.values().map(root).collect();
                let within = roots.iter().map(|root| root.strip_prefix(dir.path()).unwrap().to_str().unwrap());
                assert_eq!(within.collect::<Vec<_>>(), expected);
                assert!(roots.iter().all(|root| root.is_dir()));
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
