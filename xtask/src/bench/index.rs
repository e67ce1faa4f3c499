//! `bench index`: the package index against what people have. pypiserver (by its own server, and as its container image
//! runs it), devpi-server, proxpi, and nginx over pages that lie there finished; all with the same packages, in one run.
//!
//! Processor time is taken from the kernel for a server and all its processes. The load generator (wrk) runs on the same
//! processors, so requests in a second say less than that. Each load is measured on each server in turns, in rounds.
mod costs;
mod load;
mod servers;

use crate::markdown;
use crate::process;
use crate::repo::Repo;
use crate::{cargo, setup};
use anyhow::{Context, Result};
use costs::Folder;
use load::{Figures, LOADS};
use servers::{Place, Server};
use std::fs;
use std::num::NonZero;
use std::process::Command;
use std::thread;
use std::time::Duration;

const ROUNDS: usize = 3;
/// Uploads to ours, and to the others.
const UPLOADS: usize = 300;
const PEER_UPLOADS: usize = 40;

/// The peers and what runs them, as pip wants them.
const PEERS: &[&str] = &[
    "pypiserver==2.4.2",
    "devpi-server==6.20.3",
    "proxpi==1.3.1",
    "gunicorn==27.0.1",
    "gevent==26.9.0",
    "passlib==1.7.4",
];

const PACKAGES: &str = include_str!("../../templates/bench/index_packages.py");
const UPLOAD: &str = include_str!("../../templates/bench/index_upload.py");

/// One server's part.
struct Column {
    name: &'static str,
    /// For each load.
    loads: Vec<Option<Figures>>,
    /// ms of CPU time.
    upload: Option<f64>,
    /// KiB before and after it all.
    memory: (u64, u64),
}

pub(super) fn run(repo: &Repo) -> Result<String> {
    let place = Place { folder: repo.made("bench-index"), opsctl: cargo::release_binary(repo)? };
    prepare(&place)?;
    let mut ours = servers::opsctl(&place, "served", "data", &[])?;
    ours.user = ("__token__".into(), servers::token(&place, "data")?);
    let all = [
        servers::nginx(&place, &ours)?,
        servers::proxpi(&place, &ours)?,
        servers::pypiserver_gunicorn(&place, "served-gunicorn")?,
        servers::pypiserver(&place, "served-wsgiref")?,
        servers::devpi(&place)?,
    ];
    let all: Vec<Server> = std::iter::once(ours).chain(all).collect();
    let columns = measure(&place, &all)?;
    for server in all {
        server.stop()?;
    }
    println!("measuring folders of 5,000 files");
    let folder = costs::folder(&place)?;
    Ok(report(&columns, &folder, costs::first_list(&place)?))
}

/// Programs, packages, and folders as no run has left them.
fn prepare(place: &Place) -> Result<()> {
    fs::create_dir_all(&place.folder).context("failed to make a folder")?;
    setup::environment(&place.path("venv"), PEERS)?;
    for (name, text) in [("packages.py", PACKAGES), ("upload.py", UPLOAD)] {
        fs::write(place.path(name), text).context("failed to write a script")?;
    }
    if !place.path("packages").exists() {
        let new = place.path("packages-new");
        process::run(place.python("packages.py").arg(&new))?;
        fs::rename(new, place.path("packages")).context("failed to keep the packages")?;
    }
    let served = ["served", "served-gunicorn", "served-wsgiref"];
    for name in served.iter().chain(&["data", "data-many", "static", "files", "proxpi"]) {
        fs::remove_dir_all(place.path(name)).ok();
    }
    for name in served {
        process::capture(Command::new("cp").arg("-a").arg(place.path("packages/page")).arg(place.path(name)))?;
    }
    Ok(())
}

