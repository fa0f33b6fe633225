"""What is one's own comes back from a file, in either format, where ``load_model`` is handed it, and not otherwise."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netlet
from netlet import Input, Model, Sequential, load_model
from netlet.constraints import Constraint
from netlet.errors import ModelFormatError
from netlet.layers import Add, Dense, Layer
from netlet.losses import Loss
from netlet.metrics import Mean
from netlet.models.saving import from_bytes, to_bytes
from netlet.optimizers import SGD, Adam, LossScaleOptimizer, MultiOptimizer, Optimizer, OptimizerMap
from netlet.optimizers.schedules import LearningRateSchedule
from netlet.regularizers import Regularizer

NEEDS_H5PY = pytest.mark.skipif(
    importlib.util.find_spec("h5py") is None, reason="h5py is not installed: pip install 'netlet[keras]'"
)
FORMATS: Any = pytest.mark.parametrize("suffix", ["safetensors", pytest.param("keras", marks=NEEDS_H5PY)])
RNG = np.random.default_rng(4)
X = RNG.standard_normal((40, 5)).astype(np.float32)
Y = np.tanh(X[:, :2])


class Momentum(Optimizer):
    """SGD with a momentum, and a number of its own."""

    def __init__(self, learning_rate: Any = 0.05, keeps: float = 0.9, **kwargs: Any) -> None:
        super().__init__(learning_rate, **kwargs)
        self.keeps = keeps

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        self.velocities = self.add_optimizer_variables(variables, "velocity")
        self.moved = self.add_variable((), name="moved")

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        velocity = self.velocities[self._get_variable_index(variable)]
        self.assign(velocity, self.keeps * velocity - learning_rate * gradient)
        self.assign_add(variable, velocity)
        self.assign_add(self.moved, np.abs(velocity.numpy()).sum())

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "keeps": self.keeps}


class Signs(Adam):
    """Another rule in the place of a known one's, whose slots stay."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        self.assign_sub(variable, learning_rate * np.sign(gradient))


