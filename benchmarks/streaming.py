"""Trains from a file of rows that is larger than the memory it is given: ``python -m benchmarks.streaming [--gb 10]``.

Writes rows to a temporary file, maps it with ``np.memmap``, and fits one shuffled epoch. Rows that were copied would
show as anonymous memory, which cannot be given back as a page of a file can: reported is its peak, above what the
process held before there was a model. The same epoch with the rows in their own order, which are not gathered, tells
what gathering costs; the two take turns. The file is deleted at the end.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import machine
from benchmarks.figures import number

WIDTHS = (1024, 256, 10)
BATCH = 1024
BLOCK_ROWS = 1 << 14  # written at a time
ALLOWANCE = 1e9  # bytes of anonymous memory above the weights: the goal, at 10 GB of rows


def write_rows(folder: Path, size: float) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """About ``size`` bytes of rows, mapped read-only, and their labels: which of ten directions a row points to most.

    Every row differs. Blocks are drawn from a generator, so that nothing else of this size is ever in memory.
    """
    rows = max(BATCH, int(size / (4 * WIDTHS[0])) // BATCH * BATCH)
    random = np.random.default_rng(0)
    directions = random.standard_normal((WIDTHS[0], WIDTHS[-1]), dtype=np.float32)
    path, labels = folder / "rows.f32", np.empty(rows, np.int32)
    with path.open("wb") as file:
        for first in range(0, rows, BLOCK_ROWS):
            block = random.random((min(BLOCK_ROWS, rows - first), WIDTHS[0]), dtype=np.float32) - np.float32(0.5)
            labels[first : first + len(block)] = np.argmax(block @ directions, axis=1)
            block.tofile(file)
    return np.memmap(path, np.float32, "r", shape=(rows, WIDTHS[0])), labels


def anonymous() -> int:
    """Bytes of memory of this process that no file stands behind."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return 1024 * int(status.split("RssAnon:")[1].split()[0])


def in_use() -> int:
    """Bytes of anonymous memory, after what is free was given back: a copy could come to lie in it, and not be seen.

    The allocator keeps up to 64 MB of freed memory, and serves an array of that size from it before it maps another.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's
    if trim is not None:
        trim(0)
    return anonymous()


class Watch:
    """The most anonymous memory seen, by a thread that looks a hundred times a second."""

    def __init__(self) -> None:
        self.most = 0

    @contextmanager
    def running(self) -> Iterator[Watch]:
        stop = threading.Event()

        def look() -> None:
            while not stop.wait(0.01):
                self.most = max(self.most, anonymous())

        thread = threading.Thread(target=look)
        thread.start()
        try:
            yield self
        finally:
            self.most = max(self.most, anonymous())
            stop.set()
            thread.join()


def epoch(x: NDArray[np.float32], y: NDArray[np.int32], shuffle: bool) -> dict[str, Any]:
    """Fits one epoch with a new model: seconds, loss, and the most anonymous memory above that before."""
    from netlet import Input, Sequential
    from netlet.layers import Dense

    before = in_use()
    model = Sequential([Input(WIDTHS[:1]), Dense(WIDTHS[1], "relu"), Dense(WIDTHS[2], "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(x[:BATCH], y[:BATCH], batch_size=BATCH, epochs=1, verbose=0)  # starts the threads, makes the workspaces
    with Watch().running() as watch:
        begin = time.perf_counter()
        history = model.fit(x, y, batch_size=BATCH, epochs=1, shuffle=shuffle, verbose=0)
        seconds = time.perf_counter() - begin
    return {
        "seconds": seconds,
        "loss": history.history["loss"][-1],
        "anonymous": watch.most - before,
        "weights": 4 * sum(int(np.prod(w.shape)) for w in model.get_weights()),
    }


def measure(size: float, folder: Path, rounds: int) -> dict[str, Any]:
    """Both kinds of epochs; ``touch`` is reading every page once, to tell what the disk has to do with it."""
    x, y = write_rows(folder, size)
    begin = time.perf_counter()
    touched = float(sum(x[first : first + BLOCK_ROWS, ::1024].sum() for first in range(0, len(x), BLOCK_ROWS)))
    touch = time.perf_counter() - begin
    assert np.isfinite(touched)
    epochs = [(epoch(x, y, False), epoch(x, y, True)) for _ in range(rounds)]
    found: dict[str, Any] = {"bytes": x.nbytes, "rows": len(x), "touch": touch}
    for name, ones in zip(("unshuffled", "shuffled"), zip(*epochs, strict=True), strict=True):
        found[name] = {
            "seconds": statistics.median(one["seconds"] for one in ones),
            "loss": ones[-1]["loss"],
            "anonymous": max(one["anonymous"] for one in ones),
            "weights": ones[-1]["weights"],
        }
    return found


def above_weights(found: dict[str, Any]) -> int:
    """Bytes of anonymous memory above the weights, at most."""
    return max(found[name]["anonymous"] - found[name]["weights"] for name in ("unshuffled", "shuffled"))


def markdown(found: dict[str, Any]) -> str:
    """The report."""
    gigabytes = found["bytes"] / 1e9
    lines = [
        f"{gigabytes:.2f} GB in {found['rows']:,} rows of {WIDTHS[0]}; {'-'.join(map(str, WIDTHS))}, batch {BATCH}; "
        f"every page read once in {found['touch']:.2f} s.",
        "",
        "| one epoch | seconds | GB/s | loss | anonymous memory at its peak | of which weights |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name in ("unshuffled", "shuffled"):
        one = found[name]
        lines.append(
            f"| {name} | {one['seconds']:.2f} | {gigabytes / one['seconds']:.2f} | {one['loss']:.4f} | "
            f"{number(one['anonymous'] / 1e6)} MB | {number(one['weights'] / 1e6)} MB |"
        )
    shuffled, plain = found["shuffled"]["seconds"], found["unshuffled"]["seconds"]
    most = above_weights(found)
    met = "yes" if most <= ALLOWANCE else "no"
    lines += [
        "",
        f"Shuffling takes {100 * (shuffled - plain) / shuffled:.0f} % of the shuffled epoch.",
        f"Anonymous memory above the weights: {number(most / 1e6)} MB, goal: ≤ {ALLOWANCE / 1e6:,.0f} MB: {met}.",
    ]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Returns 1 where the goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.streaming", description=__doc__)
    parser.add_argument("--gb", type=float, default=0.25, help="size of the rows; default 0.25, the goal's is 10")
    parser.add_argument("--rounds", type=int, default=3, help="epochs of each kind; default 3")
    parser.add_argument("--folder", type=Path, help="where the file is written; default: the system's temporary folder")
    parser.add_argument("--output", type=Path, help="also write the figures, as JSON")
    options = parser.parse_args(arguments)
    if options.folder is None and os.access("/var/tmp", os.W_OK):
        options.folder = Path("/var/tmp")  # /tmp may be memory
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        found = measure(1e9 * options.gb, Path(folder), options.rounds)
    print(markdown(found))
    if options.output:
        text = json.dumps({"machine_info": machine.describe(), **found}, indent=1)
        options.output.write_text(text + "\n", encoding="utf-8")
    return int(above_weights(found) > ALLOWANCE)


if __name__ == "__main__":
    sys.exit(main())
