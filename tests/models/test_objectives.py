"""Losses, reductions and metrics of every kind in training: those of the program, those in Python, several outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netlet import Input, Model, Sequential, load_model, losses, metrics, set_random_seed
from netlet.layers import Dense
from netlet.optimizers import SGD


def rows(n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    x = rng.standard_normal((n, 4)).astype(np.float32)
    return x, (x[:, :2] * 0.5 + 0.1).astype(np.float32)


def small(loss: Any, **settings: Any) -> Sequential:
    set_random_seed(2)
    model = Sequential([Input((4,)), Dense(5, "tanh"), Dense(2)])
    model.compile(optimizer=SGD(0.1), loss=loss, **settings)
    return model


def trained(loss: Any, weight: np.ndarray | None = None, **settings: Any) -> tuple[list[np.ndarray], dict[str, Any]]:
    x, y = rows()
    model = small(loss, **settings)
    history = model.fit(x, y, batch_size=20, epochs=2, shuffle=False, sample_weight=weight, verbose=0).history
    return model.get_weights(), history


class Squares(losses.Loss):
    """Mean squared error, written by hand."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return ((y_pred - y_true) ** 2).mean(axis=-1)

    def gradient(self, y_true: Any, y_pred: Any) -> Any:
        return 2 * (y_pred - y_true) / y_pred.shape[-1]