class Halving(LearningRateSchedule):
    def __init__(self, begin: float) -> None:
        self.begin = begin

    def __call__(self, step: Any) -> Any:
        return self.begin / 2 ** (np.asarray(step) // 5)

    def get_config(self) -> dict[str, Any]:
        return {"begin": self.begin}


def slow() -> float:
    return 0.001


class Scale(Layer):
    def __init__(self, factor: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = factor

    def build(self, input_shape: Any) -> None:
        self.scale = self.add_weight("scale", input_shape[1:], "ones")
        self.seen = self.add_weight("seen", (), "zeros", trainable=False)

    def call(self, x: Any, training: bool = False) -> Any:
        self.seen.assign_add(float(training))
        return x * self.scale.value * np.float32(self.factor)

    def gradient(self, x: Any, dy: Any) -> Any:
        factor = np.float32(self.factor)
        return [dy * self.scale.value * factor, (dy * x).sum(axis=0) * factor]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor}


class Largest(Regularizer):
    def __init__(self, strength: float = 0.1) -> None:
        self.strength = strength

    def __call__(self, x: Any) -> Any:
        return self.strength * float((x * x).sum())

    def gradient(self, x: Any) -> Any:
        return 2 * self.strength * x

    def get_config(self) -> dict[str, Any]:
        return {"strength": self.strength}


class Capped(Constraint):
    def __call__(self, w: Any) -> Any:
        return np.minimum(w, 0.25)


class Squares(Loss):
    def call(self, y_true: Any, y_pred: Any) -> Any:
        return ((y_true - y_pred) ** 2).mean(axis=-1)

    def gradient(self, y_true: Any, y_pred: Any) -> Any:
        return 2 * (y_pred - y_true) / y_pred.shape[-1]


def squares(y_true: Any, y_pred: Any) -> Any:
    return ((y_true - y_pred) ** 2).mean(axis=-1)


squares.gradient = lambda y_true, y_pred: 2 * (y_pred - y_true) / y_pred.shape[-1]  # type: ignore[attr-defined]


def absolute(y_true: Any, y_pred: Any) -> Any:
    return np.abs(y_true - y_pred).mean(axis=-1)


class Farthest(Mean):
    """The mean over rows of the largest error."""

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        super().update_state(np.abs(np.asarray(y_true) - y_pred).max(axis=-1), sample_weight)


@pytest.fixture(autouse=True)
def on_numpy_unless_told(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "backend" not in request.fixturenames:
        monkeypatch.setenv("NETLET_BACKEND", "numpy")


def compiled(optimizer: Any = "sgd", loss: Any = "mse", metrics: Any = None) -> Sequential:
    netlet.set_random_seed(3)
    model = Sequential([Dense(4, "tanh", input_shape=(5,)), Dense(2)])
    model.compile(optimizer, loss, metrics=metrics)
    return model


def goes_on(model: Any, path: Path, **custom: Any) -> Any:
    """Save the model, load it, train both, and check that they stay the same, to the bit; return the loaded one."""
    model.save(path)
    again: Any = load_model(path, custom_objects=custom)
    assert again.get_compile_config() == model.get_compile_config()
    assert again.metrics_names == model.metrics_names
    histories = [one.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0).history for one in (model, again)]
    assert histories[0] == histories[1]
    variables = [[*one.weights, *one.optimizer.variables] for one in (model, again)]
    assert len(variables[0]) == len(variables[1])
    for a, b in zip(*variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    return again


# Optimizers


@FORMATS
@pytest.mark.parametrize(
    ("make", "custom"),
    [
        (lambda: Momentum(0.03, keeps=0.8), [Momentum]),
        (lambda: Momentum(0.03, use_ema=True, gradient_accumulation_steps=3, clipnorm=1.0), [Momentum]),
        (lambda: Momentum(Halving(0.05)), [Momentum, Halving]),
        (lambda: Signs(0.01), [Signs]),
        (lambda: SGD(Halving(0.05)), [Halving]),
    ],
    ids=["own", "own_common", "own_scheduled", "overridden", "schedule"],
)
def test_an_optimizer_of_ones_own_goes_on(
    make: Callable[[], Optimizer], custom: list[Any], suffix: str, backend: str, tmp_path: Path
) -> None:
    model = compiled(make())
    model.fit(X, Y, batch_size=8, verbose=0)  # five steps: in the midst of an accumulation
    again = goes_on(model, tmp_path / f"m.{suffix}", **{cls.__name__: cls for cls in custom})
    assert type(again.optimizer) is type(model.optimizer)


@pytest.mark.parametrize(
    ("make", "custom"),
    [
        (lambda: LossScaleOptimizer(Momentum(), dynamic_growth_steps=3), {"Momentum": Momentum}),
        (lambda: MultiOptimizer(OptimizerMap(SGD(0.01), {".*/bias": Momentum(Halving(0.1))})), None),
        (lambda: SGD(slow), {"slow": slow}),
    ],
    ids=["scaled", "several", "function"],
)
def test_it_may_lie_within_another(make: Callable[[], Optimizer], custom: Any, tmp_path: Path) -> None:
    model = compiled(make())
    model.fit(X, Y, batch_size=8, verbose=0)
    goes_on(model, tmp_path / "m", **(custom or {"Momentum": Momentum, "Halving": Halving}))


@FORMATS
def test_without_it_the_error_names_it_and_both_ways(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"m.{suffix}"
    model = compiled(Momentum())
    model.fit(X, Y, verbose=0)
    model.save(path)
    told = r"unknown optimizer 'Momentum'\..*custom_objects=\{'Momentum': \.\.\.\}\); load_model\(path, compile=False\)"
    for custom in (None, {}, {"Other": Momentum}):
        with pytest.raises(ModelFormatError, match=told):
            load_model(path, custom_objects=custom)
    bare = load_model(path, compile=False)
    assert not bare.compiled
    np.testing.assert_array_equal(bare.predict(X, verbose=0), model.predict(X, verbose=0))


@NEEDS_H5PY
def test_an_optimizer_that_keras_has_and_netlet_lacks_is_left_out(tmp_path: Path) -> None:
    """That is no fault of the caller's, and the model can be used: a warning, as of losses."""
    from netlet.models.keras_files import archive

    path = tmp_path / "m.keras"
    compiled("sgd").save(path)
    config, data = archive.read(str(path), (archive.CONFIG, archive.WEIGHTS))
    for module, told in (("keras.optimizers", None), ("mine", "unknown optimizer 'Future'"), (None, "'Future'")):
        entry = json.loads(config)
        entry["compile_config"]["optimizer"].update(class_name="Future", module=module)
        path.write_bytes(archive.write({archive.CONFIG: json.dumps(entry).encode(), archive.WEIGHTS: data}))
        if told is None:
            with pytest.warns(UserWarning, match="loaded without compile.*'future'"):
                assert not load_model(path).compiled
        else:
            with pytest.raises(ModelFormatError, match=told):
                load_model(path)


@NEEDS_H5PY
def test_keras_files_hold_functions_but_no_classes_of_losses_and_metrics(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    goes_on(compiled(Momentum(), squares, [absolute]), path, Momentum=Momentum, squares=squares, absolute=absolute)
    with pytest.warns(UserWarning, match="loaded without compile.*'squares'"):
        assert not load_model(path, custom_objects={"Momentum": Momentum}).compiled
    compiled(Momentum(), Squares()).save(path)
    assert not load_model(path).compiled


def test_what_it_cannot_make_is_told(tmp_path: Path) -> None:
    compiled(Momentum()).save(tmp_path / "m")
    with pytest.raises(ModelFormatError, match=r"TypeError: optimizer: 'Momentum' of custom_objects made <.*Scale"):
        load_model(tmp_path / "m", custom_objects={"Momentum": type("Made", (), {"from_config": lambda c: Scale()})})

    class Strict(Optimizer):
        def __init__(self, learning_rate: float) -> None:
            super().__init__(learning_rate)

        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None: ...

    with pytest.raises(ModelFormatError, match=r"TypeError: .*unexpected keyword argument"):
        load_model(tmp_path / "m", custom_objects={"Momentum": Strict})


# Layers


@FORMATS
@pytest.mark.parametrize("graph", [False, True])
def test_a_layer_of_ones_own_comes_back(graph: bool, suffix: str, backend: str, tmp_path: Path) -> None:
    netlet.set_random_seed(3)
    if graph:
        x = Input((5,))
        h = Dense(4, "tanh")(x)
        model: Any = Model(x, Dense(2)(Add()([Scale(0.5)(h), h])))
    else:
        model = Sequential([Input((5,)), Dense(4, "tanh"), Scale(0.5), Dense(2)])
    model.compile(SGD(0.05, momentum=0.9), "mse")
    model.fit(X, Y, batch_size=8, verbose=0)
    again = goes_on(model, tmp_path / f"m.{suffix}", Scale=Scale)
    layer = next(layer for layer in again.layers if isinstance(layer, Scale))
    assert layer.factor == 0.5 and layer.seen.value == 15
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    for compile in (True, False):
        with pytest.raises(ModelFormatError, match=r"'Scale'.*custom_objects"):
            load_model(tmp_path / f"m.{suffix}", compile=compile)


def test_rules_of_ones_own_come_back(tmp_path: Path) -> None:
    model = Sequential([Dense(2, kernel_regularizer=Largest(0.2), bias_constraint=Capped(), input_shape=(5,))])
    model.compile(SGD(0.05), "mse")
    again = goes_on(model, tmp_path / "m", Largest=Largest, Capped=Capped)
    assert type(again.layers[0].bias_constraint) is Capped and again.layers[0].kernel_regularizer.strength == 0.2
    with pytest.raises(ModelFormatError, match="'Largest'"):
        load_model(tmp_path / "m")


# Losses and metrics


@pytest.mark.parametrize("loss", [Squares(), squares, "mse"], ids=["class", "function", "known"])
@pytest.mark.parametrize("metrics", [[absolute], [Farthest()], ["mae", absolute, Farthest(name="far")]], ids=str)
def test_losses_and_metrics_of_ones_own_come_back(loss: Any, metrics: Any, backend: str, tmp_path: Path) -> None:
    custom = {"Squares": Squares, "squares": squares, "absolute": absolute, "Farthest": Farthest}
    goes_on(compiled("adam", loss, metrics), tmp_path / "m", **custom)


def test_those_of_several_outputs_come_back(tmp_path: Path) -> None:
    x = Input((5,))
    model = Model(x, [Dense(2, name="a")(x), Dense(2, name="b")(x)])
    model.compile("sgd", {"a": squares, "b": "mse"}, metrics={"a": ["mae"], "b": [absolute]}, loss_weights=[1, 0.5])
    model.save(tmp_path / "m")
    again = load_model(tmp_path / "m", custom_objects={"squares": squares, "absolute": absolute})
    assert again.get_compile_config() == model.get_compile_config()
    assert again.evaluate(X, [Y, Y], verbose=0) == model.evaluate(X, [Y, Y], verbose=0)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"loss": Squares()}, "unknown loss 'Squares'"),
        ({"loss": squares}, "unknown function of a loss 'squares'"),
        ({"metrics": [Farthest()]}, "unknown metric 'Farthest'"),
        ({"metrics": [absolute]}, "unknown function of a metric 'absolute'"),
    ],
)
def test_without_them_the_error_says_both_ways(settings: Any, told: str, tmp_path: Path) -> None:
    model = compiled("sgd", **settings)
    model.save(tmp_path / "m")
    with pytest.raises(ModelFormatError, match=rf"{told}\..*custom_objects=.*compile=False"):
        load_model(tmp_path / "m")
    np.testing.assert_array_equal(load_model(tmp_path / "m", compile=False).predict(X), model.predict(X))


# Files that are not to be trusted


def test_a_name_in_a_file_is_looked_up_and_nothing_else() -> None:
    """Names of modules, of builtins and of this module's classes find nothing, unless they are handed in."""
    model = compiled(Momentum())
    data = to_bytes(model)
    length = int.from_bytes(data[:8], "little")
    for name in ("os.system", "eval", "builtins.eval", f"{__name__}.Momentum", "Momentum", "__class__"):
        header = json.loads(data[8 : 8 + length])
        settings = json.loads(header["__metadata__"]["compile"])
        settings["optimizer"]["class_name"] = name
        header["__metadata__"]["compile"] = json.dumps(settings)
        encoded = json.dumps(header).encode()
        with pytest.raises(ModelFormatError, match=f"unknown optimizer '{name}'"):
            from_bytes(len(encoded).to_bytes(8, "little") + encoded + data[8 + length :])
