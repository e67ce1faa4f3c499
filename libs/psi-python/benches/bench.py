"""What a look at all processes costs, from Rust, from Python and from the shell, side by side in one run.

`python3 libs/psi-python/benches/bench.py` starts 300 idle processes, runs `cargo bench -p psi --bench scan`, and then
ps, psutil, our module and PSI 0.3b3, which is built on the spot. It prints processor time per process, the least of
several batches, as the table of libs/psi/README.md.

PSI 0.3b3 takes the kernel's answer for a kernel thread's environment (ESRCH) for the end of the process, and so cannot
read a table at all on kernels of today. It gets the least change that lets it.
"""

import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tarfile

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parent / "tests"))

import all as tests  # noqa: E402

IDLE = 300
BATCHES = 7
SCANS = 5

# how each is prepared, and how it looks once; both run in a Python of their own
PYTHON = {
    "psutil process_iter: pid, name, cpu_times, memory_info": (
        "import psutil",
        "len([(i['name'], i['cpu_times'].user + i['cpu_times'].system, i['memory_info'].rss)"
        " for i in (p.info for p in psutil.process_iter(['pid', 'name', 'cpu_times', 'memory_info']))])",
    ),
    "our Python `scan`: pid, name, cputime, rss": (
        "from psi.process import scan",
        "len([(p.pid, p.name, p.cputime, p.rss) for p in scan('name', 'cputime', 'rss')])",
    ),
    "our Python `scan`: the same and euid": (
        "from psi.process import scan",
        "len([(p.pid, p.name, p.cputime, p.rss, p.euid) for p in scan('name', 'cputime', 'rss', 'euid')])",
    ),
    "our Python `ProcessTable()`: everything": ("from psi.process import ProcessTable", "len(ProcessTable())"),
}
ORIGINAL = "PSI 0.3b3 `ProcessTable()`: everything"
PYTHON_ORIGINAL = PYTHON["our Python `ProcessTable()`: everything"]

MEASURE = """
import json, resource
def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
{prepare}
best = []
for batch in range({batches} + 1):
    begin = cpu()
    for _ in range({scans}):
        count = {look}
    if batch:
        best.append((cpu() - begin) / {scans} / count * 1e6)
print(json.dumps([min(best), count]))
"""


def from_python(python, prepare, look):
    program = MEASURE.format(prepare=prepare, look=look, batches=BATCHES, scans=SCANS)
    return json.loads(tests.run(python, "-c", program))


def from_shell(*command):
    """What a program uses from its start to its end."""
    best = []
    for _ in range(BATCHES):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        lines = tests.run(*command).count("\n") - 1
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        best.append(used / lines * 1e6)
    return min(best), lines


def rust():
    command = ["cargo", "bench", "--quiet", "-p", "psi", "--bench", "scan", "--", "--json", "--idle", "0"]
    said = tests.run(*command, cwd=tests.ROOT)
    rows = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    return {row["name"]: (row["us"], row["processes"]) for row in rows}


def build_original(python):
    """Build PSI 0.3b3 into an environment of its own. Gives its Python."""
    folder = tests.WORK / "PSI-0.3b3"
    shutil.rmtree(folder, ignore_errors=True)
    with tarfile.open(tests.sdist(python)) as archive:
        for member in archive.getmembers():
            path = tests.WORK / member.name
            if member.isfile() and folder in path.resolve().parents:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(archive.extractfile(member).read())
    source = folder / "src/arch/linux_process.c"
    text = source.read_text()
    absent = (
        "if (bufsize == -1 && psi_check_oserror_errno(ESRCH)) {"
        " PyErr_Clear(); proci->envc_status = proci->envv_status = PSI_STATUS_NA; return 0; }"
    )
    for before, after in [
        (r'(bufsize = .*"environ"\);)', r"\1 " + absent),
        (r"(case 'S':)", r"\1 case 'I': case 'P':"),
        (r"(case 'T':)", r"\1 case 't':"),
        (r"(#include <Python.h>)", r"\1\n#include <errno.h>"),
    ]:
        text, count = re.subn(before, after, text, count=1)
        assert count == 1, before
    source.write_text(text)
    setup = folder / "setup.py"
    lines = setup.read_text().splitlines(keepends=True)
    # the class went with Python 3.10, and the sources need no change for Python 3
    setup.write_text("".join(line for line in lines if "= build_py_2to3" not in line).replace(
        "if sys.version_info[0] == 3:\n\n", "\n"))  # fmt: skip
    place = tests.WORK / "original"
    shutil.rmtree(place, ignore_errors=True)
    flags = {**os.environ, "CFLAGS": "-O2 -w -fpermissive"}
    tests.run(python, "setup.py", "-q", "build_ext", "--build-lib", place, cwd=folder, env=flags)
    shutil.copytree(folder / "lib/psi", place / "psi", dirs_exist_ok=True)
    return place


def python_for_the_original(found):
    """One that PSI 0.3b3's setup.py still runs with."""
    versions = [version for version in found if version <= (3, 11)]
    return max(versions) if versions else None


def main():
    tests.WORK.mkdir(parents=True, exist_ok=True)
    found = tests.interpreters()
    version = python_for_the_original(found) or next(iter(found))
    python = tests.venv(found[version], version)
    tests.pip(python, "install", "--force-reinstall", "--no-index", "--no-deps", tests.wheel(python))
    tests.pip(python, "install", "psutil")
    original = build_original(python) if version <= (3, 11) else None
    tests.run("cargo", "bench", "--quiet", "-p", "psi", "--bench", "scan", "--no-run", cwd=tests.ROOT)
    idle = [subprocess.Popen(["sleep", "100000"]) for _ in range(IDLE)]
    try:
        rows = rust()
        rows["`ps aux`"] = from_shell("ps", "aux")
        rows["`ps -eo pid,comm,time,rss`"] = from_shell("ps", "-eo", "pid,comm,time,rss")
        for name, (prepare, look) in PYTHON.items():
            rows[name] = from_python(python, prepare, look)
        if original:
            prepare, look = PYTHON_ORIGINAL
            rows[ORIGINAL] = from_python(python, f"import sys; sys.path.insert(0, {str(original)!r}); import psi; "
                                         f"assert psi.__version__ == '0.3b3'; {prepare}", look)  # fmt: skip
    finally:
        for process in idle:
            process.kill()
        for process in idle:
            process.wait()
    floor = next(iter(rows.values()))[0]
    print("| what | processes | µs each | x floor |\n|---|--:|--:|--:|")
    for name, (each, processes) in rows.items():
        print(f"| {name} | {processes} | {each:.2f} | {each / floor:.2f} |")


if __name__ == "__main__":
    main()
