"""Penalties on outputs and masks in a model's life: weights, splits, files, pickles, what they refuse."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netlet import Input, Model, Sequential, layers, load_model, losses, regularizers, set_random_seed
from netlet.layers import ActivityRegularization, Dense, Embedding, Flatten, Layer, Masking

RNG = np.random.default_rng(4)
X = RNG.standard_normal((24, 3, 2)).astype(np.float32)
X[::2, 1] = 0
STEPS = RNG.standard_normal((24, 3, 1)).astype(np.float32)


def masked(**settings: Any) -> Sequential:
    set_random_seed(1)
    model = Sequential([Input((3, 2)), Masking(), Dense(4, "tanh", activity_regularizer="l2"), Dense(1)])
    model.compile(**{"optimizer": "adam", "loss": "mse", "metrics": ["mae"], **settings})
    return model


def test_a_plain_model_pays_nothing() -> None:
    model = Sequential([Input((3,)), Dense(2, "softmax")])
    model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(X[:, :, 0], STEPS[:, 0, 0] > 0, verbose=0)
    assert model._engine is not None
    assert model._engine.composite is None
    loss = model._engine.program.loss
    assert loss is not None
    assert loss.op == "sparse_categorical_crossentropy"


def test_the_penalty_is_divided_by_the_rows(backend: str) -> None:
    x = X.reshape(24, 6)
    model = Sequential([Input((6,)), ActivityRegularization(l1=0.5, l2=0.25)])
    model.compile(loss="mse")
    want = (0.5 * np.abs(x).sum() + 0.25 * np.square(x).sum()) / 24
    # 144 terms of float32, and a handful of roundings
    assert model.evaluate(x, x, verbose=0) == pytest.approx(float(want), rel=1e-6)
    assert model.evaluate(x, x, batch_size=5, verbose=0) == pytest.approx(float(want), rel=1e-6)


def test_sample_weights_do_not_weigh_the_penalty(backend: str) -> None:
    x = X.reshape(24, 6)
    model = Sequential([Input((6,)), ActivityRegularization(l2=0.25)])
    model.compile(loss="mse")
    want = 0.25 * np.square(x).sum() / 24
    nothing = model.evaluate(x, x + 1, sample_weight=np.zeros(24), verbose=0)
    assert nothing == pytest.approx(float(want), rel=1e-6)


def test_weights_of_classes_do_not_reach_the_validation(backend: str) -> None:
    y = (STEPS[:, 0, 0] > 0).astype(int)
    model = Sequential([Flatten(), Dense(2, "softmax", activity_regularizer="l1")])  # built by the data
    model.compile("sgd", "sparse_categorical_crossentropy")
    history = model.fit(X, y, validation_split=0.25, class_weight={0: 3.0, 1: 0.5}, verbose=0).history
    assert history["val_loss"][-1] == pytest.approx(model.evaluate(X[18:], y[18:], verbose=0), rel=1e-6)


def test_steps_that_a_mask_leaves_out_change_nothing(backend: str) -> None:
    changed = STEPS.copy()
    changed[::2, 1] += 100
    trained = []
    for y in (STEPS, changed):
        model = masked(weighted_metrics=["mse"])
        history = model.fit(X, y, epochs=2, verbose=0, sample_weight=np.arange(24.0)).history
        trained.append((history, [w.tolist() for w in model.get_weights()], model.evaluate(X, y, verbose=0)))
    assert trained[0] == trained[1]


def test_rows_weigh_all_their_steps(backend: str) -> None:
    weights = np.arange(24) % 3
    model = masked(loss="mae", metrics=None)
    model.layers[1].activity_regularizer = None
    off = np.abs(model.predict(X) - STEPS)[..., 0]
    there = np.any(X != 0, axis=-1)
    want = (off * there * weights[:, None]).sum() / there.sum()
    assert model.evaluate(X, STEPS, sample_weight=weights, batch_size=24, verbose=0) == pytest.approx(want, rel=1e-5)


@pytest.mark.parametrize("suffix", ["safetensors", "keras"])
def test_files_keep_masks_and_penalties(tmp_path: Path, suffix: str) -> None:
    if suffix == "keras":
        pytest.importorskip("h5py", reason="Keras' format needs h5py")
    model = masked()
    model.fit(X, STEPS, verbose=0)
    path = tmp_path / f"model.{suffix}"
    model.save(path)
    again = load_model(path)
    assert again.layers[1].activity_regularizer.get_config() == regularizers.L2().get_config()
    assert again.evaluate(X, STEPS, verbose=0) == model.evaluate(X, STEPS, verbose=0)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_pickles_train_on(backend: str) -> None:
    model = masked()
    model.fit(X, STEPS, verbose=0)
    again = pickle.loads(pickle.dumps(model))
    for each in (model, again):
        each.fit(X, STEPS, verbose=0)
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_batches_of_a_generator_are_joined(backend: str) -> None:
    whole, pieces = masked(), masked()
    whole.fit(X, STEPS, batch_size=8, shuffle=False, verbose=0)
    pieces.fit(((X[i : i + 8], STEPS[i : i + 8]) for i in range(0, 24, 8)), verbose=0)
    for one, other in zip(whole.get_weights(), pieces.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("loss", [losses.CategoricalCrossentropy(axis=1), losses.Dice(axis=(1, 2))])
def test_a_loss_without_a_value_for_each_step_refuses_a_mask(loss: Any) -> None:
    model = Sequential([Input((3, 2)), Masking(), Dense(3)])
    model.compile(loss=loss)
    with pytest.raises(ValueError, match="does not have one value for each position"):
        model.fit(X, np.ones((24, 3, 3)), verbose=0)


def test_a_loss_of_ones_own_is_masked(backend: str) -> None:
    def off(y: Any, x: Any) -> Any:
        return np.mean(np.abs(x - y), axis=-1)

    off.gradient = lambda y, x: np.sign(x - y) / x.shape[-1]  # type: ignore[attr-defined]
    found = []
    for loss in (off, "mae"):
        model = masked(loss=loss, metrics=None)
        model.fit(X, STEPS, epochs=2, verbose=0)
        found.append(model.get_weights())
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)  # 6 steps in float32, summed in another order


class Doubled(Layer):
    """A layer of one's own that passes masks on."""

    supports_masking = True

    def lower(self, builder: Any, x: Any) -> Any:
        return builder.op("add", [x, x])


