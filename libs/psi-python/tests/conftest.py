"""Helpers of the tests."""

import contextlib
import os
import pathlib
import subprocess
import sys
import time

import pytest


@contextlib.contextmanager
def running(*command, **options):
    """A process that ends with the block."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **options)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def until(condition, what):
    """Wait for a condition, not for a time."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, f"{what} did not happen"
        os.sched_yield()


def python(program, *words, **options):
    """What another Python prints that runs a program."""
    done = subprocess.run([sys.executable, *words, "-c", program], capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def start():
    """Start processes that end with the test."""
    with contextlib.ExitStack() as stack:
        yield lambda *command, **options: stack.enter_context(running(*command, **options))


@pytest.fixture
def idle(start):
    """A process that does nothing."""
    process = start("sleep", "600")
    # a new program is there a moment before its arguments are
    until(lambda: pathlib.Path(f"/proc/{process.pid}/cmdline").read_bytes(), "its arguments")
    return process
