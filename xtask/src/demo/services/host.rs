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
    let page = format!("http://{}", scene.address("host", "status")?);
    let socket = scene.address("host", "control")?;
    let opsctl = scene.shown(&scene.repo.target.join("release/opsctl"));
    let data = format!("--data-dir {}", scene.shown(&scene.folder.join("data")));
    let each = |what, address: &str, line, expect| Try { service: "host", what, address: address.into(), line, expect };
    Ok(vec![
        each("status page", &format!("{page}/"), format!("curl -sSf {page}/"), "finger"),
        each("health", &format!("{page}/readyz"), format!("curl -sSf {page}/readyz"), "ok"),
        each("metrics", &format!("{page}/metrics"), format!("curl -sSf {page}/metrics"), "opsctl_"),
        each("status", &socket, format!("{opsctl} status {data}"), "finger"),
        each("reload", &socket, format!("{opsctl} reload {data}"), ""),
    ])
}
