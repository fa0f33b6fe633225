"""What people hand to a model, made into what executors take: C-contiguous arrays of the right type and shape.

An array that is right already is passed on without a copy (memory-mapped ones too). Everything that does not fit is
refused here, with an error that names the argument, what was expected and what came.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netlet.layers.shapes import Shape, format_shape

Array = NDArray[Any]


def to_array(value: Any, what: str) -> Array:
    """Return ``value`` as an array of real numbers, of whatever type and memory order.

    Args:
        value: an array, a list, a pandas frame or series, or anything with ``__array__`` or ``__dlpack__``.
        what: names the argument in errors.

    Raises: TypeError if it does not hold real numbers, ValueError if it is ragged or masked.
    """
    if isinstance(value, np.ndarray):
        if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
            raise ValueError(f"{what}: masked arrays are not supported, fill the masked elements first")
        array: Array = np.asarray(value)
    elif hasattr(value, "iloc") and hasattr(value, "columns"):
        array = _from_frame(value, what)
    elif value is None or isinstance(value, (str, bytes, Mapping, set, frozenset)):
        raise TypeError(f"{what}: expected an array of numbers, got {type(value).__name__}")
    elif hasattr(value, "toarray") and hasattr(value, "nnz"):
        raise TypeError(f"{what}: sparse matrices are not supported, call .toarray() first")
    elif hasattr(value, "detach") and hasattr(value, "numpy"):  # a tensor of PyTorch, wherever it lies
        array = np.asarray(value.detach().cpu().numpy())
    elif hasattr(value, "numpy") and callable(value.numpy) and not hasattr(value, "__array__"):
        array = np.asarray(value.numpy())
    elif hasattr(value, "__dlpack__") and not hasattr(value, "__array__"):
        array = np.from_dlpack(value)
    else:
        try:
            array = np.asarray(value)
        except (ValueError, OverflowError) as error:
            raise ValueError(f"{what}: cannot be made into an array: {error}") from None
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{what}: expected real numbers, got an array of {array.dtype}{_dtype_hint(value, array)}")
    return array


def _from_frame(frame: Any, what: str) -> Array:
    """A pandas frame, every column of which must hold numbers."""
    for name, dtype in zip(frame.columns, frame.dtypes, strict=True):
        if getattr(dtype, "kind", "O") not in "biuf":
            raise TypeError(f"{what}: column {name!r} has dtype {dtype}, expected numbers")
    if hasattr(frame, "isna") and bool(np.asarray(frame.isna()).any()):
        return np.asarray(frame.to_numpy(dtype=np.float64, na_value=np.nan))
    array: Array = np.asarray(frame.to_numpy())
    return array if array.dtype.kind in "biuf" else array.astype(np.float64)


def _dtype_hint(value: Any, array: Array) -> str:
    if array.dtype == object and isinstance(value, (list, tuple)) and value and hasattr(value[0], "shape"):
        return "; give one array, not a list of arrays"
    return ""


def with_layout(array: Array, dtype: np.dtype[Any]) -> Array:
    """Return ``array`` as ``dtype``, C-contiguous and aligned; itself if it is so already."""
    if array.dtype == dtype and array.flags.c_contiguous and array.flags.aligned:
        return array
    return np.require(array, dtype, ["C_CONTIGUOUS", "ALIGNED"])


def check_finite(array: Array, what: str) -> None:
    """Raise a ValueError naming the first bad row if ``array`` holds NaN or infinity."""
    if array.dtype.kind != "f":
        return
    good = np.isfinite(array)
    if good.all():
        return
    row = int(np.argmin(good.reshape(len(array), -1).all(axis=1)))
    raise ValueError(f"{what}: row {row} holds NaN or infinity (compile(check_finite=True) asks to check)")


def fit_rank(array: Array, expected: Shape) -> Array:
    """Return ``array`` with a last axis of length 1 added or taken away where that gives it the expected rank."""
    if array.ndim == len(expected) - 1 and expected[-1] == 1:
        return array[..., None]
    if array.ndim == len(expected) + 1 and array.shape[-1] == 1:
        return array[..., 0]
    return array


def shape_fits(shape: Sequence[int], expected: Shape) -> bool:
    """Return whether ``shape`` is ``expected``, where None stands for any size."""
    return len(shape) == len(expected) and all(
        want is None or have == want for have, want in zip(shape, expected, strict=True)
    )


def adapt_inputs(x: Any, *, layer: str, expected: Shape, dtype: np.dtype[Any], finite: bool = False) -> Array:
    """Return the input of a model.

    Args:
        x: rows; see `to_array`. A list of one array is that array.
        layer: the first layer's name, for errors about the shape.
        expected: its input shape, the batch in front.
        dtype: the model's.
        finite: whether to refuse NaN and infinity.

    Raises: ValueError for a wrong shape or no rows, TypeError for a wrong type.
    """
    if isinstance(x, (list, tuple)) and len(x) == 1 and hasattr(x[0], "shape") and len(x[0].shape) == len(expected):
        x = x[0]
    array = to_array(x, "x")
    expected = (None, *expected[1:])  # an Input's batch_size is that of the batches, not of all the rows
    array = fit_rank(array, expected)
    if not shape_fits(array.shape, expected):
        raise ValueError(f"{layer}: input has shape {format_shape(array.shape)}, expected {format_shape(expected)}")
    if len(array) == 0:
        raise ValueError("x: has no rows")
    array = with_layout(array, dtype)
    if finite:
        check_finite(array, "x")
    return array


def adapt_labels(
    y: Any,
    *,
    loss: str,
    label_shape: Sequence[int],
    classes: int | None,
    dtype: np.dtype[Any],
    finite: bool = False,
    ignored: int | None = None,
    integer: bool | None = None,
    padding: int | None = None,
) -> Array:
    """Return the labels for a loss.

    Args:
        y: labels; see `to_array`.
        loss: the loss's name, for errors.
        label_shape: shape of one row's labels.
        classes: for a loss of class numbers, how many classes there are; None for any other loss, or if it takes any.
        dtype: the model's; class numbers become int32.
        finite: whether to refuse NaN and infinity.
        ignored: a further class number, which the loss ignores.
        integer: whether the loss takes class numbers; None: if ``classes`` says how many.
        padding: what rows of labels that are too short are filled up with; None if they may not be.

    Raises: ValueError for a wrong shape, a class number out of range or no rows; TypeError for a wrong type.
    """
    array = to_array(y, "y")
    expected: Shape = (None, *label_shape)
    if integer is None:
        integer = classes is not None
    if not integer:
        array = fit_rank(array, expected)
    elif array.ndim == len(expected) + 1 and array.shape[-1] == 1:
        array = array[..., 0]
    if padding is not None and array.ndim == len(expected) and array.shape[-1] < (expected[-1] or 0):
        missing = (expected[-1] or 0) - array.shape[-1]
        array = np.pad(array, [(0, 0)] * (array.ndim - 1) + [(0, missing)], constant_values=padding)
    if not shape_fits(array.shape, expected):
        hint = ""
        if classes is not None and shape_fits(array.shape, (*expected, classes)):
            hint = "; for one-hot labels use categorical_crossentropy"
        elif not integer and loss == "categorical_crossentropy" and shape_fits(array.shape, expected[:-1]):
            hint = "; for class numbers use sparse_categorical_crossentropy"
        raise ValueError(f"y: has shape {format_shape(array.shape)}, {loss} expects {format_shape(expected)}{hint}")
    if len(array) == 0:
        raise ValueError("y: has no rows")
    if not integer:
        array = with_layout(array, dtype)
        if finite:
            check_finite(array, "y")
        return array
    return with_layout(_class_numbers(array, classes, ignored), np.dtype(np.int32))


def _class_numbers(array: Array, classes: int | None, ignored: int | None) -> Array:
    """The labels if all of them are ``ignored`` or whole numbers in [0, classes), or of 32 bits if that is None.

    Raises: ValueError naming the first that is not.
    """
    if array.dtype.kind == "b":
        return array.astype(np.int32)
    low, high = (0, classes) if classes is not None else (-(2**31), 2**31)
    bad = None
    if array.dtype.kind == "f":
        good = (array >= low) & (array < high) & (array == np.floor(array))  # NaN compares false
        if not good.all():
            bad = ~good
    elif int(array.min()) < low or int(array.max()) >= high:
        bad = (array < low) | (array >= high)
    if bad is not None and ignored is not None:
        bad &= array != ignored
    if bad is not None and bad.any():
        place = np.unravel_index(int(np.argmax(bad)), array.shape)
        raise ValueError(f"y: label {array[place]} at row {int(place[0])} is not a class number in [{low}, {high})")
    return array


def adapt_weights(sample_weight: Any, *, rows: int, dtype: np.dtype[Any], finite: bool = False) -> Array | None:
    """Return the weights ``[rows]``, or None for None; ``(rows, 1)`` is squeezed.

    Raises: ValueError for a wrong shape, TypeError for a wrong type.
    """
    if sample_weight is None:
        return None
    array = to_array(sample_weight, "sample_weight")
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.shape != (rows,):
        raise ValueError(f"sample_weight: has shape {array.shape}, expected ({rows},), one weight a row")
    array = with_layout(array, dtype)
    if finite:
        check_finite(array, "sample_weight")
    return array


def weights_of_classes(class_weight: Any, y: Array, *, label_width: int | None, dtype: np.dtype[Any]) -> Array:
    """Return the weight of each row from the weight of its class; a class that is missing weighs 1.

    Args:
        class_weight: dict of class number to weight.
        y: adapted labels: class numbers ``[B]``, one-hot ``[B, C]`` (the largest is the class), or ``[B, 1]``.
        label_width: C if the labels are not class numbers, else None.
        dtype: the model's.

    Raises: TypeError if ``class_weight`` is not such a dict, ValueError if the labels have more axes than that.
    """
    if not isinstance(class_weight, Mapping):
        raise TypeError(f"class_weight: expected a dict of class number to weight, got {class_weight!r}")
    for key, weight in class_weight.items():
        if isinstance(key, bool) or not isinstance(key, (int, np.integer)):
            raise TypeError(f"class_weight: expected class numbers as keys, got {key!r}")
        if isinstance(weight, (bool, str)) or not np.isscalar(weight) or not np.isreal(weight):
            raise TypeError(f"class_weight: expected a number for class {key}, got {weight!r}")
        if not np.isfinite(weight) or weight < 0:  # type: ignore[operator]
            raise ValueError(f"class_weight: expected a finite weight >= 0 for class {key}, got {weight!r}")
    if y.ndim > (1 if label_width is None else 2):
        raise ValueError(f"class_weight: expected one label a row, got labels of shape {y.shape}")
    classes = y
    if label_width is not None:
        classes = y[:, 0] if label_width == 1 else y.argmax(axis=1)
    numbers = np.rint(classes)
    weights = np.ones(len(y), dtype)
    for key, weight in class_weight.items():
        weights[numbers == key] = weight
    return weights


def check_rows(rows: int, other: int, what: str) -> None:
    """Raise a ValueError unless ``what`` has as many rows as x."""
    if other != rows:
        raise ValueError(f"x has {rows} rows, {what} has {other}")


def is_batches(x: Any) -> bool:
    """Return whether ``x`` yields batches instead of holding rows: a generator, another iterable, or a dataset that has
    them by number."""
    if isinstance(x, (np.ndarray, list, tuple, str, bytes, Mapping, set, frozenset)):
        return False
    if hasattr(x, "__array__") or hasattr(x, "__dlpack__") or hasattr(x, "columns"):
        return False
    if hasattr(x, "detach") and hasattr(x, "numpy"):
        return False
    by_number = hasattr(x, "__getitem__") and (hasattr(x, "__len__") or hasattr(x, "num_batches"))
    return by_number or hasattr(x, "__iter__") or hasattr(x, "__next__")


def unpack_batch(batch: Any) -> tuple[Any, Any, Any]:
    """Return (x, y, sample_weight) of a batch that is ``x``, ``(x,)``, ``(x, y)`` or ``(x, y, sample_weight)``."""
    if not isinstance(batch, (tuple, list)):
        return batch, None, None
    if not 1 <= len(batch) <= 3:
        raise ValueError(f"a batch must be (x,), (x, y) or (x, y, sample_weight), got {len(batch)} elements")
    x, y, sample_weight = (*batch, None, None)[:3]
    return x, y, sample_weight


def batches_of(source: Iterable[Any]) -> Iterable[tuple[Any, Any, Any]]:
    """Yield the unpacked batches of an iterable."""
    for batch in source:
        yield unpack_batch(batch)
