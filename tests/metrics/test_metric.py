"""What all metrics share: state, its tracking, stateless calls, names, dtypes; and metrics of one's own."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from netlet.metrics import AUC, BinaryAccuracy, F1Score, Mean, MeanSquaredError, Metric, MetricVariable, Precision
from netlet.utils import clear_session


class LargestError(Metric):
    """A metric of one's own: the largest error, and how many batches there were."""

    def __init__(self, name: str | None = "largest_error", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.largest = self.add_variable(shape=(), initializer="zeros", name="largest")
        self.batches = self.add_weight(initializer="ones", dtype="int32", name="batches")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.largest.assign(np.maximum(self.largest, np.abs(np.subtract(y_true, y_pred)).max()))
        self.batches.assign_add(1)

    def result(self) -> float:
        return float(self.largest)


def test_a_metric_of_ones_own() -> None:
    metric = LargestError()
    assert not metric.runs_in_program
    assert metric([1.0, 2.0], [1.5, 2.0]) == 0.5
    assert metric([1.0, 2.0], [1.0, 2.25]) == 0.5
    assert int(metric.batches) == 3
    assert [v.name for v in metric.variables] == ["largest", "batches"]
    assert [v.dtype for v in metric.variables] == ["float64", "int32"]
    metric.reset_state()
    assert [float(v) for v in metric.variables] == [0, 0]
    assert LargestError.from_config(metric.get_config()).get_config() == {"name": "largest_error", "dtype": "float32"}


def test_stateless_calls_leave_the_state_alone() -> None:
    metric = LargestError()
    metric.update_state([0.0], [3.0])
    state = metric.stateless_update_state([np.float64(1), np.int32(7)], [0.0], [2.0])
    assert [float(v) for v in state] == [2, 8]
    assert metric.stateless_result(state) == 2
    assert [float(v) for v in metric.stateless_reset_state()] == [0, 0]
    assert metric.result() == 3
    with pytest.raises(ValueError, match="metric_variables has 1 arrays, expected 2"):
        metric.stateless_result([0.0])


def test_a_failing_stateless_call_leaves_the_state_alone() -> None:
    metric = MeanSquaredError()
    metric.update_state([[1.0]], [[3.0]])
    with pytest.raises(ValueError, match=r"\(1, 1\).*\(1, 2\)"):
        metric.stateless_update_state([9.0, 9.0], [[1.0]], [[3.0, 4.0]])
    assert metric.result() == 4


def test_variables_and_metrics_in_attributes_are_state() -> None:
    metric: Any = LargestError()
    inner = Mean(name="inner")
    metric.inner = inner
    metric.more = {"a": [MetricVariable(np.ones(2), "a")], "b": (LargestError(name="b"), inner)}
    assert [v.name for v in metric.variables] == ["largest", "batches", "a", "total", "count", "largest", "batches"]
    inner.update_state([3.0])
    metric.reset_state()
    assert not any(np.any(v) for v in metric.variables)


def test_a_variable_computes_like_its_array() -> None:
    variable = MetricVariable(np.array([1.0, 4.0]), "v")
    np.testing.assert_array_equal(np.sqrt(variable) + variable, [2, 6])
    np.testing.assert_array_equal(2 - variable, [1, -2])
    before = variable
    variable += 1
    assert variable is before
    np.testing.assert_array_equal(variable, [2, 5])
    copy = variable.numpy()
    variable.assign_sub([2, 5])
    np.testing.assert_array_equal(copy, [2, 5])
    np.testing.assert_array_equal(variable, [0, 0])
    variable.assign(7)
    assert variable[1] == 7
    assert len(variable) == 2
    assert variable.shape == (2,)
    assert variable.ndim == 1
    assert "name=v" in repr(variable)
    with pytest.raises(ValueError, match=r"metric variable 'v': expected shape \(2,\), got \(3,\)"):
        variable.assign(np.zeros(3))
    with pytest.raises(ValueError, match="read-only"):
        np.asarray(variable)[0] = 1
    with pytest.raises(ValueError, match="truth value"):
        bool(variable)


@pytest.mark.parametrize("metric", [MeanSquaredError(), AUC(5), F1Score()], ids=repr)
def test_a_pickled_metric_goes_on_where_it_was(metric: Metric) -> None:
    y, p = np.eye(3)[[0, 1, 2, 0]], np.eye(3)[[0, 1, 1, 2]] * 0.75
    metric.update_state(y, p)
    again = pickle.loads(pickle.dumps(metric))
    for m in (metric, again):
        m.update_state(y[:2], p[:2])
    np.testing.assert_array_equal(again.result(), metric.result())


def test_names() -> None:
    clear_session()
    assert [Precision().name, Precision().name, AUC().name] == ["precision", "precision_1", "auc"]
    assert [MeanSquaredError().name, F1Score().name, F1Score().name] == ["mean_squared_error", "f1_score", "f1_score"]


@pytest.mark.parametrize(
    ("dtype", "name"),
    [(None, "float32"), ("float16", "float16"), (np.float64, "float64"), (np.dtype("int8"), "int8"), ("int", "int32")],
)
def test_dtypes_are_remembered_and_sums_are_float64(dtype: Any, name: str) -> None:
    metric = Mean(dtype=dtype)
    assert metric.dtype == name
    assert Mean.from_config(metric.get_config()).dtype == name
    assert metric([1.0, 1e-9]) == 0.5 + 0.5e-9
    with pytest.raises(AttributeError):
        metric.dtype = "float32"  # type: ignore[misc]


def test_sums_do_not_stop_growing() -> None:
    # where float32 sums would: 2^24 + 1 is 2^24 there
    metric = Mean()
    metric.update_state(np.full(1, 2.0**24, np.float32))
    for _ in range(3):
        metric.update_state(np.ones(1, np.float32))
    assert metric.result() == (2.0**24 + 3) / 4


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: MeanSquaredError(name=""), ValueError, "name must be a non-empty string"),
        (lambda: MeanSquaredError(dtype="flot32"), ValueError, "dtype: expected one of .* Did you mean 'float32'"),
        (lambda: BinaryAccuracy(dtype=3), ValueError, "dtype: expected one of"),
        (lambda: Metric().update_state(), NotImplementedError, "Metric does not define update_state"),
        (lambda: Metric().result(), NotImplementedError, "Metric does not define result"),
        (lambda: Metric().value([]), NotImplementedError, "Metric does not define value"),
    ],
)
def test_bad_arguments_are_refused(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_a_subclass_must_call_the_constructor() -> None:
    class Forgetful(Metric):
        def __init__(self) -> None:
            self.total = self.add_variable(shape=())

    class Lazy(Metric):
        def __init__(self) -> None:
            pass

    with pytest.raises(RuntimeError, match=r"Forgetful.__init__ must call super\(\).__init__\(\)"):
        Forgetful()
    with pytest.raises(RuntimeError, match=r"Lazy.__init__ must call super\(\).__init__\(\)"):
        Lazy()(1, 2)
