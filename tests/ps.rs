//! `opsctl ps` against the programs that people trust: lists, filters, JSON, names that nobody expects, what it says when
//! there is nothing.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::harness::{OPSCTL, Ran, eventually, is_root, opsctl, program, run};
use crate::privileges::in_a_namespace;

/// A process that ends with the test.
struct Idle(Child);

impl Idle {
    fn of(command: &mut Command) -> Self {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let (pid, program) = (child.id(), command.get_program().as_bytes().to_owned());
        // before exec it is still the test
        eventually("the program runs", || {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap();
            line.starts_with(&program).then_some(())
        });
        Self(child)
    }

    fn pid(&self) -> String {
        self.0.id().to_string()
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `opsctl ps` in an environment that does not colour what it says.
fn ps<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = opsctl(["ps"]);
    command.args(args).env("LC_ALL", "C.UTF-8").env("TERM", "xterm").env_remove("NO_COLOR");
    command
}

fn lines<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Vec<String> {
    Ran::of(&mut ps(args)).ok().lines().map(str::to_owned).collect()
}

/// Runs a Python program that gets our binary and `args`.
#[track_caller]
fn python(script: &str, args: &[&str]) -> String {
    let mut python = Command::new(program("python3", "python3"));
    let python = python.args(["-c", script, OPSCTL]).args(args).env("LC_ALL", "C.UTF-8");
    Ran::of(python).ok()
}

/// Everything that `ps` and we both tell of all processes, by ps before, us, and ps after: what did not change in between is
/// the same.
const COMPARE: &str = r#"
import json, subprocess, sys
FIELDS = "pid ppid pgid sid euid egid ruid rgid suid nlwp ni rtprio rss vsz tty comm"
NAMES = "pid parent group session uid gid real_uid real_gid saved_uid threads nice realtime resident_size virtual_size terminal name"
def theirs():
    said = subprocess.run(["ps", "-eo", ",".join(f + (":99=" if f == "tty" else "=") for f in FIELDS.split())],
                          stdout=subprocess.PIPE, check=True).stdout.decode("utf-8", "replace")
    count = len(FIELDS.split())
    lines = (line.split(None, count - 1) for line in said.splitlines())
    return {int(words[0]): words for words in lines if len(words) == count}
def is_same(process, name, said):
    own = process[name]
    if name in ("resident_size", "virtual_size"):
        # the kernel sums memory up from counters that are late by some pages
        return abs(own // 1024 - int(said)) <= 1024
    if name == "nice" and said == "-":
        return True  # ps has none for classes that take no notice of it
    if name == "realtime":
        return own == (0 if said == "-" else int(said))
    if name == "terminal":
        return own == (None if said == "?" else said)
    if name == "name":
        # ps shows the work of the kernel's workers as well
        return process["kernel"] or "bytes" in process or not own.isprintable() or own.split() == said.split()
    return own == int(said)
def differences():
    before = theirs()
    ours = json.loads(subprocess.run([sys.argv[1], "ps", "-k", "--json", "-o", "+" + NAMES.replace(" ", ",+")],
                                     stdout=subprocess.PIPE, check=True).stdout)
    after = theirs()
    assert {process["pid"] for process in ours} >= set(before) & set(after)
    still = [process for process in ours if before.get(process["pid"], 0) == after.get(process["pid"])]
    assert len(still) > 3, still
    return {(process["pid"], name, str(process[name]), said) for process in still
            for name, said in zip(NAMES.split(), before[process["pid"]]) if not is_same(process, name, said)}
# what changed and changed back in between is not there the next time
wrong = differences()
for _ in range(5):
    wrong = wrong and wrong & differences()
assert not wrong, wrong
"#;

#[test]
fn ps_says_the_same() {
    program("ps", "procps");
    python(COMPARE, &[]);
}

#[test]
fn the_list_has_a_line_each_and_json_an_object() {
    let idle = Idle::of(Command::new("sleep").arg("600"));
    let list = lines(["-c", "sleep 600"]);
    assert_eq!(
        list[0].split_whitespace().collect::<Vec<_>>(),
        ["PID", "USER", "S", "CPU%LIFE", "RSS", "START", "TIME", "COMMAND"]
    );
    let line = list.iter().find(|line| line.trim_start().starts_with(&format!("{} ", idle.pid()))).unwrap();
    assert!(line.ends_with(" sleep 600"), "{line}");
    let script = "import json, subprocess, sys\n\
        [one] = json.loads(subprocess.check_output([sys.argv[1], 'ps', '-o', 'pid', sys.argv[2], '--json']))\n\
        assert one['args'] == ['sleep', '600'] and one['command'] == 'sleep 600', one\n\
        assert one['state'] in 'SR' and one['user'] and one['start_time'].endswith('Z') and one['age'] >= 0, one\n\
        assert isinstance(one['rss'] if 'rss' in one else one['resident_size'], int), one\n\
        [one] = json.loads(subprocess.check_output([sys.argv[1], 'ps', sys.argv[2], '--json']))\n\
        columns = json.loads(subprocess.check_output([sys.argv[1], 'ps', 'columns', '--json']))\n\
        assert [column['name'] for column in columns] == [name for name in one if name in {column['name'] for column in columns}], one\n\
        assert len(columns) > 50 and one['exe'].endswith('/sleep') and one['parents'] and one['sockets'] == [] and 'HOME' in str(one['env']), one\n";
    python(script, &[&idle.pid()]);
}

#[test]
fn a_share_is_counted_since_the_start_or_over_a_while() {
    let busy = Idle::of(Command::new("sh").args(["-c", "while :; do :; done"]));
    let head = |args: &[&str]| lines(args)[0].clone();
    assert!(head(&["-o", "cpu", &busy.pid()]).ends_with("CPU%LIFE"));
    let list = lines(["-o", "pid,cpu", "-i", "500ms", &busy.pid()]);
    assert!(list[0].contains("CPU%0.") && list[0].ends_with('s'), "{list:?}");
    let share: f64 = list[1].split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(share > 0.0 && share < 120.0, "{list:?}");
}

#[test]
fn filters_narrow_each_other() {
    let idle = Idle::of(Command::new("sleep").arg("601"));
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = UdpSocket::bind("[::1]:0").unwrap();
    let own = std::process::id().to_string();
    let (tcp, udp) = (tcp.local_addr().unwrap(), udp.local_addr().unwrap());
    for (address, protocol, options) in [(tcp, "tcp", "-Hltnp"), (udp, "udp", "-Hlunp")] {
        let list = lines(["--port", &address.port().to_string(), "-o", "pid,ports"]);
        let line = list.iter().find(|line| line.trim_start().starts_with(&format!("{own} "))).unwrap();
        assert!(line.contains(&format!("{protocol}:{address}")), "{list:?}");
        let said = Ran::of(Command::new(program("ss", "iproute2")).arg(options)).ok();
        let said = said.lines().find(|line| line.contains(&address.to_string())).unwrap();
        assert!(said.contains(&format!("pid={own},")), "{said}");
    }
    // either alone fits something
    let both = Ran::of(&mut ps(["--port", &tcp.port().to_string(), "-c", "sleep 601"])).fails(1);
    assert!(both.starts_with("no process fits"), "{both}");
    let script = "import json, os, subprocess, sys\n\
        ask = lambda *args: [p['pid'] for p in json.loads(subprocess.check_output([sys.argv[1], 'ps', '--json', *args]))]\n\
        pid = int(sys.argv[2])\n\
        groups = [line[3:] for line in open(f'/proc/{pid}/cgroup').read().splitlines() if line.startswith('0::')]\n\
        assert pid in ask('sleep 601') and pid in ask('nothing', 'EEP 60'.lower()) and pid not in ask('Sleep 601')\n\
        assert pid in ask('-u', str(os.geteuid())) and pid in ask('-u', str(os.geteuid()), '-c', 'sleep 601')\n\
        assert all(pid in ask('--cgroup', group) for group in groups)\n";
    python(script, &[&idle.pid()]);
}

#[test]
fn another_users_process_is_found_by_its_user() {
    if !is_root() {
        return in_a_namespace("ps::another_users_process_is_found_by_its_user");
    }
    let mut setpriv = Command::new(program("setpriv", "util-linux"));
    let others = setpriv.args(["--reuid=4242", "--clear-groups", "sleep", "602"]).stdin(Stdio::null()).spawn().unwrap();
    let others = Idle(others);
    let found = eventually("it became somebody else", || {
        let ran = Ran::of(&mut ps(["-u", "4242", "-o", "pid,user,uid,command"]));
        (ran.code == Some(0)).then_some(ran.stdout)
    });
    assert_eq!(
        found.lines().nth(1).unwrap().split_whitespace().collect::<Vec<_>>(),
        [&others.pid(), "4242", "4242", "sleep", "602"]
    );
    // and the other way round: what may not be looked at is told, the rest is there
    let mut setpriv = Command::new(program("setpriv", "util-linux"));
    let command = setpriv.args(["--reuid=4243", "--regid=4243", "--clear-groups", OPSCTL, "ps", &others.pid()]);
    let detail = Ran::of(command.env("LC_ALL", "C.UTF-8")).ok();
    assert!(
        detail.contains("  command     sleep 602\n") && detail.contains("  env  insufficient privileges\n"),
        "{detail}"
    );
    let script = "import json, subprocess, sys\n\
        said = subprocess.check_output(['setpriv', '--reuid=4243', '--regid=4243', '--clear-groups', sys.argv[1], 'ps', '--json', sys.argv[2]])\n\
        [one] = json.loads(said)\n\
        assert one['exe'] is None and one['missing']['exe'] == 'insufficient privileges' and one['uid'] == 4242, one\n";
    python(script, &[&others.pid()]);
}

#[test]
fn a_tree_shows_who_is_whose_child() {
    let shell = Idle::of(Command::new("sh").args(["-c", "sleep 603 & sh -c 'sleep 604; :' & wait"]));
    let tree = eventually("the children run", || {
        let tree = lines(["--tree", &shell.pid(), "-o", "command"]);
        (tree.len() == 5 && tree.iter().filter(|line| line.contains("sleep 60")).count() >= 4).then_some(tree)
    });
    let expected = [
        "COMMAND",
        "sh -c sleep 603 & sh -c 'sleep 604; :' & wait",
        "├─ sleep 603",
        "└─ sh -c sleep 604; :",
        "   └─ sleep 604",
    ];
    assert_eq!(tree, expected);
    let ascii = Ran::of(ps(["--tree", &shell.pid(), "-o", "command"]).env("LC_ALL", "C")).ok();
    assert_eq!(ascii.lines().nth(4), Some("   `- sleep 604"));
    let pids = |line: &str| std::fs::read_to_string(format!("/proc/{line}/task/{line}/children")).unwrap();
    for child in pids(&shell.pid()).split_whitespace().flat_map(|child| [pids(child), child.to_owned()]) {
        for pid in child.split_whitespace() {
            // the shell's children would outlive it; one of them ends with the other
            Command::new("kill").arg(pid).output().unwrap();
        }
    }
}

/// A copy of `sleep` under another name.
fn named(folder: &Path, name: &[u8]) -> (Idle, OsString) {
    let path = folder.join(OsStr::from_bytes(name));
    std::fs::copy("/bin/sleep", &path).unwrap();
    let idle = Idle::of(Command::new(&path).arg("605"));
    (idle, path.into_os_string())
}

#[test]
fn names_may_be_anything_and_a_terminal_sees_none_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().display();
    for (name, shown) in [
        (&b":-) 1 2"[..], ":-) 1 2"),
        (b"a) R 1 (b", "a) R 1 (b"),
        (b"new\nline", "new\\nline"),
        (b"\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        (b"\xff\xfe", "\\xff\\xfe"),
        ("日本語".as_bytes(), "日本語"),
        ("\u{202e}live".as_bytes(), "\\u{202e}live"),
    ] {
        let (idle, path) = named(folder.path(), name);
        let list = Ran::of(&mut ps(["-o", "name,command", &idle.pid()])).ok();
        let line = list.lines().nth(1).unwrap();
        assert!(line.starts_with(shown) && line.ends_with(&format!(" {at}/{shown} 605")), "{list}");
        assert_eq!(list.lines().count(), 2, "{list:?}");
        let detail = Ran::of(&mut ps([&idle.pid()])).ok();
        assert!(detail.contains(&format!("  exe         {at}/{shown}\n")), "{detail}");
        for said in [&list, &detail] {
            assert!(said.chars().all(|c| c == '\n' || !c.is_control()), "{said:?}");
        }
        let script = "import json, os, subprocess, sys\n\
            [one] = json.loads(subprocess.check_output([sys.argv[1], 'ps', '--json', sys.argv[2]]))\n\
            path = bytes.fromhex(sys.argv[3])\n\
            try:\n    path.decode()\n    assert 'bytes' not in one and os.fsencode(one['exe']) == path, one\n\
            except UnicodeDecodeError:\n    assert '\\ufffd' in one['exe'] and bytes.fromhex(one['bytes']['exe']) == path, one\n";
        let hex: String = path.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        python(script, &[&idle.pid(), &hex]);
    }
}

#[test]
fn wide_characters_keep_the_columns_straight() {
    let folder = tempfile::tempdir().unwrap();
    let ((one, _), (two, _)) = (named(folder.path(), "日本".as_bytes()), named(folder.path(), b"ab"));
    let list = lines(["-o", "name,pid", &one.pid(), &two.pid()]);
    // two wide characters take what four others take
    let before = |line: &str| {
        line.chars().take_while(|c| !c.is_ascii_digit()).map(|c| if c.is_ascii() { 1 } else { 2 }).sum::<usize>()
    };
    let pad = |pid: &str| one.pid().len().max(two.pid().len()) - pid.len();
    assert_eq!(before(&list[1]) - pad(&one.pid()), before(&list[2]) - pad(&two.pid()), "{list:?}");
}

#[test]
fn the_ended_are_gone_and_zombies_stay() {
    let mut child = Command::new("true").spawn().unwrap();
    let pid = child.id().to_string();
    let zombie = eventually("it ends", || {
        let line = lines(["-o", "state,command", &pid])[1].clone();
        line.starts_with('Z').then_some(line)
    });
    assert_eq!(zombie, "Z [true]");
    assert!(Ran::of(&mut ps([&pid])).ok().contains("  state      Z\n"));
    // arguments are told one by one only where the command line does not tell them apart
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("two words");
    std::fs::write(&file, "").unwrap();
    let tail = Idle::of(Command::new("tail").arg("-f").arg(&file));
    let detail = Ran::of(&mut ps([&tail.pid()])).ok();
    let args = format!("  args        tail\n              -f\n              {}\n", file.display());
    assert!(detail.contains(&args), "{detail}");
    assert!(!Ran::of(&mut ps([&Idle::of(Command::new("sleep").arg("607")).pid()])).ok().contains("  args "));
    child.wait().unwrap();
    for args in [&[&*pid][..], &["-o", "pid", &pid], &["--json", &pid]] {
        let ran = Ran::of(&mut ps(args));
        assert!(!ran.stdout.contains(&pid), "{ran:?}");
        assert_eq!(ran.fails(1), format!("no process `{pid}`\n"));
    }
    let ran = Ran::of(&mut ps([&pid, &std::process::id().to_string()]));
    assert!(ran.code == Some(1) && ran.stdout.contains("program\n"), "the others are told: {ran:?}");
    for none in ["0", "4294967296", "99999999999999999999999"] {
        assert_eq!(run(["ps", none]).fails(1), format!("no process `{none}`\n"));
    }
}

#[test]
fn threads_of_the_kernel_are_left_out_but_not_denied() {
    // where there are none (a container) nothing is left out
    let list = run(["ps", "-k", "--json"]).ok();
    let some = list.contains("\"kernel\":true");
    assert!(!run(["ps", "--json"]).ok().contains("\"kernel\":true"));
    if some {
        assert_eq!(run(["ps", "[not a name of any program]"]).fails(1), "no process fits\n");
        let name = "kthreadd";
        assert_eq!(run(["ps", name]).fails(1), "no process fits but threads of the kernel, which -k shows\n");
        assert!(run(["ps", "-k", name]).ok().contains("[kthreadd]"));
    }
}

#[test]
fn mistakes_are_usage_errors() {
    for (args, said) in [
        (&["-o", "nonsense"][..], "there is no column `nonsense`"),
        (&["--sort", "nonsense"], "nonsense"),
        (&["--port", "70000"], "70000"),
        (&["-i", "fast"], "fast"),
        (&["1", "word"], "a process number asks for everything"),
        (&["--tree", "system"], "go with no other command"),
        (&["system", "nonsense"], "machine, cpu, memory"),
        (&["--watch"], "--watch needs a terminal"),
        (&["--watch", "--json"], "--json"),
        (&["debug"], "macros"),
    ] {
        let error = Ran::of(&mut ps(args)).fails(2);
        assert!(error.contains(said), "{args:?}: {error}");
    }
    assert_eq!(run(["ps", "-u", "nobody-has-this-name"]).fails(1), "error: there is no user `nobody-has-this-name`\n");
    let error = run(["ps", "--proc-root", "/nonexistent"]).fails(1);
    assert!(error.contains("`/nonexistent"), "{error}");
}

#[test]
fn a_reader_may_have_seen_enough() {
    let bash = program("bash", "bash");
    for args in ["", "--json", "system", "columns"] {
        let line = format!("{OPSCTL} ps {args} | head -n 1 >&2");
        let ran = Ran::of(Command::new(&bash).args(["-o", "pipefail", "-c", &line]));
        assert_eq!((ran.code, ran.stderr.lines().count()), (Some(0), 1), "{args}: {ran:?}");
    }
    let mut full = ps(["--json"]);
    full.stdout(std::fs::File::options().write(true).open("/dev/full").unwrap());
    assert!(Ran::of(&mut full).fails(1).contains("No space left"), "what could not be written is an error");
}

#[test]
fn another_proc_and_sys_file_system() {
    let root = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &[u8]| {
        let path = root.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::File::create(path).unwrap().write_all(text).unwrap();
    };
    let stat = "S 1 7 7 0 -1 0 0 0 0 0 150 50 0 0 20 5 2 0 400 8192 3 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1 0 0\n";
    file("proc/7/stat", format!("7 (there) {stat}").as_bytes());
    file("proc/7/cmdline", b"/bin/there\0--far\0");
    file("proc/7/cgroup", b"0::/system.slice/there.service\n");
    file("proc/uptime", b"1000.00 0\n");
    file("proc/meminfo", b"MemTotal: 1048576 kB\n");
    file("proc/stat", b"btime 1000000\n");
    let proc_root = root.path().join("proc");
    let list = lines([
        "--proc-root".as_ref(),
        proc_root.as_os_str(),
        "--unit".as_ref(),
        "there".as_ref(),
        "-o".as_ref(),
        "pid,cpu,time,mem,unit,command".as_ref(),
    ]);
    assert_eq!(
        list[1].split_whitespace().collect::<Vec<_>>(),
        ["7", "0.2", "0:02.00", "0.0", "there.service", "/bin/there", "--far"]
    );

    let detail = lines(["--proc-root".as_ref(), proc_root.as_os_str(), "7".as_ref()]);
    assert!(detail.contains(&"  exe         -".to_owned()) && detail.contains(&"sockets".to_owned()), "{detail:#?}");

    file("sys/class/hwmon/hwmon0/name", b"coretemp\n");
    file("sys/class/hwmon/hwmon0/temp1_input", b"45500\n");
    file("sys/class/hwmon/hwmon0/temp1_label", b"Core 0\n");
    file("sys/class/hwmon/hwmon0/temp1_crit", b"100000\n");
    let sys_root = root.path().join("sys");
    let sensors = lines(["system".as_ref(), "sensors".as_ref(), "--sys-root".as_ref(), sys_root.as_os_str()]);
    assert_eq!(
        sensors[2].split_whitespace().collect::<Vec<_>>(),
        ["45.50", "°C", "-", "100.00", "coretemp", "Core", "0"]
    );
}

#[test]
fn hidden_processes_are_counted() {
    // in namespaces of its own: the shell there is root's, is listed, and must not be looked into
    let line = "mount -t proc -o hidepid=1 proc /proc && \
                setpriv --reuid=4244 --regid=4244 --clear-groups \"$0\" ps system machine --json; :";
    let mut unshare = Command::new(program("unshare", "util-linux"));
    if !is_root() {
        unshare.args(["--map-root-user", "--map-auto"]);
    }
    let said = Ran::of(unshare.args(["--mount", "--pid", "--fork", "sh", "-c", line, OPSCTL])).ok();
    assert!(said.contains("\"processes_hidden\": 1") && said.contains("\"processes\": 1,"), "{said}");
}

/// The machine by other means.
const MACHINE: &str = r#"
import json, os, shutil, socket, subprocess, sys
said = json.loads(subprocess.check_output([sys.argv[1], "ps", "system", "--json"]))
assert list(said) == "machine cpu memory pressure limits mounts disks interfaces sockets logins sensors".split(), list(said)
machine, uname = said["machine"], os.uname()
assert [machine[name] for name in ("system", "node", "release", "version", "machine")] == list(uname), machine
assert abs(machine["load_15"] - os.getloadavg()[2]) < 5 and machine["uptime"] > 0 and machine["processes"] > 1
assert len(said["cpu"]) == 1 + os.cpu_count(), said["cpu"]
assert said["memory"]["total"] == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), said["memory"]
root = [mount for mount in said["mounts"] if mount["point"] == "/"][-1]
assert root["size"] == shutil.disk_usage("/").total, root
assert {interface["name"] for interface in said["interfaces"]} == {name for _, name in socket.if_nameindex()}
port = int(sys.argv[2])
[listener] = [one for one in said["sockets"] if one["local"] == f"127.0.0.1:{port}"]
assert listener["protocol"] == "tcp" and int(sys.argv[3]) in listener["pids"], listener
protocols = json.loads(subprocess.check_output([sys.argv[1], "ps", "system", "protocols", "connections", "unix", "--json"]))
own, peer = f"127.0.0.1:{port}", sys.argv[4]
ends = {(one["local"], one["remote"], one["state"]) for one in protocols["connections"]}
assert {(own, peer, "established"), (peer, own, "established")} <= ends, ends
[named] = [one for one in protocols["unix"] if one["path"] == sys.argv[5]]
assert named["state"] == "listening" and int(sys.argv[3]) in named["pids"], named
assert [one for one in protocols["protocols"] if one["protocol"] == "Tcp" and one["name"] == "PassiveOpens"], protocols
"#;

#[test]
fn the_machine_is_what_others_say() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let peer = std::net::TcpStream::connect(address).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a socket").display().to_string();
    let _unix = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let (port, own) = (address.port().to_string(), std::process::id().to_string());
    python(MACHINE, &[&port, &own, &peer.local_addr().unwrap().to_string(), &path]);
    let text = run(["ps", "system"]).ok();
    for part in ["machine\n", "\nmemory\n", "\nlimits\n", "\nsensors\n"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(!text.contains("\nprotocols\n"), "only when it is named");
    assert_eq!(run(["ps", "system", "memory"]).ok().lines().next(), Some("memory"));
}

#[test]
fn dates_are_in_the_callers_time_zone() {
    let start = |zone: &str| {
        let detail = Ran::of(ps([std::process::id().to_string()]).env("TZ", zone)).ok();
        let line = detail.lines().find(|line| line.starts_with("  start_time ")).unwrap();
        line.split_whitespace().skip(1).collect::<Vec<_>>().join(" ")
    };
    assert!(start("UTC").ends_with(" +00:00") && start("<+0545>-5:45").ends_with(" +05:45"));
}

#[test]
fn debugging_calls_the_usual_programs() {
    let gcc = program("gcc", "gcc");
    let said = run(["ps", "debug", "macros", "--", "-DMINE=7"]).ok();
    let expected = Ran::of(Command::new(gcc).args(["-DMINE=7", "-E", "-dM", "-x", "c", "/dev/null"])).ok();
    assert!(said == expected && said.contains("#define MINE 7\n"), "{said}");
    assert!(run(["ps", "debug", "stack", "0"]).fails(1).contains("no process `0`"));

    let idle = Idle::of(Command::new("sleep").arg("606"));
    let folder = tempfile::tempdir().unwrap();
    let stack = || Ran::of(ps(["debug", "stack", &idle.pid()]).env("PATH", folder.path()));
    assert!(stack().fails(1).contains("which Debian has in the package `gdb`"));
    let gdb = folder.path().join("gdb");
    std::fs::write(&gdb, "#!/bin/sh\necho \"$@\"\n").unwrap();
    std::fs::set_permissions(&gdb, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let said = stack().ok();
    assert!(said.starts_with(&format!("-batch -p {} -ex", idle.pid())) && said.contains("backtrace"), "{said}");
}
