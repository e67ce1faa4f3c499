"""What the module does to the program that uses it, and what it stands."""

import contextlib
import os
import pathlib
import subprocess
import sys
import threading

import psi
import pytest
from conftest import python, running, until

SCANS = 1000


def descriptors():
    return len(os.listdir("/proc/self/fd"))


def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def test_import_is_quiet():
    said = python(
        """
import os
before = sorted(os.listdir("/proc/self/fd"))
import psi
import psi.mount
psi.process.ProcessTable(), list(psi.mount.mounts()), psi.loadavg()
assert sorted(os.listdir("/proc/self/fd")) == before
assert len(os.listdir("/proc/self/task")) == 1
""",
        "-W",
        "error",
    )
    assert said == ""


def test_no_leak():
    pid = os.getpid()

    def work(count):
        for _ in range(count):
            process = psi.process.Process(pid)
            process.env, process.args, process.start_time

    work(5_000)
    before, open_before = resident(), descriptors()
    work(100_000)
    assert resident() - before < 2 << 20
    assert descriptors() == open_before


def test_race():
    """Processes come and go during a thousand scans."""
    stop = threading.Event()

    def crowd():
        with contextlib.ExitStack() as stack:
            for _ in range(100):
                stack.enter_context(running("sleep", "600"))
            while not stop.is_set():
                with running("true"), running("sleep", "600"):
                    pass

    threads = [threading.Thread(target=crowd) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for number in range(SCANS):
            table = psi.process.ProcessTable() if number % 20 == 0 else None
            found = table.values() if table else psi.process.scan("name", "euid", "cputime", "rss")
            assert any(process.pid == os.getpid() for process in found)
            for process in found:
                assert process.jiffies >= 0 and process.cputime >= 0 and process.euid >= 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("name", [b":-) 1 2", b"a) R 1 (b", b"new\nline", b"\xff\xfe", b" ", b")", "é".encode()])
def test_odd_names(name, start, tmp_path):
    program = os.path.join(os.fsencode(tmp_path), name)
    pathlib.Path(os.fsdecode(program)).write_bytes(pathlib.Path("/bin/sleep").read_bytes())
    os.chmod(program, 0o755)
    running = start(program, b"600", env={b"ODD": name})
    until(lambda: psi.process.Process(running.pid).argc, "the program")
    process = psi.process.Process(running.pid)
    assert os.fsencode(process.name) == name
    assert [os.fsencode(word) for word in process.args] == [program, b"600"]
    assert os.fsencode(process.env["ODD"]) == name
    assert os.fsencode(process.exe) == program
    assert process.ppid == os.getpid() and process.nthreads == 1
    assert psi.process.ProcessTable()[running.pid].name == process.name


def test_kernel_threads_and_zombies(start):
    table = psi.process.ProcessTable()
    # PF_KTHREAD; in a container there are none
    threads = [process for process in table.values() if process.flags & 0x200000]
    for process in threads:
        assert process.args == () and process.argc == 0 and process.command == process.name
        for name in ("env", "exe"):
            with pytest.raises(psi.AttrNotAvailableError, match=f"Process.{name} is not available for this process"):
                getattr(process, name)
    child = start("true")
    status = psi.process.PROC_STATUS_ZOMBIE
    until(lambda: psi.process.Process(child.pid).status == status, "a zombie")
    zombie = psi.process.ProcessTable()[child.pid]
    assert zombie.name == "true" and zombie.command == "true" and zombie.args == () and zombie.rss == 0
    for name in ("env", "exe", "cwd"):
        with pytest.raises(psi.AttrNotAvailableError):
            getattr(zombie, name)
    assert zombie.exists()


def test_folder_gone(start, tmp_path):
    folder = tmp_path / "here (deleted)"
    folder.mkdir()
    child = start("sleep", "600", cwd=folder)
    assert psi.process.Process(child.pid).cwd == str(folder)
    folder.rmdir()
    with pytest.raises(psi.AttrNotAvailableError):
        psi.process.Process(child.pid).cwd


def test_terminal_is_the_controlling_one(start):
    # a file that is open where a terminal could be is none
    with open("/dev/zero") as file:
        child = start("sleep", "600", stderr=file, start_new_session=True)
        assert psi.process.Process(child.pid).terminal is None


def test_refresh(idle):
    process = psi.process.Process(idle.pid)
    idle.send_signal(19)

    def stopped():
        process.refresh()
        return process.status == psi.process.PROC_STATUS_STOPPED

    until(stopped, "a stop")


def test_children(idle):
    children = psi.process.Process(os.getpid()).children()
    assert [child.pid for child in children] == [idle.pid]


def test_light_scan():
    own = {process.pid: process for process in psi.process.scan("name", "rss")}[os.getpid()]
    assert own.name and own.rss and own.ppid == os.getppid()
    for name in ("env", "args", "euid", "exe", "user"):
        with pytest.raises(psi.AttrNotAvailableError, match="was not asked for"):
            getattr(own, name)
    for name, value in [("user", None), ("args", None), ("command_path", None), ("ruid", os.getuid())]:
        (found,) = [process for process in psi.process.scan(name) if process.pid == os.getpid()]
        assert getattr(found, name) == (getattr(psi.process.Process(os.getpid()), name) if value is None else value)
    with pytest.raises(ValueError):
        psi.process.scan("nonsense")


def test_other_root(tmp_path):
    for pid in ("1", "7"):
        folder = tmp_path / pid
        folder.mkdir()
        rest = "S 1 7 7 0 -1 0 0 0 0 0 150 50 0 0 20 5 2 0 4711 8192 3 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1 0 0"
        (folder / "stat").write_text(f"{pid} (x) {rest}\n")
        (folder / "status").write_text(f"Tgid: {pid}\nUid: 5 6 7 8\nGid: 1 2 3 4\n")
    found = psi.process.scan("euid", proc_root=tmp_path)
    assert [process.pid for process in found] == [1, 7]
    assert found[1].jiffies == 4711 and found[1].cputime == 2
    assert found[1].exists()
    with pytest.raises(NotImplementedError):
        found[1].kill()
    with pytest.raises(FileNotFoundError):
        psi.process.scan(proc_root=tmp_path / "none")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to be somebody else")
def test_without_privileges():
    # the interpreter may stand where nobody else can go
    program = """
import os, psi.process
os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
table = psi.process.ProcessTable()
p = table[1]
assert p.name and p.command and p.euid == 0 and p.rss >= 0 and p.start_time > 0
for name in ("env", "exe", "cwd"):
    try:
        getattr(p, name)
    except psi.AttrInsufficientPrivsError as error:
        assert str(error) == f"Insufficient privileges for Process.{name}"
        assert isinstance(error, psi.InsufficientPrivsError)
    else:
        raise AssertionError(name)
try:
    p.kill(0)
except psi.InsufficientPrivsError:
    pass
else:
    raise AssertionError("kill")
assert p.exists() and table[os.getpid()].euid == 65534
print("done")
"""
    assert python(program) == "done\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make namespaces")
