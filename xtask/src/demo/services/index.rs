//! The package index in the demo: a package is built, uploaded with twine, and installed with pip and uv; a public one
//! comes through the mirror.
//!
//! The mirror's upstream is the index that pip on this machine uses. Where there is none that answers, a server of files
//! beside opsctl is one.
use super::Service;
use crate::demo::scene::{Scene, Try};
use crate::demo::stage::Stage;
use crate::{ports, process, setup};
use anyhow::{Context, Result};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;

pub(super) const SERVICE: Service = Service { name: "index", prepare, tries };

/// A project that needs no other and is small; and the one of the upstream beside opsctl.
const PUBLIC: &str = "iniconfig";
const OF_BESIDE: &str = "demo-public";
const UPSTREAM: &str = include_str!("../../../templates/demo/upstream.py");
/// Seconds that pip's index has to show that it is there.
const LIMIT: &str = "20";

const PROJECT: &str = "\
[build-system]
requires = [\"setuptools\"]
build-backend = \"setuptools.build_meta\"
[project]
name = \"hello-team\"
version = \"1.0\"
description = \"what the team says\"
[tool.setuptools]
py-modules = [\"hello_team\"]
";

fn prepare(stage: &mut Stage) -> Result<String> {
    fs::create_dir(stage.folder.join("hello")).context("failed to make a folder")?;
    stage.file("hello/pyproject.toml", PROJECT)?;
    stage.file("hello/hello_team.py", "print('hello from the team')\n")?;
    let upstream = match public() {
        // its files may be somewhere else, and behind a private address as the index itself may be
        Some(files) => format!("url = \"pip\"\norigins = [\"{files}\"]"),
        None => format!("url = \"{}\"", beside(stage)?),
    };
    Ok(format!(
        "[index]
enabled = true
listen = \"127.0.0.1:0\"
root = \"packages\"
[index.indexes.main]
bases = [\"public\"]
[index.indexes.public]
{upstream}
"
    ))
}

/// The server that the public project's file comes from, if there is a pip that opsctl can ask for its index, and that
/// gets an answer.
fn public() -> Option<String> {
    let mut pip = Command::new("timeout");
    pip.args([LIMIT, "python3", "-m", "pip", "install", "--quiet", "--dry-run", "--no-deps", "--ignore-installed"]);
    pip.args(["--no-cache-dir", "--retries", "0", "--report", "-", PUBLIC]).env_remove("PIP_FIND_LINKS");
    let report: Value = serde_json::from_str(&process::capture(&mut pip).ok()?).ok()?;
    let url = report.pointer("/install/0/download_info/url")?.as_str()?;
    let (scheme, rest) = url.split_once("://").filter(|(scheme, _)| scheme.starts_with("http"))?;
    Some(format!("{scheme}://{}", rest.split('/').next()?))
}

/// Starts an upstream and says where.
fn beside(stage: &mut Stage) -> Result<String> {
    let script = stage.file("upstream.py", UPSTREAM)?;
    let folder = stage.folder.join("upstream");
    process::capture(Command::new("python3").arg(script).arg(&folder))?;
    let port = ports::free()?;
    let mut server = process::tied(Path::new("python3"));
    server.args(["-m", "http.server", "--bind", "127.0.0.1", "--directory"]).arg(&folder).arg(port.to_string());
    stage.beside("index", "upstream", port, &mut server)?;
    Ok(format!("http://127.0.0.1:{port}/simple/"))
}

fn tries(scene: &Scene<'_>) -> Result<Vec<Try>> {
    let site = format!("http://{}", scene.address("index", "index")?);
    let simple = format!("{site}/simple/");
    let path = |name: &str| scene.shown(&scene.folder.join(name));
    let python = scene.shown(&setup::python(scene.repo));
    let bin = python.rsplit_once('/').map_or("", |(bin, _)| bin);
    let opsctl = scene.shown(&scene.repo.target.join("release/opsctl"));
    let data = scene.data_options()?;
    let public = if scene.addresses("index", "upstream").next().is_some() { OF_BESIDE } else { PUBLIC };

    let user =
        format!("{opsctl} user add ci --no-password --role publisher@index/main {data} && {opsctl} user list {data}");
    let build = format!("{python} -m build --no-isolation {}", path("hello"));
    let token = format!("$({opsctl} token create ci --scope index/main:upload {data})");
    let files = format!("{}/*", path("hello/dist"));
    let upload = format!("{bin}/twine upload --repository-url {site}/legacy/ -u __token__ -p \"{token}\" {files}");
    let pip = format!("{python} -m pip --isolated install --quiet --index-url {simple}");
    let uv = format!("{bin}/uv --no-config --no-cache pip install --quiet --default-index {simple}");
    let said = |folder: &str| format!("PYTHONPATH={} {python} -m hello_team", path(folder));
    let each = |what, line, expect| Try { service: "index", what, address: site.clone(), line, expect };
    Ok(vec![
        each("Simple API", format!("curl -sSf {simple}"), "Simple index"),
        each("user", user, "publisher@index/main"),
        each("build", build, "Successfully built"),
        each("twine", upload, "hello_team-1.0-py3-none-any.whl"),
        each(
            "pip",
            format!("{pip} --target {} hello-team && {}", path("by-pip"), said("by-pip")),
            "hello from the team",
        ),
        each("uv", format!("{uv} --target {} hello-team && {}", path("by-uv"), said("by-uv")), "hello from the team"),
        each(
            "mirror",
            format!(
                "{python} -m pip --isolated download --no-deps --no-cache-dir --index-url {simple} --dest {} {public}",
                path("mirrored")
            ),
            "Saved",
        ),
        each("page", format!("curl -sSf {site}/project/hello-team/"), "what the team says"),
    ])
}
