//! Where data is kept: SQLite and folders, PostgreSQL and a bucket, shared by nodes and by verbs.

use opsctl_testkit::{Postgres, S3};

use crate::harness::{OPSCTL, Ran, Running, Setup, is_root, opsctl, program, read};

const LAB: &str = "[lab]\nlisten = '127.0.0.1:0'\nenabled = true\nkeeps = true\n";

/// `[host]` for data in a database and a bucket.
fn shared(postgres: &Postgres, s3: &S3, bucket: &str) -> String {
    let (access_key, secret_key) = s3.keys();
    format!(
        "[host]\ndatabase = '{}'\nstore = '{bucket}'\nstore_access_key = '{access_key}'\nstore_secret_key = '{secret_key}'\n",
        postgres.url()
    )
}

/// `opsctl lab <words>` with a running program's configuration and data.
#[track_caller]
fn verb(running: &Running, words: &[&str]) -> String {
    let mut command = opsctl(["lab"]);
    command.arg("--config").arg(running.path("opsctl.toml")).arg("--data-dir").arg(running.path("data"));
    Ran::of(command.arg("--allow-root").args(words)).ok()
}

#[test]
fn tables_and_files_lie_in_the_data_folder() {
    let mut running = Setup::run(LAB).start();
    assert_eq!(running.ask("lab lab", "kept\n"), "\n");
    assert_eq!(running.ask("lab lab", "keep one\n"), "kept\n");
    // a verb works on what the running service has, and the service sees what the verb did
    assert_eq!(verb(&running, &["keep", "two"]), "kept\n");
    assert_eq!(running.ask("lab lab", "kept\n"), "one two\n");
    let said = running.ask("lab lab", "keep one\n");
    assert!(said.contains("there is a row with the same `word.word`"), "{said}");
    let data = running.path("data");
    for path in ["lab.db", "lab/blobs/words/one", "lab/blobs/words/two"] {
        assert!(data.join(path).is_file(), "{path}");
    }
    // nobody else reads what may prove who somebody is
    for path in ["lab.db", "lab/blobs"] {
        let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(data.join(path)).unwrap());
        assert_eq!(mode & 0o007, 0, "{path}: {mode:o}");
    }
    running.signal("TERM");
    running.wait_keeping().fails(0);
    assert_eq!(verb(&running, &["kept"]), "one two\n");
}

#[test]
fn what_was_acknowledged_outlives_a_kill() {
    let mut running = Setup::run(LAB).start();
    for number in 0..20 {
        assert_eq!(running.ask("lab lab", &format!("keep w{number}\n")), "kept\n");
    }
    running.signal("KILL");
    running.wait_keeping();
    assert_eq!(verb(&running, &["kept"]).split_whitespace().count(), 20);
    assert_eq!(verb(&running, &["keep", "after"]), "kept\n");
}

#[test]
fn nodes_share_a_database_and_a_bucket() {
    let (postgres, s3) = (Postgres::start(), S3::start());
    let config = format!("{}{LAB}", shared(&postgres, &s3, &s3.bucket()));
    let (one, other) = (Setup::run(&config).start(), Setup::run(&config).start());
    assert_eq!(one.ask("lab lab", "keep one\n"), "kept\n");
    assert_eq!(other.ask("lab lab", "kept\n"), "one\n");
    assert_eq!(verb(&other, &["keep", "two"]), "kept\n");
    assert_eq!(one.ask("lab lab", "kept\n"), "one two\n");
    assert_eq!(postgres.sql("SELECT word FROM lab.word ORDER BY number"), "one\ntwo");
    for running in [&one, &other] {
        assert!(!running.path("data/lab.db").exists());
        assert!(!running.path("data/lab/blobs").exists());
    }
    one.stop();
    assert_eq!(other.ask("lab lab", "kept\n"), "one two\n");
    other.stop();
}

#[test]
fn a_service_that_keeps_nothing_opens_nothing() {
    let config = "[host]\ndatabase = 'postgres://u:hunter2@127.0.0.1:1/d'\nstore = 's3://bucket?endpoint=http://127.0.0.1:1'\n\
                  [lab]\nlisten = '127.0.0.1:0'\nenabled = true\n";
    let running = Setup::run(config).start();
    assert_eq!(running.ask("lab lab", "kept\n"), "keeps nothing\n");
    assert_eq!(verb(&running, &["idle"]), "idle\n");
    let log = running.stop();
    assert!(!log.contains("hunter2"), "{log}");
}

