"""The reference functions: their element type, their stability, and values known from elsewhere."""

from __future__ import annotations

import math

import numpy as np
import pytest

from netlet.program import ACTIVATIONS, LOSSES, METRICS
from netlet.program.case import Case, run_reference
from netlet.program.ops.special import erfc
from netlet.testing import all_cases


@pytest.mark.parametrize("case", all_cases(dtype="float32"), ids=str)
def test_float32_stays_float32(case: Case) -> None:
    with np.errstate(all="ignore"):
        results = run_reference(case, case.arrays)
    for name, result in results.items():
        assert result.dtype == (np.float64 if name == "sums" else np.float32), name


class Upcasts(np.ndarray):
    """float32 that fails as soon as a computation on it gives float64."""

    def __array_finalize__(self, obj: object) -> None:
        assert self.dtype != np.float64, "a float32 input was computed on in float64"


@pytest.mark.parametrize("case", all_cases("activation", "float32")[::9] + all_cases("softmax", "float32")[:4], ids=str)
def test_no_intermediate_result_is_float64(case: Case) -> None:
    with np.errstate(all="ignore"):
        run_reference(case, {name: a.view(Upcasts) for name, a in case.arrays.items()})


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_erfc_is_that_of_the_c_library(dtype: str) -> None:
    x = np.concatenate([np.linspace(-12, 12, 20001), [np.inf, -np.inf, 0.0, 1e30, -1e30]]).astype(dtype)
    with np.errstate(all="ignore"):
        got = erfc(x)
    assert got.dtype == dtype
    want = np.array([math.erfc(v) for v in x.tolist()])
    assert np.abs(got - want).max() <= 4 * np.finfo(dtype).eps
    assert np.isnan(erfc(np.array([np.nan], dtype))[0])


@pytest.mark.parametrize(
    ("name", "x", "y"),
    [
        ("selu", -1.0, -1.1113307378125625),
        ("gelu", 1.0, 0.8413447460685429),
        ("silu", -2.0, -0.2384058440442351),
        ("softplus", 0.0, math.log(2)),
        ("softplus", 1000.0, 1000.0),
        ("softsign", -3.0, -0.75),
        ("hard_sigmoid", 1.5, 0.75),
        ("sigmoid", -1000.0, 0.0),
        ("elu", -math.log(2), -0.5),
        ("leaky_relu", -2.0, -0.4),
        ("relu6", 7.0, 6.0),
        ("celu", -math.log(2), -0.5),
        ("squareplus", -1e6, 1e-6 * (1 - 1e-12)),  # 2 / (sqrt(1e12 + 4) + 1e6)
        ("squareplus", 0.0, 1.0),
        ("log_sigmoid", 50.0, -1.9287498479639178e-22),  # -exp(-50)
        ("log_sigmoid", -1000.0, -1000.0),
        ("sparse_plus", 0.0, 0.25),
        ("sparse_sigmoid", 0.5, 0.75),
        ("hard_tanh", -2.0, -1.0),
        ("hard_silu", 1.0, 2 / 3),
        ("hard_shrink", 0.5, 0.0),
        ("soft_shrink", -2.0, -1.5),
        ("tanh_shrink", 0.0, 0.0),
        ("mish", 1.0, 0.8650983882673103),
        ("mish", 1e4, 1e4),
        ("relu_general", -2.0, 0.0),
        ("threshold", 0.5, 0.5),
    ],
)
def test_activation_has_the_known_value(name: str, x: float, y: float) -> None:
    f = ACTIVATIONS[name]
    out = np.empty(1)
    with np.errstate(all="ignore"):
        f.forward({attr.name: attr.default for attr in f.attrs}, np.array([x]), out)
    assert out[0] == pytest.approx(y, rel=1e-14, abs=1e-300)


def loss(name: str, x: list, y: list, **attrs: object) -> tuple[np.ndarray, np.ndarray]:
    spec = LOSSES[name]
    prediction = np.array(x, np.float64)
    labels = np.array(y, np.int32 if spec.integer_labels else np.float64)
    losses, dx = np.empty(len(prediction)), np.empty_like(prediction)
    with np.errstate(all="ignore"):
        spec.value_and_gradient(spec.normalize(attrs), prediction, labels, None, losses, dx, None)
    return losses, dx


