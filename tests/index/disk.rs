//! A disk that is full, at whichever write of an upload: the client is told so, nothing of the file is there, the server
//! goes on serving, and with room again it takes the file.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use opsctl_testkit::S3;

use super::JSON;
use super::nodes::{Wheel, wheels};
use crate::harness::{OPSCTL, Ran, eventually, http_get, is_root, program, read};

/// Bytes that a disk gives away at a time.
const PAGE: u64 = 4096;
/// Uploads, each with room for one page more than the one before: first the file does not fit, then the transactions.
const UPLOADS: usize = 48;
/// Bytes of what makes a file what it is.
const SIZE: usize = 30_000;

/// Mounts a small disk that only the server sees, and starts it on that.
const SCRIPT: &str = r#"
mount -t tmpfs -o size=24m,mode=777 t /mnt
dir=$1; shift
"$OPSCTL" user add ci --no-password --role publisher@index --data-dir /mnt/data --set host.allow_root=true
"$OPSCTL" token create ci --scope index:upload --data-dir /mnt/data --set host.allow_root=true > "$dir/token"
exec "$OPSCTL" index --config "$dir/opsctl.toml" --data-dir /mnt/data --root /mnt/packages --ready-file "$dir/ready" \
    --listen 127.0.0.1:0 --set host.allow_root=true
"#;

struct Server {
    dir: tempfile::TempDir,
    child: Child,
    address: String,
    token: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- what it printed:\n{}", read(self.dir.path().join("log")));
        }
    }
}

impl Server {
    fn start(config: &str) -> Server {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("opsctl.toml"), config).unwrap();
        let log = std::fs::File::create(dir.path().join("log")).unwrap();
        let mut command = Command::new(program("unshare", "util-linux"));
        if !is_root() {
            command.args(["--map-root-user", "--map-auto"]);
        }
        command.args(["--mount", "sh", "-euc", SCRIPT, "sh"]).arg(dir.path()).env("OPSCTL", OPSCTL);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let ready = dir.path().join("ready");
        let text = eventually("the server is ready", || {
            assert!(child.try_wait().unwrap().is_none(), "it ended: {}", read(dir.path().join("log")));
            ready.exists().then(|| read(&ready))
        });
        let address = text.lines().find_map(|line| line.strip_prefix("index index ")).unwrap().to_owned();
        let token = read(dir.path().join("token")).trim().to_owned();
        Server { dir, child, address, token }
    }

    /// A path on its disk, as it is seen from outside.
    fn path(&self, path: &str) -> PathBuf {
        Path::new("/proc").join(self.child.id().to_string()).join("root/mnt").join(path)
    }

    /// A command that sees its disk where it sees it.
    fn inside(&self) -> Command {
        let mut command = Command::new(program("nsenter", "util-linux"));
        if !is_root() {
            command.args(["--user", "--preserve-credentials"]);
        }
        command.arg("--mount").arg("--target").arg(self.child.id().to_string());
        command
    }

    fn room(&self) -> u64 {
        let mut stat = Command::new(program("stat", "coreutils"));
        Ran::of(stat.args(["-f", "-c", "%a"]).arg(self.path(""))).ok().trim().parse::<u64>().unwrap() * PAGE
    }

    /// Leaves room for so many pages.
    fn fill(&self, pages: u64) {
        let mut filler = std::fs::File::create(self.path("filler")).unwrap();
        while let more = self.room().saturating_sub(pages * PAGE)
            && more > 0
        {
            filler.write_all(&vec![0; usize::try_from(more.min(1 << 20)).unwrap()]).unwrap();
        }
    }

    fn page(&self) -> String {
        let (status, page) = http_get(&self.address, "/simple/full/", JSON);
        assert!(status == 200 || status == 404, "{status} {page}");
        page
    }

    fn shows(&self, wheel: &Wheel) -> bool {
        self.page().contains(&wheel.digest)
    }
}

/// Uploads with ever more room. Returns how many did not fit.
fn check(config: &str) -> usize {
    let server = Server::start(config);
    let made = wheels(&server.dir.path().join("made"), "full", UPLOADS, SIZE, "");
    let mut refused = 0;
    for (pages, wheel) in (0..).zip(&made) {
        server.fill(pages);
        let (status, said) = wheel.upload(&server.address, &server.token);
        match status {
            200 => assert!(server.shows(wheel)),
            507 => {
                refused += 1;
                assert!(said.starts_with("HTTP/1.0 507 There is no room left for files.\r\n"), "{said}");
                assert!(!server.shows(wheel), "{pages}");
            }
            _ => panic!("with {pages} pages: {said}"),
        }
        std::fs::remove_file(server.path("filler")).unwrap();
        assert_eq!(wheel.upload(&server.address, &server.token).0, 200, "with room again");
        assert!(server.shows(wheel));
    }
    assert_eq!(server.page().matches("\"filename\"").count(), UPLOADS);
    // what could not be undone where there was no room for saying so is undone by the next look at what was cut off
    eventually("there are no faults", || {
        let mut fsck = server.inside();
        fsck.arg(OPSCTL).args(["index", "fsck", "--data-dir", "/mnt/data", "--root", "/mnt/packages", "--config"]);
        fsck.arg(server.dir.path().join("opsctl.toml")).args(["--set", "host.allow_root=true"]);
        let said = Ran::of(&mut fsck);
        (said.code == Some(0)).then(|| assert!(said.stdout.contains(&format!("{UPLOADS} files, 0 faults"))))
    });
    refused
}

#[test]
fn a_full_disk_is_said_and_survived() {
    // the file alone takes eight pages
    let refused = check("");
    assert!((8..UPLOADS).contains(&refused), "{refused}");
}

#[test]
fn a_full_disk_in_front_of_a_bucket_is_said_and_survived() {
    let s3 = S3::start();
    let (access_key, secret_key) = s3.keys();
    let store = s3.bucket();
    let refused = check(&format!(
        "[host]\nstore = '{store}'\nstore_access_key = '{access_key}'\nstore_secret_key = '{secret_key}'\n"
    ));
    assert!((8..UPLOADS).contains(&refused), "{refused}");
}
