"""Metrics that add up values: the sum, the mean, and the mean of what a function makes of labels and predictions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from netlet.metrics.metric import Metric, Sums
from netlet.metrics.weights import broadcast_weight, real_array, weighted_sums


class Sum(Metric):
    """The weighted sum of the values that ``update_state(values, sample_weight=None)`` is given.

    Args: name, default "sum"; dtype as of `Metric`.

    Raises: with a batch, TypeError if values or weights are not real numbers, ValueError if the weights do not fit.
    """

    def __init__(self, name: str | None = "sum", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable(shape=(), initializer="zeros", name="total")

    def update_state(self, values: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Add values ``[...]``, each times its weight; weights broadcast from the first axis on."""
        array = real_array(values, f"{self.name}: values")
        if sample_weight is not None:
            array = array * broadcast_weight(sample_weight, array.shape, self.name)
        self.total.assign_add(array.sum(dtype=np.float64))

    def result(self) -> float:
        """Return the sum since the last reset."""
        return float(self.total)


class Mean(Metric):
    """The weighted mean of the values that ``update_state(values, sample_weight=None)`` is given; 0 of none.

    Values ``[B, ...]`` count B times: each sample by its mean. Weights whose sum is 0 give 0.

    Args: name, default "mean"; dtype as of `Metric`.

    The result is a float in the unit of the values. Errors of a batch as of `Sum`.
    """

    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable(shape=(), initializer="zeros", name="total")
        self.count = self.add_variable(shape=(), initializer="zeros", name="count")

    def update_state(self, values: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Add values ``[B, ...]``; weights broadcast from the first axis on."""
        total, count = weighted_sums(real_array(values, f"{self.name}: values"), sample_weight, self.name)
        self.total.assign_add(total)
        self.count.assign_add(count)

    def result(self) -> float:
        """Return the mean since the last reset."""
        return self.value([float(self.total), float(self.count)])

    def value(self, sums: Sequence[float] | Sums) -> float:
        total, count = sums
        return float(total / count) if count else 0.0


class MeanMetricWrapper(Mean):
    """The mean of a function of labels and predictions.

    Args:
        fn: ``fn(y_true, y_pred, **kwargs)``, which returns a value per sample ``[B, ...]``.
        name: the metric's name; made from the class's if None.
        dtype: as of `Metric`.
        kwargs: what the function is called with.

    The result is a float, 0 before the first batch; its unit and range are those of ``fn``.

    Raises: TypeError if ``fn`` cannot be called. With a batch, what ``fn`` raises, and for weights as `Sum`.
    """

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        if not callable(fn):
            raise TypeError(f"{type(self).__name__}: fn must be a function of (y_true, y_pred), got {fn!r}")
        super().__init__(name=name, dtype=dtype)
        self._fn = fn
        self._fn_kwargs = kwargs

    def update_state(  # type: ignore[override]
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Add a batch; weights broadcast to the function's values from the first axis on."""
        super().update_state(self._fn(y_true, y_pred, **self._fn_kwargs), sample_weight)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; the function by its name if Netlet has it."""
        from netlet.metrics.registry import config_of_function

        return {**super().get_config(), "fn": config_of_function(self._fn), **self._fn_kwargs}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        """Return a metric made with the arguments of ``config``; the name of a function finds it."""
        from netlet.metrics.registry import find_function

        if "fn" in config:
            config = {**config, "fn": find_function(config["fn"])}
        return cls(**config)


class FunctionMetric(MeanMetricWrapper):
    """Base of the metrics that are the mean of one function: what the function is called with is the config."""

    def attrs(self) -> dict[str, Any]:
        return dict(self._fn_kwargs)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "dtype": self.dtype, **self._fn_kwargs}
