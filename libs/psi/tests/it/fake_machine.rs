//! A machine made by hand: what this one may not have (sensors, swap, logins, a group with limits) is read all the same.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use psi::{CgroupIo, Error, Sensor, SensorKind, System};
use tempfile::TempDir;

/// Files below a folder that is removed with the test.
struct Files(TempDir);

impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        let files_of = Self(tempfile::tempdir().unwrap());
        files.iter().for_each(|(name, text)| files_of.put(name, text.as_bytes()));
        files_of
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

fn sensor(chip: &str, label: &str, kind: SensorKind, value: f64) -> Sensor {
    Sensor { chip: chip.to_owned(), label: label.to_owned(), kind, value, high: None, critical: None }
}

#[test]
fn sensors_have_units_labels_and_limits() {
    let files = Files::new(&[
        ("class/hwmon/hwmon0/name", "coretemp\n"),
        ("class/hwmon/hwmon0/temp1_input", "45500\n"),
        ("class/hwmon/hwmon0/temp1_label", "Core 0\n"),
        ("class/hwmon/hwmon0/temp1_max", "80000\n"),
        ("class/hwmon/hwmon0/temp1_crit", "100000\n"),
        ("class/hwmon/hwmon0/temp2_input", "-5000\n"),
        // one that is broken, one that is no number, one that only looks like a sensor
        ("class/hwmon/hwmon0/temp3_label", "gone\n"),
        ("class/hwmon/hwmon0/temp4_input", "?\n"),
        ("class/hwmon/hwmon0/tempx_input", "1\n"),
        ("class/hwmon/hwmon1/name", "nct6775\n"),
        ("class/hwmon/hwmon1/fan2_input", "1350\n"),
        ("class/hwmon/hwmon1/in0_input", "1024\n"),
        ("class/hwmon/hwmon1/curr1_input", "2500\n"),
        ("class/hwmon/hwmon1/power1_input", "65000000\n"),
        // where there is a better one, zones are not asked
        ("class/thermal/thermal_zone0/type", "acpitz\n"),
        ("class/thermal/thermal_zone0/temp", "30000\n"),
    ]);
    let sensors = System::new().sys_root(files.path()).sensors().unwrap();
    let core = sensor("coretemp", "Core 0", SensorKind::Temperature, 45.5);
    let expected = [
        Sensor { high: Some(80.0), critical: Some(100.0), ..core },
        sensor("coretemp", "temp2", SensorKind::Temperature, -5.0),
        sensor("nct6775", "curr1", SensorKind::Current, 2.5),
        sensor("nct6775", "fan2", SensorKind::Fan, 1350.0),
        sensor("nct6775", "in0", SensorKind::Voltage, 1.024),
        sensor("nct6775", "power1", SensorKind::Power, 65.0),
    ];
    assert_eq!(sensors, expected);
}

#[test]
fn zones_serve_where_there_is_no_chip() {
    let files = Files::new(&[
        ("class/thermal/thermal_zone0/type", "acpitz\n"),
        ("class/thermal/thermal_zone0/temp", "30000\n"),
        ("class/thermal/cooling_device0/type", "Fan\n"),
    ]);
    let system = System::new().sys_root(files.path());
    assert_eq!(system.sensors().unwrap(), [sensor("acpitz", "thermal_zone0", SensorKind::Temperature, 30.0)]);
    assert_eq!(System::new().sys_root("/nonexistent").sensors().unwrap(), []);
}

#[test]
fn swap_paging_and_pressure() {
    let files = Files::new(&[
        ("meminfo", "MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 400 kB\nSwapTotal: 50 kB\nSwapFree: 20 kB\n"),
        ("swaps", "Filename Type Size Used Priority\n/my\\040swap file 50 30 -2\n/dev/sdb2 partition 7 0 5\n"),
        ("vmstat", "pgpgin 3\npgpgout 4\npswpin 1\npswpout 2\npgfault 9\npgmajfault 8\noom_kill 1\n"),
        (
            "pressure/io",
            "some avg10=1.00 avg60=2.00 avg300=3.00 total=4000000\nfull avg10=0.50 avg60=0.00 avg300=0.00 total=5\n",
        ),
    ]);
    let system = System::new().proc_root(files.path());
    let memory = system.memory().unwrap();
    assert_eq!((memory.total, memory.used(), memory.swap_used()), (1000 << 10, 600 << 10, 30 << 10));
    let swaps = system.swaps().unwrap();
    assert_eq!((swaps[0].path.as_path(), swaps[0].used, swaps[0].priority), (Path::new("/my swap"), 30 << 10, -2));
    assert_eq!((swaps[1].kind.as_str(), swaps[1].size), ("partition", 7 << 10));
    let paging = system.paging().unwrap();
    assert_eq!((paging.read, paging.written), (3 << 10, 4 << 10));
    assert_eq!((paging.faults, paging.major_faults, paging.out_of_memory), (9, 8, 1));
    assert!(paging.swapped_in > 0 && paging.swapped_out == 2 * paging.swapped_in);
    let pressure = system.pressure("io").unwrap();
    assert_eq!((pressure.some.averages, pressure.some.total), ([1.0, 2.0, 3.0], Duration::from_secs(4)));
    assert_eq!(pressure.full.map(|full| full.averages[0]), Some(0.5));
    assert!(matches!(system.pressure("cpu"), Err(Error::NotHere { .. })));
}

