"""Folds: every row is tested once, classes keep their shares, and bad ones are named."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold, ShuffleSplit

from netlet.model_selection import KFold, StratifiedKFold, make_folds
from netlet.model_selection.folds import count_rows, take_rows

X = np.arange(60.0).reshape(30, 2)
CLASSES = np.repeat([0, 1, 2], 10)


def test_number_makes_shuffled_folds_that_test_each_row_once():
    folds = make_folds(5, X, X[:, 0])
    tested = np.concatenate([fold.test for fold in folds])
    assert sorted(tested) == list(range(30))
    assert not np.array_equal(tested, np.arange(30))
    for fold in folds:
        assert sorted([*fold.train, *fold.test]) == list(range(30))


@pytest.mark.parametrize("y", [CLASSES, CLASSES[:, None], np.eye(3)[CLASSES], np.array(list("abc"))[CLASSES]], ids=str)
def test_classes_keep_their_shares(y):
    for fold in make_folds(5, X, y):
        assert np.bincount(CLASSES[fold.test]).tolist() == [2, 2, 2]


def test_seed_decides():
    first, again, other = (make_folds(3, X, CLASSES, seed=seed) for seed in (1, 1, 2))
    assert all(np.array_equal(a.test, b.test) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a.test, b.test) for a, b in zip(first, other, strict=True))


def test_splitters_of_scikit_learn_serve():
    assert len(make_folds(ShuffleSplit(7, random_state=0), X, CLASSES)) == 7
    groups = np.arange(30) // 3
    for fold in make_folds(GroupKFold(5), X, CLASSES, groups):
        assert not set(groups[fold.train]) & set(groups[fold.test])
    assert KFold(4).get_n_splits() == 4
    assert StratifiedKFold(3, shuffle=False).shuffle is False


def test_pairs_of_rows_or_masks_serve_without_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.model_selection", None)
    mask = np.arange(30) < 20
    for pair in ((np.flatnonzero(mask), np.flatnonzero(~mask)), (mask, ~mask)):
        (fold,) = make_folds([pair], X, None)
        np.testing.assert_array_equal(fold.train, np.arange(20))
        np.testing.assert_array_equal(fold.test, np.arange(20, 30))
    with pytest.raises(ImportError, match=r"pip install 'netlet\[sklearn\]'"):
        make_folds(5, X, CLASSES)


@pytest.mark.parametrize(
    ("cv", "error", "message"),
    [
        (1, ValueError, "at least 2 folds, got 1"),
        (True, ValueError, "at least 2 folds, got True"),
        ("five", TypeError, "expected a number of folds"),
        (None, TypeError, "expected a number of folds"),
        ([], ValueError, "at least one fold, got none"),
        ([3], TypeError, "fold 0: expected"),
        ([([0], [])], ValueError, "fold 0: test rows must be row numbers, at least one"),
        ([([0.5], [1])], ValueError, "fold 0: training rows must be row numbers"),
        ([([0], [30])], ValueError, r"fold 0: test rows must lie in 0 \.\. 29"),
        ([([0], [1]), ([0, 1], [1])], ValueError, "fold 1: a row is both"),
    ],
)
def test_bad_folds_are_named(cv, error, message):
    with pytest.raises(error, match=message):
        make_folds(cv, X, CLASSES)


def test_rows_are_taken_from_arrays_lists_and_dicts():
    import pandas

    rows = np.array([2, 0])
    frame = pandas.DataFrame(X)
    np.testing.assert_array_equal(take_rows(frame, rows), X[rows])
    np.testing.assert_array_equal(take_rows([[1, 2], [3, 4], [5, 6]], rows), [[5, 6], [1, 2]])
    for a, b in zip(take_rows([X, CLASSES], rows), (X[rows], CLASSES[rows]), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(take_rows({"a": X}, rows)["a"], X[rows])
    assert count_rows({"a": X, "b": CLASSES}) == 30
    with pytest.raises(ValueError, match="its arrays have 5, 30 rows"):
        count_rows([X, X[:5]])
