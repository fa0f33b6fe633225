"""What Netlet should gain on more cores than there are here: ``python -m benchmarks.scaling [--output NAME.json]``.

Measures, with one thread and with 2, 4, ... up to the cores present: a few cases, what it costs to wake threads (fork
and join) and to hand a loop to threads that stand by, and the memory's bandwidth; and, on one thread, what of a step is
not shared. From these and from the number of parts that work is cut into, it predicts up to 64 threads, once hopefully
and once not, and says how far the prediction for the threads that are here is off. Where others use the processors
meanwhile, figures of several threads mean nothing, and it predicts nothing. The README has the formulas.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.cases import CASES, InferenceCase, Network, TrainingCase
from benchmarks.compare import row
from benchmarks.data import inference_rows, initial_weights, training_data
from benchmarks.figures import number
from benchmarks.peers import cores, netlet_model

HERE = Path(__file__).resolve().parent
OUTPUT = HERE / "results" / "scaling.json"
CSRC = HERE.parent / "csrc"
# Whose constants decide what is shared.
SOURCES = ("program/schedule.h", "program/training.cpp", "ops/gemm.h", "ops/dense.cpp")

SHOWN = (
    "tabular", "simplechains", "mnist_small", "mnist_big", "predict_64-64-64-10_batch1024",
    "predict_784-512-512-10_batch1024",
)  # fmt: skip
PREDICTED = (2, 4, 8, 16, 32, 64)
FLOAT = 4  # bytes
# Of the program that tells what fork and join cost; its blocks of rows are handed out one by one.
SMALL = InferenceCase((64, 64, 64, 10), 1)
# What handing a loop over costs is the difference of two of these: large networks, by their bytes, of products that are
# just large enough to be shared, and nothing else that is.
DEEP = tuple(
    TrainingCase(f"deep_{depth}", (128,) * depth, 16, 16 * 64, 1, "mean_squared_error", learning_rate=1e-3)
    for depth in (9, 25)
)
# Processors that others use: above this, no forecast.
BUSY = 0.1
STREAM_FLOATS = 1 << 24  # of each of three arrays: 64 MB, more than a share of the last cache
TURN, TURNS = 0.05, 9


@dataclass(frozen=True)
class Schedule:
    """The constants of the C++ sources, read from there so that both cannot differ."""

    small_bytes: int
    shard_flops: float
    most_shards: int
    team_flops: float
    loop_flops: float
    block_floats: int
    least_block: int
    most_block: int
    shared_block: int  # the least that threads share
    blocks_each: int
    product: int  # multiply-adds of a product, elements of an activation and of gathered rows, from which on
    elements: int  # threads share them in a large network
    gathered: int

    @staticmethod
    def read(text: str) -> Schedule:
        """ValueError if the sources are not written as expected."""

        def find(pattern: str, what: str) -> str:
            match = re.search(pattern, text)
            if match is None:
                raise ValueError(f"csrc: {what} is not written as benchmarks.scaling expects: {pattern}")
            return match[1]

        shared = r"least = (\d+), blocks_each"
        block = r"clamp<int64_t>\(\((\d+) << 10\) / plan\.widest / 12 \* 12, 12, 768\)"
        return Schedule(
            small_bytes=int(find(r"kSmallNetworkBytes = (\d+) << 10", "the size of a small network")) << 10,
            shard_flops=float(find(r"worth = ([\d.e]+);", "the work of a shard")),
            most_shards=int(find(r"shards < (\d+) &&", "the most shards")),
            team_flops=float(find(r"int team\(.*flops < ([\d.e]+) \? 1 : threads", "the work of a team")),
            loop_flops=float(find(r"int team_at_once\(.*flops < ([\d.e]+) \? 1 : threads", "the work of a loop")),
            block_floats=int(find(block, "the block of rows")) << 10,
            least_block=12,
            most_block=768,
            shared_block=int(find(shared, "the least block that threads share")),
            blocks_each=int(find(r"least = \d+, blocks_each = (\d+);", "the blocks of a thread")),
            product=1 << int(find(r"kGemmWorth = 1 << (\d+);", "the work of a product")),
            elements=1 << int(find(r"kElementwiseWorth = 1 << (\d+);", "the elements of a loop")),
            gathered=1 << int(find(r"count \* size < \(1 << (\d+)\)", "the rows that are gathered at once")),
        )

    def is_small(self, case: Network) -> bool:
        """Whether each core carries its rows through the whole network, instead of sharing each product."""
        return parameters(case) <= self.small_bytes // FLOAT

    def parts(self, case: Network, threads: int) -> int:
        """Into how many parts a call is cut, or, for any number of threads, a step; products are cut on their own."""
        flops = max(1, 2 * sum(layer.inputs * layer.outputs for layer in case.layers))
        if isinstance(case, InferenceCase):
            rows = self.block_floats // max(case.widths) // 12 * 12
            block = min(max(rows, self.least_block), self.most_block)
            if threads > 1:
                even = math.ceil(case.batch // (self.blocks_each * threads) / 12) * 12
                block = min(block, max(self.shared_block, even))
            return math.ceil(case.batch / block)
        shards = 1
        while shards < self.most_shards and 2 * shards * self.shard_flops <= 3 * flops * case.batch:
            shards *= 2
        return math.ceil(case.batch / (math.ceil(case.batch / shards / 8) * 8))

    def threads(self, case: Network, threads: int) -> int:
        """How many threads are woken: one where there is too little to do. A step's team stands by already."""
        work = case.batch * 2 * sum(layer.inputs * layer.outputs for layer in case.layers)
        if isinstance(case, InferenceCase):
            return threads if work >= self.team_flops else 1
        return threads if 3 * work >= self.loop_flops else 1


