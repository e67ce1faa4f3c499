//! Asks the kernel to tell what happens in folders (inotify(7)): files that were written and closed, renamed, removed.
//!
//! Only that: reading and opening are not events, or each download would be one. A watch is a hint. It can be missing
//! (too many folders, a network drive), overflow, or be late for what happens in a folder before it is watched; the
//! looks at regular times are what counts.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::inotify::{CreateFlags, ReadFlags, WatchFlags, add_watch, init};
use rustix::io::Errno;
use tokio::net::unix::pipe::Receiver;

use super::walk::{is_passed_over, join};

/// Bytes for events: some hundred of them.
const BUFFER: usize = 16 * 1024;
/// Bytes of an event before its name: watch descriptor, mask, cookie, length of the name; 32 bits each.
const HEAD: usize = 16;

/// What is asked for.
const ASKED: WatchFlags = WatchFlags::CLOSE_WRITE
    .union(WatchFlags::CREATE)
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::ONLYDIR);

/// What has happened, by folder.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Events {
    /// Folders in which something has changed, each with the files that are complete now.
    pub(crate) folders: HashMap<Box<str>, Vec<Box<str>>>,
    /// Folders that came, with all that is in them.
    pub(crate) trees: Vec<Box<str>>,
    /// Something was missed, or folders went: all has to be looked at.
    pub(crate) all: bool,
}

impl Events {
    /// Whether nothing that matters has happened.
    pub(crate) fn is_empty(&self) -> bool {
        !self.all && self.folders.is_empty() && self.trees.is_empty()
    }
}

/// The watch over the folders of a root.
#[derive(Debug)]
pub(crate) struct Watch {
    root: PathBuf,
    /// Read like a pipe; that it is none matters to nobody.
    inotify: Receiver,
    /// Paths within the root by watch descriptor.
    folders: HashMap<i32, Box<str>>,
}

impl Watch {
    /// Watches nothing yet.
    ///
    /// # Errors
    /// When the system has no more of them (`fs.inotify.max_user_instances`).
    pub(crate) fn new(root: &Path) -> io::Result<Watch> {
        let inotify = init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let inotify = Receiver::from_owned_fd_unchecked(inotify)?;
        Ok(Watch { root: root.to_owned(), inotify, folders: HashMap::new() })
    }

    /// Watches these folders, paths within the root, as well. One that is gone again is passed over. Returns those that
    /// were not watched before: what happened in them since they were listed was not told.
    ///
    /// # Errors
    /// When the system watches no more folders (`fs.inotify.max_user_watches`).
    pub(crate) fn add<'a>(&mut self, folders: impl IntoIterator<Item = &'a str>) -> io::Result<Vec<&'a str>> {
        let mut new = Vec::new();
        for folder in folders {
            match add_watch(&self.inotify, self.root.join(folder), ASKED) {
                Ok(watch) => {
                    if self.folders.insert(watch, folder.into()).is_none() {
                        new.push(folder);
                    }
                }
                Err(Errno::NOENT | Errno::NOTDIR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(new)
    }

    /// Waits for events; safe to cancel.
    ///
    /// # Errors
    /// When the watch is broken.
    pub(crate) async fn next(&mut self) -> io::Result<Events> {
        let mut buffer = vec![0; BUFFER];
        loop {
            self.inotify.readable().await?;
            let length = match self.inotify.try_read(&mut buffer) {
                Ok(length) => length,
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                    continue;
                }
                Err(error) => return Err(error),
            };
            let mut events = Events::default();
            for (watch, what, name) in parse(&buffer[..length]) {
                take(&mut events, &mut self.folders, watch, what, name);
            }
            if !events.is_empty() {
                return Ok(events);
            }
        }
    }
}

