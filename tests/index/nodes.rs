//! Two servers on one PostgreSQL and one bucket serve one index, and both take uploads for it: nobody sees a page that
//! names what is not there, of many that send one file one stores it, and a server that is killed leaves nothing behind.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use opsctl_testkit::{Postgres, S3};
use tempfile::TempDir;

use super::JSON;
use super::clients::{Install, clean, newest_pip, tool};
use super::packages::Package;
use crate::harness::{PATIENCE, Ran, eventually, http_get, opsctl, program, read};

/// Times that a server is killed.
const KILLS: usize = 25;

/// Makes wheels of a project in a folder, with bytes that do not compress, and prints version and digest of each. What
/// differs for one version is the last argument.
const MAKE: &str = r#"
import base64, hashlib, random, sys, zipfile
folder, name, count, size, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
for n in range(count):
    info = f"{name}-{n}.dist-info"
    files = {f"{name}.bin": random.Random(f"{seed}{n}").randbytes(size), f"{name}.py": b"",
             f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {n}\n".encode(),
             f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}
    digest = lambda data: base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    record = "".join(f"{path},sha256={digest(data)},{len(data)}\n" for path, data in files.items())
    files[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\n").encode()
    path = f"{folder}/{name}-{n}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for file, data in files.items(): archive.writestr(zipfile.ZipInfo(file, (2026, 1, 1, 0, 0, 0)), data)
    print(n, hashlib.sha256(open(path, "rb").read()).hexdigest(), path)
"#;

/// Reads pages of all servers in turn until a file appears, and each file that a page names for the first time from every
/// server; where all of it is wanted, also a part of it, and its metadata. What a server has shown once it must go on
/// showing.
const READ: &str = r#"
import hashlib, json, os, sys, urllib.error, urllib.request
from urllib.parse import urljoin
servers, project, stop, wants_all = sys.argv[1].split(","), sys.argv[2], sys.argv[3], sys.argv[4] == "all"
def get(url, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=60) as answer:
        return answer.read(), answer.headers
sha256 = lambda data: hashlib.sha256(data).hexdigest()
pages, seen, shown = 0, {}, {server: set() for server in servers}
ended = False
while not ended:
    ended = os.path.exists(stop)
    for server in servers:
        try:
            text, _ = get(f"http://{server}/simple/{project}/", Accept="application/vnd.pypi.simple.v1+json")
        except urllib.error.HTTPError as error:
            assert error.code == 404 and not shown[server], error
            continue
        pages += 1
        files = {file["filename"]: file for file in json.loads(text)["files"]}
        assert shown[server] <= files.keys(), f"{server} does not show {shown[server] - files.keys()} any more"
        shown[server] |= files.keys()
        for name in files.keys() & seen.keys():
            assert files[name]["hashes"]["sha256"] == seen[name], name
        for name in files.keys() - seen.keys():
            seen[name] = files[name]["hashes"]["sha256"]
            for other in servers:
                url = urljoin(f"http://{other}/simple/{project}/", files[name]["url"])
                data, headers = get(url)
                assert sha256(data) == seen[name] and len(data) == files[name]["size"], url
                if not wants_all: continue
                part, headers = get(url, Range="bytes=100-199", If_Range=headers["ETag"])
                assert part == data[100:200] and headers["Content-Range"] == f"bytes 100-199/{len(data)}", headers
                metadata, _ = get(url + ".metadata")
                assert sha256(metadata) == files[name]["core-metadata"]["sha256"], url
assert all(shown[server] == seen.keys() for server in servers), shown
print(pages, len(seen))
"#;

/// A wheel that was made.
#[derive(Debug, Clone)]
pub(super) struct Wheel {
    project: String,
    version: String,
    pub(super) digest: String,
    path: PathBuf,
}

pub(super) fn wheels(folder: &Path, project: &str, count: usize, size: usize, seed: &str) -> VecDeque<Wheel> {
    std::fs::create_dir_all(folder).unwrap();
    let mut python = Command::new(program("python3", "python3"));
    python.args(["-c", MAKE]).arg(folder).arg(project).args([count.to_string(), size.to_string(), seed.to_owned()]);
    let made = Ran::of(&mut python).ok();
    let wheel = |line: &str| {
        let mut words = line.split(' ').map(str::to_owned);
        let (version, digest, path) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap().into());
        Wheel { project: project.to_owned(), version, digest, path }
    };
    made.lines().map(wheel).collect()
}

impl Wheel {
    fn filename(&self) -> &str {
        self.path.file_name().unwrap().to_str().unwrap()
    }

