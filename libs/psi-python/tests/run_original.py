"""Runs the test suite of PSI 0.3b3 against this package.

The suite is not kept here: it is taken out of the sdist. It is run as it is but for what a Python of today and a
terminal need:

- one `print` statement becomes a call;
- `time.clock` and `TestCase.assert_` are put back, under the names that have gone;
- the two helper programs are compiled (the third, for 32 bits, is left out, and the suite then skips it);
- it runs on a terminal of its own, because it compares with `tty`;
- as root a process of another user is started first, because the suite looks for one.

As a program: `run_original.py PSI-0.3b3.tar.gz FOLDER`, with the Python that has the package.
"""

import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tarfile
import time

# as root; without root those that set a scheduler are skipped by the suite itself
TESTS = 165
# seconds that one run of the suite may take; it takes about ten
PATIENCE = 300
MODULES = ["_psi_test", "arch_test", "mount_test", "process_test", "processtable_test", "timespec_test"]


def unpack(sdist, folder):
    """Take the suite out of the sdist and compile its helpers. Gives the folder of the suite."""
    if shutil.which("cc") is None:
        raise SystemExit("no C compiler: install the package `gcc`")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with tarfile.open(sdist) as archive:
        for member in archive.getmembers():
            name = pathlib.PurePosixPath(member.name)
            if member.isfile() and name.parent.name == "tests":
                (folder / name.name).write_bytes(archive.extractfile(member).read())
    table = folder / "processtable_test.py"
    text, count = re.subn(r"(?m)^(\s*)print (.*)$", r"\1print(\2)", table.read_text())
    assert count == 1, count
    table.write_text(text)
    for source, program in [("app.c", "app64"), ("linux_argvapp.c", "linux_argvapp")]:
        # the sources are from before implicit declarations became errors
        subprocess.run(["cc", "-w", "-fpermissive", "-o", folder / program, folder / source], check=True)
    return folder


def inside(folder):
    """Run the suite in this process, and leave the figures in a file."""
    import unittest

    time.clock = time.process_time
    unittest.TestCase.assert_ = unittest.TestCase.assertTrue
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    # it uses psi.arch and psi.process after no more than `import psi`, so it goes first
    loader = unittest.defaultTestLoader
    suite = unittest.TestSuite(loader.loadTestsFromName(name) for name in ["processtable_test", *MODULES])
    seen, tests = set(), unittest.TestSuite()
    for test in flat(suite):
        if test.id() not in seen:
            seen.add(test.id())
            tests.addTest(test)
    result = unittest.TextTestRunner(verbosity=1).run(tests)
    bad = len(result.failures) + len(result.errors)
    (folder / "result.json").write_text(json.dumps({"run": result.testsRun, "failed": bad}))


def flat(suite):
    for test in suite:
        if hasattr(test, "__iter__"):
            yield from flat(test)
        else:
            yield test


def on_a_terminal(command):
    """Run a command as the leader of a session with a terminal. Gives what it said.

    What it leaves behind is ended with it: the suite may leave a helper, which would hold the terminal for ever.
    """
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(command[0], command)
    said, deadline, ended = b"", time.monotonic() + PATIENCE, False
    while True:
        ready, _, _ = select.select([terminal], [], [], 0.2)
        try:
            piece = os.read(terminal, 65536) if ready else b""
        except OSError:
            break  # the last one has closed it
        said += piece
        if not ready and ended:
            break
        if not ended and (time.monotonic() > deadline or os.waitpid(pid, os.WNOHANG) != (0, 0)):
            ended = True
            try:
                os.killpg(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
    os.close(terminal)
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        pass  # it was waited for above
    return said.decode(errors="replace").replace("\r\n", "\n")


def run(python, sdist, folder):
    """Run the suite with that Python. Gives (passed, failed, what it said)."""
    folder = unpack(sdist, folder)
    stranger = subprocess.Popen(["sleep", "600"], user=65534) if os.geteuid() == 0 else None
    try:
        said = on_a_terminal([str(python), "-W", "ignore", __file__, "--inside", str(folder)])
    finally:
        if stranger:
            stranger.kill()
            stranger.wait()
    try:
        result = json.loads((folder / "result.json").read_text())
    except FileNotFoundError:
        return 0, TESTS, said
    missing = max(TESTS - result["run"], 0) if os.geteuid() == 0 else 0
    return result["run"] - result["failed"], result["failed"] + missing, said


def main():
    if sys.argv[1] == "--inside":
        inside(pathlib.Path(sys.argv[2]))
        return
    passed, failed, said = run(sys.executable, pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve())
    print(said)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
