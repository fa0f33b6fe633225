"""Layers by themselves give what Keras' give: along other axes, with masks, of inputs of different ranks."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netlet import layers
from netlet.layers import Add, AlphaDropout, BatchNormalization, Dense, Dropout, Embedding, GroupNormalization, Softmax

_spec = importlib.util.spec_from_file_location("keras_layers", Path(__file__).with_name("keras_layers.py"))
assert _spec is not None
assert _spec.loader is not None
cases = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = cases
_spec.loader.exec_module(cases)
KERAS = json.loads(cases.VALUES.read_text(encoding="utf-8"))

# A few roundings of 2^-24 of numbers up to about 4, which a normalization of few numbers that are close to each other
# multiplies by up to 1 / sqrt(0.001), its epsilon.
TOLERANCE = 4 * 2.0**-24 * 4 / np.sqrt(0.001)


@pytest.mark.parametrize("case", cases.CASES, ids=str)
def test_the_answer_is_keras(backend: str, case: Any) -> None:
    got, want = cases.answer(layers, case), KERAS[str(case)]
    assert [shape for _, shape in got] == [shape for _, shape in want]
    for (values, _), (other, _) in zip(got, want, strict=True):
        np.testing.assert_allclose(values, other, rtol=0, atol=TOLERANCE)


def test_every_answer_belongs_to_a_case() -> None:
    assert set(KERAS) == {str(case) for case in cases.CASES}


@pytest.mark.parametrize("layer", [Dropout, AlphaDropout])
def test_elements_share_their_fate_along_axes(backend: str, layer: Any) -> None:
    x = np.ones((50, 4, 3), np.float32)
    y = layer(0.5, noise_shape=(None, 1, 3), seed=3)(x, training=True)
    assert (y == y[:, :1]).all()
    assert len(np.unique(y)) == 2
    assert (y != y[:, :, :1]).any()


def test_what_keras_takes_besides_is_taken_or_refused() -> None:
    assert Dense(2, lora_rank=None, quantization_config=None, autocast=False).units == 2
    assert Embedding(3, 2, input_length=7).input_dim == 3
    assert BatchNormalization(renorm_clipping=None, renorm_momentum=0.9, synchronized=True).momentum == 0.99


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Dense(2, lora_rank=4), "lora_rank=4 is not supported"),
        (lambda: Embedding(3, 2, quantization_config="int8"), "quantization_config='int8' is not supported"),
        (lambda: BatchNormalization(renorm=True), "renorm=True is not supported"),
        (lambda: BatchNormalization(axis=[1, 2]).compute_output_shape((None, 2, 3)), "axis must be one axis"),
        (lambda: BatchNormalization(axis=3).compute_output_shape((None, 2, 3)), "expected axes of it, and not the"),
        (lambda: GroupNormalization(0), "groups must be a positive integer or -1"),
        (lambda: GroupNormalization(4).compute_output_shape((None, 6)), "groups must divide the 6 channels, got 4"),
        (lambda: Softmax(axis=[0, 1]).compute_output_shape((None, 2)), "and not the batch"),
        (lambda: Softmax(axis="a").compute_output_shape((None, 2)), "axis must be an integer or several"),
        (lambda: Dropout(0.5, noise_shape="a"), "noise_shape must be a tuple"),
        (lambda: AlphaDropout(0.5, noise_shape=(2, 3)), "noise_shape must begin with None"),
        (lambda: Dropout(0.5, (None, 2)).compute_output_shape((None, 3)), "does not broadcast"),
        (lambda: layers.Flatten("channels"), "data_format must be None"),
        (lambda: Add().compute_output_shape([(None, 2), (None, 3)]), "do not broadcast to one shape"),
        (lambda: BatchNormalization(axis=1)(np.ones((2, 3, 4)), mask=np.ones((2, 3))), "axis must be the last one"),
    ],
)
def test_bad_arguments(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
