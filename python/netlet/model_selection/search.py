"""``search``: the best settings of a model, out of a grid or by random draws, by cross-validation."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from netlet.model_selection.comparison import falls
from netlet.model_selection.folds import make_folds
from netlet.model_selection.validation import CrossValidation, cross_validate

__all__ = ["Search", "Trial", "search"]


class Trial(NamedTuple):
    """Settings and what a model with them scored.

    Attributes:
        settings: name to value.
        result: of the cross-validation.
    """

    settings: dict[str, Any]
    result: CrossValidation


@dataclass(frozen=True)
class Search:
    """What `search` returns.

    Attributes:
        trials: the best mean first.
        metric: what decided.
    """

    trials: list[Trial]
    metric: str

    @property
    def best(self) -> dict[str, Any]:
        """The settings with the best mean.

        Its score is a little too good to be true, as it was chosen for it: measure the final model on other rows.
        """
        return self.trials[0].settings

    def table(self) -> str:
        """Return a line for each trial: its settings, mean and spread."""
        names = list(self.trials[0].settings)
        cells = [[*names, self.metric, "std"]]
        for trial in self.trials:
            values = [f"{v:.4g}" if isinstance(v, float) else str(v) for v in trial.settings.values()]
            cells.append([*values, f"{trial.result.mean(self.metric):.4g}", f"{trial.result.std(self.metric):.2g}"])
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        return "\n".join("  ".join(f"{c:>{w}}" for c, w in zip(row, widths, strict=True)) for row in cells)

    def __str__(self) -> str:
        return self.table()


def search(
    make_model: Callable[..., Any],
    settings: Mapping[str, Sequence[Any] | Callable[[np.random.Generator], Any]],
    x: Any,
    y: Any,
    *,
    trials: int | None = None,
    metric: str = "loss",
    lower_is_better: bool | None = None,
    cv: Any = 5,
    groups: Any = None,
    seed: int = 0,
    **options: Any,
) -> Search:
    """Cross-validate a model with many settings, all on the same folds.

    Args:
        make_model: called with one value for each of ``settings`` by name; returns a new compiled model.
        settings: name to its values, or, for random search, to a function that draws one from a NumPy Generator.
        x, y: rows and labels, as of `cross_validate`.
        trials: None for all combinations (grid search); a number for so many random ones (random search), different
            from each other as long as only lists are given.
        metric: what decides, a loss or metric that the models report or a name out of ``scoring``; default "loss".
        lower_is_better: whether a small value is good; None tells from the name.
        cv, groups, seed: as of `cross_validate`; default 5 folds, seed 0. The seed also draws the trials.
        **options: for `cross_validate`: ``scoring``, ``prepare``, ``callbacks`` and what ``fit`` takes.

    Returns: the trials, sorted. Source of random search: Bergstra, Bengio, "Random search for hyper-parameter
        optimization", 2012.

    Raises: ValueError if there are no settings or no values, ``trials`` is not positive, or a function is given
        without ``trials``; what `cross_validate` raises.
    """
    if not settings:
        raise ValueError("settings: expected at least one, got none")
    for name, values in settings.items():
        if callable(values):
            if trials is None:
                raise ValueError(f"settings: {name!r} is drawn by a function, which needs a number of trials")
        elif isinstance(values, str) or not len(values):
            raise ValueError(f"settings: {name!r}: expected a list of values or a function, got {values!r}")
    if trials is not None and (isinstance(trials, bool) or not isinstance(trials, int) or trials < 1):
        raise ValueError(f"trials: expected a positive int or None, got {trials!r}")
    folds = make_folds(cv, x, y, groups, seed)
    found = []
    for chosen in _grid(settings) if trials is None else _draws(settings, trials, seed):
        result = cross_validate(functools.partial(make_model, **chosen), x, y, cv=folds, seed=seed, **options)
        result.mean(metric)  # an unknown metric is refused at once
        found.append(Trial(chosen, result))
    lower = falls(metric) if lower_is_better is None else lower_is_better
    found.sort(key=lambda trial: trial.result.mean(metric) * (1 if lower else -1))
    return Search(found, metric)


def _grid(settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [dict(zip(settings, values, strict=True)) for values in itertools.product(*settings.values())]


def _draws(settings: Mapping[str, Any], trials: int, seed: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    if not any(callable(values) for values in settings.values()):
        sizes = [len(values) for values in settings.values()]
        total = math.prod(sizes)
        numbers = rng.choice(total, size=min(trials, total), replace=False)
        places = zip(*np.unravel_index(numbers, sizes), strict=True)
        return [{name: settings[name][int(i)] for name, i in zip(settings, place, strict=True)} for place in places]
    return [
        {name: v(rng) if callable(v) else v[int(rng.integers(len(v)))] for name, v in settings.items()}
        for _ in range(trials)
    ]