def parameters(case: Network) -> int:
    return sum((layer.inputs + 1) * layer.outputs for layer in case.layers)


def sources() -> str:
    """What :meth:`Schedule.read` reads."""
    return "".join((CSRC / name).read_text(encoding="utf-8") for name in SOURCES)


def loops(case: Network, schedule: Schedule) -> int:
    """How many loops a step or call hands over to the threads that stand by."""
    if schedule.is_small(case):
        parts = schedule.parts(case, 2)
        if parts == 1 or isinstance(case, InferenceCase):
            return int(parts > 1)
        return 1 + _updates_are_shared(case, schedule)  # the shards; the tree that adds their gradients, and the step
    training = not isinstance(case, InferenceCase)
    count = int(training and case.batch * case.widths[0] >= schedule.gathered)
    for index, layer in enumerate(case.layers):
        product = case.batch * layer.inputs * layer.outputs >= schedule.product
        elements = case.batch * layer.outputs >= schedule.elements
        backward = 1 + (index > 0) if training else 0  # dkernel, and dx but for the first layer
        count += product * (1 + backward)
        count += elements * (layer.activation == "tanh")  # relu is in the product
        count += elements * training * ((layer.activation in ("tanh", "relu")) + 1)  # its slope; dbias
    return count


def _updates_are_shared(case: Network, schedule: Schedule) -> bool:
    return 10 * parameters(case) * schedule.parts(case, 2) >= schedule.loop_flops


def held(case: Network) -> int:
    """Bytes that a step or call comes back to: parameters, their gradient, and each layer's rows and gradients."""
    values = case.batch * sum(case.widths)
    return FLOAT * (parameters(case) + values) * (1 if isinstance(case, InferenceCase) else 2)


def moved(case: Network) -> int:
    """Bytes that a step or call moves at least once: parameters, and each layer's rows."""
    values = case.batch * sum(case.widths)
    if isinstance(case, InferenceCase):
        return FLOAT * (parameters(case) + 2 * values)
    return FLOAT * (6 * parameters(case) + 4 * values)  # read twice, gradient written, read, updated: and both ways


@dataclass(frozen=True)
class Inputs:
    """What was measured: seconds, or bytes a second, by number of threads; and the bytes of the last cache."""

    call: float
    cache: float
    fork_join: dict[int, float]
    handover: dict[int, float]
    bandwidth: dict[int, float]
    cases: dict[str, dict[int, float]]
    serial: dict[str, float]

    def grown(self, measured: dict[int, float], threads: int, hopeful: bool) -> float:
        """Of fork and join or a handover: measured, or growing from there as a tree's depth or with each thread."""
        if threads in measured:
            return measured[threads]
        most = max(measured)
        growth = math.log2(threads) / math.log2(most) if hopeful else (threads - 1) / (most - 1)
        return measured[most] * growth

    def stream(self, threads: int, hopeful: bool) -> float:
        """Bandwidth of ``threads``: measured, or growing from there with each thread or not at all."""
        if threads in self.bandwidth:
            return self.bandwidth[threads]
        most = max(self.bandwidth)
        return self.bandwidth[most] * (threads / most if hopeful else 1)


