"""Losses of one's own: their value and gradient in a program, and the check of the gradient."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from netlet import losses
from netlet.losses import Loss, LossFunctionWrapper, as_loss
from netlet.losses.custom import CustomSpec, check_gradient
from netlet.program import LOSSES

RNG = np.random.default_rng(5)
X, Y, WEIGHT = RNG.standard_normal((4, 3)), RNG.standard_normal((4, 3)), RNG.uniform(0, 2, 4)


class Squares(Loss):
    """The mean squared error again."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return ((y_true - y_pred) ** 2).mean(axis=-1)

    def gradient(self, y_true: Any, y_pred: Any) -> Any:
        return 2 * (y_pred - y_true) / y_pred.shape[-1]


class Elementwise(Squares):
    """The same without a mean over the last axis."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return (y_true - y_pred) ** 2

    def gradient(self, y_true: Any, y_pred: Any) -> Any:
        return 2 * (y_pred - y_true)


class OneNumber(Squares):
    """The same, a single number for the batch."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return ((y_true - y_pred) ** 2).mean()

    def gradient(self, y_true: Any, y_pred: Any) -> Any:
        return 2 * (y_pred - y_true) / y_pred.size


class Coupled(Loss):
    """Rows that see each other: distances from the batch's mean."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return ((y_pred - y_pred.mean(axis=0)) ** 2).sum(axis=-1)

    def gradient(self, y_true: Any, y_pred: Any) -> Any:
        return 2 * (y_pred - y_pred.mean(axis=0))


def pinball(y_true: Any, y_pred: Any, quantile: float = 0.7) -> Any:
    d = y_true - y_pred
    return np.maximum(quantile * d, (quantile - 1) * d).mean(axis=-1)


def pinball_gradient(y_true: Any, y_pred: Any, quantile: float = 0.7) -> Any:
    return np.where(y_true > y_pred, -quantile, 1 - quantile) / y_pred.shape[-1]


pinball.gradient = pinball_gradient  # type: ignore[attr-defined]


def run(spec: Any, attrs: dict[str, Any], weight: Any, dtype: Any = np.float64) -> tuple[np.ndarray, np.ndarray]:
    x, y = X.astype(dtype), Y.astype(dtype)
    values, dx = np.empty(4, dtype), np.empty_like(x)
    spec.value_and_gradient(attrs, x, y, None if weight is None else weight.astype(dtype), values, dx, None)
    return values, dx


@pytest.mark.parametrize("cls", [Squares, Elementwise])
@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_custom_loss_gives_what_the_op_gives(cls: type[Loss], weight: Any, dtype: Any) -> None:
    spec = check_gradient(cls())
    assert spec.per_row and not spec.is_native({}) and spec.label_shape((3,)) == (3,)
    for got, want in zip(
        run(spec, {}, weight, dtype), run(LOSSES["mean_squared_error"], {}, weight, dtype), strict=True
    ):
        np.testing.assert_allclose(got, want, rtol=4 * np.finfo(dtype).eps)


def test_one_number_is_every_rows_loss() -> None:
    spec = check_gradient(OneNumber())
    assert not spec.per_row
    (_, mean_dx), (values, dx) = run(LOSSES["mean_squared_error"], {}, None), run(spec, {}, None)
    np.testing.assert_allclose(dx, mean_dx, rtol=1e-15)
    np.testing.assert_allclose(values, ((X - Y) ** 2).mean(), rtol=1e-15)
    np.testing.assert_allclose(run(spec, {}, WEIGHT)[1], mean_dx * WEIGHT.mean(), rtol=1e-15)


def test_rows_that_depend_on_each_other_are_noticed() -> None:
    spec = check_gradient(Coupled())
    assert not spec.per_row
    run(spec, {}, None)
    with pytest.raises(ValueError, match="its rows depend on each other, so its gradient cannot take sample weights"):
        run(spec, {}, WEIGHT)


def test_functions_bring_their_gradient_as_an_attribute() -> None:
    loss = as_loss(pinball)
    assert isinstance(loss, LossFunctionWrapper) and loss.name == "pinball"
    assert loss(Y, X) == pytest.approx(pinball(Y, X).mean(), rel=1e-6)
    tenth = LossFunctionWrapper(pinball, name="tenth", quantile=0.1)
    assert as_loss(tenth, (2, 5)) is tenth
    assert pickle.loads(pickle.dumps(tenth))(Y, X) == tenth(Y, X) == pytest.approx(pinball(Y, X, 0.1).mean(), rel=1e-6)


def test_a_function_without_gradient_says_how_to_give_one() -> None:
    def plain(y_true: Any, y_pred: Any) -> Any:
        return abs(y_true - y_pred)

    with pytest.raises(
        ValueError, match=r"loss 'plain': no gradient to train with. Define gradient\(y_true, y_pred\) on"
    ):
        as_loss(plain)

    class Plain(Loss):
        call = staticmethod(plain)

    assert Plain()(Y, X) == pytest.approx(abs(X - Y).mean(), rel=1e-6)  # it can still be evaluated
    with pytest.raises(ValueError, match="on its class that returns the gradient of the sum of the losses"):
        as_loss(Plain(name="p"))


@pytest.mark.parametrize("factor", [1.001, -1.0, 0.0, np.nan])
def test_a_wrong_gradient_is_refused(factor: float) -> None:
    class Wrong(Squares):
        def gradient(self, y_true: Any, y_pred: Any) -> Any:
            return factor * super().gradient(y_true, y_pred)

    with pytest.raises(ValueError, match=r"loss 'w': gradient\(\) is off at y_pred\[\d, \d\] of a random batch"):
        as_loss(Wrong(name="w"))


def test_a_gradient_that_is_wrong_in_one_element_is_refused() -> None:
    class Wrong(Squares):
        def gradient(self, y_true: Any, y_pred: Any) -> Any:
            slope = super().gradient(y_true, y_pred)
            slope[2, 1] += 1e-4
            return slope

    with pytest.raises(ValueError, match=r"off at y_pred\[2, 1\]"):
        as_loss(Wrong())


def test_losses_written_in_float32_pass_and_fail_as_well() -> None:
    class Single(Squares):
        def call(self, y_true: Any, y_pred: Any) -> Any:
            return super().call(np.float32(y_true), np.float32(y_pred))

    as_loss(Single())

    class Wrong(Single):
        def gradient(self, y_true: Any, y_pred: Any) -> Any:
            return 1.02 * super().gradient(y_true, y_pred)

    with pytest.raises(ValueError, match="is off"):
        as_loss(Wrong())


@pytest.mark.parametrize("name", sorted(set(LOSSES) - {"ctc", "custom", "custom_sparse"}))
def test_losses_of_the_box_pass_as_custom_ones(name: str) -> None:
    """The check accepts right gradients: of every loss there is, by its own spec."""
    spec = LOSSES[name]
    attrs = spec.normalize({"q": 0.5} if "generalized" in name else {"gamma": 2.0} if name == "circle" else {})

    class Wrapped(Loss):
        integer_labels = spec.integer_labels
        per_row = spec.per_row_for(attrs)

        def both(self, y_true: Any, y_pred: Any) -> tuple[np.ndarray, np.ndarray]:
            values, dx = np.empty(len(y_pred)), np.empty_like(y_pred)
            labels = y_true[:, 0] if name == "circle" and np.ndim(y_true) == 2 else y_true
            spec.value_and_gradient(attrs, y_pred, labels, None, values, dx, None)
            return values, dx * len(y_pred)

        def call(self, y_true: Any, y_pred: Any) -> Any:
            return self.both(y_true, y_pred)[0]

        def gradient(self, y_true: Any, y_pred: Any) -> Any:
            return self.both(y_true, y_pred)[1]

    check_gradient(Wrapped(), (4,))


class Shapeless(Squares):
    """Returns as many numbers as a fixed batch has."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return np.zeros(7)


class Flat(Squares):
    """A gradient of the wrong shape."""

    def gradient(self, y_true: Any, y_pred: Any) -> Any:
        return np.zeros(len(y_pred))


def test_wrong_shapes_are_named() -> None:
    with pytest.raises(ValueError, match=r"call\(\) must return one real number or an array of 5 rows .* \(7,\)"):
        as_loss(Shapeless())
    with pytest.raises(ValueError, match=r"in the shape of y_pred, \(5, 3\), got float64 of shape \(5,\)"):
        as_loss(Flat())
    with pytest.raises(TypeError, match="fn must be a function, got 3"):
        LossFunctionWrapper(3)  # type: ignore[arg-type]
    with pytest.raises(NotImplementedError, match="Loss has no call"):
        Loss()(Y, X)


def test_wrappers_come_back_from_their_config() -> None:
    loss = LossFunctionWrapper(losses.huber, reduction="sum", name="h", delta=0.5)
    again = losses.deserialize(losses.serialize(loss))
    assert again(Y, X) == loss(Y, X) and again.get_config() == loss.get_config()
    assert isinstance(CustomSpec(loss), CustomSpec) and "huber" in repr(loss)
