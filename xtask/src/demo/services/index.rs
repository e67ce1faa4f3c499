//! The package index in the demo.
use super::Service;
use crate::demo::scene::{Scene, Try};
use crate::demo::stage::Stage;
use anyhow::Result;

pub(super) const SERVICE: Service = Service { name: "index", prepare, tries };

fn prepare(_: &mut Stage) -> Result<String> {
    Ok("[index]\nenabled = true\nlisten = \"127.0.0.1:0\"\nroot = \"packages\"\n".into())
}

fn tries(scene: &Scene<'_>) -> Result<Vec<Try>> {
    let url = format!("http://{}/simple/", scene.address("index", "index")?);
    let line = format!("curl -sSf {url}");
    Ok(vec![Try { service: "index", what: "Simple API", address: url, line, expect: "Simple index" }])
}
