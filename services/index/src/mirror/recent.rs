//! Pages that were read not long ago, so that a page is parsed once for each time that it changes.

use std::collections::HashMap;
use std::sync::Arc;

use opsctl_fetch::files::Digest;

use super::Upstream;

/// Files on all pages together; each takes some 600 bytes.
const FILES_MAX: usize = 50_000;

/// By project.
#[derive(Debug, Default)]
pub(super) struct Recent {
    pages: HashMap<Box<str>, Entry>,
    files: usize,
    clock: u64,
}

#[derive(Debug)]
struct Entry {
    page: Arc<Upstream>,
    used: u64,
}

impl Recent {
    /// The page of that mark.
    pub(super) fn get(&mut self, project: &str, mark: &Digest) -> Option<Arc<Upstream>> {
        self.clock += 1;
        let entry = self.pages.get_mut(project).filter(|entry| entry.page.mark() == mark)?;
        entry.used = self.clock;
        Some(Arc::clone(&entry.page))
    }

    /// Keeps a page; those that were not used for longest go. One alone may be larger than the limit.
    pub(super) fn put(&mut self, project: &str, page: Arc<Upstream>) {
        self.clock += 1;
        self.remove(project);
        while self.files + page.len() > FILES_MAX {
            let oldest = self.pages.iter().min_by_key(|(_, entry)| entry.used).map(|(name, _)| name.clone());
            let Some(oldest) = oldest else { break };
            self.remove(&oldest);
        }
        self.files += page.len();
        self.pages.insert(project.into(), Entry { page, used: self.clock });
    }

    fn remove(&mut self, project: &str) {
        if let Some(entry) = self.pages.remove(project) {
            self.files -= entry.page.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use opsctl_dist::simple::{File, Page};

    use super::*;

    #[test]
    fn the_least_used_goes() {
        let page = |mark: u8, files: usize| {
            let page = Page { files: vec![File::default(); files], ..Page::default() };
            Arc::new(Upstream::new([mark; 32], page, 0))
        };
        let mut recent = Recent::default();
        recent.put("a", page(1, FILES_MAX / 2));
        recent.put("b", page(2, FILES_MAX / 2));
        assert!(recent.get("a", &[1; 32]).is_some());
        assert!(recent.get("a", &[9; 32]).is_none());
        recent.put("c", page(3, 10));
        assert!(recent.get("b", &[2; 32]).is_none() && recent.get("a", &[1; 32]).is_some());
        recent.put("d", page(4, FILES_MAX * 2));
        assert_eq!((recent.pages.len(), recent.files), (1, FILES_MAX * 2));
    }
}
