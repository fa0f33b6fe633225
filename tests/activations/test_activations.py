"""Activations as functions of arrays, and as what layers take."""

from __future__ import annotations

import functools
import json
import math
from typing import Any

import numpy as np
import pytest

from netlet import activations
from netlet.activations import functions
from netlet.layers import Activation, Dense

X = np.array([[-7.0, -3.0, -1.0, -0.25, -0.0, 0.5, 0.75, 2.0, 6.5, 20.0]])

FORMULAS: dict[str, Any] = {
    "linear": lambda x: x,
    "relu": lambda x: max(x, 0),
    "leaky_relu": lambda x: x if x > 0 else 0.2 * x,
    "elu": lambda x: x if x > 0 else math.expm1(x),
    "selu": lambda x: 1.0507009873554805 * (x if x > 0 else 1.6732632423543772 * math.expm1(x)),
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "hard_sigmoid": lambda x: min(max(x / 6 + 0.5, 0), 1),
    "tanh": math.tanh,
    "exponential": math.exp,
    "softplus": lambda x: math.log1p(math.exp(x)),
    "softsign": lambda x: x / (1 + abs(x)),
    "silu": lambda x: x / (1 + math.exp(-x)),
    "swish": lambda x: x / (1 + math.exp(-x)),
    "gelu": lambda x: x * 0.5 * math.erfc(-x / math.sqrt(2)),
    "relu6": lambda x: min(max(x, 0), 6),
    "celu": lambda x: x if x > 0 else math.expm1(x),
    "squareplus": lambda x: (x + math.sqrt(x * x + 4)) / 2,
    "log_sigmoid": lambda x: -math.log1p(math.exp(-x)),
    "sparse_sigmoid": lambda x: min(max((x + 1) / 2, 0), 1),
    "sparse_plus": lambda x: 0 if x <= -1 else (x + 1) ** 2 / 4 if x < 1 else x,
    "hard_tanh": lambda x: min(max(x, -1), 1),
    "hard_silu": lambda x: x * min(max(x / 6 + 0.5, 0), 1),
    "hard_swish": lambda x: x * min(max(x / 6 + 0.5, 0), 1),
    "hard_shrink": lambda x: x if abs(x) > 0.5 else 0,
    "soft_shrink": lambda x: x - 0.5 if x > 0.5 else x + 0.5 if x < -0.5 else 0,
    "tanh_shrink": lambda x: x - math.tanh(x),
    "mish": lambda x: x * math.tanh(math.log1p(math.exp(x))),
}
ALONG_AXIS = {"softmax", "log_softmax", "sparsemax", "glu"}


def test_every_function_has_a_formula() -> None:
    assert set(activations.FUNCTIONS) == set(FORMULAS) | ALONG_AXIS | {"threshold"}


