"""Activation functions over NumPy arrays. The formulas lie with the program's ops; here is Keras' way to call them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netlet.program.ops.activation import LogSoftmax, Softmax
from netlet.program.ops.elementwise import ACTIVATIONS

_SOFTMAX, _LOG_SOFTMAX = Softmax(), LogSoftmax()


def _floats(x: ArrayLike, name: str) -> NDArray[Any]:
    """``x`` as a C-contiguous float32 or float64 array: float64 stays, everything else becomes float32."""
    array = np.asarray(x)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name}: expected real numbers, got an array of {array.dtype}")
    dtype = np.float64 if array.dtype == np.float64 else np.float32
    return np.ascontiguousarray(array, dtype=dtype).reshape(array.shape)


def _elementwise(name: str, x: ArrayLike, **attrs: Any) -> NDArray[Any]:
    array = _floats(x, name)
    flat = array.reshape(-1)
    y = np.empty_like(flat)
    function = ACTIVATIONS[name]
    given = {attr.name: attr.check(attrs[attr.name]) for attr in function.attrs}
    with np.errstate(all="ignore"):
        function.forward(given, flat, y)
    return y.reshape(array.shape)


def _along_axis(op: Softmax | LogSoftmax, x: ArrayLike, axis: int) -> NDArray[Any]:
    array = _floats(x, op.name)
    if array.ndim == 0:
        raise ValueError(f"{op.name}: expected at least one axis, got a scalar")
    if array.size == 0:
        return array
    last = np.ascontiguousarray(np.moveaxis(array, axis, -1))
    y = np.empty_like(last)
    with np.errstate(all="ignore"):
        op.forward({}, [last], [], y)
    return np.moveaxis(y, -1, axis)


def linear(x: ArrayLike) -> NDArray[Any]:
    """Return ``x``."""
    return _elementwise("linear", x)


def relu(x: ArrayLike, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """Return ``max(x, 0)``; with a ``negative_slope``, as `leaky_relu`.

    Raises: ValueError for a ``max_value`` or a ``threshold``, which are not supported yet.
    """
    if max_value is not None or threshold != 0:
        raise ValueError(f"relu: max_value={max_value!r} and threshold={threshold!r} are not supported yet")
    return leaky_relu(x, negative_slope) if negative_slope else _elementwise("relu", x)


def leaky_relu(x: ArrayLike, negative_slope: float = 0.2) -> NDArray[Any]:
    """Return ``x`` where it is positive and ``negative_slope * x`` elsewhere."""
    return _elementwise("leaky_relu", x, alpha=negative_slope)


def elu(x: ArrayLike, alpha: float = 1.0) -> NDArray[Any]:
    """Return ``x`` where it is positive and ``alpha * (exp(x) - 1)`` elsewhere."""
    return _elementwise("elu", x, alpha=alpha)


def selu(x: ArrayLike) -> NDArray[Any]:
    """Return ``1.0507 * elu(x, alpha=1.67326)``: keeps mean 0 and variance 1 across layers."""
    return _elementwise("selu", x)


def sigmoid(x: ArrayLike) -> NDArray[Any]:
    """Return ``1 / (1 + exp(-x))``."""
    return _elementwise("sigmoid", x)


def hard_sigmoid(x: ArrayLike) -> NDArray[Any]:
    """Return ``x / 6 + 0.5`` cut to [0, 1]."""
    return _elementwise("hard_sigmoid", x)


def tanh(x: ArrayLike) -> NDArray[Any]:
    """Return the hyperbolic tangent."""
    return _elementwise("tanh", x)


def exponential(x: ArrayLike) -> NDArray[Any]:
    """Return ``exp(x)``."""
    return _elementwise("exponential", x)


def softplus(x: ArrayLike) -> NDArray[Any]:
    """Return ``log(1 + exp(x))``."""
    return _elementwise("softplus", x)


def softsign(x: ArrayLike) -> NDArray[Any]:
    """Return ``x / (1 + |x|)``."""
    return _elementwise("softsign", x)


def silu(x: ArrayLike) -> NDArray[Any]:
    """Return ``x * sigmoid(x)``, also known as swish."""
    return _elementwise("silu", x)


def gelu(x: ArrayLike, approximate: bool = False) -> NDArray[Any]:
    """Return ``x * Phi(x)``, Phi the normal distribution's; with ``approximate``, its tanh form."""
    return _elementwise("gelu", x, approximate=approximate)


def softmax(x: ArrayLike, axis: int = -1) -> NDArray[Any]:
    """Return ``exp(x) / sum(exp(x))`` along ``axis``."""
    return _along_axis(_SOFTMAX, x, axis)


def log_softmax(x: ArrayLike, axis: int = -1) -> NDArray[Any]:
    """Return ``x - log(sum(exp(x)))`` along ``axis``."""
    return _along_axis(_LOG_SOFTMAX, x, axis)
