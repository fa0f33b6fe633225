"""Hinge metrics: how far predictions are from a margin of 1 on the right side. Labels are -1 or 1, or 0 or 1."""

from __future__ import annotations

from typing import Any

from netlet.losses import functions as losses
from netlet.metrics.reduction import FunctionMetric


class Hinge(FunctionMetric):
    """The mean of what is missing to the margin.

    At least 0; smaller is better. Shapes and errors of a batch: `losses.hinge`.

    Args: name, default "hinge"; dtype as of `Metric`.
    """

    def __init__(self, name: str | None = "hinge", dtype: Any = None) -> None:
        super().__init__(losses.hinge, name, dtype)


class SquaredHinge(FunctionMetric):
    """The mean of the square of what is missing to the margin.

    At least 0; smaller is better. Shapes and errors of a batch: `losses.squared_hinge`.

    Args: name, default "squared_hinge"; dtype as of `Metric`.
    """

    def __init__(self, name: str | None = "squared_hinge", dtype: Any = None) -> None:
        super().__init__(losses.squared_hinge, name, dtype)


class CategoricalHinge(FunctionMetric):
    """The mean of what the true class lacks to lead the best wrong one by 1.

    At least 0; smaller is better. Shapes and errors of a batch: `losses.categorical_hinge`.

    Args: name, default "categorical_hinge"; dtype as of `Metric`.
    """

    def __init__(self, name: str | None = "categorical_hinge", dtype: Any = None) -> None:
        super().__init__(losses.categorical_hinge, name, dtype)
