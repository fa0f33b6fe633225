"""Netlet beside itself and beside others: ``python -m benchmarks.threads [--output NAME.json] [--seconds 0.5]``.

- **Python threads that predict at once.** 1, 2, ... as many as there are cores call one predictor, each of whose calls
  runs on its caller's thread alone (NETLET_NUM_THREADS=1): calls a second of all together, beside one thread's.
- **Busy neighbours.** A training, and a prediction of one row, with one thread and with one a core, beside 0, 1, ...
  busy processes as there are cores: how much slower a step or call becomes, beside what is left to it where the system
  deals the cores out evenly among all threads that want one. Threads that wait for each other lose more than that where
  they are badly made: one that is stopped stops all.

Both take turns with what they are compared with.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.cases import CASES, InferenceCase, Network
from benchmarks.compare import row
from benchmarks.data import inference_rows, initial_weights
from benchmarks.figures import number
from benchmarks.peers import cores, netlet_model
from benchmarks.scaling import is_busy, netlet_threads, others, unit_of

HERE = Path(__file__).resolve().parent
OUTPUT = HERE / "results" / "threads.json"

SERVED = (InferenceCase((784, 128, 10), 32), InferenceCase((64, 64, 64, 10), 32), InferenceCase((64, 64, 64, 10), 1))
SHARED = ("mnist_small", "predict_784-512-512-10_batch1")
SECONDS, ROUNDS = 0.5, 5
BURN = "print(flush=True)\nwhile True: pass"


def calls_a_second(call: Callable[[], Any], threads: int, seconds: float) -> float:
    """Of so many Python threads, all of which begin together and call until the time is over."""
    start = threading.Barrier(threads)
    rates = [0.0] * threads

    def serve(index: int) -> None:
        start.wait()
        begin = now = time.perf_counter()
        calls = 0
        while now - begin < seconds:
            for _ in range(64):
                call()
            calls += 64
            now = time.perf_counter()
        rates[index] = calls / (now - begin)

    workers = [threading.Thread(target=serve, args=(index,)) for index in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(rates)


def measure_serving(case: InferenceCase, seconds: float, rounds: int) -> dict[int, float]:
    """Calls a second by the number of Python threads: medians."""
    with netlet_threads(1):
        predictor, x = (
            netlet_model.prepare_inference(case, initial_weights(case), {"predictor": True}),
            inference_rows(case),
        )
        predictor(x)
    found: dict[int, list[float]] = {threads: [] for threads in range(1, cores() + 1)}
    for _ in range(rounds):
        for threads, rates in found.items():
            rates.append(calls_a_second(lambda: predictor(x), threads, seconds))
    return {threads: statistics.median(rates) for threads, rates in found.items()}


@contextmanager
def neighbours(count: int) -> Iterator[None]:
    """So many processes that do nothing but compute, on whichever core the system puts them."""
    running = [subprocess.Popen([sys.executable, "-c", BURN], stdout=subprocess.PIPE) for _ in range(count)]
    try:
        for process in running:
            assert process.stdout
            process.stdout.readline()  # it computes from now on
        yield
    finally:
        for process in running:
            process.kill()
            process.communicate()


def measure_sharing(case: Network, threads: int, seconds: float, rounds: int) -> dict[int, float]:
    """Seconds of a step or call by the number of busy neighbours: medians of the turns' means."""
    unit, steps = unit_of(case, threads, always=False)
    found: dict[int, list[float]] = {count: [] for count in range(cores() + 1)}
    for _ in range(rounds):
        for count, times in found.items():
            with neighbours(count):
                unit()
                done, begin = 0, time.perf_counter()
                while (passed := time.perf_counter() - begin) < seconds:
                    unit()
                    done += steps
                times.append(passed / done)
    return {count: statistics.median(times) for count, times in found.items()}


def share(threads: int, busy: int, have: int) -> float:
    """How many times as long it takes where ``have`` cores are dealt out evenly among all threads that want one."""
    return max(1.0, (threads + busy) / have)


def measure(seconds: float = SECONDS, rounds: int = ROUNDS) -> dict[str, Any]:
    """A run as it is written to JSON."""
    about, before = machine.describe(), others()
    cases: dict[str, Any] = dict(CASES)
    served = {case.name: measure_serving(case, seconds, rounds) for case in SERVED}
    after = others()
    shared = {
        name: {threads: measure_sharing(cases[name], threads, seconds, rounds) for threads in sorted({1, cores()})}
        for name in SHARED
    }
    found = {
        "machine_info": about,
        "served": served,
        "shared": shared,
        "others": None if before is None else max(before, after or 0.0, others() or 0.0),
    }
    return json.loads(json.dumps(found))  # type: ignore[no-any-return]


def report(run: dict[str, Any]) -> list[str]:
    """The tables of a run, in Markdown."""
    where, have = run["machine_info"], run["machine_info"]["cores"]
    used = "" if run["others"] is None else f", processors that others used {run['others']:.2f}"
    lines = [f"{where['cpu']} ({where['cpu_family']}), {have} cores, load when it began {where['load']}{used}.", ""]
    if is_busy(run):
        lines += ["**Others used the processors: these figures show that it runs, not what it gains or loses.**", ""]
    most = max(int(threads) for rates in run["served"].values() for threads in rates)
    head = [
        "one predictor, a thread a call",
        *(f"{n} {'thread' if n == 1 else 'threads'}, calls/s" for n in range(1, most + 1)),
    ]
    lines += [row([*head, "times one thread's"]), "|---|" + "---:|" * (most + 1)]
    for name, rates in run["served"].items():
        counts = [rates[str(n)] for n in range(1, most + 1)]
        lines.append(row([name, *(f"{rate:,.0f}" for rate in counts), f"{counts[-1] / counts[0]:.2f}×"]))
    head = ["a step or call of", "threads", "busy processes beside it", "µs", "times as long"]
    head += ["its share of the cores leaves"]
    lines += ["", row(head), "|---|" + "---:|" * (len(head) - 1)]
    for name, by_threads in run["shared"].items():
        for threads, times in by_threads.items():
            for busy, took in times.items():
                slower, bound = took / times["0"], share(int(threads), int(busy), have)
                lines.append(row([name, threads, busy, number(1e6 * took), f"{slower:.2f}×", f"{bound:.2f}×"]))
    return lines


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.threads", description=__doc__)
    parser.add_argument("--output", type=Path, default=OUTPUT, help="default: benchmarks/results/threads.json")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"of a turn; default {SECONDS:g}")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"turns of each; default {ROUNDS}")
    options = parser.parse_args(arguments)
    run = measure(options.seconds, options.rounds)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")
    print("\n".join(report(run)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
