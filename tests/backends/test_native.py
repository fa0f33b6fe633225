"""The native backend's own promises: the same bits on any number of threads and in any batch, safe after fork, from
many threads, and under Ctrl-C. What each op computes is the conformance suite's matter."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from netlet.backends import make_executor, target_reason
from netlet.errors import ModelFormatError
from netlet.program import Program, ProgramBuilder, optimize, sums_size

if target_reason("native") is not None:
    pytest.skip(f"native: {target_reason('native')}", allow_module_level=True)

import itertools

from netlet import _native
from netlet.backends.native import NativeExecutor

ISAS = _native.isas_available()
SMALL, LARGE = (64, 64, 64, 10), (300, 301, 10)  # row-sharded, op-parallel


def network(widths: tuple[int, ...], activation: str = "tanh", dtype: str = "float32") -> Program:
    """A classifier: dense layers with ``activation``, softmax, cross-entropy on labels, SGD with momentum."""
    b = ProgramBuilder(dtype)
    x = b.input((widths[0],))
    for i, (n, m) in enumerate(itertools.pairwise(widths)):
        x = b.dense(x, b.param(f"dense_{i}/kernel", (n, m)), b.param(f"dense_{i}/bias", (m,)))
        x = b.activation(x, activation) if i < len(widths) - 2 else b.softmax(x)
    return optimize(
        b.finish(x).with_training(
            loss="sparse_categorical_crossentropy",
            optimizer=("sgd", {"momentum": 0.9}),
            metrics=["sparse_categorical_accuracy"],
        )
    )


def executor(program: Program, isa: str, threads: int) -> NativeExecutor:
    """An executor with weights drawn from a fixed seed."""
    weights = np.random.default_rng(3).normal(0, 0.1, program.param_size).astype(program.dtype)
    slots = np.zeros((program.num_slots, program.param_size), program.dtype)
    made = make_executor(
        program, weights, np.zeros(0, program.dtype), slots, target=f"native:{isa}", num_threads=threads
    )
    assert isinstance(made, NativeExecutor)
    return made


def data(program: Program, rows: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(rows, *program.values[program.inputs[0]].shape)).astype(program.dtype)
    return x, rng.integers(0, 10, rows).astype(np.int32)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("widths", [SMALL, LARGE], ids=["row-sharded", "op-parallel"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_training_gives_the_same_bits_on_any_number_of_threads(isa, widths, dtype):
    program = network(widths, dtype=dtype)
    x, y = data(program, 500)
    seen = set()
    for threads in (1, 2, 3, 8):
        e = executor(program, isa, threads)
        sums = np.zeros(sums_size(program))
        e.train([x], y, None, batch_size=128, shuffle=(5, 0), first=0, last=4, learning_rate=0.1, sums=sums)
        seen.add(e.params.tobytes() + e.slots.tobytes() + sums.tobytes())
    assert len(seen) == 1


@pytest.mark.parametrize("widths", [SMALL, LARGE], ids=["row-sharded", "op-parallel"])
def test_trying_threads_and_one_alone_changes_no_bit(widths, monkeypatch):
    """Long enough for both to be tried; predictions, too, of every size that is tried by itself."""
    program = network(widths)
    x, y = data(program, 2000)
    seen = set()
    for threads, dynamic in ((1, "1"), (2, "0"), (2, "1"), (3, "1")):
        monkeypatch.setenv("NETLET_DYNAMIC", dynamic)
        e = executor(program, ISAS[-1], threads)
        sums = np.zeros((60, sums_size(program)))
        e.train_epochs([x], y, None, batch_size=128, shuffle=(5, 0), epochs=60, learning_rate=0.01, sums=sums)
        seen.add(e.params.tobytes() + e.slots.tobytes() + sums.tobytes())
        predicted = [e.predict([x[:n]], None, 512)[0] for n in (500, 2000) for _ in range(200)]
        for rows in predicted:
            assert np.array_equal(rows.view(np.uint32), predicted[-1][: len(rows)].view(np.uint32))
        seen.add(predicted[-1].tobytes())
    assert len(seen) == 2


def test_whether_threads_are_tried_is_a_matter_of_0_or_1(monkeypatch):
    monkeypatch.setenv("NETLET_DYNAMIC", "maybe")
    with pytest.raises(ValueError, match="NETLET_DYNAMIC: expected 0 or 1, got 'maybe'"):
        executor(network(SMALL), ISAS[-1], 2)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("widths", [SMALL, LARGE], ids=["row-sharded", "op-parallel"])
@pytest.mark.parametrize("activation", ["relu", "gelu", "softplus"])
def test_a_row_is_predicted_alike_in_any_batch(isa, widths, activation):
    program = network(widths, activation)
    x, _ = data(program, 257)
    e = executor(program, isa, 2)
    (whole,) = e.predict([x], None, 64)
    for size in (1, 2, 3, 5, 17, 128, 257):
        pieces = [e.predict([x[i : i + size]], None, size)[0] for i in range(0, len(x), size)]
        assert np.array_equal(np.concatenate(pieces).view(np.uint32), whole.view(np.uint32)), size


def test_isas_agree_closely_and_the_default_is_the_best():
    assert _native.isa_in_use() == os.environ.get("NETLET_ISA", _native.isa_detected())
    program = network(SMALL)
    x, _ = data(program, 50)
    outputs = [executor(program, isa, 1).predict([x], None, 50)[0] for isa in ISAS]
    for other in outputs[1:]:
        np.testing.assert_allclose(other, outputs[0], rtol=1e-5, atol=1e-7)


def test_many_threads_predict_at_once_with_the_same_bits():
    program = network(SMALL)
    x, _ = data(program, 300)
    e = executor(program, ISAS[-1], 2)
    want = e.predict([x], None, 32)[0].tobytes()
    with ThreadPoolExecutor(16) as pool:
        results = list(pool.map(lambda _: e.predict([x], None, 32)[0].tobytes(), range(400)))
    assert set(results) == {want}


def test_predictions_while_training_see_whole_updates_or_none():
    program = network(SMALL)
    x, y = data(program, 640)
    e = executor(program, ISAS[-1], 1)
    stop = threading.Event()
    bad: list[int] = []

    def watch() -> None:
        while not stop.is_set():
            if not np.isfinite(e.predict([x], None, 64)[0]).all():
                bad.append(1)

    watcher = threading.Thread(target=watch)
    watcher.start()
    for epoch in range(30):
        e.train([x], y, None, batch_size=32, shuffle=(1, epoch), first=0, last=20, learning_rate=0.01, sums=np.zeros(4))
    stop.set()
    watcher.join(10)
    assert not watcher.is_alive() and not bad


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_predicts_and_trains_though_the_parent_was_warm():
    script = """