def test_pid_namespace():
    program = """
import os, psi.process
assert os.getpid() == 1
table = psi.process.ProcessTable()
assert table.pids == (1,), table.pids
assert table[1].exists() and not table[1].children() and table[1].ppid == 0
"""
    words = ["unshare", "--pid", "--fork", "--mount-proc", sys.executable, "-c", program]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    # the other namespace's numbers would hit strangers
    foreign = """
import os, psi.process
own = psi.process.scan()[0]
assert os.getpid() == 1 and len(psi.process.scan()) > 1
try:
    own.kill(0)
except NotImplementedError as error:
    assert "another namespace" in str(error)
else:
    raise AssertionError("a signal went out")
assert own.exists()
"""
    done = subprocess.run(["unshare", "--pid", "--fork", sys.executable, "-c", foreign], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to choose a number")
def test_used_number_is_not_hit():
    """In a namespace of its own, where nobody else takes numbers."""
    program = """
import os, subprocess, psi.process
old = subprocess.Popen(["sleep", "600"])
process = psi.process.Process(old.pid)
old.kill(), old.wait()
while True:
    open("/proc/sys/kernel/ns_last_pid", "w").write(str(old.pid - 1))
    new = subprocess.Popen(["sleep", "600"])
    assert new.pid == old.pid
    if psi.process.Process(new.pid).jiffies != process.jiffies:
        break
    new.kill(), new.wait()
for act in (process.kill, process.refresh):
    try:
        act()
    except psi.process.NoSuchProcessError:
        pass
    else:
        raise AssertionError(act)
assert not process.exists() and process.wait() and new.poll() is None
new.kill(), new.wait()
"""
    words = ["unshare", "--pid", "--fork", "--mount-proc", sys.executable, "-c"]
    # the first process of a namespace takes no signals and reaps nothing, so it is another one
    outer = "import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-c', sys.argv[1]]).returncode)"
    done = subprocess.run([*words, outer, program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_clock_does_not_move_starts():
    own = psi.process.Process(os.getpid())
    assert len({psi.process.Process(os.getpid()).start_time for _ in range(1000)}) == 1
    assert own.start_time - psi.boottime() == own.jiffies / os.sysconf("SC_CLK_TCK")


def test_stubs_name_what_is_there():
    folder = pathlib.Path(psi.__file__).parent
    assert (folder / "py.typed").exists()
    stub = (folder / "process.pyi").read_text()
    for name in dir(psi.process.Process(os.getpid())):
        assert name.startswith("_") or f"def {name}(" in stub, name
    for module in (psi, psi.arch, psi.process, psi.mount):
        stub = (folder / f"{module.__name__.partition('.')[2] or '__init__'}.pyi").read_text()
        for name in module.__all__:
            assert name in stub, f"{module.__name__}.{name}"
