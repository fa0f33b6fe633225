"""Transfer learning: layers that learned one task are put to use for another, of which few examples are labelled.

``python -m netlet.examples.transfer``. Data are scikit-learn's copy of the UCI digits. In each of two transfers a
network learns a first task from hundreds of images. Its hidden layers then go into a second model with a new output:
first they are frozen (``trainable = False``) while that output learns from a few images of each class; then all is
fine-tuned at a low learning rate. The same model from scratch, trained on the same few images for as long, is what to
compare with.

- *a worse camera*: clean images of all digits, then noisy ones. The second task needs what the first one taught.
- *other digits*: 0 to 4, then 5 to 9. What tells five digits apart is not what tells others apart: layers that
  learned it have unlearned the rest.

All is repeated with several seeds: other images, other weights. Printed are means and standard deviations, also of the
gain with the same images; whether the transfer helped follows from these.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from collections.abc import Sequence as Arguments
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from netlet.examples._support import choose_backend, parser, positive, require

Array = NDArray[Any]
NOISE = 0.5  # standard deviation, of images in -1..1


class Task(NamedTuple):
    """Images ``[N, 64]`` and labels ``[N]`` from 0: "first", "few" labelled ones of the second task, and its "test"."""

    classes: tuple[int, int]
    first: tuple[Array, Array]
    few: tuple[Array, Array]
    test: tuple[Array, Array]


def _digits(seed: int) -> tuple[Array, Array]:
    """All images in -1..1 and their digits, in an order that the seed decides."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(images))
    return (images[order] / 8.0 - 1.0).astype(np.float32), labels[order]


def _split(images: Array, labels: Array, shots: int) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """The first ``shots`` images of each class, and the rest; ValueError if there is no rest."""
    few = np.concatenate([np.flatnonzero(labels == each)[:shots] for each in np.unique(labels)])
    rest = np.setdiff1d(np.arange(len(labels)), few)
    if len(few) < shots * len(np.unique(labels)) or len(rest) == 0:
        raise ValueError(f"shots: there are no {shots} images of each digit and some more for the test")
    return (images[few], labels[few]), (images[rest], labels[rest])


def worse_camera(shots: int, seed: int) -> Task:
    """Clean images of one half of the data, then noisy ones of the other half."""
    images, labels = _digits(seed)
    half = len(images) // 2
    noise = np.random.default_rng(seed + 1).normal(0, NOISE, images[half:].shape)
    few, test = _split((images[half:] + noise).astype(np.float32), labels[half:], shots)
    return Task((10, 10), (images[:half], labels[:half]), few, test)


def other_digits(shots: int, seed: int) -> Task:
    """The digits 0 to 4, then 5 to 9."""
    images, labels = _digits(seed)
    old = labels < 5
    few, test = _split(images[~old], labels[~old] - 5, shots)
    return Task((5, 5), (images[old], labels[old]), few, test)


TASKS: dict[str, Callable[[int, int], Task]] = {"a worse camera": worse_camera, "other digits": other_digits}


def hidden_layers() -> list[Any]:
    """What is handed on: two layers of features."""
    from netlet.layers import Dense

    return [Dense(128, activation="relu", name="strokes"), Dense(64, activation="relu", name="shapes")]


def make_model(hidden: list[Any], classes: int, name: str) -> Any:
    """A classifier on top of ``hidden`` layers."""
    from netlet.layers import Dense, Input
    from netlet.models import Sequential

    return Sequential([Input((64,)), *hidden, Dense(classes, activation="softmax", name=f"{name}_output")], name=name)


def train(model: Any, data: tuple[Array, Array], rate: float, epochs: int) -> None:
    """Trains with Adam; compiling anew makes what is frozen, or no longer, count."""
    from netlet.optimizers import Adam

    model.compile(optimizer=Adam(rate), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(*data, epochs=epochs, batch_size=16, verbose=0)


def accuracy(model: Any, data: tuple[Array, Array]) -> float:
    """The share of images that are told right."""
    return float(model.evaluate(*data, verbose=0)[1])


def transfer(hidden: list[Any], task: Task, epochs: int, *, show: bool = False) -> tuple[float, float]:
    """Accuracy on the second task: with the hidden layers frozen, and after fine-tuning.

    Raises: AssertionError if training changes a frozen weight.
    """
    model = make_model(hidden, task.classes[1], "second")
    for layer in hidden:
        layer.trainable = False
    before = [weight for layer in hidden for weight in map(np.copy, layer.get_weights())]
    train(model, task.few, 0.003, epochs)
    if show:
        model.summary()
    after = [weight for layer in hidden for weight in layer.get_weights()]
    if not all(np.array_equal(a, b) for a, b in zip(before, after, strict=True)):
        raise AssertionError("a frozen weight has changed")
    frozen = accuracy(model, task.test)
    for layer in hidden:
        layer.trainable = True
    train(model, task.few, 0.0005, epochs)
    return frozen, accuracy(model, task.test)


def once(task: Task, epochs: int, *, show: bool = False) -> tuple[float, float, float]:
    """Accuracy on the second task: from scratch, with frozen features, fine-tuned."""
    hidden = hidden_layers()
    train(make_model(hidden, task.classes[0], "first"), task.first, 0.001, 15)
    frozen, tuned = transfer(hidden, task, epochs, show=show)
    fresh = make_model(hidden_layers(), task.classes[1], "from_scratch")
    train(fresh, task.few, 0.001, 2 * epochs)
    return accuracy(fresh, task.test), frozen, tuned


def report(name: str, results: Array) -> str:
    """What is printed of a transfer; ``results`` ``[seeds, 3]`` are those of `once`."""

    def share(values: Array) -> str:
        return f"{values.mean():7.2%} ± {values.std(ddof=1):.2%}"

    gain = results[:, 2] - results[:, 0]
    noise = 2 * gain.std(ddof=1) / len(gain) ** 0.5  # two standard errors of the mean
    helped = "the transfer helped" if gain.mean() > noise else "no gain" if gain.mean() > -noise else "it did harm"
    lines = [f"{name}:"]
    for what, values in zip(("from scratch", "frozen, new output", "fine-tuned"), results.T, strict=True):
        lines.append(f"  {what:<20}{share(values)}")
    return "\n".join([*lines, f"  {'gain of fine-tuning':<20}{share(gain)}: {helped}"])


def main(arguments: Arguments[str] | None = None) -> int:
    """Runs the example; returns 0."""
    made = parser("transfer", epochs=40)
    made.add_argument("--shots", type=positive, default=5, metavar="N", help="labelled images of each class")
    made.add_argument("--seeds", type=positive, default=5, metavar="N", help="how often all is repeated; 2 or more")
    options = made.parse_args(arguments)
    if options.seeds < 2:
        made.error("--seeds must be 2 or more, for there is no spread of one")
    require("sklearn")
    choose_backend(options.backend)
    import netlet

    for place, (name, make) in enumerate(TASKS.items()):
        results = []
        for seed in range(options.seed, options.seed + options.seeds):
            netlet.set_random_seed(seed)
            task = make(options.shots, seed)
            results.append(once(task, options.epochs, show=place == 0 and seed == options.seed))
        print(f"\n{options.shots} labelled images a class, {len(task.test[0])} for the test, {options.seeds} seeds")
        print(report(name, np.array(results)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
