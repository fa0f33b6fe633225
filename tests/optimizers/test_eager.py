"""Optimizers applied from Python: variables, gradients, state."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

from netlet import Sequential, optimizers
from netlet.layers import Dense
from netlet.layers.variable import Variable
from netlet.optimizers import SGD, Adam, Optimizer, RMSprop

NAMES = sorted({cls.__name__ for cls in optimizers.REGISTRY.objects.values() if cls.op})


def variables() -> list[Variable]:
    rng = np.random.default_rng(0)
    shapes = {"kernel": (3, 4), "bias": (4,), "scale": ()}
    return [Variable(np.array(rng.standard_normal(s), np.float32), n, f"layer/{n}") for n, s in shapes.items()]


def gradients(step: int) -> list[np.ndarray]:
    rng = np.random.default_rng(100 + step)
    return [np.array(rng.standard_normal(v.shape), np.float32) for v in variables()]


@pytest.mark.parametrize("name", NAMES)
def test_what_a_model_does_in_fit_is_done_from_python(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same gradients, applied to the model's weights below Python and to copies of them by hand."""
    monkeypatch.setenv("NETLET_BACKEND", "numpy")
    settings = {"use_ema": True, "ema_overwrite_frequency": 4, "gradient_accumulation_steps": 2, "weight_decay": 0.01}
    make = getattr(optimizers, name)
    rng = np.random.default_rng(2)
    model = Sequential([Dense(5, "tanh", input_shape=(3,)), Dense(2)])
    model.compile(make(learning_rate=0.05, clipnorm=0.3, name="mine", **settings), "mse")
    x, y = rng.standard_normal((8, 3)).astype("f"), rng.standard_normal((8, 2)).astype("f")
    by_hand = make(learning_rate=0.05, clipnorm=0.3, name="mine", **settings)
    copies = [Variable(w.numpy(), w.name, w.path) for w in model.weights]
    by_hand.build(copies)
    executor = model._engine_for(model.input_shape).executor
    for _ in range(10):
        _, g, _ = executor.gradients([x], y, None)
        parts = np.split(g, np.cumsum([w.size for w in copies])[:-1])
        by_hand.apply([p.reshape(w.shape) for p, w in zip(parts, copies, strict=True)])
        model.train_on_batch(x, y)
    assert model.optimizer is not None
    assert by_hand.iterations == model.optimizer.iterations == 5
    for mine, theirs in zip(copies, model.weights, strict=True):
        # float32, ten steps of some ten roundings each
        np.testing.assert_allclose(mine.numpy(), theirs.numpy(), rtol=0, atol=2e-5)
    for mine, theirs in zip(by_hand.variables, model.optimizer.variables, strict=True):
        assert mine.path == theirs.path
        np.testing.assert_allclose(mine.numpy(), theirs.numpy(), rtol=2e-4, atol=2e-5)


def test_variables_are_listed_and_live() -> None:
    adam = Adam(0.5, amsgrad=True, name="adam")
    assert [v.name for v in adam.variables] == ["iteration", "learning_rate"]
    weights = variables()
    adam.build(weights)
    assert [v.path for v in adam.variables] == [
        "adam/iteration",
        "adam/learning_rate",
        *(f"adam/layer_{n}_{s}" for n in ("kernel", "bias", "scale") for s in ("momentum", "velocity")),
        *(f"adam/layer_{n}_velocity_hat" for n in ("kernel", "bias", "scale")),
    ]
    adam.apply(gradients(0))
    assert float(adam.variables[0]) == adam.iterations == 1
    adam.variables[1].assign(0.25)
    assert adam.learning_rate == 0.25
    assert (adam.variables[2].numpy() != 0).all()


def test_the_first_accumulator_is_what_was_set() -> None:
    adagrad = optimizers.Adagrad(initial_accumulator_value=0.3)
    adagrad.build(variables())
    assert all((v.numpy() == np.float32(0.3)).all() for v in adagrad.variables[2:])


def test_state_goes_to_another_optimizer() -> None:
    first, second = RMSprop(momentum=0.5), RMSprop(momentum=0.5)
    a, b = variables(), variables()
    for step in range(3):
        first.apply_gradients(zip(gradients(step), a, strict=True))
    with pytest.raises(ValueError, match=r"You are calling `set_weights\(\)` on an optimizer that is not built"):
        second.set_weights(first.variables)
    second.build(b)
    store: dict[str, np.ndarray] = {}
    first.save_own_variables(store)
    second.load_own_variables(store)
    for w, v in zip(a, b, strict=True):
        v.assign(w)
    first.apply(gradients(3), a)
    second.apply(gradients(3), b)
    for w, v in zip(a, b, strict=True):
        np.testing.assert_array_equal(w.numpy(), v.numpy())
    with pytest.warns(UserWarning, match="Skipping variable loading"):
        second.load_own_variables({"0": np.zeros(())})


