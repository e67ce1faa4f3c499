//! What the servers of `bench index` cost besides requests: uploads, starts, a folder of 5,000 files, memory.
use super::load::HTML;
use super::servers::{self, Place, Server};
use crate::clock;
use anyhow::{Context, Result};
use std::fs;
use std::time::Duration;

/// How long a folder of 5,000 files may take.
const INDEXING: Duration = Duration::from_secs(300);
/// Starts, of which the mean is taken: one tick of the kernel means less then.
const STARTS: u32 = 10;
/// Between looks at a folder where the look is measured, and how many are.
const RESCAN: &str = "index.rescan=100ms";
const LOOKS: u32 = 100;
/// The last of the projects, in any order that a server may have.
const LAST: &str = "project499";

/// CPU time of an upload, in ms; the mean of `count` ones.
pub(super) fn upload(place: &Place, server: &Server, count: usize) -> Result<f64> {
    let mut wheels = place.wheels("upload")?;
    wheels.truncate(count);
    let before = server.cost()?.cpu;
    server.send_as(place, &wheels)?;
    let used = server.cost()?.cpu - before;
    Ok(used.as_secs_f64() * 1e3 / f64::from(u32::try_from(wheels.len())?))
}

/// What 5,000 files cost ours.
#[derive(Debug)]
pub(super) struct Folder {
    /// CPU time until all of them are served, from nothing.
    pub from_nothing: Duration,
    /// Of a start when they are known.
    pub start: Duration,
    /// Of a look that finds nothing new.
    pub look: Duration,
    /// KiB when all are there.
    pub resident: u64,
}

pub(super) fn folder(place: &Place) -> Result<Folder> {
    let many = "packages/many";
    let server = servers::opsctl(place, many, "data-many", &[])?;
    let from_nothing = until_served(&server)?;
    server.stop()?;
    let (mut start, mut resident) = (Duration::ZERO, 0);
    for _ in 0..STARTS {
        let server = servers::opsctl(place, many, "data-many", &[])?;
        start += until_served(&server)?;
        resident = server.cost()?.resident;
        server.stop()?;
    }
    let look = look(place, many)?;
    Ok(Folder { from_nothing, start: start / STARTS, look, resident })
}

/// CPU time until the page of the last project is there with all its files.
fn until_served(server: &Server) -> Result<Duration> {
    let page = server.page(LAST);
    let lines = format!("Accept: {HTML}\r\n");
    clock::eventually(INDEXING, || {
        let (_, body) = server.get(&page, &lines)?;
        Ok((String::from_utf8_lossy(&body).matches(".whl</a>").count() == 10).then_some(()))
    })?;
    Ok(server.cost()?.cpu)
}

/// CPU time of one look at a folder in which nothing has changed; the program counts its looks in its log.
fn look(place: &Place, packages: &str) -> Result<Duration> {
    let more = ["--set", RESCAN, "--log-level", "warn,opsctl_index::folder=debug"];
    let server = servers::opsctl(place, packages, "data-many", &more)?;
    until_served(&server)?;
    let looks = || {
        let text = fs::read_to_string(&server.log).context("failed to read the log")?;
        Ok::<_, anyhow::Error>(u32::try_from(text.matches("looked at the whole folder").count())?)
    };
    let (before, cpu) = (looks()?, server.cost()?.cpu);
    let count = clock::eventually(INDEXING, || Ok(Some(looks()? - before).filter(|count| *count >= LOOKS)))?;
    let used = server.cost()?.cpu - cpu;
    server.stop()?;
    Ok(used / count)
}

/// CPU time until pypiserver has listed the 5,000 files once.
pub(super) fn first_list(place: &Place) -> Result<Duration> {
    let server = servers::pypiserver_gunicorn(place, "packages/many")?;
    let used = until_served(&server)?;
    server.stop()?;
    Ok(used)
}
