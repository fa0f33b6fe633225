"""Which settings suit the data: grid search, then random search, by cross-validation.

``python -m netlet.examples.tuning``. Looks for the width and the learning rate of a classifier of 178 wines by 13
chemical measurements (scikit-learn's copy of the UCI set). The wines on which the chosen settings are measured in the
end take no part in the search.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence as Arguments
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.examples._support import choose_backend, parser, positive, require

Array = NDArray[Any]


def load_data(seed: int) -> tuple[Array, Array, Array, Array]:
    """Measurements of 133 wines ``[133, 13]``, their cultivars ``[133]``, and the same of 45 to be kept aside."""
    from sklearn.datasets import load_wine
    from sklearn.model_selection import train_test_split

    x, y = load_wine(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(
        x.astype(np.float32), y, test_size=0.25, stratify=y, random_state=seed
    )
    return x_train, y_train, x_test, y_test


def standardizer(x: Array) -> Any:
    """A function that brings columns to mean 0 and deviation 1, as they are in ``x``."""
    mean, deviation = x.mean(axis=0), x.std(axis=0)
    return lambda rows: (rows - mean) / deviation


def make_model(width: int, rate: float) -> Any:
    """A classifier with one hidden layer of ``width``, compiled to learn at ``rate``."""
    from netlet.layers import Dense, Input
    from netlet.models import Sequential
    from netlet.optimizers import Adam

    model = Sequential([Input((13,)), Dense(width, activation="tanh"), Dense(3, activation="softmax")])
    model.compile(optimizer=Adam(rate), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def main(arguments: Arguments[str] | None = None) -> int:
    """Runs the example; returns 0."""
    made = parser("tuning", epochs=20)
    made.add_argument("--trials", type=positive, default=6, metavar="N", help="of the random search")
    options = made.parse_args(arguments)
    require("sklearn")
    choose_backend(options.backend)
    import netlet
    from netlet.model_selection import search

    x, y, x_test, y_test = load_data(options.seed)
    how: dict[str, Any] = {"cv": 4, "prepare": standardizer, "epochs": options.epochs, "seed": options.seed}
    grid = search(make_model, {"width": [4, 16], "rate": [0.001, 0.01, 0.1]}, x, y, **how)
    print(f"grid search, cross-entropy of 4 folds of {len(x)} wines:\n{grid.table()}\n")
    free = search(
        make_model,
        {"width": [2, 4, 8, 16, 32], "rate": lambda rng: float(10 ** rng.uniform(-3, -0.5))},
        x, y, trials=options.trials, **how,
    )  # fmt: skip
    print(f"random search:\n{free.table()}\n")
    best = min((grid.trials[0], free.trials[0]), key=lambda trial: trial.result.mean())
    netlet.set_random_seed(options.seed)
    model, scale = make_model(**best.settings), standardizer(x)
    model.fit(scale(x), y, epochs=options.epochs, verbose=0)
    _, accuracy = model.evaluate(scale(x_test), y_test, verbose=0)
    settings = ", ".join(f"{k} {v:.4g}" for k, v in best.settings.items())
    print(f"chosen: {settings}; cross-validated accuracy {best.result.mean('accuracy'):.2%}")
    print(f"test accuracy: {accuracy:.2%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
