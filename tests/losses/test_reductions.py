"""What loss objects make of the losses of rows: reductions, weights, masks and element types."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from netlet import losses
from netlet.losses import Loss
from netlet.losses.reduction import REDUCTIONS, reduce_weighted_values

VALUES = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 7.0]], np.float32)


class Distance(Loss):
    """A loss of one's own: one number an element."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return abs(y_true - y_pred)


def reduced(reduction: Any, **given: Any) -> Any:
    return Distance(reduction=reduction)(np.zeros_like(VALUES), VALUES, **given)


@pytest.mark.parametrize(
    ("reduction", "plain", "weighted"),
    [
        ("sum_over_batch_size", 22 / 6, 54 / 6),
        ("mean", 22 / 6, 54 / 6),
        ("sum", 22, 54),
        ("mean_with_sample_weight", 22 / 6, 54 / 4),
        ("none", VALUES, VALUES * [[1], [3]]),
        (None, VALUES, VALUES * [[1], [3]]),
    ],
)
@pytest.mark.parametrize("weight", [[1, 3], [[1], [3]]])
def test_every_reduction(reduction: Any, plain: Any, weighted: Any, weight: Any) -> None:
    np.testing.assert_allclose(reduced(reduction), plain, rtol=1e-6)
    np.testing.assert_allclose(reduced(reduction, sample_weight=weight), weighted, rtol=1e-6)
    assert {None, reduction} <= set(REDUCTIONS)


@pytest.mark.parametrize("shape", [(), (1,), (2,), (3,), (2, 1), (1, 3), (2, 3), (2, 3, 1)])
def test_weights_of_any_shape_that_fits(shape: tuple[int, ...]) -> None:
    weight = np.arange(1.0, 1 + np.prod(shape)).reshape(shape)
    wide = weight[..., 0] if len(shape) == 3 else weight[:, None] if shape == (2,) else weight
    assert reduced("mean", sample_weight=weight) == pytest.approx((VALUES * wide).mean(), rel=1e-6)


def test_a_weight_that_fits_rows_and_positions_belongs_to_rows() -> None:
    square = np.arange(9.0).reshape(3, 3)
    got = Distance(reduction=None)(np.zeros((3, 3)), square, [1, 2, 3])
    np.testing.assert_array_equal(got, square * [[1], [2], [3]])


@pytest.mark.parametrize("shape", [(4,), (3, 2), (2, 3, 2), (2, 2)])
def test_weights_that_do_not_fit_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"distance.*: sample_weight has shape .*, expected \(2, 3\)"):
        reduced("mean", sample_weight=np.ones(shape))


MASK = np.array([[True, False, True], [True, True, False]])


@pytest.mark.parametrize(
    ("reduction", "plain", "weighted"),
    [
        ("sum_over_batch_size", 13 / 4, (1 + 3 + 3 * 9) / 4),
        ("sum", 13, 1 + 3 + 3 * 9),
        ("mean_with_sample_weight", 13 / 4, (1 + 3 + 3 * 9) / 8),
        ("none", VALUES * MASK, VALUES * MASK * [[1], [3]]),
    ],
)
def test_a_mask_leaves_out(reduction: str, plain: Any, weighted: Any) -> None:
    np.testing.assert_allclose(reduced(reduction, mask=MASK), plain, rtol=1e-6)
    np.testing.assert_allclose(reduced(reduction, mask=MASK, sample_weight=[[1], [3]]), weighted, rtol=1e-6)


def test_a_mask_or_weights_of_nothing_give_0() -> None:
    for reduction in ("mean", "sum", "mean_with_sample_weight"):
        assert reduced(reduction, mask=np.zeros((2, 3), bool)) == 0
        assert reduced(reduction, sample_weight=0) == 0


@pytest.mark.parametrize("axis", ["mask", "sample_weight", "ys"])
def test_a_further_axis_of_length_1_is_no_difference(axis: str) -> None:
    y, x, weight, mask = np.zeros(4), np.arange(4.0), np.array([4.0, 3, 2, 1]), np.array([True, False, True, True])
    want = Distance()(y, x, weight, mask)
    wide = {name: value[:, None] for name, value in {"mask": mask, "sample_weight": weight}.items() if name == axis}
    if axis == "ys":
        y, x = y[:, None], x[:, None]
    assert Distance()(y, x, **{"sample_weight": weight, "mask": mask, **wide}) == want == pytest.approx(7 / 3, rel=1e-6)


@pytest.mark.parametrize(
    ("dtype", "result"), [(None, "float32"), ("float32", "float32"), ("float64", "float64"), ("float16", "float16")]
)
def test_the_element_type_is_the_one_asked_for(dtype: Any, result: str) -> None:
    y, x = np.zeros((2, 3)), VALUES.astype(np.float64)
    for cls in (Distance, losses.MeanSquaredError, losses.Dice):
        loss = cls(dtype=dtype)
        assert loss.dtype == result
        for given in ({}, {"sample_weight": np.ones(2)}):
            assert loss(y, x, **given).dtype == result
        assert cls(dtype=dtype, reduction=None)(y, x).dtype == result
    with pytest.raises(AttributeError):
        loss.dtype = "float64"


def test_narrow_types_are_summed_in_float32() -> None:
    ones = np.ones((5000, 1), np.float16)
    assert losses.MeanSquaredError(dtype="float16")(np.zeros_like(ones), ones) == 1  # 4096 + 1 is 4096 in float16


def test_an_unknown_reduction_names_those_there_are() -> None:
    for make in (lambda: Distance(reduction="summ"), lambda: reduce_weighted_values(VALUES, reduction="summ")):
        with pytest.raises(ValueError, match=r"Invalid value for argument 'reduction'.*Did you mean 'sum'\?"):
            make()


def test_losses_can_be_pickled() -> None:
    for cls in losses._OBJECTS:
        loss = pickle.loads(pickle.dumps(cls(reduction="sum")))
        assert loss.get_config() == cls(reduction="sum").get_config()
    assert pickle.loads(pickle.dumps(losses.get("mse"))) is losses.mean_squared_error


@pytest.mark.parametrize("cls", losses._OBJECTS, ids=lambda cls: cls.__name__)
def test_every_loss_comes_back_from_its_config(cls: Any) -> None:
    loss = cls(name="own", reduction="sum")
    again = losses.deserialize(losses.serialize(loss))
    assert type(again) is cls and again.get_config() == loss.get_config() and again.attrs() == loss.attrs()
    assert isinstance(losses.get(cls.__name__), cls)
    assert losses.get(cls.op) is cls.function
    assert type(losses.as_loss(cls.op)) is cls
    assert losses.as_loss(cls.function).spec.name == cls.op


def test_settings_that_keras_forgets_are_kept() -> None:
    for loss in (losses.Huber(2.0), losses.CosineSimilarity(1), losses.SparseCategoricalCrossentropy(axis=1)):
        assert type(loss).from_config(loss.get_config()).arguments() == loss.arguments()
    assert "delta" not in losses.Huber().get_config()


def test_custom_objects_are_found_by_name() -> None:
    config = losses.serialize(Distance(name="far"))
    assert losses.deserialize(config, custom_objects={"Distance": Distance}).name == "far"
    with pytest.raises(ValueError, match="unknown loss 'Distance'"):
        losses.deserialize(config)
