"""The Numba backend's own promises: equal bits in any batch, the GIL set free, Ctrl-C, big layers through BLAS.

What each op computes is the conformance suite's matter, and what whole Programs compute that of test_executors.
"""

from __future__ import annotations

import itertools
import os
import signal
import threading
import time

import numpy as np
import pytest

from netlet import random
from netlet.backends import make_executor, target_reason
from netlet.program import Program, ProgramBuilder, optimize, sums_size
from netlet.testing import Guards, Target
from netlet.testing.programs import initial_params, random_batch, sample_programs

if target_reason("numba") is not None:
    pytest.skip(f"numba: {target_reason('numba')}", allow_module_level=True)

from netlet.backends.numba_ import BlasExecutor, JittedExecutor
from netlet.backends.numba_kernels import executor as executor_module
from netlet.backends.numba_kernels.calls import EpochOrder
from netlet.backends.numba_kernels.pacing import Pace

PROGRAMS = list(sample_programs())


def network(widths: tuple[int, ...], activation: str = "relu", dtype: str = "float32") -> Program:
    """A classifier: dense layers with ``activation``, softmax, cross-entropy on labels, SGD with momentum."""
    b = ProgramBuilder(dtype)
    x = b.input((widths[0],))
    for i, (n, m) in enumerate(itertools.pairwise(widths)):
        last = i == len(widths) - 2
        kernel, bias = b.param(f"dense_{i}/kernel", (n, m)), b.param(f"dense_{i}/bias", (m,))
        x = b.dense(x, kernel, bias, activation="linear" if last else activation)
    return optimize(
        b.finish(b.softmax(x)).with_training(
            loss="sparse_categorical_crossentropy",
            optimizer=("sgd", {"momentum": 0.9}),
            metrics=["sparse_categorical_accuracy"],
        )
    )


def jitted(program: Program, kind: type = JittedExecutor):
    slots = np.zeros((program.num_slots, program.param_size), program.dtype)
    return kind(program, 0.3 * initial_params(program), np.zeros(program.state_size, program.dtype), slots)


