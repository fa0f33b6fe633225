"""Constraints: what they make of weights, their names and configs."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from netlet import constraints
from netlet.constraints import Constraint, MaxNorm, MinMaxNorm, NonNeg, UnitNorm

W = np.random.default_rng(0).standard_normal((4, 3, 2)) * 3
# Lengths are divided by with 1e-7 added: vectors of length 0.1 and more change by 1e-6 at most.
FUZZ = 1e-6


def lengths(w: Any, axis: Any) -> np.ndarray:
    return np.sqrt(np.square(w).sum(axis=axis, keepdims=True))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("axis", [0, 1, -1, (0, 1), [0, 2]])
def test_lengths(axis: Any, dtype: str) -> None:
    w = W.astype(dtype)
    axes = axis if isinstance(axis, int) else tuple(axis)
    before = lengths(W, axes)
    wanted = {
        MaxNorm(2.5, axis): np.minimum(before, 2.5),
        UnitNorm(axis): np.ones_like(before),
        MinMaxNorm(2.0, 3.0, axis=axis): np.clip(before, 2, 3),
        MinMaxNorm(2.0, 3.0, rate=0.25, axis=axis): 0.25 * np.clip(before, 2, 3) + 0.75 * before,
    }
    for constraint, length in wanted.items():
        got = constraint(w)
        assert (got.dtype, got.shape) == (np.dtype(dtype), w.shape)
        np.testing.assert_allclose(got, W / before * length, rtol=FUZZ, err_msg=repr(constraint))


def test_signs() -> None:
    assert NonNeg()(np.array([-1.0, -0.0, 2.0])).tolist() == [0.0, 0.0, 2.0]
    assert np.isnan(NonNeg()(np.array([np.nan]))).all()


def test_zeros_stay_zeros() -> None:
    zeros = np.zeros((3, 2), np.float32)
    for constraint in (MaxNorm(), UnitNorm(), MinMaxNorm(0.5), NonNeg(), Constraint()):
        assert not constraint(zeros).any()


def test_defaults() -> None:
    assert MaxNorm().get_config() == {"max_value": 2, "axis": 0}
    assert UnitNorm().get_config() == {"axis": 0}
    assert MinMaxNorm().get_config() == {"min_value": 0.0, "max_value": 1.0, "rate": 1.0, "axis": 0}
    assert NonNeg().get_config() == Constraint().get_config() == {}
    assert repr(MaxNorm(3, 1)) == "MaxNorm(max_value=3, axis=1)"


def test_a_constraint_leaves_its_argument_alone() -> None:
    w = W.copy()
    for constraint in (MaxNorm(1), UnitNorm(), MinMaxNorm(), NonNeg()):
        constraint(w)
        np.testing.assert_array_equal(w, W)


@pytest.mark.parametrize("name", sorted(constraints.REGISTRY.objects))
def test_every_name_is_a_constraint(name: str) -> None:
    assert isinstance(constraints.get(name), Constraint)


@pytest.mark.parametrize("constraint", [MaxNorm(3.0, 1), MinMaxNorm(0.1, 0.2, 0.3, -1), UnitNorm((0, 1)), NonNeg()])
def test_a_config_makes_it_anew(constraint: Constraint) -> None:
    config = json.loads(json.dumps(constraints.serialize(constraint)))
    again = constraints.deserialize(config)
    assert type(again) is type(constraint)
    assert json.dumps(again.get_config()) == json.dumps(constraint.get_config())
    np.testing.assert_array_equal(again(W), constraint(W))


def test_what_get_takes() -> None:
    def clip(w: Any) -> Any:
        return np.clip(w, -1, 1)

    assert constraints.get(None) is None
    assert constraints.get(clip) is clip
    assert isinstance(constraints.get(NonNeg), NonNeg)
    assert constraints.max_norm is MaxNorm
    assert constraints.serialize(None) is None


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: constraints.get("unitnorm"), ValueError, "Did you mean 'unit_norm'|Did you mean 'UnitNorm'"),
        (lambda: constraints.get(3), ValueError, "constraint: expected a name"),
        (lambda: MaxNorm()(["a"]), TypeError, "MaxNorm: expected real numbers"),
    ],
)
def test_bad_arguments_are_refused(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()