    /// Status and text of the answer to an upload; status 0 if the server went away.
    pub(super) fn upload(&self, address: &str, token: &str) -> (u16, String) {
        let answer = self.send(address, token).unwrap_or_default();
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
        (status, answer)
    }

    fn send(&self, address: &str, token: &str) -> std::io::Result<String> {
        let mut body = Vec::new();
        let fields = [
            (":action", "file_upload"),
            ("name", &self.project),
            ("version", &self.version),
            ("filetype", "bdist_wheel"),
            ("sha256_digest", &self.digest),
        ];
        for (name, value) in fields {
            write!(body, "--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")?;
        }
        let content = format!("form-data; name=\"content\"; filename=\"{}\"", self.filename());
        write!(body, "--x\r\nContent-Disposition: {content}\r\n\r\n")?;
        body.extend_from_slice(&std::fs::read(&self.path)?);
        write!(body, "\r\n--x--\r\n")?;
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "POST /legacy/ HTTP/1.0\r\nHost: a\r\nAuthorization: Bearer {token}\r\n")?;
        write!(stream, "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {}\r\n\r\n", body.len())?;
        stream.write_all(&body)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }
}

/// A database and a bucket, and where servers keep what is on its way there.
struct Cluster {
    dir: TempDir,
    postgres: Postgres,
    s3: S3,
    token: String,
}

/// A server on both, which is killed when it is dropped.
struct Node {
    child: Child,
    address: String,
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Node {
    fn page(&self, project: &str) -> (u16, String) {
        http_get(&self.address, &format!("/simple/{project}/"), JSON)
    }

    fn stop(mut self) {
        let kill = Command::new("kill").args(["-s", "TERM"]).arg(self.child.id().to_string()).status().unwrap();
        assert!(kill.success());
        let status = eventually("the server ends", || self.child.try_wait().unwrap());
        assert!(status.success(), "{status}");
    }
}

impl Cluster {
    fn new() -> Cluster {
        let (dir, postgres, s3) = (tempfile::tempdir().unwrap(), Postgres::start(), S3::start());
        let (access_key, secret_key) = s3.keys();
        let config = format!(
            "[host]\ndatabase = '{}'\nstore = '{}'\nstore_access_key = '{access_key}'\nstore_secret_key = '{secret_key}'\n\
             [index.indexes.dev]\n",
            postgres.url(),
            s3.bucket()
        );
        std::fs::write(dir.path().join("opsctl.toml"), config).unwrap();
        let mut cluster = Cluster { dir, postgres, s3, token: String::new() };
        cluster.run(&["user", "add", "ci", "--no-password", "--role", "publisher@index"]).ok();
        cluster.token = cluster.run(&["token", "create", "ci", "--scope", "index:upload"]).ok().trim().to_owned();
        cluster
    }

    fn command(&self, words: &[&str], machine: &str) -> Command {
        let mut command = opsctl(words);
        command.arg("--config").arg(self.dir.path().join("opsctl.toml"));
        command.arg("--data-dir").arg(self.dir.path().join(machine)).args(["--set", "host.allow_root=true"]);
        command
    }

    /// `opsctl <words>` on a machine of its own.
    #[track_caller]
    fn run(&self, words: &[&str]) -> Ran {
        Ran::of(&mut self.command(words, "console"))
    }

    /// Starts a server; what it keeps on its machine is in the folder `machine`.
    fn start(&self, machine: &str) -> Node {
        let ready = self.dir.path().join(format!("{machine}.ready"));
        // there is none before the first start
        let _ = std::fs::remove_file(&ready);
        let log = std::fs::File::options().create(true).append(true).open(self.log(machine)).unwrap();
        let mut command = self.command(&["index"], machine);
        command.args(["--listen", "127.0.0.1:0", "--ready-file"]).arg(&ready);
        let mut child = command.stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let text = eventually("the server is ready", || {
            assert!(child.try_wait().unwrap().is_none(), "it ended at its start: {}", read(self.log(machine)));
            ready.exists().then(|| read(&ready))
        });
        let address = text.lines().find_map(|line| line.strip_prefix("index index ")).unwrap().to_owned();
        Node { child, address }
    }

    fn log(&self, machine: &str) -> PathBuf {
        self.dir.path().join(format!("{machine}.log"))
    }

