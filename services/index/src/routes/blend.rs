//! A page that is put together: files of folders and of upstreams, each file name once, the first place wins.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use opsctl_dist::simple::{self, File};
use opsctl_dist::{FileName, Level, ProjectName, Version};

use crate::catalog::{Digest, Pages, Project, folder, render};
use crate::mirror::{Mirror, Mode, Upstream};

/// Where some of the files are.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Folder(Arc<Project>),
    Upstream(Arc<Mirror>, Arc<Upstream>),
}

impl Source {
    fn is(&self, other: &Source) -> bool {
        match (self, other) {
            (Source::Folder(one), Source::Folder(other)) => Arc::ptr_eq(one, other),
            (Source::Upstream(mirror, one), Source::Upstream(same, other)) => {
                Arc::ptr_eq(mirror, same) && one.mark() == other.mark()
            }
            _ => false,
        }
    }
}

/// One such page.
pub(crate) struct Blend {
    name: Box<str>,
    sources: Vec<Source>,
    /// When it was put together: files that are too young then are not on it. Microseconds since 1970.
    made: i64,
    /// Until when nothing more becomes old enough.
    until: Option<i64>,
    /// Its forms.
    pub(crate) pages: Pages,
}

impl fmt::Debug for Blend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blend").field("name", &self.name).field("sources", &self.sources.len()).finish_non_exhaustive()
    }
}

impl Blend {
    fn new(project: &str, sources: Vec<Source>, made: i64) -> Blend {
        let until = sources.iter().filter_map(|source| match source {
            Source::Folder(_) => None,
            Source::Upstream(_, page) => page.next_change(made),
        });
        Blend { name: project.into(), until: until.min(), sources, made, pages: Pages::default() }
    }

    fn is_of(&self, sources: &[Source], now: i64) -> bool {
        self.sources.len() == sources.len()
            && self.sources.iter().zip(sources).all(|(one, other)| one.is(other))
            && self.until.is_none_or(|until| now < until)
    }

    /// The page as it is to be rendered; `base` is the index's address, if provenance of its own files can be had from there.
    pub(crate) fn page(&self, base: Option<&str>) -> simple::Page {
        let project = ProjectName::parse(&self.name).ok();
        let mut seen = HashSet::new();
        let mut files: Vec<(Option<Version>, File)> = Vec::new();
        let mut others: BTreeSet<Version> = BTreeSet::new();
        let mut status = None;
        for source in &self.sources {
            match source {
                Source::Folder(project) => {
                    let own = project.offered().iter().filter(|file| seen.insert(file.filename.to_string()));
                    files.extend(
                        own.map(|file| (Version::legacy(&file.version).ok(), render::entry(file, &self.name, base))),
                    );
                    status = status.or_else(|| project.status.clone());
                }
                Source::Upstream(mirror, upstream) => {
                    let theirs = upstream.files(self.made).filter(|file| seen.insert(file.filename.clone()));
                    let version = |file: &File| {
                        let name = FileName::parse(&file.filename, project.as_ref(), Level::Lenient).ok()?;
                        Some(name.version().clone())
                    };
                    files.extend(theirs.map(|file| (version(file), address(mirror, &self.name, file))));
                    // versions without a file are no secret, unless files are hidden for their age
                    if upstream.hides_nothing() {
                        others.extend(upstream.page().versions.iter().filter_map(|text| Version::legacy(text).ok()));
                    }
                    status = status.or_else(|| upstream.page().status.clone());
                }
            }
        }
        files.sort_by(|(one, file), (other, next)| one.cmp(other).then_with(|| file.filename.cmp(&next.filename)));
        others.extend(files.iter().filter_map(|(version, _)| version.clone()));
        simple::Page {
            name: self.name.to_string(),
            status,
            versions: others.iter().map(Version::normalized).collect(),
            files: files.into_iter().map(|(_, file)| file).collect(),
        }
    }
}

/// The file under the address that it has here.
fn address(mirror: &Mirror, project: &str, file: &File) -> File {
    let mut file = file.clone();
    if mirror.mode() == Mode::Proxy {
        let digest: Option<Digest> = file.hash("sha256").and_then(|digest| digest.parse().ok());
        let filename = opsctl_http::Segment(&file.filename);
        file.url = match digest {
            Some(digest) => format!("../../{}/{filename}", folder(&digest)),
            None => format!("../../files/of/{}/{project}/{filename}", mirror.index()),
        };
    }
    file
}

/// The projects that a file of this name may belong to, the likeliest first: a source distribution's name does not say
/// where the project's ends.
pub(crate) fn projects_of(filename: &str) -> Vec<String> {
    let bare = filename.strip_suffix(".metadata").unwrap_or(filename);
    let Ok(parsed) = FileName::parse(bare, None, Level::Lenient) else { return Vec::new() };
    let mut names = vec![parsed.project().normalized().to_owned()];
    for (at, _) in bare.match_indices('-').take(8) {
        let version = bare[at + 1..].starts_with(|c: char| c.is_ascii_digit());
        let name = ProjectName::parse(&bare[..at]).ok().filter(|_| version);
        names.extend(name.map(|name| name.normalized().to_owned()).filter(|name| *name != names[0]));
    }
    names
}

type Key = (Box<str>, Box<str>);

/// Those that were asked for not long ago.
#[derive(Debug, Default)]
pub(super) struct Blends {
    /// By index and project; with the time of the last use.
    blends: HashMap<Key, (Arc<Blend>, u64)>,
    clock: u64,
}

/// Pages that are kept, and bytes of their rendered forms.
const KEPT_MAX: usize = 512;
const BYTES_MAX: usize = 32 << 20;

impl Blends {
    /// The page of `sources`: the one that is kept, if it is still right.
    pub(super) fn get(&mut self, index: &str, project: &str, sources: Vec<Source>, now: i64) -> Arc<Blend> {
        self.clock += 1;
        let key = (index.into(), project.into());
        if let Some((blend, used)) = self.blends.get_mut(&key).filter(|(blend, _)| blend.is_of(&sources, now)) {
            *used = self.clock;
            return Arc::clone(blend);
        }
        self.evict();
        let blend = Arc::new(Blend::new(project, sources, now));
        self.blends.insert(key, (Arc::clone(&blend), self.clock));
        blend
    }

    fn evict(&mut self) {
        let mut bytes: usize = self.blends.values().map(|(blend, _)| blend.pages.weight()).sum();
        while self.blends.len() >= KEPT_MAX || bytes > BYTES_MAX {
            let oldest = self.blends.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| key.clone());
            let Some((blend, _)) = oldest.and_then(|key| self.blends.remove(&key)) else { return };
            bytes -= blend.pages.weight().min(bytes);
        }
    }
}