fn measure(place: &Place, all: &[Server]) -> Result<Vec<Column>> {
    let before = all.iter().map(Server::cost).collect::<Result<Vec<_>>>()?;
    let mut rounds: Vec<Vec<Vec<Figures>>> = vec![vec![Vec::new(); LOADS.len()]; all.len()];
    for round in 0..ROUNDS {
        for (number, load) in LOADS.iter().enumerate() {
            println!("measuring {}, round {}", load.what, round + 1);
            for (server, rounds) in all.iter().zip(&mut rounds) {
                let figures = load.measure(server, round == 0)?;
                let text = figures.map_or_else(|| "–".into(), |figures| number_text(figures.cpu));
                println!("  {:22} {text} ms", server.name);
                rounds[number].extend(figures);
            }
        }
    }
    println!("measuring uploads");
    let mut columns = Vec::new();
    for ((server, before), rounds) in all.iter().zip(before).zip(rounds) {
        let count = if server.name == "opsctl" { UPLOADS } else { PEER_UPLOADS };
        let after = server.cost()?.resident;
        let upload = server.upload.map(|_| costs::upload(place, server, count)).transpose()?;
        let loads = rounds.into_iter().map(load::median).collect();
        columns.push(Column { name: server.name, loads, upload, memory: (before.resident, after) });
    }
    Ok(columns)
}

fn report(columns: &[Column], folder: &Folder, first_list: Duration) -> String {
    let head: Vec<&str> = std::iter::once("").chain(columns.iter().map(|column| column.name)).collect();
    let row = |what: String, of: &dyn Fn(&Column) -> Option<String>| {
        std::iter::once(what).chain(columns.iter().map(|column| of(column).unwrap_or_else(|| "–".into()))).collect()
    };
    let megabytes = |kib: u64| format!("{}", kib / 1024);
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (number, load) in LOADS.iter().enumerate() {
        rows.push(row(format!("{}: CPU, ms", load.what), &|column| Some(number_text(column.loads[number]?.cpu))));
    }
    for (number, load) in LOADS.iter().enumerate() {
        let of = |column: &Column| Some(number_text(column.loads[number]?.requests_a_second));
        rows.push(row(format!("{}: in a second", load.what), &of));
    }
    rows.push(row("an upload of 1 KB: CPU, ms".into(), &|column| column.upload.map(number_text)));
    rows.push(row("memory before, MB".into(), &|column| Some(megabytes(column.memory.0))));
    rows.push(row("memory after, MB".into(), &|column| Some(megabytes(column.memory.1))));
    let seconds = |time: Duration| format!("{:.2} s", time.as_secs_f64());
    format!(
        "{}\nA folder of 5,000 files in 500 projects takes {} of the processor's time from nothing until all are served, a start \
         with all of them known {}, a look that finds nothing new {:.1} ms, and {} MB. pypiserver takes {} until it has \
         shown one page of it, start included.\n\nOn {} processors, of which the load generator has its part; the median of \
         {ROUNDS} rounds in turns. Memory is resident memory, summed over a server's processes. An upload is on the disk for good \
         with ours and devpi. Against {}, and Debian's nginx over our pages.",
        markdown::table(&head, 1, &rows),
        seconds(folder.from_nothing),
        seconds(folder.start),
        folder.look.as_secs_f64() * 1e3,
        megabytes(folder.resident),
        seconds(first_list),
        thread::available_parallelism().map_or(1, NonZero::get),
        PEERS[..3].join(", ").replace("==", " "),
    )
}

/// With so many digits that something is said.
fn number_text(number: f64) -> String {
    match number {
        ..1.0 => format!("{number:.3}"),
        1.0..100.0 => format!("{number:.1}"),
        _ => format!("{number:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_what_was_measured() {
        let figures = Some(Figures { cpu: 0.0561, requests_a_second: 1234.5 });
        let loads = |figures: Option<Figures>| vec![figures; LOADS.len()];
        let ours = Column { name: "opsctl", loads: loads(figures), upload: Some(2.34), memory: (20 * 1024, 30 * 1024) };
        let other = Column { name: "other", loads: loads(None), upload: None, memory: (1024, 1024) };
        let time = Duration::from_millis(120);
        let folder = Folder { from_nothing: time, start: time, look: time, resident: 1024 };
        let table = report(&[ours, other], &folder, time);
        assert!(table.contains("| JSON: CPU, ms | 0.056 | – |"), "{table}");
        assert!(table.contains("| JSON: in a second | 1234 | – |") || table.contains("| 1235 |"), "{table}");
        assert!(table.contains("| memory after, MB | 30 | 1 |") && table.contains("nothing new 120.0 ms"), "{table}");
    }
}