def predict(case: Network, inputs: Inputs, threads: int, hopeful: bool, schedule: Schedule) -> float:
    """Seconds a step or call; see the formulas in the README."""
    measured, serial = inputs.cases[case.name], inputs.serial[case.name]
    most = max(measured)
    if not hopeful:  # what the most threads took longer than predicted is not shared, either
        excess = measured[most] - _predict(case, inputs, most, True, schedule, serial)
        gone = 1 - _share(case, most, schedule)
        serial += max(0.0, excess) / gone if gone else 0.0
    return _predict(case, inputs, threads, hopeful, schedule, min(serial, measured[1]))


def _share(case: Network, threads: int, schedule: Schedule) -> float:
    """Of the shared work, the part that the busiest thread does."""
    if not schedule.is_small(case):
        return 1 / threads
    parts = schedule.parts(case, threads)
    return math.ceil(parts / threads) / parts


def _predict(
    case: Network, inputs: Inputs, threads: int, hopeful: bool, schedule: Schedule, serial: float
) -> float:  # fmt: skip
    one = inputs.cases[case.name][1]
    at_work = threads
    if schedule.is_small(case):
        at_work = min(threads, schedule.parts(case, threads)) if schedule.threads(case, threads) > 1 else 1
    if at_work == 1:
        return one
    handing = loops(case, schedule) * inputs.grown(inputs.handover, at_work, hopeful)
    if isinstance(case, InferenceCase):  # threads are woken for each call; those of a training stand by for long
        handing = (handing if not schedule.is_small(case) else 0.0) + inputs.grown(inputs.fork_join, at_work, hopeful)
    shared = serial + (one - serial) * _share(case, threads, schedule) + handing
    if schedule.is_small(case) or held(case) <= inputs.cache:
        return shared
    return max(shared, moved(case) / inputs.stream(threads, hopeful))


@contextmanager
def netlet_threads(threads: int, *, always: bool = True) -> Iterator[None]:
    """Executors that are made inside have this many threads, and use them ``always`` or where they are faster."""
    wanted = {"NETLET_NUM_THREADS": str(threads), "NETLET_DYNAMIC": str(int(not always))}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def medians(units: dict[int, Callable[[], Any]], turn: float, turns: int) -> dict[int, float]:
    """Median seconds of each unit, timed by turns."""
    repeat: dict[int, int] = {}
    for key, unit in units.items():
        unit()
        begin = time.perf_counter()
        unit()
        repeat[key] = max(1, round(turn / max(time.perf_counter() - begin, 1e-7)))
    found: dict[int, list[float]] = {key: [] for key in units}
    for _ in range(turns):
        for key, unit in units.items():
            time.sleep(0.005)  # threads of the turn before fall asleep
            unit()
            begin = time.perf_counter()
            for _ in range(repeat[key]):
                unit()
            found[key].append((time.perf_counter() - begin) / repeat[key])
    return {key: statistics.median(seconds) for key, seconds in found.items()}


def counts() -> list[int]:
    """1, 2, 4, ... and the cores present."""
    have = cores()
    powers = [1 << k for k in range(have.bit_length()) if 1 << k < have]
    return [*powers, have]


def unit_of(case: Network, threads: int, *, always: bool = True) -> tuple[Callable[[], Any], int]:
    """A call of the case with so many threads, as `netlet_threads` has them; and how many steps or calls it holds."""
    with netlet_threads(threads, always=always):
        if isinstance(case, InferenceCase):
            predict_, x = netlet_model.prepare_inference(case, initial_weights(case), {}), inference_rows(case)
            predict_(x)  # makes the executor
            return lambda: predict_(x), 1
        assert isinstance(case, TrainingCase)
        training = netlet_model.prepare_training(case, training_data(case), initial_weights(case), {})
        training.run(1, case.shuffle)
        return lambda: training.run(case.epochs, case.shuffle), case.epochs * case.steps


