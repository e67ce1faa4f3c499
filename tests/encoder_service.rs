//! The video web service: uploads, what becomes of them, and who gets to see it.

mod api;
mod captions;
mod delivery;
mod document;
mod hooks;
mod machines;
mod pages;
mod seeking;
mod trouble;
mod unpublishing;
mod uploads;

use std::path::Path;
use std::process::Command;

use opsctl_testkit::S3;
use serde_json::Value;

use crate::harness::{Ran, Running, Setup, eventually, opsctl, program};

const PASSWORD: &str = "correct horse battery";

/// The service, and a user `acme` who has the account of that name.
pub(crate) struct Service {
    pub(crate) running: Running,
}

/// A `[host]` whose files lie in a new bucket.
pub(crate) fn in_bucket(s3: &S3) -> String {
    let (access_key, secret_key) = s3.keys();
    let bucket = s3.bucket();
    format!("[host]\nstore = '{bucket}'\nstore_access_key = '{access_key}'\nstore_secret_key = '{secret_key}'\n")
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// In small letters.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Answer {
        assert_eq!(self.status, status, "{}\n{}", self.head, String::from_utf8_lossy(&self.body));
        self
    }
}

impl Service {
    /// With these lines in its table.
    pub(crate) fn start(more: &str) -> Service {
        Service::start_on("", more)
    }

    /// The same with other tables before it, such as `[host]`.
    pub(crate) fn start_on(host: &str, more: &str) -> Service {
        Service::of(Service::node(host, more).running)
    }

    /// A program that runs, with the user.
    pub(crate) fn of(running: Running) -> Service {
        let service = Service { running };
        service.user("acme", "publisher@encoder/acme");
        service
    }

    /// One of several on the same data: adds no user.
    pub(crate) fn node(host: &str, more: &str) -> Service {
        let config = format!("{host}\n[encoder]\nenabled = true\nlisten = '127.0.0.1:0'\n{more}\n");
        Service { running: Setup::run(&config).start() }
    }

    /// Adds a user.
    pub(crate) fn user(&self, name: &str, role: &str) {
        let file = self.running.path("password");
        std::fs::write(&file, PASSWORD).unwrap();
        self.opsctl(&["user", "add", name, "--role", role, "--password-file", file.to_str().unwrap()]).ok();
    }

    /// `opsctl <args>` on its data.
    pub(crate) fn opsctl(&self, args: &[&str]) -> Ran {
        let mut command = opsctl(args);
        command.arg("--config").arg(self.running.path("opsctl.toml")).arg("--data-dir").arg(self.running.path("data"));
        command.args(["--set", "host.allow_root=true"]);
        Ran::of(&mut command)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.address("encoder encoder"))
    }

    /// `curl ARGS` as nobody in particular.
    pub(crate) fn curl(&self, path: &str, args: &[&str]) -> Answer {
        let folder = tempfile::tempdir().unwrap();
        let (head, body) = (folder.path().join("head"), folder.path().join("body"));
        let mut curl = Command::new(program("curl", "curl"));
        curl.args(["-sS", "-D"]).arg(&head).arg("-o").arg(&body).args(args).arg(self.url(path));
        Ran::of(&mut curl).ok();
        let text = String::from_utf8_lossy(&std::fs::read(head).unwrap()).to_lowercase().replace('\r', "");
        // what comes before the last one is `100 continue`
        let head = text.trim_end().rsplit("\n\n").next().unwrap().to_owned();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head, body: std::fs::read(body).unwrap_or_default() }
    }

    /// The same as `acme`.
    pub(crate) fn acme(&self, path: &str, args: &[&str]) -> Answer {
        let user = format!("acme:{PASSWORD}");
        self.curl(path, &[&["-u", &user], args].concat())
    }

    /// Uploads a file the way of 2008.
    pub(crate) fn put(&self, id: &str, file: &Path, args: &[&str]) -> Answer {
        self.acme(&format!("/api/v1/media/{id}"), &[&["-T", file.to_str().unwrap()], args].concat())
    }

    /// An item as it is.
    pub(crate) fn item(&self, id: &str) -> Value {
        self.acme(&format!("/api/v1/media/{id}"), &[]).is(200).json()
    }

    /// Waits until nothing will become of an item any more.
    pub(crate) fn ended(&self, id: &str) -> Value {
        eventually("the job ends", || {
            let item = self.item(id);
            (item["job"]["open"] == false).then_some(item)
        })
    }

    /// Waits until it is encoded.
    #[track_caller]
    pub(crate) fn done(&self, id: &str) -> Value {
        let item = self.ended(id);
        assert_eq!(item["status"], "done", "{item}");
        item
    }
}
