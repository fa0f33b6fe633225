"""Layers that compute in Python: on every backend they train as the same layer does below Python."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import netlet
from netlet import Model, Sequential
from netlet.backends import available_backends
from netlet.layers import Dense, Input, Layer
from netlet.optimizers import SGD
from netlet.testing import check_gradient

RNG = np.random.default_rng(3)
X = RNG.standard_normal((50, 6)).astype(np.float32)
EPS = float(np.finfo(np.float32).eps)
Y = RNG.standard_normal((50, 2)).astype(np.float32)


@pytest.fixture(params=available_backends())
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The test runs once on each backend that is available."""
    monkeypatch.setenv("NETLET_BACKEND", request.param)
    yield str(request.param)


@pytest.fixture
def numpy_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of what lies above the backends."""
    monkeypatch.setenv("NETLET_BACKEND", "numpy")


class Affine(Layer):
    """Dense, without activation."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight("kernel", (input_shape[-1], self.units))
        self.bias = self.add_weight("bias", (self.units,), "zeros")

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], self.units)

    def call(self, x: Any) -> Any:
        return x @ self.kernel.value + self.bias.value

    def gradient(self, x: Any, dy: Any) -> list[Any]:
        return [dy @ self.kernel.value.T, x.T @ dy, dy.sum(axis=0)]


class Canary(Layer):
    """Lets everything pass, and counts the batches that it sees."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.counter = self.add_weight(shape=(), initializer="zeros", dtype="float32", trainable=False)

    def call(self, x: Any) -> Any:
        self.counter.assign_add(1)
        return x


def trained(middle: Layer, dtype: str = "float32", **settings: Any) -> Sequential:
    netlet.set_random_seed(5)
    model = Sequential([Input((6,)), Dense(4, "tanh", dtype=dtype), middle, Dense(2)])
    model.compile(SGD(0.05, momentum=0.9), "mse", **settings)
    model.fit(X.astype(dtype), Y.astype(dtype), batch_size=16, epochs=3, verbose=0)
    return model


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_trains_as_the_same_layer_below_python(backend: str, dtype: str) -> None:
    own, built_in = trained(Affine(3), dtype), trained(Dense(3), dtype)
    # 12 steps with rate 0.05, whose sums of 16 products are rounded in another order: some roundings apart
    within = 64 * float(np.finfo(dtype).eps)
    for a, b in zip(own.get_weights(), built_in.get_weights(), strict=True):
        assert a.dtype == dtype
        np.testing.assert_allclose(a, b, rtol=within, atol=within)
    np.testing.assert_allclose(own.predict(X, verbose=0), built_in.predict(X, verbose=0), rtol=within, atol=within)
    assert own.history is not None and built_in.history is not None
    assert own.history.history["loss"] == pytest.approx(built_in.history.history["loss"], rel=within)


def test_what_it_keeps_is_state_of_the_model(backend: str) -> None:
    canary = Canary()
    model = trained(canary)
    assert int(canary.counter.value) == 3 * 4  # epochs of 50 rows by 16
    assert [w.path for w in model.non_trainable_weights] == [f"{canary.name}/variable"]
    model.predict(X, batch_size=25, verbose=0)
    assert int(canary.counter.value) == 14
    plain = trained(Dense(4, kernel_initializer="identity", trainable=False))
    for a, b in zip(model.get_weights()[:2], plain.get_weights()[:2], strict=True):
        # a product with the identity rounds nothing, but Numba's other programs sum in another order
        np.testing.assert_allclose(a, b, rtol=64 * EPS, atol=64 * EPS)


def test_a_profile_leaves_its_state_alone(backend: str) -> None:
    canary = Canary()
    model = trained(canary)
    before = model.get_weights()
    model.profile(X, Y, batch_size=16, seconds=0.05)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


class Blend(Layer):
    """``weight * a + (1 - weight) * b`` of two inputs."""

    takes_list = True

    def build(self, input_shape: Any) -> None:
        self.weight = self.add_weight("weight", (), "zeros")

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape[0]

    def call(self, x: Any) -> Any:
        a, b = x
        return self.weight.value * a + (1 - self.weight.value) * b

    def gradient(self, x: Any, dy: Any) -> list[Any]:
        a, b = x
        return [self.weight.value * dy, (1 - self.weight.value) * dy, np.sum(dy * (a - b))]


def test_it_may_have_several_inputs_and_be_called_twice(backend: str) -> None:
    netlet.set_random_seed(2)
    x = Input((6,))
    left, right, blend = Dense(2), Dense(2), Blend()
    y = blend([left(x), right(x)])
    model = Model(x, blend([y, right(x)]))
    model.compile(SGD(0.1), "mse")
    w0, (b, _) = blend.weight.numpy(), (right.kernel.numpy(), left.kernel.numpy())
    a, b = X @ left.kernel.numpy(), X @ right.kernel.numpy()
    assert w0 == 0
    blend.weight.assign(0.25)
    model.train_on_batch(X, Y)
    # with u = w a + (1-w) b the output is w u + (1-w) b = b + w^2 (a-b), and its slope in w is 2 w (a-b)
    slope = np.sum(2 * (b + 0.0625 * (a - b) - Y) / Y.size * 0.5 * (a - b), dtype=np.float64)
    assert float(blend.weight.value) == pytest.approx(0.25 - 0.1 * slope, rel=1e-5)  # sums of 100 in float32


class Noisy(Layer):
    """Adds 1 while training."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[bool] = []

    def call(self, x: Any, training: bool = False) -> Any:
        self.told.append(training)
        return x + 1 if training else x

    def gradient(self, x: Any, dy: Any) -> Any:
        return dy


