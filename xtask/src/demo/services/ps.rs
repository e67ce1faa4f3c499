//! The process list in the demo: it looks at opsctl itself, at what it listens on, and at the machine.
use super::Service;
use crate::demo::scene::{Scene, Try};
use crate::demo::stage::Stage;
use anyhow::{Context, Result};

pub(super) const SERVICE: Service = Service { name: "ps", prepare, tries };

/// A tool has no table.
fn prepare(_: &mut Stage) -> Result<String> {
    Ok(String::new())
}

fn tries(scene: &Scene<'_>) -> Result<Vec<Try>> {
    let page = scene.address("host", "status")?;
    let (_, port) = page.rsplit_once(':').context("an address without a port")?;
    let ps = format!("{} ps", scene.shown(&scene.repo.target.join("release/opsctl")));
    let each = |what, address: &str, line, expect| Try { service: "ps", what, address: address.into(), line, expect };
    Ok(vec![
        each("who listens", &page, format!("{ps} --port {port}"), " run "),
        each("tree", "", format!("{ps} --tree release/opsctl"), " run "),
        each("JSON", "", format!("{ps} --sort rss -n 3 --json"), "\"resident_size\":"),
        each("machine", "", format!("{ps} system machine memory mounts"), "available"),
    ])
}
