"""`Masking`: positions that hold nothing but one value do not count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from netlet.layers.layer import Layer
from netlet.layers.masks import Mask, fill, nonzero
from netlet.layers.shapes import Shape, format_shape

if TYPE_CHECKING:
    from netlet.program import Node, ProgramBuilder


class Masking(Layer):
    """Leaves positions out whose elements along the last axis all equal ``mask_value``, and makes them 0.

    The mask goes along with the output through the layers that follow, as far as they pass masks on. Losses, and
    metrics that are means of a function, then do not count what it leaves out; neither do a `BatchNormalization`'s
    statistics.

    Source: keras.layers.Masking, Keras 3.15.

    Args:
        mask_value: default 0.
        **kwargs: as for every `Layer`.

    Shapes: x ``[B, ..., C]`` to y of the same shape, with a mask ``[B, ...]``.

    Raises: ValueError if ``mask_value`` is not a finite number, or x has no axis besides the batch.
    """

    supports_masking = True

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        real = isinstance(mask_value, (int, float, np.number)) and not isinstance(mask_value, bool)
        if not real or not np.isfinite(mask_value):
            raise ValueError(f"{self.name}: mask_value must be a finite number, got {mask_value!r}")
        self.mask_value = float(mask_value)

    @property
    def makes_mask(self) -> bool:
        return True

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) < 2:
            raise ValueError(
                f"{self.name}: input has shape {format_shape(input_shape)}, expected at least one axis after the batch"
            )
        return input_shape

    def lower(self, builder: ProgramBuilder, x: Any) -> Node:
        return fill(builder, x, nonzero(builder, x, self.mask_value), 0.0, self.name)

    def lower_mask(self, builder: ProgramBuilder, x: Any, mask: Any) -> Mask:
        return nonzero(builder, x, self.mask_value)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mask_value": self.mask_value}