    /// Files of the bucket, by what their keys end in.
    fn objects(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.s3.folder().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false if path.components().any(|part| part.as_os_str() == "index") => found.push(path),
                    false => {}
                }
            }
        }
        found.retain(|path| path.extension().is_some_and(|ending| ending == "whl" || ending == "gz"));
        found
    }

    #[track_caller]
    fn fsck(&self, files: usize) {
        let said = self.run(&["index", "fsck"]).ok();
        assert!(said.ends_with(&format!("{files} files, 0 faults\n")), "{said}");
    }

    /// A reader of all pages of `project` that these servers have; it ends when the file exists that is returned.
    fn reader(&self, nodes: &[&Node], project: &str, how: &str) -> (Child, PathBuf) {
        let stop = self.dir.path().join(format!("{project}.stop"));
        let servers: Vec<&str> = nodes.iter().map(|node| &*node.address).collect();
        let mut python = Command::new(program("python3", "python3"));
        python.args(["-c", READ, &servers.join(","), project]).arg(&stop).arg(how);
        clean(&mut python, self.dir.path());
        (python.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap(), stop)
    }
}

/// Pages and files that a reader has seen.
fn ended((reader, stop): (Child, PathBuf)) -> (usize, usize) {
    std::fs::write(stop, "").unwrap();
    let said = Ran::from(reader.wait_with_output().unwrap()).ok();
    let (pages, files) = said.trim().split_once(' ').unwrap();
    (pages.parse().unwrap(), files.parse().unwrap())
}

#[test]
fn a_reader_never_sees_a_page_that_names_what_is_not_there() {
    let cluster = Cluster::new();
    let (one, other) = (cluster.start("one"), cluster.start("other"));
    assert!(read(cluster.log("one")).contains("dropping them into a folder is off"));
    let mut made = wheels(&cluster.dir.path().join("made"), "spread", 60, 2000, "");
    // in parts, since it is more than what is put at once
    let large = wheels(&cluster.dir.path().join("large"), "large", 1, 20 << 20, "");
    let readers =
        [cluster.reader(&[&one, &other], "spread", "bytes"), cluster.reader(&[&other, &one], "spread", "all")];
    let of_large = cluster.reader(&[&other, &one], "large", "all");
    let home = tempfile::tempdir().unwrap();
    let by_twine = made.pop_back().unwrap();
    let mut twine = Command::new(tool("twine"));
    clean(&mut twine, home.path()).args(["upload", "--non-interactive", "--disable-progress-bar", "--repository-url"]);
    twine.arg(format!("http://{}/legacy/", one.address)).args(["-u", "__token__", "-p", &cluster.token]);
    Ran::of(twine.arg(&by_twine.path)).ok();
    let by_uv = made.pop_back().unwrap();
    let mut uv = Command::new(tool("uv"));
    clean(&mut uv, home.path()).args(["publish", "--trusted-publishing", "never", "--token", &cluster.token]);
    uv.arg("--publish-url").arg(format!("http://{}/legacy/", other.address));
    Ran::of(uv.arg("--check-url").arg(format!("http://{}/simple/", one.address)).arg(&by_uv.path)).ok();
    let queue = Mutex::new(made);
    std::thread::scope(|scope| {
        for node in [&one, &other, &one, &other] {
            scope.spawn(|| {
                while let Some(wheel) = { queue.lock().unwrap().pop_front() } {
                    assert_eq!(wheel.upload(&node.address, &cluster.token).0, 200);
                }
            });
        }
        assert_eq!(large[0].upload(&one.address, &cluster.token).0, 200);
    });
    for node in [&one, &other] {
        eventually("all are on the page", || {
            (node.page("spread").1.matches("\"filename\"").count() == 60).then_some(())
        });
        eventually("the large one is", || (node.page("large").0 == 200).then_some(()));
        let install = Install::new();
        let index = format!("http://{}/simple/", node.address);
        install.pip(&newest_pip(), &["--index-url", &index, "spread==7"]).ok();
        install.uv(&["--default-index", &index, "spread==8"]).ok();
    }
    assert!(ended(of_large).1 == 1);
    for reader in readers {
        let (pages, files) = ended(reader);
        assert!(files == 60 && pages > 3, "{pages} pages");
    }
    assert_eq!(cluster.objects().len(), 61);
    cluster.fsck(61);
    // what a machine has on its way is gone, and no folder was made for packages
    for machine in ["one", "other"] {
        let data = cluster.dir.path().join(machine).join("index");
        assert_eq!(std::fs::read_dir(data.join("spool/main")).unwrap().count(), 0);
        assert!(!data.join("packages").exists());
    }
    one.stop();
    other.stop();
    // and a server that starts has it all
    let third = cluster.start("third");
    assert_eq!(third.page("spread").1.matches("\"filename\"").count(), 60);
}

