"""Sums, means, means of functions, and what shapes weights may have."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from netlet.metrics import Mean, MeanMetricWrapper, MeanSquaredError, Sum

V = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


def test_sum_and_mean() -> None:
    # the examples of Keras' documentation
    assert Sum()([1, 3, 5, 7]) == 16
    assert Sum()([1, 3, 5, 7], sample_weight=[1, 1, 0, 0]) == 4
    assert Mean()([1, 3, 5, 7]) == 4
    assert Mean()([1, 3, 5, 7], sample_weight=[1, 1, 0, 0]) == 2
    assert Mean()([1, 3], sample_weight=[0, 0]) == 0
    assert Mean()(7.0) == 7
    assert Mean()([], sample_weight=[]) == 0


def test_a_mean_counts_samples_not_batches() -> None:
    metric = Mean()
    metric.update_state(V[:1])
    metric.update_state(V[:1], sample_weight=3.0)
    metric.update_state(V[1:])
    assert metric.result() == pytest.approx((4 * V[0].mean() + V[1].mean()) / 5)
    assert metric.count == 5


@pytest.mark.parametrize(
    "weight",
    [2.0, [1, 2], [[1], [2]], [[[1]], [[2]]], [[1, 2, 0], [3, 1, 1]], V + 1, [[[1, 2, 3, 4]]], (V + 1)[..., None]],
    ids=lambda w: str(np.shape(w)),
)
def test_weights_broadcast_from_the_first_axis_on(weight: Any) -> None:
    w = np.asarray(weight, np.float64)
    w = w[..., 0] if w.ndim == 4 else w.reshape(w.shape + (1,) * (3 - w.ndim))
    w = np.broadcast_to(w, V.shape)
    assert Mean()(V, weight) == pytest.approx(np.average(V, weights=w))
    assert Sum()(V, weight) == pytest.approx((V * w).sum())


@pytest.mark.parametrize("shape", [(3,), (2, 4), (4, 3, 2), (2, 3, 4, 4)])
def test_weights_of_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"mean: sample_weight has shape .* expected \(2, 3, 4\)"):
        Mean()(V, np.ones(shape))


def percent(y_true: Any, y_pred: Any, scale: float = 100.0) -> Any:
    return np.abs(np.subtract(y_true, y_pred)) * scale


def test_the_mean_of_a_function() -> None:
    metric = MeanMetricWrapper(percent, name="percent", scale=10.0)
    assert metric([1.0, 2.0], [1.5, 2.0]) == 2.5
    again = MeanMetricWrapper.from_config(metric.get_config())
    assert again.get_config() == metric.get_config()
    assert again([1.0, 2.0], [1.5, 2.0], sample_weight=[1, 0]) == 5


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(TypeError, match="fn must be a function"):
        MeanMetricWrapper("mse")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="sum: values: expected real numbers"):
        Sum()(["a"])
    with pytest.raises(TypeError, match="sample_weight must hold real numbers"):
        MeanSquaredError()(V, V, "a")