def test_it_is_told_whether_this_is_training(backend: str) -> None:
    noisy = Noisy()
    model = trained(noisy)
    assert noisy.told == [True] * 12
    model.evaluate(X, Y, verbose=0)
    assert set(noisy.told[12:]) == {False}
    assert noisy(X[:2], training=True).tolist() == (X[:2] + 1).tolist()
    assert noisy(X[:2]).tolist() == X[:2].tolist()


class Square(Layer):
    def call(self, x: Any) -> Any:
        return x * x


def test_without_a_gradient_it_trains_where_none_is_needed(backend: str) -> None:
    netlet.set_random_seed(1)
    model = Sequential([Input((6,)), Square(), Dense(2)])
    model.compile("sgd", "mse")
    model.fit(X, Y, epochs=2, verbose=0)
    netlet.set_random_seed(1)
    plain = Sequential([Input((6,)), Dense(2)])
    plain.compile("sgd", "mse")
    plain.fit(X * X, Y, epochs=2, verbose=0)
    within = 16 * EPS  # four steps; who multiplies is another
    for a, b in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=within, atol=within)


def refused(layer: Layer, error: type[Exception], message: str) -> None:
    """Training a model with ``layer`` is refused, and leaves its weights as they were."""
    netlet.set_random_seed(5)
    model = Sequential([Input((6,)), Dense(4, "tanh"), layer, Dense(2)])
    model.compile("sgd", "mse")
    before = model.get_weights()
    with pytest.raises(error, match=message):
        model.fit(X, Y, verbose=0)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_without_a_gradient_it_is_refused_where_one_is_needed(backend: str) -> None:
    refused(Square(name="mine"), ValueError, r"mine: Square has no gradient\(x, dy\), which training needs")


class Wrong(Affine):
    """Returns what it was made with."""

    def __init__(self, y: Any = None, slopes: Any = None) -> None:
        super().__init__(4, name="wrong")
        self.y, self.slopes = y, slopes

    def call(self, x: Any) -> Any:
        return super().call(x) if self.y is None else self.y

    def gradient(self, x: Any, dy: Any) -> Any:
        return self.slopes


