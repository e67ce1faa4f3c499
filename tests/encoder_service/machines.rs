//! Whatever ends at any moment: of each job there is one result, and nothing is left over.

use std::path::Path;
use std::process::{Child, Command};

use opsctl_testkit::{Postgres, S3};

use super::Service;
use crate::encoder::clip;
use crate::harness::{Ran, Running, Setup, eventually, opsctl};

/// Enough work to be interrupted.
const LONG: &str = "lease = '3s'\nprofile = 'long'\n\
                    profiles.long.output.h264 = { kind = 'mp4', short_side = 360, preset = 'medium' }\n\
                    profiles.long.output.thumb = { kind = 'thumbs', count = 3, short_side = 90 }";

fn shared(postgres: &Postgres, s3: &S3, bucket: &str, more: &str) -> String {
    let (access_key, secret_key) = s3.keys();
    format!(
        "[host]\ndatabase = '{}'\nstore = '{bucket}'\nstore_access_key = '{access_key}'\nstore_secret_key = '{secret_key}'\n\
         [encoder]\nenabled = true\nlisten = '127.0.0.1:0'\n{LONG}\n{more}\n",
        postgres.url()
    )
}

/// Waits until somebody works on an item.
fn running(service: &Service, id: &str) -> String {
    eventually("somebody takes the job", || {
        let job = service.item(id)["job"].clone();
        let begun = job["status"] == "running" && job["percent"].as_f64().is_some_and(|percent| percent > 0.0);
        begun.then(|| job["worker"].as_str().unwrap().to_owned())
    })
}

/// `opsctl encoder fsck` finds nothing, once what is not needed any more is gone.
#[track_caller]
fn nothing_is_left_over(running: &Running) {
    let mut command = opsctl(["encoder", "fsck"]);
    command.arg("--config").arg(running.path("opsctl.toml")).arg("--data-dir").arg(running.path("data"));
    let said = Ran::of(command.args(["--set", "host.allow_root=true"])).ok();
    assert!(said.ends_with("0 faults\n"), "{said}");
}

fn frames(service: &Service, id: &str, folder: &Path) -> u64 {
    let answer = service.curl(&format!("/media/acme/h264/{id}.mp4"), &[]).is(200);
    let path = folder.join(format!("{id}.mp4"));
    std::fs::write(&path, &answer.body).unwrap();
    let judged = crate::encoder::judged(&path);
    judged["streams"][0]["nb_read_frames"].as_str().unwrap().parse().unwrap()
}

#[test]
fn a_killed_server_goes_on_where_it_was() {
    let mut service = Service::start(LONG);
    service.put("long", &clip("trailer_bbb.mp4"), &[]).is(201);
    running(&service, "long");
    service.running.signal("KILL");
    service.running.wait_keeping();
    service.running.start_again();
    let item = service.done("long");
    assert_eq!(item["job"]["attempt"], 2);
    assert_eq!(frames(&service, "long", &service.running.path("")), 1323);
    nothing_is_left_over(&service.running);
    service.running.stop();
}

#[test]
fn a_stopped_server_gives_its_job_back() {
    let mut service = Service::start(LONG);
    service.put("long", &clip("trailer_bbb.mp4"), &[]).is(201);
    running(&service, "long");
    service.running.signal("TERM");
    service.running.wait_keeping().ok();
    service.running.start_again();
    assert_eq!(service.done("long")["job"]["attempt"], 1, "what was not its own fault counts nothing");
    nothing_is_left_over(&service.running);
    service.running.stop();
}

/// A program of the test's, ended with it.
struct Worker(Child);

