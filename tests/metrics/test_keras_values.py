"""Every metric has the value that Keras computed for the same batches."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netlet import metrics

_spec = importlib.util.spec_from_file_location("keras_cases", Path(__file__).with_name("keras_cases.py"))
assert _spec is not None and _spec.loader is not None
keras_cases = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(keras_cases)

CASES = keras_cases.CASES
KERAS = json.loads(keras_cases.VALUES.read_text())

# Keras sums up to 800 float32 numbers one batch after the other: 800 half units in the last place are 5e-5, of which
# rounding to nearest leaves about the root, 1e-6. Differences of such sums (R2, correlations) lose another digit.
RTOL = 1e-5


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_value_is_keras(case: Any) -> None:
    metric = getattr(metrics, case.metric)(**case.arguments)
    np.testing.assert_allclose(keras_cases.ask(metric, case), KERAS[str(case)], rtol=RTOL, atol=RTOL)


def test_every_metric_is_asked() -> None:
    asked = {case.metric for case in CASES}
    known = {cls.__name__ for cls in metrics.registry.CLASSES}
    assert known - asked == {"MeanMetricWrapper"}
    assert len({str(case) for case in CASES}) == len(CASES)
