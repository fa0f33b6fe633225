"""Runs one case over its contestants: answers first, then turns that alternate between them.

Every contestant has a process of its own, all alive at once, and only the one whose turn it is runs: A B C, B C A, ...
A change of the machine's speed then meets everyone, and nobody always comes after the same other. A turn is an untimed
epoch or call and then as many timed units as fill the budget.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import probe, reference, rounding
from benchmarks.cases import PROBE, Case, InferenceCase, ProductCase, TrainingCase
from benchmarks.contestants import OPENBLAS_VARIABLES, THREAD_VARIABLES, Contestant
from benchmarks.data import Array, Factors, initial_weights, product_factors
from netlet.runtime import round_trip

ROOT = Path(__file__).resolve().parent.parent

# Of two probabilities: float32 sums of up to 1,024 products, through a softmax whose inputs are of size 1.
PREDICTION_TOLERANCE = 1e-5
# Of a product: each sum's error over the sum of its terms' sizes. Float32 sums of 6,400 terms in any order stay below
# 3e-7; a product in bfloat16 or with ten bits of fraction, as accelerators like them, is above 1e-5.
PRODUCT_TOLERANCE = 1e-6
# Of a training, of the way that its weights went: a learning rate 1 % off is at 0.01 to 0.03 where relus count.
MOST_TOLERANCE = 0.02
# A shuffled run ends elsewhere than the unshuffled one: by up to 0.2 of the way in the reference. This is no more than
# a guard against nonsense; that every row is trained on once, in a new order, is what the probe shows.
SHUFFLED_TOLERANCE = 0.5
# After a turn threads spin for a while, OpenBLAS' for 0.1 s: the worker replies when they have ceased to.
# This is for the thread of this process with which it measures how far apart two are.
SETTLE_SECONDS = 0.02
# A contestant that takes long gets fewer turns: at least 3, and no more than this many budgets of them in a case.
ALLOWANCE = 10
LEAST_TURNS = 3
# Nothing that a contestant is asked to do takes this long, unless it hangs.
LIMIT_SECONDS = 600


class PeerError(RuntimeError):
    """A contestant failed or disagreed with the reference; the message says how."""


@dataclass
class Entry:
    """What is known of one contestant in one case."""

    contestant: Contestant
    skipped: str | None = None
    failed: str | None = None
    version: str = ""
    threads: str = ""
    error: float | None = None
    tolerance: float | None = None
    repeat: int = 0
    turns: int = 0
    seconds: list[float] = field(default_factory=list)
    apart: list[float] = field(default_factory=list)  # of the case: see Contest.run


class Process:
    """A worker process; :meth:`ask` sends one command and waits for its reply."""

    def __init__(self, contestant: Contestant) -> None:
        self.contestant = contestant
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115  lives as long as the process
        cleared = (*THREAD_VARIABLES, *OPENBLAS_VARIABLES, "NETLET_BACKEND", "NETLET_DYNAMIC")
        environment = {k: v for k, v in os.environ.items() if k not in cleared}
        if inherited := environment.get("PYTHONPATH"):
            environment["PYTHONPATH"] = os.pathsep.join(map(os.path.abspath, inherited.split(os.pathsep)))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", contestant.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            cwd=ROOT,
            env={**environment, **contestant.variables()},
        )

    def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        """The reply to one command. PeerError if the peer raises, ends or takes longer than LIMIT_SECONDS."""
        assert self._process.stdin and self._process.stdout
        line = ""
        try:
            self._process.stdin.write(json.dumps({"do": command, **arguments}) + "\n")
            self._process.stdin.flush()
            # A reply is one line, so nothing is left in the buffer from the one before.
            if not select.select([self._process.stdout], [], [], LIMIT_SECONDS)[0]:
                self._process.kill()
                raise PeerError(f"{self.contestant}: {command!r} took longer than {LIMIT_SECONDS} s")
            line = self._process.stdout.readline()
        except BrokenPipeError:
            pass
        if not line:
            self._process.wait()
            self._log.seek(0)
            raise PeerError(f"{self.contestant}: its process ended during {command!r}:\n{self._log.read()[-4000:]}")
        reply: dict[str, Any] = json.loads(line)
        if "error" in reply:
            raise PeerError(f"{self.contestant}: {command!r} failed:\n{reply['error']}")
        return reply

    def ended(self) -> bool:
        return self._process.poll() is not None

    def close(self) -> None:
        """Ends the process; after ten seconds, by force."""
        assert self._process.stdin and self._process.stdout
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._log.close()


class Contest:
    """Runs cases; its processes live from one case to the next. A context manager: leaving it ends them."""

    def __init__(self, rounds: int, budget: float, quick: bool = False) -> None:
        """Every contestant gets ``rounds`` turns a case of about ``budget`` seconds each; a slow one fewer.

        With ``quick`` a timed call of ``fit`` trains for one epoch, whatever the case says.
        """
        self._quick = quick
        self._rounds = rounds
        self._budget = budget
        self._processes: dict[str, Process] = {}
        self._probed: set[str] = set()

    def __enter__(self) -> Contest:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes.values():
            process.close()
        self._processes.clear()

    def run(self, case: Case, contestants: Iterable[Contestant]) -> dict[str, Entry]:
        """Checks, calibrates and times; one entry a contestant, by name. Who fails is timed no more.

        Before each round, how long a line of cache takes between two threads is noted (``apart``, in nanoseconds): a
        virtual machine's processors may have been moved.
        """
        entries = {contestant.name: Entry(contestant) for contestant in contestants}
        want = reference.answer(case)
        allowed = tolerance(case, want)
        for entry in entries.values():
            self._attempt(entry, self._prepare, case)
        for entry in entries.values():
            self._attempt(entry, self._check, case, want, allowed)
        for entry in entries.values():
            self._attempt(entry, self._calibrate)
        order = list(entries.values())
        apart: list[float] = []
        for _ in range(self._rounds):
            if (trip := round_trip()) is not None:
                apart.append(1e9 * trip)
            for entry in order:
                if len(entry.seconds) < entry.turns:
                    self._attempt(entry, self._turn)
            order = order[1:] + order[:1]
        for entry in entries.values():
            entry.apart = apart
            self._attempt(entry, lambda entry: self._processes[entry.contestant.name].ask("release"))
        return entries

    def _attempt(self, entry: Entry, action: Callable[..., Any], *arguments: Any) -> None:
        if entry.skipped or entry.failed:
            return
        try:
            action(entry, *arguments)
        except PeerError as error:
            entry.failed, entry.seconds = str(error), []
            process = self._processes.get(entry.contestant.name)
            if process and process.ended():  # the next case starts another
                self._processes.pop(entry.contestant.name).close()
                self._probed.discard(entry.contestant.name)

    def _prepare(self, entry: Entry, case: Case) -> None:
        name = entry.contestant.name
        if name not in self._processes:
            self._processes[name] = Process(entry.contestant)
        about = self._processes[name].ask("available")
        entry.skipped = about["reason"]
        if not entry.skipped:
            entry.version, entry.threads = about["version"], about["threads"]
            shuffles = isinstance(case, TrainingCase) and case.shuffle and not entry.contestant.bound
            if shuffles and name not in self._probed:
                self._probe(entry)
            self._processes[name].ask("prepare", case=case.name, quick=self._quick)

    def _check(self, entry: Entry, case: Case, want: list[Array], allowed: float) -> None:
        if entry.contestant.bound:
            return
        entry.tolerance = allowed
        entry.error = distance(case, self._answer(entry, shuffle=False), want)
        if not entry.error <= entry.tolerance:
            raise PeerError(
                f"{entry.contestant}: wrong answer in {case}: {entry.error:.2g} from the float64 reference, "
                f"expected at most {entry.tolerance:.2g}"
            )
        if isinstance(case, TrainingCase) and case.shuffle:
            away = distance(case, self._answer(entry, shuffle=True), want)
            if not away <= SHUFFLED_TOLERANCE:
                raise PeerError(
                    f"{entry.contestant}: its shuffled run of {case} ends {away:.2g} from the unshuffled one, "
                    f"expected at most {SHUFFLED_TOLERANCE:g}"
                )

    def _probe(self, entry: Entry) -> None:
        """Lets a contestant show, once, that it shuffles and trains on every row."""
        name = entry.contestant.name
        self._processes[name].ask("prepare", case=PROBE.name, quick=False)
        if fault := probe.fault(self._answer(entry, shuffle=True)):
            raise PeerError(f"{name}: its shuffled epoch is wrong: {fault}")
        self._probed.add(name)

    def _answer(self, entry: Entry, shuffle: bool) -> list[Array]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "answer.npz"
            self._processes[entry.contestant.name].ask("check", shuffle=shuffle, path=str(path))
            with np.load(path) as arrays:
                return [arrays[name] for name in arrays.files]

    def _calibrate(self, entry: Entry) -> None:
        known = self._processes[entry.contestant.name].ask("calibrate", budget=self._budget)
        entry.repeat = known["repeat"]
        affordable = int(ALLOWANCE * self._rounds * self._budget / known["seconds"])
        entry.turns = min(self._rounds, max(LEAST_TURNS, affordable))

    def _turn(self, entry: Entry) -> None:
        time.sleep(SETTLE_SECONDS)
        warm = entry.repeat > 1  # a unit that is longer than a turn needs no caches filled before it
        process = self._processes[entry.contestant.name]
        entry.seconds.append(process.ask("time", repeat=entry.repeat, warm=warm)["seconds"])


def distance(case: Case, got: list[Array], want: list[Array]) -> float:
    """How far an answer is from the reference's.

    Training: ``|got - want| / |want - initial|`` in the 2-norm over all weights, so that doing nothing is 1.
    Inference: the largest difference of two outputs, which are probabilities or of size 1. Products: the largest error
    of a sum over the sum of its terms' sizes. Shapes that differ, or NaN, are infinitely far.
    """
    if [a.shape for a in got] != [a.shape for a in want] or not all(np.isfinite(a).all() for a in got):
        return float("inf")
    if isinstance(case, InferenceCase):
        return float(np.abs(got[0] - want[0]).max())
    if isinstance(case, ProductCase):
        factors = product_factors(case)
        sizes = reference.products(case, Factors(*map(np.abs, (factors.x, factors.kernel, factors.dy))))
        return max(float((np.abs(a - b) / c).max()) for a, b, c in zip(got, want, sizes, strict=True))
    way = _norm([b - a for a, b in zip(initial_weights(case), want, strict=True)])
    return _norm([b - a for a, b in zip(got, want, strict=True)]) / way


def tolerance(case: Case, want: list[Array]) -> float:
    """How far from the reference an answer in float32 may be, in the measure of :func:`distance`.

    Training: twice as far as the farthest of the trainings of :mod:`benchmarks.rounding`, which are the case's own in
    float32 with sums, updates and edges of relus decided otherwise. In each of these either all relus at their edge are
    on or all are off. A contestant has some of both, and is at most as far off as both together. In cases with few
    relus the farthest is at 5e-7 to 8e-6, in ``mnist_big`` at 2.5e-3; a learning rate 1 % off, a row that is left out
    or products in bfloat16 are farther off than is allowed in every case, which a test shows.

    Raises: ValueError where that is so far that the case tells nothing, or its reference is wrong.
    """
    if not isinstance(case, TrainingCase):
        return PREDICTION_TOLERANCE if case.kind == "inference" else PRODUCT_TOLERANCE
    allowed = 2 * max(distance(case, got, want) for got in rounding.trainings(case))
    if not allowed < MOST_TOLERANCE:
        raise ValueError(f"{case}: trainings in float32 end up to {allowed / 2:.2g} of the way from the reference")
    return allowed


def _norm(arrays: list[Array]) -> float:
    return float(np.sqrt(sum(float(np.sum(np.square(a, dtype=np.float64))) for a in arrays)))
