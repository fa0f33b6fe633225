"""What names in ``compile`` become: "crossentropy", "accuracy", metrics called alike, losses of some outputs only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netlet import Input, Model, Sequential, load_model
from netlet.backends import available_backends
from netlet.errors import NotCompiledError
from netlet.layers import Dense
from netlet.losses import Loss

RNG = np.random.default_rng(2)
X = RNG.standard_normal((24, 4)).astype(np.float32)
CLASSES = RNG.integers(0, 3, 24)
ONE_HOT = np.eye(3, dtype=np.float32)[CLASSES]
BINARY = (CLASSES > 0).astype(np.float32)
WEIGHT = RNG.uniform(0.2, 2, 24).astype(np.float32)
LABELS = {
    "sparse_categorical_crossentropy": (3, CLASSES),
    "categorical_crossentropy": (3, ONE_HOT),
    "binary_crossentropy": (1, BINARY),
}
each_backend = pytest.mark.parametrize("backend", available_backends())


@pytest.fixture(autouse=True)
def on_backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    names = getattr(request.node, "callspec", None)
    monkeypatch.setenv("NETLET_BACKEND", names.params.get("backend", "numpy") if names else "numpy")


def single(width: int = 3) -> Sequential:
    model = Sequential([Dense(width, "softmax" if width > 1 else "sigmoid", input_shape=(4,))])
    rng = np.random.default_rng(1)
    model.set_weights([rng.standard_normal((4, width)), rng.standard_normal(width)])
    return model


def double() -> Model:
    x = Input((4,))
    model = Model(x, [Dense(3, "softmax", name="a")(x), Dense(1, "sigmoid", name="b")(x)])
    rng = np.random.default_rng(1)
    model.set_weights([rng.standard_normal(w.shape) for w in model.get_weights()])
    return model


# Cross-entropy


@each_backend
@pytest.mark.parametrize("name", ["crossentropy", "CE"])
@pytest.mark.parametrize("meant", sorted(LABELS))
def test_crossentropy_is_the_one_that_fits(meant: str, name: str, backend: str) -> None:
    width, labels = LABELS[meant]
    found = []
    for loss in (name, meant):
        model = single(width)
        model.compile("adam", loss, metrics=["accuracy"])
        found.append((model.fit(X, labels, verbose=0, shuffle=False).history, model.get_weights()))
    assert found[0][0] == found[1][0]
    for ours, others in zip(found[0][1], found[1][1], strict=True):
        np.testing.assert_array_equal(ours, others)


def test_class_numbers_in_a_column_are_class_numbers() -> None:
    model = single()
    model.compile("sgd", "ce")
    loss = model.evaluate(X, CLASSES[:, None], verbose=0)
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert loss == model.evaluate(X, CLASSES, verbose=0)


def test_each_output_has_its_own_crossentropy() -> None:
    model = double()
    model.compile("sgd", "crossentropy", metrics=[["accuracy"], ["accuracy"]])
    assert model.metrics_names == ["loss", "a_loss", "b_loss", "a_accuracy", "b_accuracy"]
    got = model.evaluate(X, [CLASSES, BINARY], verbose=0)
    model.compile(
        "sgd", ["sparse_categorical_crossentropy", "binary_crossentropy"], metrics=[["accuracy"], ["accuracy"]]
    )
    assert got == model.evaluate(X, {"a": CLASSES, "b": BINARY}, verbose=0)


def test_before_labels_a_model_predicts_and_is_saved(tmp_path: Path) -> None:
    model = single()
    model.compile("sgd", "crossentropy", metrics=["sparse_categorical_accuracy"])
    want = model.predict(X, verbose=0)
    model.save(tmp_path / "m.safetensors")
    again = load_model(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(again.predict(X, verbose=0), want)
    assert again.metrics_names == ["loss", "sparse_categorical_accuracy"]
    assert again.train_on_batch(X, CLASSES) == model.train_on_batch(X, CLASSES)


def test_a_metric_that_cannot_read_the_labels_settles_nothing() -> None:
    model = single()
    model.compile("sgd", "crossentropy", metrics=["categorical_accuracy"])
    with pytest.raises(ValueError, match="cannot read class numbers"):
        model.fit(X, CLASSES, verbose=0)
    model.fit(X, ONE_HOT, verbose=0)


def test_crossentropy_is_no_metric() -> None:
    with pytest.raises(ValueError, match="unknown metric 'crossentropy'"):
        single().compile("sgd", "mse", metrics=["crossentropy"])


def test_a_model_without_a_loss_still_says_so() -> None:
    model = single()
    model.compile("sgd")
    with pytest.raises(NotCompiledError, match="without a loss"):
        model.fit(X, CLASSES, verbose=0)


# Names of metrics


@pytest.mark.parametrize("name", ["accuracy", "acc", "Accuracy"])
def test_accuracy_fits_in_any_case_of_letters(name: str) -> None:
    model = single()
    model.compile("sgd", "ce", metrics=[name])
    _, found = model.evaluate(X, CLASSES, verbose=0)
    assert found == pytest.approx(np.mean(model.predict(X, verbose=0).argmax(1) == CLASSES))
    assert model.metrics_names == ["loss", name]


def test_metrics_called_alike_are_told_apart() -> None:
    model = single()
    model.compile("sgd", "mse", metrics=["mae", "mae", "mae"], weighted_metrics=["mae", "mae", "mse"])
    names = ["loss", "mae", "mae_1", "mae_2", "weighted_mae", "weighted_mae_1", "mse"]
    assert model.metrics_names == names
    found = dict(zip(names, model.evaluate(X, ONE_HOT, sample_weight=WEIGHT, verbose=0), strict=True))
    errors = np.abs(model.predict(X, verbose=0) - ONE_HOT).mean(axis=1, dtype=np.float64)
    assert found["mae"] == found["mae_1"] == found["mae_2"] == pytest.approx(errors.mean(), rel=1e-6)
    weighted = (errors * WEIGHT).sum() / WEIGHT.sum(dtype=np.float64)
    assert found["weighted_mae"] == found["weighted_mae_1"] == pytest.approx(weighted, rel=1e-6)
    assert set(model.fit(X, ONE_HOT, verbose=0).history) == set(names)


def test_metrics_of_some_outputs_only() -> None:
    model = double()
    model.compile("sgd", "crossentropy", metrics={"a": "accuracy", "b": ["mae"]}, weighted_metrics={"a": ["accuracy"]})
    names = ["loss", "a_loss", "b_loss", "a_accuracy", "b_mae", "a_weighted_accuracy"]
    assert model.metrics_names == names
    assert set(model.fit(X, [CLASSES, BINARY], verbose=0).history) == set(names)


# One output, by its name


def one_named(kind: str) -> Any:
    x = Input((4,))
    made: Any = {
        "stack": lambda: Sequential([Input((4,)), Dense(3, "softmax", name="out")]),
        "later": lambda: Sequential([Dense(3, "softmax", name="out")]),
        "graph": lambda: Model(x, Dense(3, "softmax", name="out")(x)),
        "dict": lambda: Model(x, {"out": Dense(3, "softmax", name="other")(x)}),
    }[kind]()
    made.build((None, 4))
    made.set_weights(single().get_weights())
    return made


@each_backend
@pytest.mark.parametrize("kind", ["stack", "later", "graph", "dict"])
def test_one_output_may_be_named(kind: str, backend: str, tmp_path: Path) -> None:
    found = []
    for named in (True, False):
        model = one_named(kind)

        def of(value: Any, named: bool = named) -> Any:
            return {"out": value} if named else value

        weights = of(0.5) if named else [0.5]
        model.compile("adam", of("mse"), weights, of(["mae", "accuracy"]), of(["mse"]))
        assert model.metrics_names == ["loss", "mae", "accuracy", "mse"]
        history = model.fit(X, ONE_HOT, epochs=3, shuffle=False, verbose=0, sample_weight=WEIGHT).history
        found.append((history, [w.tolist() for w in model.get_weights()]))
        model.save(tmp_path / "m")
        assert load_model(tmp_path / "m").get_compile_config() == model.get_compile_config()
    assert found[0] == found[1]
    assert found[0][0]["loss"][0] == pytest.approx(0.5 * found[0][0]["mse"][0] * WEIGHT.mean(), rel=1e-5)


def test_a_name_may_stand_before_a_config_or_a_pending_loss() -> None:
    model = one_named("stack")
    model.compile("sgd", {"out": {"class_name": "Huber", "config": {"delta": 0.5}}})
    assert model.loss.delta == 0.5
    model.compile("sgd", {"class_name": "Huber", "config": {"delta": 0.25}})  # which is no dict of names
    assert model.loss.delta == 0.25
    model.compile("sgd", {"out": "crossentropy"})
    model.fit(X, CLASSES, verbose=0)
    assert model.loss.name == "sparse_categorical_crossentropy"


@pytest.mark.parametrize("kind", ["stack", "later", "graph", "dict"])
@pytest.mark.parametrize(
    "settings", [{"loss": "mse"}, {"loss_weights": 0.5}, {"metrics": ["mae"]}, {"weighted_metrics": ["mae"]}]
)
def test_the_name_of_no_output_is_refused(kind: str, settings: dict[str, Any]) -> None:
    ((argument, value),) = settings.items()
    with pytest.raises(ValueError, match=f"compile: {argument} names 'wrong', the model's output is 'out'"):
        one_named(kind).compile("sgd", **{"loss": "mse", argument: {"wrong": value}})
    with pytest.raises(ValueError, match=f"compile: {argument} names 'wrong', the model's outputs are 'a', 'b'"):
        double().compile("sgd", **{"loss": "mse", argument: {"wrong": value}})


def test_a_model_without_layers_has_no_name_of_an_output() -> None:
    with pytest.raises(ValueError, match="loss names 'out', the model's output has no name yet: add layers first"):
        Sequential().compile("sgd", {"out": "mse"})
    Sequential().compile("sgd", {})


# Several outputs


@pytest.mark.parametrize("loss", [["categorical_crossentropy", None], {"a": "categorical_crossentropy"}])
@pytest.mark.parametrize("y", [[ONE_HOT, BINARY], {"a": ONE_HOT}, {"a": ONE_HOT, "b": BINARY}, ONE_HOT])
def test_an_output_without_a_loss_needs_no_labels(loss: Any, y: Any) -> None:
    model = double()
    model.compile("sgd", loss)
    kernels = model.get_layer("b").get_weights()
    assert set(model.fit(X, y, verbose=0).history) == {"loss"}  # of one loss there is no sum
    for was, now in zip(kernels, model.get_layer("b").get_weights(), strict=True):
        np.testing.assert_array_equal(was, now)


@pytest.mark.parametrize("give", [list, tuple, lambda w: {"a": w[0], "b": w[1]}])
def test_each_output_has_weights_of_its_own(give: Callable[[Any], Any]) -> None:
    model = double()
    model.compile("sgd", ["categorical_crossentropy", "mse"], loss_weights={"a": 0.5, "b": 3})
    found = model.evaluate(X, [ONE_HOT, BINARY], sample_weight=give([WEIGHT, None]), verbose=0)
    a, b = (np.asarray(p, np.float64) for p in model.predict(X, verbose=0))
    want_a = (-np.log(a[np.arange(24), CLASSES]) * WEIGHT).mean()
    want_b = ((b[:, 0] - BINARY) ** 2).mean()
    np.testing.assert_allclose(found, [0.5 * want_a + 3 * want_b, want_a, want_b], rtol=1e-6)


def test_labels_and_weights_that_fit_no_output_are_named() -> None:
    model = double()
    model.compile("sgd", ["categorical_crossentropy", "mse"])
    with pytest.raises(ValueError, match="y: expected labels for 'a', 'b', 'b' has none"):
        model.fit(X, {"a": ONE_HOT}, verbose=0)
    with pytest.raises(ValueError, match="y: names 'c', the model's outputs are 'a', 'b'"):
        model.fit(X, {"a": ONE_HOT, "c": BINARY}, verbose=0)
    with pytest.raises(ValueError, match="sample_weight: names 'c'"):
        model.fit(X, [ONE_HOT, BINARY], sample_weight={"c": WEIGHT}, verbose=0)
    with pytest.raises(ValueError, match="class_weight needs one output, the model has 2"):
        model.fit(X, [ONE_HOT, BINARY], class_weight={0: 2.0}, verbose=0)


# Losses and metrics of one's own


def squares(y_true: Any, y_pred: Any) -> Any:
    return ((y_true - y_pred) ** 2).mean(axis=-1)


def absolute(y_true: Any, y_pred: Any) -> Any:
    return np.abs(y_true - y_pred).mean(axis=-1)


squares.gradient = lambda y_true, y_pred: 2 * (y_pred - y_true) / y_pred.shape[-1]  # type: ignore[attr-defined]


class Squares(Loss):
    def call(self, y_true: Any, y_pred: Any) -> Any:
        return squares(y_true, y_pred)

    def gradient(self, y_true: Any, y_pred: Any) -> Any:
        return 2 * (y_pred - y_true) / y_pred.shape[-1]


@each_backend
@pytest.mark.parametrize("loss", [squares, Squares()], ids=["function", "subclass"])
def test_a_loss_and_a_metric_of_ones_own_train_as_those_of_netlet(loss: Any, backend: str) -> None:
    found = []
    for one, metric in ((loss, absolute), ("mse", "mae")):
        model = single()
        model.compile("adam", one, metrics=[metric])
        history = model.fit(X, ONE_HOT, epochs=5, verbose=0, shuffle=False, sample_weight=WEIGHT).history
        found.append(([*history["loss"], *history[getattr(metric, "__name__", metric)]], model.get_weights()))
    # 5 steps whose gradients differ by some roundings of float32 each
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-5)
    for ours, others in zip(found[0][1], found[1][1], strict=True):
        np.testing.assert_allclose(ours, others, rtol=1e-5, atol=1e-6)


@each_backend
@pytest.mark.parametrize(
    ("gradient", "why"),
    [
        (None, "loss 'mine': no gradient to train with. Define gradient"),
        (lambda y, p: p - y, r"loss 'mine': gradient\(\) is off at y_pred\[\d, \d\].*central differences give"),
        (lambda y, p: np.zeros(3), r"loss 'mine': gradient\(\) must return real numbers in the shape of y_pred"),
    ],
    ids=["none", "wrong", "shape"],
)
def test_compile_refuses_a_loss_that_cannot_train(gradient: Any, why: str, backend: str) -> None:
    def mine(y_true: Any, y_pred: Any) -> Any:
        return squares(y_true, y_pred)

    if gradient is not None:
        mine.gradient = gradient  # type: ignore[attr-defined]
    model = single()
    model.compile("sgd", "mse")
    want = model.evaluate(X, ONE_HOT, verbose=0)
    with pytest.raises(ValueError, match=why):
        model.compile("adam", mine)
    assert model.evaluate(X, ONE_HOT, verbose=0) == want  # with its former settings
    assert type(model.optimizer).__name__ == "SGD"


# Element types


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_layers_take_the_types_that_netlet_computes_in(dtype: str) -> None:
    model = Sequential([Dense(2, input_shape=(4,), dtype=dtype)])
    assert model.get_weights()[0].dtype == dtype


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16", "float16", "bfloat16"])
def test_mixed_precision_is_refused(dtype: str) -> None:
    with pytest.raises(ValueError, match=f"got '{dtype}': mixed and half precision are not supported"):
        Dense(2, dtype=dtype)
