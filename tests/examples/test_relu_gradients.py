"""``netlet.examples.relu_gradients``: Netlet's gradients are those of the chain rule, and that is right itself."""

from __future__ import annotations

import re

import numpy as np
import pytest

from netlet.examples import relu_gradients


def test_gradients_agree_with_the_chain_rule(run, backend):
    done = run("relu_gradients", backend=backend)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    rows = re.findall(r"^(kernel|bias)_\d\[.*?\] +(\S+) +(\S+) +(\S+)$", done.stdout, re.MULTILINE)
    values = np.array([row[1:] for row in rows], float)
    assert values.shape == (2 * 3 + 3 + 3 + 1, 3)
    np.testing.assert_allclose(values[:, 0], values[:, 1], rtol=0, atol=relu_gradients.AGREES_WITHIN)
    assert np.count_nonzero(values[:, 0]) >= 9  # of 13: a check of zeros with zeros would show nothing
    active = int(re.search(r"on its slope for (\d+) of 100", done.stdout).group(1))
    assert 0 < active < 100  # both sides of the output ReLU are tried
    before, after = map(float, re.search(r"fallen from (\S+) to (\S+)\.\n", done.stdout).groups())
    assert after < 0.05 * before


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_chain_rule_agrees_with_finite_differences(seed):
    rng = np.random.default_rng(seed)
    x, y = relu_gradients.make_data(seed)
    weights = [rng.normal(size=shape) for shape in ((2, 3), (3,), (3, 1), (1,))]

    def loss() -> float:
        kernel_1, bias_1, kernel_2, bias_2 = weights
        hidden = np.maximum(x @ kernel_1 + bias_1, 0)
        return float(np.mean((np.maximum(hidden @ kernel_2 + bias_2, 0) - y) ** 2))

    step = 1e-6  # central differences: an error of step^2 and of rounding / step, both below 1e-8 here
    for weight, gradient in zip(weights, relu_gradients.gradients_by_hand(weights, x, y), strict=True):
        for index in np.ndindex(weight.shape):
            value = weight[index]
            weight[index] = value + step
            above = loss()
            weight[index] = value - step
            below = loss()
            weight[index] = value
            assert gradient[index] == pytest.approx((above - below) / (2 * step), abs=1e-8)


def test_gradients_leave_the_weights_as_they_were():
    model = relu_gradients.make_model()
    before = model.get_weights()
    relu_gradients.gradients_of(model, *relu_gradients.make_data(0))
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
