"""``cross_validate``: a model's scores on rows that it was not trained on, for each of several folds."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.errors import unknown_name
from netlet.model_selection.folds import Fold, make_folds, take_rows
from netlet.utils import set_random_seed

__all__ = ["CrossValidation", "cross_validate"]


@dataclass(frozen=True)
class CrossValidation:
    """What `cross_validate` returns.

    Attributes:
        scores: metric to its values on the test rows, ``[K]`` for K folds.
        folds: the rows of each fold.
        epochs: how many each fold was trained, ``[K]``.
        seconds: how many seconds each fold's training took, ``[K]``.
        histories: `History` of each.
    """

    scores: dict[str, NDArray[np.float64]]
    folds: list[Fold]
    epochs: NDArray[np.int64]
    seconds: NDArray[np.float64]
    histories: list[Any]

    def mean(self, metric: str = "loss") -> float:
        """Return the mean over folds; ValueError for an unknown metric."""
        return float(self._values(metric).mean())

    def std(self, metric: str = "loss") -> float:
        """Return the standard deviation over folds (divided by K - 1); ValueError for an unknown metric.

        It says how much folds differ. The error of the mean is larger than std / sqrt(K): training sets overlap.
        """
        values = self._values(metric)
        return float(values.std(ddof=1)) if len(values) > 1 else 0.0

    def table(self) -> str:
        """Return a line for each metric: mean, spread, least and greatest."""
        width = max(len("metric"), *map(len, self.scores))
        lines = [f"{'metric':<{width}}{'mean':>12}{'std':>12}{'min':>12}{'max':>12}"]
        for name, values in self.scores.items():
            lines.append(
                f"{name:<{width}}{self.mean(name):>12.4g}{self.std(name):>12.2g}{values.min():>12.4g}{values.max():>12.4g}"
            )
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.table()

    def _values(self, metric: str) -> NDArray[np.float64]:
        if metric not in self.scores:
            raise unknown_name("metric", metric, self.scores)
        return self.scores[metric]


def cross_validate(
    make_model: Callable[[], Any],
    x: Any,
    y: Any,
    *,
    cv: Any = 5,
    groups: Any = None,
    scoring: Mapping[str, Callable[[Any, Any], float]] | None = None,
    prepare: Callable[[Any], Callable[[Any], Any]] | None = None,
    callbacks: Callable[[], Sequence[Any]] | None = None,
    seed: int = 0,
    **fit: Any,
) -> CrossValidation:
    """Train a new model on each fold's training rows and score it on the fold's test rows.

    Args:
        make_model: returns a new compiled model; called once for each fold.
        x: rows ``[N, ...]``; a list or dict of such for several inputs.
        y: labels ``[N, ...]``; likewise.
        cv: a number of folds, a splitter or pairs of row numbers; see `make_folds`. Default 5.
        groups: for splitters that keep groups together.
        scoring: further scores: name to a function of (labels, predictions).
        prepare: given the training rows' x, returns a function that is applied to x of training and test rows: what
            it learns (means, scales) then never comes from the test rows.
        callbacks: returns new callbacks; called once for each fold, as callbacks have a memory.
        seed: shuffles the folds if ``cv`` is a number; fold i is trained after ``set_random_seed(seed + i)``.
        **fit: for ``fit``, such as ``epochs``, ``batch_size`` and ``validation_split``; ``verbose`` is 0 by default.

    Returns: the scores, loss and metrics as ``evaluate`` reports them first.
    Raises: ValueError, TypeError for folds that are none, or what ``fit`` raises; ImportError if ``cv`` is a number and
        scikit-learn is missing.

    Example::

        result = cross_validate(make_model, x, y, cv=10, epochs=50, scoring={"r2": r2_score})
        print(result.table())
    """
    folds = make_folds(cv, x, y, groups, seed)
    scores: dict[str, list[float]] = {}
    epochs, seconds, histories = [], [], []
    for i, fold in enumerate(folds):
        set_random_seed(seed + i)
        model = make_model()
        x_train, x_test = take_rows(x, fold.train), take_rows(x, fold.test)
        y_train, y_test = take_rows(y, fold.train), take_rows(y, fold.test)
        if prepare is not None:
            transform = prepare(x_train)
            x_train, x_test = transform(x_train), transform(x_test)
        begin = time.perf_counter()
        history = model.fit(
            x_train, y_train, callbacks=None if callbacks is None else list(callbacks()), **{"verbose": 0, **fit}
        )
        seconds.append(time.perf_counter() - begin)
        epochs.append(len(history.epoch))
        histories.append(history)
        found = dict(model.evaluate(x_test, y_test, verbose=0, return_dict=True))
        if scoring:
            predictions = model.predict(x_test, verbose=0)
            found.update({name: score(y_test, predictions) for name, score in scoring.items()})
        for name in sorted(found, key=lambda name: name != "loss"):
            if np.ndim(found[name]) == 0:  # not one F1 score for each class
                scores.setdefault(name, []).append(float(found[name]))
    arrays = {name: np.asarray(values, np.float64) for name, values in scores.items()}
    return CrossValidation(arrays, folds, np.asarray(epochs, np.int64), np.asarray(seconds), histories)
