# ruff: noqa: E702, I001, NPY002
"""A line through noisy points, learned by SGD and compared with the least-squares solution.

``python -m netlet.examples.linear_regression``. The script in ``train`` is one written for Keras, with ``keras``
replaced by ``netlet`` in its imports and nothing else changed.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence as Arguments
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.examples._support import choose_backend, parser

Array = NDArray[Any]

# Full-batch gradient descent contracts the error along the slowest direction, whose eigenvalue is about 0.1, by
# exp(-0.1 * 0.1) a step; 3000 steps leave only float32's rounding, which 1e-4 covers amply.
CONVERGED_EPOCHS, CONVERGED_RATE, CONVERGED_WITHIN = 3000, 0.1, 1e-4


def train() -> tuple[Any, Array, Array]:
    """The script. Returns the model, its inputs ``[100, 2]`` (a column of ones, then x) and targets ``[100, 1]``."""
    # fmt: off
    import numpy as np
    from netlet.models import Sequential
    from netlet.layers import Dense
    X = np.random.rand(100, 1); y = 3 * X + 2 + np.random.rand(100, 1)
    X_norm = X / np.max(X); y_norm = y / np.max(y)
    X_norm = np.hstack((np.ones((100, 1)), X_norm))
    model = Sequential()
    model.add(Dense(units=1, input_shape=(2,), activation='linear'))
    model.compile(optimizer='sgd', loss='mean_squared_error')
    model.fit(X_norm, y_norm, epochs=100, batch_size=10)
    # fmt: on
    return model, X_norm, y_norm


def line_of(model: Any) -> Array:
    """Intercept and slope of the trained line; the layer's bias and the weight of the column of ones add up."""
    kernel, bias = model.get_weights()
    return np.array([kernel[0, 0] + bias[0], kernel[1, 0]], np.float64)


def main(arguments: Arguments[str] | None = None) -> int:
    """Trains, goes on until it has converged, and prints both beside least squares; returns 0 if they agree."""
    options = parser("linear_regression").parse_args(arguments)
    choose_backend(options.backend)
    import netlet
    from netlet.optimizers import SGD

    netlet.set_random_seed(options.seed)
    model, x, y = train()
    lines = {"SGD, 100 epochs": line_of(model)}
    model.compile(optimizer=SGD(learning_rate=CONVERGED_RATE), loss="mean_squared_error")
    model.fit(x, y, epochs=CONVERGED_EPOCHS, batch_size=len(x), verbose=0)
    lines["SGD, converged"] = line_of(model)
    lines["least squares"] = np.linalg.lstsq(x, y, rcond=None)[0][:, 0]

    print(f"\n{'':18}{'intercept':>11}{'slope':>11}{'mean squared error':>21}")
    for name, line in lines.items():
        error = np.mean((x @ line - y[:, 0]) ** 2)
        print(f"{name:18}{line[0]:11.6f}{line[1]:11.6f}{error:21.8f}")
    print("\n100 epochs at the default learning rate of 0.01 are not enough to converge; more epochs are:")
    difference = float(np.max(np.abs(lines["SGD, converged"] - lines["least squares"])))
    agrees = difference < CONVERGED_WITHIN
    print(f"converged SGD and least squares {'agree' if agrees else 'DISAGREE'}: they differ by {difference:.1e}.")
    return 0 if agrees else 1


if __name__ == "__main__":
    sys.exit(main())
