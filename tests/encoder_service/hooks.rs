//! Webhooks: a server that hears what happens, after it has failed, and after we have.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::Service;
use crate::encoder::clip;
use crate::harness::{Ran, Running, eventually, program};

const SECRET: &str = "correct horse battery staple";
const SMALL: &str = "profile = 'small'\nprofiles.small.output.thumb = { kind = 'thumbs', count = 1, short_side = 90 }";

/// A server that is told.
struct Receiver {
    address: String,
    heard: Arc<Mutex<Vec<Heard>>>,
}

#[derive(Debug, Clone)]
struct Heard {
    signature: String,
    body: String,
    answer: u16,
}

impl Heard {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Receiver {
    /// Answers with these one after the other, and then with 204.
    fn start(answers: &[u16]) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
        let (all, mut answers) = (Arc::clone(&heard), Vec::from(answers).into_iter());
        // it ends with the test's process
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut reader = BufReader::new(stream.unwrap());
                let (mut head, mut line) = (String::new(), String::new());
                while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                    head.push_str(&std::mem::take(&mut line));
                }
                let field = |name: &str| {
                    head.lines().find_map(|line| {
                        let (found, value) = line.split_once(": ")?;
                        found.eq_ignore_ascii_case(name).then(|| value.to_owned())
                    })
                };
                let Some(length) = field("content-length") else { continue };
                let mut body = vec![0; length.parse().unwrap()];
                reader.read_exact(&mut body).unwrap();
                let answer = answers.next().unwrap_or(204);
                let signature = field("flvio-signature").unwrap();
                let body = String::from_utf8(body).unwrap();
                all.lock().unwrap().push(Heard { signature, body, answer });
                let location = format!("http://{}/elsewhere", reader.get_ref().local_addr().unwrap());
                let text = format!(
                    "HTTP/1.1 {answer} x\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                );
                let _ = reader.get_mut().write_all(text.as_bytes());
            }
        });
        Receiver { address, heard }
    }

    fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    /// Waits for so many messages that it took; the kinds of those about an item, in order.
    #[track_caller]
    fn took(&self, count: usize) -> Vec<Heard> {
        eventually("everything was told", || {
            let took: Vec<_> = self.heard().into_iter().filter(|heard| heard.answer == 204).collect();
            (took.len() >= count).then_some(took)
        })
    }

    fn hooks(&self) -> String {
        format!("[encoder.accounts.acme]\nhooks = [{{ url = 'http://{}/hook', secret = '{SECRET}' }}]", self.address)
    }
}

fn start(more: &str, receiver: &Receiver) -> Service {
    let trusted = format!("hook_origins = ['http://{}']", receiver.address);
    Service::start(&format!("{more}\n{trusted}\n{}", receiver.hooks()))
}

/// `t=…,v1=…` as anybody would check it.
#[track_caller]
fn check_signature(heard: &Heard) {
    let (time, code) = heard.signature.split_once(",v1=").unwrap();
    let time = time.strip_prefix("t=").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("signed");
    std::fs::write(&file, format!("{time}.{}", heard.body)).unwrap();
    let mut openssl = Command::new(program("openssl", "openssl"));
    let said = Ran::of(openssl.args(["dgst", "-sha256", "-hmac", SECRET]).arg(file)).ok();
    assert_eq!(said.trim().rsplit(' ').next(), Some(code));
}

fn kinds(heard: &[Heard]) -> Vec<String> {
    heard.iter().map(|heard| heard.json()["type"].as_str().unwrap().trim_start_matches("media.").to_owned()).collect()
}

#[test]
fn what_happens_is_told_once_and_in_order() {
    // one that is down, and one that sends us elsewhere
    let receiver = Receiver::start(&[500, 302]);
    let service = start(SMALL, &receiver);
    service.put("a", &clip("carphone_pristine.mp4"), &["-H", "X-Flvio-Publish: no"]).is(201);
    service.done("a");
    service.acme("/api/v1/media/a/published", &["-X", "PUT"]).is(200);
    service.acme("/api/v1/media/a/published", &["-X", "PUT"]).is(200);
    service.acme("/api/v1/media/a/published", &["-X", "DELETE"]).is(200);
    service.acme("/api/v1/media/a", &["-X", "DELETE"]).is(204);
    let took = receiver.took(5);
    assert_eq!(kinds(&took), ["uploaded", "done", "published", "unpublished", "deleted"]);
    let heard = receiver.heard();
    assert_eq!(heard.len(), 7, "two were refused: {heard:#?}");
    heard.iter().for_each(check_signature);
    assert_eq!(heard[0].json()["id"], took[0].json()["id"], "it is the same message that comes again");
    let mut ids: Vec<_> = took.iter().map(|heard| heard.json()["id"].to_string()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 5);
    let body = took[1].json();
    assert_eq!((&body["account"], &body["item"]["id"]), (&"acme".into(), &"a".into()));
    assert_eq!(body["item"]["href"], "/api/v1/accounts/acme/media/a");
    // a failure says why
    let text = service.running.path("no.mp4");
    std::fs::write(&text, "this is no video").unwrap();
    service.put("no", &text, &[]).is(201);
    let took = receiver.took(7);
    assert_eq!(kinds(&took[5..]), ["uploaded", "failed"]);
    assert_eq!(took[6].json()["reason"], "not-media");
    assert_eq!(service.opsctl(&["encoder", "hooks"]).ok(), "", "everything was told");
    assert_eq!(service.opsctl(&["encoder", "hooks", "--all", "--json"]).ok().lines().count(), 7);
    service.running.stop();
}

#[test]
fn an_address_that_is_not_public_is_refused() {
    let receiver = Receiver::start(&[]);
    let service = Service::start(&format!("{SMALL}\njobs = 0\n{}", receiver.hooks()));
    service.put("a", &clip("carphone_pristine.mp4"), &[]).is(201);
    eventually("it was tried", || service.opsctl(&["encoder", "hooks"]).ok().contains("not https").then_some(()));
    assert!(receiver.heard().is_empty());
    service.running.stop();
}

#[test]
fn what_was_not_told_before_a_crash_is_told_after_it() {
    let receiver = Receiver::start(&[500; 3]);
    let mut service = start(&format!("{SMALL}\njobs = 0"), &receiver);
    service.put("a", &clip("carphone_pristine.mp4"), &[]).is(201);
    eventually("it was tried", || (!receiver.heard().is_empty()).then_some(()));
    again(&mut service.running);
    service.put("b", &clip("carphone_pristine.mp4"), &[]).is(201);
    // whoever does not want to wait
    assert!(service.opsctl(&["encoder", "hooks", "--retry"]).ok().ends_with("are sent again\n"));
    let took = receiver.took(2);
    let mut items: Vec<_> = took.iter().map(|heard| heard.json()["item"]["id"].to_string()).collect();
    items.sort();
    assert_eq!(items, ["\"a\"", "\"b\""]);
    service.running.stop();
}

/// After `kill -9`.
fn again(running: &mut Running) {
    running.signal("KILL");
    running.wait_keeping();
    running.start_again();
}
