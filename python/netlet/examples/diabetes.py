"""Tabular regression: how a disease progresses, with cross-validation and early stopping.

``python -m netlet.examples.diabetes``. Predicts the progression of diabetes in 442 patients a year after ten baseline
measurements (Efron et al. 2004, scikit-learn's copy). A small network, stopped when its validation loss no longer
falls, is compared on the same folds with a linear model of the same make; then one is trained and measured on patients
that were kept aside.

The mean R² is 0.50 for the linear model and 0.48 for the network, and the test says that they do not differ: so few
patients show no more than a plane.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence as Arguments
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.examples._support import choose_backend, parser, positive, require

Array = NDArray[Any]
PATIENCE = 15


def load_data() -> tuple[Array, Array]:
    """Measurements ``[442, 10]``, and the progression ``[442]`` in units of its standard deviation, mean 0."""
    from sklearn.datasets import load_diabetes

    x, y = load_diabetes(return_X_y=True, scaled=False)
    return x.astype(np.float32), ((y - y.mean()) / y.std()).astype(np.float32)


def standardizer(x: Array) -> Any:
    """A function that brings columns to mean 0 and deviation 1, as they are in ``x``."""
    mean, deviation = x.mean(axis=0), x.std(axis=0)
    return lambda rows: (rows - mean) / deviation


def make_model(hidden: int) -> Any:
    """A regressor with one hidden layer, or a linear one if ``hidden`` is 0; compiled."""
    from netlet.layers import Dense, Dropout, Input
    from netlet.models import Sequential
    from netlet.optimizers import Adam

    layers = [Dense(hidden, activation="relu", kernel_regularizer="l2"), Dropout(0.2)] if hidden else []
    model = Sequential([Input((10,)), *layers, Dense(1)])
    model.compile(optimizer=Adam(0.005), loss="mse", metrics=["r2_score"])
    return model


def early_stopping() -> list[Any]:
    """New callbacks: stop when the validation loss has not fallen for a while, and go back to where it was lowest."""
    from netlet.callbacks import EarlyStopping

    return [EarlyStopping("val_loss", patience=PATIENCE, restore_best_weights=True)]


def main(arguments: Arguments[str] | None = None) -> int:
    """Runs the example; returns 0."""
    made = parser("diabetes", epochs=300)
    made.add_argument("--folds", type=positive, default=10, metavar="K", help="of the cross-validation")
    options = made.parse_args(arguments)
    require("sklearn")
    choose_backend(options.backend)
    import netlet
    from netlet.model_selection import compare

    x, y = load_data()
    kept = np.random.default_rng(options.seed).permutation(len(x))
    train, test = kept[: len(x) * 4 // 5], kept[len(x) * 4 // 5 :]
    training = {"epochs": options.epochs, "batch_size": 32, "validation_split": 0.15}
    models = {"linear": lambda: make_model(0), "network": lambda: make_model(32)}
    found = compare(
        models, x[train], y[train], metric="r2_score", cv=options.folds, seed=options.seed,
        prepare=standardizer, callbacks=early_stopping, **training,
    )  # fmt: skip
    print(f"{len(train)} patients, progression in standard deviations:\n{found.table()}\n")
    stopped = found.results["network"].epochs
    print(f"early stopping after {int(stopped.min())} to {int(stopped.max())} of {options.epochs} epochs\n")

    netlet.set_random_seed(options.seed)
    model, scale = make_model(32), standardizer(x[train])
    model.fit(scale(x[train]), y[train], callbacks=early_stopping(), verbose=0, **training)
    result = model.evaluate(scale(x[test]), y[test], verbose=0, return_dict=True)
    baseline = float(np.mean((y[test] - y[train].mean()) ** 2))
    error = float(np.mean((model.predict(scale(x[test]), verbose=0)[:, 0] - y[test]) ** 2))
    print(f"{len(test)} patients kept aside: mean squared error {error:.3f}, of the training mean {baseline:.3f}")
    print(f"mean R² of the folds: {found.results['network'].mean('r2_score'):.3f}")
    print(f"test R²: {result['r2_score']:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
