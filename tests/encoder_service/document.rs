//! The document of the API, as others read it; and the manual's lines, as they stand there.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use super::Service;
use crate::encoder::{clip, judged};
use crate::harness::{Ran, eventually};
use crate::index::clients::tool;

#[test]
fn a_validator_reads_the_document_and_the_router_does_what_it_says() {
    let service = Service::start("jobs = 0");
    let document = service.curl("/openapi.json", &[]).is(200);
    let file = service.running.path("openapi.json");
    std::fs::write(&file, &document.body).unwrap();
    let said = Ran::of(Command::new(tool("openapi-spec-validator")).args(["--schema", "3.1"]).arg(&file));
    assert!(said.code == Some(0) && said.stdout.contains("OK"), "{said:?}");
    let document = document.json();
    for (path, operations) in document["paths"].as_object().unwrap() {
        let base = operations["servers"][0]["url"].as_str().map_or("/api/v1", |_| "");
        let path = format!("{base}{}", path.replace(['{', '}'], ""));
        // no path has this method: the answer says which ones it has
        let answer = service.acme(&path, &["-X", "PROPFIND", "-H", "Tus-Resumable: 1.0.0"]).is(405);
        let allowed = answer.header("allow").unwrap().replace(' ', "");
        let is_own = |method: &&str| *method != "head" || !allowed.contains("get");
        let allowed: BTreeSet<&str> = allowed.split(',').filter(is_own).collect();
        let described = operations.as_object().unwrap().keys().map(String::as_str);
        let described = described.filter(|key| !["parameters", "servers"].contains(key)).collect::<BTreeSet<_>>();
        assert_eq!(described, allowed, "{path}");
    }
    service.running.stop();
}

/// The lines of a part of the manual.
fn lines(part: &str) -> Vec<String> {
    let manual = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("services/encoder/README.md");
    let manual = std::fs::read_to_string(manual).unwrap();
    let part = manual.split(&format!("## {part}\n")).nth(1).unwrap().split("\n## ").next().unwrap();
    let code = part.split("```sh\n").skip(1).map(|code| code.split("```").next().unwrap());
    code.flat_map(str::lines).map(str::to_owned).collect()
}

#[test]
fn the_manuals_lines_do_what_they_say() {
    let service = Service::start("");
    let token = service.opsctl(&["token", "create", "acme", "--scope", "encoder/acme:read,upload,yank"]).ok();
    let folder = service.running.path("shell");
    std::fs::create_dir(&folder).unwrap();
    std::fs::copy(clip("movie-hello.avi"), folder.join("party.avi")).unwrap();
    let lines = lines("The API");
    assert!(lines.len() >= 15, "{lines:#?}");
    let mut said = String::new();
    for line in &lines {
        // what is made of it is wanted next
        if line.contains("/media/acme/") || line.contains("/assets") {
            service.done("party");
        }
        let mut shell = Command::new("sh");
        shell.args(["-c", line]).env("TOKEN", token.trim()).env("ENCODER", service.url("")).current_dir(&folder);
        let ran = Ran::of(&mut shell);
        assert_eq!(ran.code, Some(0), "{line}: {ran:?}");
        said += &ran.stdout;
    }
    for words in ["\"label\":\"A party\"", "\"status\":\"queued\"", "\"published\":false", "\"max_upload\"", "3.1.0"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(judged(&folder.join("party.mp4"))["streams"].as_array().unwrap().len(), 2);
    assert_eq!(std::fs::read(folder.join("original.avi")).unwrap(), std::fs::read(clip("movie-hello.avi")).unwrap());
    eventually("it is gone", || (service.acme("/api/v1/media/party", &[]).status == 404).then_some(()));
    service.running.stop();
}
