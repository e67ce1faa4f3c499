//! `cargo xtask bench NAME`: our figure and the peer's in one run, and their ratio, as a table in a README.
//!
//! A figure is never a test: it says how things stand on the machine that made it. CPU time is taken rather than time on
//! the clock, which depends on what else the machine does.
mod delivery;
mod encoder;
mod host;
mod http;
mod index;
mod programs;
mod ps;
mod psi;
mod query;
mod store;

use crate::repo::Repo;
use crate::{Given, markdown, setup};
use anyhow::{Context, Result, bail};

/// A bench: its name, the README that has its table between markers, and what makes the table.
struct Bench {
    name: &'static str,
    readme: &'static str,
    run: fn(&Repo) -> Result<String>,
}

const BENCHES: &[Bench] = &[
    Bench { name: "delivery", readme: "services/encoder/README.md", run: delivery::run },
    Bench { name: "encoder", readme: "services/encoder/README.md", run: encoder::run },
    Bench { name: "host", readme: "libs/host/README.md", run: host::run },
    Bench { name: "http", readme: "libs/http/README.md", run: http::run },
    Bench { name: "index", readme: "services/index/README.md", run: index::run },
    Bench { name: "ps", readme: "services/ps/README.md", run: ps::run },
    Bench { name: "psi", readme: "libs/psi/README.md", run: psi::run },
    Bench { name: "store", readme: "libs/store/README.md", run: store::run },
];

pub(crate) fn run(repo: &Repo, given: Given) -> Result<()> {
    let names: Vec<_> = BENCHES.iter().map(|bench| bench.name).collect();
    let name = given.word()?.with_context(|| format!("which one? there are: {}", names.join(" ")))?;
    let Some(bench) = BENCHES.iter().find(|bench| bench.name == name) else {
        bail!("there is no bench `{name}`; there are: {}", names.join(" "));
    };
    setup::everything(repo)?;
    setup::install(setup::packages::BENCH)?;
    let table = (bench.run)(repo)?;
    println!("\n{table}");
    let document = markdown::replace(&repo.read(bench.readme)?, &format!("bench {name}"), &table)?;
    repo.write(bench.readme, &document)?;
    println!("written to {}", bench.readme);
    Ok(())
}
