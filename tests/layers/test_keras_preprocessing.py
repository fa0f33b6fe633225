"""Layers of preprocessing make of arrays what Keras makes of them."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netlet import layers

_spec = importlib.util.spec_from_file_location(
    "keras_preprocessing", Path(__file__).with_name("keras_preprocessing.py")
)
assert _spec is not None
assert _spec.loader is not None
cases = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = cases
_spec.loader.exec_module(cases)
KERAS = json.loads(cases.VALUES.read_text(encoding="utf-8"))

# Keras computes coordinates of pixels in float32, about 8 of them: 4 roundings of 2^-24, times a slope of at most 255
# between two pixels, in two directions.
PIXEL = 4 * 8 * 2.0**-24 * 255 * 2


@pytest.mark.parametrize("case", cases.CASES, ids=str)
def test_the_answer_is_keras(case: Any) -> None:
    values, shape = cases.answer(layers, case)
    want, want_shape = KERAS[str(case)]
    assert shape == want_shape
    if isinstance(want[0], float):
        scale = np.abs(want).max()
        # a few roundings of numbers of the size of the largest; means are sums of up to 120 numbers
        tolerance = PIXEL if case.x.ndim == 4 else 1e-5 * scale
        np.testing.assert_allclose(values, want, rtol=0, atol=tolerance)
    else:
        assert values == want


def test_every_answer_belongs_to_a_case() -> None:
    assert set(KERAS) == {str(case) for case in cases.CASES}