def measure_cases(names: tuple[str, ...], turn: float, turns: int) -> dict[str, dict[int, float]]:
    found = {}
    for name in names:
        case: Any = CASES[name]
        units = {threads: unit_of(case, threads) for threads in counts()}
        seconds = medians({threads: unit for threads, (unit, _) in units.items()}, turn, turns)
        found[name] = {threads: seconds[threads] / units[threads][1] for threads in units}
    return found


def measure_serial(case: Network, one: float, schedule: Schedule, seconds: float) -> float:
    """Seconds of a step or call that are no thread's but the caller's, of ``one`` that it takes on one thread.

    These are what it takes besides the step that ``model.profile`` times, and those parts of that which are not shared.
    """
    with netlet_threads(1):
        found = netlet_model.profile(case, initial_weights(case), seconds)
    shared = {"forward", "backward"}
    if schedule.is_small(case):  # the rows of a shard meet no other thread from gathering to their gradient
        shared |= {"gather", "loss", "metrics"}
        if _updates_are_shared(case, schedule):
            shared.add("update")
    elif case.batch * case.widths[0] >= schedule.gathered:
        shared.add("gather")
    own = {"forward": 0, "backward": 0}
    spent = max(0.0, one - 1e-6 * found.microseconds)
    for part in found.rows:
        alone = part.phase not in shared
        if part.phase in own and not schedule.is_small(case):
            layers = case.layers if part.phase == "forward" else case.layers[::-1]
            if part.op == "dense":
                layer = layers[own[part.phase]]
                own[part.phase] += 1
                alone = case.batch * layer.inputs * layer.outputs < schedule.product
            else:
                alone = True  # softmax
        spent += 1e-6 * part.microseconds if alone else 0.0
    return min(spent, one)


def measure_handover(turn: float, turns: int, schedule: Schedule) -> dict[int, float]:
    """Seconds to hand a loop to threads that stand by and to be done together, by number of threads.

    The two DEEP networks differ in nothing but loops: ``J H(n) = T(n) - T(1) / n`` of the deeper less the other. What
    of a loop is not shared, and lines of cache that change cores, are in it.
    """
    shallow, deep = (
        medians({n: unit_of(case, n)[0] for n in counts()}, turn, turns) for case in DEEP
    )  # fmt: skip
    more = (loops(DEEP[1], schedule) - loops(DEEP[0], schedule)) * DEEP[0].steps
    steps = {n: deep[n] - shallow[n] for n in counts()}
    return {n: max(0.0, (steps[n] - steps[1] / n) / more) for n in counts()[1:]}


def others(seconds: float = 1.0) -> float | None:
    """How many processors others use while this process sleeps; None where the system does not say."""
    path = Path("/proc/stat")
    if not path.exists():
        return None

    def idle() -> tuple[int, int]:
        ticks = [int(text) for text in path.read_text().split("\n", 1)[0].split()[1:9]]
        return sum(ticks), ticks[3] + ticks[4]  # all; idle, and waiting for a disk

    (all_before, idle_before) = idle()
    time.sleep(seconds)
    (all_after, idle_after) = idle()
    passed = max(1, all_after - all_before)
    return (os.cpu_count() or 1) * (1 - (idle_after - idle_before) / passed)


def measure_fork_join(turn: float, turns: int, schedule: Schedule) -> tuple[float, dict[int, float]]:
    """What a call costs besides its work, and fork and join by number of threads: ``T(n) - c - (T(1) - c) / n``.

    The work is a batch of 4 blocks a thread, of a small network: enough for the threads to be woken.
    """
    block = schedule.block_floats // max(SMALL.widths) // 12 * 12
    call = medians({1: unit_of(SMALL, 1)[0]}, turn, turns)[1]
    found = {}
    for threads in counts()[1:]:
        case = InferenceCase(SMALL.widths, 4 * threads * block)
        units = {n: unit_of(case, n)[0] for n in (1, threads)}
        seconds = medians(units, turn, turns)
        found[threads] = max(0.0, seconds[threads] - call - (seconds[1] - call) / threads)
    return call, found


