//! The encoder in the demo: a real clip is uploaded as soon as the service is there, and it plays on the page that is
//! printed. What came out is decoded by somebody else.
use super::Service;
use crate::demo::scene::{Scene, Try};
use crate::demo::stage::Stage;
use crate::process;
use anyhow::Result;
use std::process::Command;

pub(super) const SERVICE: Service = Service { name: "encoder", prepare, tries };

/// A user of this name, and so its account.
const USER: &str = "demo";
const PASSWORD: &str = "roll-the-cameras";
const PASSWORD_FILE: &str = "encoder-password";
/// What is made of the clip, as addresses have it.
const RESULTS: &str = "h264/hello.mp4 flv/hello.flv audio/hello.m4a hls/hello/master.m3u8";

fn prepare(stage: &mut Stage) -> Result<String> {
    stage.file(PASSWORD_FILE, PASSWORD)?;
    Ok("[encoder]\nenabled = true\nlisten = \"127.0.0.1:0\"\n".to_owned())
}

fn tries(scene: &Scene<'_>) -> Result<Vec<Try>> {
    let opsctl = scene.shown(&scene.repo.target.join("release/opsctl"));
    let clips = scene.repo.made("clips");
    let site = format!("http://{}", scene.address("encoder", "encoder")?);
    let (item, ask) = (format!("{site}/api/v1/media/hello"), format!("curl -sSf -u {USER}:{PASSWORD}"));
    let data = scene.data_options()?;
    begin(
        scene,
        &format!(
            "{opsctl} user add {USER} --role publisher@encoder/{USER} --password-file {} {data} && \
         {ask} -T {} -H \"X-Flvio-Title: Hello\" -H \"X-Flvio-Filename: hello.avi\" {item}",
            scene.shown(&scene.folder.join(PASSWORD_FILE)),
            scene.shown(&clips.join("movie-hello.avi")),
        ),
    )?;

    let page = format!("{item} as {USER}, {PASSWORD}");
    let each =
        |what, address: &str, line, expect| Try { service: "encoder", what, address: address.to_owned(), line, expect };
    let done = format!("while {ask} {item}/job | grep '\"open\":true'; do sleep 1; done; {ask} {item}");
    let shown = format!("{ask} -H 'Accept: application/xhtml+xml' {item}");
    let probe = "ffprobe -v error -count_frames -show_entries stream=codec_name,nb_read_frames -of csv=p=0";
    let judge = format!("for f in {RESULTS}; do {probe} {site}/media/{USER}/$f || exit; done; echo all decoded");
    let phone = scene.shown(&clips.join("VID_20191220_170832.mp4"));
    let jobs = format!("{opsctl} encoder jobs {data}");
    Ok(vec![
        each("encoded", &item, done, "\"status\":\"done\""),
        each("plays", &page, shown, "hello.mp4\" type=\"video"),
        each("results", &format!("{site}/media/{USER}/h264/hello.mp4"), judge, "all decoded"),
        each("jobs", &site, jobs, "demo/hello"),
        each("probe", &phone, format!("{opsctl} encoder probe {phone}"), "1920x1080"),
        each("isolation", &phone, format!("{opsctl} encoder isolation"), "failed     read a file of somebody else"),
    ])
}

/// What the lines need to be there: the user, and the upload.
fn begin(scene: &Scene<'_>, line: &str) -> Result<()> {
    process::capture(Command::new("sh").current_dir(&scene.repo.root).args(["-c", line])).map(drop)
}
