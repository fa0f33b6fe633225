"""Penalties on outputs, and masks: what Keras made of the same trainings, on every backend."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netlet

_spec = importlib.util.spec_from_file_location(
    "keras_activity_masks", Path(__file__).with_name("keras_activity_masks.py")
)
assert _spec is not None
assert _spec.loader is not None
cases = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = cases
_spec.loader.exec_module(cases)
KERAS = json.loads(cases.VALUES.read_text(encoding="utf-8"))

# Keras computes layers in float32 even where weights are float64: some 20 roundings of 2^-24 a step, and 9 steps.
TOLERANCE = 9 * 20 * 2.0**-24


@pytest.mark.parametrize("name", cases.CASES)
def test_training_is_that_of_keras(backend: str, name: str) -> None:
    got, want = cases.answer(netlet, cases.CASES[name]), KERAS[name]
    for what in ("history", "evaluate", "test_on_batch"):
        assert set(got[what]) == set(want[what])
        for key, values in want[what].items():
            _close(got[what][key], values)
    for what in ("weights", "predict"):
        assert len(got[what]) == len(want[what])
        for one, other in zip(got[what], want[what], strict=True):
            _close(one, other)


def test_every_answer_belongs_to_a_case() -> None:
    assert set(KERAS) == set(cases.CASES)


def _close(got: Any, want: Any) -> None:
    scale = max(1.0, float(np.abs(want).max(initial=0.0)))
    np.testing.assert_allclose(got, want, rtol=0, atol=TOLERANCE * scale)
