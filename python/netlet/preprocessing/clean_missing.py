"""`CleanMissing`: rows with missing values dropped, or the values filled in."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.errors import NotBuiltError, unknown_name

STRATEGIES = ("drop", "mean", "median", "most_frequent", "constant")


class CleanMissing:
    """Drops the rows that have missing values, or fills these in, column by column.

    Missing are NaN, and in columns of objects None, too; in pandas frames and series whatever pandas calls missing.

    Args:
        strategy: "drop" drops rows; the others fill in what ``fit`` found in a column: its "mean" (the default), its
            "median", its "most_frequent" value (of equally frequent ones the smallest), or "constant", which is
            ``fill_value``.
        fill_value: of "constant", and of it alone.

    Attributes:
        statistics: what is filled into each column; None before ``fit``, and for "drop".

    Shapes: arrays ``[n]`` or ``[n, columns]``; frames and series. The result is a new one of the same kind and columns;
    of the same type too, unless the values filled in do not fit it.

    Raises: ValueError for an unknown strategy, or a ``fill_value`` that is missing or out of place.

    Example::

        clean = CleanMissing("median")
        x_train = clean.fit_transform(x_train)
        x_test = clean.transform(x_test)
        x, y = CleanMissing("drop").fit_transform(x, y)
    """

    def __init__(self, strategy: str = "mean", fill_value: Any = None) -> None:
        if strategy not in STRATEGIES:
            raise unknown_name("CleanMissing: strategy", strategy, STRATEGIES)
        if (strategy == "constant") != (fill_value is not None):
            raise ValueError(
                f"CleanMissing: fill_value goes with the strategy 'constant', got {fill_value!r} and {strategy!r}"
            )
        self.strategy = strategy
        self.fill_value = fill_value
        self.statistics: list[Any] | None = None
        self._columns: int | None = None

    def fit(self, x: Any, y: Any = None) -> CleanMissing:
        """Find what is to be filled into each column of ``x``, and return self.

        Args:
            x: the table.
            y: not looked at.

        Raises: ValueError if a column has no value to go by, or ``x`` is no table; TypeError if the mean or the median
        is asked of a column that does not hold numbers.
        """
        columns = _columns(x)
        self._columns = len(columns)
        self.statistics = None if self.strategy == "drop" else [self._statistic(*column) for column in columns]
        return self

    def transform(self, x: Any, y: Any = None) -> Any:
        """Return ``x`` without missing values.

        Args:
            x: a table with as many columns as the one that was fitted.
            y: its labels, which lose the same rows.

        Returns: the table; with ``y``, the table and the labels.

        Raises: NotBuiltError before ``fit``; ValueError if the number of columns, or of labels, differs, or what is
            filled in does not fit the array's type.
        """
        if self._columns is None:
            raise NotBuiltError("CleanMissing: call fit() before transform()")
        columns = _columns(x)
        if len(columns) != self._columns:
            raise ValueError(f"CleanMissing: x has {len(columns)} columns, expected {self._columns} as fit() saw")
        missing = np.stack([_missing(values) for _, values in columns], axis=1)
        if y is not None and len(y) != len(missing):
            raise ValueError(f"CleanMissing: x has {len(missing)} rows, y has {len(y)}")
        if self.strategy == "drop":
            keep = np.asarray(~missing.any(axis=1), bool)
            return _rows(x, keep) if y is None else (_rows(x, keep), _rows(y, keep))
        filled = self._fill(x, missing)
        return filled if y is None else (filled, y)

    def fit_transform(self, x: Any, y: Any = None) -> Any:
        """``fit`` to ``x``, then ``transform`` it.

        Arguments, result and errors as of these.
        """
        return self.fit(x).transform(x, y)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"strategy": self.strategy, "fill_value": self.fill_value}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> CleanMissing:
        """Return a new one made from what `get_config` returned; it is not fitted."""
        return cls(**config)

    def _statistic(self, name: Any, values: Any) -> Any:
        if self.strategy == "constant":
            return self.fill_value
        present = np.asarray(values)[~_missing(values)]
        if not len(present):
            raise ValueError(f"CleanMissing: column {name!r} has no value, there is no {self.strategy} to fill in")
        if self.strategy == "most_frequent":
            kinds, counts = np.unique(present, return_counts=True)
            return kinds[np.argmax(counts)].item() if kinds.dtype != object else kinds[np.argmax(counts)]
        try:
            if present.dtype.kind not in "biufO":
                raise TypeError
            numbers = present.astype(np.float64)
        except (TypeError, ValueError):
            raise TypeError(
                f"CleanMissing: column {name!r} has dtype {present.dtype}, expected numbers for its {self.strategy}"
            ) from None
        return float(np.mean(numbers) if self.strategy == "mean" else np.median(numbers))

    def _fill(self, x: Any, missing: NDArray[np.bool_]) -> Any:
        assert self.statistics is not None
        if hasattr(x, "columns"):
            filled = x.copy()
            for place in np.flatnonzero(missing.any(axis=0)):
                column = x.iloc[:, int(place)].fillna(self.statistics[place])
                filled.isetitem(int(place), column)
            return filled
        if hasattr(x, "iloc"):
            return x.fillna(self.statistics[0])
        made = np.array(x)
        table = made.reshape(len(made), -1)
        value: Any = None
        try:
            for place in np.flatnonzero(missing.any(axis=0)):
                value = self.statistics[place]
                table[missing[:, place], place] = value
        except (TypeError, ValueError):
            raise ValueError(f"CleanMissing: {value!r} does not fit an array of {made.dtype}") from None
        return made


def _columns(x: Any) -> list[tuple[Any, Any]]:
    """The columns of a table, each with its name or number."""
    if hasattr(x, "columns") and hasattr(x, "iloc"):
        columns = [(name, x.iloc[:, place]) for place, name in enumerate(x.columns)]
    elif hasattr(x, "iloc"):
        columns = [(getattr(x, "name", None), x)]
    else:
        array = np.asarray(x)
        if array.ndim not in (1, 2):
            raise ValueError(f"CleanMissing: x has shape {array.shape}, expected [n] or [n, columns]")
        table = array.reshape(len(array), -1) if array.size or array.ndim == 1 else array
        columns = [(place, table[:, place]) for place in range(table.shape[1])]
    if not columns or not len(x):
        raise ValueError("CleanMissing: x has no rows or no columns")
    return columns


def _missing(values: Any) -> NDArray[np.bool_]:
    """Which of a column's values are missing."""
    if hasattr(values, "isna"):
        return np.asarray(values.isna(), bool)
    array = np.asarray(values)
    if array.dtype.kind in "fc":
        return np.asarray(np.isnan(array), bool)
    if array.dtype.kind in "mM":
        return np.asarray(np.isnat(array), bool)
    if array.dtype == object:  # NaN is what differs from itself
        return np.array([value is None or bool(value != value) for value in array.tolist()], bool)
    return np.zeros(array.shape, bool)


def _rows(x: Any, keep: NDArray[np.bool_]) -> Any:
    if hasattr(x, "iloc"):
        return x.iloc[np.flatnonzero(keep)]
    return np.asarray(x)[keep]