#[test]
fn disks_and_interfaces_have_the_words_of_sys() {
    let proc = Files::new(&[
        (
            "diskstats",
            "8 0 sda 9 0 2 5 4 0 6 7 0 11 0\n8 1 sda1 1 0 2 0 0 0 0 0 0 0 0\n104 0 cciss/c0d0 1 0 0 0 0 0 0 0 0 0 0\n",
        ),
        ("self/net/dev", "h1\nh2\n eth9: 1 2 0 0 0 0 0 0 3 4 0 0 0 0 0 0\n"),
    ]);
    let sys = Files::new(&[
        ("class/block/sda1/partition", "1\n"),
        ("class/block/cciss!c0d0/partition", "1\n"),
        ("class/net/eth9/mtu", "9000\n"),
        ("class/net/eth9/speed", "-1\n"),
        ("class/net/eth9/flags", "0x1003\n"),
        ("class/net/eth9/address", "52:54:00:12:34:56\n"),
        ("class/net/eth9/carrier", "0\n"),
    ]);
    let system = System::new().proc_root(proc.path()).sys_root(sys.path());
    let disks = system.disks().unwrap();
    assert_eq!(disks.iter().map(|disk| disk.partition).collect::<Vec<_>>(), [false, true, true]);
    assert_eq!((disks[0].reads, disks[0].read_bytes, disks[0].write_time), (9, 1024, Duration::from_millis(7)));
    let interface = system.interfaces().unwrap().remove(0);
    assert_eq!((interface.mtu, interface.speed, interface.carrier), (Some(9000), None, Some(false)));
    assert_eq!((interface.up, interface.hardware.as_deref()), (Some(true), Some("52:54:00:12:34:56")));
    assert_eq!((interface.received_bytes, interface.sent_packets), (1, 4));
}

#[test]
fn a_group_tells_what_it_uses() {
    let files = Files::new(&[
        ("1/mounts", "none /cg cgroup2 rw 0 0\n"),
        ("1/cgroup", "0::/a\n"),
        ("1/root/cg/a/cgroup.procs", ""),
        (
            "1/root/cg/a/cpu.stat",
            "usage_usec 3000000\nuser_usec 2000000\nsystem_usec 1000000\nnr_throttled 7\nthrottled_usec 500000\n",
        ),
        ("1/root/cg/a/cpu.max", "150000 100000\n"),
        ("1/root/cg/a/cpu.weight", "200\n"),
        ("1/root/cg/a/memory.current", "4096\n"),
        ("1/root/cg/a/memory.peak", "8192\n"),
        ("1/root/cg/a/memory.high", "max\n"),
        ("1/root/cg/a/memory.swap.current", "5\n"),
        ("1/root/cg/a/memory.stat", "anon 100\nfile 200\ninactive_file 50\n"),
        ("1/root/cg/a/memory.events", "low 0\noom_kill 3\n"),
        ("1/root/cg/a/pids.current", "12\n"),
        ("1/root/cg/a/pids.max", "100\n"),
        ("1/root/cg/a/io.stat", "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n"),
        ("1/root/cg/a/cpu.pressure", "some avg10=1.00 avg60=0.00 avg300=0.00 total=1\n"),
    ]);
    let group = System::new().proc_root(files.path()).through(1).cgroup(Path::new("/a")).unwrap();
    assert_eq!((group.cpu.usage, group.cpu.user), (Some(Duration::from_secs(3)), Some(Duration::from_secs(2))));
    assert_eq!((group.cpu.processors(), group.cpu.weight), (Some(1.5), Some(200)));
    assert_eq!((group.cpu.throttled_periods, group.cpu.throttled), (Some(7), Some(Duration::from_millis(500))));
    let memory = group.memory;
    assert_eq!((memory.current, memory.peak, memory.max, memory.high), (Some(4096), Some(8192), None, None));
    assert_eq!((memory.anonymous, memory.file, memory.inactive_file), (Some(100), Some(200), Some(50)));
    assert_eq!((memory.swap, memory.oom_kills), (Some(5), Some(3)));
    assert_eq!((group.tasks, group.tasks_max), (Some(12), Some(100)));
    assert_eq!(group.io, [CgroupIo { device: (8, 0), read_bytes: 1, written_bytes: 2, reads: 3, writes: 4 }]);
    assert_eq!(group.cpu_pressure.map(|pressure| pressure.some.averages[0]), Some(1.0));
    assert_eq!(group.io_pressure, None);
}

/// utmp(5) as the C library of x86-64 writes it; elsewhere a record has another form, which the unit test covers.
#[cfg(target_arch = "x86_64")]
#[test]
fn logins_are_those_of_the_run_folder() {
    let mut record = vec![0; 384];
    record[0] = 7;
    record[4..8].copy_from_slice(&77u32.to_ne_bytes());
    record[8..13].copy_from_slice(b"pts/3");
    record[44..46].copy_from_slice(b"me");
    record[76..80].copy_from_slice(b"away");
    record[340..344].copy_from_slice(&1_000_000u32.to_ne_bytes());
    let mut ended = record.clone();
    ended[0] = 8;
    let files = Files::new(&[]);
    files.put("utmp", &[ended, record, vec![7; 100]].concat());
    let logins = System::new().run_root(files.path()).logins().unwrap();
    let [login] = &logins[..] else { panic!("{logins:?}") };
    assert_eq!(
        (login.user.to_str(), login.terminal.to_str(), login.host.to_str()),
        (Some("me"), Some("pts/3"), Some("away"))
    );
    assert_eq!((login.pid, login.time), (77, SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000)));
    assert!(matches!(System::new().run_root("/nonexistent").logins(), Err(Error::NotHere { .. })));
}
