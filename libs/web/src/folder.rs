//! A user's own templates: the `.html` files in a folder and the folders in it, read at once.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::TemplateFault;

/// Bounds for what is taken for a folder of templates: a wrong path must not read a whole disk.
const MAX_FILES: usize = 1000;
const MAX_DEPTH: usize = 4;
const MAX_SIZE: u64 = 1024 * 1024;

/// A template of the user's.
#[derive(Debug)]
pub(crate) struct Found {
    /// The path within the folder.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) source: String,
}

/// All templates in `folder`, those deeper in it after the others, and what could not be read.
pub(crate) fn read(folder: &Path) -> (Vec<Found>, Vec<TemplateFault>) {
    let mut reader = Reader { root: folder, found: Vec::new(), faults: Vec::new() };
    reader.folder(folder, 0);
    reader.found.sort_by_cached_key(|found| (found.name.matches('/').count(), found.name.clone()));
    (reader.found, reader.faults)
}

struct Reader<'a> {
    root: &'a Path,
    found: Vec<Found>,
    faults: Vec<TemplateFault>,
}

impl Reader<'_> {
    fn folder(&mut self, folder: &Path, depth: usize) {
        let entries = match fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
            Ok(entries) => entries,
            Err(error) => return self.faults.push(TemplateFault::io(folder, &error)),
        };
        for path in entries.into_iter().map(|entry| entry.path()) {
            if self.found.len() >= MAX_FILES {
                let message = format!("there are more than {MAX_FILES} templates, the rest is left out");
                return self.faults.push(TemplateFault { file: folder.into(), place: None, message });
            }
            // links are followed: a folder of templates may be put together from elsewhere
            match path.metadata() {
                Ok(found) if found.is_dir() && depth < MAX_DEPTH => self.folder(&path, depth + 1),
                Ok(found) if found.is_file() && path.extension().is_some_and(|extension| extension == "html") => {
                    self.file(path);
                }
                Ok(_) => {}
                Err(error) => self.faults.push(TemplateFault::io(path, &error)),
            }
        }
    }

    fn file(&mut self, path: PathBuf) {
        let name = path.strip_prefix(self.root).ok().and_then(Path::to_str).map(str::to_owned);
        match (name, text(&path)) {
            (Some(name), Ok(source)) => self.found.push(Found { name, path, source }),
            (None, _) => {
                let message = "the name is not UTF-8".to_owned();
                self.faults.push(TemplateFault { file: path, place: None, message });
            }
            (_, Err(error)) => self.faults.push(TemplateFault::io(path, &error)),
        }
    }
}

fn text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MAX_SIZE + 1).read_to_string(&mut text)?;
    match u64::try_from(text.len()) {
        Ok(length) if length <= MAX_SIZE => Ok(text),
        _ => Err(io::Error::new(io::ErrorKind::FileTooLarge, "longer than 1 MiB")),
    }
}
