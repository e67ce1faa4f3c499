//! The encoder in the demo: a real clip is looked at and transcoded, and what came out is decoded by somebody else.
use super::Service;
use crate::demo::scene::{Scene, Try};
use crate::demo::stage::Stage;
use anyhow::Result;

pub(super) const SERVICE: Service = Service { name: "encoder", prepare, tries };

/// It is a tool so far: no table, no listener.
fn prepare(_: &mut Stage) -> Result<String> {
    Ok(String::new())
}

fn tries(scene: &Scene<'_>) -> Result<Vec<Try>> {
    let opsctl = scene.shown(&scene.repo.target.join("release/opsctl"));
    let clip = scene.shown(&scene.repo.made("clips").join("VID_20191220_170832.mp4"));
    let out = scene.shown(&scene.folder.join("encoded.mp4"));
    let address = || clip.clone();
    let judge = format!("ffprobe -v error -show_entries stream=codec_name,width,height {out}");
    let each = |what, line, expect| Try { service: "encoder", what, address: address(), line, expect };
    Ok(vec![
        each("probe", format!("{opsctl} encoder probe {clip}"), "1920x1080"),
        each("encode", format!("{opsctl} encoder encode {clip} {out} --size 360 && {judge}"), "width=640"),
        each("isolation", format!("{opsctl} encoder isolation"), "failed     read a file of somebody else"),
    ])
}
