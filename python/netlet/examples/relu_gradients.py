"""The gradients of a 2-3-1 ReLU network, checked against the chain rule written out by hand.

``python -m netlet.examples.relu_gradients``. 100 samples, mean squared error, ReLU on the output too. One step of SGD
with a learning rate of 1 subtracts the gradient from the weights, so the difference of the weights before and after is
the gradient that Netlet computed.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence as Arguments
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.examples._support import choose_backend, parser

Array = NDArray[Any]

SAMPLES = 100
NAMES = ("kernel_1", "bias_1", "kernel_2", "bias_2")
# Both sides are sums of 100 float64 products of size 1; 1e-12 is some thousand roundings of them.
AGREES_WITHIN = 1e-12


def make_data(seed: int) -> tuple[Array, Array]:
    """Points x ``[100, 2]`` in the square -1..1 and targets y ``[100, 1]``: a ramp, flat at zero on one side."""
    x = np.random.default_rng(seed).uniform(-1.0, 1.0, size=(SAMPLES, 2))
    return x, np.maximum(0.0, x[:, :1] + 0.5 * x[:, 1:])


def make_model() -> Any:
    """The network, in float64. A positive output bias keeps the output ReLU from being 0 for all samples."""
    from netlet.initializers import Constant
    from netlet.layers import Dense
    from netlet.models import Sequential

    model = Sequential(dtype="float64")
    model.add(Dense(3, activation="relu", input_shape=(2,)))
    model.add(Dense(1, activation="relu", bias_initializer=Constant(0.1)))
    return model


def gradients_of(model: Any, x: Array, y: Array) -> list[Array]:
    """What Netlet computes: the change that one step of SGD with learning rate 1 makes to each weight."""
    from netlet.optimizers import SGD

    model.compile(optimizer=SGD(learning_rate=1.0), loss="mean_squared_error")
    before = model.get_weights()
    model.train_on_batch(x, y)
    after = model.get_weights()
    model.set_weights(before)
    return [b - a for b, a in zip(before, after, strict=True)]


def gradients_by_hand(weights: list[Array], x: Array, y: Array) -> list[Array]:
    """The same by the chain rule.

    Forward:   h = relu(a), a = x W1 + b1;  p = relu(z), z = h W2 + b2;  L = sum (p - y)^2 / N.
    Backward:  dL/dp = 2 (p - y) / N;  dL/dz = dL/dp where z > 0;  dL/dh = dL/dz W2';  dL/da = dL/dh where a > 0;
    and each weight's gradient is its layer's input, transposed, times the gradient after the sum.
    """
    kernel_1, bias_1, kernel_2, bias_2 = weights
    a = x @ kernel_1 + bias_1
    h = np.maximum(a, 0.0)
    z = h @ kernel_2 + bias_2
    p = np.maximum(z, 0.0)

    dp = 2.0 * (p - y) / len(x)
    dz = dp * (z > 0.0)
    dh = dz @ kernel_2.T
    da = dh * (a > 0.0)
    return [x.T @ da, da.sum(axis=0), h.T @ dz, dz.sum(axis=0)]


def main(arguments: Arguments[str] | None = None) -> int:
    """Prints both gradients and trains the network; returns 0 if the gradients agree."""
    options = parser("relu_gradients", epochs=500, seed=1).parse_args(arguments)
    choose_backend(options.backend)
    import netlet
    from netlet.optimizers import SGD

    netlet.set_random_seed(options.seed)
    x, y = make_data(options.seed)
    model = make_model()
    found, expected = gradients_of(model, x, y), gradients_by_hand(model.get_weights(), x, y)
    print(f"{'gradient of':<15}{'Netlet':>21}{'by hand':>21}{'difference':>12}")
    for name, ours, theirs in zip(NAMES, found, expected, strict=True):
        for index in np.ndindex(ours.shape):
            label = f"{name}[{', '.join(map(str, index))}]"
            print(f"{label:<15}{ours[index]:21.15f}{theirs[index]:21.15f}{abs(ours[index] - theirs[index]):12.1e}")
    active = int(np.count_nonzero(model.predict(x, verbose=0)))
    difference = max(float(np.max(np.abs(a - b))) for a, b in zip(found, expected, strict=True))
    agree = difference < AGREES_WITHIN
    print(f"\nThe output ReLU is on its slope for {active} of {SAMPLES} samples.")
    print(f"Netlet and the chain rule {'agree' if agree else 'DISAGREE'}: they differ by at most {difference:.1e}.")

    model.compile(optimizer=SGD(learning_rate=0.1), loss="mean_squared_error")
    before = model.evaluate(x, y, verbose=0)
    model.fit(x, y, epochs=options.epochs, batch_size=10, verbose=0)
    after = model.evaluate(x, y, verbose=0)
    print(f"After {options.epochs} epochs of SGD the mean squared error has fallen from {before:.4f} to {after:.6f}.")
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main())