@pytest.mark.parametrize(
    ("layer", "error", "message"),
    [
        (
            lambda: Wrong(np.ones((3, 4))),
            ValueError,
            r"wrong: call\(\) returned shape \(3, 4\), expected \(32, 4\)",
        ),
        (lambda: Wrong(["a"]), TypeError, r"wrong: call\(\) returned an array of <U1, expected real numbers"),
        (
            lambda: Wrong(None, np.ones(3)),
            ValueError,
            r"gradient\(\) returned 1 arrays, expected 3: one for",
        ),
        (lambda: Wrong(None, [np.ones((32, 4))] * 3), ValueError, r"returned shape \(32, 4\), expected \(4, 4\)$"),
    ],
)
def test_what_it_returns_must_fit(backend: str, layer: Any, error: type[Exception], message: str) -> None:
    refused(layer(), error, message)


class Doubled(Dense):
    """A layer of Netlet's that is given a call of its own."""

    def call(self, x: Any) -> Any:
        return 2 * (x @ self.kernel.value + self.bias.value)  # type: ignore[union-attr]

    def gradient(self, x: Any, dy: Any) -> list[Any]:
        return [2 * dy @ self.kernel.value.T, 2 * x.T @ dy, 2 * dy.sum(axis=0)]


class Lowered(Doubled):
    """One that lowers itself again."""

    def lower(self, builder: Any, x: Any) -> Any:
        return Dense.lower(self, builder, x)


