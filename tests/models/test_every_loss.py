"""A model trains with every loss, and reports what the loss object says of its predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import netlet
from netlet import Sequential, losses
from netlet.layers import Dense, Input

RNG = np.random.default_rng(0)
X = RNG.standard_normal((40, 3)).astype(np.float32)
BITS = RNG.integers(0, 2, (40, 4)).astype(np.float32)
CLASSES = RNG.integers(0, 4, 40)
SETTINGS: dict[str, dict[str, Any]] = {"Circle": {"gamma": 2.0}, "Dice": {"axis": -1}}
CASES = [cls(**SETTINGS.get(cls.__name__, {})) for cls in losses._OBJECTS]
CASES += [
    losses.BinaryCrossentropy(label_smoothing=0.2),
    losses.CategoricalCrossentropy(label_smoothing=0.2),
    losses.SparseCategoricalCrossentropy(ignore_class=2),
    losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255),
    losses.Dice(),
]


@pytest.fixture(autouse=True)
def _numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETLET_BACKEND", "numpy")


def data(loss: Any) -> tuple[np.ndarray, np.ndarray]:
    if loss.op == "ctc":
        y = np.zeros((40, 5), np.int64)
        y[:, :2] = RNG.integers(1, 4, (40, 2))
        return RNG.standard_normal((40, 5, 3)).astype(np.float32), y
    if not loss.integer_labels:
        return X, BITS
    y = CLASSES.copy()
    if loss.attrs().get("ignore_class") == 255:
        y[::3] = 255
    return X, y


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", CASES, ids=lambda loss: f"{loss.name}")
def test_a_model_trains(loss: Any, weighted: bool) -> None:
    x, y = data(loss)
    weight = RNG.uniform(0, 2, 40).astype(np.float32) if weighted else None
    netlet.utils.set_random_seed(1)
    model = netlet.Sequential([Input(x.shape[1:]), Dense(4, activation="sigmoid")])
    model.compile(optimizer=netlet.optimizers.SGD(1e-9 if "percentage" in loss.name else 0.1), loss=loss)
    before = loss(y, model.predict(x, verbose=0), weight)
    first = model.train_on_batch(x, y, sample_weight=weight)
    # float32 sums of up to 160 terms, in another order; gamma = 2 before exponentials
    assert first == pytest.approx(before, rel=2e-5)
    for _ in range(3):
        last = model.train_on_batch(x, y, sample_weight=weight)
    assert last < first
    after = model.evaluate(x, y, sample_weight=weight, batch_size=40, verbose=0)
    assert after == pytest.approx(loss(y, model.predict(x, verbose=0), weight), rel=2e-5)


def test_labels_outside_the_classes_are_refused_unless_ignored() -> None:
    model = netlet.Sequential([Input((3,)), Dense(4)])
    y = CLASSES.copy()
    y[7] = 255
    for ignore in (None, 254):
        model.compile(loss=losses.SparseCategoricalCrossentropy(True, ignore), optimizer="sgd")
        with pytest.raises(ValueError, match=r"y: label 255 at row 7 is not a class number in \[0, 4\)"):
            model.fit(X, y, verbose=0)


def test_ctc_takes_labels_that_are_fewer_than_the_times() -> None:
    """Rows of labels are filled up with 0, the blank; the loss is the one of labels that were filled up before."""
    rng = np.random.default_rng(4)
    x, labels = rng.standard_normal((8, 6, 5)).astype(np.float32), rng.integers(1, 3, (8, 2))
    model = Sequential([Dense(3, input_shape=(6, 5))])
    model.compile("sgd", "ctc")
    assert model.evaluate(x, labels, verbose=0) == model.evaluate(x, np.pad(labels, [(0, 0), (0, 4)]), verbose=0)
    with pytest.raises(ValueError, match=r"y: has shape \(8, 7\), ctc expects \(None, 6\)"):
        model.evaluate(x, np.ones((8, 7), int), verbose=0)
