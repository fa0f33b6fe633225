"""Initializers whose variance follows the number of inputs and outputs of a unit: Glorot, He, LeCun.

Sources: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010;
He, Zhang, Ren, Sun, "Delving deep into rectifiers", 2015; LeCun, Bottou, Orr, Mueller, "Efficient BackProp", 1998.
"""

from __future__ import annotations

import math
from typing import Any

from numpy.typing import NDArray

from netlet import random
from netlet.errors import did_you_mean
from netlet.initializers.base import Axes, RandomInitializer, Seed, Shape, compute_fans, weight_dtype

MODES = ("fan_in", "fan_out", "fan_avg")
DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")

# Standard deviation of a standard normal variable cut to [-2, 2].
TRUNCATED_STDDEV = 0.87962566103423978


def _unknown(argument: str, value: Any, known: tuple[str, ...]) -> ValueError:
    return ValueError(
        f"Invalid `{argument}` argument: expected one of {', '.join(known)}, got {value!r}.{did_you_mean(value, known)}"
    )


class VarianceScaling(RandomInitializer):
    """Mean 0 and variance ``scale / n``, where n is the fan that ``mode`` names.

    A fan below 1 counts as 1. Source: keras.initializers.VarianceScaling, Keras 3.15; see the module's text.

    Args:
        scale: positive; default 1.
        mode: "fan_in" (default), "fan_out" or "fan_avg" (their mean).
        distribution: "truncated_normal" (default; also "normal"), whose variance is that after the cut at two standard
            deviations, "untruncated_normal", or "uniform", over ±sqrt(3 scale / n).
        seed: as in `RandomInitializer`.
        input_axes, output_axes: which axes of the weight run over a unit's inputs and outputs; see `compute_fans`.

    Shapes: any; see `compute_fans` for what is no matrix.

    Raises: ValueError if an argument is none of these.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Seed = None,
        input_axes: Axes = None,
        output_axes: Axes = None,
    ) -> None:
        if not scale > 0:
            raise ValueError(
                f"{type(self).__name__}: Argument `scale` must be positive float. Received: scale={scale!r}"
            )
        if mode not in MODES:
            raise _unknown("mode", mode, MODES)
        distribution = str(distribution).lower()
        if distribution == "normal":
            distribution = "truncated_normal"
        if distribution not in DISTRIBUTIONS:
            raise _unknown("distribution", distribution, DISTRIBUTIONS)
        self.scale, self.mode, self.distribution = scale, mode, distribution
        self.input_axes, self.output_axes = input_axes, output_axes
        super().__init__(seed)

    def __call__(self, shape: Shape, dtype: Any = None) -> NDArray[Any]:
        kind = weight_dtype(dtype)
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, fan)
        seed = self.draw_seed()
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return random.uniform(seed, 0, shape, low=-limit, high=limit, dtype=kind)
        if self.distribution == "untruncated_normal":
            return random.normal(seed, 0, shape, stddev=math.sqrt(variance), dtype=kind)
        return random.truncated_normal(seed, 0, shape, stddev=math.sqrt(variance) / TRUNCATED_STDDEV, dtype=kind)

    def get_config(self) -> dict[str, Any]:
        return {
            "scale": self.scale,
            "mode": self.mode,
            "distribution": self.distribution,
            "input_axes": self.input_axes,
            "output_axes": self.output_axes,
            **super().get_config(),
        }


class _Preset(VarianceScaling):
    """A VarianceScaling of which only the seed and the axes are left to choose."""

    _scale = 1.0
    _mode = "fan_in"
    _distribution = "truncated_normal"

    def __init__(self, seed: Seed = None, input_axes: Axes = None, output_axes: Axes = None) -> None:
        super().__init__(self._scale, self._mode, self._distribution, seed, input_axes, output_axes)

    def get_config(self) -> dict[str, Any]:
        axes = {"input_axes": self.input_axes, "output_axes": self.output_axes}
        return {**axes, **RandomInitializer.get_config(self)}


class GlorotUniform(_Preset):
    """Uniform over ±sqrt(6 / (fan_in + fan_out)): the default of `Dense` kernels.

    Source: Glorot, Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010,
    equation 16. Arguments, shapes and errors as of `VarianceScaling`.
    """

    _mode, _distribution = "fan_avg", "uniform"


class GlorotNormal(_Preset):
    """Truncated normal with variance 2 / (fan_in + fan_out).

    Source: Glorot, Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010,
    equation 12. Arguments, shapes and errors as of `VarianceScaling`.
    """

    _mode = "fan_avg"


class HeUniform(_Preset):
    """Uniform over ±sqrt(6 / fan_in): for layers followed by ReLU.

    Source: He, Zhang, Ren, Sun, "Delving deep into rectifiers", 2015, section 2.2. Arguments, shapes and errors as of
    `VarianceScaling`.
    """

    _scale, _distribution = 2.0, "uniform"


class HeNormal(_Preset):
    """Truncated normal with variance 2 / fan_in: for layers followed by ReLU.

    Source: He, Zhang, Ren, Sun, "Delving deep into rectifiers", 2015, section 2.2. Arguments, shapes and errors as of
    `VarianceScaling`.
    """

    _scale = 2.0


class LecunUniform(_Preset):
    """Uniform over ±sqrt(3 / fan_in).

    Source: LeCun, Bottou, Orr, Mueller, "Efficient BackProp", 1998, section 4.6. Arguments, shapes and errors as of
    `VarianceScaling`.
    """

    _distribution = "uniform"


class LecunNormal(_Preset):
    """Truncated normal with variance 1 / fan_in: for layers followed by SELU.

    Source: LeCun, Bottou, Orr, Mueller, "Efficient BackProp", 1998, section 4.6. Arguments, shapes and errors as of
    `VarianceScaling`.
    """
