"""``compare``: several models on the same folds, with a paired test that knows that training sets overlap."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netlet.errors import unknown_name
from netlet.model_selection.folds import make_folds
from netlet.model_selection.student import two_sided_p
from netlet.model_selection.validation import CrossValidation, cross_validate

__all__ = ["Comparison", "PairedTest", "compare", "corrected_t_test", "falls"]

_SMALL_IS_GOOD = (
    "loss",
    "error",
    "crossentropy",
    "divergence",
    "mse",
    "mae",
    "mape",
    "msle",
    "rmse",
    "hinge",
    "poisson",
)


class PairedTest(NamedTuple):
    """Whether two models differ by more than chance.

    Attributes:
        difference: the mean of the differences of their scores, in the unit of the metric.
        t: the statistic; NaN if all differences are 0.
        p: how likely models that are equally good differ at least so much, in [0, 1]; 1 if all differences are 0.
    """

    difference: float
    t: float
    p: float


def corrected_t_test(a: ArrayLike, b: ArrayLike, test_share: float) -> PairedTest:
    """Return the corrected resampled t-test of two models' scores on the same K folds.

    t = mean(d) / sqrt((1 / K + n_test / n_train) var(d)), d = a - b, with K - 1 degrees of freedom. The plain paired
    t-test has 1 / K alone: it takes the folds for independent, which they are not as their training sets overlap, and
    finds differences where there are none. Source: Nadeau and Bengio 2003, "Inference for the generalization error",
    Machine Learning 52, 239-281.

    Args:
        a, b: the scores, ``[K]`` each, K at least 2.
        test_share: n_test / n_train, the number of test rows for each training row: 1 / (K - 1) in K-fold
            cross-validation.

    Raises: ValueError if shapes differ, K is less than 2, a score is not finite or ``test_share`` is not positive.
    """
    first, second = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if first.ndim != 1 or first.shape != second.shape or len(first) < 2:
        raise ValueError(
            f"a and b: expected the same shape (K,) with K of at least 2, got {first.shape}, {second.shape}"
        )
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("a and b: a score is not finite")
    if not test_share > 0:
        raise ValueError(f"test_share: expected a positive number, got {test_share!r}")
    d = first - second
    mean, variance, folds = float(d.mean()), float(d.var(ddof=1)), len(d)
    if variance == 0:
        return PairedTest(mean, math.nan if mean == 0 else math.copysign(math.inf, mean), 1.0 if mean == 0 else 0.0)
    t = mean / math.sqrt((1 / folds + test_share) * variance)
    return PairedTest(mean, t, two_sided_p(t, folds - 1))


@dataclass(frozen=True)
class Comparison:
    """What `compare` returns.

    Attributes:
        results: model's name to its `CrossValidation`, all on the same folds.
        metric: what they are compared by.
        baseline: the name of the model that the others are tested against.
        lower_is_better: whether a small value of the metric is good.
    """

    results: dict[str, CrossValidation]
    metric: str
    baseline: str
    lower_is_better: bool

    @property
    def best(self) -> str:
        """The name of the model with the best mean."""
        return self.ranking()[0]

    def ranking(self) -> list[str]:
        """Return the names, the best mean first."""
        sign = 1 if self.lower_is_better else -1
        return sorted(self.results, key=lambda name: sign * self.results[name].mean(self.metric))

    def scores(self, name: str) -> NDArray[np.float64]:
        """Return the metric of one model on each fold; ValueError for an unknown name."""
        if name not in self.results:
            raise unknown_name("model", name, self.results)
        return self.results[name].scores[self.metric]

    def test(self, a: str, b: str) -> PairedTest:
        """Return `corrected_t_test` of two models by their names.

        The difference is a's score less b's.

        Raises: ValueError for an unknown name or a score that is not finite.
        """
        folds = next(iter(self.results.values())).folds
        share = sum(len(fold.test) for fold in folds) / sum(len(fold.train) for fold in folds)
        return corrected_t_test(self.scores(a), self.scores(b), share)

    def table(self) -> str:
        """Return a line for each model, the best first: mean, spread, difference to the baseline, t, p, seconds a fold.

        p belongs to one comparison. Of many, some are small by chance: multiply p by their number (Bonferroni).
        """
        width = max(len("model"), *map(len, self.results))
        title = f"{self.metric} on {len(next(iter(self.results.values())).folds)} folds, "
        title += f"{'lower' if self.lower_is_better else 'higher'} is better; against {self.baseline}: "
        title += "corrected resampled t-test (Nadeau and Bengio 2003)"
        lines = [title, f"{'model':<{width}}{'mean':>11}{'std':>10}{'difference':>12}{'t':>8}{'p':>9}{'s/fold':>9}"]
        for name in self.ranking():
            result = self.results[name]
            line = f"{name:<{width}}{result.mean(self.metric):>11.4g}{result.std(self.metric):>10.2g}"
            if name == self.baseline:
                line += f"{'-':>12}{'-':>8}{'-':>9}"
            else:
                found = self.test(name, self.baseline)
                line += f"{found.difference:>+12.3g}{found.t:>8.2f}{_p_text(found.p):>9}"
            lines.append(f"{line}{result.seconds.mean():>9.2f}")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.table()


def compare(
    models: Mapping[str, Callable[[], Any]],
    x: Any,
    y: Any,
    *,
    metric: str = "loss",
    baseline: str | None = None,
    lower_is_better: bool | None = None,
    cv: Any = 10,
    groups: Any = None,
    seed: int = 0,
    **options: Any,
) -> Comparison:
    """Cross-validate several models on the same folds and test whether they differ.

    Args:
        models: name to what returns a new compiled model.
        x, y: rows and labels, as of `cross_validate`.
        metric: a loss or metric that every model reports, or a name out of ``scoring``; default "loss". Losses of
            different kinds say nothing about each other: then name a metric.
        baseline: the model that the others are tested against; default the first. To choose it for its score after
            seeing it makes p too small.
        lower_is_better: whether a small value is good; None tells from the name ("loss", "..._error", "rmse", ...).
        cv: a number of folds, a splitter, or pairs of row numbers; default 10.
        groups: for splitters that keep groups together.
        seed: of folds and models, as of `cross_validate`; all models get the same. Default 0.
        **options: for `cross_validate`: ``scoring``, ``prepare``, ``callbacks`` and what ``fit`` takes.

    Returns: the scores and their tests; the paper of the test: see `corrected_t_test`.

    Raises: ValueError if there is no model, the metric or baseline is unknown, or there is only one fold; what
        `cross_validate` raises.

    Example::

        print(compare({"small": make_small, "large": make_large}, x, y, metric="accuracy", epochs=30))
    """
    if not models:
        raise ValueError("models: expected at least one, got none")
    if baseline is not None and baseline not in models:
        raise unknown_name("model", baseline, models)
    folds = make_folds(cv, x, y, groups, seed)
    if len(folds) < 2:
        raise ValueError("cv: a comparison needs at least 2 folds, got 1")
    results = {}
    for name, make_model in models.items():
        results[name] = cross_validate(make_model, x, y, cv=folds, seed=seed, **options)
        results[name].mean(metric)  # an unknown metric is refused before the next model is trained
    lower = falls(metric) if lower_is_better is None else lower_is_better
    return Comparison(results, metric, next(iter(models)) if baseline is None else baseline, lower)


def falls(metric: str) -> bool:
    """Whether a metric of this name falls as a model gets better."""
    return metric.endswith(_SMALL_IS_GOOD)


def _p_text(p: float) -> str:
    return "<0.0001" if p < 1e-4 else f"{p:.4f}"
