"""The process of one contestant: answers commands, one JSON object a line, on the pipes it was started with.

Its library, thread settings and OpenMP runtime are then its own. It is asked to prepare a case, to give its answer, to
find out how long one unit takes, and to time units in turn with the others; between turns it waits for a line and
uses no core. Started as ``python -m benchmarks.worker CONTESTANT`` by :mod:`benchmarks.contest`.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.cases import CASES, PROBE, Case, InferenceCase, ProductCase, TrainingCase
from benchmarks.contestants import BEFORE, CONTESTANTS, Contestant
from benchmarks.data import Array, inference_rows, initial_weights, product_factors, training_data
from benchmarks.peers import Peer, Training


class _Job:
    """One prepared case: ``answer`` for the check, ``unit`` to be timed, ``warm`` to refill the caches before."""

    def __init__(self, peer: Peer, contestant: Contestant, case: Case) -> None:
        self._build = lambda: self._prepare(peer, contestant, case)
        self._build()

    def _prepare(self, peer: Peer, contestant: Contestant, case: Case) -> None:
        self.answer: Callable[[bool], list[Array]]
        self.unit: Callable[[], Any]
        self.divisor = 1.0  # steps or calls in a unit
        if contestant.bound:
            self.unit, self.divisor = peer.prepare_bound(case, contestant.settings)
            self.answer, self.warm = (lambda shuffle: []), self.unit
            return
        if isinstance(case, ProductCase):
            self.unit = peer.prepare_product(case, product_factors(case), contestant.settings)
            self.answer, self.warm = (lambda shuffle: self.unit()), self.unit
            return
        weights = initial_weights(case)
        if isinstance(case, InferenceCase):
            predict, x = peer.prepare_inference(case, weights, contestant.settings), inference_rows(case)
            self.unit = lambda: predict(x)
            self.answer, self.warm = (lambda shuffle: [predict(x)]), self.unit
            return
        training = peer.prepare_training(case, training_data(case), weights, contestant.settings)
        self.answer = lambda shuffle: _trained(training, case, shuffle)
        self.unit = lambda: training.run(case.epochs, case.shuffle)
        self.warm = lambda: training.run(1, case.shuffle)
        self.divisor = float(case.epochs * case.steps)

    def check(self, shuffle: bool) -> list[Array]:
        """The answer from the initial weights; whatever was trained before is dropped."""
        self._build()
        return self.answer(shuffle)

    def seconds(self, repeat: int) -> float:
        """Seconds per step (training) or per call, over ``repeat`` units."""
        unit = self.unit
        begin = time.perf_counter()
        for _ in range(repeat):
            unit()
        return (time.perf_counter() - begin) / (repeat * self.divisor)

    def calibrate(self, budget: float) -> tuple[int, float]:
        """How many units fill ``budget`` seconds, and how long they take; runs them until that is known."""
        self.unit()  # compiles what there is to compile
        repeat = 1
        while (spent := self.seconds(repeat) * repeat * self.divisor) < budget / 4:
            repeat = max(2 * repeat, min(10 * repeat, int(repeat * budget / 4 / max(spent, 1e-9))))
        fill = max(1, round(repeat * budget / spent))
        return fill, fill * spent / repeat


def _trained(training: Training, case: TrainingCase, shuffle: bool) -> list[Array]:
    training.run(case.check_epochs, shuffle)
    return training.weights()


class _Worker:
    def __init__(self, contestant: Contestant) -> None:
        self._contestant = contestant
        self._peer = contestant.module()
        self._job: _Job | None = None

    def available(self) -> dict[str, Any]:
        reason = self._peer.available(self._contestant.settings)
        return {"reason": reason} if reason else {"reason": None, **self._peer.describe()}

    def prepare(self, case: str, quick: bool) -> dict[str, Any]:
        self._job = None
        chosen = PROBE if case == PROBE.name else CASES[case]
        if quick and isinstance(chosen, TrainingCase):
            chosen = replace(chosen, epochs=1)
        self._job = _Job(self._peer, self._contestant, chosen)
        return {}

    def check(self, shuffle: bool, path: str) -> dict[str, Any]:
        np.savez(path, *self._ready().check(shuffle))
        return {}

    def calibrate(self, budget: float) -> dict[str, Any]:
        repeat, seconds = self._ready().calibrate(budget)
        settle()
        return {"repeat": repeat, "seconds": seconds}

    def time(self, repeat: int, warm: bool) -> dict[str, Any]:
        job = self._ready()
        if warm:
            job.warm()
        seconds = job.seconds(repeat)
        settle()
        return {"seconds": seconds}

    def release(self) -> dict[str, Any]:
        self._job = None
        return {}

    def _ready(self) -> _Job:
        if self._job is None:
            raise RuntimeError(f"{self._contestant}: no case is prepared")
        return self._job


def settle(pause: float = 0.01, most: float = 1.0) -> None:
    """Returns when this process has been idle for ``pause`` seconds: its threads have ceased to spin for more work."""
    begin, used = time.monotonic(), time.process_time()
    while time.monotonic() - begin < most:
        time.sleep(pause)
        before, used = used, time.process_time()
        if used - before < pause / 10:
            return


def main(name: str) -> None:
    contestant = {**CONTESTANTS, **{other.name: other for other in BEFORE}}[name]
    if contestant.cores:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: contestant.cores])
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print must not mix with the replies
    worker = _Worker(contestant)
    for line in sys.stdin:
        command = json.loads(line)
        try:
            reply = getattr(worker, command.pop("do"))(**command)
        except Exception:
            reply = {"error": traceback.format_exc()}
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


if __name__ == "__main__":
    main(sys.argv[1])