impl Worker {
    fn start(of: &Running, folder: &Path) -> Worker {
        let mut command = opsctl(["encoder", "worker"]);
        command.arg("--config").arg(of.path("opsctl.toml")).arg("--data-dir").arg(folder);
        Worker(command.args(["--set", "host.allow_root=true"]).spawn().unwrap())
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill").args(["-s", signal]).arg(self.0.id().to_string()).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn workers_on_other_machines_do_the_jobs_and_one_that_was_away_changes_nothing() {
    let (postgres, s3) = (Postgres::start(), S3::start());
    let config = shared(&postgres, &s3, &s3.bucket(), "jobs = 0");
    let service = Service::of(Setup::run(&config).start());
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let first = Worker::start(&service.running, folders[0].path());
    service.put("long", &clip("trailer_bbb.mp4"), &[]).is(201);
    let name = running(&service, "long");
    // it is away for longer than its lease; another does the job
    first.signal("STOP");
    let second = Worker::start(&service.running, folders[1].path());
    let item = service.done("long");
    assert_ne!(item["job"]["worker"], name.as_str());
    let version = service.acme("/api/v1/media/long", &[]).header("etag").unwrap().to_owned();
    // when it is back, what it has made counts nothing, and it takes the next job
    first.signal("CONT");
    drop(second);
    service.put("next", &clip("carphone_pristine.mp4"), &[]).is(201);
    assert_eq!(service.done("next")["job"]["worker"], name.as_str());
    assert_eq!(service.acme("/api/v1/media/long", &[]).header("etag"), Some(version.as_str()));
    assert_eq!(frames(&service, "long", &service.running.path("")), 1323);
    drop(first);
    nothing_is_left_over(&service.running);
    service.running.stop();
}

#[test]
fn a_killed_worker_is_replaced_by_another() {
    let (postgres, s3) = (Postgres::start(), S3::start());
    let config = shared(&postgres, &s3, &s3.bucket(), "jobs = 0");
    let service = Service::of(Setup::run(&config).start());
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let first = Worker::start(&service.running, folders[0].path());
    service.put("long", &clip("trailer_bbb.mp4"), &[]).is(201);
    running(&service, "long");
    first.signal("KILL");
    let _second = Worker::start(&service.running, folders[1].path());
    assert_eq!(service.done("long")["job"]["attempt"], 2);
    nothing_is_left_over(&service.running);
    service.running.stop();
}

#[test]
fn two_servers_show_the_same() {
    let (postgres, s3) = (Postgres::start(), S3::start());
    let config = shared(&postgres, &s3, &s3.bucket(), "");
    let one = Service::of(Setup::run(&config).start());
    let other = Service { running: Setup::run(&config).start() };
    one.put("a", &clip("carphone_pristine.mp4"), &[]).is(201);
    other.done("a");
    let file = "/media/acme/h264/a.mp4";
    let bytes = one.curl(file, &[]).is(200).body;
    assert_eq!(other.curl(file, &[]).is(200).body, bytes);
    let part = other.curl(file, &["-r", "10-20"]).is(206);
    assert_eq!(part.body, bytes[10..=20]);
    one.acme("/api/v1/media/a/published", &["-X", "DELETE"]).is(200);
    one.curl(file, &[]).is(404);
    eventually("the other has heard of it", || (other.curl(file, &[]).status == 404).then_some(()));
    one.acme("/api/v1/media/a", &["-X", "DELETE"]).is(204);
    other.acme("/api/v1/media/a", &[]).is(404);
    one.opsctl(&["encoder", "gc"]).ok();
    assert_eq!(postgres.sql("SELECT count(*) FROM encoder.unowned"), "0");
    nothing_is_left_over(&one.running);
    one.running.stop();
    other.running.stop();
}

#[test]
fn a_long_video_is_encoded_by_several_machines_together() {
    let (postgres, s3) = (Postgres::start(), S3::start());
    let config = shared(&postgres, &s3, &s3.bucket(), "jobs = 0\nsplit = '8s'");
    let service = Service::of(Setup::run(&config).start());
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let workers = folders.each_ref().map(|folder| Worker::start(&service.running, folder.path()));
    service.put("long", &clip("trailer_bbb.mp4"), &[]).is(201);
    // one of those who have parts is lost in the middle
    let sql = "SELECT count(DISTINCT worker) FROM encoder.part WHERE state IN ('running', 'done')";
    eventually("both have parts", || (postgres.sql(sql) == "2").then_some(()));
    workers[1].signal("KILL");
    let item = service.done("long");
    assert_eq!(item["assets"].as_array().unwrap().len(), 2, "{item}");
    assert_eq!(frames(&service, "long", &service.running.path("")), 1323);
    assert_eq!(postgres.sql("SELECT count(*) FROM encoder.part"), "0");
    drop(workers);
    nothing_is_left_over(&service.running);
    service.running.stop();
}
