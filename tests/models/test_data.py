"""Every kind of data that people have gives the same training, and data that are right are not copied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import netlet
from netlet import Sequential
from netlet.layers import Dense
from netlet.models.data import adapt_inputs, adapt_labels, to_array, with_layout

pytestmark = pytest.mark.usefixtures("numpy_backend")


class OnlyDLPack:
    """What another library's array is to us."""

    def __init__(self, array: np.ndarray) -> None:
        self._array = array

    def __dlpack__(self, **kwargs: Any) -> Any:
        return self._array.__dlpack__()

    def __dlpack_device__(self) -> Any:
        return self._array.__dlpack_device__()


class OnlyArray:
    """Anything with ``__array__``."""

    def __init__(self, array: np.ndarray) -> None:
        self._array = array

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self._array


def unaligned(array: np.ndarray) -> np.ndarray:
    """The same array at an odd address."""
    raw = np.zeros(array.nbytes + 1, np.uint8)
    view = raw[1:].view(array.dtype).reshape(array.shape)
    view[:] = array
    return view


FORMS: dict[str, Any] = {
    "list": lambda a: a.tolist(),
    "tuple of arrays": tuple,
    "float64": lambda a: a.astype(np.float64),
    "float16": lambda a: a.astype(np.float16),
    "int64": lambda a: a.astype(np.int64),
    "uint8": lambda a: a.astype(np.uint8),
    "big endian": lambda a: a.astype(">f8"),
    "column major": np.asfortranarray,
    "every second row": lambda a: np.repeat(a, 2, axis=0)[::2],
    "reversed": lambda a: a[::-1].copy()[::-1],
    "read only": lambda a: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape),
    "unaligned": unaligned,
    "pandas": lambda a: pd.DataFrame(a) if a.ndim == 2 else pd.Series(a),
    "pandas extension types": lambda a: (pd.DataFrame(a) if a.ndim == 2 else pd.Series(a)).astype("Int64"),
    "__array__": OnlyArray,
    "DLPack": OnlyDLPack,
    "matrix": lambda a: np.matrix(a) if a.ndim == 2 else a,
}


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("loss", ["sparse_categorical_crossentropy", "categorical_crossentropy"])
def test_every_form_of_data_trains_alike(form: str, loss: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 9, (20, 3)).astype(np.float32)
    classes = rng.integers(0, 4, 20).astype(np.float32)
    y = classes if loss.startswith("sparse") else np.eye(4, dtype=np.float32)[classes.astype(int)]

    def trained(x: Any, y: Any) -> list[bytes]:
        netlet.set_random_seed(3)
        model = Sequential([Dense(4, "softmax", input_shape=(3,))])
        model.compile("sgd", loss, metrics=["accuracy"])
        model.fit(x, y, epochs=2, verbose=0, sample_weight=FORMS[form](np.ones(20)))
        model.evaluate(x, y, verbose=0)
        return [w.tobytes() for w in [*model.get_weights(), model.predict(x)]]

    assert trained(FORMS[form](x), FORMS[form](y)) == trained(x, y)


def test_booleans_are_labels_and_inputs() -> None:
    x = np.random.default_rng(0).random((20, 3)) > 0.5
    model = Sequential([Dense(1, "sigmoid", input_shape=(3,))])
    model.compile("sgd", "bce", metrics=["accuracy"])
    model.fit(x, x[:, 0], verbose=0)
    sparse = Sequential([Dense(2, "softmax", input_shape=(3,))])
    sparse.compile("sgd", "sparse_categorical_crossentropy")
    sparse.fit(x, x[:, 0], verbose=0)


def test_labels_of_one_axis_are_a_column_and_not_broadcast() -> None:
    x, y = np.ones((20, 3), np.float32), np.arange(20.0)
    model = Sequential([Dense(1, input_shape=(3,))])
    model.compile("sgd", "mse")
    want = model.evaluate(x, y[:, None], verbose=0)
    assert model.evaluate(x, y, verbose=0) == want
    assert want == pytest.approx(((model.predict(x)[:, 0] - y) ** 2).mean(), rel=1e-6)


def test_class_numbers_may_be_a_column(rows: Any, make_classifier: Any) -> None:
    x, y = rows
    model = make_classifier(metrics=["accuracy"])
    assert model.evaluate(x, y[:, None], verbose=0) == model.evaluate(x, y, verbose=0)


def test_a_list_of_one_array_is_that_array(rows: Any, make_classifier: Any) -> None:
    x, y = rows
    model = make_classifier()
    assert model.evaluate([x], y, verbose=0) == model.evaluate(x, y, verbose=0)


def test_data_that_are_right_are_not_copied(rows: Any, tmp_path: Path) -> None:
    x, y = rows
    float32 = np.dtype(np.float32)
    assert adapt_inputs(x, layer="d", expected=(None, 6), dtype=float32) is x
    assert adapt_labels(y, loss="scce", label_shape=(), classes=4, dtype=float32) is y
    disk = np.memmap(tmp_path / "x", np.float32, "w+", shape=x.shape)
    disk[:] = x
    mapped = np.memmap(tmp_path / "x", np.float32, "r", shape=x.shape)
    assert np.shares_memory(adapt_inputs(mapped, layer="d", expected=(None, 6), dtype=float32), mapped)
    assert np.shares_memory(adapt_inputs(x[:, None], layer="d", expected=(None, 1, 6), dtype=float32), x)


def test_layout_is_what_executors_take() -> None:
    float32 = np.dtype(np.float32)
    for array in (np.zeros((3, 2)).T, np.zeros((4, 2), np.float32)[::2], unaligned(np.ones((3, 3), np.float32))):
        fitted = with_layout(array, float32)
        assert fitted.dtype == float32
        assert fitted.flags.c_contiguous
        assert fitted.flags.aligned
        assert (fitted == array).all()


def test_missing_values_of_pandas_are_nan() -> None:
    frame = pd.DataFrame({"a": pd.array([1, None], dtype="Int64"), "b": [1.5, 2.5]})
    array = to_array(frame, "x")
    assert np.isnan(array[1, 0])
    assert array[0].tolist() == [1.0, 1.5]
