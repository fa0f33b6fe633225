"""Transfer learning: layers that learned the digits 0 to 4 are put to use for 5 to 9.

``python -m netlet.examples.transfer``. A network learns the digits 0 to 4 (scikit-learn's copy of the UCI digits). Its
hidden layers then go into a second model with a new output: first they are frozen (``trainable = False``) while that
output, 325 weights out of 16,901, learns 5 to 9 from some images of each; then all is fine-tuned at a low learning
rate. The same model from scratch, trained on the same images for as long, is what to compare with.

The frozen features tell about 93 % of the new digits right, fine-tuning brings that to where the model from scratch is.
It gets no further: images of 8 × 8 pixels are easy, and what a network learns of five of them is not what others need.
Where the first data are many and diverse and the second few, transfer wins; that comparison is worth the line it takes.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence as Arguments
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.examples._support import choose_backend, parser, positive, require

Array = NDArray[Any]
FIVE = 5  # classes before and after


def load_data(shots: int, seed: int) -> dict[str, tuple[Array, Array]]:
    """Images ``[N, 64]`` in -1..1 and labels ``[N]`` in 0..4: "old" of digits 0 to 4; "new", ``shots`` of each of 5 to
    9, and "test", the rest of these.

    Raises: ValueError if there are not so many of each.
    """
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    images = (images / 8.0 - 1.0).astype(np.float32)
    order = np.random.default_rng(seed).permutation(len(images))
    images, labels = images[order], labels[order]
    few = np.concatenate([np.flatnonzero(labels == digit)[:shots] for digit in range(FIVE, 10)])
    rest = np.setdiff1d(np.flatnonzero(labels >= FIVE), few)
    if len(few) < shots * FIVE or len(rest) == 0:
        raise ValueError(f"shots: there are no {shots} images of each digit and some more for the test")
    old = labels < FIVE
    return {
        "old": (images[old], labels[old]),
        "new": (images[few], labels[few] - FIVE),
        "test": (images[rest], labels[rest] - FIVE),
    }


def hidden_layers() -> list[Any]:
    """What is handed on: two layers of features."""
    from netlet.layers import Dense

    return [Dense(128, activation="relu", name="strokes"), Dense(64, activation="relu", name="shapes")]


def make_model(hidden: list[Any], name: str) -> Any:
    """A classifier of five digits on top of ``hidden`` layers."""
    from netlet.layers import Dense, Input
    from netlet.models import Sequential

    return Sequential([Input((64,)), *hidden, Dense(FIVE, activation="softmax", name=f"{name}_output")], name=name)


def train(model: Any, data: tuple[Array, Array], rate: float, epochs: int) -> None:
    """Trains with Adam; compiling anew makes what is frozen, or no longer, count."""
    from netlet.optimizers import Adam

    model.compile(optimizer=Adam(rate), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(*data, epochs=epochs, batch_size=16, verbose=0)


def accuracy(model: Any, data: tuple[Array, Array]) -> float:
    """The share of images that are told right."""
    return float(model.evaluate(*data, verbose=0)[1])


def transfer(hidden: list[Any], data: dict[str, tuple[Array, Array]], epochs: int) -> tuple[float, float]:
    """Accuracy on the new digits: with the hidden layers frozen, and after fine-tuning.

    Raises: AssertionError if training changes a frozen weight.
    """
    model = make_model(hidden, "new_digits")
    for layer in hidden:
        layer.trainable = False
    before = [weight for layer in hidden for weight in map(np.copy, layer.get_weights())]
    train(model, data["new"], 0.003, epochs)
    model.summary()
    after = [weight for layer in hidden for weight in layer.get_weights()]
    if not all(np.array_equal(a, b) for a, b in zip(before, after, strict=True)):
        raise AssertionError("a frozen weight has changed")
    frozen = accuracy(model, data["test"])
    for layer in hidden:
        layer.trainable = True
    train(model, data["new"], 0.0005, epochs)
    return frozen, accuracy(model, data["test"])


def main(arguments: Arguments[str] | None = None) -> int:
    """Runs the example; returns 0."""
    made = parser("transfer", epochs=40)
    made.add_argument("--shots", type=positive, default=60, metavar="N", help="images of each new digit")
    options = made.parse_args(arguments)
    require("sklearn")
    choose_backend(options.backend)
    import netlet

    netlet.set_random_seed(options.seed)
    data = load_data(options.shots, options.seed)
    hidden = hidden_layers()
    first = make_model(hidden, "old_digits")
    train(first, data["old"], 0.001, 15)
    print(f"digits 0 to 4, {len(data['old'][0])} images: {accuracy(first, data['old']):.2%} right in training\n")
    frozen, tuned = transfer(hidden, data, options.epochs)
    fresh = make_model(hidden_layers(), "from_scratch")
    train(fresh, data["new"], 0.001, 2 * options.epochs)
    print(f"\ndigits 5 to 9, {options.shots} images of each, {len(data['test'][0])} for the test:")
    print(f"from scratch: {accuracy(fresh, data['test']):.2%}")
    print(f"frozen features, new output: {frozen:.2%}")
    print(f"fine-tuned: {tuned:.2%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
