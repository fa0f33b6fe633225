"""`Normalization` and `Rescaling`: numbers brought to mean 0 and variance 1, or multiplied and shifted."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from netlet.layers.layer import Layer
from netlet.layers.merging import known
from netlet.layers.preprocessing.data import batches, real_numbers
from netlet.layers.shapes import Shape, batch_shape, check_input, format_shape
from netlet.layers.variable import Variable

if TYPE_CHECKING:
    from netlet.program import Node, ProgramBuilder

EPSILON = 1e-7  # the least standard deviation that is divided by


class Normalization(Layer):
    """``(x - mean) / sqrt(variance)``, with the mean and variance that ``adapt`` finds in data, or that are given.

    Both are kept in weights that no training changes: ``mean``, and ``factor``, which is one over the standard
    deviation (at least 1e-7). With ``invert`` they are what undoes it: ``mean + x * sqrt(variance)``. Until it is
    adapted, the layer changes nothing. It may be adapted at any time, also within a model.

    Source: keras.layers.Normalization, Keras 3.15.

    Args:
        axis: the axes that have a mean for each place: -1, each column its own; a tuple for several; None, one mean for
            all numbers. The batch, axis 0, cannot be one of them.
        mean, variance: numbers, or arrays of the sizes of ``axis``; both or none.
        invert: whether to undo the normalization; default False.
        **kwargs: as for every `Layer`.

    Shapes: x ``[B, ...]`` to the same.

    Raises: ValueError if one of mean and variance is missing, they do not fit, or ``axis`` is not of the input;
    TypeError if they are no real numbers, or ``axis`` no ints.
    """

    supports_masking = True

    def __init__(
        self,
        axis: int | Sequence[int] | None = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        given: Sequence[Any] = ()
        if axis is not None:
            given = axis if isinstance(axis, (list, tuple)) else [axis]
        self.axis = tuple(operator.index(a) for a in given)
        if (mean is None) != (variance is None):
            raise ValueError(f"{self.name}: give both mean and variance or none, got {mean!r} and {variance!r}")
        if not isinstance(invert, bool):
            raise ValueError(f"{self.name}: invert must be True or False, got {invert!r}")
        self.invert = invert
        self._given: tuple[NDArray[Any], NDArray[Any]] | None = None
        if mean is not None:
            self._given = (
                real_numbers(mean, f"{self.name}: mean").astype(np.float64),
                real_numbers(variance, f"{self.name}: variance").astype(np.float64),
            )
            if not np.isfinite(self._given).all() or (self._given[1] < 0).any():
                raise ValueError(f"{self.name}: mean and variance must be finite, and variance not negative")
        self._mean: Variable | None = None
        self._factor: Variable | None = None

    def _kept(self, rank: int) -> list[int]:
        """The places of ``axis`` among ``rank`` axes."""
        places = sorted(a if a >= 0 else a + rank for a in self.axis)
        if len(set(places)) != len(places) or any(not 0 < place < rank for place in places):
            raise ValueError(f"{self.name}: axis={self.axis} of an input of {rank} axes: expected axes of a row")
        return places

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        known(input_shape, self.name)
        self._kept(len(input_shape))
        return input_shape

    def _shapes(self, input_shape: Shape) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The shape of the statistics, with 1 for the axes among the last ones that share them, and of the weights."""
        kept = self._kept(len(input_shape))
        if not kept:
            return (1,), (1,)
        first = kept[0]
        full = tuple(int(n or 0) for n in input_shape[first:])
        return tuple(n if first + i in kept else 1 for i, n in enumerate(full)), full

    def build(self, input_shape: Shape) -> None:
        _, shape = self._shapes(input_shape)
        self._mean = self.add_weight("mean", shape, "zeros", trainable=False)
        self._factor = self.add_weight("factor", shape, "ones", trainable=False)
        if self._given is not None:
            self._assign(*self._given, input_shape)

    def _sizes(self, input_shape: Shape) -> tuple[int, ...]:
        """The sizes of ``axis``: the shape of Keras' mean."""
        return tuple(int(input_shape[axis] or 0) for axis in self._kept(len(input_shape)))

    def _assign(self, mean: NDArray[Any], variance: NDArray[Any], input_shape: Shape) -> None:
        assert self._mean is not None and self._factor is not None
        own, full = self._shapes(input_shape)
        sizes = self._sizes(input_shape)
        try:
            mean, variance = (np.broadcast_to(np.broadcast_to(v, sizes).reshape(own), full) for v in (mean, variance))
        except ValueError:
            raise ValueError(
                f"{self.name}: mean and variance have shapes {mean.shape} and {variance.shape}, expected {sizes}"
            ) from None
        deviation = np.maximum(np.sqrt(variance), EPSILON)
        # What undoes x = (y - mean) / deviation, in the same form: (x - -mean / deviation) / (1 / deviation).
        self._mean.assign(-mean / deviation if self.invert else mean)
        self._factor.assign(deviation if self.invert else 1.0 / deviation)

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Take mean and variance from data; what an earlier call found is forgotten.

        Sums are in float64. Data are an array, a frame, or an iterable of batches, of which one pass is made.

        Source: Chan, Golub, LeVeque, "Algorithms for computing the sample variance", 1983: how batches are joined.

        Args:
            data: rows ``[n, ...]``; ``[n]`` counts as one column.
            steps: how many batches of an iterable; None for all.

        Raises: ValueError if the data have no rows, do not fit the layer, or mean and variance were given; TypeError
        if they are no real numbers.
        """
        if self._given is not None:
            raise ValueError(f"{self.name}: adapt() cannot be called, mean and variance were given")
        count, mean, spread = 0, np.zeros(()), np.zeros(())
        shape: Shape = ()
        for batch in batches(data, steps):
            x = real_numbers(batch, f"{self.name}: adapt")
            if x.ndim == 1 and self.axis:
                x = x[:, None]
            if x.ndim == 0 or x.size == 0:
                raise ValueError(f"{self.name}: adapt() got data of shape {x.shape}, expected rows")
            if not self.built:
                self.build_for(batch_shape(x.shape[1:], f"{self.name}: data"), self.dtype)
            shape = self.input_shape
            check_input(self.name, x.shape, shape)
            kept = self._kept(x.ndim)
            others = tuple(axis for axis in range(x.ndim) if axis not in kept)
            n = x.size // int(np.prod([x.shape[axis] for axis in kept], dtype=np.int64))
            own = x.mean(axis=others, dtype=np.float64)
            squares = x.var(axis=others, dtype=np.float64) * n
            # Two sets' sums of squares about their means, joined: Chan, Golub, LeVeque (1983), equation 2.1.
            away = own - mean
            mean = mean + away * (n / (count + n))
            spread = spread + squares + away**2 * (count * n / (count + n))
            count += n
        if not count:
            raise ValueError(f"{self.name}: adapt() got no batch, expected at least one")
        self._assign(mean, spread / count, shape)

    def stored(self) -> list[NDArray[Any]]:
        """Return what Keras' files hold of the layer: mean, variance and how often it was adapted; none if given."""
        if self._given is not None or self._mean is None:
            return []
        own, _ = self._shapes(self.input_shape)
        mean, variance = self.mean, self.variance
        assert mean is not None and variance is not None
        first = tuple(slice(None) if size > 1 else slice(1) for size in own)
        shape = self._sizes(self.input_shape)
        return [mean[first].reshape(shape), variance[first].reshape(shape), np.zeros((), np.int32)]

    def restored(self, arrays: Sequence[NDArray[Any]]) -> None:
        """Take what Keras' files hold of the layer, once it is built; the inverse of `stored`.

        Raises: ValueError if these are not a mean and a variance of the layer's sizes.
        """
        if self._given is not None and not arrays:
            return
        if len(arrays) != 3:
            raise ValueError(f"{self.name}: got {len(arrays)} arrays, expected mean, variance and count")
        mean, variance = (np.asarray(array, np.float64) for array in arrays[:2])
        if not (np.isfinite(mean).all() and np.isfinite(variance).all() and (variance >= 0).all()):
            raise ValueError(f"{self.name}: mean and variance must be finite, and variance not negative")
        if mean.shape != self._sizes(self.input_shape) or variance.shape != mean.shape:
            raise ValueError(
                f"{self.name}: mean and variance have shapes {mean.shape} and {variance.shape}, expected "
                f"{self._sizes(self.input_shape)}"
            )
        self._assign(mean, variance, self.input_shape)

    @property
    def mean(self) -> NDArray[Any] | None:
        """The mean, of the weights' shape; None before the layer is built."""
        if self._mean is None or self._factor is None:
            return None
        return -self._mean.value * self._factor.value if self.invert else self._mean.numpy()

    @property
    def variance(self) -> NDArray[Any] | None:
        """The variance (at least 1e-14), of the weights' shape; None before the layer is built."""
        if self._factor is None:
            return None
        squares: NDArray[Any] = self._factor.value**2
        return squares if self.invert else 1 / squares

    def lower(self, builder: ProgramBuilder, x: Any) -> Node:
        assert self._mean is not None and self._factor is not None
        kept = self._kept(len(x.shape) + 1)
        axes = len(x.shape) + 1 - kept[0] if kept else 0
        state = [self._mean.lower_state(builder), self._factor.lower_state(builder)]
        return builder.op("standardize", x, state=state, name=self.name, axes=axes)

    def get_config(self) -> dict[str, Any]:
        mean, variance = (None, None) if self._given is None else (value.tolist() for value in self._given)
        axis = list(self.axis) or None
        return {**super().get_config(), "axis": axis, "mean": mean, "variance": variance, "invert": self.invert}