def test_losses_have_the_values_of_the_keras_documentation() -> None:
    # the examples of keras.losses.*: y_true = [[0, 1], [0, 0]], y_pred = [[1, 1], [1, 0]], and so on
    assert loss("mean_squared_error", [[1, 1], [1, 0]], [[0, 1], [0, 0]])[0].mean() == 0.5
    assert loss("mean_absolute_error", [[1, 1], [1, 0]], [[0, 1], [0, 0]])[0].mean() == 0.5
    logits = loss("binary_crossentropy", [[-18.6, 0.51, 2.94, -12.8]], [[0, 1, 0, 0]], from_logits=True)[0]
    assert logits.mean() == pytest.approx(0.865, abs=5e-4)
    probabilities = [[0.05, 0.95, 0], [0.1, 0.8, 0.1]]
    assert loss("categorical_crossentropy", probabilities, [[0, 1, 0], [0, 0, 1]])[0].mean() == pytest.approx(
        1.177, abs=5e-4
    )
    assert loss("sparse_categorical_crossentropy", probabilities, [1, 2])[0].mean() == pytest.approx(1.177, abs=5e-4)


def test_probabilities_are_clipped_as_keras_does() -> None:
    values, dx = loss("sparse_categorical_crossentropy", [[0.0, 1.0], [1.0, 0.0]], [0, 0])
    np.testing.assert_allclose(values, [-math.log(1e-7), -math.log(1 - 1e-7)])
    assert (dx == 0).all()
    values, dx = loss("binary_crossentropy", [[0.0], [1.0]], [[1.0], [1.0]])
    np.testing.assert_allclose(values, [-math.log(1e-7), -math.log(1 - 1e-7)])
    assert (dx == 0).all()


@pytest.mark.parametrize("label", [-1, 3, 2**31 - 1, -(2**31)])
@pytest.mark.parametrize("from_logits", [False, True])
def test_a_label_that_no_class_has_gives_nan_for_its_row_alone(label: int, from_logits: bool) -> None:
    x = [[0.2, 0.3, 0.5], [0.2, 0.3, 0.5]]
    values, dx = loss("sparse_categorical_crossentropy", x, [label, 1], from_logits=from_logits)
    assert np.isnan(values[0]) and np.isnan(dx[0]).all()
    assert np.isfinite(values[1]) and np.isfinite(dx[1]).all()


def test_losses_from_logits_do_not_overflow() -> None:
    values, dx = loss("sparse_categorical_crossentropy", [[1e4, -1e4]], [1], from_logits=True)
    assert values[0] == 2e4
    np.testing.assert_array_equal(dx, [[1.0, -1.0]])
    values, dx = loss("binary_crossentropy", [[1e4], [-1e4]], [[0.0], [1.0]], from_logits=True)
    np.testing.assert_array_equal(values, [1e4, 1e4])


def metric(name: str, x: list, y: list, integer: bool = False, **attrs: object) -> list[float]:
    spec = METRICS[name]
    prediction = np.array(x, np.float64)
    sums = np.zeros(spec.size(prediction.shape[1:], spec.normalize(attrs)))
    spec.update(spec.normalize(attrs), prediction, np.array(y, np.int32 if integer else np.float64), sums)
    return sums.tolist()


def test_metrics_have_the_values_counted_by_hand() -> None:
    assert metric("binary_accuracy", [[0.98], [1.0], [0.0], [0.6]], [[1], [1], [0], [0]]) == [3.0, 4.0]
    assert metric("binary_accuracy", [[0.5]], [[0]]) == [1.0, 1.0]  # the threshold itself is not above it
    assert metric("categorical_accuracy", [[0.1, 0.9, 0.8], [0.05, 0.95, 0]], [[0, 0, 1], [0, 1, 0]]) == [1.0, 2.0]
    assert metric("sparse_categorical_accuracy", [[0.5, 0.5], [0.5, 0.5]], [0, 1], integer=True) == [1.0, 2.0]
    x = [[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.4, 0.6]]
    assert metric("confusion", x, [0, 1, 1, 1], integer=True) == [3.0, 1.0, 1.0, 3.0]
    assert metric("confusion", x, [0, 1, 1, 1], integer=True, per_class=True) == [1, 2, 1, 0, 0, 1, 2, 1]
    binary = [[0.9], [0.2], [0.7], [0.6]]
    assert metric("confusion", binary, [[1], [1], [0], [1]], threshold=0.5) == [2.0, 1.0, 1.0, 0.0]
