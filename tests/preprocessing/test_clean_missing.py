"""CleanMissing: rows dropped, values filled in, in arrays and frames."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import netlet
from netlet.errors import NotBuiltError
from netlet.preprocessing import CleanMissing

NAN = np.nan


def table() -> np.ndarray:
    return np.array([[1, NAN], [2, 4], [NAN, 4], [9, 8]], np.float32)


@pytest.mark.parametrize(
    ("strategy", "first", "second"), [("mean", 4, 16 / 3), ("median", 2, 4), ("most_frequent", 1, 4)]
)
def test_columns_are_filled_with_their_own(strategy: str, first: float, second: float) -> None:
    x = table()
    y = CleanMissing(strategy).fit_transform(x)
    want = np.array([[1, second], [2, 4], [first, 4], [9, 8]], np.float32)
    assert y.dtype == np.float32
    assert (y == want).all()
    assert np.isnan(x).sum() == 2  # what was given is as it was


def test_a_constant_is_filled_in() -> None:
    clean = CleanMissing("constant", fill_value=-1)
    assert clean.fit_transform(table()).tolist() == [[1, -1], [2, 4], [-1, 4], [9, 8]]
    assert clean.fit_transform(np.array([NAN, 2.0])).tolist() == [-1, 2]


def test_rows_are_dropped_with_their_labels() -> None:
    x, y = CleanMissing("drop").fit_transform(table(), np.arange(4))
    assert x.tolist() == [[2, 4], [9, 8]]
    assert y.tolist() == [1, 3]
    assert CleanMissing("drop").fit_transform(table()).tolist() == x.tolist()


def test_transform_fills_with_what_fit_saw() -> None:
    clean = CleanMissing("mean").fit(table())
    assert clean.statistics == [4.0, pytest.approx(16 / 3)]
    assert clean.transform(np.array([[NAN, 1.0]])).tolist() == [[4.0, 1.0]]
    x, y = clean.transform([[NAN, 1.0]], ["label"])
    assert (x.tolist(), y) == ([[4.0, 1.0]], ["label"])


def test_objects_may_be_none() -> None:
    x = np.array([["a", 1], [None, NAN], ["a", 5]], object)
    assert CleanMissing("most_frequent").fit_transform(x).tolist() == [["a", 1], ["a", 1], ["a", 5]]
    assert CleanMissing("drop").fit_transform(x).tolist() == [["a", 1], ["a", 5]]


def test_integers_have_nothing_missing() -> None:
    x = np.array([[1, 2], [3, 4]])
    y = CleanMissing("mean").fit_transform(x)
    assert (y.dtype, y.tolist()) == (x.dtype, x.tolist())


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: CleanMissing("meen"), ValueError, "Did you mean 'mean'"),
        (lambda: CleanMissing("constant"), ValueError, "fill_value"),
        (lambda: CleanMissing("mean", 3), ValueError, "fill_value"),
        (lambda: CleanMissing().transform(table()), NotBuiltError, "call fit"),
        (lambda: CleanMissing().fit(table()).transform(table()[:, :1]), ValueError, "1 columns, expected 2"),
        (lambda: CleanMissing().fit(np.array([[NAN]])), ValueError, "column 0 has no value"),
        (lambda: CleanMissing().fit(np.array([["a"], [None]], object)), TypeError, "expected numbers for its mean"),
        (lambda: CleanMissing().fit(np.array(["a"])), TypeError, "expected numbers for its mean"),
        (lambda: CleanMissing("drop").fit(np.zeros((2, 2, 2))), ValueError, "shape"),
        (lambda: CleanMissing("drop").fit(np.zeros((0, 2))), ValueError, "no rows"),
        (lambda: CleanMissing("drop").fit_transform(table(), [1]), ValueError, "4 rows, y has 1"),
        (lambda: CleanMissing("constant", "a").fit_transform(table()), ValueError, "does not fit"),
    ],
)
def test_what_is_wrong_is_named(make: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_config() -> None:
    clean = CleanMissing("constant", 2)
    assert CleanMissing.from_config(clean.get_config()).get_config() == clean.get_config()
    assert netlet.preprocessing.CleanMissing is CleanMissing


def test_frames_stay_frames() -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pandas.DataFrame({"a": [1.0, None, 3.0], "b": ["x", "y", None], "c": [1, 2, 2]}, index=[5, 6, 7])
    dropped, labels = CleanMissing("drop").fit_transform(frame, frame["c"])
    assert dropped.index.tolist() == labels.index.tolist() == [5]
    filled = CleanMissing("most_frequent").fit_transform(frame)
    assert filled["a"].tolist() == [1.0, 1.0, 3.0]
    assert filled["b"].tolist() == ["x", "y", "x"]
    assert filled["c"].dtype == frame["c"].dtype
    assert frame["a"].isna().sum() == 1
    assert CleanMissing("mean").fit_transform(frame["a"]).tolist() == [1.0, 2.0, 3.0]
    with pytest.raises(TypeError, match="column 'b'"):
        CleanMissing("median").fit(frame)
