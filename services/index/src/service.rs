//! The plug-in itself: what it binds, opens, runs and can do besides. The work is in the other modules; here they are
//! put together.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use opsctl_config::{ConfigPath, Secret};
use opsctl_host::{Context, Listen, NoVerbs, Service, VerbContext};
use opsctl_http::Limits;

use crate::access::Access;
use crate::catalog::Catalog;
use crate::config::{Config, IndexConfig, IndexName};
use crate::folder::{Folder, Keeper, Kept};
use crate::http::{self, Site};
use crate::mirror::{Mirror, MirrorConfig};
use crate::options::Options;
use crate::origins::Origins;
use crate::records::{MIGRATIONS, Records};
use crate::routes::{self, Routes};
use crate::troubles::Troubles;
use crate::upload::{Store, recover};

/// How long a start waits for the first look at the folders; a large one that was never read goes on in the background.
const FIRST_LOOK: Duration = Duration::from_secs(5);

/// The package index.
#[derive(Debug)]
pub struct Index {
    site: Arc<Site>,
    /// Until it runs.
    keepers: Mutex<Vec<Keeper>>,
}

impl Service for Index {
    const NAME: &'static str = "index";
    const ABOUT: &'static str = "Private Python package index for pip, uv, poetry, twine and easy_install";
    type Config = Config;
    type Options = Options;
    type Verbs = NoVerbs;

    fn listeners(config: &Config) -> Vec<Listen> {
        config.listen.iter().map(|endpoint| Listen::new("index", endpoint.clone())).collect()
    }

    async fn open(config: Config, cx: Context) -> anyhow::Result<Index> {
        let Config {
            listen: _, // the host has bound these
            root,
            rescan,
            page_age,
            max_file,
            upload_token,
            upload_token_file,
            mut indexes,
        } = config;
        let access = Access::new(Secret::load(upload_token, upload_token_file)?.as_ref());
        let bases = indexes.iter().map(|(name, index)| (name.clone(), index.bases.clone()));
        let mut bases: BTreeMap<_, _> = bases.collect();
        bases.entry(IndexName::main()).or_default();
        let orders = routes::order(&bases)?;
        let mirrors = mirrors(&mut indexes, max_file.bytes(), &cx)?;
        let folders = folders(root, indexes, &cx)?;
        let records = Records::new(cx.database(&MIGRATIONS).await?);
        let roots = folders.iter().map(|(name, folder)| (name.clone(), Arc::clone(&folder.root))).collect();
        let origins = Origins::open(records.clone()).await.context("failed to load where names come from")?;
        let origins = Arc::new(origins);
        let catalog = Catalog::open(records.clone(), roots, Arc::clone(&origins)).await;
        let catalog = Arc::new(catalog.context("failed to load the catalogue")?);
        let mirrors = open_mirrors(mirrors, &records).await?;
        let chains = routes::chains(orders, &mirrors, &folders.keys().cloned().collect());
        let routes = Routes::new(Arc::clone(&catalog), origins, chains);
        let troubles = Troubles::new(cx.health().clone());
        let (mut keepers, mut stores) = (Vec::new(), BTreeMap::new());
        for (index, folder) in folders {
            let store = Store::new(index.clone(), &folder, Arc::clone(&catalog));
            recover(&store).await.context("failed to recover uploads that were cut off")?;
            let kept = Kept { index: index.clone(), folder, rescan: rescan.get(), landed: store.landed() };
            stores.insert(index, store);
            let mut keeper = Keeper::open(kept, Arc::clone(&catalog), troubles.clone()).await?;
            if let Ok(looked) = tokio::time::timeout(FIRST_LOOK, keeper.look_at_all()).await {
                looked?;
            }
            keepers.push(keeper);
        }
        let page_cache = page_cache(page_age.get());
        let spawn = Arc::new(move |task| cx.spawn_connection(task));
        let site = Site { catalog, routes, access, stores, max_file: max_file.bytes(), page_cache, spawn };
        Ok(Index { site: Arc::new(site), keepers: Mutex::new(keepers) })
    }

    async fn run(self: Arc<Self>, cx: Context) -> anyhow::Result<()> {
        let keepers = std::mem::take(&mut *self.keepers.lock().unwrap_or_else(PoisonError::into_inner));
        for keeper in keepers {
            cx.spawn("folder", keeper.run(cx.clone()));
        }
        cx.serve_http("index", http::router(Arc::clone(&self.site)), Limits::default())?;
        cx.stopping().await;
        Ok(())
    }

    fn verb(verb: NoVerbs, _config: Config, _cx: VerbContext) -> anyhow::Result<ExitCode> {
        match verb {}
    }
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
    cx: &Context,
) -> anyhow::Result<BTreeMap<IndexName, Closed>> {
    let mut mirrors = BTreeMap::new();
    for (name, config) in indexes.extract_if(.., |_, index| index.url.is_some()) {
        if let Some(config) = config.mirror() {
            let folder = cx.data_dir()?.join("mirrors").join(&*name);
            mirrors.insert(name, Closed { config, max_file, folder });
        }
    }
    Ok(mirrors)
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
    cx: &Context,
) -> anyhow::Result<BTreeMap<IndexName, Folder>> {
    let main = IndexName::main();
    let configured = indexes.remove(&main).unwrap_or_default();
    let main_config = IndexConfig { root: configured.root.or(root), ..configured };
    let all = std::iter::once((main, main_config)).chain(indexes);
    let mut folders = BTreeMap::new();
    for (name, IndexConfig { root, volatile, strict, .. }) in all {
        let root = match root {
            Some(root) => root.into_path_buf(),
            None if name.is_main() => cx.data_dir()?.join("packages"),
            None => cx.data_dir()?.join(format!("packages-{name}")),
        };
        std::fs::create_dir_all(&root).with_context(|| format!("failed to create folder `{}`", root.display()))?;
        folders.insert(name, Folder { root: Arc::new(root), volatile, strict });
    }
    Ok(folders)
}

/// `Cache-Control` of pages. There is one for the life of the program.
fn page_cache(age: Duration) -> &'static str {
    match age.as_secs() {
        0 => "max-age=0, must-revalidate",
        seconds => Box::leak(format!("max-age={seconds}, public").into_boxed_str()),
    }
}
