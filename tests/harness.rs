//! Starts the binary, waits for it, talks to it, stops it.

#![allow(dead_code, reason = "each module of the suite uses its part")]

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a condition may take on a busy machine. Costs nothing when it holds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The binary under test.
pub(crate) const OPSCTL: &str = env!("CARGO_BIN_EXE_opsctl");

/// Waits until `condition` gives a value; the one place that sleeps.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, condition: impl FnMut() -> Option<T>) -> T {
    eventually_within(PATIENCE, condition).unwrap_or_else(|| panic!("never happened: {what}"))
}

/// The same, for who has more to say when it never happens.
pub(crate) fn eventually_within<T>(patience: Duration, mut condition: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(value) = condition() {
            return Some(value);
        }
        if Instant::now() > deadline {
            return None;
        }
        std::thread::sleep(Duration::from_millis(3));
    }
}

/// The binary with these arguments, in an environment without ours.
pub(crate) fn opsctl<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(OPSCTL);
    command.args(args).stdin(Stdio::null());
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"OPSCTL_")) {
        command.env_remove(name);
    }
    for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"] {
        command.env_remove(name);
    }
    command
}

/// Runs the binary to its end.
#[track_caller]
pub(crate) fn run<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Ran {
    Ran::of(&mut opsctl(args))
}

/// What a program that ended left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    #[track_caller]
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap_or_else(|error| panic!("failed to run {command:?}: {error}"));
        Self::from(output)
    }

    /// Its standard output, if it succeeded.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{}{}", self.stdout, self.stderr);
        self.stdout
    }

    /// Its standard output, if it ended with `code`.
    #[track_caller]
    pub(crate) fn fails_with_output(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{}{}", self.stdout, self.stderr);
        self.stdout
    }

    /// Its standard error, if it ended with `code`.
    #[track_caller]
    pub(crate) fn fails(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{}{}", self.stdout, self.stderr);
        self.stderr
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// A program that Debian has; a test that needs one fails where it is missing, and names the package.
#[track_caller]
pub(crate) fn program(name: &str, package: &str) -> PathBuf {
    let folders = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .collect::<Vec<_>>();
    folders
        .iter()
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("`{name}` is missing: install Debian's package `{package}` (cargo xtask setup)"))
}

/// A program to be started in a temporary folder of its own.
pub(crate) struct Setup {
    pub(crate) dir: TempDir,
    pub(crate) command: Command,
    config: String,
}

