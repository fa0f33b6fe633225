"""Regularizers: penalties, their gradients, names and configs."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from netlet import regularizers
from netlet.layers import Dense
from netlet.regularizers import L1, L1L2, L2, OrthogonalRegularizer, Regularizer

W = np.array([[1.0, -2.0, 0.5], [0.25, 4.0, -1.0]])


def cosine(u: np.ndarray, v: np.ndarray) -> float:
    return float(abs(u @ v) / np.sqrt((u @ u) * (v @ v)))


COLUMNS = (cosine(W[:, 0], W[:, 1]) + cosine(W[:, 0], W[:, 2]) + cosine(W[:, 1], W[:, 2])) / 3
CASES: list[tuple[Regularizer, float]] = [
    (L1(0.5), 0.5 * 8.75),
    (L2(0.5), 0.5 * (1 + 4 + 0.25 + 0.0625 + 16 + 1)),
    (L1L2(0.1, 0.2), 0.1 * 8.75 + 0.2 * 22.3125),
    (L1L2(0.1), 0.1 * 8.75),
    (L1L2(l2=0.2), 0.2 * 22.3125),
    (OrthogonalRegularizer(0.3), 0.3 * cosine(W[0], W[1])),
    (OrthogonalRegularizer(0.3, "columns"), 0.3 * COLUMNS),
    (Regularizer(), 0.0),
]


@pytest.mark.parametrize(("regularizer", "want"), CASES, ids=lambda v: repr(v)[:40])
def test_a_penalty_is_its_formula(regularizer: Regularizer, want: float) -> None:
    got = regularizer(W)
    assert np.ndim(got) == 0
    assert got == pytest.approx(want, rel=1e-14)
    single = regularizer(W.astype(np.float32))
    assert single.dtype == np.float32
    assert single == pytest.approx(want, rel=1e-6)  # a few roundings of 6e-8


@pytest.mark.parametrize("regularizer", [case[0] for case in CASES], ids=repr)
def test_the_gradient_is_that_of_central_differences(regularizer: Regularizer) -> None:
    got = regularizer.gradient(W)
    step = 1e-5
    for place in np.ndindex(W.shape):
        up, down = W.copy(), W.copy()
        up[place] += step
        down[place] -= step
        numeric = (regularizer(up) - regularizer(down)) / (2 * step)
        # truncation is of the order of step^2, rounding of 20 * 2e-16 / step
        assert got[place] == pytest.approx(numeric, rel=1e-8, abs=1e-9)
    single = regularizer.gradient(W.astype(np.float32))
    assert (single.dtype, single.shape) == (np.float32, W.shape)
    assert single.flags.c_contiguous
    np.testing.assert_allclose(single, got, rtol=1e-6, atol=1e-7)


def test_at_zero_nothing_is_penalized_and_nothing_pulls() -> None:
    zeros = np.zeros((3, 4), np.float32)
    for regularizer in (L1(), L2(), L1L2(1, 1), OrthogonalRegularizer()):
        assert regularizer(zeros) == 0
        assert not regularizer.gradient(zeros).any()
    assert OrthogonalRegularizer()(np.ones((1, 4))) == 0  # no pair of rows
    assert not OrthogonalRegularizer().gradient(np.ones((1, 4))).any()
    assert L2(0.0)(np.array([np.inf])) == 0


def test_defaults() -> None:
    assert (L1().l1, L2().l2, L1(None).l1, L2(None).l2) == (0.01,) * 4
    assert (L1L2().l1, L1L2(None, None).l2) == (0.0, 0.0)
    assert (OrthogonalRegularizer().factor, OrthogonalRegularizer().mode) == (0.01, "rows")
    assert repr(L2(0.5)) == "L2(l2=0.5)"


@pytest.mark.parametrize("name", sorted(regularizers.REGISTRY.objects))
def test_every_name_is_a_regularizer(name: str) -> None:
    assert isinstance(regularizers.get(name), Regularizer)


@pytest.mark.parametrize("regularizer", [case[0] for case in CASES[:-1]], ids=repr)
def test_a_config_makes_it_anew(regularizer: Regularizer) -> None:
    config = json.loads(json.dumps(regularizers.serialize(regularizer)))
    again = regularizers.deserialize(config)
    assert type(again) is type(regularizer)
    assert again.get_config() == regularizer.get_config()
    assert again(W) == regularizer(W)


def test_what_get_takes() -> None:
    def halves(x: Any) -> Any:
        return np.sum(x) / 2

    assert regularizers.get(None) is None
    assert regularizers.get(halves) is halves
    assert isinstance(regularizers.get(L2), L2)
    made = regularizers.get({"class_name": "L1", "config": {"l1": 0.5}})
    assert isinstance(made, L1)
    assert made.l1 == 0.5
    assert regularizers.l1 is L1
    assert regularizers.l1_l2 is L1L2
    assert regularizers.serialize(None) is None


def test_weights_of_a_layer_are_penalized() -> None:
    layer = Dense(2, kernel_initializer="ones")
    layer(np.zeros((1, 3)))
    assert L2(0.5)(layer.kernel) == 3.0


class Custom(Regularizer):
    def __call__(self, x: Any) -> Any:
        return np.sum(x)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: regularizers.get("l3"), ValueError, "unknown regularizer 'l3'"),
        (lambda: regularizers.get(3), ValueError, "regularizer: expected a name"),
        (lambda: L1(-1), ValueError, "L1: l1: expected a non-negative float, got -1"),
        (lambda: L2("a"), ValueError, "L2: l2: expected a non-negative float, got 'a'"),
        (lambda: L1L2(l2=float("nan")), ValueError, "L1L2: l2: expected a non-negative float, got nan"),
        (lambda: L1(True), ValueError, "expected a non-negative float"),
        (lambda: OrthogonalRegularizer(mode="row"), ValueError, r'one of {"rows", "columns"}. Received: mode=row$'),
        (lambda: OrthogonalRegularizer()(np.ones(3)), ValueError, r"must have rank 2. Received: inputs.shape=\(3,\)"),
        (lambda: L1()(["a"]), TypeError, "L1: expected real numbers"),
        (lambda: Custom().gradient(W), NotImplementedError, "Custom defines __call__, but not gradient"),
        (lambda: Custom().get_config(), NotImplementedError, "Custom does not define get_config"),
    ],
)
def test_bad_arguments_are_refused(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()
