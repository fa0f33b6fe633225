"""Elementwise activation functions over NumPy arrays of any shape.

The formulas lie with the program's ops; here is Keras' way to call them. float64 arrays are computed in float64,
everything else in float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netlet.program.ops.elementwise import ACTIVATIONS
from netlet.utils.arrays import as_floats


def _elementwise(name: str, x: ArrayLike, **attrs: Any) -> NDArray[Any]:
    array = as_floats(x, name)
    flat = array.reshape(-1)
    y = np.empty_like(flat)
    function = ACTIVATIONS[name]
    given = {attr.name: attr.check(plain(attrs[attr.name])) for attr in function.attrs}
    with np.errstate(all="ignore"):
        function.forward(given, flat, y)
    return y.reshape(array.shape)


def plain(value: Any) -> Any:
    """Return a NumPy number as Python's, and anything else as it is."""
    return value.item() if isinstance(value, np.generic) else value


def linear(x: ArrayLike) -> NDArray[Any]:
    """Return ``x``.

    Shapes: any, to the same; float64 stays float64, everything else becomes float32.

    Raises: TypeError if ``x`` is not real numbers.
    """
    return _elementwise("linear", x)


def relu(x: ArrayLike, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """Return ``max(x, 0)``; with arguments, lines of other slopes and ends.

    Args:
        x: any array.
        negative_slope: ``x <= threshold`` becomes ``negative_slope * (x - threshold)``; default 0.
        max_value: what larger values are cut to (and negative ones above the threshold to 0); default None, nothing.
        threshold: up to where x counts as negative; default 0.

    Shapes: any, to the same. Source: keras.activations.relu, Keras 3.15.

    Raises: ValueError if ``max_value`` is negative, or an argument is not a finite number; TypeError if x is not real
        numbers.
    """
    name, attrs = relu_op(negative_slope, max_value, threshold)
    return _elementwise(name, x, **attrs)


def relu_op(
    negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> tuple[str, dict[str, Any]]:
    """Return the activation that computes relu with these arguments, and its attributes: the fastest that can."""
    if threshold == 0 and max_value is None and negative_slope == 0:
        return "relu", {}
    if threshold == 0 and max_value is None and negative_slope > 0:
        return "leaky_relu", {"alpha": negative_slope}
    if threshold == 0 and max_value == 6 and negative_slope == 0:
        return "relu6", {}
    return "relu_general", {"alpha": negative_slope, "max_value": max_value, "threshold": threshold}


def relu6(x: ArrayLike) -> NDArray[Any]:
    """Return ``x`` cut to [0, 6].

    Source: Krizhevsky, "Convolutional deep belief networks on CIFAR-10", 2010. Shapes and errors as of `linear`.
    """
    return _elementwise("relu6", x)


def leaky_relu(x: ArrayLike, negative_slope: float = 0.2) -> NDArray[Any]:
    """Return ``x`` where it is positive and ``negative_slope * x`` elsewhere.

    Shapes as of `linear`. Source: Maas, Hannun, Ng, "Rectifier nonlinearities improve neural network acoustic models",
    2013, with a slope of 0.01; the default here is that of Keras 3.15.

    Raises: as `linear`, and ValueError if the slope is negative or not finite.
    """
    return _elementwise("leaky_relu", x, alpha=negative_slope)


def elu(x: ArrayLike, alpha: float = 1.0) -> NDArray[Any]:
    """Return ``x`` where it is positive and ``alpha * (exp(x) - 1)`` elsewhere.

    Shapes as of `linear`. Source: Clevert, Unterthiner, Hochreiter, "Fast and accurate deep network learning by
    exponential linear units (ELUs)", 2016, section 3.

    Raises: as `linear`, and ValueError if alpha is negative or not finite.
    """
    return _elementwise("elu", x, alpha=alpha)


def celu(x: ArrayLike, alpha: float = 1.0) -> NDArray[Any]:
    """Return ``x`` where it is positive and ``alpha * (exp(x / alpha) - 1)`` elsewhere; alpha at least 1e-6.

    Shapes as of `linear`. Source: Barron, "Continuously differentiable exponential linear units", 2017.

    Raises: as `linear`, and ValueError if alpha is smaller or not finite.
    """
    return _elementwise("celu", x, alpha=alpha)


def selu(x: ArrayLike) -> NDArray[Any]:
    """Return ``1.0507 * elu(x, alpha=1.67326)``: keeps mean 0 and variance 1 across layers.

    Shapes and errors as of `linear`. Source: Klambauer, Unterthiner, Mayr, Hochreiter, "Self-normalizing neural
    networks", 2017.
    """
    return _elementwise("selu", x)


def sigmoid(x: ArrayLike) -> NDArray[Any]:
    """Return ``1 / (1 + exp(-x))``.

    Shapes and errors as of `linear`.
    """
    return _elementwise("sigmoid", x)


def hard_sigmoid(x: ArrayLike) -> NDArray[Any]:
    """Return ``x / 6 + 0.5`` cut to [0, 1].

    Shapes and errors as of `linear`. Source: Howard et al., "Searching for MobileNetV3", 2019, section 5.2.
    """
    return _elementwise("hard_sigmoid", x)


def log_sigmoid(x: ArrayLike) -> NDArray[Any]:
    """Return ``log(sigmoid(x)) = -log(1 + exp(-x))``.

    Shapes and errors as of `linear`.
    """
    return _elementwise("log_sigmoid", x)


def sparse_sigmoid(x: ArrayLike) -> NDArray[Any]:
    """Return ``(x + 1) / 2`` cut to [0, 1].

    Shapes and errors as of `linear`. Source: Blondel, Martins, Niculae, "Learning with Fenchel-Young losses", 2020.
    """
    return _elementwise("sparse_sigmoid", x)


def tanh(x: ArrayLike) -> NDArray[Any]:
    """Return the hyperbolic tangent.

    Shapes and errors as of `linear`.
    """
    return _elementwise("tanh", x)


def hard_tanh(x: ArrayLike) -> NDArray[Any]:
    """Return ``x`` cut to [-1, 1].

    Shapes and errors as of `linear`.
    """
    return _elementwise("hard_tanh", x)


def tanh_shrink(x: ArrayLike) -> NDArray[Any]:
    """Return ``x - tanh(x)``.

    Shapes and errors as of `linear`.
    """
    return _elementwise("tanh_shrink", x)


def hard_shrink(x: ArrayLike, threshold: float = 0.5) -> NDArray[Any]:
    """Return ``x`` where ``|x| > threshold`` and 0 elsewhere; the threshold is not negative.

    Shapes as of `linear`. Source: Donoho, Johnstone, "Ideal spatial adaptation by wavelet shrinkage", 1994.

    Raises: as `linear`, and ValueError if the threshold is negative or not finite.
    """
    return _elementwise("hard_shrink", x, alpha=threshold)


def soft_shrink(x: ArrayLike, threshold: float = 0.5) -> NDArray[Any]:
    """Return ``x`` moved towards 0 by ``threshold``, and 0 where it is nearer; the threshold is not negative.

    Shapes as of `linear`. Source: Donoho, "De-noising by soft-thresholding", 1995.

    Raises: as `linear`, and ValueError if the threshold is negative or not finite.
    """
    return _elementwise("soft_shrink", x, alpha=threshold)


def threshold(x: ArrayLike, threshold: float, default_value: float) -> NDArray[Any]:
    """Return ``x`` where it is greater than ``threshold`` and ``default_value`` elsewhere; NaN stays NaN.

    Shapes as of `linear`.

    Raises: as `linear`, and ValueError if threshold or value is not a finite number.
    """
    return _elementwise("threshold", x, threshold=threshold, value=default_value)


def exponential(x: ArrayLike) -> NDArray[Any]:
    """Return ``exp(x)``.

    Shapes and errors as of `linear`.
    """
    return _elementwise("exponential", x)


def softplus(x: ArrayLike) -> NDArray[Any]:
    """Return ``log(1 + exp(x))``.

    Shapes and errors as of `linear`. Source: Dugas, Bengio, Belisle, Nadeau, Garcia, "Incorporating second-order
    functional knowledge for better option pricing", 2000.
    """
    return _elementwise("softplus", x)


def squareplus(x: ArrayLike, b: float = 4) -> NDArray[Any]:
    """Return ``(x + sqrt(x^2 + b)) / 2``; b is not negative.

    Shapes as of `linear`. Source: Barron, "Squareplus: a softplus-like algebraic rectifier", 2021.

    Raises: as `linear`, and ValueError if b is negative or not finite.
    """
    return _elementwise("squareplus", x, alpha=b)


def sparse_plus(x: ArrayLike) -> NDArray[Any]:
    """Return 0 up to -1, ``(x + 1)^2 / 4`` between -1 and 1, and ``x`` from there on.

    Shapes and errors as of `linear`. Source: Blondel, Martins, Niculae, "Learning with Fenchel-Young losses", 2020.
    """
    return _elementwise("sparse_plus", x)


def softsign(x: ArrayLike) -> NDArray[Any]:
    """Return ``x / (1 + |x|)``.

    Shapes and errors as of `linear`.
    """
    return _elementwise("softsign", x)


def silu(x: ArrayLike) -> NDArray[Any]:
    """Return ``x * sigmoid(x)``, also known as swish.

    Shapes and errors as of `linear`. Source: Ramachandran, Zoph, Le, "Searching for activation functions", 2017.
    """
    return _elementwise("silu", x)


def hard_silu(x: ArrayLike) -> NDArray[Any]:
    """Return ``x * hard_sigmoid(x)``, also known as hard swish.

    Shapes and errors as of `linear`. Source: Howard et al., "Searching for MobileNetV3", 2019, section 5.2.
    """
    return _elementwise("hard_silu", x)


def mish(x: ArrayLike) -> NDArray[Any]:
    """Return ``x * tanh(softplus(x))``.

    Shapes and errors as of `linear`. Source: Misra, "Mish: a self regularized non-monotonic activation function", 2019.
    """
    return _elementwise("mish", x)


def gelu(x: ArrayLike, approximate: bool = False) -> NDArray[Any]:
    """Return ``x * Phi(x)``, Phi the normal distribution's; with ``approximate``, its tanh form.

    The tanh form is ``x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2``. Shapes as of `linear`. Source: Hendrycks,
    Gimpel, "Gaussian error linear units (GELUs)", 2016, section 2.

    Raises: as `linear`, and ValueError if ``approximate`` is not a bool.
    """
    return _elementwise("gelu", x, approximate=approximate)
