"""`Discretization` and `CategoryEncoding`: numbers into bins, and class numbers into vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from netlet.layers.layer import Layer
from netlet.layers.merging import known
from netlet.layers.preprocessing.data import batches, check_mode, encode, encoded_shape, real_numbers
from netlet.layers.shapes import Shape, positive_int
from netlet.layers.symbolic import call_symbolically, holds_symbols

if TYPE_CHECKING:
    from netlet.program import Node, ProgramBuilder


class Discretization(Layer):
    """The number of the bin that each x lies in: how many boundaries are not above it.

    Source: keras.layers.Discretization, Keras 3.15, which approximates the quantiles. A NaN lies in the last bin.

    Args:
        bin_boundaries: in ascending order; ``[0., 1., 2.]`` makes the bins (-inf, 0), [0, 1), [1, 2), [2, +inf).
        num_bins: how many bins ``adapt`` is to find boundaries for, at least 2; instead of ``bin_boundaries``.
        epsilon: accepted for Keras' sake, without effect: the quantiles of ``adapt`` are exact.
        output_mode: "int", the numbers; "one_hot", a vector for each; "multi_hot" or "count", one vector for all
            numbers of the last axis: which bins are among them, and how often.
        sparse: False; sparse outputs are not supported.
        **kwargs: as for every `Layer`.

    Shapes: x ``[B, ...]``; y as of `CategoryEncoding`, for "int" x's. Called on an array, "int" gives int32.

    Raises: ValueError unless one of ``bin_boundaries`` and ``num_bins`` is given, and valid; or if the layer is used
    before it has boundaries; TypeError if they are no real numbers.
    """

    def __init__(
        self,
        bin_boundaries: Sequence[float] | None = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if (bin_boundaries is None) == (num_bins is None):
            raise ValueError(f"{self.name}: give one of bin_boundaries and num_bins")
        if sparse:
            raise ValueError(f"{self.name}: sparse={sparse!r} is not supported")
        self.num_bins = None if num_bins is None else positive_int(num_bins, f"{self.name}: num_bins")
        if self.num_bins == 1:
            raise ValueError(f"{self.name}: num_bins must be at least 2, got 1")
        self.epsilon = epsilon
        self.output_mode = check_mode(output_mode, self.name)
        self._ran = False
        self.bin_boundaries: list[float] | None = None
        if bin_boundaries is not None:
            self._set(bin_boundaries)

    def _set(self, boundaries: Any) -> None:
        array = real_numbers(boundaries, f"{self.name}: bin_boundaries").astype(np.float64)
        if array.ndim != 1 or not array.size or not np.isfinite(array).all() or (np.diff(array) < 0).any():
            raise ValueError(f"{self.name}: bin_boundaries must be finite and ascend, got {boundaries!r}")
        self.bin_boundaries = array.tolist()

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Set the boundaries so that the bins hold as many of the data's numbers each; NaNs are left out.

        Boundary k of n bins is the quantile k/n, linear between the numbers (in order) i and i+1 of N, which stand at
        i/N and (i+1)/N. All data are held in memory.

        Args:
            data: an array, a frame or an iterable of batches; their shape does not matter.
            steps: how many batches of an iterable; None for all.

        Raises: ValueError if ``bin_boundaries`` were given, there are no numbers, or the layer has run in a model;
        TypeError if the data are no real numbers.
        """
        if self.num_bins is None:
            raise ValueError(f"{self.name}: adapt() cannot be called, bin_boundaries were given")
        if self._ran:
            raise ValueError(f"{self.name}: adapt() must be called before the layer runs in a model")
        parts = [real_numbers(batch, f"{self.name}: adapt").reshape(-1) for batch in batches(data, steps)]
        values = np.sort(np.concatenate([np.zeros(0, np.float32), *parts]))
        values = values[~np.isnan(values)]
        if not values.size:
            raise ValueError(f"{self.name}: adapt() got no numbers")
        places = np.arange(1, values.size + 1) / values.size
        shares = np.arange(1, self.num_bins) / self.num_bins
        self._set(np.interp(shares, places, values).astype(np.float32))

    @property
    def _depth(self) -> int:
        return (self.num_bins or 0) if self.bin_boundaries is None else len(self.bin_boundaries) + 1

    def _known_boundaries(self) -> list[float]:
        if self.bin_boundaries is None:
            raise ValueError(f"{self.name}: has no boundaries, call adapt() or give bin_boundaries")
        return self.bin_boundaries

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        known(input_shape, self.name)
        return encoded_shape(input_shape, self.output_mode, self._depth)

    def __call__(self, x: Any, training: bool = False, mask: Any = None) -> Any:
        if holds_symbols(x):
            return call_symbolically(self, x)
        array = real_numbers(x, self.name)
        kind = np.float64 if self.dtype == "float64" else np.float32
        numbers = np.searchsorted(np.asarray(self._known_boundaries(), kind), array.astype(kind), side="right")
        if self.output_mode == "int":
            return numbers.astype(np.int32)
        return encode(numbers, self.output_mode, self._depth, self.dtype)

    def lower(self, builder: ProgramBuilder, x: Any) -> Node:
        node = builder.op("discretize", x, name=self.name, boundaries=self._known_boundaries())
        self._ran = True
        if self.output_mode == "int":
            return node
        return builder.op("encode_category", node, name=self.name, mode=self.output_mode, depth=self._depth)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "bin_boundaries": self.bin_boundaries,
            "num_bins": self.num_bins,
            "epsilon": self.epsilon,
            "output_mode": self.output_mode,
            "sparse": False,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Layer:
        if config.get("num_bins") is None or config.get("bin_boundaries") is None:
            return cls(**config)
        layer = cls(**{**config, "bin_boundaries": None})  # adapted: it has both
        layer._set(config["bin_boundaries"])
        return layer


class CategoryEncoding(Layer):
    """Class numbers 0 .. num_tokens-1 as vectors. A number that is none of them leaves zeros.

    Source: keras.layers.CategoryEncoding, Keras 3.15.

    Args:
        num_tokens: how many classes there are: the vectors' length.
        output_mode: "one_hot", a vector for each number; "multi_hot" (default), one for all of the last axis, with a 1
            for each that is there; "count", how often each is there.
        sparse: False; sparse outputs are not supported.
        **kwargs: as for every `Layer`.

    Shapes: x ``[B, ..., N]``; one_hot ``[B, ..., N, num_tokens]`` (an N of 1 is left out); otherwise ``[B, ...,
    num_tokens]``. Each row of x ``[B]`` is one number. ``count_weights`` are not supported.

    Raises: ValueError if ``num_tokens`` is not a positive int, or another argument is none of these.
    """

    def __init__(
        self, num_tokens: int | None = None, output_mode: str = "multi_hot", sparse: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.num_tokens = positive_int(num_tokens, f"{self.name}: num_tokens")
        self.output_mode = check_mode(output_mode, self.name)
        if self.output_mode == "int":
            raise ValueError(f"{self.name}: output_mode must be 'one_hot', 'multi_hot' or 'count', got 'int'")
        if sparse:
            raise ValueError(f"{self.name}: sparse={sparse!r} is not supported")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        known(input_shape, self.name)
        return encoded_shape(input_shape, self.output_mode, self.num_tokens)

    def lower(self, builder: ProgramBuilder, x: Any) -> Node:
        return builder.op("encode_category", x, name=self.name, mode=self.output_mode, depth=self.num_tokens)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_tokens": self.num_tokens,
            "output_mode": self.output_mode,
            "sparse": False,
        }
