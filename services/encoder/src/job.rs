//! One job, seen from outside: a worker is started for it, watched, and ended when it takes too long, is silent, or is
//! not wanted any more.
//!
//! What a worker says is not trusted: an upload may have taken it over. Its lines are bounded, the files that it names
//! are looked at here, and nothing that it says can make it live longer than the limits allow.

mod cancel;
mod lines;
mod watch;

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::symlink;
use std::path::{Component, Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tokio::sync::oneshot;

use crate::asset::Asset;
use crate::event::{Event, Warning};
use crate::facts::Facts;
use crate::isolation::{Attempt, Isolation};
use crate::limits::Limits;
use crate::part::{Part, Piece};
use crate::refusal::Refusal;
use crate::task::{Order, SOURCE, Task};

pub use cancel::Cancel;

/// The program that becomes a worker, and the arguments that make it one.
#[derive(Debug, Clone)]
pub struct Program {
    /// The executable.
    pub path: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
}

impl Program {
    /// This very program, also after its file was replaced by another version.
    #[must_use]
    pub fn itself() -> Self {
        Self { path: "/proc/self/exe".into(), arguments: vec!["encoder-worker".into()] }
    }
}

/// What is to be done.
#[derive(Debug, Clone)]
pub struct Job {
    /// A folder of its own, empty but for the upload: all that a worker can write to.
    pub folder: PathBuf,
    /// The upload, wherever it is: all else that a worker can read.
    pub source: PathBuf,
    /// What to do with it.
    pub order: Order,
    /// How much it may ask for.
    pub limits: Limits,
}

/// How it ended, and what is known by then.
#[derive(Debug)]
pub struct Outcome {
    /// How.
    pub end: End,
    /// What the upload is, if that was found out.
    pub facts: Option<Facts>,
    /// What was made; complete only after [`End::Done`].
    pub assets: Vec<Asset>,
    /// Where the picture can be cut, after [`Order::Cut`].
    pub parts: Vec<Part>,
    /// What was made of a part, after [`Order::Part`].
    pub piece: Option<Piece>,
    /// What to know about it.
    pub warnings: Vec<Warning>,
    /// What the worker was kept from.
    pub isolation: Option<Isolation>,
    /// How attempts to break out went, after [`Order::Prove`].
    pub attempts: Vec<Attempt>,
    /// The last of what it wrote to standard error.
    pub log: String,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// Everything is there.
    Done,
    /// The upload is at fault: trying again changes nothing.
    Refused(Refusal),
    /// Something else is.
    Failed {
        /// Whether trying again later makes sense: there was no room on the disk, or the worker was killed from outside.
        again: bool,
        /// For whoever runs this.
        text: String,
    },
    /// It was not wanted any more.
    Cancelled,
}

impl Job {
    /// Does the job in a thread of its own. Dropping the future ends the worker, too.
    ///
    /// # Errors
    /// When no worker could be started.
    pub async fn run(
        self,
        program: Program,
        cancel: Cancel,
        mut each: impl FnMut(&Event) + Send + 'static,
    ) -> io::Result<Outcome> {
        let (sender, outcome) = oneshot::channel();
        let guard = cancel.on_drop();
        // the kernel ends a worker with the thread that started it: this one lasts as long as its worker
        std::thread::Builder::new().name("encoder-job".to_owned()).spawn(move || {
            // nobody waits any more for a job that was dropped
            let _ = sender.send(self.run_here(&program, &cancel, &mut each));
        })?;
        let outcome = outcome.await.unwrap_or_else(|_| Err(io::Error::other("the thread of the job panicked")));
        drop(guard);
        outcome
    }

    /// Does the job, and waits for its end in this thread.
    ///
    /// # Errors
    /// When no worker could be started.
    pub fn run_here(&self, program: &Program, cancel: &Cancel, each: &mut dyn FnMut(&Event)) -> io::Result<Outcome> {
        let link = Link::make(&self.folder, &self.source)?;
        let mut child = self.start(program)?;
        let mut watched = watch::watch(&mut child, &self.limits, cancel, each)?;
        drop(link);
        if let Err(text) = self.check(&watched.assets).and_then(|()| self.check_piece(watched.piece.as_ref())) {
            watched.end = End::Failed { again: false, text };
        }
        Ok(watched)
    }

    fn start(&self, program: &Program) -> io::Result<Child> {
        let mut child = Command::new(&program.path)
            .args(&program.arguments)
            .current_dir(&self.folder)
            .env_clear()
            // each thread's own arena would reserve more address space than it may have
            .env("MALLOC_ARENA_MAX", "2")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from) as u64;
        let task = Task {
            parent: std::process::id(),
            limits: self.limits.clone(),
            // the clock is the bound; this one holds even if nobody looks at it any more
            seconds: self.limits.time(Some(f64::INFINITY)).as_secs().saturating_mul(cores),
            order: self.order.clone(),
        };
        let text = serde_json::to_vec(&task)?;
        let written = child.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(&text));
        // a worker that ends before it has read says why by its end
        match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                child.kill()?;
                child.wait()?;
                Err(error)
            }
            _ => Ok(child),
        }
    }

    /// Whether all files are plain ones where they should be.
    fn check(&self, assets: &[Asset]) -> Result<(), String> {
        for asset in assets {
            let known = match &self.order {
                Order::Encode(profile) | Order::Join { profile, .. } => profile.output.contains_key(&asset.name),
                Order::Probe | Order::Cut { .. } | Order::Part { .. } | Order::Prove { .. } => false,
            };
            let strange = asset.files.iter().find(|file| !is_plain(&self.folder, file, &asset.name));
            if !known || strange.is_some() {
                return Err(format!("the worker says that it made `{}`: {strange:?}", asset.name));
            }
        }
        Ok(())
    }

    /// Whether all files of a part are plain ones where they should be.
    fn check_piece(&self, piece: Option<&Piece>) -> Result<(), String> {
        let Some(piece) = piece else { return Ok(()) };
        let known = matches!(&self.order, Order::Part { part, .. } if part.number == piece.number);
        let strange = piece.files.iter().find(|file| !is_plain(&self.folder, file, &Part::name(piece.number)));
        if known && strange.is_none() {
            return Ok(());
        }
        Err(format!("the worker says that it made part {}: {strange:?}", piece.number))
    }
}

/// Whether `file` belongs to the output `name`, and is a file and no link.
fn is_plain(folder: &Path, file: &str, name: &str) -> bool {
    let rest = file.strip_prefix(name).unwrap_or_default();
    let inside = Path::new(file).components().all(|part| matches!(part, Component::Normal(_)));
    let mut whole = folder.to_owned();
    let no_link = Path::new(file).components().all(|part| {
        whole.push(part);
        fs::symlink_metadata(&whole).is_ok_and(|meta| !meta.is_symlink())
    });
    inside && no_link && rest.starts_with(['.', '/']) && whole.is_file()
}

/// The upload under a name of ours, for as long as the worker runs.
struct Link(Option<PathBuf>);

impl Link {
    fn make(folder: &Path, source: &Path) -> io::Result<Self> {
        let link = folder.join(SOURCE);
        if source == link {
            return Ok(Self(None));
        }
        symlink(std::path::absolute(source)?, &link)?;
        Ok(Self(Some(link)))
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Some(link) = &self.0 {
            // the folder is thrown away in the end anyway
            let _ = fs::remove_file(link);
        }
    }
}

#[cfg(test)]
mod tests;
