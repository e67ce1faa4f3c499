//! `PUT`, as in 2008, and everything after it.

use std::fs;

use super::Service;
use crate::encoder::{clip, judged};

/// Little work: one video and one picture.
const SMALL: &str = "profile = 'small'\nprofiles.small.output.h264 = { kind = 'mp4', short_side = 144 }\n\
                     profiles.small.output.thumb = { kind = 'thumbs', count = 2, short_side = 90 }";

#[test]
fn an_upload_becomes_what_browsers_play() {
    let service = Service::start("");
    let answer = service.put("party", &clip("movie-hello.avi"), &["-H", "X-Flvio-Filename: hello.avi"]).is(201);
    assert_eq!(answer.header("location"), Some("/api/v1/media/party"));
    assert_eq!(answer.json()["filename"], "hello.avi");
    let item = service.done("party");
    let urls: Vec<&str> = item["assets"].as_array().unwrap().iter().map(|a| a["url"].as_str().unwrap()).collect();
    let expected = [
        "/media/acme/audio/party.m4a",
        "/media/acme/flv/party.flv",
        "/media/acme/h264/party.mp4",
        "/media/acme/h264-480/party.mp4",
        "/media/acme/hls/party/master.m3u8",
        "/media/acme/poster/party.jpg",
        "/media/acme/storyboard/party/storyboard.vtt",
        "/media/acme/thumb/party/1.jpg",
    ];
    assert_eq!(urls, expected);
    let folder = tempfile::tempdir().unwrap();
    for asset in item["assets"].as_array().unwrap() {
        for file in asset["files"].as_array().unwrap() {
            let answer = service.curl(file["url"].as_str().unwrap(), &[]).is(200);
            assert_eq!(answer.body.len() as u64, file["bytes"].as_u64().unwrap(), "{file}");
            assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
        }
    }
    let path = folder.path().join("party.mp4");
    fs::write(&path, service.curl("/media/acme/h264/party.mp4", &[]).body).unwrap();
    assert_eq!(judged(&path)["streams"].as_array().unwrap().len(), 2);
    let source = service.acme("/api/v1/media/party/source", &[]).is(200);
    assert_eq!(source.body, fs::read(clip("movie-hello.avi")).unwrap());
    service.running.stop();
}

#[test]
fn an_account_is_its_owners_alone() {
    let service = Service::start(SMALL);
    service.user("other", "publisher@encoder/other");
    let clip = clip("carphone_pristine.mp4");
    service.put("mine", &clip, &[]).is(201);
    service.done("mine");
    let other = ["-u", "other:correct horse battery"];
    for path in ["media", "media/mine", "media/mine/source", "media/mine/job", "media/mine/assets", "jobs"] {
        let path = format!("/api/v1/accounts/acme/{path}");
        service.curl(&path, &[]).is(401);
        service.curl(&path, &other).is(403);
        service.acme(&path, &[]).is(200);
    }
    service.curl("/api/v1/media", &[]).is(401);
    service.curl("/api/v1/accounts/acme/media/mine", &["-u", other[1], "-T", clip.to_str().unwrap()]).is(403);
    service.curl("/api/v1/accounts/acme/media/mine", &["-u", other[1], "-X", "DELETE"]).is(403);
    assert_eq!(service.curl("/api/v1/media", &other).is(200).json()["total"], 0);
    service.running.stop();
}

#[test]
fn what_is_unpublished_is_there_for_its_owner_alone() {
    let service = Service::start(SMALL);
    service.put("secret", &clip("carphone_pristine.mp4"), &["-H", "X-Flvio-Publish: no"]).is(201);
    service.done("secret");
    let file = "/media/acme/h264/secret.mp4";
    service.curl(file, &[]).is(404);
    assert_eq!(service.acme(file, &[]).is(200).header("cache-control"), Some("private, no-cache"));
    service.acme("/api/v1/media/secret/published", &["-X", "PUT"]).is(200);
    service.curl(file, &[]).is(200);
    let shown = service.acme("/api/v1/media/secret/published", &["-X", "DELETE"]).is(200);
    assert_eq!(shown.json()["published"], false);
    service.curl(file, &[]).is(404);
    service.running.stop();
}

