"""Initializers: their distributions, their seeds, their names."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

import netlet
from netlet import initializers
from netlet.initializers import (
    STFT,
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


def test_a_constant_may_be_an_array() -> None:
    values = np.array([1, 2, 3])
    made = Constant(values)
    values[:] = 0  # it keeps its own
    assert made((2, 3)).tolist() == [[1, 2, 3], [1, 2, 3]]
    config = json.loads(json.dumps(initializers.serialize(made)))
    assert initializers.deserialize(config)((3,), "float64").tolist() == [1, 2, 3]
    with pytest.raises(ValueError, match=r"a value of shape \(3,\) does not fit a weight of shape \(2,\)"):
        made((2,))


@pytest.mark.parametrize("name", sorted(initializers.REGISTRY.objects))
def test_without_a_dtype_weights_are_float32(name: str) -> None:
    maker = initializers.get(name)
    assert maker is not None
    shape = (4, 1, 3) if "stft" in name.lower() else (4, 3)
    assert maker(shape).dtype == maker(shape, None).dtype == np.float32
    assert maker(shape, dtype="float64").dtype == np.float64


def test_stft_is_the_fourier_transform_of_a_frame() -> None:
    frame = np.random.default_rng(0).standard_normal(8)
    want = np.fft.rfft(frame)
    for side, part in (("real", want.real), ("imag", want.imag)):
        kernel = STFT(side, None)((8, 2, 5), "float64")
        for channel in range(2):
            np.testing.assert_allclose(frame @ kernel[:, channel], part, atol=1e-12)


@pytest.mark.parametrize(
    ("window", "periodic", "want"),
    [
        ("hann", False, [0, 0.5, 1, 0.5, 0]),
        ("hann", True, [0, 0.3454915, 0.9045085, 0.9045085, 0.3454915]),
        ("hamming", False, [0.08, 0.54, 1, 0.54, 0.08]),
        ("blackman", False, [0, 0.34, 1, 0.34, 0]),
        ("blackmanharris", False, [0.00006, 0.21747, 1, 0.21747, 0.00006]),
        ("bartlett", False, [0, 0.5, 1, 0.5, 0]),
        ("tukey", False, [0, 1, 1, 1, 0]),
        ("tukey", True, [0, 0.9045085, 1, 1, 0.9045085]),
        ("boxcar", False, [1, 1, 1, 1, 1]),
        ([1, 2, 3, 4, 5], False, [1, 2, 3, 4, 5]),
    ],
)
def test_stft_windows(window: Any, periodic: bool, want: list[float]) -> None:
    """Values of scipy.signal.get_window(window, 5, periodic); element (t, 0, 0) of the real part is the window."""
    for scaling, divisor in ((None, 1), ("density", np.sqrt(np.square(want).sum())), ("spectrum", np.sum(want))):
        got = STFT("real", window, scaling, periodic)((5, 1, 3), "float64")[:, 0, 0]
        np.testing.assert_allclose(got, np.array(want) / divisor, atol=1e-7)
    again = initializers.deserialize(json.loads(json.dumps(initializers.serialize(STFT(window=window)))))
    assert (again((5, 1, 3)) == STFT(window=window)((5, 1, 3))).all()


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (2, 3, 4)])
def test_orthogonal_vectors(shape: tuple[int, ...]) -> None:
    matrix = Orthogonal(2.0, seed=1)(shape, "float64").reshape(-1, shape[-1])
    product = matrix.T @ matrix if matrix.shape[0] >= matrix.shape[1] else matrix @ matrix.T
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-12)


def test_fans() -> None:
    assert [compute_fans(s) for s in [(), (4,), (3, 5), (2, 2, 3, 5)]] == [(1, 1), (4, 4), (3, 5), (12, 20)]
    assert compute_fans((6, 2, 5), input_axes=[0], output_axes=[1, 2]) == (6, 10)
    assert compute_fans((6, 2, 5), input_axes=[0, 1], output_axes=[-1]) == (12, 5)
    assert compute_fans((6, 2, 5), input_axes=[0]) == (12, 30)  # both or neither
    limit = math.sqrt(3 / 6)
    scaling = VarianceScaling(distribution="uniform", seed=1, input_axes=[0], output_axes=[1, 2])
    assert 0.98 * limit < abs(scaling((6, 20, 50))).max() <= limit  # 0.98^6000 is nothing


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
    assert (make(seed=3).clone()(shape) == make(seed=3)(shape)).all()
    unseeded = make()
    assert (unseeded.clone()(shape) != unseeded(shape)).any()


def test_a_seed_generator_is_in_the_config() -> None:
    config = json.loads(json.dumps(initializers.serialize(RandomNormal(seed=SeedGenerator(3)))))
    again = initializers.deserialize(config)
    assert (again((4,)) == RandomNormal(seed=SeedGenerator(3))((4,))).all()
    assert again.get_config() == RandomNormal(seed=SeedGenerator(3)).get_config()


@pytest.mark.parametrize("name", sorted(initializers.REGISTRY.objects))
def test_every_name_is_an_initializer_and_configs_make_it_anew(name: str) -> None:
    maker = initializers.get(name)
    assert isinstance(maker, Initializer)
    again = initializers.deserialize(initializers.serialize(maker))
    assert type(again) is type(maker)
    assert again.get_config() == maker.get_config()


@pytest.mark.parametrize(
    "maker",
    [
        VarianceScaling(0.5, "fan_out", "uniform", 7),
        VarianceScaling(0.5, seed=7, input_axes=[0], output_axes=[1]),
        initializers.HeUniform(7, input_axes=[1], output_axes=[0]),
        STFT("imag", "tukey", "spectrum", True),
        RandomNormal(1.0, 2.0, 3),
        Constant(4.0),
        Orthogonal(2.0, 1),
    ],
)
def test_arguments_are_in_the_config(maker: Initializer) -> None:
    again = initializers.deserialize(initializers.serialize(maker))
    assert again.get_config() == maker.get_config()
    shape = (3, 1, 3) if isinstance(maker, STFT) else (3, 3)
    assert (again(shape) == maker(shape)).all()


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
    with pytest.raises(ValueError, match=r"Expected `shape` to be \(3, 2\), which the array has. Received: \(4, 2\)"):
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
        (lambda: VarianceScaling(scale=0), "Argument `scale` must be positive float. Received: scale=0"),
        (lambda: VarianceScaling(mode="fan"), "Invalid `mode` argument: expected one of fan_in, .*, got 'fan'"),
        (lambda: VarianceScaling(distribution="unifrom"), "Did you mean 'uniform'"),
        (lambda: Constant("a"), "value must be a number"),
        (lambda: Constant.from_config({"value": {"class_name": "x"}}), "expected a number or the config of an array"),
        (
            lambda: Constant.from_config({"value": {"class_name": "__numpy__", "config": {"value": 1, "dtype": "O"}}}),
            "expected the name of a number type, got 'O'",
        ),
        (lambda: RandomNormal(seed={"class_name": "x"}), "expected a seed or the config of a SeedGenerator"),
        (lambda: STFT("imaginary"), "unknown side 'imaginary'"),
        (lambda: STFT(window="han"), "Did you mean 'hann'"),
        (lambda: STFT(scaling="l2"), "unknown scaling 'l2'"),
        (lambda: STFT(window=[1, 2])((3, 1, 3)), r"window has shape \(2,\), expected \(3,\)"),
        (lambda: STFT()((3, 3)), "shape must have three axes"),
        (lambda: Identity()((3,)), "shape must have two axes"),
        (lambda: Orthogonal()((3,)), "shape must have at least two axes"),
    ],
)
def test_bad_arguments_are_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
