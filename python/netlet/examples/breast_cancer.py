"""Medical diagnosis: is a breast tumour malignant, and how far can the probabilities be trusted?

``python -m netlet.examples.breast_cancer``. A small network looks at 30 measurements of cell nuclei from 569 biopsies
(Wolberg et al. 1995, scikit-learn's copy of the UCI set). Every probability that is judged comes from a network that
has not seen the patient: five are trained, each on four fifths. Prints the area under the ROC curve, the calibration
error and, for the threshold that finds nearly all malignant tumours, what that costs in false alarms; draws ROC curve,
calibration and confusion matrix.

The area is 0.992 with the default seed.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence as Arguments
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.examples._support import choose_backend, parser, require

Array = NDArray[Any]
FOLDS = 5
SENSITIVITY = 0.98  # the share of malignant tumours that must be found
NAMES = ("benign", "malignant")


def load_data() -> tuple[Array, Array]:
    """Measurements ``[569, 30]`` and labels ``[569]``, 1 for malignant."""
    from sklearn.datasets import load_breast_cancer

    x, benign = load_breast_cancer(return_X_y=True)
    return x.astype(np.float32), 1 - benign


def make_model() -> Any:
    """A network with one hidden layer whose output is the probability that a tumour is malignant; compiled."""
    from netlet.layers import Dense, Dropout, Input
    from netlet.models import Sequential
    from netlet.optimizers import Adam
    from netlet.regularizers import L2

    model = Sequential(
        [
            Input((30,)),
            Dense(16, activation="relu", kernel_regularizer=L2(1e-3)),
            Dropout(0.3),
            Dense(1, activation="sigmoid"),
        ],
        name="breast_cancer",
    )
    model.compile(optimizer=Adam(0.005), loss="binary_crossentropy", metrics=["accuracy", "auc"])
    return model


def predict_unseen(x: Array, y: Array, epochs: int, seed: int) -> Array:
    """The probability ``[N]`` of each patient, by a network that was trained without him or her."""
    import netlet
    from netlet.model_selection import make_folds

    probability = np.empty(len(x), np.float32)
    for i, fold in enumerate(make_folds(FOLDS, x, y, seed=seed)):
        netlet.set_random_seed(seed + i)
        mean, deviation = x[fold.train].mean(axis=0), x[fold.train].std(axis=0)
        model = make_model()
        model.fit((x[fold.train] - mean) / deviation, y[fold.train], epochs=epochs, verbose=0)
        probability[fold.test] = model.predict((x[fold.test] - mean) / deviation, verbose=0)[:, 0]
    return probability


def write_pictures(y: Array, probability: Array, matrix: Array, output: Path) -> list[Path]:
    """Writes ROC curve, calibration and confusion matrix as PNG into ``output`` and returns their paths."""
    import matplotlib

    matplotlib.use("Agg")  # files only, no window
    from matplotlib import pyplot

    from netlet.plotting import plot_calibration, plot_confusion_matrix, plot_roc_curve

    paths = []
    for name, ax in (
        ("roc", plot_roc_curve(y, probability, ["network"])),
        ("calibration", plot_calibration(y, probability, label="network")),
        ("confusion_matrix", plot_confusion_matrix(matrix, NAMES)),
    ):
        figure: Any = ax.figure
        paths.append(output / f"{name}.png")
        figure.savefig(paths[-1], dpi=150)
        pyplot.close(figure)
    return paths


def main(arguments: Arguments[str] | None = None) -> int:
    """Runs the example; returns 0."""
    made = parser("breast_cancer", epochs=60)
    made.add_argument(
        "--output", type=Path, default=Path("netlet_breast_cancer"), metavar="DIR", help="for the pictures"
    )
    options = made.parse_args(arguments)
    require("sklearn", "matplotlib")
    choose_backend(options.backend)
    from netlet.examples._report import matrix_table, score_table, scores
    from netlet.plotting import confusion_matrix, expected_calibration_error, roc_auc, roc_curve

    x, y = load_data()
    make_model().summary()
    probability = predict_unseen(x, y, options.epochs, options.seed)
    fpr, tpr, thresholds = roc_curve(y, probability)
    at = int(np.argmax(tpr >= SENSITIVITY))  # the highest threshold that is sensitive enough
    matrix = confusion_matrix(y, probability >= thresholds[at], 2)
    print(f"\n{len(x)} patients, {int(y.sum())} of them with a malignant tumour.")
    print(f"At probability {thresholds[at]:.3f}, {tpr[at]:.1%} of these are found, {fpr[at]:.1%} of others alarmed:")
    print(f"\n{score_table(scores(matrix), NAMES)}\n\n{matrix_table(matrix, NAMES)}\n")
    options.output.mkdir(parents=True, exist_ok=True)
    print(f"wrote {', '.join(map(str, write_pictures(y, probability, matrix, options.output)))}")
    print(f"calibration error: {expected_calibration_error(y, probability):.4f}")
    print(f"area under the ROC curve: {roc_auc(y, probability):.4f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
