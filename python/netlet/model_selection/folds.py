"""Folds: which rows train a model and which test it, by scikit-learn's splitters or as they are given."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Fold", "KFold", "StratifiedKFold", "count_rows", "make_folds", "take_rows"]


class Fold(NamedTuple):
    """Row numbers, both one-dimensional and not empty.

    Attributes:
        train: of the rows that train.
        test: of those that test.
    """

    train: NDArray[np.int64]
    test: NDArray[np.int64]


def KFold(n_splits: int = 5, *, shuffle: bool = True, random_state: Any = 0) -> Any:
    """Return scikit-learn's ``KFold``; here it shuffles, by a fixed seed, unless told not to.

    Its ``split(x, y)`` gives (training rows, test rows) as int arrays.

    Raises: ImportError if scikit-learn is missing, ValueError (its own) if ``n_splits`` is less than 2.
    """
    return _splitters().KFold(n_splits, shuffle=shuffle, random_state=random_state if shuffle else None)


def StratifiedKFold(n_splits: int = 5, *, shuffle: bool = True, random_state: Any = 0) -> Any:
    """Return scikit-learn's ``StratifiedKFold``, whose folds have the classes in equal shares; as `KFold` it shuffles.

    Raises: ImportError if scikit-learn is missing, ValueError (its own) if ``n_splits`` is less than 2.
    """
    return _splitters().StratifiedKFold(n_splits, shuffle=shuffle, random_state=random_state if shuffle else None)


def make_folds(cv: Any, x: Any, y: Any, groups: Any = None, seed: int = 0) -> list[Fold]:
    """Return the folds that ``cv`` stands for.

    Args:
        cv: a number of folds: shuffled, and stratified where the labels are classes (integers, strings, bools or
            one-hot rows); or a splitter of scikit-learn (anything with ``split``); or an iterable of (training rows,
            test rows), as numbers or as masks.
        x: the rows, an array or a list or dict of arrays.
        y: their labels.
        groups: for splitters that keep groups together.
        seed: shuffles the folds that are made from a number; default 0.

    Returns: the K folds, row numbers in int64.

    Raises: ValueError if a fold is empty, names a row that is not there, or trains and tests on the same row;
        TypeError if ``cv`` is none of these; ImportError if a number is given and scikit-learn is missing.
    """
    rows = count_rows(x)
    labels = _labels(y)
    if hasattr(cv, "split") and not isinstance(cv, (str, bytes)):
        splitter = cv
    elif isinstance(cv, Iterable) and not isinstance(cv, (str, bytes)):
        return [_fold(entry, rows, i) for i, entry in enumerate(cv)] or _no_folds()
    else:
        splitter = _splitter_for(cv, labels, seed)
    stand_in = np.zeros((rows, 1))  # splitters look at the number of rows alone
    pairs = splitter.split(stand_in, labels, groups)
    return [_fold(entry, rows, i) for i, entry in enumerate(pairs)] or _no_folds()


def count_rows(x: Any) -> int:
    """The number of rows of an array, or of each in a list or dict of arrays; ValueError if they differ."""
    parts = _parts(x)
    counts = {len(part) for part in parts}
    if len(counts) != 1:
        raise ValueError(f"x: its arrays have {', '.join(map(str, sorted(counts)))} rows, expected one number")
    return counts.pop()


def take_rows(x: Any, rows: NDArray[np.int64]) -> Any:
    """The given rows of an array, or of each in a list or dict of arrays."""
    if isinstance(x, Mapping):
        return {name: take_rows(part, rows) for name, part in x.items()}
    if _is_list_of_arrays(x):
        return [take_rows(part, rows) for part in x]
    return x.iloc[rows] if hasattr(x, "iloc") else np.asarray(x)[rows]


def _parts(x: Any) -> list[Any]:
    if isinstance(x, Mapping):
        return list(x.values())
    return list(x) if _is_list_of_arrays(x) else [x]


def _is_list_of_arrays(x: Any) -> bool:
    return isinstance(x, (list, tuple)) and len(x) > 0 and all(hasattr(part, "shape") for part in x)


def _labels(y: Any) -> NDArray[Any] | None:
    """Labels as splitters take them: classes of one-hot rows; None for what has no single label."""
    if y is None or isinstance(y, Mapping) or _is_list_of_arrays(y):
        return None
    labels = np.asarray(y)
    if labels.ndim == 2 and labels.shape[1] == 1:
        return labels[:, 0]
    one_hot = labels.ndim == 2 and bool(np.all((labels == 0) | (labels == 1)) and np.all(labels.sum(axis=1) == 1))
    return labels.argmax(axis=1) if one_hot else labels


def _splitter_for(cv: Any, labels: NDArray[Any] | None, seed: int) -> Any:
    try:
        number = operator.index(cv)
    except TypeError:
        raise TypeError(
            f"cv: expected a number of folds, a splitter or (training rows, test rows) pairs, got {cv!r}"
        ) from None
    if isinstance(cv, bool) or number < 2:
        raise ValueError(f"cv: expected at least 2 folds, got {cv!r}")
    classes = labels is not None and labels.ndim == 1 and labels.dtype.kind in "biuUSO"
    return (StratifiedKFold if classes else KFold)(number, random_state=seed)


def _fold(entry: Any, rows: int, number: int) -> Fold:
    try:
        train, test = entry
    except (TypeError, ValueError):
        raise TypeError(f"cv: fold {number}: expected (training rows, test rows), got {entry!r}") from None
    found = []
    for name, given in (("training", train), ("test", test)):
        numbers = np.asarray(given)
        if numbers.dtype.kind == "b" and numbers.shape == (rows,):
            numbers = np.flatnonzero(numbers)
        if numbers.ndim != 1 or numbers.size == 0 or numbers.dtype.kind not in "iu":
            raise ValueError(
                f"cv: fold {number}: {name} rows must be row numbers, at least one, got {numbers.dtype} of shape "
                f"{numbers.shape}"
            )
        if numbers.min() < 0 or numbers.max() >= rows:
            raise ValueError(f"cv: fold {number}: {name} rows must lie in 0 .. {rows - 1}")
        found.append(numbers.astype(np.int64))
    if np.intersect1d(found[0], found[1]).size:
        raise ValueError(f"cv: fold {number}: a row is both for training and for testing")
    return Fold(*found)


def _no_folds() -> list[Fold]:
    raise ValueError("cv: expected at least one fold, got none")


def _splitters() -> Any:
    try:
        import sklearn.model_selection
    except ImportError as error:
        raise ImportError(
            "making folds needs scikit-learn: pip install 'netlet[sklearn]'; or give cv as pairs of row numbers"
        ) from error
    return sklearn.model_selection
