"""Builds the wheel and runs every test of the Python module: ours, and the suite of PSI 0.3b3.

`python3 libs/psi-python/tests/all.py` does all of it, on every CPython from 3.9 on that it finds: `python3` and
`python3.N` of the search path, and those below `~/.pyenv/versions`. It works below the target folder, and fetches
what it needs with pip. The last line is `N passed, N failed`.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import xml.etree.ElementTree

# the sources stay as they are
sys.dont_write_bytecode = True
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"

import run_original  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
PACKAGE = HERE.parent
ROOT = PACKAGE.parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target").resolve()
WORK = TARGET / "psi-python"

MAJOR, OLDEST = 3, 9
# seconds that our tests may take on one interpreter
PATIENCE = 600
SDIST = "PSI-0.3b3.tar.gz"
SDIST_SHA256 = "f85ec3e6765f247146fbd5f3585d5e16520039580177df05e96b13040009f051"

# what stands where PSI's setup.py looks for a class that Python 3.10 no longer has
SHIM = """
try:
    import builtins
    from setuptools.command.build_py import build_py
    builtins.build_py_2to3 = build_py
except ImportError:
    pass
"""


def interpreters():
    """Every CPython from 3.9 on, one per minor version; the one that runs this goes first."""
    names = [sys.executable, shutil.which("python3")]
    names += [shutil.which(f"python{MAJOR}.{minor}") for minor in range(OLDEST, 30)]
    names += sorted(pathlib.Path.home().glob(".pyenv/versions/*/bin/python3"))
    found = {}
    for name in filter(None, names):
        ask = "import sys; print(sys.implementation.name, *sys.version_info[:2], sys._base_executable)"
        # pyenv's stand-ins for versions that are not chosen fail
        said = subprocess.run([name, "-c", ask], capture_output=True, text=True)
        if said.returncode:
            continue
        kind, major, minor, base = said.stdout.split(maxsplit=3)
        version = int(major), int(minor)
        if kind == "cpython" and version >= (MAJOR, OLDEST):
            found.setdefault(version, base.strip())
    return found


def run(*command, **options):
    """Run a command; where it fails, show what it said and stop."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    if done.returncode:
        sys.exit(f"{' '.join(str(word) for word in command)}:\n{done.stdout}{done.stderr}")
    return done.stdout


def venv(base, version):
    """A virtual environment of our own for an interpreter. Gives its Python."""
    folder = WORK / f"venv-{version[0]}.{version[1]}"
    python = folder / "bin/python"
    if not python.exists():
        shutil.rmtree(folder, ignore_errors=True)
        done = subprocess.run([base, "-m", "venv", folder], capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{base} makes no virtual environment, install `python3-venv`:\n{done.stdout}{done.stderr}")
    return python


def pip(python, *words, **options):
    return run(python, "-m", "pip", "--disable-pip-version-check", "--quiet", *words, **options)


def wheel(python):
    """Build the wheel with that Python's maturin. Gives its path."""
    pip(python, "install", "maturin>=1.9.4,<2")
    folder = WORK / "wheels"
    shutil.rmtree(folder, ignore_errors=True)
    # a target folder of its own: the real wheel is built with other settings than `cargo build` has
    target = ["--target-dir", WORK / "target"]
    run(python, "-m", "maturin", "build", "--release", "-m", PACKAGE / "Cargo.toml", "-o", folder, *target)
    (found,) = folder.glob("opsctl_psi-*.whl")
    return found


def sdist(python):
    """Fetch the original's sdist. Gives its path."""
    path = WORK / SDIST
    if not path.exists():
        pip(python, "install", "setuptools<81", "wheel")
        shim = WORK / "shim"
        shim.mkdir(parents=True, exist_ok=True)
        (shim / "sitecustomize.py").write_text(SHIM)
        words = ["--no-binary", ":all:", "--no-deps", "--no-build-isolation", "PSI==0.3b3", "-d", WORK]
        pip(python, "download", *words, env={**os.environ, "PYTHONPATH": str(shim)})
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != SDIST_SHA256:
        sys.exit(f"`{path}` is not the original: {found}")
    return path


def ours(python, version):
    """Run our tests with pytest. Gives (passed, failed, what it said)."""
    report = WORK / f"ours-{version[0]}.{version[1]}.xml"
    report.unlink(missing_ok=True)
    command = [python, "-m", "pytest", "-q", "--tb=short", f"--junit-xml={report}", PACKAGE / "tests"]
    # into a file: a process that a test leaves behind would hold a pipe open for ever
    output = report.with_suffix(".txt")
    with output.open("w") as file:
        try:
            subprocess.run(command, cwd=PACKAGE, stdout=file, stderr=subprocess.STDOUT, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            file.write(f"not done within {PATIENCE} s\n")
    said = output.read_text(errors="replace")
    if not report.exists():
        return 0, 1, said
    suite = xml.etree.ElementTree.parse(report).getroot().find("testsuite")
    tests, skipped = int(suite.get("tests")), int(suite.get("skipped"))
    failed = int(suite.get("failures")) + int(suite.get("errors"))
    return tests - failed - skipped, failed, said


def main():
    WORK.mkdir(parents=True, exist_ok=True)
    found = interpreters()
    if not found:
        sys.exit(f"no CPython from {MAJOR}.{OLDEST} on: install `python3`")
    pythons = {version: venv(base, version) for version, base in found.items()}
    first = next(iter(pythons.values()))
    package, original = wheel(first), sdist(first)
    passed = failed = 0
    for version, python in sorted(pythons.items()):
        pip(python, "install", "pytest")
        pip(python, "install", "--force-reinstall", "--no-index", "--no-deps", package)
        name = f"{version[0]}.{version[1]}"
        suites = {
            "ours": ours(python, version),
            "PSI 0.3b3's": run_original.run(python, original, WORK / f"original-{name}"),
        }
        for suite, (good, bad, said) in suites.items():
            if bad:
                print(said)
            print(f"Python {name}, {suite}: {good} passed, {bad} failed", flush=True)
            passed, failed = passed + good, failed + bad
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
