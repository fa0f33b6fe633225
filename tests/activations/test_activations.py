"""Activations as functions of arrays, and as what layers take."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import pytest

from netlet import activations
from netlet.layers import Activation, Dense

X = np.array([[-3.0, -1.0, -0.0, 0.5, 2.0, 20.0]])

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
}


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
    np.testing.assert_allclose(Dense(6, name, kernel_initializer="identity")(X), want, rtol=1e-5, atol=1e-6)


def test_arguments() -> None:
    x = np.array([-2.0, 3.0])
    assert activations.leaky_relu(x, 0.5).tolist() == [-1.0, 3.0]
    assert activations.relu(x, negative_slope=0.5).tolist() == [-1.0, 3.0]
    assert activations.elu(x, 2.0)[0] == pytest.approx(2 * math.expm1(-2))
    cubic = math.sqrt(2 / math.pi) * (-2 + 0.044715 * -8)
    assert activations.gelu(x, approximate=True)[0] == pytest.approx(-1 * (1 + math.tanh(cubic)))


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
    assert written == ("silu" if name == "swish" else name)
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
        (lambda: activations.relu([1.0], max_value=6), ValueError, "max_value=6 .* not supported yet"),
        (lambda: activations.leaky_relu([1.0], -0.5), ValueError, "alpha"),
        (lambda: Dense(1, functools.partial(activations.elu, 2.0)), ValueError, "may only set arguments by name"),
        (lambda: Dense(1, functools.partial(activations.elu, beta=2.0)), ValueError, "has no argument 'beta'"),
        (lambda: Dense(1, functools.partial(activations.softmax, axis=0)), ValueError, "along the last axis only"),
    ],
)
def test_bad_arguments_are_refused(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()
