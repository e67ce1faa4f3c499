//! Captions that come beside an item.

use super::{Answer, Service};
use crate::encoder::clip;

const SMALL: &str = "profile = 'small'\nprofiles.small.output.h264 = { kind = 'mp4', short_side = 144 }\njobs = 0";
const GOOD: &str = "WEBVTT\n\n00:00.500 --> 00:02.000\nHello <b>there</b>\n";

fn put(service: &Service, language: &str, text: &str) -> Answer {
    let file = service.running.path("captions.vtt");
    std::fs::write(&file, text).unwrap();
    service.acme(&format!("/api/v1/media/a/captions/{language}"), &["-T", file.to_str().unwrap()])
}

#[test]
fn captions_are_checked_shown_and_delivered() {
    let service = Service::start(SMALL);
    service.put("a", &clip("carphone_pristine.mp4"), &[]).is(201);
    let before = service.acme("/api/v1/media/a", &[]).header("etag").unwrap().to_owned();
    let made = put(&service, "en", GOOD).is(201);
    assert_eq!((made.header("location"), &made.json()["cues"]), (Some("/api/v1/media/a/captions/en"), &1.into()));
    put(&service, "pt-BR", GOOD).is(201);
    put(&service, "en", &format!("{GOOD}\n1\n00:03.000 --> 00:04.000\nBye\n")).is(200);
    let item = service.acme("/api/v1/media/a", &[]).is(200);
    assert_ne!(item.header("etag").unwrap(), before);
    let captions = item.json()["captions"].clone();
    assert_eq!(captions[0]["url"], "/media/acme/captions/a/en.vtt");
    assert_eq!(captions[1]["language"], "pt-br");
    let shown = service.curl("/media/acme/captions/a/en.vtt", &[]).is(200);
    assert_eq!(shown.header("content-type"), Some("text/vtt; charset=utf-8"));
    assert!(shown.text().ends_with("Bye\n"));
    assert!(service.acme("/api/v1/media/a/captions/pt-BR", &[]).is(200).text().ends_with("there</b>\n"));

    // what is wrong is said, and nothing changes
    let refused = |language: &str, text: &str, status: u16, said: &str| {
        let answer = put(&service, language, text).is(status);
        assert!(answer.text().contains(said), "{answer:?}");
    };
    refused("en", "1\n00:00:01,000 --> 00:00:02,000\nx", 422, "line 1: a WebVTT file begins with `WEBVTT`");
    refused("en", "WEBVTT\n\n00:01,000 --> 00:02,000\nx", 422, "line 3: a time is `MM:SS.mmm`");
    refused("e", GOOD, 400, "a language is a tag");
    refused("en", &format!("WEBVTT\n\nNOTE\n{}", "x".repeat(2 << 20)), 413, "too large");
    assert!(service.curl("/media/acme/captions/a/en.vtt", &[]).is(200).text().ends_with("Bye\n"));

    // they are the item's: unpublished with it, and gone with it
    service.curl("/api/v1/accounts/acme/media/a/captions/en", &["-X", "DELETE"]).is(401);
    service.acme("/api/v1/media/a/published", &["-X", "DELETE"]).is(200);
    service.curl("/media/acme/captions/a/en.vtt", &[]).is(404);
    service.acme("/api/v1/media/a/captions/en", &["-X", "DELETE"]).is(204);
    service.acme("/api/v1/media/a/captions/en", &[]).is(404);
    service.acme("/api/v1/media/a/captions/en", &["-X", "DELETE"]).is(404);
    service.opsctl(&["encoder", "fsck"]).ok();
    service.acme("/api/v1/media/a", &["-X", "DELETE"]).is(204);
    service.opsctl(&["encoder", "fsck"]).ok();
    let left = || std::fs::read_dir(service.running.path("data/encoder/blobs")).unwrap().flatten().count();
    crate::harness::eventually("its blobs are gone", || (left() <= 1).then_some(()));
    service.running.stop();
}

#[test]
fn an_account_sees_what_it_keeps() {
    let service = Service::start(&format!("{SMALL}\nquota = '10MiB'"));
    let clip = clip("carphone_pristine.mp4");
    service.put("a", &clip, &[]).is(201);
    let bytes = std::fs::metadata(&clip).unwrap().len();
    let begin = ["-X", "POST", "-H", "Tus-Resumable: 1.0.0", "-H", "Upload-Length: 1000"];
    service.acme("/api/v1/tus", &begin).is(201);
    let account = service.acme("/api/v1/account", &[]).is(200).json();
    assert_eq!((&account["usage"]["items"], &account["usage"]["bytes"]), (&1.into(), &bytes.into()));
    assert_eq!((&account["coming"], &account["quota"]), (&1000.into(), &(10 << 20).into()));
    assert_eq!(account["days"][0]["bytes"], bytes);
    service.curl("/api/v1/accounts/acme/account", &[]).is(401);
    service.running.stop();
}