def test_a_custom_loss_trains_as_the_one_that_it_repeats(backend: str) -> None:
    (own, told), (known, expected) = trained(Squares()), trained("mse")
    for a, b in zip(own, known, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(told["loss"], expected["loss"], rtol=1e-5)


def test_a_loss_that_the_engine_has_no_kernel_for_trains(backend: str) -> None:
    weights, history = trained(losses.Huber(delta=0.3))
    assert history["loss"][1] < history["loss"][0]
    x, y = rows()
    model = small(losses.Huber(delta=0.3))
    model.set_weights(weights)
    expected = losses.Huber(delta=0.3)(y, model.predict(x))
    assert model.evaluate(x, y, verbose=0) == pytest.approx(expected, rel=1e-5)


def test_the_sum_is_the_mean_with_a_larger_rate(backend: str) -> None:
    x, y = rows()
    models = small(losses.MeanSquaredError(reduction="sum")), small("mse")
    models[0].optimizer.learning_rate = 0.1 / 20  # type: ignore[union-attr]  20 rows, one loss each
    found = [m.fit(x, y, batch_size=20, shuffle=False, verbose=0).history["loss"][0] for m in models]
    for a, b in zip(models[0].get_weights(), models[1].get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
    assert found[0] == pytest.approx(20 * found[1], rel=1e-4)


def test_the_mean_with_sample_weight_is_over_the_weights(backend: str) -> None:
    x, y = rows()
    weight = np.linspace(0, 3, len(x)).astype(np.float32)
    model = small(losses.MeanSquaredError(reduction="mean_with_sample_weight"))
    loss = model.test_on_batch(x, y, sample_weight=weight)
    errors = ((model.predict(x) - y) ** 2).mean(axis=1)
    assert loss == pytest.approx(float((errors * weight).sum() / weight.sum()), rel=1e-5)


def test_what_cannot_be_trained_for_is_refused() -> None:
    with pytest.raises(ValueError, match="reduction='none'"):
        small(losses.MeanSquaredError(reduction="none"))
    with pytest.raises(ValueError, match="gradient"):
        small(lambda y_true, y_pred: abs(y_true - y_pred))


def test_metrics_in_python_are_shown_every_batch(backend: str) -> None:
    watched = ["mae", metrics.RootMeanSquaredError(), metrics.R2Score(), largest_error]
    _, history = trained("mse", metrics=watched)
    assert sorted(history) == ["largest_error", "loss", "mae", "r2_score", "root_mean_squared_error"]
    assert history["root_mean_squared_error"][1] == pytest.approx(history["loss"][1] ** 0.5, rel=1e-4)


def largest_error(y_true: Any, y_pred: Any) -> Any:
    return np.abs(y_true - y_pred).max(axis=-1)


def test_evaluation_does_not_remember_training(backend: str) -> None:
    x, y = rows()
    model = small("mse", metrics=[metrics.RootMeanSquaredError()])
    model.fit(x, y, validation_data=(x, y), verbose=0)
    loss, rmse = model.evaluate(x, y, verbose=0)
    assert rmse == pytest.approx(loss**0.5, rel=1e-5)
    assert model.history is not None
    assert model.history.history["val_root_mean_squared_error"][0] == pytest.approx(rmse, rel=1e-5)


def test_weights_enter_the_weighted_metrics_alone(backend: str) -> None:
    x, y = rows()
    weight = np.arange(len(x)).astype(np.float32)
    model = small("mse", metrics=["mae"], weighted_metrics=[metrics.MeanAbsoluteError(name="weighted")])
    named = model.evaluate(x, y, sample_weight=weight, verbose=0, return_dict=True)
    errors = np.abs(model.predict(x) - y).mean(axis=1)
    assert named["mae"] == pytest.approx(float(errors.mean()), rel=1e-5)
    assert named["weighted"] == pytest.approx(float((errors * weight).sum() / weight.sum()), rel=1e-5)


def two_outputs(**settings: Any) -> Model:
    set_random_seed(2)
    x = Input((4,), name="x")
    h = Dense(6, "tanh")(x)
    model = Model(x, {"size": Dense(2, name="a")(h), "kind": Dense(3, "softmax", name="b")(h)})
    settings = {"loss": {"size": "mse", "kind": "sparse_categorical_crossentropy"}, **settings}
    model.compile(optimizer=SGD(0.1), **settings)
    return model


def test_several_outputs_add_their_weighted_losses(backend: str, tmp_path: Path) -> None:
    x, y = rows()
    kind = (x[:, 0] > 0).astype(np.int64)
    model = two_outputs(loss_weights={"kind": 0.5}, metrics={"kind": ["accuracy"], "size": ["mae"]})
    labels = {"size": y, "kind": kind}
    history = model.fit(x, labels, batch_size=20, epochs=30, verbose=0).history
    assert sorted(history) == ["kind_accuracy", "kind_loss", "loss", "size_loss", "size_mae"]
    for total, size, other in zip(history["loss"], history["size_loss"], history["kind_loss"], strict=True):
        assert total == pytest.approx(size + 0.5 * other, rel=1e-5)
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    values = model.evaluate(x, labels, verbose=0)
    assert len(values) == len(model.metrics_names) == 5
    predicted = model.predict(x)
    assert values[1] == pytest.approx(float(((predicted["size"] - y) ** 2).mean()), rel=1e-5)
    path = tmp_path / "model.safetensors"
    model.save(path)
    again = load_model(path)
    assert again.evaluate(x, labels, verbose=0) == pytest.approx(values, rel=1e-6)


def test_an_output_without_a_loss_is_not_trained(backend: str) -> None:
    x, y = rows()
    model = two_outputs(loss={"size": "mse"})
    before = model.get_layer("b").get_weights()
    model.fit(x, {"size": y}, verbose=0)
    for a, b in zip(before, model.get_layer("b").get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="y: expected labels for 'size', 'size' has none"):
        model.fit(x, {"kind": y}, verbose=0)


def test_settings_for_outputs_that_are_not_there_are_refused() -> None:
    with pytest.raises(ValueError, match="names 'weight'"):
        two_outputs(loss={"weight": "mse"})
    with pytest.raises(ValueError, match="loss has 3 elements, expected 2"):
        two_outputs(loss=["mse", "mse", "mse"])
    with pytest.raises(ValueError, match="loss has 2 elements, expected 1"):
        small(["mse", "mse"])
