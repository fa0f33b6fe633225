"""Optimizers within training: whole steps of every rule on every target, against gradients and the reference update."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from netlet.backends import make_executor
from netlet.errors import ModelFormatError
from netlet.program import OPTIMIZERS as EVERY
from netlet.program import Program, ProgramBuilder, sums_size
from netlet.program.update import Update
from netlet.testing import Guards, Target, targets
from netlet.testing.programs import initial_params, random_batch, sample_programs

OPTIMIZERS = [name for name in EVERY if name != "custom"]  # which has no rule of its own
# Some 100 roundings of the type each step, times the size of the numbers, which are about 1. The rules that divide by
# the size of the gradient pass on its errors in full: those of elements that are small by chance, a hundredfold.
TOLERANCE = {"float32": 1e-4, "float64": 1e-11}
RATES = np.array([0.01, 0.02, 0.005, 0.01, 0.015])
ALL_OPTIONS: dict[str, Any] = {"weight_decay": 0.1, "no_decay": [1], "ema_momentum": 0.9, "global_clipnorm": 0.5}
GATHERED: dict[str, Any] = {"gradient_accumulation_steps": 2, "clipvalue": 0.1, "frozen": [0, 3]}
SETTINGS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in OPTIMIZERS),
    *((name, ALL_OPTIONS) for name in OPTIMIZERS),
    *((name, GATHERED) for name in ("sgd", "adam", "lamb")),
    ("sgd", {"momentum": 0.9, "nesterov": True, "clipnorm": 0.2}),
    ("rmsprop", {"momentum": 0.5, "centered": True}),
]


def program_with(optimizer: str, attrs: dict[str, Any], dtype: str, name: str = "classifier") -> Program:
    base = sample_programs(dtype)[name]
    return base.with_training(loss=base.loss, optimizer=(optimizer, attrs), metrics=base.metrics)


def first_slots(p: Program) -> np.ndarray:
    """Positive numbers, which every rule's slots may hold; an average of gradients stays below that of squares."""
    rng = np.random.default_rng(1)
    slots = rng.uniform(0.5, 0.7, (p.num_slots, p.param_size))
    return slots.astype(np.float32).astype(p.dtype)


def reference(p: Program, first: int) -> tuple[np.ndarray, np.ndarray]:
    """Five steps by the gradients of the NumPy executor in float64 and the reference update."""
    assert p.optimizer is not None
    exact = program_with(p.optimizer.op, dict(p.optimizer.attrs), "float64")
    assert exact.optimizer is not None
    xs, y, weight = random_batch(p, 18)
    params = initial_params(p).astype(np.float64)
    slots = first_slots(p).astype(np.float64)
    executor = Target("numpy").executor(exact, params, slots)
    update = Update(exact.optimizer, exact.params, params, slots)
    for step in range(5):
        rows = slice(4 * step, 4 * step + 4)
        labels = y[rows] if y.dtype == np.int32 else y[rows].astype(np.float64)
        inputs = [x[rows].astype(np.float64) for x in xs]
        _, g, _ = executor.gradients(inputs, labels, weight[rows].astype(np.float64))
        update(g, float(RATES[step]), first + step)
    return params, slots


@pytest.mark.parametrize("target", targets(), ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("optimizer", "attrs"), SETTINGS, ids=str)
def test_training_is_gradients_and_updates(optimizer: str, attrs: dict[str, Any], dtype: str, target: Target) -> None:
    target.require(optimizer)
    p = program_with(optimizer, attrs, dtype)
    xs, y, weight = random_batch(p, 18)  # four batches of 4 rows and one of 2
    guards = Guards()
    params, slots = guards.inout("params", initial_params(p)), guards.inout("slots", first_slots(p))
    executor = target.executor(p, params, slots)
    sums = guards.inout("sums", np.zeros(sums_size(p)))
    inputs, labels, weights = [guards.input("x", x) for x in xs], guards.input("y", y), guards.input("w", weight)
    for first, last in ((0, 1), (1, 1), (1, 5)):
        executor.train(
            inputs, labels, weights, batch_size=4, shuffle=None, first=first, last=last,
            learning_rate=RATES[first:last].copy(), iteration=3 + first, sums=sums,
        )  # fmt: skip
    guards.check()
    want_params, want_slots = reference(p, 3)
    np.testing.assert_allclose(params, want_params, rtol=0, atol=TOLERANCE[dtype])
    scale = np.maximum(1.0, np.abs(want_slots))
    np.testing.assert_allclose(slots / scale, want_slots / scale, rtol=0, atol=TOLERANCE[dtype])
    for i in attrs.get("frozen", ()):
        part = slice(p.params[i].offset, p.params[i].offset + p.params[i].size)
        np.testing.assert_array_equal(params[part], initial_params(p)[part])
        np.testing.assert_array_equal(slots[:, part], first_slots(p)[:, part])