#[test]
fn what_cannot_be_opened_is_named_without_its_password() {
    let config = format!("[host]\ndatabase = 'postgres://u:hunter2@127.0.0.1:1/d'\n{LAB}");
    let said = Setup::run(&config).ran().fails(1);
    assert!(said.contains("the database `postgres://u:********@127.0.0.1:1/d` is not available now"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");

    let config = format!("[host]\nstore = 's3://bucket?endpoint=http://127.0.0.1:1'\nstore_access_key = 'a'\n{LAB}");
    let said = Setup::run(&config).ran().fails(1);
    assert!(said.contains("`host.store_secret_key` one is given"), "{said}");

    let config = format!("[host]\ndatabase_file = 'database'\n{LAB}");
    let said = Setup::run(&config).file("database", "postgres://u:hunter2@127.0.0.1:port/d\n").ran().fails(1);
    assert!(said.contains("`host.database_file`") && said.contains("invalid port"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn secrets_come_from_files_too() {
    let (postgres, s3) = (Postgres::start(), S3::start());
    let config = format!(
        "[host]\ndatabase_file = 'database'\nstore = '{}'\nstore_access_key_file = 'a'\nstore_secret_key_file = 'b'\n{LAB}",
        s3.bucket()
    );
    let (access_key, secret_key) = s3.keys();
    let setup = Setup::run(&config).file("database", &postgres.url()).file("a", access_key).file("b", secret_key);
    let running = setup.start();
    assert_eq!(running.ask("lab lab", "keep one\n"), "kept\n");
    assert_eq!(postgres.sql("SELECT word FROM lab.word"), "one");
    running.stop();
}

#[test]
fn the_configuration_is_shown_without_passwords() {
    let show = |set: &str| Ran::of(&mut opsctl(["config", "show", "--set", set])).ok();
    let shown = show("host.database=postgres://u:hunter2@h/d?sslmode=require");
    assert!(shown.contains("database = \"postgres://u:********@h/d?sslmode=require\""), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(show("host.grace=1s").contains("database = \"sqlite\"\n"));
    assert!(show("host.store=s3://b-1/x").contains("store = \"s3://b-1/x\"\n"));
    assert!(!show("host.store_secret_key=hunter2").contains("hunter2"));
    for set in [
        "host.database=mysql://u:hunter2@h/d",
        "host.database=postgres://u:hunter2@h/d?hunter=2",
        "host.store=s3://a:hunter2@bucket",
    ] {
        let said = Ran::of(&mut opsctl(["config", "check", "--set", set])).fails(78);
        assert!(!said.contains("hunter2") && said.contains("********"), "{said}");
    }
}

#[test]
fn a_verb_becomes_the_account_of_the_services() {
    if !is_root() {
        // nobody else can become somebody
        return;
    }
    let dir = tempfile::Builder::new().prefix("opsctl-").tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let data = dir.path().join("data");
    let lab = |words: &[&str]| Ran::of(opsctl(["lab"]).arg("--data-dir").arg(&data).args(words));
    let said = lab(&["keep", "one"]).fails(1);
    assert!(said.contains("host.user=NAME"), "{said}");
    assert!(!data.exists(), "nothing was touched");
    assert_eq!(lab(&["idle"]).ok(), "idle\n");
    assert_eq!(lab(&["--user", "nobody", "keep", "one"]).ok(), "kept\n");
    assert_eq!(lab(&["--user", "nobody", "kept"]).ok(), "one\n");
    for path in ["lab.db", "lab/blobs/words/one"] {
        let owner = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(data.join(path)).unwrap());
        assert_eq!(owner, 65534, "{path}");
    }
}

/// Disk full in the middle of a write: said, and nothing half there.
#[test]
fn a_full_disk_is_said_and_survived() {
    let script = "
        mount -t tmpfs -o size=600k,mode=777 t /mnt
        \"$OPSCTL\" lab --allow-root --data-dir /mnt keep first
        head -c 1000000 /dev/zero > /mnt/filler 2>/dev/null || true
        if \"$OPSCTL\" lab --allow-root --data-dir /mnt keep second 2> /tmp/said-$$; then exit 9; fi
        cat /tmp/said-$$; rm /tmp/said-$$ /mnt/filler
        \"$OPSCTL\" lab --allow-root --data-dir /mnt kept
        \"$OPSCTL\" lab --allow-root --data-dir /mnt keep third
        \"$OPSCTL\" lab --allow-root --data-dir /mnt kept
    ";
    let mut command = std::process::Command::new(program("unshare", "util-linux"));
    if !is_root() {
        command.args(["--map-root-user", "--map-auto"]);
    }
    let ran = Ran::of(command.args(["--mount", "sh", "-euc", script]).env("OPSCTL", OPSCTL));
    let said = ran.ok();
    assert!(said.contains("there is no room left in"), "{said}");
    assert!(said.ends_with("first\nkept\nfirst third\n"), "{said}");
}

#[test]
fn the_lab_is_not_in_the_defaults() {
    assert!(!read(concat!(env!("CARGO_MANIFEST_DIR"), "/../config/opsctl.toml")).contains("[lab]"));
}
