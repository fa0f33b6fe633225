"""`RandomRotation`, `RandomTranslation` and `RandomZoom`: images moved at random while a model trains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from netlet.layers.preprocessing.images import RandomImageLayer, check_name, pair
from netlet.program.ops.affine import FILL_MODES, INTERPOLATIONS

if TYPE_CHECKING:
    from netlet.program import Node, ProgramBuilder

Range = tuple[float, float]


def _around(value: Any, what: str) -> Range:
    """The range that a factor stands for: itself if it is two numbers, else from -value to value."""
    two = pair(value, what, -1.0, 1.0)
    return (-abs(float(value)), abs(float(value))) if two is None else two


class _RandomAffine(RandomImageLayer):
    """What the layers share: how a place between pixels and one beyond the border is read."""

    def __init__(self, fill_mode: str, interpolation: str, fill_value: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fill_mode = check_name(self.name, "fill_mode", fill_mode, FILL_MODES)
        self.interpolation = check_name(self.name, "interpolation", interpolation, INTERPOLATIONS)
        if isinstance(fill_value, bool) or not isinstance(fill_value, (int, float)):
            raise ValueError(f"{self.name}: fill_value must be a number, got {fill_value!r}")
        self.fill_value = float(fill_value)

    def _ranges(self) -> dict[str, Any]:
        """The op's attributes that say what is drawn from where."""
        raise NotImplementedError

    def lower(self, builder: ProgramBuilder, x: Any) -> Node:
        reading = {name: getattr(self, name) for name in ("fill_mode", "fill_value", "interpolation", "seed")}
        return builder.op("random_affine", x, name=self.name, **self._ranges(), **reading)

    def get_config(self) -> dict[str, Any]:
        reading = {name: getattr(self, name) for name in ("fill_mode", "interpolation", "fill_value")}
        return {**super().get_config(), **reading}


class RandomRotation(_RandomAffine):
    """Each image turned about its center while training, by an angle of its own.

    A positive angle turns counterclockwise. Source: keras.layers.RandomRotation, Keras 3.15.

    Args:
        factor: (low, high) of the angle in whole turns, each in [-1, 1]; one number f stands for (-f, f).
        fill_mode: what is beyond the border: "reflect" (d c b a | a b c d | d c b a), "wrap" (a b c d | a b c d | a b c
            d), "constant" (``fill_value``) or "nearest" (a a a a | a b c d | d d d d).
        interpolation: "bilinear", the default, or "nearest".
        seed: of its random numbers; None draws one.
        fill_value: default 0.
        data_format: None or "channels_last".
        **kwargs: as for every `Layer`.

    Shapes: x ``[B, H, W, C]`` to y of the same shape.

    Raises: ValueError if an argument is none of these, or x has another number of axes.
    """

    def __init__(
        self,
        factor: float | Sequence[float],
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, fill_value, seed=seed, data_format=data_format, **kwargs)
        self.factor = _around(factor, f"{self.name}: factor")

    def _ranges(self) -> dict[str, Any]:
        return {"angle": self.factor}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": list(self.factor)}


class RandomTranslation(_RandomAffine):
    """Each image shifted while training, by a share of its size.

    Source: keras.layers.RandomTranslation, Keras 3.15.

    Args:
        height_factor: (low, high) of the shift downwards as a share of the height, each in [-1, 1]; one number f stands
            for (-f, f).
        width_factor: likewise of the shift to the right, as a share of the width.
        fill_mode, interpolation, seed, fill_value, data_format: as of `RandomRotation`.
        **kwargs: as for every `Layer`.

    Shapes and errors as of `RandomRotation`.
    """

    def __init__(
        self,
        height_factor: float | Sequence[float],
        width_factor: float | Sequence[float],
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, fill_value, seed=seed, data_format=data_format, **kwargs)
        self.height_factor = _around(height_factor, f"{self.name}: height_factor")
        self.width_factor = _around(width_factor, f"{self.name}: width_factor")

    def _ranges(self) -> dict[str, Any]:
        return {"shift_y": self.height_factor, "shift_x": self.width_factor}

    def get_config(self) -> dict[str, Any]:
        factors = {"height_factor": list(self.height_factor), "width_factor": list(self.width_factor)}
        return {**super().get_config(), **factors}


class RandomZoom(_RandomAffine):
    """Each image zoomed about its center while training; a positive factor zooms out, a negative one in.

    Source: keras.layers.RandomZoom, Keras 3.15.

    Args:
        height_factor: (low, high) in (-1, 1]: the part of the image that is shown is 1 + factor times as high; one
            number f stands for (-f, f).
        width_factor: likewise of the width; None takes what was drawn for the height, and keeps shapes.
        fill_mode, interpolation, seed, fill_value, data_format: as of `RandomRotation`.
        **kwargs: as for every `Layer`.

    Shapes and errors as of `RandomRotation`.
    """

    def __init__(
        self,
        height_factor: float | Sequence[float],
        width_factor: float | Sequence[float] | None = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, fill_value, seed=seed, data_format=data_format, **kwargs)
        self.height_factor = self._zoom("height_factor", height_factor)
        self.width_factor = None if width_factor is None else self._zoom("width_factor", width_factor)

    def _zoom(self, argument: str, value: Any) -> Range:
        low, high = _around(value, f"{self.name}: {argument}")
        if (isinstance(value, (list, tuple)) and low == -1.0) or value == -1.0:
            raise ValueError(f"{self.name}: {argument} must be above -1, got {value!r}")
        return low, high

    def _ranges(self) -> dict[str, Any]:
        high = tuple(1.0 + f for f in self.height_factor)
        wide = high if self.width_factor is None else tuple(1.0 + f for f in self.width_factor)
        return {"zoom_y": high, "zoom_x": wide, "same_zoom": self.width_factor is None}

    def get_config(self) -> dict[str, Any]:
        width = None if self.width_factor is None else list(self.width_factor)
        return {**super().get_config(), "height_factor": list(self.height_factor), "width_factor": width}
