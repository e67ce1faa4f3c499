"""The calls of PSI 0.2a1's announcement and of PSI 0.3's README, and what the original promises beyond its tests."""

import datetime
import os
import pickle
import pwd
import signal
import sys

import psi
import pytest
from conftest import python


def test_announcement():
    # nothing but `import psi` came before
    assert (
        python("""
import os, psi
a = psi.arch.arch_type()
assert isinstance(a, psi.arch.ArchLinux) and not isinstance(a, psi.arch.ArchMacOSX)
assert (a.sysname, a.nodename, a.release, a.version, a.machine) == tuple(os.uname())
assert len(psi.loadavg()) == 3
p = psi.process.Process(os.getpid())
assert "python" in p.command and os.path.samefile(p.command_path, "/proc/self/exe")
assert p.parent.pid == os.getppid() and p.parent.command
assert float("%0.1f" % (p.resident_size / 1024.0 / 1024.0)) > 1
assert p.virtual_size > p.resident_size
ps = psi.process.ProcessTable()
assert ps.count == len(ps.pids) == len(ps.processes) > 2
assert list(ps.pids) == sorted(ps.pids) and isinstance(ps.pids, tuple)
last = ps.processes[-1]
assert last.pid == ps.pids[-1] and last.command
print("done")
""")
        == "done\n"
    )


def test_announcement_accounts():
    process = psi.process.Process(os.getpid())
    assert process.user == process.current_user == process.real_user == pwd.getpwuid(os.getuid()).pw_name
    assert (process.current_uid, process.current_gid) == (os.geteuid(), os.getegid())
    assert (process.real_uid, process.real_gid) == (os.getuid(), os.getgid())
    assert process.current_group == process.real_group
    assert (process.parent_pid, process.threads) == (process.ppid, process.nthreads)
    started = process.start_datetime
    assert started.tzinfo is None and datetime.timedelta(0) <= datetime.datetime.now() - started + datetime.timedelta(
        seconds=1
    )


def test_readme():
    arch = psi.arch.arch_type()
    assert repr(arch) == "psi.arch.ArchLinux()"
    assert arch.release_info[0] >= 3
    process = psi.process.Process(os.getpid())
    assert process.args[0] and os.path.isabs(process.exe)
    assert pwd.getpwuid(process.uid).pw_uid == os.geteuid()
    assert abs(process.start_time.datetime() - process.start_datetime) == datetime.timedelta(0)
    parent = psi.process.Process(pid=process.ppid)
    assert parent.args and process.rss > 0
    table = psi.process.ProcessTable()
    assert table[process.pid].args == process.args
    assert [p for p in table.values() if p.args and p.args[-1] == process.args[-1]]
    assert repr(process) == f"psi.process.Process(pid={os.getpid()})"


def test_singleton():
    arch = psi.arch.arch_type()
    assert arch is psi.arch.ArchBase() is psi.arch.ArchLinux() is psi.arch.ArchDarwin()
    with pytest.raises(TypeError):
        psi.arch.ArchBase(1)
    with pytest.raises(AttributeError):
        arch.sysname = "Other"


def test_construction():
    for error, words in [
        (TypeError, ((), {})),
        (TypeError, (("1",), {})),
        (TypeError, ((1.5,), {})),
        (TypeError, ((), {"foo": 1})),
        (OverflowError, ((1 << 40,), {})),
        (psi.process.NoSuchProcessError, ((0,), {})),
        (psi.process.NoSuchProcessError, ((-1,), {})),
        (psi.process.NoSuchProcessError, ((2**31 - 1,), {})),
    ]:
        with pytest.raises(error):
            psi.process.Process(*words[0], **words[1])
    bare = psi.process.Process.__new__(psi.process.Process)
    for use in (lambda: bare.pid, lambda: repr(bare), lambda: hash(bare), lambda: bare.env, lambda: bare.user):
        with pytest.raises(RuntimeError, match="Instance has not been initialised properly"):
            use()


def test_comparison():
    own, init = psi.process.Process(os.getpid()), psi.process.Process(1)
    assert init < own and own > init and own != init and own == psi.process.Process(os.getpid())
    assert hash(own) == hash((own.pid, own.jiffies))
    assert own != own.pid
    with pytest.raises(TypeError):
        own < 5
    with pytest.raises(AttributeError):
        own.pid = 5


def test_attributes_elsewhere():
    process = psi.process.Process(os.getpid())
    for name in ("pcpu", "zoneid", "zonename"):
        assert not hasattr(psi.process.Process, name)
        with pytest.raises(psi.AttrNotImplementedError, match=f"Process.{name} is not implemented on this system"):
            getattr(process, name)
    with pytest.raises(AttributeError) as raised:
        process.nonsense
    assert type(raised.value) is AttributeError
    assert {"user", "rss", "kill"} <= set(dir(process))