#[test]
fn put_is_idempotent_and_conditional() {
    let service = Service::start(SMALL);
    let (one, two) = (clip("carphone_pristine.mp4"), clip("bikes.mp4"));
    let created = service.put("a", &one, &["-H", "If-None-Match: *"]).is(201);
    let tag = created.header("etag").unwrap().to_owned();
    service.put("a", &one, &["-H", "If-None-Match: *"]).is(412);
    // the very same bytes: nothing is done again
    let first = service.done("a")["job"]["id"].clone();
    service.put("a", &one, &[]).is(200);
    assert_eq!(service.item("a")["job"]["id"], first);
    // the encoding has changed the item since
    service.put("a", &two, &["-H", &format!("If-Match: {tag}")]).is(412);
    let now = service.acme("/api/v1/media/a", &[]).header("etag").unwrap().to_owned();
    service.put("a", &two, &["-H", &format!("If-Match: {now}")]).is(200);
    let before = service.curl("/media/acme/thumb/a/1.jpg", &[]).is(200).body;
    service.done("a");
    assert_ne!(service.curl("/media/acme/thumb/a/1.jpg", &[]).is(200).body, before);
    service.put("b", &one, &["-H", "If-Match: *"]).is(412);
    service.acme("/api/v1/media/b", &[]).is(404);
    service.running.stop();
}

#[test]
fn what_is_wrong_is_said_before_the_body_comes() {
    let service = Service::start(&format!("{SMALL}\nmax_upload = '100KiB'"));
    let clip = clip("bikes.mp4");
    let refused = |id: &str, header: &str, status: u16, said: &str| {
        // a client that waits for `100 continue` sends nothing
        let answer = service.put(id, &clip, &["-H", header, "-H", "Expect: 100-continue", "--expect100-timeout", "60"]);
        let answer = answer.is(status);
        assert!(answer.text().contains(said), "{answer:?}");
    };
    refused("a", "X-Other: 1", 413, "too large");
    refused("a", "X-Flvio-Colour: red", 400, "`colour` is no option");
    refused("a", "X-Flvio-Profile: nothing", 400, "there is no profile `nothing`");
    refused("a%20b", "X-Other: 1", 400, "an ID is");
    let empty = service.running.path("empty");
    fs::write(&empty, "").unwrap();
    service.put("a", &empty, &[]).is(400);
    assert_eq!(service.acme("/api/v1/media", &[]).json()["total"], 0);
    service.running.stop();
}

#[test]
fn a_failure_is_told_in_words_and_the_rest_goes_on() {
    let service = Service::start(SMALL);
    let text = service.running.path("no.mp4");
    fs::write(&text, "this is no video").unwrap();
    service.put("no", &text, &[]).is(201);
    let item = service.ended("no");
    assert_eq!((&item["status"], &item["job"]["reason"]), (&"failed".into(), &"not-media".into()));
    assert!(item["job"]["message"].as_str().unwrap().contains("no video or audio file"));
    service.put("yes", &clip("carphone_pristine.mp4"), &[]).is(201);
    service.done("yes");
    service.running.stop();
}

#[test]
fn jobs_are_done_again_cancelled_and_items_deleted() {
    let service = Service::start(&format!("{SMALL}\njobs = 0"));
    service.put("a", &clip("carphone_pristine.mp4"), &[]).is(201);
    service.acme("/api/v1/media/a/job", &["-X", "DELETE"]).is(204);
    assert_eq!(service.item("a")["status"], "cancelled");
    service.acme("/api/v1/media/a/job", &["-X", "DELETE"]).is(409);
    let again = service.acme("/api/v1/media/a/job", &["-X", "POST", "-H", "X-Flvio-Size: 96"]).is(202);
    assert_eq!((again.header("location"), again.header("retry-after")), (Some("/api/v1/media/a/job"), Some("2")));
    service.acme("/api/v1/media/a", &["-X", "DELETE"]).is(204);
    service.acme("/api/v1/media/a", &[]).is(404);
    let left = || fs::read_dir(service.running.path("data/encoder/blobs")).unwrap().flatten().count();
    crate::harness::eventually("the upload is gone", || (left() <= 1).then_some(()));
    service.running.stop();
}
