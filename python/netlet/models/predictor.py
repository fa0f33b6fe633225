"""What a predictor takes: rows and batches as ``predict`` takes them, and an array to write to."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.layers.shapes import Shape, format_shape
from netlet.models.columns import Columns, in_order
from netlet.models.data import adapt_inputs, check_finite, fit_rank, shape_fits, to_array, with_layout
from netlet.models.inference import BLOCK_ROWS

Array = NDArray[Any]


class RowAdapter:
    """Converts and checks what a predictor is called with; see `netlet.backends.predictor.Adapter`.

    Args:
        layer: the first layer's name, for errors about the shape.
        input_shape, output_shape: of the model, the batch in front.
        dtype: the model's.
        finite: whether to refuse NaN and infinity.
        columns: of the frames that the model was fitted on.
    """

    def __init__(
        self,
        layer: str,
        input_shape: Shape,
        output_shape: Shape,
        dtype: str,
        finite: bool,
        columns: Columns = None,
    ) -> None:
        self.input_shape = _row_shape(input_shape)
        self.output_shape = _row_shape(output_shape)
        self.dtype = np.dtype(dtype)
        self.check_finite = finite
        self.block_rows = BLOCK_ROWS
        self._layer = layer
        self._columns = columns

    def __call__(self, x: Any, out: Any) -> tuple[Array, Array, Array]:
        if self._columns is not None:
            x = in_order(x, self._columns)
        array = to_array(x, "x")
        row = array.ndim == len(self.input_shape)
        rows = self._row(array) if row else self._batch(x, array)
        shape = self.output_shape if row else (len(rows), *self.output_shape)
        if out is None:
            answer = np.empty(shape, self.dtype)
        else:
            _check_out(out, shape, self.dtype)
            if np.may_share_memory(rows, out):  # by their bounds, which for contiguous arrays is exact
                raise ValueError("out: overlaps x in memory, expected an array of its own")
            answer = out
        results = np.asarray(answer)
        return rows, results[np.newaxis] if row else results, answer

    def _row(self, array: Array) -> Array:
        if array.shape != self.input_shape:
            raise self._wrong_shape(array)
        rows = with_layout(array[np.newaxis], self.dtype)
        if self.check_finite:
            check_finite(rows, "x")
        return rows

    def _batch(self, x: Any, array: Array) -> Array:
        expected = (None, *self.input_shape)
        if isinstance(x, (list, tuple)) and len(x) == 1 and array.ndim == len(expected) + 1:
            array = array[0]  # a list of one array is that array
        if not shape_fits(fit_rank(array, expected).shape, expected):
            raise self._wrong_shape(array)
        return adapt_inputs(array, layer=self._layer, expected=expected, dtype=self.dtype, finite=self.check_finite)

    def _wrong_shape(self, array: Array) -> ValueError:
        expected = f"{format_shape(self.input_shape)} or {format_shape((None, *self.input_shape))}"
        return ValueError(f"{self._layer}: input has shape {format_shape(array.shape)}, expected {expected}")


def _row_shape(shape: Shape) -> tuple[int, ...]:
    return tuple(n for n in shape[1:] if n is not None)


def _check_out(out: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """TypeError or ValueError unless ``out`` is as a new array for the result would be."""
    if not isinstance(out, np.ndarray):
        raise TypeError(f"out: expected a NumPy array, got {type(out).__name__}")
    if out.dtype != dtype:
        raise TypeError(f"out: has dtype {out.dtype}, expected {dtype}")
    if out.shape != shape:
        raise ValueError(f"out: has shape {out.shape}, expected {shape}")
    if not out.flags.c_contiguous:
        raise ValueError(f"out: has strides {out.strides}, expected a C-contiguous array")
    if not out.flags.aligned:
        raise ValueError(f"out: is not aligned, expected an array that begins on a multiple of {dtype.alignment} bytes")
    if not out.flags.writeable:
        raise ValueError("out: is read-only, expected a writable array")
