//! `bench delivery`: what it costs the encoder to send what it made. The service as it is shipped, with its users, rights
//! and lists of what is published, against nginx with sendfile on the very same files, one after the other in each row.
//!
//! The film is uploaded and encoded like any other; then its blobs are replaced by noise of a known size, so that figures
//! can be compared with those of `bench http`, which has the same loads.
use super::http::{LARGE, Load, PLAIN, RANGES, SMALL, Server, get, measure, nginx, noise, row, start};
use super::programs;
use crate::cargo;
use crate::clock;
use crate::markdown;
use crate::ports;
use crate::process;
use crate::repo::Repo;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

const FILM: &str = "/media/acme/h264/film.mp4";
const PICTURE: &str = "/media/acme/thumb/film/1.jpg";
const ENCODED: Duration = Duration::from_secs(120);
const PASSWORD: &str = "correct horse battery";
const CONFIG: &str = "[encoder]\nprofile = 'small'\n\
                      profiles.small.output.h264 = { kind = 'mp4', short_side = 144 }\n\
                      profiles.small.output.thumb = { kind = 'thumbs', count = 1, short_side = 90 }\n";

const LOADS: &[Load] = &[
    Load { what: "a film of 50 MiB", path: FILM, connections: 8, ..PLAIN },
    Load { what: "1 MiB of it", path: FILM, range: Some(1024 * 1024), ..PLAIN },
    Load { what: "64 KiB of it", path: FILM, range: Some(64 * 1024), ..PLAIN },
    Load { what: "a picture of 12 KiB", path: PICTURE, ..PLAIN },
    Load { what: "the same, not modified", path: PICTURE, known: true, ..PLAIN },
];

pub(super) fn run(repo: &Repo) -> Result<String> {
    let opsctl = cargo::release_binary(repo)?;
    let folder = repo.made("bench-delivery");
    fs::remove_dir_all(&folder).ok();
    fs::create_dir_all(&folder).context("failed to make a folder")?;
    for (name, text) in [("ranges.lua", RANGES), ("opsctl.toml", CONFIG), ("password", PASSWORD)] {
        fs::write(folder.join(name), text).with_context(|| format!("failed to write `{name}`"))?;
    }
    let ours = ours(repo, &opsctl, &folder)?;
    publish(&folder, &ours)?;
    let nginx = nginx(&folder)?;
    let mut rows = Vec::new();
    for load in LOADS {
        println!("measuring {}", load.what);
        rows.push(row(load.what, Some(measure(&nginx, load, &folder)?), measure(&ours, load, &folder)?));
    }
    let memory = programs::memory(ours.running.id())?.resident / 1024;
    for mut server in [ours, nginx] {
        server.running.stop()?;
    }
    let head = [
        "",
        "nginx: CPU, µs",
        "ours: CPU, µs",
        "ours / nginx",
        "nginx: in a second",
        "ours: in a second",
        "ours: MB/s",
    ];
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    Ok(format!(
        "{}\nOn {processors} processors, the load generator on the same ones and whatever else ran; {memory} MB were resident \
         after it all.",
        markdown::table(&head, 1, &rows)
    ))
}

/// `opsctl <words>` on the data of the bench.
fn command(opsctl: &Path, folder: &Path, words: &[&str]) -> Command {
    let mut command = process::tied(opsctl);
    command.args(words).arg("--config").arg(folder.join("opsctl.toml")).arg("--data-dir").arg(folder.join("data"));
    command.args(["--set", "host.allow_root=true", "--set", "log.level=warn"]);
    command
}

/// The service with one film.
fn ours(repo: &Repo, opsctl: &Path, folder: &Path) -> Result<Server> {
    let add = ["user", "add", "acme", "--role", "publisher@encoder/acme"];
    process::capture(command(opsctl, folder, &add).arg("--password-file").arg(folder.join("password")))?;
    let port = ports::free()?;
    let listen = format!("127.0.0.1:{port}");
    let server = start(&mut command(opsctl, folder, &["encoder", "--listen", &listen]), "opsctl", port, folder)?;
    let mut upload = Command::new("curl");
    upload.args(["-sSf", "-u", &format!("acme:{PASSWORD}"), "-T"]).arg(repo.target.join("clips/carphone_pristine.mp4"));
    process::capture(upload.arg(format!("http://{listen}/api/v1/media/film")))?;
    let shown = |path| get(server.address, path).map(|(head, _)| (head.split(' ').nth(1) == Some("200")).then_some(()));
    clock::eventually(ENCODED, || shown(FILM)).context("the film was not encoded")?;
    clock::eventually(ENCODED, || shown(PICTURE)).context("the film was not encoded")?;
    Ok(server)
}

/// Replaces the blobs by noise, and gives nginx the same files under the same names.
fn publish(folder: &Path, ours: &Server) -> Result<()> {
    let mut blobs = Vec::new();
    walk(&folder.join("data/encoder/blobs"), &mut blobs)?;
    for (ending, size, path) in [("mp4", LARGE, FILM), ("jpg", SMALL, PICTURE)] {
        let blob = blobs.iter().find(|blob| blob.extension().is_some_and(|found| found == ending));
        let blob = blob.with_context(|| format!("there is no blob that ends with `.{ending}`"))?;
        fs::write(blob, noise(size)).with_context(|| format!("failed to write `{}`", blob.display()))?;
        let served = folder.join(format!("files{path}"));
        fs::create_dir_all(served.parent().unwrap_or(folder)).context("failed to make a folder")?;
        fs::hard_link(blob, &served).with_context(|| format!("failed to link `{}`", served.display()))?;
        ensure!(get(ours.address, path)?.1.len() == size, "`{path}` is not what it should be");
    }
    Ok(())
}

/// All files below a folder.
fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("failed to list `{}`", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