def train(executor, xs, y, *, batch_size: int, shuffle=(3, 1), weight=None) -> np.ndarray:
    """One epoch; returns its sums."""
    sums = np.zeros(sums_size(executor.program))
    steps = -(-len(y) // batch_size)
    executor.train(
        xs, y, weight, batch_size=batch_size, shuffle=shuffle, first=0, last=steps, learning_rate=0.1, sums=sums
    )
    return sums


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("widths", [(5, 3, 10), (64, 33, 17, 10)], ids=["narrow", "wide"])
def test_a_row_is_predicted_alike_in_any_batch(widths: tuple[int, ...], dtype: str) -> None:
    """Bit for bit, also where a batch is wide enough for the transposed product and its parts are not."""
    executor = jitted(network(widths, "tanh", dtype))
    xs, _, _ = random_batch(executor.program, 131)
    (whole,) = executor.predict(xs, None, 131)
    for size in (1, 2, 15, 16, 17, 128):
        pieces = [executor.predict([xs[0][i : i + size]], None, size)[0] for i in range(0, 131, size)]
        np.testing.assert_array_equal(np.concatenate(pieces), whole)


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name != "shared"])
def test_blocks_of_a_step_change_no_bit(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step of 50 rows in blocks of 50, 16 and 7: the same weights, sums and gradients.

    Only a parameter that two ops share gets its sum in another order: op by op in each block.
    """
    program = sample_programs()[name]
    xs, y, weight = random_batch(program, 110)
    found = []
    for rows in (50, 16, 7):
        monkeypatch.setattr(executor_module, "block_rows", lambda width, itemsize, batch, rows=rows: min(rows, batch))
        executor = jitted(program)
        sums = train(executor, xs, y, batch_size=50, weight=weight)
        loss, gradient, dxs = executor.gradients(xs, y, weight)
        found.append([executor.params.copy(), executor.slots, sums, np.asarray(loss), gradient, *dxs])
    for other in found[1:]:
        for a, b in zip(other, found[0], strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_gradient_is_not_left_over_from_another_call() -> None:
    """vjp reaches parameters that the loss does not; training after it must not move them."""
    program = sample_programs()["branches"]
    xs, y, _ = random_batch(program, 8)
    executor = jitted(program)
    far = next(p for p in program.params if p.name == "c/kernel")
    before = executor.params.copy()
    _, _, dparams = executor.vjp(xs, [np.ones_like(out) for out in executor.predict(xs, None, 8)])
    assert np.abs(dparams[far.offset : far.offset + far.size]).min() > 0
    train(executor, xs, y, batch_size=8)
    moved = np.flatnonzero(executor.params != before)
    assert moved.size > 0
    assert not ((moved >= far.offset) & (moved < far.offset + far.size)).any()


@pytest.mark.parametrize("key", [(0, 0), (7, 3), (2**64 - 1, 2**63 + 5)])
def test_the_shuffle_is_that_of_the_random_module(key: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it is cut into many calls."""
    monkeypatch.setattr(Pace, "SECONDS", 1e-6)
    for n in (1, 2, 3, 4, 1001):
        np.testing.assert_array_equal(EpochOrder()(*key, n), random.permutation(*key, n))


def test_layers_decide_what_runs_them() -> None:
    def made(*widths: int):
        program = network(widths)
        slots = np.zeros((program.num_slots, program.param_size), program.dtype)
        return make_executor(program, initial_params(program), np.zeros(0, np.float32), slots, target="numba")

    assert isinstance(made(64, 64, 10), JittedExecutor)
    assert isinstance(made(784, 128, 10), BlasExecutor)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_blas_computes_what_the_oracle_does(name: str, dtype: str) -> None:
    """The executor for big layers, on the small Programs that have everything in them. Bounds as in test_executors."""
    program, exact = sample_programs(dtype)[name], sample_programs("float64")[name]
    guards = Guards()
    xs, y, weight = random_batch(program, 18)
    params = guards.inout("params", initial_params(program))
    slots = guards.inout("slots", np.zeros((program.num_slots, program.param_size), dtype))
    executor = BlasExecutor(program, params, np.zeros(0, dtype), slots)
    oracle_params = initial_params(program).astype(np.float64)
    oracle = Target("numpy").executor(exact, oracle_params)
    exact_xs = [x.astype(np.float64) for x in xs]
    exact_y = y if y.dtype == np.int32 else y.astype(np.float64)
    exact_weight = weight.astype(np.float64)

    def close(got: np.ndarray, want: np.ndarray) -> None:
        bound = 100 * np.finfo(dtype).eps * max(1.0, float(np.abs(want).max(initial=0.0)))
        np.testing.assert_allclose(got, want, rtol=0, atol=bound)

    for a, b in zip(executor.predict(xs, None, 18), oracle.predict(exact_xs, None, 18), strict=True):
        close(a, b)
    for weights, exact_weights in ((None, None), (weight, exact_weight)):
        got, want = executor.gradients(xs, y, weights), oracle.gradients(exact_xs, exact_y, exact_weights)
        close(np.asarray(got[0]), np.asarray(want[0]))
        close(got[1], want[1])
        for a, b in zip(got[2], want[2], strict=True):
            close(a, b)
    close(
        train(executor, xs, y, batch_size=4, weight=weight),
        train(oracle, exact_xs, exact_y, batch_size=4, weight=exact_weight),
    )
    close(params, oracle_params)
    close(slots, oracle.slots)
    guards.check()


@pytest.mark.parametrize("kind", [JittedExecutor, BlasExecutor])
def test_a_label_out_of_range_makes_the_loss_nan(kind: type) -> None:
    executor = jitted(network((4, 6, 3)), kind)
    xs, y, _ = random_batch(executor.program, 5)
    for label in (-1, 3, 2**31 - 1, -(2**31)):
        y[2] = label
        loss, gradient, dxs = executor.gradients(xs, y, None)
        assert np.isnan(loss) and np.isnan(gradient).any()
        assert np.isnan(dxs[0][2]).all() and np.isfinite(np.delete(dxs[0], 2, axis=0)).all()


def test_read_only_and_odd_arrays_are_taken_as_they_are() -> None:
    """Read-only data, and memory at odd addresses, on both sides."""
    program = network((3, 4, 2))
    executor = jitted(program)
    xs, y, _ = random_batch(program, 9)
    want = executor.predict(xs, None, 9)[0]
    x_memory, out_memory = np.zeros(9 * 3 * 4 + 1, np.uint8), np.zeros(9 * 2 * 4 + 1, np.uint8)
    x, out = (m[1:].view(np.float32).reshape(9, -1) for m in (x_memory, out_memory))
    x[:] = xs[0]
    x.flags.writeable = y.flags.writeable = False
    assert not x.flags.aligned and not out.flags.aligned
    assert executor.predict([x], [out], 9)[0] is out
    np.testing.assert_array_equal(out, want)
    sums = train(executor, [x], y, batch_size=4)
    assert sums[1] == 9


def test_steps_run_without_the_gil() -> None:
    """Another Python thread gets on while one jitted call runs: it ticks every millisecond or so."""
    executor = jitted(network((32, 32, 10)))
    xs, y, _ = random_batch(executor.program, 20_000)
    train(executor, xs, y, batch_size=20_000)  # compiled, and its pace known
    ticks: list[float] = []
    stop = threading.Event()

    def tick() -> None:
        while not stop.wait(0.001):
            ticks.append(time.perf_counter())

    thread = threading.Thread(target=tick)
    thread.start()
    began = time.perf_counter()
    while time.perf_counter() - began < 0.5:
        train(executor, xs, y, batch_size=64)
    stop.set()
    thread.join()
    assert len(ticks) > 50  # with the GIL held for calls of 25 ms it would be some 20


def test_ctrl_c_stops_training_between_updates_and_the_executor_goes_on() -> None:
    executor = jitted(network((32, 32, 10), "tanh"))
    xs, y, _ = random_batch(executor.program, 200_000)
    sums = np.zeros(sums_size(executor.program))
    executor.train(xs, y, None, batch_size=8, shuffle=(1, 0), first=0, last=2, learning_rate=1e-4, sums=sums)
    sent = [0.0]

    def interrupt() -> None:
        sent[0] = time.monotonic()
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(0.2, interrupt)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        for epoch in range(1000):
            executor.train(
                xs, y, None, batch_size=8, shuffle=(1, epoch), first=0, last=25_000, learning_rate=1e-4, sums=sums
            )
    waited = time.monotonic() - sent[0]
    timer.join()
    assert waited < 1.0  # calls are cut to 25 ms; a loaded machine needs room
    assert np.isfinite(executor.params).all() and sums[1] % 8 == 0 and sums[1] > 16
    executor.train(xs, y, None, batch_size=8, shuffle=None, first=0, last=2, learning_rate=0.1, sums=sums)


def test_a_pace_cuts_work_by_what_it_took(monkeypatch: pytest.MonkeyPatch) -> None:
    """A first guess too fast or too slow is made good by the second chunk; chunks cover the range."""
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    for guess in (1e-9, 1e-6, 10.0):
        pace, chunks = Pace(guess), []
        for first, last in pace.chunks(5, 5 + 10_000):
            chunks.append((first, last))
            now[0] += (last - first) * 1e-5
        assert chunks[0][0] == 5 and chunks[-1][1] == 10_005
        assert all(a[1] == b[0] for a, b in itertools.pairwise(chunks))
        assert all(last - first <= Pace.SECONDS / 1e-5 * 1.001 for first, last in chunks[1:])
    assert list(Pace(1.0).chunks(3, 3)) == []
