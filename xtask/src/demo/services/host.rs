//! The host in the demo: its status page, and `opsctl` asking about the running one.
use super::Service;
use crate::demo::scene::{Scene, Try};
use crate::demo::stage::Stage;
use anyhow::Result;

pub(super) const SERVICE: Service = Service { name: "host", prepare, tries };

fn prepare(_: &mut Stage) -> Result<String> {
    Ok("[host]\nlisten = \"127.0.0.1:0\"".into())
}

fn tries(scene: &Scene<'_>) -> Result<Vec<Try>> {
    let address = format!("http://{}", scene.address("host", "status")?);
    let opsctl = scene.shown(&scene.repo.target.join("release/opsctl"));
    let data = scene.shown(&scene.folder.join("data"));
    let config = scene.shown(&scene.folder.join("opsctl.toml"));
    let each = |what, line: String, expect| Try { service: "host", what, address: address.clone(), line, expect };
    Ok(vec![
        each("status page", format!("curl -sS {address}/"), "finger"),
        each("health", format!("curl -sSf {address}/readyz"), "ok"),
        each("metrics", format!("curl -sSf {address}/metrics"), "# EOF"),
        each("control", format!("{opsctl} status --config {config} --data-dir {data}"), "finger"),
        each("reload", format!("{opsctl} reload --config {config} --data-dir {data}"), ""),
    ])
}