@pytest.mark.parametrize("target", [t for t in targets() if t.name.startswith("native")], ids=str)
@pytest.mark.parametrize("attrs", [{}, {**ALL_OPTIONS, "gradient_accumulation_steps": 2}], ids=["plain", "all options"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_threads_change_no_bit(optimizer: str, attrs: dict[str, Any], target: Target) -> None:
    target.require(optimizer)
    b = ProgramBuilder("float32")
    x = b.input((90,))
    h = b.dense(x, b.param("k1", (90, 200)), b.param("b1", (200,)), activation="tanh")
    p = b.finish(b.dense(h, b.param("k2", (200, 30)), b.param("b2", (30,))))
    p = p.with_training(loss="mean_squared_error", optimizer=(optimizer, attrs))
    rng = np.random.default_rng(0)
    data, labels = (rng.standard_normal((400, n)).astype(np.float32) for n in (90, 30))
    found = set()
    for threads in (1, 2, 3, 8):
        params, slots = initial_params(p) * np.float32(0.2), first_slots(p)
        executor = make_executor(p, params, np.zeros(0, np.float32), slots, target=target.name, num_threads=threads)
        executor.train(
            [data], labels, None, batch_size=150, shuffle=(1, 0), first=0, last=3, learning_rate=0.01, iteration=0,
            sums=np.zeros(2),
        )  # fmt: skip
        found.add(params.tobytes() + slots.tobytes())
    assert len(found) == 1


@pytest.mark.parametrize("target", targets(), ids=str)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_rate_for_each_step_is_steps_with_their_rates(optimizer: str, target: Target) -> None:
    target.require(optimizer)
    p = program_with(optimizer, {}, "float32")
    xs, y, weight = random_batch(p, 20)
    found = []
    for whole in (True, False):
        params, slots = initial_params(p), first_slots(p)
        executor = target.executor(p, params, slots)
        steps: dict[str, Any] = {"batch_size": 4, "shuffle": (1, 2), "sums": np.zeros(sums_size(p))}
        if whole:
            executor.train(xs, y, weight, first=0, last=5, learning_rate=RATES, iteration=7, **steps)
        else:
            for k in range(5):
                rate = float(RATES[k])
                executor.train(xs, y, weight, first=k, last=k + 1, learning_rate=rate, iteration=7 + k, **steps)
        found.append(params.tobytes() + slots.tobytes())
    assert found[0] == found[1]


@pytest.mark.parametrize("target", targets(), ids=str)
def test_a_bad_pace_is_refused(target: Target) -> None:
    target.require("adam")
    p = program_with("adam", {}, "float32")
    xs, y, _ = random_batch(p, 8)
    params = initial_params(p)
    executor = target.executor(p, params)
    steps: dict[str, Any] = {"batch_size": 4, "shuffle": None, "first": 0, "last": 2, "sums": np.zeros(sums_size(p))}
    bad: list[tuple[Any, int, str]] = [
        (np.zeros(3), 0, "learning_rate"),
        (np.zeros(2, np.float32), 0, "learning_rate"),
        ("fast", 0, "float|number|convert"),
        (0.1, -1, "iteration"),
    ]
    for rate, iteration, message in bad:
        with pytest.raises((ValueError, TypeError), match=message):
            executor.train(xs, y, None, learning_rate=rate, iteration=iteration, **steps)
    with pytest.raises(ValueError, match="iteration"):
        executor.apply(np.zeros(p.param_size, np.float32), 0.1, -1)
    np.testing.assert_array_equal(params, initial_params(p))


BAD_ATTRS: list[tuple[str, dict[str, Any], str]] = [
    ("adma", {}, "unknown optimizer|unknown name"),
    ("adam", {"beta_1": 1.5}, "beta_1"),
    ("adam", {"epsilon": -1.0}, "epsilon"),
    ("adam", {"rho": 0.9}, "rho"),
    ("adam", {"amsgrad": 1}, "amsgrad"),
    ("ftrl", {"learning_rate_power": 0.5}, "learning_rate_power"),
    ("muon", {"ns_steps": -1}, "ns_steps"),
    ("muon", {"adam_params": [99]}, "adam_params"),
    ("sgd", {"clipnorm": -1.0}, "clipnorm"),
    ("sgd", {"clipnorm": 1.0, "clipvalue": 1.0}, "clip"),
    ("sgd", {"ema_momentum": 2.0}, "ema_momentum"),
    ("sgd", {"ema_overwrite_frequency": 3}, "ema_overwrite_frequency"),
    ("sgd", {"gradient_accumulation_steps": 1}, "gradient_accumulation_steps"),
    ("sgd", {"frozen": [1, 0]}, "frozen"),
    ("sgd", {"frozen": [0, 0]}, "frozen"),
    ("sgd", {"no_decay": [-1]}, "no_decay"),
    ("sgd", {"no_decay": 1}, "no_decay"),
]


@pytest.mark.parametrize(("optimizer", "attrs", "message"), BAD_ATTRS, ids=str)
def test_a_program_with_bad_attributes_is_refused(optimizer: str, attrs: dict[str, Any], message: str) -> None:
    """By Python, and by the engine where it gets the text as it is."""
    with pytest.raises(ValueError, match=message):
        program_with(optimizer, attrs, "float32")
    tree = json.loads(program_with("sgd", {}, "float32").to_json())
    tree["optimizer"] = {"op": optimizer, "attrs": attrs}
    with pytest.raises(ModelFormatError, match=message):
        Program.from_json(json.dumps(tree))
    native = pytest.importorskip("netlet._native", reason="the native extension is not built")
    with pytest.raises(ModelFormatError, match=message):
        native.check_program(json.dumps(tree).encode())


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_neutral_attributes_leave_no_trace(optimizer: str) -> None:
    neutral = {"weight_decay": 0.0, "clipnorm": 0.0, "frozen": [], "no_decay": [], "ema_momentum": None}
    p = program_with(optimizer, {}, "float32")
    assert program_with(optimizer, neutral, "float32") == p
    assert Program.from_json(p.to_json()) == p
    given = program_with(optimizer, ALL_OPTIONS, "float32")
    assert Program.from_json(given.to_json()) == given
    assert given.num_slots == p.num_slots + 1