def measure_bandwidth(turns: int) -> dict[int, float]:
    """Bytes a second of ``c = a + b`` over arrays that no cache holds, cut among NumPy calls in so many threads."""
    a, b = np.ones(STREAM_FLOATS, np.float32), np.ones(STREAM_FLOATS, np.float32)
    c = np.zeros(STREAM_FLOATS, np.float32)
    found = {}
    for threads in counts():
        cuts = [STREAM_FLOATS * k // threads for k in range(threads + 1)]
        pieces = [slice(*ends) for ends in pairwise(cuts)]
        seconds = []
        for _ in range(turns):
            workers = [threading.Thread(target=np.add, args=(a[p], b[p]), kwargs={"out": c[p]}) for p in pieces]
            begin = time.perf_counter()
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
            seconds.append(time.perf_counter() - begin)
        found[threads] = 3 * a.nbytes / statistics.median(seconds)
    return found


def topology() -> dict[str, Any]:
    """What decides whether many cores help: sockets, NUMA nodes, hyper-threads, affinity and quota."""
    from netlet.runtime import affinity_processors, cgroup_quota

    smt = Path("/sys/devices/system/cpu/smt/active")
    packages = {path.read_text() for path in Path("/sys/devices/system/cpu").glob("cpu*/topology/physical_package_id")}
    return {
        "processors": os.cpu_count(),
        "affinity": affinity_processors(),
        "quota": cgroup_quota(),
        "sockets": len(packages) or None,
        "numa_nodes": len(list(Path("/sys/devices/system/node").glob("node[0-9]*"))) or None,
        "smt": smt.read_text().strip() == "1" if smt.exists() else None,
    }


def is_busy(run: dict[str, Any]) -> bool:
    """Whether others ran, too; of a run that does not know, whether its load was high."""
    if (used := run.get("others")) is not None:
        return bool(used > BUSY)
    return bool(run["machine_info"]["load"] > 0.25 * run["machine_info"]["cores"])


def report(run: dict[str, Any]) -> list[str]:
    """The prose and the table of a run, in Markdown."""
    inputs, schedule, busy = inputs_of(run), Schedule(**run["schedule"]), is_busy(run)
    where, about = run["machine_info"], run["topology"]
    most = max(inputs.bandwidth)
    smt = {None: "unknown", True: "on", False: "off"}[about["smt"]]
    used = "" if run.get("others") is None else f", processors that others used {run['others']:.2f}"
    lines = [
        f"Measured on {where['cpu']} ({where['cpu_family']}), load when it began {where['load']}{used}: "
        f"{about['affinity']} of {about['processors']} processors, quota {about['quota'] or 'none'}, "
        f"sockets {about['sockets']}, NUMA nodes {about['numa_nodes']}, SMT {smt}.",
        "",
    ]
    if busy:
        lines += [
            "**Others used the processors: these figures show that it runs. What several threads took is not what they "
            "take, and nothing is predicted from it.**",
            "",
        ]
    lines.append(f"- A call costs c = {1e6 * inputs.call:.2f} µs besides its work (one row through 64-64-64-10).")
    if inputs.fork_join:
        joins = ", ".join(f"{n} threads {1e6 * s:.1f} µs" for n, s in inputs.fork_join.items())
        handed = ", ".join(f"{n} threads {1e6 * s:.2f} µs" for n, s in inputs.handover.items())
        lines += [f"- Fork and join: {joins}.", f"- Handing over a loop: {handed}."]
    streams = ", ".join(f"{n}: {s / 1e9:.1f}" for n, s in inputs.bandwidth.items())
    lines.append(f"- Bandwidth in GB/s, by threads: {streams}.")
    if not inputs.fork_join:
        lines += ["", "With one core there is nothing to predict from: what fork and join cost is not known."]
        return lines
    ahead = [n for n in PREDICTED if n > most and not busy]
    head = ["case", "parts", "loops", "one thread, µs", "not shared, µs", f"{most} threads, measured"]
    head += [] if busy else [f"{most}, predicted", *(str(n) for n in ahead)]
    lines += ["", row(head), "|---|---:|" + "---:|" * (len(head) - 2)]
    for name, seconds in inputs.cases.items():
        case: Any = CASES[name]

        def times(threads: int, case: Any = case, one: float = seconds[1]) -> str:
            low, high = sorted(one / predict(case, inputs, threads, hopeful, schedule) for hopeful in (False, True))
            return f"{low:.2g}×" if f"{low:.2g}" == f"{high:.2g}" else f"{low:.2g}–{high:.2g}×"

        cells = [name, schedule.parts(case, most) if schedule.is_small(case) else "products", loops(case, schedule)]
        cells += [number(1e6 * seconds[1]), number(1e6 * inputs.serial[name]), f"{seconds[1] / seconds[most]:.2f}×"]
        if not busy:
            expected = seconds[1] / predict(case, inputs, most, True, schedule)
            cells += [f"{expected:.2f}×", *(times(n) for n in ahead)]
        lines.append(row(cells))
    return lines if busy else [*lines, "", *conclusions(inputs, schedule)]


def conclusions(inputs: Inputs, schedule: Schedule) -> list[str]:
    """What follows from the figures, each with the formula that it follows from."""
    most = max(inputs.fork_join)
    pays = most / (most - 1)
    lines = [
        f"- Sharing W pays where W (1 - 1/n) is more than it costs: on {most} threads, a loop has to take more than "
        f"{1e6 * inputs.handover[most] * pays:.1f} µs on one thread, and a call whose threads are woken for it "
        f"{1e6 * inputs.fork_join[most] * pays:.1f} µs.",
    ]
    for name in inputs.cases:
        case: Any = CASES[name]
        if schedule.is_small(case):
            parts = schedule.parts(case, 64)
            why = f"it is cut into {parts} parts, and more threads than that cannot help it"
            if schedule.threads(case, 64) == 1:
                why = "its work is below what threads are woken for: it stays on one, on any machine"
        elif held(case) > inputs.cache:
            floor = moved(case) / inputs.stream(most, False)
            why = (
                f"it moves {moved(case) / 1e6:.0f} MB, which take {1e6 * floor:,.0f} µs at this machine's bandwidth: "
                f"more than {inputs.cases[name][1] / floor:.0f} threads are of no use without more of that"
            )
        else:
            why = (
                f"its {held(case) / 1e6:.1f} MB stay in the last cache, {inputs.cache / 1e6:.0f} MB; what counts is "
                f"that it hands over {loops(case, schedule)} loops"
            )
        lines.append(f"- {name}: {why}.")
    return lines


def inputs_of(run: dict[str, Any]) -> Inputs:
    def keyed(found: dict[str, float]) -> dict[int, float]:
        return {int(n): seconds for n, seconds in found.items()}

    cases = {name: keyed(found) for name, found in run["cases"].items()}
    caches = run["machine_info"]["caches"]
    last = float(caches.get("L3", caches.get("L2", "0K")).removesuffix("K")) * 1024
    by_threads = [keyed(run[name]) for name in ("fork_join", "handover", "bandwidth")]
    return Inputs(run["call"], last, *by_threads, cases, run["serial"])


def measure(names: tuple[str, ...] = SHOWN, turn: float = TURN, turns: int = TURNS) -> dict[str, Any]:
    """A run as it is written to JSON."""
    schedule = Schedule.read(sources())
    about, before = machine.describe(), others()
    call, fork_join = measure_fork_join(turn, turns, schedule)
    cases = measure_cases(names, turn, turns)
    known: dict[str, Any] = dict(CASES)
    found = {
        "machine_info": about,
        "topology": topology(),
        "schedule": vars(schedule),
        "call": call,
        "fork_join": fork_join,
        "handover": measure_handover(turn, turns, schedule),
        "bandwidth": measure_bandwidth(turns),
        "cases": cases,
        "serial": {name: measure_serial(known[name], cases[name][1], schedule, turn * turns) for name in names},
        "others": None if before is None else max(before, others() or 0.0),
    }
    return json.loads(json.dumps(found))  # type: ignore[no-any-return]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--output", type=Path, default=OUTPUT, help="default: benchmarks/results/scaling.json")
    options = parser.parse_args(arguments)
    run = measure()
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")
    print("\n".join(report(run)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
