"""``evaluate`` and ``predict``: their results, steps, callbacks, bars."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from netlet import Sequential
from netlet.callbacks import Callback
from netlet.layers import Dense
from netlet.losses import SparseCategoricalCrossentropy
from netlet.metrics import F1Score, Metric, Precision, Recall, SparseCategoricalAccuracy

pytestmark = pytest.mark.usefixtures("numpy_backend")


def test_metrics_of_evaluate_are_the_metrics_by_hand(backend: str, rows: Any, make_classifier: Any) -> None:
    x, y = rows
    metrics: list[Metric] = [
        SparseCategoricalAccuracy(name="accuracy"),
        Precision(0.3, name="precision"),
        Recall(name="recall", class_id=2),
        F1Score(),
        F1Score("macro", name="macro"),
        F1Score("micro", name="micro"),
        F1Score("weighted", name="weighted"),
    ]
    model = make_classifier(metrics=metrics)
    model.fit(x, y, epochs=20, verbose=0)
    values = model.evaluate(x, y, verbose=0)
    assert model.metrics_names == ["loss", *(metric.name for metric in metrics)]
    predictions = model.predict(x)
    by_hand = [SparseCategoricalCrossentropy()(y, predictions), *(metric(y, predictions) for metric in metrics)]
    for got, want in zip(values, by_hand, strict=True):
        np.testing.assert_allclose(got, want, rtol=2e-6)
    named = model.evaluate(x, y, verbose=0, return_dict=True)
    assert list(named) == sorted(model.metrics_names)


@pytest.mark.parametrize(
    ("units", "activation", "loss", "kind"),
    [
        (1, "sigmoid", "binary_crossentropy", "BinaryAccuracy"),
        (1, None, "mse", "BinaryAccuracy"),
        (4, "softmax", "categorical_crossentropy", "CategoricalAccuracy"),
        (4, "sigmoid", "mse", "CategoricalAccuracy"),
        (4, "softmax", "sparse_categorical_crossentropy", "SparseCategoricalAccuracy"),
    ],
)
def test_accuracy_is_the_one_that_fits(rows: Any, units: int, activation: Any, loss: str, kind: str) -> None:
    x, y = rows
    model = Sequential([Dense(units, activation, input_shape=(6,))])
    model.compile("sgd", loss, metrics=["acc"])
    assert [type(metric).__name__ for metric in model.metrics] == [kind]
    labels = {1: (y > 1).astype(float), 4: y if loss.startswith("sparse") else np.eye(4)[y]}[units]
    p = model.predict(x)
    right = (p[:, 0] > 0.5) == labels if units == 1 else p.argmax(axis=1) == y
    assert model.evaluate(x, labels, verbose=0)[1] == pytest.approx(right.mean())
    assert list(model.fit(x, labels, verbose=0).history) == ["acc", "loss"]


def test_a_scalar_without_metrics_and_a_list_with(rows: Any, make_classifier: Any) -> None:
    x, y = rows
    assert type(make_classifier().evaluate(x, y, verbose=0)) is float
    assert len(make_classifier(metrics=["accuracy"]).evaluate(x, y, verbose=0)) == 2


def test_evaluate_changes_nothing(rows: Any, make_classifier: Any, fingerprint: Any) -> None:
    x, y = rows
    model = make_classifier()
    model.predict(x)
    before = fingerprint(model)
    model.evaluate(x, y, verbose=0)
    model.test_on_batch(x, y)
    assert fingerprint(model) == before


def test_steps_limit_the_rows(rows: Any, make_classifier: Any) -> None:
    x, y = rows
    model = make_classifier()
    assert model.evaluate(x, y, batch_size=10, steps=3, verbose=0) == model.evaluate(x[:30], y[:30], verbose=0)
    assert model.predict(x, batch_size=10, steps=3).shape == (30, 4)
    assert model.predict(x, steps=1).shape == (32, 4)


def test_iterables_of_batches(rows: Any, make_classifier: Any) -> None:
    x, y = rows
    model = make_classifier()
    batches = [(x[:20], y[:20]), (x[20:], y[20:])]
    assert model.evaluate(iter(batches), verbose=0) == pytest.approx(model.evaluate(x, y, verbose=0), rel=1e-6)
    assert (model.predict(iter(batches)) == np.concatenate([model.predict(x[:20]), model.predict(x[20:])])).all()
    assert (model.predict(iter([x[:20], x[20:]]), steps=1) == model.predict(x[:20])).all()
    pulled = iter(batches * 10)
    model.evaluate(pulled, steps=3, verbose=0)
    assert len(list(pulled)) == 17  # not one more than asked for
    with pytest.raises(ValueError, match="yielded no batch"):
        model.predict(iter([]))


class Hooks(Callback):
    """Notes hooks of evaluation and prediction."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Any] = []

    def on_test_begin(self, logs: Any = None) -> None:
        self.calls.append("test begin")

    def on_test_end(self, logs: Any = None) -> None:
        self.calls.append(("test end", list(logs)))

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        self.calls.append(("test", batch, list(logs)))

    def on_predict_begin(self, logs: Any = None) -> None:
        self.calls.append("predict begin")

    def on_predict_end(self, logs: Any = None) -> None:
        self.calls.append("predict end")

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        self.calls.append(("predict", batch, logs["outputs"].shape))


