"""``keras.testing``: the assertions that Keras' tests are written in."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from absl.testing import parameterized

import netlet
from standins import backend, saving
from standins.missing import NotInNetlet


class TestCase(parameterized.TestCase):
    """Base of the tests. ``actual`` and ``desired`` are anything that NumPy makes an array of."""

    maxDiff = None

    def setUp(self) -> None:
        super().setUp()
        netlet.utils.clear_session()

    def get_temp_dir(self) -> str:
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        return folder

    def convert_to_numpy(self, x: Any) -> np.ndarray:
        return np.asarray(x)

    def assertAllClose(
        self,
        actual: Any,
        desired: Any,
        atol: float = 1e-6,
        rtol: float = 1e-6,
        tpu_atol: float | None = None,
        tpu_rtol: float | None = None,
        msg: str | None = None,
    ) -> None:
        np.testing.assert_allclose(np.asarray(actual), np.asarray(desired), rtol, atol, err_msg=msg or "")

    def assertNotAllClose(self, x1: Any, x2: Any, atol: float = 1e-6, rtol: float = 1e-6, msg: Any = None) -> None:
        try:
            self.assertAllClose(x1, x2, atol, rtol)
        except AssertionError:
            return
        self.fail(msg or f"all elements are close: {x1} and {x2}")

    def assertAlmostEqual(
        self, actual: Any, desired: Any, decimal: int = 3, tpu_decimal: int | None = None, msg: str | None = None
    ) -> None:
        np.testing.assert_almost_equal(np.asarray(actual), np.asarray(desired), decimal, msg or "")

    def assertAllEqual(self, actual: Any, desired: Any, msg: str | None = None) -> None:
        np.testing.assert_array_equal(np.asarray(actual), np.asarray(desired), msg or "")

    def assertLen(self, iterable: Any, expected_len: int, msg: str | None = None) -> None:
        self.assertEqual(len(iterable), expected_len, msg)

    def assertDType(self, x: Any, dtype: Any, msg: str | None = None) -> None:
        found = backend.standardize_dtype(x.dtype if hasattr(x, "dtype") else type(x))
        self.assertEqual(found, backend.standardize_dtype(dtype), msg)

    def assertFileExists(self, path: Any) -> None:
        self.assertTrue(Path(path).is_file(), f"there is no file {path}")

    def assertSparse(self, x: Any, sparse: bool = True) -> None:
        self.assertFalse(sparse, "arrays are dense")

    def assertRagged(self, x: Any, ragged: bool = True) -> None:
        self.assertFalse(ragged, "arrays are not ragged")

    def run_class_serialization_test(self, instance: Any, custom_objects: dict[str, Any] | None = None) -> Any:
        """Check that an object comes back from its config, and from its serialized form by way of JSON: with the same
        config, tuples still tuples, and the same attributes. Returns the second copy."""
        config = to_json(instance.get_config())
        attributes = set(dir(instance)) - {"__annotations__"}
        with saving.custom_objects_known(custom_objects):
            first = type(instance).from_config(instance.get_config())
            text = to_json(saving.serialize(instance))
            second = saving.deserialize(from_json(text), instance, custom_objects)
        for copy in (first, second):
            self.assertEqual(config, to_json(copy.get_config()))
            self.assertEqual(attributes, set(dir(copy)) - {"__annotations__"})
        return second

    def run_layer_test(self, *args: Any, **kwargs: Any) -> None:
        raise NotInNetlet("the harness has no run_layer_test yet")


def to_json(value: Any) -> str:
    """Return JSON in which a tuple is told from a list."""

    def marked(part: Any) -> Any:
        if isinstance(part, tuple):
            return {"<tuple>": [marked(entry) for entry in part]}
        if isinstance(part, list):
            return [marked(entry) for entry in part]
        if isinstance(part, dict):
            return {key: marked(entry) for key, entry in part.items()}
        return part

    return json.dumps(marked(value), sort_keys=True)


def from_json(text: str) -> Any:
    """Return what `to_json` wrote."""

    def unmarked(part: dict[str, Any]) -> Any:
        return tuple(part["<tuple>"]) if part.keys() == {"<tuple>"} else part

    return json.loads(text, object_hook=unmarked)


def _no_such_device() -> bool:
    return False


uses_gpu = uses_tpu = jax_uses_gpu = jax_uses_tpu = _no_such_device
tensorflow_uses_gpu = tensorflow_uses_tpu = torch_uses_gpu = _no_such_device