/// The events in what was read: watch descriptor, what happened, and to which name. A name that is no UTF-8 is left out.
fn parse(mut bytes: &[u8]) -> impl Iterator<Item = (i32, ReadFlags, Option<&str>)> {
    std::iter::from_fn(move || {
        let (head, rest) = bytes.split_at_checked(HEAD)?;
        let word = |at: usize| head[at..at + 4].try_into().map(u32::from_ne_bytes).unwrap_or_default();
        let (name, rest) = rest.split_at_checked(usize::try_from(word(12)).ok()?)?;
        bytes = rest;
        // filled up with zeros
        let name = name.split(|byte| *byte == 0).next().filter(|name| !name.is_empty());
        Some((
            word(0).cast_signed(),
            ReadFlags::from_bits_retain(word(4)),
            name.and_then(|name| str::from_utf8(name).ok()),
        ))
    })
}

fn take(events: &mut Events, folders: &mut HashMap<i32, Box<str>>, watch: i32, what: ReadFlags, name: Option<&str>) {
    if what.contains(ReadFlags::QUEUE_OVERFLOW) {
        events.all = true;
        return;
    }
    if what.contains(ReadFlags::IGNORED) {
        // the folder itself is gone
        folders.remove(&watch);
        events.all = true;
        return;
    }
    let (Some(folder), Some(name)) = (folders.get(&watch), name) else { return };
    if is_passed_over(name) {
        return;
    }
    if what.contains(ReadFlags::ISDIR) {
        if what.intersects(ReadFlags::CREATE | ReadFlags::MOVED_TO) {
            events.trees.push(join(folder, name).into());
        } else {
            events.all = true;
        }
        return;
    }
    let complete = events.folders.entry(folder.clone()).or_default();
    if what.intersects(ReadFlags::CLOSE_WRITE | ReadFlags::MOVED_TO) {
        complete.push(join(folder, name).into());
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    async fn next(watch: &mut Watch) -> Events {
        tokio::time::timeout(std::time::Duration::from_secs(30), watch.next()).await.unwrap().unwrap()
    }

    fn complete(events: &Events, folder: &str) -> Vec<String> {
        events.folders.get(folder).unwrap_or_else(|| panic!("{events:?}")).iter().map(ToString::to_string).collect()
    }

    #[tokio::test]
    async fn what_happens_is_told() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        fs::create_dir(path("sub")).unwrap();
        let mut watch = Watch::new(root.path()).unwrap();
        assert_eq!(watch.add(["", "sub", "nowhere"]).unwrap(), ["", "sub"]);
        assert_eq!(watch.add(["", "sub"]).unwrap(), [""; 0], "it is watched");

        fs::write(path("a.whl"), "x").unwrap();
        assert_eq!(complete(&next(&mut watch).await, ""), ["a.whl"]);
        fs::rename(path("a.whl"), path("sub/b.whl")).unwrap();
        let events = next(&mut watch).await;
        assert_eq!(complete(&events, "sub"), ["sub/b.whl"]);
        assert_eq!(complete(&events, ""), [""; 0], "something left it");

        // neither reading nor what is hidden or unfinished is an event
        fs::read(path("sub/b.whl")).unwrap();
        fs::write(path("c.whl.part"), "x").unwrap();
        fs::write(path(".hidden.whl"), "x").unwrap();
        fs::remove_file(path("sub/b.whl")).unwrap();
        let events = next(&mut watch).await;
        assert_eq!(complete(&events, "sub"), [""; 0]);
        assert_eq!(events.folders.len(), 1, "{events:?}");

        fs::create_dir(path("new")).unwrap();
        let events = next(&mut watch).await;
        assert!(!events.all && *events.trees == ["new".into()], "{events:?}");
        fs::remove_dir(path("sub")).unwrap();
        assert!(next(&mut watch).await.all);
    }

    #[test]
    fn an_overflow_means_everything() {
        let mut events = Events::default();
        take(&mut events, &mut HashMap::new(), -1, ReadFlags::QUEUE_OVERFLOW, None);
        assert!(events.all && !events.is_empty());
        let mut events = Events::default();
        take(&mut events, &mut HashMap::new(), 7, ReadFlags::CLOSE_WRITE, Some("a.whl"));
        assert!(events.is_empty(), "no folder of ours");
    }
}