#[test]
fn of_many_that_send_one_file_to_two_servers_one_stores_it() {
    let cluster = Cluster::new();
    let nodes = [cluster.start("one"), cluster.start("other")];
    let made = wheels(&cluster.dir.path().join("made"), "same", 1, 200_000, "");
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let send = |nth: usize| made[0].upload(&nodes[nth % 2].address, &cluster.token).0;
        let clients: Vec<_> = (0..16).map(|nth| scope.spawn(move || send(nth))).collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    assert_eq!(statuses, [200; 16]);
    assert_eq!(cluster.objects().len(), 1);
    assert_eq!(cluster.postgres.sql("SELECT count(*) FROM \"index\".change WHERE action = 'upload'"), "1");
    for node in &nodes {
        eventually("it is on the page", || node.page("same").1.contains(&made[0].digest).then_some(()));
    }
    cluster.fsck(1);
}

#[test]
fn of_two_files_of_one_name_at_two_servers_one_wins() {
    let cluster = Cluster::new();
    let nodes = [cluster.start("one"), cluster.start("other")];
    let made = ["a", "b"].map(|seed| wheels(&cluster.dir.path().join(seed), "rival", 12, 50_000, seed));
    for (one, other) in made[0].iter().zip(&made[1]) {
        let both = [(one, &nodes[0]), (other, &nodes[1])];
        let answers = std::thread::scope(|scope| {
            let send = |(wheel, node): (&Wheel, &Node)| wheel.upload(&node.address, &cluster.token);
            both.map(|both| scope.spawn(move || send(both))).map(|client| client.join().unwrap())
        });
        let winner = answers.iter().position(|(status, _)| *status == 200);
        let winner = winner.unwrap_or_else(|| panic!("{answers:?}"));
        let (status, said) = &answers[1 - winner];
        assert!(*status == 400 && said.starts_with("HTTP/1.0 400 File already exists ("), "{said}");
        assert!(said.contains(&both[winner].0.digest), "{said}");
        for node in &nodes {
            eventually("the winner is on the page", || {
                node.page("rival").1.contains(&both[winner].0.digest).then_some(())
            });
            assert!(!node.page("rival").1.contains(&both[1 - winner].0.digest));
        }
    }
    assert_eq!(cluster.objects().len(), 12, "nothing of those that lost");
    cluster.fsck(12);
}

#[test]
fn a_server_that_is_killed_leaves_nothing_half_there() {
    let cluster = Cluster::new();
    let other = cluster.start("other");
    let queue = Mutex::new(wheels(&cluster.dir.path().join("made"), "killed", KILLS * 5, 20_000, ""));
    let acknowledged: Mutex<Vec<Wheel>> = Mutex::default();
    let reader = cluster.reader(&[&other], "killed", "bytes");
    for _ in 0..KILLS {
        let node = cluster.start("one");
        let address = node.address.clone();
        let (victim, done) = (Mutex::new(Some(node)), AtomicUsize::new(0));
        let upload = || {
            while let Some(wheel) = { queue.lock().unwrap().pop_front() } {
                match wheel.upload(&address, &cluster.token) {
                    (200, _) => acknowledged.lock().unwrap().push(wheel),
                    (0, _) => return queue.lock().unwrap().push_front(wheel),
                    (_, said) => panic!("{said}"),
                }
                if done.fetch_add(1, Ordering::Relaxed) == 1 {
                    // while the other client is somewhere in the middle
                    return drop(victim.lock().unwrap().take());
                }
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(upload);
            scope.spawn(upload);
        });
    }
    let node = cluster.start("one");
    let acknowledged = acknowledged.into_inner().unwrap();
    assert!(acknowledged.len() >= KILLS * 2, "{}", acknowledged.len());
    let files = node.page("killed").1.matches("\"filename\"").count();
    for wheel in &acknowledged {
        let link = format!("/{}/{}\"", wheel.digest, wheel.filename());
        assert!(node.page("killed").1.contains(&link), "{} is missing", wheel.filename());
        eventually("it is on the other page", || other.page("killed").1.contains(&link).then_some(()));
    }
    eventually("both show the same", || {
        (other.page("killed").1.matches("\"filename\"").count() == files).then_some(())
    });
    assert_eq!(ended(reader).1, files);
    cluster.fsck(files);
    assert_eq!(cluster.objects().len(), files);
    assert_eq!(cluster.postgres.sql("SELECT count(*) FROM \"index\".upload"), "0");
}

