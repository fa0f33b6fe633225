"""Layers on images ``[H, W, C]``: `RandomFlip`, `RandomContrast`, `CenterCrop` and `Resizing`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from netlet import random
from netlet.errors import unknown_name
from netlet.layers.layer import Layer
from netlet.layers.merging import known
from netlet.layers.shapes import Shape, format_shape, positive_int

if TYPE_CHECKING:
    from netlet.program import Node, ProgramBuilder


class ImageLayer(Layer):
    """What layers on images share: images are ``[H, W, C]``.

    Args:
        data_format: None, the default, or "channels_last".
        **kwargs: as for every `Layer`.

    Shapes: x ``[B, H, W, C]``.

    Raises: ValueError if ``data_format`` is another, or x has another number of axes.
    """

    def __init__(self, *, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if data_format not in (None, "channels_last"):
            raise ValueError(f"{self.name}: data_format must be None or 'channels_last', got {data_format!r}")
        self.data_format = data_format

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        known(input_shape, self.name)
        if len(input_shape) != 4:
            raise ValueError(f"{self.name}: input has shape {format_shape(input_shape)}, expected (batch, H, W, C)")
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}


class RandomImageLayer(ImageLayer):
    """What random layers on images share: a seed. They act in training only.

    What is drawn follows from the seed and the training step. A seed of None is drawn when the layer is made; the
    config holds what was drawn.

    Args:
        seed: in [0, 2^63); None, the default, draws one.
        **kwargs: as for `ImageLayer`.

    Raises: ValueError if ``seed`` is none of these; otherwise as `ImageLayer`.
    """

    def __init__(self, *, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if seed is None:
            seed = random.next_seed() >> 1
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 1 << 63:
            raise ValueError(f"{self.name}: seed must be an integer in [0, 2^63) or None, got {seed!r}")
        self.seed = seed

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed}


def check_name(name: str, argument: str, value: Any, names: Sequence[str]) -> str:
    """Return ``value`` if it is one of ``names``; ValueError with the nearest one otherwise."""
    if value not in names:
        raise unknown_name(f"{name}: {argument}", value, names)
    return str(value)


def pair(value: Any, what: str, low: float, high: float) -> tuple[float, float] | None:
    """Return two numbers in ascending order, or None if ``value`` is one number, which must lie in the bounds too.

    Raises: ValueError naming ``what`` for anything else.
    """
    numbers = value if isinstance(value, (list, tuple)) else [value]
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not low <= number <= high:
            raise ValueError(f"{what} must be a number or two in [{low:g}, {high:g}], got {value!r}")
    if not isinstance(value, (list, tuple)):
        return None
    if len(numbers) != 2:
        raise ValueError(f"{what} must be a number or two in [{low:g}, {high:g}], got {value!r}")
    first, second = sorted(float(number) for number in numbers)
    return first, second


class RandomFlip(RandomImageLayer):
    """Each image flipped with probability 1/2 while training.

    Source: keras.layers.RandomFlip, Keras 3.15.

    Args:
        mode: "horizontal" (left to right), "vertical", or "horizontal_and_vertical", the default: both at once.
        seed: of its random numbers; None draws one.
        data_format: None or "channels_last".
        **kwargs: as for every `Layer`.

    Shapes: x ``[B, H, W, C]`` to y of the same shape.

    Raises: ValueError if an argument is none of these, or x has another number of axes.
    """

    MODES = ("horizontal", "vertical", "horizontal_and_vertical")

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.mode = check_name(self.name, "mode", mode, self.MODES)

    def lower(self, builder: ProgramBuilder, x: Any) -> Node:
        return builder.op("random_flip", x, name=self.name, mode=self.mode, seed=self.seed)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mode": self.mode}


class RandomContrast(RandomImageLayer):
    """Each channel's distance from its mean times a factor, one for each image, while training; then clipped.

    ``clip((x - mean) * factor + mean, *value_range)``, the factor drawn evenly from ``[1 - lower, 1 + upper]``.

    Source: keras.layers.RandomContrast, Keras 3.15, as its text says; its code takes one number for ``upper`` alone.

    Args:
        factor: (lower, upper), each in [0, 1], the smaller one first; one number is both.
        value_range: what results are clipped to; default (0, 255).
        seed: of its random numbers; None draws one.
        data_format: None or "channels_last".
        **kwargs: as for every `Layer`.

    Shapes: x ``[B, H, W, C]`` to y of the same shape; means are over H and W.

    Raises: ValueError if an argument is none of these, or x has another number of axes.
    """

    def __init__(
        self,
        factor: float | Sequence[float],
        value_range: Sequence[float] = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        two = pair(factor, f"{self.name}: factor", 0.0, 1.0)
        self.factor = (float(factor), float(factor)) if two is None else two  # type: ignore[arg-type]
        ends = pair(value_range, f"{self.name}: value_range", -1e30, 1e30)
        if ends is None:
            raise ValueError(f"{self.name}: value_range must be (low, high), got {value_range!r}")
        self.value_range = ends

    def lower(self, builder: ProgramBuilder, x: Any) -> Node:
        low, high = self.factor
        attrs: dict[str, Any] = {"factor": (1.0 - low, 1.0 + high), "value_range": self.value_range, "seed": self.seed}
        return builder.op("random_contrast", x, name=self.name, **attrs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": list(self.factor), "value_range": list(self.value_range)}


def _crop_to_aspect(builder: ProgramBuilder, x: Any, height: int, width: int, name: str) -> Node:
    """Cut the largest middle part out that has the shape ``height`` to ``width``."""
    high, wide = x.shape[0], x.shape[1]
    cut_high = max(min(high, int(wide * height / width)), 1)
    cut_wide = max(min(wide, int(high * width / height)), 1)
    top, left = (high - cut_high) // 2, (wide - cut_wide) // 2
    return builder.op("crop", x, name=name, top=top, left=left, height=cut_high, width=cut_wide)


class CenterCrop(ImageLayer):
    """The middle part of each image.

    An image that is too small is resized instead: the largest middle part of the wanted shape, bilinearly.

    Source: keras.layers.CenterCrop, Keras 3.15.

    Args:
        height, width: of the result.
        data_format: None or "channels_last".
        **kwargs: as for every `Layer`.

    Shapes: x ``[B, H, W, C]`` to ``[B, height, width, C]``.

    Raises: ValueError if ``height`` or ``width`` is not a positive int, or x has another number of axes.
    """

    def __init__(self, height: int, width: int, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.height = positive_int(height, f"{self.name}: height")
        self.width = positive_int(width, f"{self.name}: width")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        batch, _, _, channels = super().compute_output_shape(input_shape)
        return batch, self.height, self.width, channels

    def lower(self, builder: ProgramBuilder, x: Any) -> Node:
        size: dict[str, Any] = {"height": self.height, "width": self.width}
        top, left = x.shape[0] - self.height, x.shape[1] - self.width
        if top >= 0 and left >= 0:
            return builder.op("crop", x, name=self.name, top=top // 2, left=left // 2, **size)
        cut = _crop_to_aspect(builder, x, self.height, self.width, self.name)
        return builder.op("resize", cut, name=self.name, **size)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "height": self.height, "width": self.width}


class Resizing(ImageLayer):
    """Each image at another size. Nothing is smoothed where an image becomes smaller.

    The middle of pixel i of n lies at ``(i + 1/2) / n``. Source: keras.layers.Resizing, Keras 3.15.

    Args:
        height, width: of the result.
        interpolation: "bilinear", the default, or "nearest".
        crop_to_aspect_ratio: whether images are cut to the result's shape first, instead of distorted; default False.
        pad_to_aspect_ratio, antialias: False; not supported.
        data_format: None or "channels_last".
        **kwargs: as for every `Layer`.

    Shapes: x ``[B, H, W, C]`` to ``[B, height, width, C]``.

    Raises: ValueError if an argument is invalid or not supported, or x has another number of axes.
    """

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        antialias: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.height = positive_int(height, f"{self.name}: height")
        self.width = positive_int(width, f"{self.name}: width")
        self.interpolation = check_name(self.name, "interpolation", interpolation, ("bilinear", "nearest"))
        if pad_to_aspect_ratio or antialias:
            raise ValueError(f"{self.name}: pad_to_aspect_ratio and antialias are not supported")
        self.crop_to_aspect_ratio = bool(crop_to_aspect_ratio)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        batch, _, _, channels = super().compute_output_shape(input_shape)
        return batch, self.height, self.width, channels

    def lower(self, builder: ProgramBuilder, x: Any) -> Node:
        if self.crop_to_aspect_ratio:
            x = _crop_to_aspect(builder, x, self.height, self.width, self.name)
        attrs: dict[str, Any] = {"height": self.height, "width": self.width, "interpolation": self.interpolation}
        return builder.op("resize", x, name=self.name, **attrs)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "height": self.height,
            "width": self.width,
            "interpolation": self.interpolation,
            "crop_to_aspect_ratio": self.crop_to_aspect_ratio,
            "pad_to_aspect_ratio": False,
            "antialias": False,
        }
