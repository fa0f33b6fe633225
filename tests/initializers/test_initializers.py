"""Initializers: their distributions, their seeds, their names."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import netlet
from netlet import initializers
from netlet.initializers import (
    Constant,
    Identity,
    Initializer,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
    compute_fans,
)
from netlet.layers import Dense
from netlet.random import SeedGenerator

SHAPE = (300, 200)  # 60,000 numbers: a mean is known to 1/245 of the standard deviation
FAN_IN, FAN_OUT = SHAPE


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("name", "variance", "bound"),
    [
        ("glorot_uniform", 2 / (FAN_IN + FAN_OUT), math.sqrt(6 / (FAN_IN + FAN_OUT))),
        ("glorot_normal", 2 / (FAN_IN + FAN_OUT), 2 * math.sqrt(2 / (FAN_IN + FAN_OUT)) / 0.8796),
        ("he_uniform", 2 / FAN_IN, math.sqrt(6 / FAN_IN)),
        ("he_normal", 2 / FAN_IN, 2 * math.sqrt(2 / FAN_IN) / 0.8796),
        ("lecun_uniform", 1 / FAN_IN, math.sqrt(3 / FAN_IN)),
        ("lecun_normal", 1 / FAN_IN, 2 * math.sqrt(1 / FAN_IN) / 0.8796),
        ("random_normal", 0.05**2, math.inf),
        ("random_uniform", 0.1**2 / 12, 0.05),
        ("truncated_normal", (0.05 * 0.8796) ** 2, 0.1),
        ("variance_scaling", 1 / FAN_IN, 2 * math.sqrt(1 / FAN_IN) / 0.8796),
        ("orthogonal", 1 / FAN_IN, 1.0),
    ],
)
def test_distributions(name: str, variance: float, bound: float, dtype: str) -> None:
    maker = initializers.get(name)
    assert maker is not None
    values = maker(SHAPE, dtype=dtype)
    assert (values.shape, values.dtype) == (SHAPE, np.dtype(dtype))
    assert values.flags.c_contiguous
    assert abs(values).max() <= bound * (1 + 1e-4)  # 0.8796 stands for 0.87962566
    # 60,000 draws: 5 standard errors of the mean, and of the variance (normal: sqrt(2/n), the others less)
    assert abs(values.mean()) < 5 * math.sqrt(variance / values.size)
    assert values.var() == pytest.approx(variance, rel=5 * math.sqrt(2 / values.size) + 2e-4)


def test_constants() -> None:
    assert initializers.Zeros()((2, 3)).tolist() == [[0, 0, 0]] * 2
    assert initializers.Ones()((2,), "float64").dtype == np.float64
    assert Constant(2.5)((2,)).tolist() == [2.5, 2.5]
    assert Identity(3.0)((2, 3)).tolist() == [[3, 0, 0], [0, 3, 0]]


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (2, 3, 4)])
def test_orthogonal_vectors(shape: tuple[int, ...]) -> None:
    matrix = Orthogonal(2.0, seed=1)(shape, "float64").reshape(-1, shape[-1])
    product = matrix.T @ matrix if matrix.shape[0] >= matrix.shape[1] else matrix @ matrix.T
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-12)


def test_fans() -> None:
    assert [compute_fans(s) for s in [(), (4,), (3, 5), (2, 2, 3, 5)]] == [(1, 1), (4, 4), (3, 5), (12, 20)]


@pytest.mark.parametrize(
    "make", [RandomNormal, RandomUniform, TruncatedNormal, VarianceScaling, Orthogonal, initializers.HeNormal]
)
def test_seeds(make: Any) -> None:
    shape = (4, 4)
    assert (make(seed=3)(shape) == make(seed=3)(shape)).all()
    assert (make(seed=3)(shape) != make(seed=4)(shape)).any()
    fixed = make(seed=3)
    assert (fixed(shape) == fixed(shape)).all()
    drawing = make(seed=SeedGenerator(3))
    assert (drawing(shape) != drawing(shape)).any()
    netlet.set_random_seed(8)
    first, second = make()(shape), make()(shape)
    assert (first != second).any()
    netlet.set_random_seed(8)
    assert (make()(shape) == first).all()


@pytest.mark.parametrize("name", sorted(initializers.REGISTRY.objects))
def test_every_name_is_an_initializer_and_configs_make_it_anew(name: str) -> None:
    maker = initializers.get(name)
    assert isinstance(maker, Initializer)
    again = initializers.deserialize(initializers.serialize(maker))
    assert type(again) is type(maker)
    assert again.get_config() == maker.get_config()


@pytest.mark.parametrize(
    "maker",
    [VarianceScaling(0.5, "fan_out", "uniform", 7), RandomNormal(1.0, 2.0, 3), Constant(4.0), Orthogonal(2.0, 1)],
)
def test_arguments_are_in_the_config(maker: Initializer) -> None:
    again = initializers.deserialize(initializers.serialize(maker))
    assert again.get_config() == maker.get_config()
    assert (again((3, 3)) == maker((3, 3))).all()


def test_what_get_takes() -> None:
    assert initializers.get(None) is None
    assert isinstance(initializers.get(initializers.Zeros), initializers.Zeros)
    function = lambda shape, dtype=None: np.ones(shape, dtype)  # noqa: E731
    assert initializers.get(function) is function
    assert initializers.serialize(function) is None  # a config can hold nothing of it
    given = initializers.get(np.arange(6).reshape(2, 3))
    assert given is not None
    assert given((2, 3), "float32").tolist() == [[0, 1, 2], [3, 4, 5]]


def test_layers_take_arrays_and_functions() -> None:
    layer = Dense(2, kernel_initializer=np.ones((3, 2)), bias_initializer=lambda shape, dtype: np.full(shape, 7.0))
    assert layer(np.ones((1, 3))).tolist() == [[10.0, 10.0]]
    with pytest.raises(ValueError, match=r"the array has shape \(3, 2\), expected \(4, 2\)"):
        Dense(2, kernel_initializer=np.ones((3, 2)))(np.ones((1, 4)))
    with pytest.raises(ValueError, match=r"initializer returned shape \(3,\), expected \(2,\)"):
        Dense(2, bias_initializer=lambda shape, dtype: np.ones(3))(np.ones((1, 4)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: initializers.get("glorot_unifrom"), "Did you mean 'glorot_uniform'"),
        (lambda: initializers.get(3), "initializer: expected a name"),
        (lambda: initializers.get({"class_name": "Constant", "config": 3}), "expected a dict"),
        (lambda: RandomNormal(seed="a"), "RandomNormal: seed must be an int"),
        (lambda: RandomNormal(seed=-1), r"seed must lie in \[0, 2\^64\), got -1"),
        (lambda: VarianceScaling(scale=0), "scale must be positive, got 0"),
        (lambda: VarianceScaling(mode="fan"), "unknown mode 'fan'"),
        (lambda: VarianceScaling(distribution="unifrom"), "Did you mean 'uniform'"),
        (lambda: Constant("a"), "value must be a number"),
        (lambda: Identity()((3,)), "shape must have two axes"),
        (lambda: Orthogonal()((3,)), "shape must have at least two axes"),
    ],
)
def test_bad_arguments_are_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