def test_a_gradient_that_is_missing_leaves_its_variable() -> None:
    weights = variables()
    before = [w.numpy() for w in weights]
    sgd = SGD(1.0)
    with pytest.warns(UserWarning, match=r"Gradients do not exist for variables \['layer/bias'\]"):
        sgd.apply([gradients(0)[0], None, gradients(0)[2]], weights)
    np.testing.assert_array_equal(weights[1].numpy(), before[1])
    np.testing.assert_array_equal(weights[0].numpy(), before[0] - gradients(0)[0])
    with pytest.raises(ValueError, match="No gradients provided"):
        sgd.apply([None, None, None], weights)
    assert sgd.iterations == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda o: o.apply(gradients(0)), "needs the variables"),
        (lambda o: o.apply(gradients(0)[:2], variables()), "2 gradients for 3 variables"),
        (lambda o: (o.build(variables()), o.apply(gradients(0), variables())), "Unknown variable 'layer/kernel'"),
        (lambda o: o.apply([np.zeros(2), *gradients(0)[1:]], variables()), r"has shape \(3, 4\), its gradient \(2,\)"),
        (lambda o: (o.build(variables()), o.exclude_from_weight_decay(var_names=["bias"])), "before the optimizer"),
    ],
)
def test_what_fits_no_variable_is_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(Adam())


def test_arrays_are_changed_in_place() -> None:
    w = np.ones((2, 2), np.float32)
    SGD(0.5).apply([np.ones((2, 2))], [w])
    np.testing.assert_array_equal(w, np.full((2, 2), 0.5))


def test_weights_that_are_excluded_do_not_decay() -> None:
    weights = variables()
    sgd = SGD(0.5, weight_decay=0.5)
    sgd.exclude_from_weight_decay(var_list=[weights[2]], var_names=["bi.s"])
    before = [w.numpy() for w in weights]
    sgd.apply([np.zeros(w.shape) for w in weights], weights)
    for w, old, kept in zip(weights, before, (0.75, 1, 1), strict=True):
        np.testing.assert_allclose(w.numpy(), np.float32(kept) * old, rtol=1e-6)
    assert sgd.lower(weights)[1]["no_decay"] == [1, 2]


@pytest.mark.parametrize("name", NAMES)
def test_copies_keep_settings_and_count(name: str) -> None:
    made = getattr(optimizers, name)(learning_rate=0.5)
    made.apply([np.ones((2, 2))], [np.ones((2, 2), np.float32)])
    for again in (pickle.loads(pickle.dumps(made)), copy.deepcopy(made)):
        assert again.get_config() == made.get_config()
        assert again.iterations == 1 and not again.built


class Slowing(Optimizer):
    """An optimizer of one's own: steps that shrink with the sum of all gradients so far."""

    def build(self, variables: Any) -> None:
        super().build(variables)
        self.totals = [self.add_variable_from_reference(v, "total") for v in variables]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        total = self.totals[self.trainable_variables.index(variable)]
        total.assign_add(np.abs(gradient))
        variable.assign_sub(learning_rate * gradient / (1 + total.value))


def test_an_optimizer_of_ones_own() -> None:
    weights = variables()[:1]
    before = weights[0].numpy()
    mine = Slowing(0.5, clipvalue=0.25)
    for _ in range(2):
        mine.apply([np.ones((3, 4), np.float32)], weights)
    np.testing.assert_allclose(weights[0].numpy(), before - 0.5 * 0.25 * (1 / 1.25 + 1 / 1.5), rtol=1e-5)
    assert [v.name for v in mine.variables] == ["iteration", "learning_rate", "layer_kernel_total"]
    config = optimizers.serialize(mine)
    assert type(optimizers.deserialize(config, custom_objects={"Slowing": Slowing})) is Slowing


def test_a_loss_scale_follows_the_gradients() -> None:
    w = np.array([1.0, 2.0], np.float32)
    scaled = optimizers.LossScaleOptimizer(SGD(0.5), initial_scale=4.0, dynamic_growth_steps=2)
    assert scaled.scale_loss(1.0) == 4.0
    scaled.apply([np.array([4.0, 8.0])], [w])
    np.testing.assert_array_equal(w, [0.5, 1.0])
    scaled.apply([np.array([0.0, 0.0])], [w])
    assert scaled.scale_loss(1.0) == 8.0
    scaled.apply([np.array([np.inf, 0.0])], [w])
    assert scaled.scale_loss(1.0) == 4.0
    np.testing.assert_array_equal(w, [0.5, 1.0])
    assert int(scaled.iterations) == 2
    again = optimizers.deserialize(optimizers.serialize(scaled))
    assert again.get_config() == scaled.get_config()
    with pytest.raises(ValueError, match=r"set clipnorm=0\.5 on the `inner_optimizer`"):
        optimizers.LossScaleOptimizer(SGD(), clipnorm=0.5)


def test_a_stateless_step_changes_nothing() -> None:
    weights = variables()
    adam, other = Adam(0.1), Adam(0.1)
    adam.build(weights)
    values, state = [w.numpy() for w in weights], [v.numpy() for v in adam.variables]
    moved, after = values, state
    for step in range(3):
        moved, after = adam.stateless_apply(after, gradients(step), moved)
    assert adam.iterations == 0
    for w, v in zip(weights, values, strict=True):
        np.testing.assert_array_equal(w.numpy(), v)
    for step in range(3):
        other.apply(gradients(step), weights)
    for w, v in zip(weights, moved, strict=True):
        np.testing.assert_array_equal(w.numpy(), v)
    with pytest.raises(ValueError, match="optimizer_variables must be 8 arrays, got 0"):
        adam.stateless_apply([], gradients(0), values)
