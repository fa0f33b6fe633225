"""Layers on images: random ones act in training alone, and repeat themselves by seed and step."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from netlet import Input, Sequential, layers
from netlet.layers import (
    CenterCrop,
    Dense,
    Flatten,
    RandomContrast,
    RandomFlip,
    RandomRotation,
    RandomTranslation,
    RandomZoom,
    Resizing,
)
from netlet.layers.eager import call_layer
from netlet.program.ops import OPS
from netlet.program.spec import Context

RANDOM: list[Any] = [
    lambda: RandomFlip(seed=3),
    lambda: RandomRotation(0.2, seed=3),
    lambda: RandomTranslation(0.3, (0.1, 0.2), "constant", seed=3),
    lambda: RandomZoom(0.4, 0.2, "nearest", seed=3),
    lambda: RandomContrast(0.4, seed=3),
]


def images(n: int = 4) -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 255, (n, 6, 5, 2)).astype(np.float32)


def in_step(layer: Any, x: np.ndarray, iteration: int) -> np.ndarray:
    """What the layer's op makes of ``x`` in a step of training."""
    from netlet.program import ProgramBuilder

    builder = ProgramBuilder()
    program = builder.finish(layer.lower(builder, builder.input(x.shape[1:])))
    (op,) = program.ops
    y = np.empty_like(x)
    OPS[op.op].forward_in(Context(True, iteration), op.attrs, [x], [], [], y)
    return y


@pytest.mark.parametrize("make", RANDOM, ids=lambda make: make().name)
def test_random_layers_act_in_training_alone_and_repeat_themselves(make: Any) -> None:
    layer, x = make(), np.tile(images(), (16, 1, 1, 1))  # of few images, none may be flipped
    assert (layer(x) == x).all()
    assert not (layer(x, training=True) == x).all()
    assert (in_step(layer, x, 5) == in_step(make(), x, 5)).all()
    assert not (in_step(layer, x, 5) == in_step(layer, x, 6)).all()


@pytest.mark.parametrize("make", RANDOM, ids=lambda make: make().name)
def test_random_layers_train_in_a_model(make: Any) -> None:
    def fitted() -> tuple[list[float], np.ndarray]:
        head = Dense(1, kernel_initializer="zeros")
        model = Sequential([Input((6, 5, 2)), layers.Rescaling(1 / 255), make(), Flatten(), head])
        model.compile("sgd", "mse")
        losses = model.fit(images(), np.ones((4, 1)), batch_size=2, epochs=3, shuffle=False, verbose=0)
        return losses.history["loss"], model.predict(images(), verbose=0)

    (losses, y), (again, y_again) = fitted(), fitted()
    assert losses == again
    assert (y == y_again).all()
    assert losses[-1] < losses[0]


def test_each_image_is_flipped_or_not() -> None:
    x = images(64)
    for mode, axes in (("horizontal", 2), ("vertical", 1), ("horizontal_and_vertical", (1, 2))):
        y = in_step(RandomFlip(mode, seed=1), x, 0)
        same = (y == x).all(axis=(1, 2, 3))
        flipped = (y == np.flip(x, axes)).all(axis=(1, 2, 3))
        assert (same ^ flipped).all()
        assert 16 <= flipped.sum() <= 48  # beyond four standard deviations of a fair coin


def test_a_quarter_turn_moves_pixels() -> None:
    x = np.random.default_rng(0).standard_normal((2, 5, 5, 3)).astype(np.float32)
    y = in_step(RandomRotation((0.25, 0.25)), x, 0)
    # weights are float32, off by the cosine of a right angle
    np.testing.assert_allclose(y, np.rot90(x, 1, (1, 2)), atol=1e-6)


def test_a_shift_by_whole_pixels_moves_pixels() -> None:
    x = images()
    y = in_step(RandomTranslation((1 / 6, 1 / 6), (0.4, 0.4), "wrap", "nearest"), x, 0)
    assert (y == np.roll(x, (1, 2), (1, 2))).all()


def test_contrast_is_drawn_from_both_sides_of_1_and_clipped() -> None:
    x = np.zeros((200, 2, 1, 1), np.float32) + np.array([100, 140], np.float32)[:, None, None]
    y = in_step(RandomContrast(0.5, seed=0), x, 0)
    factors = (y[:, 1] - y[:, 0]).reshape(-1) / 40
    assert 0.5 <= factors.min() < 0.55
    assert 1.45 < factors.max() <= 1.5
    assert in_step(RandomContrast(1.0, (110, 120), seed=0), x, 0).max() == 120


def test_center_crop_takes_the_middle() -> None:
    x = images()
    assert (CenterCrop(4, 3)(x) == x[:, 1:5, 1:4]).all()
    assert (CenterCrop(3, 2)(x) == x[:, 1:4, 1:3]).all()
    assert CenterCrop(9, 2)(x).shape == (4, 9, 2, 2)


def test_resizing_to_the_same_size_changes_nothing() -> None:
    assert (Resizing(6, 5)(images()) == images()).all()
    assert (Resizing(12, 10, "nearest")(images()) == images().repeat(2, 1).repeat(2, 2)).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RandomFlip("horizontaly"), "horizontal"),
        (lambda: RandomFlip(seed=-1), "seed"),
        (lambda: RandomFlip(data_format="channels_first"), "data_format"),
        (lambda: RandomFlip()(np.zeros((2, 3))), r"expected \(batch, H, W, C\)"),
        (lambda: RandomRotation(1.5), "factor must be"),
        (lambda: RandomRotation((0.1, 0.2, 0.3)), "factor must be"),
        (lambda: RandomRotation(0.1, fill_mode="reflekt"), "reflect"),
        (lambda: RandomRotation(0.1, interpolation="cubic"), "interpolation"),
        (lambda: RandomZoom((-1.0, 0.5)), "above -1"),
        (lambda: RandomContrast(-0.1), "factor must be"),
        (lambda: RandomContrast(0.1, 255), "value_range"),  # type: ignore[arg-type]
        (lambda: CenterCrop(0, 3), "height must be a positive integer"),
        (lambda: Resizing(3, 3, pad_to_aspect_ratio=True), "not supported"),
    ],
)
def test_what_is_wrong_is_named(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    "make", [*RANDOM, lambda: CenterCrop(2, 3), lambda: Resizing(3, 4, "nearest", True)], ids=lambda make: make().name
)
def test_configs_go_through_json(make: Any) -> None:
    layer = make()
    again = layers.deserialize(json.loads(json.dumps(layers.serialize(layer))))
    assert again.get_config() == layer.get_config()
    assert (call_layer(again, images()) == call_layer(layer, images())).all()