class Rescaling(Layer):
    """``x * scale + offset``, such as ``Rescaling(1 / 255)`` for the bytes of images.

    Source: keras.layers.Rescaling, Keras 3.15.

    Args:
        scale: a number, or one for each place of the last axis.
        offset: likewise; default 0.
        **kwargs: as for every `Layer`.

    Shapes: x ``[B, ...]`` to the same.

    Raises: ValueError if ``scale`` or ``offset`` is not finite, has more than one axis, or has neither one number nor
    as many as the last axis of x; TypeError if they are no real numbers.
    """

    supports_masking = True

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale, self.offset = self._numbers("scale", scale), self._numbers("offset", offset)

    def _numbers(self, argument: str, value: Any) -> float | list[float]:
        array = real_numbers(value, f"{self.name}: {argument}")
        if array.ndim > 1 or array.size == 0 or not np.isfinite(array).all():
            raise ValueError(f"{self.name}: {argument} must be a finite number or a list of them, got {value!r}")
        numbers: float | list[float] = array.astype(np.float64).tolist()
        return numbers

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        for argument in ("scale", "offset"):
            value = getattr(self, argument)
            if isinstance(value, list) and (len(input_shape) < 2 or len(value) not in (1, input_shape[-1])):
                raise ValueError(
                    f"{self.name}: {argument} has {len(value)} numbers, input has shape {format_shape(input_shape)}"
                )
        return input_shape

    def lower(self, builder: ProgramBuilder, x: Any) -> Node:
        return builder.op("rescale", x, name=self.name, scale=self.scale, offset=self.offset)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scale": self.scale, "offset": self.offset}