impl Setup {
    /// `opsctl <args>`, with the options every start here has; `config` is its file.
    pub(crate) fn new<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>, config: &str) -> Self {
        let dir = tempfile::Builder::new().prefix("opsctl-").tempdir().unwrap();
        let command = in_folder(dir.path(), args);
        Self { dir, command, config: config.to_owned() }
    }

    /// `opsctl run` with this configuration; the status page is on port 0.
    pub(crate) fn run(config: &str) -> Self {
        let mut setup = Self::new(["run"], config);
        setup.command.args(["--set", "host.listen=127.0.0.1:0"]);
        setup
    }

    /// A command of the caller's, with its folder.
    pub(crate) fn of(dir: TempDir, command: Command, config: &str) -> Self {
        Self { dir, command, config: config.to_owned() }
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    pub(crate) fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    /// Writes a file into the folder, before the start.
    pub(crate) fn file(self, name: &str, text: &str) -> Self {
        std::fs::write(self.dir.path().join(name), text).unwrap();
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Starts it and does not wait for anything.
    #[track_caller]
    pub(crate) fn spawn(self) -> Running {
        std::fs::write(self.dir.path().join("opsctl.toml"), &self.config).unwrap();
        let mut running = Running { child: None, dir: self.dir, log: Arc::default(), readers: Vec::new() };
        running.spawn(self.command);
        running
    }

    /// Starts it and waits until all services accept.
    #[track_caller]
    pub(crate) fn start(self) -> Running {
        let mut running = self.spawn();
        running.wait_until_ready();
        running
    }

    /// Runs it to its end.
    #[track_caller]
    pub(crate) fn ran(self) -> Ran {
        self.spawn().wait()
    }
}

/// `opsctl <args>` with its files in `dir`.
fn in_folder<S: AsRef<OsStr>>(dir: &Path, args: impl IntoIterator<Item = S>) -> Command {
    let mut command = opsctl(args);
    command.arg("--config").arg(dir.join("opsctl.toml"));
    command.arg("--data-dir").arg(dir.join("data"));
    command.arg("--ready-file").arg(dir.join("ready"));
    command.args(["--allow-root", "--log-format", "json", "--log-level", "debug,hyper=info"]);
    command
}

fn collect(stream: Option<Box<dyn Read + Send>>, log: &Arc<Mutex<String>>) -> std::thread::JoinHandle<()> {
    let log = Arc::clone(log);
    std::thread::spawn(move || {
        let Some(stream) = stream else { return };
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        while stream.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            log.lock().unwrap().push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
    })
}

/// A program that runs. Killed at the end of the test if it still does.
pub(crate) struct Running {
    child: Option<Child>,
    pub(crate) dir: TempDir,
    log: Arc<Mutex<String>>,
    readers: Vec<std::thread::JoinHandle<()>>,
}

impl Running {
    fn spawn(&mut self, mut command: Command) {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        let readers = [
            collect(child.stdout.take().map(|stdout| Box::new(stdout) as Box<dyn Read + Send>), &self.log),
            collect(child.stderr.take().map(|stderr| Box::new(stderr) as Box<dyn Read + Send>), &self.log),
        ];
        self.readers.extend(readers);
        self.child = Some(child);
    }

    /// `opsctl run` in the same folder, after it has ended; waits until all services accept.
    #[track_caller]
    pub(crate) fn start_again(&mut self) {
        assert!(self.child.is_none(), "it still runs");
        let _ = std::fs::remove_file(self.path("ready"));
        let mut command = in_folder(self.dir.path(), ["run"]);
        command.args(["--set", "host.listen=127.0.0.1:0"]);
        self.spawn(command);
        self.wait_until_ready();
    }

    #[track_caller]
    pub(crate) fn wait_until_ready(&mut self) {
        let ready = self.dir.path().join("ready");
        let child = self.child.as_mut().expect("it runs");
        let ended = eventually_within(PATIENCE, || match child.try_wait().unwrap() {
            None => ready.exists().then_some(None),
            ended => Some(ended),
        });
        match ended {
            Some(None) => {}
            Some(Some(status)) => panic!("ended before it was ready ({status}):\n{}", self.log()),
            None => panic!("never became ready:\n{}", self.log()),
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Everything that it has printed so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until it has printed `text`.
    #[track_caller]
    pub(crate) fn logs(&self, text: &str) {
        let found = eventually_within(PATIENCE, || self.log().contains(text).then_some(()));
        assert!(found.is_some(), "never logged {text:?}:\n{}", self.log());
    }

    /// Addresses by `service listener`, from the ready file.
    pub(crate) fn addresses(&self) -> HashMap<String, Vec<String>> {
        let text = std::fs::read_to_string(self.path("ready")).unwrap();
        let mut addresses: HashMap<String, Vec<String>> = HashMap::new();
        for line in text.lines() {
            let (listener, address) = line.rsplit_once(' ').unwrap();
            addresses.entry(listener.to_owned()).or_default().push(address.to_owned());
        }
        addresses
    }

    /// Where `service listener` listens.
    #[track_caller]
    pub(crate) fn address(&self, listener: &str) -> String {
        let addresses = self.addresses();
        addresses.get(listener).unwrap_or_else(|| panic!("no `{listener}` in {addresses:?}"))[0].clone()
    }

    /// Sends `query` to a listener and reads to the end.
    #[track_caller]
    pub(crate) fn ask(&self, listener: &str, query: &str) -> String {
        ask(&self.address(listener), query).unwrap()
    }

    /// GETs a path from the status page: status code and body.
    #[track_caller]
    pub(crate) fn get(&self, path: &str, accept: &str) -> (u16, String) {
        http_get(&self.address("host status"), path, accept)
    }

    /// The status page as JSON text.
    #[track_caller]
    pub(crate) fn status(&self) -> String {
        self.get("/", "application/json").1
    }

    /// Runs `opsctl <command>` against it.
    #[track_caller]
    pub(crate) fn control(&self, command: &str) -> Ran {
        Ran::of(
            opsctl([command]).arg("--config").arg(self.path("opsctl.toml")).arg("--data-dir").arg(self.path("data")),
        )
    }

    /// Replaces its configuration file.
    pub(crate) fn configure(&self, config: &str) {
        let beside = self.path("opsctl.toml.new");
        std::fs::write(&beside, config).unwrap();
        std::fs::rename(beside, self.path("opsctl.toml")).unwrap();
    }

    pub(crate) fn signal(&self, signal: &str) {
        let status = Command::new("kill").args(["-s", signal]).arg(self.pid().to_string()).status().unwrap();
        assert!(status.success());
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn wait(mut self) -> Ran {
        self.wait_keeping()
    }

    /// Waits for its end and keeps its folder.
    #[track_caller]
    pub(crate) fn wait_keeping(&mut self) -> Ran {
        let status = self.wait_status();
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        Ran { code: status.code(), stdout: String::new(), stderr: self.log() }
    }

    #[track_caller]
    fn wait_status(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("it runs");
        eventually_within(PATIENCE, || child.try_wait().unwrap()).unwrap_or_else(|| {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("never ended:\n{}", self.log());
        })
    }

    /// Stops it by SIGTERM; it must end in order.
    #[track_caller]
    pub(crate) fn stop(self) -> String {
        self.signal("TERM");
        self.wait().fails(0)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // it may have ended by itself
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            eprintln!("--- what it printed:\n{}", self.log());
        }
    }
}

/// Sends `query` over a new TCP connection and reads to the end.
pub(crate) fn ask(address: &str, query: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(query.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// One GET: status code and body.
#[track_caller]
pub(crate) fn http_get(address: &str, path: &str, accept: &str) -> (u16, String) {
    let mut request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n");
    if !accept.is_empty() {
        write!(request, "Accept: {accept}\r\n").unwrap();
    }
    let answer = ask(address, &format!("{request}\r\n")).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head in {answer:?}"));
    let code = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap();
    (code, body.to_owned())
}

/// One POST over a unix socket: the body of the answer.
#[track_caller]
pub(crate) fn post(socket: &Path, path: &str) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "POST {path} HTTP/1.0\r\nHost: test\r\nContent-Length: 0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head in {answer:?}")).1.to_owned()
}

/// Whether the suite runs as root: what needs it is driven another way otherwise.
pub(crate) fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    status.lines().any(|line| line.starts_with("Uid:\t0\t0"))
}

/// A file's text.
#[track_caller]
pub(crate) fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("failed to read {}: {error}", path.display()))
}
