"""Layers that add noise while a model trains, and let everything pass at other times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from netlet import random
from netlet.layers.layer import Layer
from netlet.layers.shapes import Shape

if TYPE_CHECKING:
    from netlet.program import Node, ProgramBuilder


class _Noise(Layer):
    """What the noises share: a strength, and a seed for their random numbers.

    A seed of None is drawn when the layer is made, from the stream that ``set_random_seed`` begins; the config holds
    what was drawn, so that a saved model goes on as it would have.
    """

    supports_masking = True
    op = ""
    strength = "rate"
    most = 1.0
    open_end = False

    def __init__(self, value: float, seed: int | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or not 0 <= value <= self.most or (self.open_end and value == self.most):
            end = ")" if self.open_end else "]"
            raise ValueError(f"{self.name}: {self.strength} must lie in [0, {self.most:g}{end}, got {value!r}")
        setattr(self, self.strength, float(value))
        if seed is None:
            seed = random.next_seed() >> 1
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 1 << 63:
            raise ValueError(f"{self.name}: seed must be an integer in [0, 2^63) or None, got {seed!r}")
        self.seed = seed

    def attrs(self) -> dict[str, Any]:
        """Return the op's attributes."""
        return {self.strength: getattr(self, self.strength), "seed": self.seed}

    def lower(self, builder: ProgramBuilder, x: Any) -> Node:
        return builder.op(self.op, x, name=self.name, **self.attrs())

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), self.strength: getattr(self, self.strength), "seed": self.seed}


class _Shared(_Noise):
    """A noise whose elements may share their fate along some axes."""

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(rate, seed, **kwargs)
        if isinstance(noise_shape, (str, int)):
            raise ValueError(f"{self.name}: noise_shape must be a tuple of integers and None, got {noise_shape!r}")
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)
        if self.noise_shape is not None and (not self.noise_shape or self.noise_shape[0] is not None):
            raise ValueError(f"{self.name}: noise_shape must begin with None, the batch, got {noise_shape!r}")
        self._noise: tuple[int, ...] = ()

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if self.noise_shape is not None:
            if len(self.noise_shape) != len(input_shape):
                raise ValueError(f"{self.name}: noise_shape {self.noise_shape} has not the rank of {input_shape}")
            pairs = list(zip(self.noise_shape[1:], input_shape[1:], strict=True))
            self._noise = tuple(int(size if n is None else n) for n, size in pairs)  # type: ignore[arg-type]
            if any(n not in (1, size) for n, (_, size) in zip(self._noise, pairs, strict=True)):
                raise ValueError(f"{self.name}: noise_shape {self.noise_shape} does not broadcast to {input_shape}")
        return input_shape

    def attrs(self) -> dict[str, Any]:
        return {**super().attrs(), "noise_shape": self._noise}

    def get_config(self) -> dict[str, Any]:
        shape = None if self.noise_shape is None else list(self.noise_shape)
        return {**super().get_config(), "noise_shape": shape}


class Dropout(_Shared):
    """Sets elements to 0 with probability ``rate`` while training, and divides the others by ``1 - rate``.

    Source: Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, "Dropout" (2014), section 4.

    Args:
        rate: in [0, 1].
        noise_shape: ``(batch, *row)`` with 1 for each axis along which elements share their fate; None for none. The
            batch must be None: rows have fates of their own.
        seed: of its random numbers; None draws one.
        **kwargs: as for every `Layer`.

    Shapes: x ``[B, ...]`` to y of the same shape.

    Raises: ValueError if ``rate`` or ``seed`` is out of range or no number, or ``noise_shape`` does not begin with None
    or does not broadcast to the shape of x.
    """

    op = "dropout"


class GaussianDropout(_Noise):
    """Multiplies by normal numbers of mean 1 and standard deviation ``sqrt(rate / (1 - rate))`` while training.

    Source: Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, "Dropout" (2014), section 10.

    Args:
        rate: in [0, 1).
        seed: of its random numbers; None draws one.
        **kwargs: as for every `Layer`.

    Shapes and errors as of `Dropout`.
    """

    op = "gaussian_dropout"
    open_end = True

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate, seed, **kwargs)


class AlphaDropout(_Shared):
    """Dropout for selu: keeps the mean and the variance that it gives its outputs.

    Source: Klambauer, Unterthiner, Mayr, Hochreiter, "Self-normalizing neural networks" (2017).

    Args:
        rate: in [0, 1).
        noise_shape: as of `Dropout`.
        seed: of its random numbers; None draws one.
        **kwargs: as for every `Layer`.

    Shapes and errors as of `Dropout`.
    """

    op = "alpha_dropout"
    open_end = True


class GaussianNoise(_Noise):
    """Adds normal numbers of standard deviation ``stddev`` while training.

    Source: keras.layers.GaussianNoise, Keras 3.15, where stddev is at most 1.

    Args:
        stddev: not negative.
        seed: of its random numbers; None draws one.
        **kwargs: as for every `Layer`.

    Shapes: x ``[B, ...]`` to y of the same shape.

    Raises: ValueError if ``stddev`` is negative or no number, or ``seed`` is not in [0, 2^63).
    """

    op = "gaussian_noise"
    strength = "stddev"
    most = 1e30

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(stddev, seed, **kwargs)