def test_callbacks_of_evaluate_and_predict(rows: Any, make_classifier: Any) -> None:
    x, y = rows
    model = make_classifier()
    hooks = Hooks()
    want = model.evaluate(x, y, verbose=0)
    assert model.evaluate(x, y, batch_size=25, callbacks=[hooks], verbose=0) == pytest.approx(want, rel=1e-6)
    assert hooks.calls == ["test begin", ("test", 0, ["loss"]), ("test", 1, ["loss"]), ("test end", ["loss"])]
    hooks.calls.clear()
    outputs = model.predict(x, batch_size=25, callbacks=[hooks])
    assert hooks.calls == ["predict begin", ("predict", 0, (25, 4)), ("predict", 1, (25, 4)), "predict end"]
    np.testing.assert_allclose(outputs, model.predict(x), rtol=1e-6)
    hooks.calls.clear()
    model.fit(x, y, verbose=0, validation_data=(x, y), callbacks=[hooks])
    assert [call[0] if isinstance(call, tuple) else call for call in hooks.calls] == [
        "test begin",
        "test",
        "test",
        "test end",
    ]


def test_bars(rows: Any, make_classifier: Any, capsys: pytest.CaptureFixture[str]) -> None:
    x, y = rows
    model = make_classifier()
    model.evaluate(x, y)
    out = capsys.readouterr().out
    assert "2/2 ━" in out
    assert "loss: " in out
    model.evaluate(x, y, verbose=2, batch_size=10)
    assert capsys.readouterr().out.startswith("5/5 - ")
    model.predict(x)
    assert capsys.readouterr().out == ""
    model.predict(x, verbose=1)
    assert "2/2 ━" in capsys.readouterr().out


def test_large_predictions_go_in_blocks(backend: str) -> None:
    x = np.random.default_rng(0).standard_normal((3000, 6)).astype(np.float32)
    model = Sequential([Dense(4, "relu", input_shape=(6,)), Dense(2)])
    whole = model.predict(x)
    for batch_size in (1, 7, 1000, 5000):
        np.testing.assert_allclose(model.predict(x, batch_size=batch_size), whole, rtol=1e-5, atol=1e-6)
    if backend == "native":
        assert model.predict(x, batch_size=7).tobytes() == whole.tobytes()
        assert model.predict(x[5:6])[0].tobytes() == whole[5].tobytes()


def test_the_short_way_of_predict_agrees_with_the_long_one(backend: str, rows: Any, make_classifier: Any) -> None:
    x, _ = rows
    model = make_classifier()
    model.predict(x)
    assert model._fast is not None
    for part in (x, x[:1], x[3:4]):
        assert model.predict(part).tobytes() == model.predict(part, verbose=2).tobytes()
    for odd in (x[::2], np.asfortranarray(x), x.astype(np.float64), x.tolist()):
        np.testing.assert_allclose(model.predict(odd), model.predict(np.array(odd, np.float32)), rtol=1e-6)