def test_a_layer_of_ones_own_may_have_both(backend: str) -> None:
    model = Sequential([Input((3, 2)), Masking(), Doubled(activity_regularizer="l2")])
    model.compile(loss="mse")
    y = X + 1
    there = np.any(X != 0, axis=-1)
    want = np.square(X - 1)[there].mean() + 0.01 * np.square(2 * X).sum() / 24
    assert model.evaluate(X, y, batch_size=24, verbose=0) == pytest.approx(float(want), rel=1e-5)


def test_every_layer_takes_a_penalty() -> None:
    made = [
        *(layers.Dense(2), layers.Flatten(), layers.Reshape((2,)), layers.Dropout(0.1), layers.GaussianNoise(0.1)),
        *(layers.Add(), layers.Concatenate(), layers.Dot(1), layers.Softmax(), layers.ReLU(), layers.PReLU()),
        *(layers.BatchNormalization(), layers.UnitNormalization(), layers.Rescaling(2.0), layers.Embedding(3, 2)),
    ]
    for layer in made:
        config = {**layer.get_config(), "activity_regularizer": "l1"}
        again = type(layer).from_config(type(layer)(**config).get_config())
        assert isinstance(again.activity_regularizer, regularizers.L1)
        assert layer.get_config().get("activity_regularizer") is None


def test_a_penalty_needs_a_gradient() -> None:
    with pytest.raises(ValueError, match="has no gradient"):
        Dense(2, activity_regularizer=lambda x: np.sum(x))
    with pytest.raises(ValueError, match="activity_regularizer: unknown regularizer 'l3'"):
        Embedding(3, 2, activity_regularizer="l3")


def test_a_value_that_several_readers_have_gets_all_their_gradients(backend: str) -> None:
    """Penalties on two values that one op joins, both read elsewhere too."""
    set_random_seed(2)
    x = Input((6,), dtype="float64")
    a = Dense(3, activity_regularizer=regularizers.L2(0.3), name="a")(x)
    b = Dense(3, activity_regularizer=regularizers.L2(0.7), name="b")(a)
    model = Model(x, layers.Multiply()([a, b]))
    model.compile("sgd", "mse")
    rows = X.reshape(24, 6).astype(np.float64)
    before = [w.copy() for w in model.get_weights()]

    def value(weights: list[np.ndarray]) -> float:
        p = rows @ weights[0] + weights[1]
        q = p @ weights[2] + weights[3]
        return float(np.square(p * q - 1).mean() + (0.3 * np.square(p).sum() + 0.7 * np.square(q).sum()) / 24)

    model.train_on_batch(rows, np.ones((24, 3)))
    for place, (old, new) in enumerate(zip(before, model.get_weights(), strict=True)):
        for at in np.ndindex(old.shape):
            moved = []
            for step in (1e-5, -1e-5):
                weights = [w.copy() for w in before]
                weights[place][at] += step
                moved.append(value(weights))
            numeric = (moved[0] - moved[1]) / 2e-5
            # central differences: their error is the step squared, and eps times the value over the step
            assert (old - new)[at] / 0.01 == pytest.approx(numeric, rel=1e-6, abs=1e-7)


def test_predictions_take_no_detour_by_the_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is there for the loss alone is not computed for a prediction, and a predictor stays the native one."""
    from netlet.backends import available_backends

    if "native" not in available_backends():
        pytest.skip("the native backend is not available")
    from netlet import _predictor
    from netlet.backends.host import Host

    monkeypatch.setenv("NETLET_BACKEND", "native")
    x = X.reshape(24, 6)
    model = Sequential([Input((6,)), Dense(5, "relu", activity_regularizer="l2", kernel_regularizer="l1"), Dense(2)])
    model.compile("sgd", "mse")
    model.fit(x, x[:, :2], verbose=0)

    def called(*arguments: Any) -> None:
        raise AssertionError("a prediction called the host")

    monkeypatch.setattr(Host, "forward", called)
    predict = model.predictor()
    assert isinstance(predict, _predictor.Predictor)
    np.testing.assert_array_equal(predict(x), model.predict(x))