#[test]
fn verbs_work_on_the_bucket() {
    let cluster = Cluster::new();
    let node = cluster.start("one");
    let elsewhere = tempfile::tempdir().unwrap();
    let path = |path: &Path| path.display().to_string();
    let packages = [("1.0", "dev"), ("1.1", "dev"), ("1.2", "main")];
    for (version, index) in packages {
        let wheel = path(&Package::wheel("demo", version).make(elsewhere.path()));
        cluster.run(&["index", "add", &wheel, "-i", index]).ok();
    }
    let sdist = path(&Package::sdist("demo", "1.1").make(elsewhere.path()));
    cluster.run(&["index", "add", &sdist, "-i", "dev"]).ok();
    let promoted = cluster.run(&["index", "promote", "demo==1.1", "--from", "dev"]).ok();
    assert_eq!(promoted.matches("copied to `main`").count(), 2, "{promoted}");
    cluster.run(&["index", "yank", "demo==1.2", "--reason", "broken"]).ok();
    eventually("the server shows it", || {
        let (_, page) = node.page("demo");
        (page.contains("demo-1.1.tar.gz") && page.contains(r#""yanked":"broken""#)).then_some(())
    });
    let install = Install::new();
    install.pip(&newest_pip(), &["--index-url", &format!("http://{}/simple/", node.address), "demo"]).ok();
    assert!(install.module("demo").starts_with("version = '1.1'"));
    assert!(cluster.run(&["index", "retain", "--keep", "1", "-i", "dev"]).ok().contains("1 files"));
    cluster.fsck(5);
    assert_eq!(cluster.objects().len(), 5);

    // from the bucket of one to the folder of another, with what was removed
    let export = path(&elsewhere.path().join("export"));
    cluster.run(&["index", "export", &export]).ok();
    let folders = tempfile::tempdir().unwrap();
    std::fs::write(folders.path().join("opsctl.toml"), "[index]\nroot = 'packages'\n[index.indexes.dev]\n").unwrap();
    let there = |words: &[&str]| {
        let mut command = opsctl(words);
        command.arg("--config").arg(folders.path().join("opsctl.toml"));
        Ran::of(command.arg("--data-dir").arg(folders.path().join("data")).args(["--set", "host.allow_root=true"]))
    };
    assert!(there(&["index", "import", &export]).ok().contains("5 files added, 0 were there, 0 refused"));
    let other = path(&Package::wheel("demo", "1.0").padding(9).make(elsewhere.path()));
    let refused = there(&["index", "add", &other, "-i", "dev"]);
    assert!(refused.code == Some(1) && refused.stdout.contains("there was another file"), "{refused:?}");
    assert!(there(&["index", "fsck"]).ok().contains("5 files, 0 faults"));

    faults_are_found_and_mended(&cluster, &node);
}

/// What somebody did to the bucket by hand.
fn faults_are_found_and_mended(cluster: &Cluster, node: &Node) {
    let objects = cluster.objects();
    let of = |name: &str| objects.iter().find(|path| path.ends_with(name)).unwrap();
    let (missing, damaged) = (of("demo-1.2-py2.py3-none-any.whl"), of("demo-1.1.tar.gz"));
    let (kept, damage) = (std::fs::read(missing).unwrap(), std::fs::read(damaged).unwrap());
    std::fs::remove_file(missing).unwrap();
    std::fs::write(damaged, &damage[1..]).unwrap();
    let known = of("demo-1.1-py2.py3-none-any.whl");
    let strange = known.parent().unwrap().with_file_name("stranger").join("stranger-1.0-py2.py3-none-any.whl");
    Package::wheel("stranger", "1.0").make(strange.parent().unwrap());
    let found = cluster.run(&["index", "fsck", "--json"]);
    let said = &found.stdout;
    for fault in ["is not there", "has the sha256", "nothing is known of it", r#""filename": "demo-1.1.tar.gz""#] {
        assert!(found.code == Some(1) && said.contains(fault), "{fault}: {said}");
    }
    let mended = cluster.run(&["index", "fsck", "--repair"]);
    for done in ["until it comes again", "is taken in again"] {
        assert!(mended.stdout.contains(done), "{done}: {mended:?}");
    }
    cluster.run(&["index", "fsck", "--repair"]).ok();
    cluster.fsck(4);
    eventually("what was unknown is served", || (node.page("stranger").0 == 200).then_some(()));
    let elsewhere = tempfile::tempdir().unwrap();
    let again = elsewhere.path().join("demo-1.2-py2.py3-none-any.whl");
    std::fs::write(&again, kept).unwrap();
    cluster.run(&["index", "add", &again.display().to_string()]).ok();
    cluster.fsck(5);
}
