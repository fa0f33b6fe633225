"""Views into the workspace and the arena at the price of a pointer.

``workspace[start:stop].reshape(rows, width)`` does the same, but checks, counts references atomically and costs four
times as much: in a small network more than the arithmetic, and in compile time as well. A view made here owns nothing:
it is valid for as long as the array that it looks into, and bounds are its maker's concern.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numba
import numpy as np
from numba import types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array

from netlet.backends.numba_kernels.jit import inlined

__all__ = ["flat", "matrix", "matrix_at", "row", "vector"]


def _view(context: Any, builder: Any, result: Any, data: Any, shape: list[Any]) -> Any:
    """LLVM code for an array of type ``result`` over the memory at ``data``; row-major, without an owner."""
    itemsize = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(result.dtype)))
    strides = [itemsize]
    for extent in reversed(shape[1:]):
        strides.insert(0, builder.mul(extent, strides[0]))
    view = make_array(result)(context, builder)
    populate_array(view, data=data, shape=shape, strides=strides, itemsize=itemsize, meminfo=None)
    return view._getvalue()


def _vector(typing_context: Any, base: Any, start: Any, size: Any) -> Any:
    """The ``size`` elements of the row-major array ``base`` from element ``start`` on, as [size]."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = builder.gep(make_array(base)(context, builder, args[0]).data, [args[1]])
        return _view(context, builder, result, data, [args[2]])

    result = types.Array(base.dtype, 1, "C", readonly=not base.mutable)
    return result(base, types.intp, types.intp), code


def _matrix(typing_context: Any, base: Any, start: Any, rows: Any, width: Any) -> Any:
    """The elements of the row-major array ``base`` from element ``start`` on, as [rows, width]."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = builder.gep(make_array(base)(context, builder, args[0]).data, [args[1]])
        return _view(context, builder, result, data, [args[2], args[3]])

    result = types.Array(base.dtype, 2, "C", readonly=not base.mutable)
    return result(base, types.intp, types.intp, types.intp), code


def _matrix_at(typing_context: Any, address: Any, like: Any, rows: Any, width: Any) -> Any:
    """The memory at ``address`` as [rows, width] of the element type of the array ``like``."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = builder.inttoptr(args[0], context.get_data_type(like.dtype).as_pointer())
        return _view(context, builder, result, data, [args[2], args[3]])

    result = types.Array(like.dtype, 2, "C")
    return result(types.intp, like, types.intp, types.intp), code


def _vector_python(base: Any, start: int, size: int) -> Any:
    return base.reshape(-1)[start : start + size]


def _matrix_python(base: Any, start: int, rows: int, width: int) -> Any:
    return base.reshape(-1)[start : start + rows * width].reshape(rows, width)


def _matrix_at_python(address: int, like: Any, rows: int, width: int) -> Any:
    memory = (ctypes.c_char * (rows * width * like.itemsize)).from_address(int(address))
    return np.frombuffer(memory, like.dtype).reshape(rows, width)


vector: Any
matrix: Any
matrix_at: Any
if numba.config.DISABLE_JIT:
    vector, matrix, matrix_at = _vector_python, _matrix_python, _matrix_at_python
else:
    vector, matrix, matrix_at = intrinsic(_vector), intrinsic(_matrix), intrinsic(_matrix_at)


@inlined
def flat(x: Any) -> Any:
    """All elements of the row-major array ``x``, as [N]."""
    return vector(x, 0, x.size)


@inlined
def row(x: Any, r: int) -> Any:
    """Row ``r`` of the row-major x[R,C], as [C]."""
    return vector(x, r * x.shape[1], x.shape[1])
