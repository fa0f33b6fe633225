"""The child process: installs the stand-ins, loads one of Keras' test files by its path, runs it, writes the outcomes.

    python harness/worker.py FILE OUTPUT [NAME ...]

OUTPUT receives one JSON object a line: what is tested, the names of all tests, and one outcome after each test, so that
what was reached is known even if the process dies. ``NETLET_KERAS_REAL=1`` tests the installed Keras itself, which
tells whether a test can pass on this machine at all; ``NETLET_KERAS_REAL=standins`` our stand-ins (through_keras.py).
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import json
import os
import random
import signal
import sys
import traceback
import unittest
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path = [place for place in sys.path if Path(place).resolve() != Path(__file__).resolve().parent]

from harness.suite import keras_folder  # noqa: E402

TESTED = os.environ.get("NETLET_KERAS_REAL", "netlet")
SECONDS = int(os.environ.get("NETLET_KERAS_SECONDS", "60"))  # for one test; the slowest takes about 5 with Keras itself


class Recorder(unittest.TestResult):
    """Keeps what became of the one test that it is given to."""

    def __init__(self) -> None:
        super().__init__()
        self.outcome, self.reason, self.details = "passed", "", ""

    def _failed(self, error: Any) -> None:
        kind, value, trace = error
        if kind.__name__ == "Skipped":  # pytest.skip()
            self.addSkip(None, str(value))
            return
        if self.outcome == "failed":
            return
        self.outcome = "failed"
        lines = [line for line in str(value).splitlines() if line.strip()]
        self.reason = f"{kind.__name__}: {' '.join(line.strip() for line in lines)}"[:400]
        self.details = "".join(traceback.format_exception(kind, value, trace))

    def addError(self, test: Any, error: Any) -> None:
        self._failed(error)

    def addFailure(self, test: Any, error: Any) -> None:
        self._failed(error)

    def addSubTest(self, test: Any, subtest: Any, error: Any) -> None:
        if error is not None:
            self._failed(error)

    def addSkip(self, test: Any, reason: str) -> None:
        if self.outcome == "passed":
            self.outcome, self.reason = "skipped", reason

    def addExpectedFailure(self, test: Any, error: Any) -> None:
        pass

    def addUnexpectedSuccess(self, test: Any) -> None:
        self.outcome, self.reason = "failed", "unexpected success"


def load(file: str) -> ModuleType:
    """Import a test file by its path, under the name that it has in Keras."""
    folder = keras_folder()
    assert folder is not None
    name = "keras.src." + file.removesuffix(".py").replace("/", ".")
    spec = importlib.util.spec_from_file_location(name, folder / "src" / file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def tests_of(suite: Any) -> Iterator[unittest.TestCase]:
    for part in suite:
        if isinstance(part, unittest.TestSuite):
            yield from tests_of(part)
        else:
            yield part


def name_of(file: str, test: unittest.TestCase) -> str:
    return f"{file}::{type(test).__name__}::{test._testMethodName}"


def skipped_by_mark(test: unittest.TestCase) -> str | None:
    """Return the reason that a ``pytest.mark.skip`` or ``skipif`` gives, or None."""
    method = getattr(type(test), test._testMethodName)
    for mark in [*getattr(method, "pytestmark", []), *getattr(type(test), "pytestmark", [])]:
        if mark.name == "skip" or (mark.name == "skipif" and any(bool(condition) for condition in mark.args)):
            return str(mark.kwargs.get("reason", "")) or "skipped by a mark"
    return None


@contextlib.contextmanager
def time_limit(seconds: int) -> Iterator[None]:
    def stop(number: int, frame: Any) -> None:
        raise TimeoutError(f"the test took longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def run_one(name: str, test: unittest.TestCase) -> Recorder:
    """Run one test: the same random numbers at each run, no output, no longer than SECONDS."""
    recorder = Recorder()
    if (reason := skipped_by_mark(test)) is not None:
        recorder.addSkip(test, reason)
        return recorder
    seed = zlib.crc32(name.encode())
    random.seed(seed)
    sys.modules["numpy"].random.seed(seed)
    if "netlet" in sys.modules:
        sys.modules["netlet"].set_random_seed(seed)
    quiet = io.StringIO()
    with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet), time_limit(SECONDS):
        test.run(recorder)
    return recorder


def main(file: str, output: str, wanted: set[str]) -> None:
    warnings.simplefilter("ignore")  # marks that pytest does not know; tests that look at warnings set their own filter
    with open(output, "w", encoding="utf-8", buffering=1) as out:

        def write(**line: Any) -> None:
            out.write(json.dumps(line) + "\n")

        import standins

        if TESTED == "netlet":
            standins.install()
        else:
            standins.install_conftest()
        if TESTED == "standins":
            from harness import through_keras

            through_keras.install()
        tested = importlib.import_module("netlet" if TESTED == "netlet" else "keras")
        write(tested=f"{tested.__name__} {tested.__version__} in {Path(str(tested.__file__)).parent}")
        try:
            module = load(file)
        except BaseException as error:
            write(error=f"{type(error).__name__}: {error}"[:400], details=traceback.format_exc())
            return
        tests = {name_of(file, test): test for test in tests_of(unittest.defaultTestLoader.loadTestsFromModule(module))}
        write(names=sorted(tests))
        for name, test in tests.items():
            if wanted and not any(part in name for part in wanted):
                continue
            done = run_one(name, test)
            write(name=name, outcome=done.outcome, reason=done.reason, details=done.details)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], set(sys.argv[3:]))