import os, sys
import numpy as np
sys.path.insert(0, os.path.dirname(sys.argv[1]))
from test_native import LARGE, data, executor, network
import netlet._native as native
program = network(LARGE)
x, y = data(program, 300)
e = executor(program, native.isas_available()[-1], 4)
def work():
    e.train([x], y, None, batch_size=100, shuffle=(1, 1), first=0, last=3, learning_rate=0.0, sums=np.zeros(4))
    return e.predict([x], None, 100)[0].tobytes()
want = work()
for _ in range(20):
    pid = os.fork()
    if pid == 0:
        os._exit(0 if work() == want else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
print("ok")
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", script, __file__],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout == "ok\n", done.stderr


def test_ctrl_c_stops_training_between_updates_and_the_executor_goes_on():
    program = network(SMALL)
    x, y = data(program, 200_000)
    e = executor(program, ISAS[-1], 2)
    sums = np.zeros(sums_size(program))
    sent: list[float] = []

    def interrupt() -> None:
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(0.2, interrupt)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        for epoch in range(1000):
            e.train([x], y, None, batch_size=8, shuffle=(1, epoch), first=0, last=25_000, learning_rate=1e-4, sums=sums)
    waited = time.monotonic() - sent[0]
    timer.join()
    assert waited < 1.0  # the goal is 0.1 s on an idle machine; a loaded one needs room
    assert np.isfinite(e.params).all() and sums[1] > 0
    e.train([x], y, None, batch_size=8, shuffle=None, first=0, last=2, learning_rate=0.1, sums=sums)


def test_a_signal_handler_that_predicts_while_training_gets_an_error_not_a_deadlock():
    program = network(SMALL)
    x, y = data(program, 200_000)
    e = executor(program, ISAS[-1], 1)
    caught: list[str] = []

    def handler(number: int, frame: object) -> None:
        try:
            e.predict([x[:1]], None, 1)
        except RuntimeError as error:
            caught.append(str(error))

    before = signal.signal(signal.SIGUSR1, handler)
    timer = threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGUSR1))
    timer.start()
    sums = np.zeros(sums_size(program))
    try:
        for epoch in range(100):
            e.train([x], y, None, batch_size=8, shuffle=(1, epoch), first=0, last=25_000, learning_rate=1e-4, sums=sums)
            if caught:
                break
    finally:
        timer.join()
        signal.signal(signal.SIGUSR1, before)
    # It may also have come between two calls, and then predicted in peace.
    assert caught in ([], ["executor: called from within its own training (by a signal handler?)"])
    e.predict([x[:1]], None, 1)