def test_table():
    table = psi.process.ProcessTable()
    assert repr(table) == "psi.process.ProcessTable()" and isinstance(table, dict)
    for change in (lambda: table.__setitem__(1, 2), lambda: table.__delitem__(1)):
        with pytest.raises(TypeError):
            change()
    with pytest.raises(TypeError):
        psi.process.ProcessTable(1)


def test_exceptions():
    assert issubclass(psi.AttrInsufficientPrivsError, psi.InsufficientPrivsError)
    assert issubclass(psi.process.NoSuchProcessError, psi.MissingResourceError)
    for name in ("AttrNotAvailableError", "AttrNotImplementedError", "InsufficientPrivsError", "MissingResourceError"):
        assert getattr(psi, name).__module__ == "psi"
    assert pickle.loads(pickle.dumps(psi.process.NoSuchProcessError("x"))).args == ("x",)


def test_environment_is_the_same_twice():
    # the original's was empty when it was read again
    process = psi.process.Process(os.getpid())
    assert process.env == process.env != {}


def test_mounts():
    mounts = list(psi.mount.mounts())
    assert iter(psi.mount.mounts()).__next__().mountpoint
    root = [mount for mount in mounts if mount.mountpoint == "/"][0]
    assert isinstance(root, psi.mount.LocalMount) and root.total >= root.free >= root.available
    with pytest.raises(AttributeError):
        root.host
    with pytest.raises(AttributeError):
        root.total = 1
    with pytest.raises(TypeError):
        psi.mount.MountBase()
    root.refresh()
    with open("/proc/self/mounts") as table:
        lines = [line.split() for line in table]
    assert [mount.mountpoint for mount in psi.mount.mounts(True)] == [line[1] for line in lines]
    assert [mount.options for mount in psi.mount.mounts(remote=True)] == [line[3] for line in lines]


def test_mount_gone():
    # a file system that vanished
    mount = next(psi.mount.mounts())
    mount._mount = ("nothing", "/no/such/mount", *mount._mount[2:])
    with pytest.raises(psi.MissingResourceError, match="Mount no longer exists"):
        mount.refresh()


def test_timespec():
    time = psi.TimeSpec
    assert repr(time(5, 10)) == "psi.TimeSpec(tv_sec=5, tv_nsec=10)"
    assert tuple(time(5, 10)) == (5, 10) and hash(time(5, 10)) == hash((5, 10))
    # the original compared the two fields apart
    assert time(5, 10) <= time(6, 5) and time(6, 5) >= time(5, 10)
    assert time(5) + 1 == 1 + time(5) == 6 and 7 - time(5) == 2 and time(5) - 7 == -2
    assert time(5, 500_000_000) == 5.5 == time(5, 500_000_000)
    assert time(1) != "1" and time(1) != (1, 0, 0) and time(1) != float("nan") and time(1) != float("inf")
    with pytest.raises(TypeError):
        time(1) < (1, 0, 0)
    with pytest.raises(TypeError):
        time(1) * 2
    with pytest.raises(TypeError):
        len(time(1))
    with pytest.raises(OverflowError):
        time(sys.maxsize) + time(sys.maxsize)
    with pytest.raises(OverflowError):
        time(1 << 70)
    with pytest.raises(AttributeError):
        time(1).tv_sec = 5
    assert pickle.loads(pickle.dumps(time(1, 2))) == time(1, 2)
    assert time(1, 5000).timedelta() == datetime.timedelta(seconds=1, microseconds=5)
    assert time(-1, -500_000_000).utcdatetime() == datetime.datetime(1969, 12, 31, 23, 59, 58, 500_000)


@pytest.mark.parametrize("zone", ["UTC", "Europe/London", "America/New_York", "Asia/Tokyo", "XXX-3YYY"])
def test_timespec_zones(zone):
    python(
        "import datetime, psi, time\n"
        "t = psi.TimeSpec(1_000_000_000, 5)\n"
        "assert t.datetime() == datetime.datetime.fromtimestamp(1_000_000_000)\n"
        "assert t.localtime() == time.localtime(1_000_000_000) and t.gmtime() == time.gmtime(1_000_000_000)\n"
        "assert t.utcdatetime() == datetime.datetime(2001, 9, 9, 1, 46, 40)\n"
        "assert t.mktime() == t.timestamp() + time.timezone + (time.altzone if time.daylight else 0)\n",
        "-W", "error",
        env={**os.environ, "TZ": zone},
    )  # fmt: skip


def test_kill(idle):
    process = psi.process.Process(idle.pid)
    with pytest.raises(ValueError):
        process.kill(999)
    assert not process.wait(0)
    process.kill(signal.SIGRTMIN)
    assert process.wait() and process.wait(1.5)
    assert idle.wait() == -signal.SIGRTMIN
    assert not process.exists()
    for act in (process.kill, process.refresh):
        with pytest.raises(psi.process.NoSuchProcessError):
            act()
    # a snapshot stays readable
    assert process.args == ("sleep", "600") and process.name == "sleep"
