//! A look at processes that a test made up, read by psi from a proc file system in a temporary folder.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use psi::{Fields, Owner, Protocol, Socket, SocketState};

use crate::look::{Look, Needs, system};

/// One process.
#[derive(Clone, Debug)]
pub(crate) struct Fake {
    pub(crate) pid: u32,
    pub(crate) parent: u32,
    pub(crate) name: &'static str,
    pub(crate) args: &'static str,
    pub(crate) uid: u32,
    pub(crate) cgroup: &'static str,
    pub(crate) port: u16,
    pub(crate) kernel: bool,
    /// Hundredths of a second.
    pub(crate) cpu: u64,
    /// Pages.
    pub(crate) resident: u64,
    /// Hundredths of a second after boot.
    pub(crate) start: u64,
}

impl Default for Fake {
    fn default() -> Self {
        Self {
            pid: 1,
            parent: 0,
            name: "fake",
            args: "",
            uid: 0,
            cgroup: "/",
            port: 0,
            kernel: false,
            cpu: 0,
            resident: 0,
            start: 100,
        }
    }
}

impl Fake {
    fn write(&self, root: &Path) {
        let folder = root.join(self.pid.to_string());
        let Self { pid, parent, name, cpu, resident, start, .. } = self;
        let flags = u32::from(self.kernel) << 21;
        let stat = format!(
            "{pid} ({name}) S {parent} {pid} {pid} 0 -1 {flags} 0 0 0 0 {cpu} 0 0 0 20 0 1 0 {start} 8192 {resident} \
             0 0 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0\n"
        );
        fs::create_dir_all(&folder).unwrap();
        let file = |name: &str, text: String| fs::write(folder.join(name), text).unwrap();
        file("stat", stat);
        file("cmdline", self.args.replace(' ', "\0") + if self.args.is_empty() { "" } else { "\0" });
        file("cgroup", format!("0::{}\n", self.cgroup));
    }
}

/// What is seen of these processes, 1000 seconds after boot, on a machine with 1 GiB.
pub(crate) fn look(processes: &[Fake]) -> Look {
    let root = tempfile::tempdir().unwrap();
    let etc = root.path().join("1/root/etc");
    fs::create_dir_all(&etc).unwrap();
    fs::write(etc.join("passwd"), "root:x:0:0:::\nwww-data:x:33:33:::\n").unwrap();
    fs::write(etc.join("group"), "root:x:0:\n").unwrap();
    for (name, text) in [("uptime", "1000.00 0\n"), ("meminfo", "MemTotal: 1048576 kB\nMemAvailable: 524288 kB\n")] {
        fs::write(root.path().join(name), text).unwrap();
    }
    fs::write(root.path().join("stat"), "btime 1000000\n").unwrap();
    processes.iter().for_each(|process| process.write(root.path()));
    let needs = Needs::fields(Fields::OWNER | Fields::ARGS | Fields::CGROUP);
    let mut look = Look::new(&system(Some(root.path()), None), needs).unwrap();
    assert_eq!(look.table.processes.len(), processes.len());
    for fake in processes {
        let process = look.table.processes.iter_mut().find(|process| process.pid() == fake.pid).unwrap();
        // folders belong to whoever runs the test
        process.owner = Ok(Owner { uid: fake.uid, gid: fake.uid });
        if fake.port > 0 {
            look.ports.insert(fake.pid, vec![listener(fake.port)]);
        }
    }
    look.needs.ports = true;
    look
}

/// A TCP socket that listens on every address.
fn listener(port: u16) -> Socket {
    Socket {
        protocol: Protocol::Tcp,
        local: SocketAddr::from(([0, 0, 0, 0], port)),
        remote: SocketAddr::from(([0, 0, 0, 0], 0)),
        state: SocketState::Listening,
        receive_queue: 0,
        send_queue: 0,
        uid: 0,
        inode: 1,
        owners: Vec::new(),
    }
}