def test_arrays_that_do_not_fit_are_refused_and_nothing_changes():
    program = network(SMALL)
    x, y = data(program, 20)
    e = executor(program, ISAS[-1], 1)
    before = e.params.tobytes()
    good = {"batch_size": 8, "shuffle": None, "first": 0, "last": 3, "learning_rate": 0.1, "sums": np.zeros(4)}
    for error, text, xs, labels, changed in [
        (TypeError, "xs: expected a C-contiguous array of float32, got float64", [x.astype("f8")], y, {}),
        (TypeError, "xs: expected a C-contiguous", [np.asfortranarray(x)], y, {}),
        (ValueError, r"xs: has shape \(20, 63\)", [np.ascontiguousarray(x[:, 1:])], y, {}),
        (ValueError, "xs: expected 1 arrays, got 2", [x, x], y, {}),
        (TypeError, "y: expected a C-contiguous array of int32, got int64", [x], y.astype("i8"), {}),
        (ValueError, r"y: has shape \(19,\), expected 20 elements", [x], y[1:], {}),
        (ValueError, "batch_size: expected 1 or more, got 0", [x], y, {"batch_size": 0}),
        (ValueError, r"steps \[0, 4\) of 3", [x], y, {"last": 4}),
        (ValueError, r"steps \[-1, 3\) of 3", [x], y, {"first": -1}),
        (ValueError, r"sums: has shape \(2,\)", [x], y, {"sums": np.zeros(2)}),
    ]:
        with pytest.raises(error, match=text):
            e.train(xs, labels, None, **{**good, **changed})
    assert e.params.tobytes() == before


def test_a_label_out_of_range_makes_the_loss_nan_and_reads_nothing_beyond():
    program = network(SMALL)
    x, y = data(program, 5)
    e = executor(program, ISAS[-1], 1)
    for bad in (-1, 10, 2**31 - 1, -(2**31)):
        y[2] = bad
        loss, gradient, _ = e.gradients([x], y, None)
        assert np.isnan(loss) and np.isnan(gradient).any()


def test_the_parser_refuses_what_is_no_program():
    text = network(SMALL).to_json()
    _native.check_program(text.encode())
    for old, new in [
        ('"version":1', '"version":2'),
        ('"dense"', '"dance"'),
        ('"offset":0', '"offset":1'),
        ('"inputs":[0]', '"inputs":[7000]'),
        ('"outputs":[', '"outputs":[0.5,'),
        ('"float32"', '"float16"'),
        ('"momentum":0.9', '"momentum":9'),
    ]:
        assert old in text, old
        with pytest.raises(ModelFormatError):
            _native.check_program(text.replace(old, new, 1).encode())
    for size in range(len(text)):
        with pytest.raises(ModelFormatError):
            _native.check_program(text[:size].encode())


def test_import_starts_no_thread():
    script = "import threading, os, netlet, netlet._native; print(len(os.listdir('/proc/self/task')))"
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    if not Path("/proc/self/task").exists():
        pytest.skip("this system has no /proc")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, timeout=60)
    assert done.stdout.strip() == "1", done.stderr