def test_whichever_of_call_and_lower_is_defined_last_counts(backend: str) -> None:
    check_gradient(Doubled(3), (None, 4))
    doubled, lowered = Doubled(2), Lowered(2)
    model = Sequential([Input((6,)), doubled])
    np.testing.assert_allclose(model.predict(X, verbose=0), 2 * X @ doubled.kernel.numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(doubled(X), model.predict(X, verbose=0))
    model = Sequential([Input((6,)), lowered])
    np.testing.assert_allclose(model.predict(X, verbose=0), X @ lowered.kernel.numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(lowered(X), X @ lowered.kernel.numpy(), rtol=1e-5, atol=1e-6)
    assert (doubled.is_custom, lowered.is_custom, Dense(1).is_custom) == (True, False, False)


class Greedy(Layer):
    def call(self, x: Any) -> Any:
        x += 1
        return x


def test_its_input_is_not_its_own(backend: str) -> None:
    refused(Greedy(), ValueError, "read-only")


def test_gradients_are_checked_against_differences() -> None:
    check_gradient(Affine(3), (None, 4))
    check_gradient(Blend(), [(None, 2, 3), (None, 2, 3)])
    check_gradient(Noisy(), (None, 3), training=True)
    canary = Canary()
    check_gradient(canary, (None, 2))
    assert canary.counter.value == 0


class Off(Affine):
    def __init__(self, place: int, error: float) -> None:
        super().__init__(2, name="off")
        self.place, self.error = place, error

    def gradient(self, x: Any, dy: Any) -> list[Any]:
        slopes = super().gradient(x, dy)
        slopes[self.place] = slopes[self.place] + self.error
        return slopes


@pytest.mark.parametrize(
    ("place", "error", "name"), [(0, 1e-4, "x"), (1, -1e-4, "kernel"), (2, np.nan, "bias")], ids=["x", "kernel", "bias"]
)
def test_a_gradient_that_is_off_is_found(place: int, error: float, name: str) -> None:
    with pytest.raises(AssertionError, match=rf"off: gradient\(\) is off by {name}\[\d(, \d)?\]: it gives"):
        check_gradient(Off(place, error), (None, 3))
    with pytest.raises(ValueError, match="Square has no gradient"):
        check_gradient(Square(), (None, 3))


@pytest.mark.usefixtures("numpy_backend")
class TestAboveTheBackends:
    def test_it_can_be_called_by_itself(self) -> None:
        affine = Affine(3)
        y = affine(X)
        np.testing.assert_allclose(y, X @ affine.kernel.numpy(), rtol=1e-6)
        assert y.dtype == np.float32
        canary = Canary()
        assert canary(X).tolist() == X.tolist()
        assert int(canary.counter.value) == 1
        with pytest.raises(ValueError, match=r"expected \(None, 6\)"):
            affine(X[:, :3])

    def test_a_weight_of_the_constructor_stays(self) -> None:
        canary = Canary()
        canary.counter.assign(7)
        model = Sequential([Input((6,)), canary, Dense(2)])
        assert canary.weights[0] is canary.counter
        assert model.get_weights()[0] == 7
        assert model.count_params() == 15

    def test_weights_without_a_name_are_numbered(self) -> None:
        layer = Layer()
        made = [layer.add_weight(shape=(1,)), layer.add_weight("variable_1"), layer.add_weight(shape=(1,))]
        assert [w.name for w in made] == ["variable", "variable_1", "variable_2"]
        with pytest.raises(ValueError, match="a weight has its layer's dtype, float32, got 'float64'"):
            layer.add_weight(dtype="float64")
        with pytest.raises(ValueError, match="expected one of float32, float64, got 'int32'"):
            layer.add_weight(dtype="int32")
        with pytest.raises(TypeError, match=r"name must be a string, got \(3, 4\); give a shape as shape="):
            layer.add_weight((3, 4), "zeros")  # type: ignore[arg-type]
        assert len(layer.weights) == 3

    @pytest.mark.parametrize(
        "make", [lambda: Affine(3, name="mine"), lambda: Canary(name="mine")], ids=["built", "made"]
    )
    def test_keras_files_hold_it_by_name(self, make: Any, tmp_path: Any) -> None:
        model = trained(make())
        model.save(tmp_path / "m.keras")
        again = netlet.load_model(tmp_path / "m.keras", custom_objects={"Affine": Affine, "Canary": Canary})
        for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
        with pytest.raises(netlet.errors.ModelFormatError, match="name it in custom_objects"):
            netlet.load_model(tmp_path / "m.keras")

    def test_models_may_share_it(self) -> None:
        affine, canary = Affine(3), Canary()
        models = [Sequential([Input((6,)), affine, canary, Dense(2)]) for _ in range(2)]
        for turn in range(3):
            model = models[turn % 2]
            model.compile("sgd", "mse")
            before = affine.kernel.numpy()
            model.fit(X, Y, batch_size=25, epochs=2, verbose=0)
            assert canary.counter.value == 4 * (turn + 1)
            assert not np.array_equal(affine.kernel.numpy(), before)
            np.testing.assert_array_equal(model.get_weights()[0], affine.kernel.numpy())

    def test_no_predictor_and_no_file_hold_it(self, tmp_path: Any) -> None:
        model = trained(Affine(3, name="mine"))
        with pytest.raises(ValueError, match="a predictor cannot run mine, which computes in Python"):
            model.predictor()
        model.save_weights(tmp_path / "w.safetensors")
        before = model.get_weights()
        model.set_weights([0 * w for w in before])
        model.load_weights(tmp_path / "w.safetensors")
        for a, b in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
        model.save(tmp_path / "m.safetensors")
        with pytest.raises(netlet.errors.ModelFormatError, match="unknown layer 'Affine'"):
            netlet.load_model(tmp_path / "m.safetensors")

    def test_a_program_names_it_and_does_not_hold_it(self) -> None:
        model = trained(Affine(3, name="mine"))
        program = model._engine_for(model.input_shape).program
        [op] = [op for op in json.loads(program.to_json())["ops"] if op["op"] == "custom"]
        assert op["attrs"] == {"layer": "mine"}
        arenas = (model._arena.data, np.zeros(0, np.float32), np.zeros((1, program.param_size), np.float32))
        with pytest.raises(ValueError, match=r"extras: expected the layers \['mine'\], got \[\]"):
            netlet.backends.make_executor(program, *arenas)