@pytest.mark.parametrize("name", FORMULAS)
def test_an_activation_is_its_formula(name: str) -> None:
    want = [[FORMULAS[name](x) for x in X[0]]]
    function = getattr(activations, name)
    np.testing.assert_allclose(function(X), want, rtol=1e-13, atol=1e-15)
    single = function(X.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, want, rtol=1e-6, atol=1e-7)
    assert function(X.tolist()).dtype == np.float64
    assert function([1, 2]).dtype == np.float32
    assert function(np.float64(0.5)).shape == ()
    np.testing.assert_allclose(Activation(name)(X), want, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(Dense(X.size, name, kernel_initializer="identity")(X), want, rtol=1e-5, atol=1e-6)


def test_arguments() -> None:
    x = np.array([-2.0, 3.0])
    assert activations.leaky_relu(x, 0.5).tolist() == [-1.0, 3.0]
    assert activations.relu(x, negative_slope=0.5).tolist() == [-1.0, 3.0]
    assert activations.elu(x, 2.0)[0] == pytest.approx(2 * math.expm1(-2))
    assert activations.celu(x, 2.0)[0] == pytest.approx(2 * math.expm1(-1))
    assert activations.squareplus(x, b=5)[0] == 0.5
    assert activations.soft_shrink(x, 2.5).tolist() == [0.0, 0.5]
    assert activations.hard_shrink(x, threshold=2.5).tolist() == [0.0, 3.0]
    assert activations.threshold(x, 3.0, 7.0).tolist() == [7.0, 7.0]
    assert activations.threshold(x, threshold=2, default_value=-1).tolist() == [-1.0, 3.0]
    assert activations.leaky_relu(x, np.float32(0.5)).tolist() == [-1.0, 3.0]
    cubic = math.sqrt(2 / math.pi) * (-2 + 0.044715 * -8)
    assert activations.gelu(x, approximate=True)[0] == pytest.approx(-1 * (1 + math.tanh(cubic)))


RELUS = [
    {"negative_slope": slope, "max_value": most, "threshold": threshold}
    for slope in (0.0, 0.5, -0.5)
    for most in (None, 0.0, 2.5, 6)
    for threshold in (0.0, 1.0, -2.0)
]


@pytest.mark.parametrize("arguments", RELUS, ids=str)
def test_relu_with_all_its_arguments(arguments: dict[str, Any]) -> None:
    slope, most, threshold = arguments.values()

    def relu(x: float) -> float:
        if x <= threshold:
            return slope * (x - threshold)
        return x if most is None else min(max(x, 0), most)

    want = [[relu(x) for x in X[0]]]
    np.testing.assert_array_equal(activations.relu(X, **arguments), want)  # halves and quarters: exact
    np.testing.assert_array_equal(Activation(functools.partial(activations.relu, **arguments))(X), want)


def test_relus_that_have_an_op_of_their_own_take_it() -> None:
    def name(**arguments: Any) -> str:
        return activations.lowered(functools.partial(activations.relu, **arguments))[0]

    assert name() == name(negative_slope=0.0, max_value=None, threshold=0) == "relu"
    assert name(negative_slope=0.1) == "leaky_relu"
    assert name(max_value=6.0) == "relu6"
    assert name(negative_slope=-0.1) == name(max_value=5) == name(threshold=0.1) == "relu_general"


def test_nan_stays_nan_and_infinity_has_its_limit() -> None:
    x = np.array([np.nan, np.inf, -np.inf])
    for name in FORMULAS:
        assert np.isnan(getattr(activations, name)(x)[0]), name
    assert np.isnan(activations.threshold(x, 0, 0)[0])
    assert activations.relu(x, max_value=5, threshold=1)[1:].tolist() == [5.0, 0.0]
    assert activations.log_sigmoid(x)[1:].tolist() == [0.0, -np.inf]
    assert activations.squareplus(x)[1:].tolist() == [np.inf, 0.0]


@pytest.mark.parametrize("axis", [(0, 1), (2, 0), [1, 2], (0, 1, 2), (-1,)])
def test_softmax_over_several_axes(axis: Any) -> None:
    x = np.random.default_rng(0).standard_normal((3, 4, 5))
    want = np.exp(x) / np.exp(x).sum(axis=tuple(axis), keepdims=True)
    np.testing.assert_allclose(activations.softmax(x, axis), want, rtol=1e-12)
    np.testing.assert_allclose(activations.log_softmax(x, axis), np.log(want), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_sparsemax_is_the_nearest_point_of_the_simplex(axis: int, dtype: str) -> None:
    x = np.random.default_rng(1).standard_normal((3, 4, 6)).astype(dtype)
    p = activations.sparsemax(x, axis)
    assert (p.dtype, p.shape) == (np.dtype(dtype), x.shape)
    assert (p >= 0).all()
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(p.sum(axis=axis), 1, rtol=16 * eps)
    # p is nearest where x - p is the same number for all p > 0, and no larger for the others (Karush, Kuhn, Tucker)
    tau = np.where(p > 0, x - p, -np.inf).max(axis=axis, keepdims=True)
    np.testing.assert_allclose(np.where(p > 0, x - p - tau, 0), 0, atol=16 * eps)
    assert (x - tau <= 16 * eps)[p == 0].all()
    assert 0 < (p == 0).sum() < p.size


def test_sparsemax_of_a_few() -> None:
    assert activations.sparsemax([1.0, 2.0, 5.0]).tolist() == [0.0, 0.0, 1.0]
    assert activations.sparsemax([0.5, 0.0]).tolist() == [0.75, 0.25]
    assert np.isnan(activations.sparsemax([np.nan, 1.0])).all()
    assert activations.sparsemax(np.zeros((0, 3))).shape == (0, 3)


@pytest.mark.parametrize("axis", [1, -1])
def test_glu_gates_one_half_by_the_other(axis: int) -> None:
    x = np.random.default_rng(0).standard_normal((2, 4, 6))
    a, b = np.split(x, 2, axis)
    np.testing.assert_allclose(activations.glu(x, axis), a / (1 + np.exp(-b)), rtol=1e-14)
    assert activations.glu(x.astype(np.float32), axis).dtype == np.float32


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_softmax_along_any_axis(axis: int) -> None:
    x = np.random.default_rng(0).standard_normal((3, 4, 5))
    want = np.exp(x) / np.exp(x).sum(axis=axis, keepdims=True)
    np.testing.assert_allclose(activations.softmax(x, axis=axis), want, rtol=1e-12)
    np.testing.assert_allclose(activations.log_softmax(x, axis=axis), np.log(want), rtol=1e-10, atol=1e-12)
    assert activations.softmax(np.zeros((0, 3))).shape == (0, 3)


@pytest.mark.parametrize("name", sorted(activations.FUNCTIONS))
def test_names_and_configs(name: str) -> None:
    function = activations.get(name)
    written = activations.serialize(function)
    assert written == {"swish": "silu", "hard_swish": "hard_silu"}.get(name, name)
    assert activations.deserialize(written) is function
    assert activations.get({"class_name": "function", "config": name}) is function


def test_a_partial_sets_arguments() -> None:
    leaky = functools.partial(activations.leaky_relu, negative_slope=0.5)
    config = activations.serialize(leaky)
    assert config == {"class_name": "leaky_relu", "config": {"negative_slope": 0.5}}
    again = activations.deserialize(config)
    for activation in (leaky, again, functools.partial(activations.relu, negative_slope=0.5)):
        layer = Dense(2, activation, kernel_initializer="identity")
        assert layer(np.array([[-2.0, 3.0]])).tolist() == [[-1.0, 3.0]]
        assert Dense.from_config(layer.get_config())(np.array([[-2.0, 3.0]])).shape == (1, 2)
    gelu = functools.partial(activations.gelu, approximate=True)
    np.testing.assert_allclose(Activation(gelu)(X), activations.gelu(X, True), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "activation",
    [
        functools.partial(activations.threshold, threshold=1.0, default_value=-2.0),
        functools.partial(activations.relu, max_value=2.5, threshold=-1.0, negative_slope=0.25),
        functools.partial(activations.celu, alpha=0.5),
        functools.partial(activations.squareplus, b=1.0),
        functools.partial(activations.soft_shrink, threshold=0.25),
        functools.partial(activations.hard_shrink, threshold=np.float32(0.75)),
    ],
    ids=str,
)
def test_partials_in_layers_are_those_of_arrays(activation: Any) -> None:
    config = json.loads(json.dumps(activations.serialize(activation)))
    again = activations.deserialize(config)
    for layer in (Activation(activation), Activation(again), Dense(X.size, again, kernel_initializer="identity")):
        np.testing.assert_allclose(layer(X), activation(X), rtol=1e-5, atol=1e-6)


def test_what_layers_do_not_take_can_still_be_saved() -> None:
    x = np.random.default_rng(0).standard_normal((2, 4, 6))
    for activation in (activations.glu, functools.partial(activations.softmax, axis=1)):
        again = activations.deserialize(activations.serialize(activation))
        np.testing.assert_array_equal(again(x), activation(x))


def test_none_is_linear() -> None:
    assert activations.get(None) is activations.linear
    assert activations.get(activations.relu) is activations.relu


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: activations.get("rleu"), ValueError, "unknown activation 'rleu'. Did you mean 'relu'"),
        (lambda: activations.get(3), ValueError, "activation: expected a name"),
        (lambda: activations.get({"name": "relu"}), ValueError, "activation config"),
        (lambda: activations.get({"class_name": "relu", "config": 3}), ValueError, "'config' must be a dict"),
        (lambda: activations.serialize(np.tanh), ValueError, "custom functions are not supported yet"),
        (lambda: activations.relu("a"), TypeError, "expected real numbers"),
        (lambda: activations.relu([1j]), TypeError, "expected real numbers"),
        (lambda: activations.softmax(3.0), ValueError, "expected at least one axis"),
        (lambda: activations.relu([1.0], max_value=-6), ValueError, "'max_value': expected a finite number from 0"),
        (lambda: activations.celu([1.0], 0.0), ValueError, "alpha"),
        (lambda: activations.soft_shrink([1.0], "a"), ValueError, "alpha"),
        (lambda: activations.glu([1.0, 2.0, 3.0]), ValueError, "axis -1 must have an even size"),
        (lambda: activations.sparsemax(1.0), ValueError, "sparsemax: expected at least one axis"),
        (lambda: Dense(2, "glu"), ValueError, "glu works on arrays; in a layer it is not supported yet"),
        (lambda: Dense(2, "sparsemax"), ValueError, "sparsemax works on arrays"),
        (lambda: Dense(2, "threshold"), ValueError, "threshold needs threshold and default_value"),
        (lambda: Dense(2, functions.relu_op), ValueError, "custom functions are not supported yet"),
        (lambda: Dense(2, functools.partial(np.tanh, dtype="d")), ValueError, "custom functions are not supported"),
        (lambda: activations.leaky_relu([1.0], -0.5), ValueError, "alpha"),
        (lambda: Dense(1, functools.partial(activations.elu, 2.0)), ValueError, "may only set arguments by name"),
        (lambda: Dense(1, functools.partial(activations.elu, beta=2.0)), ValueError, "has no argument 'beta'"),
        (lambda: Dense(1, functools.partial(activations.softmax, axis=0)), ValueError, "along the last axis only"),
    ],
)
def test_bad_arguments_are_refused(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()
